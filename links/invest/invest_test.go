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

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	kit, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	c, ctx := invest.New(kit), t.Context()
	p, err := c.Project(ctx, cast.BuilderProject.Code)
	if err != nil || p == nil || p.Name != cast.BuilderProject.Name || p.Builder != cast.Builder.USCC || p.District != "310115" || p.InvestWan == 0 {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := c.Project(ctx, "2601-310199-04-01-999999"); p != nil || err != nil {
		t.Errorf("nobody's code: %+v %v", p, err)
	}
	for i := range w.Projects() {
		if o := w.ProjectAt(i); !o.Approval.Verified {
			if p, err := c.Project(ctx, o.Code); p != nil || err != nil {
				t.Errorf("not verified: %+v %v", p, err)
			}
			break
		}
	}
}
