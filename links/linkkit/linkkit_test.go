package linkkit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
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

func secret(t *testing.T) wire.Secret {
	t.Helper()
	s, err := wire.NewSecret([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keys(t *testing.T) gm.Keys {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := gm.InitSoft(path, []byte("a secret for a test")); err != nil {
		t.Fatal(err)
	}
	k, err := gm.OpenSoft(path, []byte("a secret for a test"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var silent = slog.New(slog.DiscardHandler)

func lines() []db.Line { return []db.Line{linkkit.Migrations()} }

func ok(t *testing.T, s wire.Secret, data string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		b := []byte(`{"code":"0","message":"ok","data":` + data + `}`)
		w.Header().Set("Content-Type", "application/json")
		if err := wire.SignAnswer(w.Header(), s, r, 200, clock.Wall{}.Now(), b); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b)
	}
}

func client(t *testing.T, url string, rec linkkit.Recorder, change func(*linkkit.Config)) *linkkit.Client {
	t.Helper()
	s := secret(t)
	cfg := linkkit.Config{System: "x", Name: "对方", BaseURL: url, AppID: "haoban", Signer: s, Peer: s, Clock: clock.Wall{},
		Recorder: rec, Log: silent}
	if change != nil {
		change(&cfg)
	}
	c, err := linkkit.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBook(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, lines(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		book := linkkit.NewBook(d, keys(t))
		srv := httptest.NewServer(ok(t, secret(t), `{"n":1}`))
		defer srv.Close()
		c := client(t, srv.URL, book, nil)
		var out struct{ N int }
		rec, err := c.Do(linkkit.WithTrace(ctx, "trace-1"), linkkit.Call{API: "a.b", Path: "/api/v1/a", Biz: "B-1", In: map[string]string{"name": "测试甲"}}, &out)
		if err != nil || out.N != 1 || rec.Trace != "trace-1" {
			t.Fatal(rec, out, err)
		}
		xs, err := book.Find(ctx, "x", "B-1", 10)
		if err != nil || len(xs) != 1 {
			t.Fatal(xs, err)
		}
		x := xs[0]
		if x.ID != rec.ID || x.API != "a.b" || x.Trace != "trace-1" || x.Status != 200 || x.Code != "0" || x.Failure != "" ||
			x.Signature != linkkit.SignatureOK || x.Direction != linkkit.Out || x.Peer == "" {
			t.Errorf("evidence %+v", x)
		}
		req, resp, err := book.Body(ctx, x.ID)
		if err != nil || string(req) != `{"name":"测试甲"}` || string(resp) != `{"code":"0","message":"ok","data":{"n":1}}` {
			t.Errorf("bodies %s %s %v", req, resp, err)
		}
		var digest string
		var sealed []byte
		if err := d.Q().QueryRow(ctx, `SELECT request_sm3, request_sealed FROM lnk_exchange`).Scan(&digest, &sealed); err != nil {
			t.Fatal(err)
		}
		if digest != gm.SM3(req) || len(sealed) == 0 || json.Valid(sealed) {
			t.Errorf("digest %s, sealed %q", digest, sealed)
		}
		now := clock.Wall{}.Now()
		if n, err := book.Purge(ctx, now, time.Hour); n != 0 || err != nil {
			t.Errorf("purge too early: %d %v", n, err)
		}
		if n, err := book.Purge(ctx, now.Add(2*time.Hour), time.Hour); n != 1 || err != nil {
			t.Errorf("purge: %d %v", n, err)
		}
		if req, _, err := book.Body(ctx, x.ID); err != nil || req != nil {
			t.Errorf("after purge: %s %v", req, err)
		}
		if _, _, err := book.Body(ctx, "nobody"); errs.KindOf(err) != errs.NotFound {
			t.Errorf("no such exchange: %v", err)
		}
	})
}

// Two nodes get the same callback in the same instant: one effect.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, lines(), func(t *testing.T, d *db.DB) {
		var hits atomic.Int64
		two := receiver(t, d, func(_ context.Context, tx *db.Tx, _ wire.Event) error {
			tx.AfterCommit(func() { hits.Add(1) })
			return nil
		})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if code := call(t, two, wire.Event{Type: "pay.paid", BizNo: "B", Version: 1, Payload: json.RawMessage(`{"a":1}`)}, string(rune('a'+i))); code != 200 {
					t.Errorf("answered %d", code)
				}
			})
		}
		wg.Wait()
		if hits.Load() != 1 {
			t.Errorf("%d effects of one event", hits.Load())
		}
	})
}

// An early event, delivered and swept in the same instant: one effect.
func TestDeliverAndSweep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, lines(), func(t *testing.T, d *db.DB) {
		var known atomic.Bool
		var hits atomic.Int64
		r := receiver(t, d, func(_ context.Context, tx *db.Tx, _ wire.Event) error {
			if !known.Load() {
				return linkkit.ErrEarly
			}
			tx.AfterCommit(func() { hits.Add(1) })
			return nil
		})
		if code := call(t, r, wire.Event{Type: "pay.paid", BizNo: "B", Version: 1, Payload: json.RawMessage(`{"name":"测试甲"}`)}, "n"); code != 200 {
			t.Fatalf("answered %d", code)
		}
		var sealed []byte
		if err := d.Q().QueryRow(t.Context(), `SELECT sealed FROM lnk_inbox`).Scan(&sealed); err != nil || len(sealed) == 0 || json.Valid(sealed) {
			t.Errorf("waiting event lies open: %q %v", sealed, err)
		}
		known.Store(true)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := d.Tx(t.Context(), func(tx *db.Tx) error { return r.Deliver(t.Context(), tx, "B") }); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := r.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if hits.Load() != 1 {
			t.Errorf("%d effects of one event", hits.Load())
		}
	})
}

