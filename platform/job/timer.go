package job

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"haoban/platform/db"
)

// Timer is something done again and again: Run is called every Every of wall
// time by one process of all that share the database, the first time at once.
// A run that takes longer than Every delays the next; one that fails or
// panics is logged and tried again when it is due again.
type Timer struct {
	Name  string
	Every time.Duration
	Run   func(ctx context.Context) error
}

// timetable runs the timers until ctx ends; those under way get work's end.
func (r *Runner) timetable(ctx, work context.Context) {
	timers := append([]Timer{{Name: "job.purge", Every: time.Hour, Run: r.purge}}, r.o.Every...)
	var wg sync.WaitGroup
	for _, t := range timers {
		wg.Go(func() { r.tick(ctx, work, t) })
	}
	wg.Wait()
}

// tick looks after one timer.
func (r *Runner) tick(ctx, work context.Context, t Timer) {
	pause := max(min(r.o.Poll, t.Every), time.Millisecond)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		mine, err := r.takeTimer(work, t)
		if err == nil && mine {
			err = r.runTimer(work, t)
		}
		if err != nil && work.Err() == nil {
			slog.Error("job: timer", "timer", t.Name, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// takeTimer takes the lease of t if it is due and free.
func (r *Runner) takeTimer(ctx context.Context, t Timer) (bool, error) {
	now := r.q.now()
	var n int
	err := r.q.d.Q().QueryRow(ctx, "SELECT count(*) FROM job_timer WHERE name = $1 AND (next_at > $2 OR lease_until > $2)",
		t.Name, now).Scan(&n)
	if err != nil || n > 0 {
		return false, err
	}
	mine := false
	err = r.q.d.Group(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO job_timer (name, next_at, lease_by, lease_until, ran_at, error)
			VALUES ($1, $2, '', 0, 0, '') ON CONFLICT (name) DO NOTHING`, t.Name, now); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `UPDATE job_timer SET lease_by = $1, lease_until = $2
			WHERE name = $3 AND next_at <= $4 AND lease_until <= $4`, r.id, now+r.o.Lease.Milliseconds(), t.Name, now)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		mine = n == 1
		return err
	})
	return mine, err
}

// runTimer runs t under its lease and records the end.
func (r *Runner) runTimer(work context.Context, t Timer) error {
	began := r.q.now()
	ctx, cancel := context.WithCancel(work)
	over := make(chan error, 1)
	go func() { over <- guarded(ctx, t) }()
	beat := time.NewTicker(r.o.Lease / 3)
	defer beat.Stop()
	var result error
wait:
	for {
		select {
		case result = <-over:
			break wait
		case <-beat.C:
			if mine, err := r.leaseTimer(work, t, "lease_until = $3", r.q.now()+r.o.Lease.Milliseconds()); err == nil && !mine {
				slog.Warn("job: timer's lease lost while running", "timer", t.Name)
				cancel()
			}
		}
	}
	cancel()
	text := ""
	if result != nil {
		text = short(result.Error())
	}
	now := r.q.now()
	if result != nil && work.Err() != nil { // cut short: whoever comes next begins again
		_, err := r.leaseTimer(context.WithoutCancel(work), t, "lease_by = '', lease_until = 0")
		return err
	}
	_, err := r.leaseTimer(context.WithoutCancel(work), t,
		"lease_by = '', lease_until = 0, next_at = $3, ran_at = $4, error = $5",
		max(began+t.Every.Milliseconds(), now), now, text)
	if result != nil {
		return result
	}
	return err
}

// leaseTimer updates t if it is still ours.
func (r *Runner) leaseTimer(ctx context.Context, t Timer, set string, args ...any) (mine bool, err error) {
	err = r.q.d.Group(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(ctx, "UPDATE job_timer SET "+set+" WHERE name = $1 AND lease_by = $2",
			append([]any{t.Name, r.id}, args...)...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		mine = n == 1
		return err
	})
	return mine, err
}

// guarded runs t and turns a panic into an error.
func guarded(ctx context.Context, t Timer) (err error) {
	ended := false
	defer func() {
		if !ended {
			p := recover()
			slog.Error("job: timer panicked", "timer", t.Name, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	err = t.Run(ctx)
	ended = true
	return err
}
