package simkit_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"haoban/links/linkkit"
	"haoban/links/linkkit/wire"
	"haoban/outside/simkit"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

func key(t *testing.T) wire.Secret {
	t.Helper()
	k, err := wire.NewSecret([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// toy is a simulator with one verb, one file and one page.
func toy(o simkit.Options) *simkit.Sim {
	s := simkit.New("toy", "玩具系统", o)
	s.Handle("POST /api/v1/do", func(r *simkit.Request) (any, error) {
		var in struct{ No string }
		if err := r.Decode(&in); err != nil {
			return nil, err
		}
		s.Effect("do", in.No)
		s.Tell("toy.done", in.No, 1, map[string]string{"no": in.No})
		return map[string]string{"no": in.No, "name": "测试"}, nil
	})
	s.Handle("GET /api/v1/file", func(*simkit.Request) (any, error) {
		return simkit.File{Mime: "application/pdf", Body: []byte("%PDF")}, nil
	})
	s.Page("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { simkit.WritePage(w, "玩具", `<p>{{.}}</p>`, "<b>") })
	return s
}

type book struct{}

func (book) Record(context.Context, linkkit.Exchange) error { return nil }

func client(t *testing.T, url string, limit time.Duration) *linkkit.Client {
	t.Helper()
	k := key(t)
	c, err := linkkit.New(linkkit.Config{System: "toy", Name: "玩具系统", BaseURL: url, AppID: "haoban", Signer: k, Peer: k, Timeout: limit,
		MaxAnswer: 1 << 20, After: -1, Clock: clock.Wall{}, Recorder: book{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func do(t *testing.T, c *linkkit.Client, no string) error {
	t.Helper()
	var out struct{ No, Name string }
	_, err := c.Do(t.Context(), linkkit.Call{API: "do", Path: "/api/v1/do", Key: no, In: map[string]string{"no": no}}, &out)
	if err == nil && (out.No != no || out.Name != "测试") {
		t.Errorf("answer %+v", out)
	}
	return err
}

func TestWeather(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode    simkit.Kind
		code    string
		effects int
	}{
		{"fair", "", 1}, {simkit.Down, linkkit.CodeDown, 0}, {simkit.Slow, linkkit.CodeDown, 0}, {simkit.Refusing, linkkit.CodeRefused, 0},
		{simkit.Faulty, linkkit.CodeFault, 0}, {simkit.Garbage, linkkit.CodeGarbage, 0}, {simkit.Skewed, linkkit.CodeAuth, 0},
		{simkit.Unready, linkkit.CodeNotReady, 0}, {simkit.Lost, linkkit.CodeDown, 1}, {simkit.BadSign, linkkit.CodeSignature, 1},
		{simkit.GBK, "", 1}, {simkit.Huge, linkkit.CodeHuge, 1}, {simkit.Truncated, linkkit.CodeDown, 1},
	} {
		t.Run(string(tt.mode), func(t *testing.T) {
			t.Parallel()
			s := toy(simkit.Alone(nil, key(t)))
			defer s.Close()
			mux := http.NewServeMux()
			mux.Handle("/toy/", s)
			mux.HandleFunc("/_sim/toy/", s.ServeControl)
			srv := httptest.NewServer(mux)
			defer srv.Close()
			limit := 20 * time.Second
			if tt.mode == simkit.Slow {
				limit = 300 * time.Millisecond
			}
			weather(t, srv.URL, `{"mode":"`+string(tt.mode)+`"}`, http.StatusNoContent)
			c := client(t, srv.URL+"/toy", limit)
			if err := do(t, c, "1"); (err != nil) != (tt.code != "") || (err != nil && errs.CodeOf(err) != tt.code) {
				t.Errorf("%s: %v, want %q", tt.mode, err, tt.code)
			}
			if _, n := s.Effects("do"); n != tt.effects {
				t.Errorf("%s: %d effects, want %d", tt.mode, n, tt.effects)
			}
			weather(t, srv.URL, `{"mode":"fair"}`, http.StatusNoContent)
			for range 2 {
				if err := do(t, c, "1"); err != nil {
					t.Errorf("fair again: %v", err)
				}
			}
			j := s.Journal()
			if _, n := s.Effects("do"); n != 1 || len(j.Doubles) != 0 || j.Requests != 3 || !j.Entries[2].Repeat {
				t.Errorf("%d effects, journal %+v", n, j)
			}
		})
	}
}

func weather(t *testing.T, url, body string, want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/_sim/toy/weather", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("weather %s: %d", body, resp.StatusCode)
	}
}

func TestWeatherEnds(t *testing.T) {
	t.Parallel()
	wall := clock.NewMovable(clock.Wall{})
	o := simkit.Alone(nil, key(t))
	o.Clock = wall
	s := toy(o)
	defer s.Close()
	srv := httptest.NewServer(s)
	defer srv.Close()
	c := client(t, srv.URL, time.Second*20)
	if err := s.SetWeather(simkit.Weather{Mode: simkit.Down, For: "60s"}); err != nil {
		t.Fatal(err)
	}
	if err := do(t, c, "1"); errs.CodeOf(err) != linkkit.CodeDown {
		t.Errorf("down: %v", err)
	}
	wall.Advance(61 * time.Second)
	if err := do(t, c, "1"); err != nil {
		t.Errorf("after a minute: %v", err)
	}
	if err := s.SetWeather(simkit.Weather{Mode: simkit.Flaky}); err != nil {
		t.Fatal(err)
	}
	down := 0
	for range 100 {
		if do(t, c, "2") != nil {
			down++
		}
	}
	if down < 27 || down > 33 {
		t.Errorf("flaky: %d of 100 failed, want about 30", down)
	}
	for _, bad := range []simkit.Weather{{Mode: "storm"}, {Mode: simkit.Down, Rate: 2}, {Mode: simkit.Down, For: "soon"}} {
		if s.SetWeather(bad) == nil {
			t.Errorf("weather %+v taken", bad)
		}
	}
}

func TestSameKeyAnotherBody(t *testing.T) {
	t.Parallel()
	s := toy(simkit.Alone(nil, key(t)))
	defer s.Close()
	srv := httptest.NewServer(s)
	defer srv.Close()
	c := client(t, srv.URL, 20*time.Second)
	ask := func(no string) error {
		_, err := c.Do(t.Context(), linkkit.Call{API: "do", Path: "/api/v1/do", Key: "k", In: map[string]string{"no": no}}, nil)
		return err
	}
	if err := ask("1"); err != nil {
		t.Fatal(err)
	}
	if r, ok := linkkit.Refused(ask("2")); !ok || r.Code != wire.CodeDiffers {
		t.Errorf("another body under the same key: %+v", r)
	}
	b, _, err := c.Fetch(t.Context(), linkkit.Call{API: "file", Path: "/api/v1/file"})
	if err != nil || string(b) != "%PDF" {
		t.Errorf("file %q %v", b, err)
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/toy/", nil))
	if !strings.Contains(rec.Body.String(), "&lt;b&gt;") || !strings.Contains(rec.Body.String(), simkit.Notice) {
		t.Errorf("page: %s", rec.Body)
	}
}

// Callbacks reach a receiver that was down, came twice, or were forged first,
// and have one effect.
func TestTell(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	if err := gm.InitSoft(path, []byte("a secret for a test")); err != nil {
		t.Fatal(err)
	}
	keys, err := gm.OpenSoft(path, []byte("a secret for a test"))
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []simkit.Kind{simkit.Fair, simkit.Twice, simkit.BadCall, simkit.Down} {
		t.Run("weather "+string(mode), func(t *testing.T) {
			t.Parallel()
			d := dbtest.Open(t, db.SQLite, []db.Line{linkkit.Migrations()}, clock.Wall{})
			var hits, calls atomic.Int64
			rcv, err := linkkit.NewReceiver(linkkit.ReceiverConfig{System: "toy", Name: "玩具系统", AppID: "toy", Peer: key(t), Signer: key(t), DB: d, Keys: keys,
				Clock: clock.Wall{}, Recorder: linkkit.NewBook(d, nil), Log: slog.New(slog.DiscardHandler),
				Handle: map[string]linkkit.Handler{"toy.done": func(_ context.Context, tx *db.Tx, e wire.Event) error {
					var p struct{ No string }
					if err := json.Unmarshal(e.Payload, &p); err != nil || p.No != "7" || e.Producer != "toy" {
						t.Errorf("event %+v %v", e, err)
					}
					tx.AfterCommit(func() { hits.Add(1) })
					return nil
				}}})
			if err != nil {
				t.Fatal(err)
			}
			haoban := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n := calls.Add(1); mode == simkit.Down && n <= 2 { // it is we who are down
					panic(http.ErrAbortHandler)
				}
				if r.URL.Path != simkit.CallbackPath("toy") {
					t.Errorf("called back at %s", r.URL.Path)
				}
				rcv.ServeHTTP(w, r)
			}))
			defer haoban.Close()
			o := simkit.Alone(nil, key(t))
			o.Haoban, o.Retry = haoban.URL, 5*time.Millisecond
			s := toy(o)
			defer s.Close()
			srv := httptest.NewServer(s)
			defer srv.Close()
			if mode != simkit.Down {
				if err := s.SetWeather(simkit.Weather{Mode: mode}); err != nil {
					t.Fatal(err)
				}
			}
			if err := do(t, client(t, srv.URL, 20*time.Second), "7"); err != nil {
				t.Fatal(err)
			}
			want := map[simkit.Kind]int64{simkit.Fair: 1, simkit.Twice: 2, simkit.BadCall: 3, simkit.Down: 3}[mode]
			until := clock.Wall{}.Now().Add(20 * time.Second)
			for calls.Load() < want {
				if (clock.Wall{}).Now().After(until) {
					t.Fatalf("%d callbacks, want %d", calls.Load(), want)
				}
				time.Sleep(2 * time.Millisecond)
			}
			if mode == simkit.BadCall {
				if hits.Load() != 0 {
					t.Error("a forged callback had an effect")
				}
				if err := s.SetWeather(simkit.Weather{}); err != nil {
					t.Fatal(err)
				}
			}
			for hits.Load() < 1 {
				if (clock.Wall{}).Now().After(until) {
					t.Fatal("never heard")
				}
				time.Sleep(2 * time.Millisecond)
			}
			s.Close()
			if hits.Load() != 1 {
				t.Errorf("%d effects of one event", hits.Load())
			}
		})
	}
}
