package will_test

import (
	"context"
	"net/http"
	"testing"

	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/will"
	"haoban/links/will/wire"
	"haoban/outside/simkit"
	sim "haoban/outside/will"
	"haoban/outside/world"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	linktest.Exercise(t, linktest.Case[*will.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     will.New,
		Private: []string{cast.ZhangMing.ID},
		Probes: []linktest.Probe[*will.Client]{{Name: "face", Call: func(ctx context.Context, c *will.Client) error {
			_, err := c.Face(ctx, cast.ZhangMing.Name, cast.ZhangMing.ID, []byte("a picture of a face"))
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
	c, ctx := will.New(kit), t.Context()
	for _, tt := range []struct {
		name, id, picture string
		pass              bool
	}{
		{cast.ZhangMing.Name, cast.ZhangMing.ID, "a picture of a face", true},
		{cast.LiTing.Name, cast.ZhangMing.ID, "a picture of a face", false},
		{cast.ZhangMing.Name, cast.ZhangMing.ID, "另一个人 on a picture", false},
		{cast.ZhangMing.Name, cast.ZhangMing.ID, "blurred", false},
	} {
		if v, err := c.Face(ctx, tt.name, tt.id, []byte(tt.picture)); err != nil || v.Pass != tt.pass || v.Ref == "" {
			t.Errorf("%+v: %+v %v", tt, v, err)
		}
	}
}
