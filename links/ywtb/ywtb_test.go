package ywtb_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	kit "haoban/links/linkkit/wire"
	"haoban/links/ywtb"
	sim "haoban/outside/ywtb"

	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/ident/oidc"
)

const (
	key  = "a secret shared for a test, long enough"
	back = "http://haoban.example/api/v1/public/callback/ywtb"
)

type scene struct {
	sim *simkit.Sim
	srv *httptest.Server
	w   *world.World
	l   *ywtb.Login
	db  *db.DB
	our gm.Keys
}

func setUp(t *testing.T, d *db.DB, secret string) scene {
	t.Helper()
	k, err := kit.NewSecret([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	s := scene{w: world.New(1, 1000), db: d}
	s.sim = sim.New(simkit.Alone(s.w, k))
	t.Cleanup(s.sim.Close)
	mux := http.NewServeMux()
	mux.Handle("/ywtb/", s.sim)
	s.srv = httptest.NewServer(mux)
	t.Cleanup(s.srv.Close)
	if s.our, err = gm.NewMemory(); err != nil {
		t.Fatal(err)
	}
	s.l, err = ywtb.New(d, s.our, ywtb.Config{URL: s.srv.URL + "/ywtb", ClientID: "haoban", Secret: []byte(secret), RedirectURL: back})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// browse sends one request as a browser would and returns where it is sent, or
// the page.
func browse(t *testing.T, method, address string, form url.Values) (*url.URL, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusSeeOther {
		u, err := resp.Location()
		if err != nil {
			t.Fatal(err)
		}
		return u, ""
	}
	return nil, string(b)
}

// begin begins a log-in and returns the page's address and the cookie.
func (s scene) begin(t *testing.T, to string) (*url.URL, string) {
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

func landed(u *url.URL, browser string) oidc.Callback {
	q := u.Query()
	return oidc.Callback{Code: q.Get("code"), State: q.Get("state"), Error: q.Get("error"), Browser: browser}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, []db.Line{ident.Migrations()}, func(t *testing.T, d *db.DB) {
		s := setUp(t, d, key)
		cast := s.w.Cast()
		u, browser := s.begin(t, "/cases/1")
		_, page := browse(t, http.MethodGet, u.String()+"&q=王强", nil)
		for _, want := range []string{"模拟环境", "张明", cast.Presale.No, "找到", strconv.Itoa(cast.WangQiang.Index)} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		form := u.Query()
		form.Set("person", strconv.Itoa(cast.ZhangMing.Index))
		at := *u
		at.RawQuery = ""
		home, page := browse(t, http.MethodPost, at.String(), form)
		if home == nil || !strings.HasPrefix(home.String(), back+"?") {
			t.Fatalf("sent to %v: %s", home, page)
		}
		cb := landed(home, browser)
		c, to, err := s.l.Finish(t.Context(), cb)
		want := ident.Claims{Name: "张明", IDNo: cast.ZhangMing.ID, Mobile: cast.ZhangMing.Mobile, Level: 3, Source: "ywtb"}
		if err != nil || c != want || to != "/cases/1" {
			t.Errorf("%+v %s %v, want %+v", c, to, err, want)
		}
		if _, _, err := s.l.Finish(t.Context(), cb); !errors.Is(err, oidc.ErrState) {
			t.Errorf("the same again: %v", err)
		}

		u, browser = s.begin(t, "")
		home, _ = browse(t, http.MethodGet, u.String()+"&login_hint="+cast.ChenJing.ID, nil)
		if c, to, err := s.l.Finish(t.Context(), landed(home, browser)); err != nil || c.Name != "陈静" || to != "/" {
			t.Errorf("by hint: %+v %s %v", c, to, err)
		}

		u, browser = s.begin(t, "")
		form = u.Query()
		form.Set("person", "")
		home, _ = browse(t, http.MethodPost, at.String(), form)
		if _, _, err := s.l.Finish(t.Context(), landed(home, browser)); !errors.Is(err, oidc.ErrDenied) {
			t.Errorf("went back: %v", err)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, []db.Line{ident.Migrations()}, clock.Wall{})
	s := setUp(t, d, key)
	id := s.w.Cast().ZhangMing.ID
	for _, bad := range []string{"redirect_uri", "state", "client_id", "code_challenge", "code_challenge_method", "response_type"} {
		u, _ := s.begin(t, "")
		q := u.Query()
		q.Set(bad, "")
		if bad == "redirect_uri" {
			q.Set(bad, "https://evil.example/")
		}
		q.Set("login_hint", id)
		u.RawQuery = q.Encode()
		if home, _ := browse(t, http.MethodGet, u.String(), nil); home != nil {
			t.Errorf("%s wrong: sent to %s", bad, home)
		}
	}
	// A code of one log-in is of no use in another: PKCE.
	u, _ := s.begin(t, "")
	stolen, _ := browse(t, http.MethodGet, u.String()+"&login_hint="+id, nil)
	u, browser := s.begin(t, "")
	cb := landed(stolen, browser)
	cb.State = u.Query().Get("state")
	if _, _, err := s.l.Finish(t.Context(), cb); !errors.Is(err, oidc.ErrAnswer) {
		t.Errorf("a stolen code: %v", err)
	}
	// Another's secret is no secret.
	other := setUp(t, d, "another secret, also long enough for one")
	u, browser = other.begin(t, "")
	home, _ := browse(t, http.MethodGet, u.String()+"&login_hint="+id, nil)
	if _, _, err := other.l.Finish(t.Context(), landed(home, browser)); !errors.Is(err, oidc.ErrAnswer) {
		t.Errorf("a wrong client secret: %v", err)
	}
	// The platform is down between page and token.
	u, browser = s.begin(t, "")
	home, _ = browse(t, http.MethodGet, u.String()+"&login_hint="+id, nil)
	if err := s.sim.SetWeather(simkit.Weather{Mode: simkit.Down}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.l.Finish(t.Context(), landed(home, browser)); !errors.Is(err, oidc.ErrDown) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("down: %v", err)
	}
}

// TestModel: what the user model may say and what comes of it.
func TestModel(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, []db.Line{ident.Migrations()}, clock.Wall{})
	k, err := kit.NewSecret([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal("310199199001010018")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, info string
		want       error
	}{
		{"company", `"type":"LEGAL","realNameStatus":1,"authLevel":"L3","idCardNo":"` + sealed + `"`, ywtb.ErrKind},
		{"not checked", `"type":"PERSON","realNameStatus":0,"authLevel":"L3","idCardNo":"` + sealed + `"`, ywtb.ErrLevel},
		{"no level", `"type":"PERSON","realNameStatus":1,"authLevel":"","idCardNo":"` + sealed + `"`, ywtb.ErrLevel},
		{"in clear", `"type":"PERSON","realNameStatus":1,"authLevel":"L3","idCardNo":"310199199001010018"`, oidc.ErrAnswer},
		{"of another form", `"type":7`, oidc.ErrAnswer},
		{"right", `"type":"PERSON","realNameStatus":1,"authLevel":"L2","username":"某","idCardNo":"` + sealed + `"`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				answer := `{"sub":"x",` + tt.info + `}`
				if r.URL.Path == "/token" {
					answer = `{"access_token":"a","token_type":"Bearer"}`
				}
				if _, err := io.WriteString(w, answer); err != nil {
					t.Error(err)
				}
			}))
			defer srv.Close()
			keys, err := gm.NewMemory()
			if err != nil {
				t.Fatal(err)
			}
			l, err := ywtb.New(d, keys, ywtb.Config{URL: srv.URL, ClientID: "haoban", Secret: []byte(key), RedirectURL: back})
			if err != nil {
				t.Fatal(err)
			}
			s := scene{l: l}
			u, browser := s.begin(t, "")
			c, _, err := l.Finish(t.Context(), oidc.Callback{Code: "c", State: u.Query().Get("state"), Browser: browser})
			if !errors.Is(err, tt.want) || (tt.want == nil && c.Level != 2) {
				t.Errorf("%+v %v, want %v", c, err, tt.want)
			}
		})
	}
	if _, err := ywtb.New(d, nil, ywtb.Config{URL: "http://x", ClientID: "haoban", Secret: []byte("short"), RedirectURL: back}); err == nil {
		t.Error("a short secret passes")
	}
}
