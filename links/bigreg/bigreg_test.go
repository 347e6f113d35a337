package bigreg_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"haoban/bureau/registry"
	"haoban/links/bigreg"
	"haoban/links/bigreg/wire"
	"haoban/links/linkkit"
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

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	kit, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	c, ctx := bigreg.New(kit), t.Context()
	u, err := c.Facts(ctx, cast.ChenJingUnit.Code)
	if err != nil || u == nil || u.Address != cast.ChenJingUnit.Address || u.District != "310115" || len(u.Rights) != 1 ||
		u.Rights[0].No != cast.ChenJingUnit.TitleNo || len(u.Rights[0].Holders) != 1 || u.Rights[0].Holders[0].ID != cast.ChenJing.ID {
		t.Errorf("%+v %v", u, err)
	}
	if u, err := c.Facts(ctx, "nowhere"); u != nil || err != nil {
		t.Errorf("nobody's unit: %+v %v", u, err)
	}
	burden := func(unit, kind string) {
		t.Helper()
		u, err := c.Facts(ctx, unit)
		if err != nil || u == nil || !slices.ContainsFunc(u.Rights, func(r registry.Right) bool { return r.Kind == kind }) {
			t.Errorf("no %s: %+v %v", kind, u, err)
		}
	}
	burden(cast.SeizedUnit.Code, "seizure")
	burden(cast.MortgagedUnit.Code, "mortgage")
	for range 2 {
		v, err := c.Told(ctx, registry.EntryTold{No: 9, Unit: cast.ChenJingUnit.Code, Case: "c", Kind: "reissue"})
		if err != nil || v != u.Outside+1 {
			t.Errorf("told: %d %v", v, err)
		}
	}
	if after, err := c.Facts(ctx, cast.ChenJingUnit.Code); err != nil || after.Outside != u.Outside+1 {
		t.Errorf("after: %+v %v", after, err)
	}
	_, err = c.Told(ctx, registry.EntryTold{No: 10, Unit: "nowhere"})
	if f, ok := linkkit.Refused(err); !ok || f.Code != wire.CodeUnknown {
		t.Errorf("told of nowhere: %v", err)
	}
	list, err := c.List(ctx, 5, 7)
	if err != nil || len(list) != 7 || list[0].Code != w.UnitAt(5).Code {
		t.Errorf("%d %v", len(list), err)
	}
	if list, err := c.List(ctx, w.Units()-2, 500); err != nil || len(list) != 2 {
		t.Errorf("the end: %d %v", len(list), err)
	}
}
