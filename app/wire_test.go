package app_test

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"haoban/app"
	"haoban/platform/audit"
	"haoban/platform/clock"
)

var update = flag.Bool("update", false, "write golden files anew") //nolint:gochecknoglobals // a flag of the test

// alone is a house without an outside.
func alone(t *testing.T) *app.App {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := app.LocalConfig(t.TempDir(), "127.0.0.1:0", "http://127.0.0.1:1", "http://127.0.0.1:1", func(string) string { return "0123456789abcdef0123456789abcdef" })
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(context.Background(), app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Wall: clock.Wall{}, Fonts: filepath.Join(root, "build", "fonts")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// TestRoutes: every route has an audience and an operation id, and the
// published interface is what the code says.
func TestRoutes(t *testing.T) {
	t.Parallel()
	a := alone(t)
	if err := a.Server.Audit(); err != nil {
		t.Error(err)
	}
	got, err := a.Server.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	const golden = "../docs/api/openapi.json"
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/api/openapi.json is not what the routes say: go test ./app -run TestRoutes -update, and read the difference")
	}
}

// TestTwoHouses: two apps in one process do not know of each other.
func TestTwoHouses(t *testing.T) {
	t.Parallel()
	a, b := alone(t), alone(t)
	if a.DB == b.DB || a.Server == b.Server {
		t.Error("two houses share a room")
	}
}

// TestEveryCommandIsAudited: each kind of command leaves an event that the
// catalogue names. A piece of a recording is the one exception: the recording as
// a whole is audited when it begins and ends.
func TestEveryCommandIsAudited(t *testing.T) {
	t.Parallel()
	silent := map[string]bool{"consent.chunk": true}
	known := map[string]bool{}
	for _, s := range audit.Catalogue() {
		known[s.Type] = true
	}
	for kind, typ := range alone(t).Service.Audits() {
		if typ == "" && !silent[kind] {
			t.Errorf("command %s leaves no trace", kind)
		}
		if typ != "" && !known[typ] {
			t.Errorf("command %s leaves %s, which the catalogue does not name", kind, typ)
		}
	}
}
