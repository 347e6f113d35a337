package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/job"
)

func lines() []db.Line { return []db.Line{job.Migrations()} }

// quick are options under which nothing takes long.
func quick() job.Options {
	return job.Options{
		Workers: 8, PerTarget: 8, Poll: 5 * time.Millisecond, Lease: 10 * time.Second, Grace: time.Second,
		Backoff: []time.Duration{time.Millisecond, 2 * time.Millisecond},
		Break:   40 * time.Millisecond, BreakMax: 200 * time.Millisecond,
	}
}

type bundle struct {
	d *db.DB
	q *job.Queue
}

func each(t *testing.T, fn func(t *testing.T, b bundle)) {
	t.Helper()
	dbtest.Each(t, lines(), func(t *testing.T, d *db.DB) { fn(t, bundle{d, job.NewQueue(d)}) })
}

// tx runs fn in a transaction that must succeed.
func (b bundle) tx(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := b.d.Tx(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (b bundle) put(t *testing.T, jobs ...job.New) {
	t.Helper()
	b.tx(t, func(ctx context.Context, tx *db.Tx) error {
		for _, j := range jobs {
			if err := b.q.Enqueue(ctx, tx, j); err != nil {
				return err
			}
		}
		return nil
	})
}

// run starts a runner and returns how to end it, which the test's end does too.
func (b bundle) run(t *testing.T, handlers map[string]job.Handler, o job.Options) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	r := job.NewRunner(b.q, handlers, o)
	go func() { over <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-over:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the runner does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// soon waits until ok, at most 20 seconds.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 4000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func (b bundle) states(t *testing.T) map[string]int {
	t.Helper()
	s, err := b.q.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, m := range s.Counts {
		for state, n := range m {
			out[state] += n
		}
	}
	return out
}

func (b bundle) failed(t *testing.T) []job.Failure {
	t.Helper()
	f, err := b.q.Failed(t.Context(), job.Page{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// log collects what handlers did.
type log struct {
	mu  sync.Mutex
	did []string
}

func (l *log) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.did = append(l.did, s)
}

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.did)
}

type arg struct {
	ID string `json:"id"`
}

func note(l *log) job.Handler {
	return func(_ context.Context, j job.Job) error {
		var a arg
		if err := j.Decode(&a); err != nil {
			return err
		}
		l.add(a.ID)
		return nil
	}
}

func TestEnqueueFollowsItsTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var l log
		err := b.d.Tx(t.Context(), func(tx *db.Tx) error {
			if err := b.q.Enqueue(t.Context(), tx, job.New{Kind: "note", Args: arg{"rolled back"}}); err != nil {
				return err
			}
			return errors.New("no")
		})
		if err == nil {
			t.Fatal("no error")
		}
		b.put(t, job.New{Kind: "note", Args: arg{"kept"}})
		b.run(t, map[string]job.Handler{"note": note(&l)}, quick())
		soon(t, "the queue is empty", func() bool { return len(b.states(t)) == 0 })
		if diff := cmp.Diff([]string{"kept"}, l.all()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSameKeyIsOneJob(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var l log
		n := job.New{Kind: "note", Key: "case-1", Args: arg{"first"}}
		b.put(t, n)
		n.Args = arg{"second"}
		b.put(t, n, job.New{Kind: "other", Key: "case-1", Args: arg{"other"}})
		h := note(&l)
		b.run(t, map[string]job.Handler{"note": h, "other": h}, quick())
		soon(t, "the queue is empty", func() bool { return len(b.states(t)) == 0 })
		b.put(t, n) // and after it is done
		b.put(t, job.New{Kind: "note", Args: arg{"last"}})
		soon(t, "the last is done", func() bool { return slices.Contains(l.all(), "last") })
		got := l.all()
		slices.Sort(got)
		if diff := cmp.Diff([]string{"first", "last", "other"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestKeyIsForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var l log
		o := quick()
		o.KeepDone = time.Millisecond
		h := map[string]job.Handler{"note": note(&l)}
		stop := b.run(t, h, o)
		n := job.New{Kind: "note", Key: "k", Args: arg{"x"}}
		b.put(t, n)
		soon(t, "done", func() bool { return len(l.all()) == 1 && len(b.states(t)) == 0 })
		stop()
		b.tx(t, func(ctx context.Context, tx *db.Tx) error { // an hour goes by
			_, err := tx.Exec(ctx, "UPDATE job_timer SET next_at = 0")
			return err
		})
		b.run(t, h, o)
		soon(t, "done again", func() bool { b.put(t, n); return len(l.all()) > 1 })
	})
}

func TestRunAt(t *testing.T) {
	t.Parallel()
	dbtest.EachClock(t, lines(), func(t *testing.T, d *db.DB, c *clock.Movable) {
		b := bundle{d, job.NewQueue(d)}
		var l log
		b.put(t,
			job.New{Kind: "note", Args: arg{"wall"}, RunAt: time.Now().Add(time.Hour)},
			job.New{Kind: "note", Args: arg{"business"}, RunAtBusiness: c.Now().Add(48 * time.Hour)},
			job.New{Kind: "note", Args: arg{"now"}})
		b.run(t, map[string]job.Handler{"note": note(&l)}, quick())
		soon(t, "the first", func() bool { return len(l.all()) == 1 })
		c.Advance(49 * time.Hour)
		soon(t, "the second", func() bool { return len(l.all()) == 2 })
		if diff := cmp.Diff([]string{"now", "business"}, l.all()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestKilledProcess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		b.put(t, job.New{Kind: "note", Args: arg{"x"}})
		// A process that took the job and is gone: its lease has run out.
		b.tx(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE job_job SET state = 'running', lease_by = 'dead', lease_until = 1")
			return err
		})
		var l log
		b.run(t, map[string]job.Handler{"note": note(&l)}, quick())
		soon(t, "it runs again", func() bool { return len(l.all()) == 1 })
	})
}

func TestJobThatKillsItsProcess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		b.put(t, job.New{Kind: "note", Args: arg{"x"}})
		b.tx(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE job_job SET state = 'running', lease_by = 'dead', lease_until = 1, lost = 4")
			return err
		})
		b.run(t, map[string]job.Handler{"note": note(&log{})}, quick())
		soon(t, "it is given up", func() bool { return len(b.failed(t)) == 1 })
		if f := b.failed(t)[0]; f.Code != "job.lost" {
			t.Errorf("%+v", f)
		}
	})
}

