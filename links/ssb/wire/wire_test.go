package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/ssb/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{"session.json": &wire.Session{}, "card.json": &wire.Card{}})
}
