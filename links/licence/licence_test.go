package licence_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/links/licence"
	"haoban/links/licence/wire"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/licence"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*licence.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     licence.New,
		Private: []string{cast.ZhangMing.ID},
		Probes: []linktest.Probe[*licence.Client]{{Name: "issue", Call: func(ctx context.Context, c *licence.Client) error {
			_, err := c.Issue(ctx, wire.Licence{No: "测1", Type: "T"}, cast.ZhangMing.ID)
			return err
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("issue"); return n }}},
	})
}
