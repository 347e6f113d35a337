package ssb_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"haoban/links/linkkit"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/ssb"
	"haoban/links/ssb/wire"
	"haoban/outside/simkit"
	sim "haoban/outside/ssb"
	"haoban/outside/world"
	"haoban/platform/ident"
)

// open opens haoban as somebody and returns the ticket.
func open(t *testing.T, h http.Handler, form url.Values) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/open", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	u, err := rec.Result().Location()
	if err != nil {
		t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	if u.Path != "/api/v1/public/callback/ssb" {
		t.Errorf("sent to %s", u)
	}
	return u.Query().Get("ticket")
}

func get(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return rec.Body.String()
}

func card(version int64) wire.Card {
	return wire.Card{ID: "estate-1", Title: "我的不动产", Lines: []wire.Line{{Label: "测试路1弄8号802室", Value: "预告登记"}}, URL: "https://haoban.example/estate", Version: version}
}

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	who := w.Cast().ZhangMing
	var tickets sync.Map // by the context of the test that got it
	linktest.Exercise(t, linktest.Case[*ssb.App]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			tickets.Store(t.Context(), open(t, s, url.Values{"id": {who.ID}}))
			return s
		},
		New:     ssb.New,
		Private: []string{who.ID, who.Name, who.Mobile},
		Probes: []linktest.Probe[*ssb.App]{{
			Name: "person",
			Call: func(ctx context.Context, a *ssb.App) error {
				ticket, _ := tickets.Load(ctx)
				text, _ := ticket.(string)
				_, err := a.Person(ctx, text)
				return err
			},
		}, {
			Name:    "card",
			Call:    func(ctx context.Context, a *ssb.App) error { return a.Card(ctx, card(1), who.ID) },
			Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("card"); return n },
		}},
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	c, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, secret)) })
	defer s.Close()
	a, ctx := ssb.New(c), t.Context()
	ticket := open(t, s, url.Values{"person": {strconv.Itoa(cast.ChenJing.Index)}})
	got, err := a.Person(ctx, ticket)
	want := ident.Claims{Name: "陈静", IDNo: cast.ChenJing.ID, Mobile: cast.ChenJing.Mobile, Level: 3, Source: "ssb"}
	if err != nil || got != want {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
	for _, bad := range []string{ticket, "made up", ""} {
		if _, err := a.Person(ctx, bad); !errors.Is(err, ssb.ErrTicket) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	refused := func(err error, code string) {
		t.Helper()
		if f, ok := linkkit.Refused(err); !ok || f.Code != code {
			t.Errorf("got %v, want refusal %s", err, code)
		}
	}
	for range 2 {
		if err := a.Card(ctx, card(2), cast.ZhangMing.ID); err != nil {
			t.Error(err)
		}
	}
	refused(a.Card(ctx, card(1), cast.ZhangMing.ID), wire.CodeOld)
	refused(a.Card(ctx, card(7), "31019919900101001X"), wire.CodeHolder)
	if err := a.Card(ctx, card(3), cast.ZhangMing.ID); err != nil {
		t.Error(err)
	}
	path := "/space/" + strconv.Itoa(cast.ZhangMing.Index)
	if text := get(t, s, path+"?format=json"); strings.Count(text, "card_id") != 1 || !strings.Contains(text, `"version":3`) || strings.Contains(text, cast.ZhangMing.ID) {
		t.Errorf("cards: %s", text)
	}
	for path, want := range map[string]string{path: "我的不动产", "/space/1": "没有卡片", "/": "陈静", "/?q=" + url.QueryEscape("王强"): "找到 1 人"} {
		if text := get(t, s, path); !strings.Contains(text, want) || !strings.Contains(text, "模拟环境") {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	get(t, s, "/space/999999")
}
