package sms_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/sms"
	"haoban/links/sms/wire"
	"haoban/outside/simkit"
	sim "haoban/outside/sms"
	"haoban/outside/world"
	"haoban/platform/errs"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	linktest.Exercise(t, linktest.Case[*sms.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     sms.New,
		Private: []string{cast.ZhangMing.Mobile},
		Probes: []linktest.Probe[*sms.Client]{{Name: "send", Call: func(ctx context.Context, c *sms.Client) error {
			_, err := c.Send(ctx, "m1", cast.ZhangMing.Mobile, "测试")
			return err
		}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("sms"); return n }}},
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	kit, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	c, ctx := sms.New(kit), t.Context()
	if no, err := c.Send(ctx, "m2", cast.LiTing.Mobile, "您的办件已受理。"); err != nil || no == "" {
		t.Error(no, err)
	}
	if _, err := c.Send(ctx, "m3", "1", "x"); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a number that is none: %v", err)
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/box?format=json&mobile="+cast.LiTing.Mobile, nil))
	if !strings.Contains(rec.Body.String(), "【自然资源登记】您的办件已受理。") {
		t.Errorf("the phone shows %s", rec.Body)
	}
}
