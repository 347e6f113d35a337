package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/population/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"person.query.json": &wire.PersonQuery{}, "person.json": &wire.Person{},
		"household.query.json": &wire.HouseholdQuery{}, "household.json": &wire.Household{},
		"guardian.query.json": &wire.GuardianQuery{}, "guardian.json": &wire.Guardian{},
	})
}
