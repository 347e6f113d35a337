package wire_test

import (
	"testing"

	"haoban/links/bigreg/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"query.json": &wire.Query{},
		"list.json":  &wire.ListQuery{},
		"facts.json": &wire.Facts{},
		"entry.json": &wire.Entry{},
		"ack.json":   &wire.Ack{},
	})
}
