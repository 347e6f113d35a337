package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"haoban/app"
	"haoban/casework"
	"haoban/outside"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/ident"
)

// TestSeed: the first cases stand in every phase and at every step, the clock
// is where it was, and nothing is made twice.
func TestSeed(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			w := world.New(1, 1000)
			business := clock.NewMovable(clock.Wall{})
			business.Set(time.Date(2026, 3, 25, 10, 0, 0, 0, clock.Shanghai()))
			a := house(ctx, t, e, w, business)
			done := make(chan error, 1)
			go func() { done <- a.Run(ctx) }()
			t.Cleanup(func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			})
			if _, err := a.Seed(ctx, func(account string) (string, string) {
				return demoPassword([]byte("k"), account), app.DemoOTP([]byte("k"), account)
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := a.FillRegister(ctx, w.Units()); err != nil {
				t.Fatal(err)
			}
			before := business.Offset()
			n, err := a.SeedCases(ctx, seedWorld(w), 120)
			if err != nil || n < 100 {
				t.Fatalf("made %d: %v", n, err)
			}
			if business.Offset() != before {
				t.Errorf("the clock moved by %v", business.Offset()-before)
			}
			if again, err := a.SeedCases(ctx, seedWorld(w), 120); again != 0 || err != nil {
				t.Errorf("made %d again: %v", again, err)
			}
			everywhere(ctx, t, a)
		})
	}
}

func house(ctx context.Context, t *testing.T, e db.Engine, w *world.World, business clock.Clock) *app.App {
	t.Helper()
	master := []byte("the master key of this test only")
	var face http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { face.ServeHTTP(rw, r) }))
	t.Cleanup(front.Close)
	sims := outside.New(w, simkit.Options{Clock: clock.Wall{}, Business: business, Secret: simkit.DemoSecrets(master), Haoban: front.URL, Log: slog.New(slog.DiscardHandler)})
	out := httptest.NewServer(sims)
	t.Cleanup(out.Close)
	t.Cleanup(sims.Close)
	cfg, err := app.LocalConfig(t.TempDir(), "127.0.0.1:0", front.URL, out.URL, func(p string) string { return simkit.DemoKey(master, p) })
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB.Engine = string(e)
	if e == db.Postgres {
		cfg.DB.DSN = dbtest.DSN(t, e, app.Lines())
	}
	fonts, err := filepath.Abs(filepath.Join("..", "..", "build", "fonts"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(ctx, app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Wall: clock.Wall{}, Clock: business, Fonts: fonts, Poll: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	face = a.Handler()
	return a
}

// everywhere looks with the eyes of two officials for every phase they may see,
// and for open tasks at every node.
func everywhere(ctx context.Context, t *testing.T, a *app.App) {
	t.Helper()
	phases, nodes, late := map[casework.Phase]int{}, map[string]int{}, 0
	for _, o := range app.Officials() {
		u, err := a.People.UserByAccount(ctx, a.DB.Q(), o.Account)
		if err != nil {
			t.Fatal(err)
		}
		who, err := a.People.OfficialActor(ctx, a.DB.Q(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, over := range []bool{false, true} {
			cs, _, err := a.Service.List(ctx, who, casework.Query{Over: over, Limit: 500})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cs {
				phases[c.Phase]++
			}
		}
		ts, _, err := a.Service.Inbox(ctx, who, casework.TaskQuery{View: "all", Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range ts {
			nodes[k.Node]++
			if k.Due < db.MS(a.DB.Clock().Now()) {
				late++
			}
		}
	}
	for _, p := range []casework.Phase{casework.Submitted, casework.Handling, casework.Supplement, casework.Paying, casework.Closed, casework.Stopped} {
		if phases[p] == 0 {
			t.Errorf("no case is %s", p.Text())
		}
	}
	for _, n := range []string{"receive", "examine", "book", "prereview", "review", "level1", "level2", "level3", "print", "dispatch"} {
		if nodes[n] == 0 {
			t.Errorf("nothing waits at %s: %v", n, nodes)
		}
	}
	if late == 0 {
		t.Error("nothing is late")
	}
	p, err := a.People.Users(ctx, a.DB.Q(), ident.UserFilter{})
	if err != nil || len(p) < len(app.Officials()) {
		t.Errorf("%d accounts: %v", len(p), err)
	}
}
