package company_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/links/company"
	"haoban/links/company/wire"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/company"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	linktest.Exercise(t, linktest.Case[*company.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     company.New,
		Private: nil,
		Probes: []linktest.Probe[*company.Client]{{Name: "get", Call: func(ctx context.Context, c *company.Client) error {
			_, err := c.Get(ctx, cast.Developer.USCC)
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
	c, ctx := company.New(kit), t.Context()
	got, err := c.Get(ctx, cast.Developer.USCC)
	if err != nil || got == nil || got.Name != cast.Developer.Name || got.LegalRep != cast.Developer.LegalRep.Name || got.State != "存续" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := c.Get(ctx, "91310115TEAT00015E"); got != nil || err != nil {
		t.Errorf("nobody's code: %+v %v", got, err)
	}
}
