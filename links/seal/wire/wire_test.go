package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/seal/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"query.json": &wire.Query{},
		"seal.json":  &wire.Seal{},
		"task.json":  &wire.Task{},
		"done.json":  &wire.Done{},
	})
}
