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
	_ = cast
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
