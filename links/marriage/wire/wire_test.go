package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/marriage/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"query.json":   &wire.Query{},
		"married.json": &wire.Answer{},
		"none.json":    &wire.Answer{},
	})
}
