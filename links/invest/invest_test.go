package invest_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/links/invest"
	"haoban/links/invest/wire"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/invest"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*invest.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     invest.New,
		Private: nil,
		Probes: []linktest.Probe[*invest.Client]{{Name: "project", Call: func(ctx context.Context, c *invest.Client) error {
			_, err := c.Project(ctx, cast.BuilderProject.Code)
			return err
		}}, {Name: "tell", Call: func(ctx context.Context, c *invest.Client) error {
			return c.Tell(ctx, wire.Result{Code: cast.BuilderProject.Code, CaseNo: "P1", State: "准予"})
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("result"); return n }}},
	})
}
