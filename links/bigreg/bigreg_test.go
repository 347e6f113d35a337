package bigreg_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/bureau/registry"
	"haoban/links/bigreg"
	"haoban/links/bigreg/wire"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/bigreg"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*bigreg.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     bigreg.New,
		Private: []string{cast.ChenJing.ID, cast.ChenJing.Name},
		Probes: []linktest.Probe[*bigreg.Client]{{Name: "facts", Call: func(ctx context.Context, c *bigreg.Client) error {
			_, err := c.Facts(ctx, cast.ChenJingUnit.Code)
			return err
		}}, {Name: "told", Call: func(ctx context.Context, c *bigreg.Client) error {
			_, err := c.Told(ctx, registry.EntryTold{No: 7, Unit: cast.ChenJingUnit.Code, Case: "c", Kind: "reissue"})
			return err
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("entry"); return n }}},
	})
}
