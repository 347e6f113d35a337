package seal_test

import (
	"context"
	"net/http"
	"testing"

	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/seal"
	"haoban/links/seal/wire"
	sim "haoban/outside/seal"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*seal.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     seal.New,
		Private: nil,
		Probes: []linktest.Probe[*seal.Client]{{Name: "sign", Call: func(ctx context.Context, c *seal.Client) error {
			_, err := c.Sign(ctx, cast.Developer.USCC, "abcdef0123456789")
			return err
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("sign"); return n }}},
	})
}
