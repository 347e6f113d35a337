package wire_test

import (
	"testing"

	"haoban/links/invest/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"query.json":   &wire.Query{},
		"project.json": &wire.Project{},
		"result.json":  &wire.Result{},
	})
}
