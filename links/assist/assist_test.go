package assist_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/casework/consult"
	"haoban/links/assist"
	"haoban/links/assist/wire"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/assist"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*assist.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     assist.New,
		Private: nil,
		Probes: []linktest.Probe[*assist.Client]{{Name: "start", Call: func(ctx context.Context, c *assist.Client) error {
			_, err := c.Start(ctx, consult.Request{ID: "c1", CaseNo: "P1", Approval: "SP1", Dept: consult.Dept{Code: "D", Item: "I"}})
			return err
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("start"); return n }}},
	})
}
