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

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	kit, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	c, ctx := land.New(kit), t.Context()
	p, err := c.Parcel(ctx, cast.BuilderProject.Code)
	if err != nil || p == nil || p.Supply != "ALLOCATE" || p.Parcel != cast.BuilderProject.Parcel || p.AreaM2 == 0 || len(p.Polygon) != 5 || p.District != "310115" {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := c.Parcel(ctx, "2601-310199-04-01-999999"); p != nil || err != nil {
		t.Errorf("nobody's code: %+v %v", p, err)
	}
}