func TestLeaseIsKeptWhileRunning(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var runs atomic.Int32
		o := quick()
		o.Lease = time.Second
		h := map[string]job.Handler{"slow": func(context.Context, job.Job) error {
			runs.Add(1)
			time.Sleep(2500 * time.Millisecond)
			return nil
		}}
		b.put(t, job.New{Kind: "slow"})
		b.run(t, h, o)
		b.run(t, h, o)
		soon(t, "done", func() bool { return len(b.states(t)) == 0 })
		if n := runs.Load(); n != 1 {
			t.Errorf("ran %d times", n)
		}
	})
}

func TestLostLeaseCancels(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		o := quick()
		o.Lease = 600 * time.Millisecond
		began, ended := make(chan struct{}), make(chan error, 1)
		var once sync.Once
		b.run(t, map[string]job.Handler{"slow": func(ctx context.Context, _ job.Job) error {
			once.Do(func() { close(began) })
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}}, o)
		b.put(t, job.New{Kind: "slow"})
		<-began
		b.tx(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE job_job SET lease_by = 'somebody else', lease_until = $1", time.Now().Add(time.Hour).UnixMilli())
			return err
		})
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.Sleep(50 * time.Millisecond)
		if diff := cmp.Diff(map[string]int{"running": 1}, b.states(t)); diff != "" {
			t.Errorf("the other's job was touched: %s", diff)
		}
	})
}

func TestNeverTwiceAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		const n = 300
		var jobs []job.New
		for i := range n {
			jobs = append(jobs, job.New{Kind: "x", Target: fmt.Sprint(i % 3), Args: arg{fmt.Sprint(i)}})
		}
		var at [n]atomic.Int32
		var runs atomic.Int32
		h := func(_ context.Context, j job.Job) error {
			var a arg
			if err := j.Decode(&a); err != nil {
				return err
			}
			var i int
			if _, err := fmt.Sscan(a.ID, &i); err != nil {
				return err
			}
			if at[i].Add(1) > 1 {
				t.Errorf("job %d runs twice at once", i)
			}
			runs.Add(1)
			time.Sleep(time.Millisecond)
			at[i].Add(-1)
			if j.Attempt == 1 && i%10 == 0 {
				return errors.New("once more")
			}
			return nil
		}
		for range 3 {
			b.run(t, map[string]job.Handler{"x": h}, quick())
		}
		b.put(t, jobs...)
		soon(t, "all done", func() bool { return len(b.states(t)) == 0 })
		if got := runs.Load(); got != n+n/10 {
			t.Errorf("%d runs, want %d", got, n+n/10)
		}
	})
}

func TestBackoffThenFailedList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var l log
		var good atomic.Bool
		b.run(t, map[string]job.Handler{"x": func(_ context.Context, j job.Job) error {
			l.add(fmt.Sprintf("%d %s", j.Attempt, j.Args))
			if good.Load() {
				return nil
			}
			return errs.New(errs.Invalid, "tax.contract", "合同编号不存在")
		}}, quick())
		b.put(t, job.New{Kind: "x", Target: "tax", Args: arg{"wrong"}})
		soon(t, "given up", func() bool { return len(b.failed(t)) == 1 })
		want := []string{`1 {"id":"wrong"}`, `2 {"id":"wrong"}`, `3 {"id":"wrong"}`}
		if diff := cmp.Diff(want, l.all()); diff != "" {
			t.Error(diff)
		}
		f := b.failed(t)[0]
		if f.Code != "tax.contract" || f.Attempt != 3 || f.Kind != "x" || f.Target != "tax" {
			t.Errorf("%+v", f)
		}
		good.Store(true)
		b.tx(t, func(ctx context.Context, tx *db.Tx) error { return b.q.Mend(ctx, tx, f.ID, arg{"right"}) })
		if got := b.failed(t); len(got) != 1 || string(got[0].Args) != `{"id":"right"}` {
			t.Errorf("after mending: %+v", got)
		}
		b.tx(t, func(ctx context.Context, tx *db.Tx) error { return b.q.Retry(ctx, tx, f.ID) })
		soon(t, "done", func() bool { return len(b.states(t)) == 0 })
		if got := l.all(); got[len(got)-1] != `1 {"id":"right"}` {
			t.Errorf("the last run was %s", got[len(got)-1])
		}
	})
}

