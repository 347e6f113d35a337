package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoban/platform/db"
	"haoban/platform/gm"
)

const sessions = 16

// file returns the 100 kB that every case is filed with; n makes each its own.
func file(n int64) []byte {
	return append([]byte(fmt.Sprintf("%%PDF-1.4\n%% drawing %d\n", n)), bytes.Repeat([]byte("% a page of a drawing\n"), 100_000/22)...)
}

// unit is one case from opening to submission: a planning opinion, saved once,
// filled from the partners, with one file.
func (c *caller) unit(n int64, w *watch) error {
	w.begin()
	v, err := c.json("POST", "/cases", map[string]any{"matter": "permit/land-opinion"})
	w.lap("open")
	if err != nil {
		return err
	}
	id := text(v, "id")
	if _, err = c.json("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{
		"projectCode": c.h.cast.BuilderProject.Code, "scale": "建筑面积约 1 万平方米", "reason": "符合控制性详细规划", "farmland": "否", "promise": true,
	}}); err != nil {
		return err
	}
	w.lap("save")
	if _, err = c.json("POST", "/cases/"+id+"/prefill", map[string]any{}); err != nil {
		return err
	}
	w.lap("prefill")
	body := file(n)
	u, err := c.json("POST", "/uploads", map[string]any{"caseId": id, "node": "range", "name": "范围图.pdf", "size": len(body), "mime": "application/pdf"})
	if err != nil {
		return err
	}
	w.lap("upload begins")
	if _, err = c.ask("PUT", "/uploads/"+text(u, "id")+"?offset=0", body, "Content-Type", "application/octet-stream", "X-Chunk-SM3", gm.SM3(body)); err != nil {
		return err
	}
	w.lap("upload piece")
	if _, err = c.json("POST", "/uploads/"+text(u, "id")+"/finish", nil); err != nil {
		return err
	}
	w.lap("upload ends")
	v, err = c.json("POST", "/cases/"+id+"/ready", map[string]any{})
	if err != nil {
		return err
	}
	w.lap("ready")
	if p := text(v, "phase"); p != "submitted" {
		return fmt.Errorf("case %s is %s, not submitted", id, p)
	}
	return nil
}

// TestSubmit is case.submit_per_s: 16 sessions file as fast as they are answered,
// with the jobs that follow in the same process, over many cases already there.
func TestSubmit(t *testing.T) {
	engines(t, "case.submit_per_s", func(t *testing.T, e db.Engine) {
		span := time.Duration(size(t, "SECONDS", 60, 1)) * time.Second
		s := newStore(t, e)
		sow(t, s, size(t, "CASES", 100_000, 500), "")
		h := open(t, s, true)
		all := make([]*caller, sessions)
		for i := range all {
			all[i] = h.builder()
		}
		if err := all[0].unit(0, &watch{}); err != nil {
			t.Fatal(err)
		}
		profile(t, "submit."+string(e))
		ctx, cancel := context.WithTimeout(t.Context(), span)
		defer cancel()
		var n, seq atomic.Int64
		var wg sync.WaitGroup
		start := time.Now()
		laps := make([]watch, len(all))
		for i, c := range all {
			wg.Go(func() {
				for ctx.Err() == nil {
					if err := c.unit(seq.Add(1), &laps[i]); err != nil {
						t.Error(err)
						return
					}
					if ctx.Err() == nil { // the ones under way at the end do not count
						n.Add(1)
					}
				}
			})
		}
		<-ctx.Done()
		spent := time.Since(start)
		wg.Wait()
		st := h.app.DB.Stats()
		t.Logf("%d cases in %s; %d grouped commands in %d commits", n.Load(), spent.Round(time.Millisecond), st.Grouped, st.Groups)
		report(t, laps)
		tell(t, "case.submit_per_s."+string(e), float64(n.Load())/spent.Seconds(), "cases/s")
	})
}

// profile writes a CPU profile beside the file that PROFILE names, until the
// test ends.
func profile(t *testing.T, name string) {
	t.Helper()
	base := os.Getenv("PROFILE")
	if base == "" {
		return
	}
	f, err := os.Create(base + "." + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

// watch is where the time of one session goes.
type watch struct {
	at   time.Time
	name []string
	took map[string][]time.Duration
}

func (w *watch) begin() { w.at = time.Now() }

func (w *watch) lap(name string) {
	if w.took == nil {
		w.took = map[string][]time.Duration{}
	}
	if len(w.took[name]) == 0 {
		w.name = append(w.name, name)
	}
	now := time.Now()
	w.took[name] = append(w.took[name], now.Sub(w.at))
	w.at = now
}

// report logs how long each request took, the middle one and the slowest of a
// hundred.
func report(t *testing.T, laps []watch) {
	t.Helper()
	for _, name := range laps[0].name {
		var all []time.Duration
		for i := range laps {
			all = append(all, laps[i].took[name]...)
		}
		t.Logf("%-14s p50 %8.1f ms, p99 %8.1f ms", name, ms(quantile(all, 0.5)), ms(quantile(all, 0.99)))
	}
}
