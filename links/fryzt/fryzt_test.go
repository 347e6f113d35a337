package fryzt_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/links/fryzt"
	"haoban/links/fryzt/wire"
	"haoban/links/linkkit"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/fryzt"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/ident"
	"haoban/platform/ident/oidc"
)

const back = "http://haoban.example/api/v1/public/callback/fryzt"

func config(url string, wall clock.Clock) fryzt.Config {
	return fryzt.Config{URL: url, ClientID: "haoban", RedirectURL: back, Wall: wall}
}

// send sends one request to the platform's page as a browser would and returns
// where it is sent, or the page.
func send(t *testing.T, h http.Handler, method, target string, form url.Values) (*url.URL, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code == http.StatusSeeOther {
		u, err := rec.Result().Location()
		if err != nil {
			t.Fatal(err)
		}
		return u, ""
	}
	b, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return nil, string(b)
}

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	cast := w.Cast()
	var tickets sync.Map // by the context of the test that got it
	linktest.Exercise(t, linktest.Case[*fryzt.Login]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			q := url.Values{"client_id": {"haoban"}, "redirect_uri": {back}, "state": {"s"}, "nonce": {"n"}, "login_hint": {cast.Developer.USCC}}
			home, page := send(t, s, http.MethodGet, wire.PathLogin+"?"+q.Encode(), nil)
			if home == nil {
				t.Fatal(page)
			}
			tickets.Store(t.Context(), home.Query().Get("ticket"))
			return s
		},
		New: func(c *linkkit.Client) *fryzt.Login {
			l, err := fryzt.New(nil, c, config("http://fryzt.example", nil))
			if err != nil {
				t.Error(err)
			}
			return l
		},
		Private: []string{cast.DeveloperAgent.ID, cast.DeveloperAgent.Name, cast.DeveloperAgent.Mobile},
		Probes: []linktest.Probe[*fryzt.Login]{{
			Name: "verify",
			Call: func(ctx context.Context, l *fryzt.Login) error {
				ticket, _ := tickets.Load(ctx)
				text, _ := ticket.(string)
				_, err := l.Verify(ctx, text, "n")
				return err
			},
			Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("verify"); return n },
		}},
	})
}

type scene struct {
	sim  *simkit.Sim
	w    *world.World
	l    *fryzt.Login
	wall *clock.Movable
}

