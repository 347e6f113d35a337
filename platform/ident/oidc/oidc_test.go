package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/ident/oidc"
)

// provider is an honest provider that one field makes dishonest.
type provider struct {
	*httptest.Server
	key       *rsa.PrivateKey
	nonce     string // of the log-in page
	challenge string
	claims    map[string]any // put over the right ID token claims
	forger    *rsa.PrivateKey
	sub       string // of user info
	down      string // path that answers 503
	garbage   string // path that answers nonsense
	noToken   bool
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, sub: "u-1"}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		right := r.FormValue("code") == "good" && r.FormValue("client_id") == "haoban" && r.FormValue("client_secret") == "secret" &&
			r.FormValue("grant_type") == "authorization_code" && base64.RawURLEncoding.EncodeToString(sum[:]) == p.challenge
		if !right {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		v := map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 60}
		if !p.noToken {
			v["id_token"] = p.idToken(t)
		}
		answer(w, v)
	})
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer at" {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		answer(w, map[string]any{"sub": p.sub, "username": "李明", "authLevel": "L3"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	})
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case p.down:
			http.Error(w, "", http.StatusServiceUnavailable)
		case p.garbage:
			w.Header().Set("Content-Type", "text/html")
			if _, err := w.Write([]byte("<html>")); err != nil {
				t.Error(err)
			}
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) idToken(t *testing.T) string {
	key := p.key
	if p.forger != nil {
		key = p.forger
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	now := clock.Wall{}.Now()
	c := map[string]any{
		"iss": p.URL, "aud": "haoban", "sub": "u-1", "nonce": p.nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for k, v := range p.claims {
		c[k] = v
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Error(err)
		return ""
	}
	sig, err := s.Sign(b)
	if err != nil {
		t.Error(err)
		return ""
	}
	out, err := sig.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return out
}

func (p *provider) config(wall clock.Clock) oidc.Config {
	return oidc.Config{
		Name: "idp", Issuer: p.URL, AuthURL: p.URL + "/authorize", TokenURL: p.URL + "/token", UserInfoURL: p.URL + "/userinfo",
		JWKS: p.URL + "/keys", EndURL: p.URL + "/end", ClientID: "haoban", ClientSecret: "secret",
		RedirectURL: "https://haoban.example/api/v1/public/callback/idp", Wall: wall,
	}
}

// begin begins a log-in and plays the provider's page: it notes nonce and
// challenge and returns the callback of somebody who agreed.
func (p *provider) begin(t *testing.T, c *oidc.Client, to string) oidc.Callback {
	t.Helper()
	b, err := c.Begin(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" || q.Get("scope") != "openid profile" {
		t.Errorf("log-in page %s", b.URL)
	}
	p.nonce, p.challenge = q.Get("nonce"), q.Get("code_challenge")
	return oidc.Callback{Code: "good", State: q.Get("state"), Browser: b.Browser}
}

func setUp(t *testing.T, d *db.DB, change func(*oidc.Config)) (*provider, *oidc.Client, *clock.Movable) {
	t.Helper()
	keys, err := gm.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	wall := clock.NewMovable(clock.Wall{})
	p := newProvider(t)
	cfg := p.config(wall)
	if change != nil {
		change(&cfg)
	}
	c, err := oidc.New(d, keys, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p, c, wall
}

func TestLogin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, []db.Line{ident.Migrations()}, func(t *testing.T, d *db.DB) {
		p, c, wall := setUp(t, d, nil)
		finish := func(cb oidc.Callback) (oidc.User, string, error) { return c.Finish(t.Context(), cb) }
		cb := p.begin(t, c, "/cases/1?tab=2")
		u, to, err := finish(cb)
		if err != nil || u.Subject != "u-1" || to != "/cases/1?tab=2" || !strings.Contains(string(u.Info), "李明") || u.IDToken == "" {
			t.Errorf("%+v %s %v", u, to, err)
		}
		for _, tt := range []struct {
			name   string
			change func(*oidc.Callback)
			want   error
		}{
			{"state used again", func(x *oidc.Callback) { *x = cb }, oidc.ErrState},
			{"state made up", func(x *oidc.Callback) { x.State = "x" }, oidc.ErrState},
			{"no state", func(x *oidc.Callback) { x.State = "" }, oidc.ErrState},
			{"another browser", func(x *oidc.Callback) { x.Browser = cb.Browser }, oidc.ErrState},
			{"no cookie", func(x *oidc.Callback) { x.Browser = "" }, oidc.ErrState},
			{"provider refuses", func(x *oidc.Callback) { x.Code, x.Error = "", "access_denied" }, oidc.ErrDenied},
			{"code of another", func(x *oidc.Callback) { x.Code = "bad" }, oidc.ErrAnswer},
			{"too late", func(*oidc.Callback) { wall.Advance(10 * time.Minute) }, oidc.ErrState},
		} {
			x := p.begin(t, c, "")
			tt.change(&x)
			if _, _, err := finish(x); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
			if tt.name == "another browser" {
				if _, _, err := finish(x); !errors.Is(err, oidc.ErrState) {
					t.Errorf("a state tried from another browser is not spent: %v", err)
				}
			}
		}
		if e, ok := c.EndURL(u.IDToken, "https://haoban.example/"); !ok || !strings.HasPrefix(e, p.URL+"/end?") {
			t.Errorf("end %s", e)
		}
	})
}

func TestDishonestProvider(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, []db.Line{ident.Migrations()}, clock.Wall{})
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := clock.Wall{}.Now()
	for _, tt := range []struct {
		name   string
		change func(*provider)
		want   error
	}{
		{"nonce", func(p *provider) { p.claims = map[string]any{"nonce": "old"} }, oidc.ErrAnswer},
		{"no nonce", func(p *provider) { p.claims = map[string]any{"nonce": ""} }, oidc.ErrAnswer},
		{"issuer", func(p *provider) { p.claims = map[string]any{"iss": "https://evil.example"} }, oidc.ErrAnswer},
		{"audience", func(p *provider) { p.claims = map[string]any{"aud": "other"} }, oidc.ErrAnswer},
		{"expired", func(p *provider) { p.claims = map[string]any{"exp": now.Add(-time.Hour).Unix()} }, oidc.ErrAnswer},
		{"forged", func(p *provider) { p.forger = other }, oidc.ErrAnswer},
		{"another subject", func(p *provider) { p.sub = "u-2" }, oidc.ErrAnswer},
		{"no subject", func(p *provider) { p.sub = "" }, oidc.ErrAnswer},
		{"no ID token", func(p *provider) { p.noToken = true }, oidc.ErrAnswer},
		{"PKCE", func(p *provider) { p.challenge = "other" }, oidc.ErrAnswer},
		{"garbage token", func(p *provider) { p.garbage = "/token" }, oidc.ErrAnswer},
		{"garbage user info", func(p *provider) { p.garbage = "/userinfo" }, oidc.ErrAnswer},
		{"token down", func(p *provider) { p.down = "/token" }, oidc.ErrDown},
		{"user info down", func(p *provider) { p.down = "/userinfo" }, oidc.ErrDown},
		{"keys down", func(p *provider) { p.down = "/keys" }, oidc.ErrDown},
		{"all down", func(p *provider) { p.Close() }, oidc.ErrDown},
	} {
		p, c, _ := setUp(t, d, nil)
		cb := p.begin(t, c, "")
		tt.change(p)
		if u, _, err := c.Finish(t.Context(), cb); !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v %v, want %v", tt.name, u, err, tt.want)
		}
	}
}

