package wire_test

import (
	"testing"

	"haoban/links/assist/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"items.json":      &wire.Items{},
		"request.json":    &wire.Request{},
		"started.json":    &wire.Started{},
		"supplement.json": &wire.Supplement{},
		"wants.json":      &wire.Wants{},
		"replied.json":    &wire.Replied{},
	})
}
