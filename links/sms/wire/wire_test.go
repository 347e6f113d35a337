package wire_test

import (
	"testing"

	"haoban/links/linktest"
	"haoban/links/sms/wire"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{
		"message.json": &wire.Message{},
		"sent.json":    &wire.Sent{},
	})
}
