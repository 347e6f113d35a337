package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/will/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"face.json":    &wire.Face{},
		"verdict.json": &wire.Verdict{},
	})
}
