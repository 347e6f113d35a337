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

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	kit, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	c, ctx := housing.New(kit), t.Context()
	k, err := c.Contract(ctx, cast.Presale.No)
	if err != nil || k == nil || k.State != "VALID" || !k.InPermit || k.Address != cast.Presale.Address || len(k.People) != 2 || k.People[0].Name != "张明" ||
		k.People[0].ID != cast.ZhangMing.ID || k.People[0].Mobile != cast.ZhangMing.Mobile || k.DeveloperUSCC != cast.Developer.USCC || k.Common != "共同共有" {
		t.Errorf("%+v %v", k, err)
	}
	if k, err := c.Contract(ctx, cast.OutsidePermit.No); err != nil || k == nil || k.InPermit {
		t.Errorf("outside the permit: %+v %v", k, err)
	}
	if k, err := c.Contract(ctx, cast.CancelledSale.No); err != nil || k == nil || k.State != "CANCELLED" {
		t.Errorf("cancelled: %+v %v", k, err)
	}
	if k, err := c.Contract(ctx, "测预售99999999"); k != nil || err != nil {
		t.Errorf("nobody's number: %+v %v", k, err)
	}
	if l, err := c.Loan(ctx, cast.PresaleLoan.No); err != nil || l == nil || l.Contract != cast.Presale.No || l.BankName != "测试银行浦东支行" || l.Amount == 0 {
		t.Errorf("%+v %v", l, err)
	}
	if l, err := c.Loan(ctx, "测贷99999999"); l != nil || err != nil {
		t.Errorf("nobody's loan: %+v %v", l, err)
	}
	for _, tt := range []struct {
		uscc, unit string
		want       bool
	}{
		{cast.Developer.USCC, cast.Presale.Unit, true},
		{cast.Developer.USCC, cast.NewBuilt.Unit, true},
		{cast.Developer.USCC, cast.OutsidePermit.Unit, false},
		{cast.Developer.USCC, cast.ChenJingUnit.Code, false},
		{cast.Builder.USCC, cast.Presale.Unit, false},
		{cast.Developer.USCC, "nowhere", false},
	} {
		if got, err := c.Covers(ctx, tt.uscc, tt.unit); err != nil || got != tt.want {
			t.Errorf("%+v: %v %v", tt, got, err)
		}
	}
	if got := housing.Area(8805); got != "88.05 ㎡" {
		t.Error(got)
	}
}
