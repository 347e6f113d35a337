package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/ywtb/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"user.json": &wire.User{}, "agent.json": &wire.User{}, "token.json": &wire.Token{}, "fault.json": &wire.Fault{},
	})
}
