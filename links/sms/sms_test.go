package sms_test

import (
	"context"
	"net/http"
	"testing"

	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/sms"
	"haoban/links/sms/wire"
	"haoban/outside/simkit"
	sim "haoban/outside/sms"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*sms.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     sms.New,
		Private: []string{cast.ZhangMing.Mobile},
		Probes: []linktest.Probe[*sms.Client]{{Name: "send", Call: func(ctx context.Context, c *sms.Client) error {
			_, err := c.Send(ctx, "m1", cast.ZhangMing.Mobile, "测试")
			return err
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("sms"); return n }}},
	})
}
