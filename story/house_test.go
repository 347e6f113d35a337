package story_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/app"
	"haoban/outside"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/story"
)

// house is the whole house with its outside, on one engine.
type house struct {
	t      *testing.T
	app    *app.App
	out    *outside.Outside
	outURL string
	url    string
	world  *world.World
	cast   world.Cast
	clock  *clock.Movable
	log    *bytes.Buffer
	mu     sync.Mutex
	arrows map[string]bool
	people map[string]app.Official
	desks  map[string]*caller
	n      int
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// engines runs fn on SQLite and PostgreSQL, each with a house of its own.
func engines(t *testing.T, ids string, fn func(a *story.Act, h *house)) {
	t.Helper()
	l, err := story.OpenLedger()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range dbtest.Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			l.Run(t, ids, string(e), func(a *story.Act) { fn(a, newHouse(t, e)) })
		})
	}
}

func newHouse(t *testing.T, e db.Engine, set ...func(*app.Options)) *house {
	t.Helper()
	root, err := story.Root()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, log: &bytes.Buffer{}, arrows: map[string]bool{}, people: map[string]app.Official{}, desks: map[string]*caller{}, world: world.New(1, 1000)}
	h.cast = h.world.Cast()
	log := slog.New(slog.NewTextHandler(lockedWriter{&h.mu, h.log}, nil))
	h.clock = clock.NewMovable(clock.Wall{})
	h.clock.Set(time.Date(2026, 3, 2, 9, 0, 0, 0, clock.Shanghai())) // a Monday
	master := []byte("the master key of this test only")
	var face http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { face.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	h.url = front.URL
	h.out = outside.New(h.world, simkit.Options{
		Clock: clock.Wall{}, Business: h.clock, Secret: simkit.DemoSecrets(master), Haoban: h.url, Log: slog.New(slog.DiscardHandler), Retry: 20 * time.Millisecond,
	})
	out := httptest.NewServer(h.out)
	t.Cleanup(out.Close)
	t.Cleanup(h.out.Close)
	h.outURL = out.URL
	dir := t.TempDir()
	cfg, err := app.LocalConfig(dir, strings.TrimPrefix(h.url, "http://"), h.url, h.outURL, func(p string) string { return simkit.DemoKey(master, p) })
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB.Engine = string(e)
	if e == db.Postgres {
		cfg.DB.DSN = dbtest.DSN(t, e, app.Lines())
	}
	ctx, cancel := context.WithCancel(context.Background())
	o := app.Options{
		Config: cfg, Log: log, Wall: clock.Wall{}, Clock: h.clock, Fonts: filepath.Join(root, "build", "fonts"), Poll: 50 * time.Millisecond,
		Trace: func(slug, flow string) { h.mu.Lock(); h.arrows[slug+" "+flow] = true; h.mu.Unlock() },
	}
	for _, f := range set {
		f(&o)
	}
	h.app, err = app.New(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	face = h.app.Handler()
	done := make(chan error, 1)
	go func() { done <- h.app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := h.app.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() && os.Getenv("HOUSE_LOG") != "" {
			h.mu.Lock()
			t.Log(h.log.String())
			h.mu.Unlock()
		}
	})
	officials, err := h.app.Seed(ctx, func(account string) (string, string) {
		return "Story-" + gm.SM3([]byte(account))[:10] + "-9", app.DemoOTP(master, account)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range officials {
		h.people[o.Account] = o
	}
	if _, err := h.app.FillRegister(ctx, 480); err != nil {
		t.Fatal(err)
	}
	return h
}

// caller is one browser of one person.
type caller struct {
	h      *house
	name   string
	aud    string
	cookie string
	csrf   string
}

// answer is what came back.
type answer struct {
	status int
	body   []byte
	m      map[string]any
}

func (a answer) str(path string) string { return fmt.Sprint(get(a.m, path)) }

func get(v any, path string) any {
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i := 0
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (c *caller) raw(method, path string, body []byte, head map[string]string) answer {
	c.h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, c.h.url+"/api/v1/"+c.aud+path, bytes.NewReader(body))
	if err != nil {
		c.h.t.Fatal(err)
	}
	if c.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "hb_" + c.aud, Value: c.cookie})
	}
	if c.csrf != "" {
		req.Header.Set("X-CSRF", c.csrf)
	}
	if method != http.MethodGet {
		c.h.mu.Lock()
		c.h.n++
		req.Header.Set("Idempotency-Key", fmt.Sprintf("story-%s-%06d", strings.ToLower(c.aud), c.h.n))
		c.h.mu.Unlock()
	}
	for k, v := range head {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.h.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, body: b}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		_ = json.Unmarshal(b, &a.m) // a list stays in body
	}
	for _, k := range resp.Cookies() {
		if k.Name == "hb_"+c.aud {
			c.cookie = k.Value
		}
	}
	return a
}

