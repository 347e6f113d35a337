package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"haoban/platform/db"
)

// Options tune a Runner. The zero value of each field is its default.
type Options struct {
	// Workers is how many jobs run at once in this process; 0 is 16.
	Workers int
	// PerTarget is how many of them may talk to one target, so that a slow
	// partner cannot hold all; 0 is a quarter of Workers, at least 1. Work
	// without a target may use all.
	PerTarget int
	// Lease is how long a job stays with a process that is not heard of any
	// more; 0 is a minute. It is renewed while the job runs.
	Lease time.Duration
	// Poll is how often the queue is looked at when nobody wakes the runner:
	// for work that falls due or was enqueued by another process; 0 is a second.
	Poll time.Duration
	// Timeout bounds one try of a job; 0 is five minutes.
	Timeout time.Duration
	// Backoff is how long a job rests after its first, second … failure; after
	// one more it is in the failed list. nil is 1m, 5m, 30m, 2h, 6h, 24h.
	Backoff []time.Duration
	// Break is how long a target that did not answer is left alone; it doubles
	// up to BreakMax while the probes fail. 0 is 5 s and 5 min.
	Break, BreakMax time.Duration
	// MaxLost is how many times a job's process may die under it before it
	// counts as failed; 0 is 5.
	MaxLost int
	// Grace is how long running jobs may go on when Run is told to end, before
	// their ctx is cancelled; 0 is ten seconds.
	Grace time.Duration
	// KeepDone is how long a finished job's Key is remembered; 0 is 30 days.
	KeepDone time.Duration
	// Every is what is done again and again, by one process at a time.
	Every []Timer
}

func (o Options) filled() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	if o.Workers <= 0 {
		o.Workers = 16
	}
	if o.PerTarget <= 0 {
		o.PerTarget = max(1, o.Workers/4)
	}
	if o.MaxLost <= 0 {
		o.MaxLost = 5
	}
	if o.Backoff == nil {
		o.Backoff = []time.Duration{
			time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour,
		}
	}
	def(&o.Lease, time.Minute)
	def(&o.Poll, time.Second)
	def(&o.Timeout, 5*time.Minute)
	def(&o.Break, 5*time.Second)
	def(&o.BreakMax, 5*time.Minute)
	def(&o.Grace, 10*time.Second)
	def(&o.KeepDone, 30*24*time.Hour)
	return o
}

// Runner does the work of a Queue. Any number of runners in any number of
// processes may share a database.
type Runner struct {
	q        *Queue
	id       string
	handlers map[string]Handler
	kinds    []string
	o        Options
	wake     chan struct{}
	over     chan result

	// Of Run's own goroutine.
	held     map[string]*task
	finished []result
	more     bool // the last look left room that another may fill
	stopping bool
	turn     int // which target is served first
}

// task is a job held by this runner.
type task struct {
	Job
	probe  bool // it decides whether its target's breaker closes
	cancel context.CancelFunc
	lost   bool // somebody else may have it by now
}

type result struct {
	t   *task
	err error
}

// NewRunner returns a runner of the kinds in handlers; other kinds are left to
// other processes.
func NewRunner(q *Queue, handlers map[string]Handler, opts Options) *Runner {
	o := opts.filled()
	return &Runner{
		q: q, id: db.NewID(), handlers: handlers, kinds: slices.Sorted(maps.Keys(handlers)), o: o,
		wake: make(chan struct{}, 1), over: make(chan result, o.Workers), held: map[string]*task{},
	}
}

// Kick makes the runner look at the queue at once.
func (r *Runner) Kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run does jobs and timers until ctx ends, then waits for the running ones
// (Options.Grace, then their ctx is cancelled) and returns nil. Faults of the
// database are logged and outlived. Run must be called once.
func (r *Runner) Run(ctx context.Context) error {
	r.q.mu.Lock()
	r.q.wakes[r] = struct{}{}
	r.q.mu.Unlock()
	defer func() {
		r.q.mu.Lock()
		delete(r.q.wakes, r)
		r.q.mu.Unlock()
	}()
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	timers := make(chan struct{})
	go func() {
		defer close(timers)
		r.timetable(ctx, work)
	}()
	r.loop(ctx, work, abandon)
	abandon()
	<-timers
	return nil
}

