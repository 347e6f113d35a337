package bench_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/platform/db"
	"haoban/platform/db/dbtest"
)

// figure is one line of the result.
type figure struct {
	Name      string   `json:"name"`
	Value     float64  `json:"value"`
	Unit      string   `json:"unit"`
	Peer      *string  `json:"peer"`
	PeerValue *float64 `json:"peer_value"`
	Ratio     *float64 `json:"ratio"`
}

// full tells whether to measure in earnest.
func full() bool { return os.Getenv("SIZE") == "full" }

// size is big in earnest and tiny otherwise. A number in the environment
// variable name goes before both.
func size(t *testing.T, name string, big, tiny int) int {
	t.Helper()
	if s := os.Getenv(name); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	if full() {
		return big
	}
	return tiny
}

var book sync.Mutex

// tell reports a figure.
func tell(t *testing.T, name string, value float64, unit string) {
	t.Helper()
	t.Logf("%-44s %12.2f %s", name, value, unit)
	path := os.Getenv("OUT")
	if path == "" {
		return
	}
	line, err := json.Marshal(figure{Name: name, Value: value, Unit: unit})
	if err != nil {
		t.Fatal(err)
	}
	book.Lock()
	defer book.Unlock()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "%s\n", line); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// wanted tells whether figures that begin with name are asked for.
func wanted(name string) bool {
	only := os.Getenv("ONLY")
	return strings.HasPrefix(name, only) || strings.HasPrefix(only, name)
}

// engines runs fn on SQLite and then on PostgreSQL, never both at once, unless
// ONLY asks for other figures than those that begin with name, or for the other
// engine.
func engines(t *testing.T, name string, fn func(t *testing.T, e db.Engine)) {
	t.Helper()
	if !wanted(name) {
		return
	}
	only := os.Getenv("ONLY")
	for _, e := range dbtest.Engines() {
		other := slices.ContainsFunc(dbtest.Engines(), func(o db.Engine) bool { return o != e && strings.Contains(only, "."+string(o)) })
		if !other {
			t.Run(string(e), func(t *testing.T) { fn(t, e) })
		}
	}
}

// quantile is the time below which the share q of all lie.
func quantile(all []time.Duration, q float64) time.Duration {
	all = slices.Clone(all)
	slices.Sort(all)
	return all[min(len(all)-1, int(float64(len(all))*q))]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
