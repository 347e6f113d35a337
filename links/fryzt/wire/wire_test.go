package wire_test

import (
	"testing"

	"haoban/links/fryzt/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{"verify.json": &wire.Verify{}, "verified.json": &wire.Verified{}})
}
