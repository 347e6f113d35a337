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
	_ = cast
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
