package bench_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoban/outside/simkit"
	"haoban/platform/db"
)

// TestOutage is outage.lost: cases go on being filed while the short messages'
// platform is away, then loses its answers, then is back. Lost is every message
// that it never had, or that a person would have to send again.
func TestOutage(t *testing.T) {
	engines(t, "outage.lost", func(t *testing.T, e db.Engine) {
		span := time.Duration(size(t, "SECONDS", 30, 1)) * time.Second
		h := open(t, newStore(t, e), true)
		sms := h.out.Sim("sms")
		weather := func(k simkit.Kind) {
			if err := sms.SetWeather(simkit.Weather{Mode: k}); err != nil {
				t.Fatal(err)
			}
		}
		weather(simkit.Down)
		all := []*caller{h.builder(), h.builder(), h.builder(), h.builder()}
		ctx, cancel := context.WithTimeout(t.Context(), span)
		defer cancel()
		var n atomic.Int64
		var wg sync.WaitGroup
		for i, c := range all {
			wg.Go(func() {
				for k := int64(0); ctx.Err() == nil || k == 0; k++ { // one each at least
					if err := c.unit(int64(i)<<32|k, &watch{}); err != nil {
						t.Error(err)
						return
					}
					n.Add(1)
				}
			})
		}
		time.Sleep(span / 2)
		weather(simkit.Lost)
		wg.Wait()
		weather(simkit.Fair)
		failed := h.drain(2*time.Minute + span)
		had, times := sms.Effects("sms")
		t.Logf("%d cases; %d messages arrived %d times, %d jobs given up", n.Load(), had, times, failed)
		lost := int(n.Load()) - had + failed
		if lost != 0 {
			t.Errorf("%d lost", lost)
		}
		tell(t, "outage.lost."+string(e), float64(lost), "messages")
	})
}

// drain waits until no job is left to do and returns how many were given up. A
// breaker that is open is asked to try now.
func (h *house) drain(most time.Duration) (failed int) {
	h.t.Helper()
	ctx := context.Background()
	for end := time.Now().Add(most); ; time.Sleep(100 * time.Millisecond) {
		s, err := h.app.Queue.Stats(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		left := 0
		failed = 0
		for _, states := range s.Counts {
			left += states["ready"] + states["running"]
			failed += states["failed"]
		}
		if left == 0 {
			return failed
		}
		if time.Now().After(end) {
			h.t.Fatalf("%d jobs left: %v", left, s.Counts)
		}
		for _, target := range s.Open {
			if err := h.app.DB.Tx(ctx, func(tx *db.Tx) error { return h.app.Queue.Probe(ctx, tx, target) }); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}