func setUp(t *testing.T, d *db.DB) scene {
	t.Helper()
	s := scene{w: world.New(1, 1000), wall: clock.NewMovable(clock.Wall{})}
	c, simulator := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim { return sim.New(simkit.Alone(s.w, secret)) })
	t.Cleanup(simulator.Close)
	s.sim = simulator
	var err error
	if s.l, err = fryzt.New(d, c, config("http://fryzt.example/fryzt/", s.wall)); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s scene) begin(t *testing.T, to string) (page *url.URL, browser string) {
	t.Helper()
	b, err := s.l.Begin(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u, b.Browser
}

// hint logs in at once as somebody.
func (s scene) hint(t *testing.T, page *url.URL, who string) url.Values {
	t.Helper()
	home, text := send(t, s.sim, http.MethodGet, page.RequestURI()+"&login_hint="+url.QueryEscape(who), nil)
	if home == nil {
		t.Fatal(text)
	}
	return home.Query()
}

func TestLogin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, []db.Line{fryzt.Migrations()}, func(t *testing.T, d *db.DB) {
		s := setUp(t, d)
		cast, ctx := s.w.Cast(), t.Context()
		page, browser := s.begin(t, "/cases/1")
		_, text := send(t, s.sim, http.MethodGet, page.RequestURI()+"&q="+url.QueryEscape("第二银行"), nil)
		for _, want := range []string{"模拟环境", "测试置业有限公司", "测试建设集团有限公司", "测试银行浦东支行", "钱进", "测试第二银行浦东支行"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		form := page.Query()
		form.Set("who", strconv.Itoa(cast.Developer.Index)+"/"+strconv.Itoa(cast.DeveloperAgent.Index))
		home, text := send(t, s.sim, http.MethodPost, page.Path, form)
		if home == nil || !strings.HasPrefix(home.String(), back+"?") {
			t.Fatalf("sent to %v: %s", home, text)
		}
		q := home.Query()
		c, to, err := s.l.Finish(ctx, q.Get("state"), q.Get("ticket"), browser)
		if err != nil || to != "/cases/1" || c.Name != "测试置业有限公司" || c.USCC != cast.Developer.USCC || c.Kind != ident.OrgCompany ||
			c.Role != ident.MemberAgent || c.Person.Name != "钱进" || c.Person.IDNo != cast.DeveloperAgent.ID ||
			c.Person.Mobile != cast.DeveloperAgent.Mobile || c.Source != "fryzt" || c.Until.Format(time.DateOnly) != "2037-01-01" {
			t.Errorf("%+v %s %v", c, to, err)
		}
		if _, _, err := s.l.Finish(ctx, q.Get("state"), q.Get("ticket"), browser); !errors.Is(err, oidc.ErrState) {
			t.Errorf("the same again: %v", err)
		}
		for who, want := range map[string]struct{ kind, role string }{
			cast.Bank.USCC:   {ident.OrgBank, ident.MemberAgent},
			cast.Agency.USCC: {ident.OrgAgency, ident.MemberAgent},
			cast.Notary.USCC: {ident.OrgNotary, ident.MemberAgent},
			cast.Builder.USCC + "/" + cast.Builder.LegalRep.ID: {ident.OrgCompany, ident.MemberLegal},
		} {
			page, browser := s.begin(t, "")
			q := s.hint(t, page, who)
			if c, to, err := s.l.Finish(ctx, q.Get("state"), q.Get("ticket"), browser); err != nil || c.Kind != want.kind || c.Role != want.role || to != "/" {
				t.Errorf("%s: %+v %s %v, want %v", who, c, to, err, want)
			}
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := setUp(t, dbtest.Open(t, db.SQLite, []db.Line{fryzt.Migrations()}, clock.Wall{}))
	who, ctx := s.w.Cast().Developer.USCC, t.Context()
	for _, tt := range []struct {
		name   string
		change func(q url.Values, browser *string)
		want   error
	}{
		{"right", func(url.Values, *string) {}, nil},
		{"state made up", func(q url.Values, _ *string) { q.Set("state", "x") }, oidc.ErrState},
		{"another browser", func(_ url.Values, b *string) { *b = "x" }, oidc.ErrState},
		{"no ticket", func(q url.Values, _ *string) { q.Del("ticket") }, oidc.ErrDenied},
		{"ticket made up", func(q url.Values, _ *string) { q.Set("ticket", "x") }, fryzt.ErrTicket},
		{"ticket of another log-in", func(q url.Values, _ *string) {
			page, _ := s.begin(t, "")
			q.Set("ticket", s.hint(t, page, who).Get("ticket"))
		}, fryzt.ErrTicket},
		{"too late", func(url.Values, *string) { s.wall.Advance(10 * time.Minute) }, oidc.ErrState},
		{"just in time", func(url.Values, *string) { s.wall.Advance(9 * time.Minute) }, nil},
	} {
		page, browser := s.begin(t, "")
		q := s.hint(t, page, who)
		tt.change(q, &browser)
		if _, _, err := s.l.Finish(ctx, q.Get("state"), q.Get("ticket"), browser); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for i := range s.w.Orgs() {
		if o := s.w.Org(i); o.State != "存续" {
			page, browser := s.begin(t, "")
			q := s.hint(t, page, o.USCC)
			if _, _, err := s.l.Finish(ctx, q.Get("state"), q.Get("ticket"), browser); !errors.Is(err, fryzt.ErrCert) {
				t.Errorf("of a closed company: %v", err)
			}
			break
		}
	}
	page, browser := s.begin(t, "")
	q := s.hint(t, page, who)
	s.wall.Set(clock.Wall{}.Now().AddDate(20, 0, 0))
	if _, err := s.l.Verify(ctx, q.Get("ticket"), page.Query().Get("nonce")); !errors.Is(err, fryzt.ErrCert) {
		t.Errorf("after the certificate's last day: %v", err)
	}
	if _, _, err := s.l.Finish(ctx, q.Get("state"), q.Get("ticket"), browser); !errors.Is(err, oidc.ErrState) {
		t.Errorf("years later: %v", err)
	}
	if _, err := s.l.Begin(ctx, "https://evil.example"); !errors.Is(err, oidc.ErrTo) {
		t.Errorf("begun for another site: %v", err)
	}
	for _, bad := range []string{"client_id", "redirect_uri", "state", "nonce"} {
		q := page.Query()
		q.Set(bad, "")
		if bad == "redirect_uri" {
			q.Set(bad, "https://evil.example/")
		}
		q.Set("login_hint", who)
		if home, _ := send(t, s.sim, http.MethodGet, page.Path+"?"+q.Encode(), nil); home != nil {
			t.Errorf("%s wrong: sent to %s", bad, home)
		}
	}
	for _, cfg := range []fryzt.Config{{}, {URL: "http://x", RedirectURL: "/callback", ClientID: "c"}, {URL: "http://x", RedirectURL: back}} {
		if _, err := fryzt.New(nil, nil, cfg); err == nil {
			t.Errorf("%+v passes", cfg)
		}
	}
}
