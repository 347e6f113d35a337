package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"haoban/app"
	"haoban/outside"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/ident"
)

// house is the app with its outside. Every commit waits for the disk.
type house struct {
	t     *testing.T
	app   *app.App
	out   *outside.Outside
	store store
	url   string
	cast  world.Cast
	keys  atomic.Int64
}

// store says where the rows of a house are.
type store struct {
	engine db.Engine
	dsn    string
}

// newStore makes a database of the house's shape whose commits wait for the disk.
func newStore(t *testing.T, e db.Engine) store {
	t.Helper()
	s := store{engine: e}
	if e == db.Postgres {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		dsn, stop, err := dbtest.StartPostgres(ctx, "", "shared_buffers=512MB", "max_wal_size=4GB", "maintenance_work_mem=256MB")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		s.dsn = dsn
	} else {
		s.dsn = filepath.Join(t.TempDir(), "haoban.db")
	}
	d, err := db.Open(t.Context(), db.Config{Engine: e, DSN: s.dsn})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context(), app.Lines()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// open puts a house over s and serves it. With work it also does its jobs.
func open(t *testing.T, s store, work bool) *house {
	t.Helper()
	h := &house{t: t, store: s}
	w := world.New(1, 1000)
	h.cast = w.Cast()
	quiet := slog.New(slog.DiscardHandler)
	master := []byte("the master key of this bench only")
	var face http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { face.ServeHTTP(w, r) }))
	h.url = front.URL
	h.out = outside.New(w, simkit.Options{Clock: clock.Wall{}, Secret: simkit.DemoSecrets(master), Haoban: h.url, Log: quiet})
	out := httptest.NewServer(h.out)
	cfg, err := app.LocalConfig(t.TempDir(), strings.TrimPrefix(h.url, "http://"), h.url, out.URL, func(p string) string { return simkit.DemoKey(master, p) })
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB.Engine, cfg.DB.DSN, cfg.DB.Full = string(s.engine), s.dsn, true
	cfg.Limits.PerMinute = 10_000_000
	ctx, cancel := context.WithCancel(context.Background())
	h.app, err = app.New(ctx, app.Options{Config: cfg, Log: quiet, Wall: clock.Wall{}, Fonts: filepath.Join("..", "build", "fonts")})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	face = h.app.Handler()
	done := make(chan error, 1)
	if work {
		go func() { done <- h.app.Run(ctx) }()
	} else {
		done <- nil
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		front.Close()
		h.out.Close()
		out.Close()
		if err := h.app.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// caller is one browser.
type caller struct {
	h            *house
	http         *http.Client
	cookie, csrf string
}

// builder logs the agent of the building company in once more.
func (h *house) builder() *caller {
	h.t.Helper()
	o, p := h.cast.Builder, h.cast.BuilderAgent
	c := ident.Claims{Name: p.Name, IDNo: p.ID, Mobile: p.Mobile, Source: "fryzt", Level: 3}
	var st ident.Started
	ctx := context.Background()
	err := h.app.DB.Tx(ctx, func(tx *db.Tx) error {
		l := ident.PublicLogin{Method: c.Source}
		var err error
		l.OrgID, l.PersonID, err = h.app.People.LoginOrg(ctx, tx, ident.OrgClaims{Name: o.Name, USCC: o.USCC, Kind: "company", Person: c, Role: ident.MemberAgent, Source: "fryzt"})
		if err != nil {
			return err
		}
		st, err = h.app.People.Sessions().Open(ctx, tx, l)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	k := &caller{h: h, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}, cookie: st.Token}
	m, err := k.json("GET", "/session", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	k.csrf = text(m, "csrf")
	return k
}

// ask sends one request of the portal and returns the answer of a success.
func (c *caller) ask(method, path string, body []byte, head ...string) ([]byte, error) {
	req, err := http.NewRequest(method, c.h.url+"/api/v1/public"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.AddCookie(&http.Cookie{Name: "hb_public", Value: c.cookie})
	req.Header.Set("X-CSRF", c.csrf)
	if method != http.MethodGet {
		req.Header.Set("Idempotency-Key", fmt.Sprintf("bench-%012d", c.h.keys.Add(1)))
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, b)
	}
	return b, nil
}

// json sends and takes JSON.
func (c *caller) json(method, path string, in any) (map[string]any, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	b, err := c.ask(method, path, body, "Content-Type", "application/json")
	if err != nil {
		return nil, err
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return m, nil
}

func text(m map[string]any, key string) string { s, _ := m[key].(string); return s }
