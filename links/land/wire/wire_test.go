package wire_test

import (
	"testing"

	"haoban/links/land/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"query.json":  &wire.Query{},
		"parcel.json": &wire.Parcel{},
	})
}