func (c *caller) call(method, path string, body any) answer {
	c.h.t.Helper()
	b := []byte{}
	head := map[string]string{}
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			c.h.t.Fatal(err)
		}
		head["Content-Type"] = "application/json"
	}
	return c.raw(method, path, b, head)
}

// ok asks and fails the test on anything but success.
func (c *caller) ok(method, path string, body any) answer {
	c.h.t.Helper()
	a := c.call(method, path, body)
	if a.status/100 != 2 {
		c.h.t.Fatalf("%s: %s %s: %d %s", c.name, method, path, a.status, a.body)
	}
	return a
}

// no asks and fails the test unless it is refused with code.
func (c *caller) no(act *story.Act, code, method, path string, body any) answer {
	c.h.t.Helper()
	a := c.call(method, path, body)
	if a.status/100 == 2 || a.str("code") != code {
		c.h.t.Fatalf("%s: %s %s: want refusal %s, got %d %s", c.name, method, path, code, a.status, a.body)
	}
	act.Refused()
	return a
}

// citizen logs a person in.
func (h *house) citizen(p world.Person) *caller {
	h.t.Helper()
	return h.login(p.Name, ident.Claims{Name: p.Name, IDNo: p.ID, Mobile: p.Mobile, Source: "ywtb", Level: 3}, nil)
}

// agent logs a person in for an organisation.
func (h *house) agent(p world.Person, o world.Org, kind string) *caller {
	h.t.Helper()
	c := ident.Claims{Name: p.Name, IDNo: p.ID, Mobile: p.Mobile, Source: "fryzt", Level: 3}
	return h.login(o.Name, c, &ident.OrgClaims{Name: o.Name, USCC: o.USCC, Kind: kind, Person: c, Role: ident.MemberAgent, Source: "fryzt"})
}

func (h *house) login(name string, c ident.Claims, o *ident.OrgClaims) *caller {
	h.t.Helper()
	ctx := context.Background()
	var st ident.Started
	err := h.app.DB.Tx(ctx, func(tx *db.Tx) error {
		l := ident.PublicLogin{Method: c.Source}
		var err error
		if o != nil {
			l.OrgID, l.PersonID, err = h.app.People.LoginOrg(ctx, tx, *o)
		} else {
			l.PersonID, err = h.app.People.UpsertPerson(ctx, tx, c)
		}
		if err != nil {
			return err
		}
		st, err = h.app.People.Sessions().Open(ctx, tx, l)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	k := &caller{h: h, name: name, aud: "public", cookie: st.Token}
	k.csrf = k.ok("GET", "/session", nil).str("csrf")
	return k
}

// official logs an official in with password and one-time code.
func (h *house) official(account string) *caller {
	h.t.Helper()
	if k := h.desks[account]; k != nil {
		return k
	}
	o, ok := h.people[account]
	if !ok {
		h.t.Fatalf("no official %s", account)
	}
	k := &caller{h: h, name: o.Name, aud: "staff"}
	k.ok("POST", "/login", map[string]string{"account": account, "password": o.Password})
	code, err := ident.TOTPCode(o.OTP, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	if a := k.ok("POST", "/login/otp", map[string]string{"code": code}); a.str("step") != "done" {
		h.t.Fatalf("%s: %s", account, a.body)
	}
	k.csrf = k.ok("GET", "/session", nil).str("csrf")
	h.desks[account] = k
	return k
}

// until asks again until want holds, for what happens by jobs.
func (h *house) until(what string, want func() bool) {
	h.t.Helper()
	for range 400 {
		if want() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	h.mu.Lock()
	tail := h.log.String()
	h.mu.Unlock()
	if len(tail) > 4000 {
		tail = tail[len(tail)-4000:]
	}
	h.t.Fatalf("never happened: %s\n%s", what, tail)
}

// task finds the open task of a node in a case and completes it.
func (c *caller) task(caseID, node string, in map[string]any) answer {
	c.h.t.Helper()
	v := c.ok("GET", "/cases/"+caseID, nil)
	tasks, _ := v.m["tasks"].([]any)
	for _, t := range tasks {
		if get(t, "node") == node && get(t, "mine") == true {
			return c.ok("POST", "/tasks/"+fmt.Sprint(get(t, "id"))+"/complete", in)
		}
	}
	c.h.t.Fatalf("%s: no task %s: %v", c.name, node, tasks)
	return answer{}
}

func (c *caller) phase(caseID string) string { return c.ok("GET", "/cases/"+caseID, nil).str("phase") }
