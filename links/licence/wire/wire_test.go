package wire_test

import (
	"testing"

	"haoban/links/licence/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"licence.json": &wire.Licence{},
		"filed.json":   &wire.Filed{},
		"revoke.json":  &wire.Revocation{},
	})
}
