package wire_test

import (
	"testing"

	"haoban/links/housing/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"query.json":      &wire.Query{},
		"contract.json":   &wire.Contract{},
		"loan.json":       &wire.Loan{},
		"permit.json":     &wire.PermitQuery{},
		"covered.json":    &wire.Covered{},
		"registered.json": &wire.Registered{},
	})
}