func (r *Runner) loop(ctx, work context.Context, abandon func()) {
	poll, beat := time.NewTicker(r.o.Poll), time.NewTicker(r.o.Lease/3)
	defer poll.Stop()
	defer beat.Stop()
	stop := ctx.Done()
	var grace, last <-chan time.Time
	look := true
	rec := context.WithoutCancel(work) // what was done is recorded also at the end
	for {
		r.cycle(rec, work, look && !r.stopping)
		if r.stopping && len(r.held) == 0 && len(r.finished) == 0 {
			return
		}
		look = r.more
		if r.more && ctx.Err() == nil {
			continue // until a look takes nothing or fills up
		}
		select {
		case res := <-r.over:
			r.finished = append(r.finished, res)
			look = true
		case <-r.wake:
			look = true
		case <-poll.C:
			r.reap(rec)
			look = true
		case <-beat.C:
			r.renew(rec)
		case <-stop:
			r.stopping, r.more, stop = true, false, nil
			g := time.NewTimer(r.o.Grace)
			defer g.Stop()
			grace = g.C
		case <-grace:
			abandon()
			l := time.NewTimer(5 * time.Second)
			defer l.Stop()
			last = l.C
		case <-last:
			slog.Warn("job: handlers do not end, their leases will", "jobs", len(r.held))
			return
		}
	}
}

// cycle records what is finished and, if look, takes as much as there is room
// for, in one transaction.
func (r *Runner) cycle(ctx, work context.Context, look bool) {
drain:
	for {
		select {
		case res := <-r.over:
			r.finished = append(r.finished, res)
		default:
			break drain
		}
	}
	free := r.o.Workers - len(r.held) + len(r.finished)
	var targets []due
	if look && free > 0 {
		var err error
		if targets, err = r.due(ctx); err != nil {
			r.fault(work, err)
			return
		}
	}
	r.more = false
	if len(r.finished) == 0 && len(targets) == 0 {
		return
	}
	var taken []*task
	err := r.q.d.Group(ctx, func(tx *db.Tx) error {
		taken = nil // may run again
		if err := r.settle(ctx, tx, r.finished); err != nil {
			return err
		}
		var err error
		taken, err = r.claim(ctx, tx, targets, free)
		return err
	})
	if err != nil {
		r.fault(work, err)
		return
	}
	for _, f := range r.finished {
		f.t.cancel()
		delete(r.held, f.t.ID)
	}
	r.finished = r.finished[:0]
	// Shares are even, so a target with little to do leaves room for others.
	r.more = len(taken) > 0 && len(taken) < free && len(targets) > 1
	for _, t := range taken {
		r.start(work, t)
	}
}

// fault logs a fault of the database and rests a moment.
func (r *Runner) fault(ctx context.Context, err error) {
	r.more = false
	slog.Error("job: the queue is not to be reached", "err", err)
	t := time.NewTimer(min(r.o.Poll, time.Second))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// start runs t in a goroutine of its own.
func (r *Runner) start(work context.Context, t *task) {
	if _, ok := r.held[t.ID]; ok {
		// Our own lease ran out under a job that still runs; it goes on and
		// its end is recorded under the lease just taken.
		return
	}
	ctx, cancel := context.WithTimeout(work, r.o.Timeout)
	t.cancel = cancel
	r.held[t.ID] = t
	h := r.handlers[t.Kind]
	go func() { r.over <- result{t, safely(ctx, h, t.Job)} }()
}

// safely runs h and turns a panic into an error.
func safely(ctx context.Context, h Handler, j Job) (err error) {
	ended := false
	defer func() {
		if ended {
			return
		}
		p := recover() // nil if the handler ended its goroutine
		slog.Error("job: handler panicked", "kind", j.Kind, "job", j.ID, "panic", p, "stack", string(debug.Stack()))
		err = fmt.Errorf("panic: %v", p)
	}()
	err = h(ctx, j)
	ended = true
	return err
}

// renew keeps the leases of what is held and cancels what was lost.
func (r *Runner) renew(ctx context.Context) {
	ids := slices.Collect(maps.Keys(r.held))
	if len(ids) == 0 {
		return
	}
	now := r.q.now()
	var lost []string
	err := r.q.d.Group(ctx, func(tx *db.Tx) error {
		lost = nil
		for _, id := range ids {
			res, err := tx.Exec(ctx, `UPDATE job_job SET lease_until = $1
				WHERE id = $2 AND lease_by = $3 AND state = 'running'`, now+r.o.Lease.Milliseconds(), id, r.id)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			if n == 0 {
				lost = append(lost, id)
				continue
			}
			if t := r.held[id]; t.probe {
				if _, err := tx.Exec(ctx, "UPDATE job_target SET open_until = $1 WHERE target = $2 AND state = 'probing'",
					now+r.o.Lease.Milliseconds(), t.Target); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		slog.Error("job: leases not renewed", "err", err)
		return
	}
	for _, id := range lost {
		t := r.held[id]
		slog.Warn("job: lease lost while running", "kind", t.Kind, "job", id)
		t.lost = true
		t.cancel()
	}
}

// released tells whether err only says that the runner was ending.
func (r *Runner) released(t *task, err error) bool {
	return (r.stopping || t.lost) && errors.Is(err, context.Canceled)
}
