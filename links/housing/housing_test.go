package housing_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/links/housing"
	"haoban/links/housing/wire"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/housing"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*housing.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     housing.New,
		Private: []string{cast.ZhangMing.ID, cast.ZhangMing.Name},
		Probes: []linktest.Probe[*housing.Client]{{Name: "contract", Call: func(ctx context.Context, c *housing.Client) error {
			_, err := c.Contract(ctx, cast.Presale.No)
			return err
		}}, {Name: "tell", Call: func(ctx context.Context, c *housing.Client) error {
			return c.Tell(ctx, wire.Registered{Contract: cast.Presale.No, CaseNo: "R1"})
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("registered"); return n }}},
	})
}