func TestFailedList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		b.run(t, map[string]job.Handler{"x": func(context.Context, job.Job) error { return job.Stop(errors.New("never")) }}, quick())
		for i := range 5 {
			b.put(t, job.New{Kind: "x", Target: fmt.Sprint(i % 2), Args: arg{fmt.Sprint(i)}})
		}
		soon(t, "all failed", func() bool { return len(b.failed(t)) == 5 })
		ctx := t.Context()
		var got []string
		p := job.Page{Limit: 2}
		for {
			page, err := b.q.Failed(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range page {
				got = append(got, string(f.Args))
				p.After = f.ID
			}
			if len(page) < p.Limit {
				break
			}
		}
		want := []string{`{"id":"4"}`, `{"id":"3"}`, `{"id":"2"}`, `{"id":"1"}`, `{"id":"0"}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		odd, err := b.q.Failed(ctx, job.Page{Kind: "x", Target: "1"})
		if err != nil || len(odd) != 2 {
			t.Errorf("%d of target 1, %v", len(odd), err)
		}
		b.tx(t, func(ctx context.Context, tx *db.Tx) error { return b.q.Discard(ctx, tx, odd[0].ID, "重复") })
		for name, f := range map[string]func(tx *db.Tx, id string) error{
			"retry":   func(tx *db.Tx, id string) error { return b.q.Retry(ctx, tx, id) },
			"mend":    func(tx *db.Tx, id string) error { return b.q.Mend(ctx, tx, id, nil) },
			"discard": func(tx *db.Tx, id string) error { return b.q.Discard(ctx, tx, id, "") },
		} {
			err := b.d.Tx(ctx, func(tx *db.Tx) error { return f(tx, odd[0].ID) })
			if !errors.Is(err, job.ErrNotFailed) {
				t.Errorf("%s of a discarded one: %v", name, err)
			}
			err = b.d.Tx(ctx, func(tx *db.Tx) error { return f(tx, db.NewID()) })
			if !errors.Is(err, job.ErrNotFound) {
				t.Errorf("%s of none: %v", name, err)
			}
		}
		n := 0
		b.tx(t, func(ctx context.Context, tx *db.Tx) (err error) {
			n, err = b.q.RetryAll(ctx, tx, job.Page{Target: "0"})
			return err
		})
		if n != 3 {
			t.Errorf("%d were sent again, want 3", n)
		}
	})
}

func TestWaitingIsNotFailing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var l log
		b.run(t, map[string]job.Handler{"x": func(_ context.Context, j job.Job) error {
			l.add(fmt.Sprint(j.Attempt))
			if j.Waits < 10 {
				return fmt.Errorf("still in the making: %w", job.Wait(time.Millisecond))
			}
			return nil
		}}, quick())
		b.put(t, job.New{Kind: "x"})
		soon(t, "done", func() bool { return len(b.states(t)) == 0 })
		if diff := cmp.Diff(slices.Repeat([]string{"1"}, 11), l.all()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPanicIsAFailure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		o := quick()
		o.Backoff = []time.Duration{}
		b.run(t, map[string]job.Handler{"x": func(context.Context, job.Job) error { panic("boom") }}, o)
		b.put(t, job.New{Kind: "x"})
		soon(t, "failed", func() bool { return len(b.failed(t)) == 1 })
		if f := b.failed(t)[0]; f.Error != "panic: boom" {
			t.Errorf("%+v", f)
		}
	})
}

func TestUnknownKindIsLeft(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		var l log
		b.run(t, map[string]job.Handler{"note": note(&l)}, quick())
		b.put(t, job.New{Kind: "newer", Args: arg{"x"}}, job.New{Kind: "note", Args: arg{"y"}})
		soon(t, "ours is done", func() bool { return len(l.all()) == 1 })
		b.run(t, map[string]job.Handler{"newer": note(&l)}, quick())
		soon(t, "theirs is done", func() bool { return len(l.all()) == 2 })
	})
}

func TestStopGivesBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		began := make(chan struct{})
		o := quick()
		o.Grace = 20 * time.Millisecond
		stop := b.run(t, map[string]job.Handler{"x": func(ctx context.Context, _ job.Job) error {
			close(began)
			<-ctx.Done()
			return fmt.Errorf("cut short: %w", ctx.Err())
		}}, o)
		b.put(t, job.New{Kind: "x", Target: "tax"})
		<-began
		stop()
		if diff := cmp.Diff(map[string]int{"ready": 1}, b.states(t)); diff != "" {
			t.Error(diff)
		}
		var attempt atomic.Int32
		b.run(t, map[string]job.Handler{"x": func(_ context.Context, j job.Job) error { attempt.Store(int32(j.Attempt)); return nil }}, o) //nolint:gosec // small
		soon(t, "done", func() bool { return len(b.states(t)) == 0 })
		if attempt.Load() != 1 {
			t.Errorf("the next try is number %d, want 1", attempt.Load())
		}
	})
}

func TestArgsThatAreNotIDs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bundle) {
		err := b.d.Tx(t.Context(), func(tx *db.Tx) error {
			return b.q.Enqueue(t.Context(), tx, job.New{Kind: "x", Args: make([]byte, 20_000)})
		})
		if err == nil {
			t.Error("20 KB were taken")
		}
	})
}
