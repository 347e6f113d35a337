package wire_test

import (
	"testing"

	"haoban/links/company/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"query.json":   &wire.Query{},
		"company.json": &wire.Answer{},
	})
}
