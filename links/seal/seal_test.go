package seal_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/links/linkkit"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/seal"
	"haoban/links/seal/wire"
	sim "haoban/outside/seal"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	linktest.Exercise(t, linktest.Case[*seal.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     seal.New,
		Private: nil,
		Probes: []linktest.Probe[*seal.Client]{{Name: "sign", Call: func(ctx context.Context, c *seal.Client) error {
			_, err := c.Sign(ctx, cast.Developer.USCC, "abcdef0123456789")
			return err
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("sign"); return n }}},
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	kit, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	c, ctx := seal.New(kit), t.Context()
	for _, who := range []string{cast.Developer.USCC, cast.ZhangMing.ID} {
		if v, err := c.State(ctx, who); err != nil || !v.Has || v.State != "VALID" || v.Serial == "" {
			t.Errorf("%s: %+v %v", who, v, err)
		}
	}
	if v, err := c.State(ctx, "nobody"); err != nil || v.Has {
		t.Errorf("nobody: %+v %v", v, err)
	}
	_, err := c.Sign(ctx, "nobody", "00112233")
	if f, ok := linkkit.Refused(err); !ok || f.Code != wire.CodeNoSeal {
		t.Errorf("signed by nobody: %v", err)
	}
	// Two who sign one paper both sign it.
	a, err1 := c.Sign(ctx, cast.ZhangMing.ID, "99887766")
	b, err2 := c.Sign(ctx, cast.LiTing.ID, "99887766")
	if err1 != nil || err2 != nil || a == b {
		t.Errorf("%s %v, %s %v", a, err1, b, err2)
	}
}
