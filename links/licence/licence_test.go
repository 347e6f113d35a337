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

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	kit, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	c, ctx := licence.New(kit), t.Context()
	l := wire.Licence{No: "测2", Type: "T"}
	a, err := c.Issue(ctx, l, cast.ZhangMing.ID)
	if err != nil || a == "" {
		t.Error(a, err)
	}
	if b, err := c.Issue(ctx, l, cast.ZhangMing.ID); err != nil || b != a {
		t.Errorf("issued twice as %s and %s, %v", a, b, err)
	}
	if _, err := c.Issue(ctx, l, cast.LiTing.ID); err == nil {
		t.Error("one number for two holders")
	}
	for range 2 {
		if err := c.Revoke(ctx, "测2", "注销登记"); err != nil {
			t.Error(err)
		}
	}
	if _, n := s.Effects("revoke"); n != 1 {
		t.Errorf("revoked %d times", n)
	}
}
