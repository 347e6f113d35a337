// Package linktest gives every connector the same bad day: the partner is
// down, slow, refusing, broken, garbled, forged, in GBK, endless, cut off; its
// callbacks come twice, too early, forged, out of date. Whatever happens, the
// error is of the right kind, nothing secret is logged, every exchange leaves
// evidence, and what is asked twice has its effect once.
//
// A connector's test states a Case and calls Exercise.
package linktest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/links/linkkit"
	"haoban/links/linkkit/wire"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

// Case says what a connector can do. C is the connector's type.
type Case[C any] struct {
	System string
	// Sim returns the partner's simulator, keyed with secret.
	Sim func(t *testing.T, secret wire.Secret) http.Handler
	// New returns the connector over c.
	New func(c *linkkit.Client) C
	// Probes are the connector's calls, each good against a fair simulator.
	Probes []Probe[C]
	// Private are strings of the probes that must not be logged: names,
	// numbers, phones.
	Private []string
	// Inbound says how callbacks are taken; nil if there are none.
	Inbound *Inbound
}

// Probe is one call of a connector.
type Probe[C any] struct {
	Name string
	Call func(ctx context.Context, c C) error
	// Effects counts what the call has had as effect in sim, "" and nil for a
	// question without one. It is asked before and after.
	Effects func(sim http.Handler) int
}

// Inbound is a partner's callback.
type Inbound struct {
	// Receiver builds the connector's receiver over cfg. Where the connector
	// would act on an event it calls hit with it and returns what hit returns.
	Receiver func(cfg linkkit.ReceiverConfig, hit linkkit.Handler) (*linkkit.Receiver, error)
	// Events are samples of each kind; payloads as JSON.
	Events []wire.Event
}

// secretText is long and odd enough to be found in a log.
const secretText = "linktest-secret-Zq7-never-in-a-log"

// Exercise runs the bad day.
func Exercise[C any](t *testing.T, c Case[C]) {
	t.Helper()
	if len(c.Probes) == 0 {
		t.Fatal("a connector without probes")
	}
	keys := newKeys(t)
	for _, p := range c.Probes {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			for _, d := range days() {
				t.Run(d.name, func(t *testing.T) {
					t.Parallel()
					bad(t, keys, c, p, d)
				})
			}
			if p.Effects != nil {
				t.Run("lost answer, asked again", func(t *testing.T) { t.Parallel(); lost(t, keys, c, p) })
			}
		})
	}
	if c.Inbound != nil {
		t.Run("callbacks", func(t *testing.T) {
			t.Parallel()
			callbacks(t, keys, c.System, c.Inbound, c.Private)
		})
	}
}