// TestPlain: a provider of the code flow alone, without ID tokens.
func TestPlain(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, []db.Line{ident.Migrations()}, clock.Wall{})
	p, c, _ := setUp(t, d, func(c *oidc.Config) { c.JWKS, c.Issuer, c.EndURL = "", "", "" })
	p.forger = nil
	p.noToken = true
	u, to, err := c.Finish(t.Context(), p.begin(t, c, ""))
	if err != nil || u.Subject != "u-1" || to != "/" || u.IDToken != "" {
		t.Errorf("%+v %s %v", u, to, err)
	}
	if _, ok := c.EndURL("", "https://haoban.example/"); ok {
		t.Error("an end nobody configured")
	}
	// A log-in begun at one provider is not finished at another.
	keys, err := gm.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	cfg := p.config(nil)
	cfg.Name = "other"
	other, err := oidc.New(d, keys, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Finish(context.Background(), p.begin(t, c, "")); !errors.Is(err, oidc.ErrState) {
		t.Errorf("another provider: %v", err)
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"/", "/cases/1", "/cases?x=%2F%2Fevil.example", "/a#b", "/办件"} {
		if got, err := oidc.LocalPath(good); err != nil || got != good {
			t.Errorf("%q: %q %v", good, got, err)
		}
	}
	if got, err := oidc.LocalPath(""); err != nil || got != "/" {
		t.Errorf("empty: %q %v", got, err)
	}
	for _, bad := range []string{
		"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/%2Fevil.example", "/%5Cevil.example",
		"evil", "javascript:alert(1)", " /", "/a\r\nSet-Cookie: x", "/\t/evil.example", "/" + strings.Repeat("a", 2000), "/%zz",
	} {
		if _, err := oidc.LocalPath(bad); !errors.Is(err, oidc.ErrTo) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := oidc.Config{
		Name: "a", AuthURL: "https://a.example/x", TokenURL: "https://a.example/y", UserInfoURL: "https://a.example/z",
		ClientID: "c", RedirectURL: "https://b.example/",
	}
	for what, change := range map[string]func(*oidc.Config){
		"relative":          func(c *oidc.Config) { c.RedirectURL = "/callback" },
		"no client":         func(c *oidc.Config) { c.ClientID = "" },
		"nothing to ask":    func(c *oidc.Config) { c.UserInfoURL = "" },
		"keys of no issuer": func(c *oidc.Config) { c.JWKS = "https://a.example/keys" },
	} {
		c := good
		change(&c)
		if _, err := oidc.New(nil, nil, c); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	if _, err := oidc.New(nil, nil, good); err != nil {
		t.Error(err)
	}
}
