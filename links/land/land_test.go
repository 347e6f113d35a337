package land_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/links/land"
	"haoban/links/land/wire"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/land"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	_ = cast
	linktest.Exercise(t, linktest.Case[*land.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     land.New,
		Private: nil,
		Probes: []linktest.Probe[*land.Client]{{Name: "parcel", Call: func(ctx context.Context, c *land.Client) error {
			_, err := c.Parcel(ctx, cast.BuilderProject.Code)
			return err
		}}},
	})
}
