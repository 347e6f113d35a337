package job_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/job"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var up atomic.Bool
		var tries, at, attempts atomic.Int32
		h := map[string]job.Handler{
			"send": func(_ context.Context, j job.Job) error {
				tries.Add(1)
				if j.Attempt > 1 {
					attempts.Add(1)
				}
				if !up.Load() {
					if at.Add(1) > 16 {
						t.Error("more at once than ran when it went down")
					}
					time.Sleep(2 * time.Millisecond)
					at.Add(-1)
					return errs.New(errs.Unavailable, "tax.down", "税务系统暂时没有回应")
				}
				return nil
			},
			"other": func(context.Context, job.Job) error { return nil },
		}
		b.run(t, h, quick())
		b.run(t, h, quick()) // another process
		var jobs []job.New
		for range 50 {
			jobs = append(jobs, job.New{Kind: "send", Target: "tax"})
		}
		b.put(t, jobs...)
		soon(t, "the breaker opens", func() bool { ts, err := b.q.Targets(t.Context()); return err == nil && len(ts) == 1 && ts[0].Open })
		b.put(t, job.New{Kind: "other", Target: "bank"}, job.New{Kind: "other"})
		soon(t, "others go on", func() bool { return b.states(t)["ready"]+b.states(t)["running"] == 50 })
		soon(t, "probes fail", func() bool { ts, err := b.q.Targets(t.Context()); return err == nil && ts[1].Trips >= 4 })
		// At most what both runners held at first, then one probe at a time.
		if n := tries.Load(); n > 16+10 {
			t.Errorf("%d tries on a target that is down", n)
		}
		ts, err := b.q.Targets(t.Context())
		if err != nil || ts[1].Name != "tax" || ts[1].Error == "" {
			t.Errorf("%+v, %v", ts, err)
		}
		if s, err := b.q.Stats(t.Context()); err != nil || !slices.Equal(s.Open, []string{"tax"}) {
			t.Errorf("%+v, %v", s, err)
		}
		up.Store(true)
		b.tx(t, func(ctx context.Context, tx *db.Tx) error { return b.q.Probe(ctx, tx, "tax") })
		soon(t, "all done", func() bool { return len(b.states(t)) == 0 })
		if n := attempts.Load(); n != 0 {
			t.Errorf("%d attempts were spent on an outage", n)
		}
		soon(t, "the breaker closes", func() bool { ts, err := b.q.Targets(t.Context()); return err == nil && !ts[1].Open && ts[1].Trips == 0 })
	})
}

func TestSlowTargetLeavesRoom(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var l log
		hold := make(chan struct{})
		o := quick()
		o.PerTarget = 2
		var now, most atomic.Int32
		b.run(t, map[string]job.Handler{
			"slow": func(context.Context, job.Job) error {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				<-hold
				now.Add(-1)
				return nil
			},
			"note": note(&l),
		}, o)
		for range 20 {
			b.put(t, job.New{Kind: "slow", Target: "slow"})
		}
		b.put(t, job.New{Kind: "note", Target: "fast", Args: arg{"fast"}})
		soon(t, "the fast one is served", func() bool { return len(l.all()) == 1 })
		close(hold)
		soon(t, "all done", func() bool { return len(b.states(t)) == 0 })
		if most.Load() > 2 {
			t.Errorf("%d at once, want 2", most.Load())
		}
	})
}

func TestTimers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var at, runs, bad, long atomic.Int32
		for range 3 {
			o := quick()
			o.Lease = time.Second
			o.Every = []job.Timer{
				{Name: "tick", Every: 30 * time.Millisecond, Run: func(context.Context) error {
					if at.Add(1) > 1 {
						t.Error("two nodes at once")
					}
					time.Sleep(5 * time.Millisecond)
					at.Add(-1)
					runs.Add(1)
					return nil
				}},
				{Name: "bad", Every: 20 * time.Millisecond, Run: func(context.Context) error {
					if bad.Add(1)%2 == 0 {
						panic("boom")
					}
					return errors.New("no")
				}},
				{Name: "long", Every: time.Hour, Run: func(context.Context) error {
					long.Add(1)
					time.Sleep(2 * time.Second) // beyond a lease
					return nil
				}},
			}
			b.run(t, nil, o)
		}
		began := time.Now()
		soon(t, "ten ticks", func() bool { return runs.Load() >= 10 && bad.Load() >= 3 })
		if took := time.Since(began); took < 200*time.Millisecond {
			t.Errorf("ten ticks of 30 ms took %v", took)
		}
		time.Sleep(2500 * time.Millisecond)
		if long.Load() != 1 {
			t.Errorf("the long one ran %d times", long.Load())
		}
	})
}

func BenchmarkQueue(b *testing.B) {
	for _, e := range dbtest.Engines() {
		b.Run(string(e), func(b *testing.B) {
			d := dbtest.OpenConfig(b, lines(), db.Config{Engine: e})
			q := job.NewQueue(d)
			ctx, cancel := context.WithCancel(b.Context())
			var n atomic.Int64
			all := make(chan struct{})
			h := func(context.Context, job.Job) error {
				if n.Add(1) == int64(b.N) {
					close(all)
				}
				return nil
			}
			b.ResetTimer()
			for done := 0; done < b.N; {
				err := d.Tx(ctx, func(tx *db.Tx) error {
					for i := 0; i < 500 && done < b.N; i++ {
						done++
						if err := q.Enqueue(ctx, tx, job.New{Kind: "x", Target: "t", Args: arg{"case"}}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			enq := b.Elapsed()
			r := job.NewRunner(q, map[string]job.Handler{"x": h}, job.Options{Workers: 64, PerTarget: 64})
			over := make(chan error, 1)
			go func() { over <- r.Run(ctx) }()
			<-all
			b.ReportMetric(float64(b.N)/enq.Seconds(), "enqueued/s")
			b.ReportMetric(float64(b.N)/(b.Elapsed()-enq).Seconds(), "worked/s")
			cancel()
			if err := <-over; err != nil {
				b.Error(err)
			}
		})
	}
}