// house is this side: a database, keys, a log one can read.
type house struct {
	db     *db.DB
	keys   gm.Keys
	book   *linkkit.Book
	log    *slog.Logger
	text   *safeBuffer
	secret wire.Secret
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newKeys makes a key store: once for all houses of a test, since opening one
// is slow by design.
func newKeys(t *testing.T) gm.Keys {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := gm.InitSoft(path, []byte("a secret for a test")); err != nil {
		t.Fatal(err)
	}
	keys, err := gm.OpenSoft(path, []byte("a secret for a test"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func newHouse(t *testing.T, keys gm.Keys) *house {
	t.Helper()
	secret, err := wire.NewSecret([]byte(secretText))
	if err != nil {
		t.Fatal(err)
	}
	d := dbtest.Open(t, db.SQLite, []db.Line{linkkit.Migrations()}, clock.Wall{})
	text := &safeBuffer{}
	return &house{db: d, keys: keys, book: linkkit.NewBook(d, keys), text: text, secret: secret,
		log: slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

func (h *house) client(t *testing.T, system, url string, c clock.Clock, limit time.Duration) *linkkit.Client {
	t.Helper()
	if limit == 0 {
		limit = 20 * time.Second
	}
	kit, err := linkkit.New(linkkit.Config{
		System: system, Name: "对方系统", BaseURL: url, AppID: "haoban", Signer: h.secret, Peer: h.secret, Cipher: h.secret,
		Timeout: limit, MaxAnswer: 1 << 20, After: -1, Clock: c, Recorder: h.book, Log: h.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return kit
}

// Fair serves sim on a good day and returns a client for it, for the tests of
// a connector's own rules. The caller closes what start returned.
func Fair[S http.Handler](t *testing.T, system string, start func(secret wire.Secret) S) (*linkkit.Client, S) {
	t.Helper()
	h := newHouse(t, nil)
	sim := start(h.secret)
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	return h.client(t, system, srv.URL, clock.Wall{}, 0), sim
}

// quiet fails if the log holds what it must not.
func (h *house) quiet(t *testing.T, private []string) {
	t.Helper()
	text := h.text.String()
	for _, p := range append([]string{secretText}, private...) {
		if p != "" && strings.Contains(text, p) {
			t.Errorf("%q stands in the log", p)
		}
	}
}

// evidence fails unless one exchange stands in the book, with the failure and
// signature given; it returns it.
func (h *house) evidence(t *testing.T, rows int, dir linkkit.Direction, failure string, sig linkkit.Seen) {
	t.Helper()
	var n int
	var gotDir, gotFailure, gotSig, req string
	err := h.db.Q().QueryRow(t.Context(), `SELECT count(*) FROM lnk_exchange`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	if n != rows {
		t.Errorf("%d exchanges in the book, want %d", n, rows)
	}
	err = h.db.Q().QueryRow(t.Context(), `SELECT direction, failure, signature, request_sm3 FROM lnk_exchange ORDER BY id DESC LIMIT 1`).
		Scan(&gotDir, &gotFailure, &gotSig, &req)
	if err != nil {
		t.Fatal(err)
	}
	if gotDir != string(dir) || gotFailure != failure || gotSig != string(sig) || len(req) != 64 {
		t.Errorf("evidence: %s failure %q signature %s digest %q, want %s %q %s", gotDir, gotFailure, gotSig, req, dir, failure, sig)
	}
}

func bad[C any](t *testing.T, keys gm.Keys, c Case[C], p Probe[C], d day) {
	h := newHouse(t, keys)
	sim := c.Sim(t, h.secret)
	srv := httptest.NewServer(d.over(sim, h.secret))
	defer srv.Close()
	url := srv.URL
	if d.down {
		srv.Close()
	}
	ours := clock.NewMovable(clock.Wall{})
	ours.Advance(d.skew)
	before := 0
	if p.Effects != nil {
		before = p.Effects(sim)
	}
	err := p.Call(t.Context(), c.New(h.client(t, c.System, url, ours, d.limit)))
	if d.code == "" {
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		h.evidence(t, 1, linkkit.Out, "", linkkit.SignatureOK)
		if p.Effects != nil && p.Effects(sim) != before+1 {
			t.Errorf("effects: %d, want %d", p.Effects(sim), before+1)
		}
		h.quiet(t, c.Private)
		return
	}
	if errs.CodeOf(err) != d.code || errs.KindOf(err) != d.kind {
		t.Errorf("%s: kind %d code %s (%v), want kind %d code %s", d.name, errs.KindOf(err), errs.CodeOf(err), err, d.kind, d.code)
	}
	if r, ok := linkkit.Refused(err); ok != (d.code == linkkit.CodeRefused) || (ok && (r.Code != "3001" || r.Sentence != refusal)) {
		t.Errorf("%s: refusal %+v", d.name, r)
	}
	if linkkit.NotReady(err) != (d.code == linkkit.CodeNotReady) {
		t.Errorf("%s: taken for still at work: %v", d.name, err)
	}
	h.evidence(t, 1, linkkit.Out, d.code, d.sig)
	h.quiet(t, c.Private)
	if h.text.String() == "" {
		t.Error("a failure that nobody logged")
	}
}

// lost: the partner acts, its answer is lost, we ask again.
func lost[C any](t *testing.T, keys gm.Keys, c Case[C], p Probe[C]) {
	h := newHouse(t, keys)
	sim := c.Sim(t, h.secret)
	var once sync.Once
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lose := false
		once.Do(func() { lose = true })
		if !lose {
			sim.ServeHTTP(w, r)
			return
		}
		sim.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}))
	defer srv.Close()
	before := p.Effects(sim)
	conn := c.New(h.client(t, c.System, srv.URL, clock.Wall{}, 0))
	if err := p.Call(t.Context(), conn); errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("lost answer: %v", err)
	}
	for range 2 {
		if err := p.Call(t.Context(), conn); err != nil {
			t.Fatalf("asked again: %v", err)
		}
	}
	if got := p.Effects(sim); got != before+1 {
		t.Errorf("asked three times: %d effects, want 1", got-before)
	}
	h.evidence(t, 3, linkkit.Out, "", linkkit.SignatureOK)
	h.quiet(t, c.Private)
}
