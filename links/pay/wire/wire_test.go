package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/pay/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"order.json": &wire.Order{}, "ordered.json": &wire.Ordered{}, "paid.json": &wire.State{}, "close.json": &wire.Close{}, "bills.json": &wire.Bills{},
	})
}