func receiver(t *testing.T, d *db.DB, h linkkit.Handler) *linkkit.Receiver {
	t.Helper()
	r, err := linkkit.NewReceiver(linkkit.ReceiverConfig{System: "x", Name: "对方", AppID: "x", Peer: secret(t), DB: d, Keys: keys(t),
		Clock: clock.Wall{}, Recorder: linkkit.NewBook(d, nil), Log: silent, Handle: map[string]linkkit.Handler{"pay.paid": h}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func call(t *testing.T, r *linkkit.Receiver, e wire.Event, nonce string) int {
	t.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	r.ServeHTTP(rec, signed(t, body, nonce))
	return rec.Code
}

func signed(t *testing.T, body []byte, nonce string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/cb", bytes.NewReader(body))
	if err := wire.Sign(r, secret(t), "x", nonce, clock.Wall{}.Now(), body); err != nil {
		t.Fatal(err)
	}
	return r
}

// nothing records nothing.
type nothing struct{ err error }

func (n nothing) Record(context.Context, linkkit.Exchange) error { return n.err }

// Without evidence there is no answer to rely on.
func TestNoEvidence(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(ok(t, secret(t), `{}`))
	defer srv.Close()
	c := client(t, srv.URL, nothing{errors.New("disk full")}, nil)
	if _, err := c.Do(t.Context(), linkkit.Call{API: "a", Path: "/a"}, nil); err == nil {
		t.Error("an exchange without evidence went through")
	}
}

func TestLeftAlone(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	down := atomic.Bool{}
	down.Store(true)
	good := ok(t, secret(t), `{}`)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		good(w, r)
	}))
	defer srv.Close()
	c := client(t, srv.URL, nothing{}, func(cfg *linkkit.Config) { cfg.After, cfg.Rest = 3, 50*time.Millisecond })
	ask := func() error {
		_, err := c.Do(t.Context(), linkkit.Call{API: "a", Method: http.MethodPut, Path: "/a"}, nil)
		return err
	}
	for range 3 {
		if err := ask(); errs.CodeOf(err) != linkkit.CodeDown {
			t.Errorf("down: %v", err)
		}
	}
	before := n.Load()
	if err := ask(); errs.CodeOf(err) != linkkit.CodeOpen || errs.KindOf(err) != errs.Unavailable || n.Load() != before {
		t.Errorf("left alone: %v, %d requests", err, n.Load()-before)
	}
	down.Store(false)
	deadline := clock.Wall{}.Now().Add(5 * time.Second)
	for ask() != nil {
		if (clock.Wall{}).Now().After(deadline) {
			t.Fatal("the partner is back and still left alone")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	s := secret(t)
	mime, body := "application/pdf", "%PDF-1.7"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, m := []byte(body), mime
		if r.URL.Path != "/f/1" {
			b, m = []byte(`{"code":"3404","message":"没有该文件"}`), "application/json"
		}
		w.Header().Set("Content-Type", m)
		if err := wire.SignAnswer(w.Header(), s, r, 200, clock.Wall{}.Now(), b); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b)
	}))
	defer srv.Close()
	c := client(t, srv.URL, nothing{}, nil)
	b, rec, err := c.Fetch(t.Context(), linkkit.Call{API: "f", Path: "/f/1"})
	if err != nil || string(b) != body || rec.Mime != mime {
		t.Errorf("%q %+v %v", b, rec, err)
	}
	_, _, err = c.Fetch(t.Context(), linkkit.Call{API: "f", Path: "/f/2"})
	if r, ok := linkkit.Refused(err); !ok || r.Code != "3404" {
		t.Errorf("no such file: %v", err)
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	good := func() linkkit.Config {
		s := secret(t)
		return linkkit.Config{System: "x", Name: "对方", BaseURL: "http://h/x", AppID: "haoban", Signer: s, Peer: s, Clock: clock.Wall{}, Recorder: nothing{}, Log: silent}
	}
	for name, change := range map[string]func(*linkkit.Config){
		"address": func(c *linkkit.Config) { c.BaseURL = "ftp://h" }, "no address": func(c *linkkit.Config) { c.BaseURL = "" },
		"query": func(c *linkkit.Config) { c.BaseURL = "http://h/?a=1" }, "system": func(c *linkkit.Config) { c.System = "" },
		"signer": func(c *linkkit.Config) { c.Signer = nil }, "recorder": func(c *linkkit.Config) { c.Recorder = nil },
	} {
		cfg := good()
		change(&cfg)
		if _, err := linkkit.New(cfg); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := linkkit.NewReceiver(linkkit.ReceiverConfig{}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("empty receiver: %v", err)
	}
}
