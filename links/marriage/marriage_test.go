package marriage_test

import (
	"context"
	"net/http"
	"testing"

	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/marriage"
	"haoban/links/marriage/wire"
	sim "haoban/outside/marriage"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	linktest.Exercise(t, linktest.Case[*marriage.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     marriage.New,
		Private: []string{cast.ZhangMing.ID, cast.LiTing.ID},
		Probes: []linktest.Probe[*marriage.Client]{{Name: "between", Call: func(ctx context.Context, c *marriage.Client) error {
			_, err := c.Between(ctx, cast.ZhangMing.Name, cast.ZhangMing.ID, cast.LiTing.Name, cast.LiTing.ID)
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
	c, ctx := marriage.New(kit), t.Context()
	ask := func(a, b world.Person) wire.Answer {
		t.Helper()
		got, err := c.Between(ctx, a.Name, a.ID, b.Name, b.ID)
		if err != nil {
			t.Error(err)
		}
		return got
	}
	if a, b := ask(cast.ZhangMing, cast.LiTing), ask(cast.LiTing, cast.ZhangMing); a != b || a.Status != "MARRIED" || a.RegNo == "" || a.RegDate == "" {
		t.Errorf("张明 and 李婷: %+v, %+v", a, b)
	}
	if a := ask(cast.ZhaoLei, cast.SunLi); a.Status != "DIVORCED" {
		t.Errorf("赵磊 and 孙丽: %+v", a)
	}
	if a := ask(cast.ZhangMing, cast.ChenJing); a != (wire.Answer{Status: "NONE"}) {
		t.Errorf("strangers: %+v", a)
	}
}
