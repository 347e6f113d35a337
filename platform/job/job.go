// Package job is the outbox and the queue. Work is enqueued in the caller's
// transaction, so it exists if and only if what asked for it was committed, and
// is done afterwards by a Runner of any process on the database.
//
// A job runs at least once: a process may die after the work and before it is
// recorded, so every Handler must be idempotent. Jobs carry ids, never personal
// data.
//
// Waiting is not failing. A handler that must look again later returns Wait; a
// partner that does not answer (errs.Unavailable) opens the breaker of its
// target, for all processes, and costs no attempt; what fails too often sits in
// a list (Queue.Failed) where a person can read it, mend it and send it again.
//
// Leases and retries go by wall time, so the clocks of the nodes must agree to
// well within a lease.
package job

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the tables of the queue.
func Migrations() db.Line { return db.Line{Room: "job", FS: migrations} }

// Job is a piece of work as its handler sees it.
type Job struct {
	ID      string
	Kind    string
	Target  string
	Key     string
	Args    json.RawMessage
	Attempt int       // the number of this try, 1 for the first; waiting does not count
	Waits   int       // how often it has waited
	Created time.Time // wall time
}

// Decode reads the job's arguments into v. What does not fit is an error of
// kind errs.Invalid that no retry will cure.
func (j Job) Decode(v any) error {
	if err := json.Unmarshal(j.Args, v); err != nil {
		return Stop(errs.New(errs.Invalid, "job.args", "任务参数无法解析，请核对后修改").Wrap(err))
	}
	return nil
}

// New is work to be enqueued.
type New struct {
	// Kind chooses the handler.
	Kind string
	// Target is the outside system the job talks to, whose breaker it heeds;
	// empty for work inside the house.
	Target string
	// Key makes it idempotent: while a job with the same Kind and Key is known
	// (and for Options.KeepDone after it is done), enqueuing another does
	// nothing. Empty never clashes.
	Key string
	// Args is written as JSON, at most 16 KB: ids, never personal data.
	Args any
	// RunAt is the earliest wall time; zero is at once.
	RunAt time.Time
	// RunAtBusiness is the earliest time by the business clock (db.DB.Clock),
	// for what the law dates. It takes the place of RunAt.
	RunAtBusiness time.Time
}

const (
	maxArgs = 16 << 10

	ready     = "ready"
	running   = "running"
	failed    = "failed"
	done      = "done"
	discarded = "discarded"

	closed  = "closed"
	open    = "open"
	probing = "probing"
)

// Queue is where work is put and looked after. It is safe for concurrent use.
type Queue struct {
	d     *db.DB
	wall  clock.Clock
	known sync.Map // targets that have a row

	mu    sync.Mutex
	wakes map[*Runner]struct{}
}

// Option changes a Queue.
type Option func(*Queue)

// WithClock has the queue take its wall time from c, for tests.
func WithClock(c clock.Clock) Option { return func(q *Queue) { q.wall = c } }

// NewQueue returns the queue of d, whose tables Migrations makes.
func NewQueue(d *db.DB, opts ...Option) *Queue {
	q := &Queue{d: d, wall: clock.Wall{}, wakes: map[*Runner]struct{}{}}
	for _, o := range opts {
		o(q)
	}
	return q
}

func (q *Queue) now() int64 { return db.MS(q.wall.Now()) }

// Enqueue puts n in the queue inside tx: it will run if tx commits, and the
// runners of this process are woken then. A Key that is known already makes it
// do nothing.
func (q *Queue) Enqueue(ctx context.Context, tx *db.Tx, n New) error {
	if n.Kind == "" {
		return errors.New("job: no kind")
	}
	args, err := encode(n.Args)
	if err != nil {
		return fmt.Errorf("job %s: %w", n.Kind, err)
	}
	if err := q.target(ctx, tx, n.Target); err != nil {
		return fmt.Errorf("job %s: %w", n.Kind, err)
	}
	now := q.now()
	at, business := max(db.MS(n.RunAt), now), false
	if !n.RunAtBusiness.IsZero() {
		at, business = db.MS(n.RunAtBusiness), true
	}
	var key any
	if n.Key != "" {
		key = n.Key
	}
	_, err = tx.Exec(ctx, `INSERT INTO job_job (id, kind, target, key, args, state, business, run_at,
			attempt, waits, lost, lease_by, lease_until, code, error, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7, 0, 0, 0, '', 0, '', '', $8, $8)
		ON CONFLICT (kind, key) DO NOTHING`,
		db.NewID(), n.Kind, n.Target, key, args, business, at, now)
	if err != nil {
		return fmt.Errorf("job %s: %w", n.Kind, err)
	}
	tx.AfterCommit(q.Kick)
	return nil
}

func encode(args any) (string, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	if len(text) > maxArgs {
		return "", fmt.Errorf("%d bytes of arguments, at most %d: carry ids", len(text), maxArgs)
	}
	return string(text), nil
}

// target makes sure that the target has a row.
func (q *Queue) target(ctx context.Context, tx *db.Tx, target string) error {
	if _, ok := q.known.Load(target); ok {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO job_target (target, state, trips, open_until, error, changed_at)
		VALUES ($1, 'closed', 0, 0, '', $2) ON CONFLICT (target) DO NOTHING`, target, q.now())
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { q.known.Store(target, true) })
	return nil
}

// Kick wakes the runners of this process at once. It never blocks.
func (q *Queue) Kick() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for r := range q.wakes {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// Handler does a job. It may be called many times for one job, never at the
// same time, and should give up when ctx ends. What it returns says what comes
// next:
//
//   - nil: the job is done.
//   - Wait(d): nothing went wrong, look again after d. Costs no attempt.
//   - an error of kind errs.Unavailable: the target does not answer. Its breaker
//     opens and the job waits for it. Costs no attempt.
//   - Stop(err): no retry can help. The job goes to the failed list at once.
//   - any other error, and a panic: costs an attempt; it is run again after the
//     next of Options.Backoff, and goes to the failed list after the last.
type Handler func(ctx context.Context, j Job) error

type waitError struct{ d time.Duration }

// Error names the wait.
func (w waitError) Error() string { return "look again after " + w.d.String() }

// Wait is returned by a handler whose answer is not there yet: the job is run
// again after d and loses no attempt.
func Wait(d time.Duration) error { return waitError{d} }

type stopError struct{ err error }

// Error is the cause's.
func (s stopError) Error() string { return s.err.Error() }

// Unwrap returns the cause.
func (s stopError) Unwrap() error { return s.err }

// Stop is returned by a handler that knows that no retry will help.
func Stop(err error) error {
	if err == nil {
		return nil
	}
	return stopError{err}
}
