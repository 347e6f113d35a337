package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"haoban/platform/db"
	"haoban/platform/errs"
)

// Errors of the list of failures.
var (
	// ErrNotFound says that there is no such job.
	ErrNotFound = errs.New(errs.NotFound, "job.none", "没有这条任务")
	// ErrNotFailed says that the job is not in the list of failures (any more).
	ErrNotFailed = errs.New(errs.Conflict, "job.notfailed", "这条任务不在失败列表中，请刷新后再看")
)

// Page asks for part of the list of failures.
type Page struct {
	Kind   string // only this kind; empty is all
	Target string // only this target; empty is all
	After  string // the ID of the last one of the page before; empty begins
	Limit  int    // at most so many, 0 is 50, 500 at most
}

// Failure is a job that needs a person.
type Failure struct {
	Job
	Code   string    // of the last error
	Error  string    // the last error
	Failed time.Time // wall time of the last try
}

// Failed lists what finally failed, newest job first. A page shorter than its
// Limit is the last.
func (q *Queue) Failed(ctx context.Context, p Page) (out []Failure, err error) {
	if p.Limit <= 0 {
		p.Limit = 50
	}
	args := []any{min(p.Limit, 500)}
	where := ""
	cond := func(c string, v string) {
		if v != "" {
			args = append(args, v)
			where += fmt.Sprintf(" AND "+c+" $%d", len(args))
		}
	}
	cond("kind =", p.Kind)
	cond("target =", p.Target)
	cond("id <", p.After)
	rows, err := q.d.Q().Query(ctx, `SELECT id, kind, target, coalesce(key, ''), args, attempt, waits, created_at,
			code, error, changed_at
		FROM job_job WHERE state = 'failed'`+where+` ORDER BY id DESC LIMIT $1`, args...)
	if err != nil {
		return nil, fmt.Errorf("failed jobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var f Failure
		var text string
		var created, at int64
		if err := rows.Scan(&f.ID, &f.Kind, &f.Target, &f.Key, &text, &f.Attempt, &f.Waits, &created,
			&f.Code, &f.Error, &at); err != nil {
			return nil, fmt.Errorf("failed jobs: %w", err)
		}
		f.Args, f.Created, f.Failed = json.RawMessage(text), db.Time(created), db.Time(at)
		out = append(out, f)
	}
	return out, rows.Err()
}

// Retry sends a failed job again with all its attempts. It returns ErrNotFound
// or ErrNotFailed.
func (q *Queue) Retry(ctx context.Context, tx *db.Tx, id string) error {
	now := q.now()
	err := q.change(ctx, tx, id, `UPDATE job_job SET state = 'ready', business = FALSE, run_at = $2, attempt = 0,
		lost = 0, changed_at = $2 WHERE id = $1 AND state = 'failed'`, now)
	if err == nil {
		tx.AfterCommit(q.Kick)
	}
	return err
}

// RetryAll sends again every failed job that p's Kind and Target choose and
// returns how many.
func (q *Queue) RetryAll(ctx context.Context, tx *db.Tx, p Page) (int, error) {
	r, err := tx.Exec(ctx, `UPDATE job_job SET state = 'ready', business = FALSE, run_at = $1, attempt = 0,
		lost = 0, changed_at = $1 WHERE state = 'failed' AND ($2 = '' OR kind = $2) AND ($3 = '' OR target = $3)`,
		q.now(), p.Kind, p.Target)
	if err != nil {
		return 0, fmt.Errorf("retry jobs: %w", err)
	}
	n, err := r.RowsAffected()
	tx.AfterCommit(q.Kick)
	return int(n), err
}

// Mend replaces the arguments of a failed job, which stays in the list until
// Retry. It returns ErrNotFound or ErrNotFailed.
func (q *Queue) Mend(ctx context.Context, tx *db.Tx, id string, args any) error {
	text, err := encode(args)
	if err != nil {
		return errs.New(errs.Invalid, "job.args", "任务参数不符合要求，请核对后修改").Wrap(err)
	}
	return q.change(ctx, tx, id,
		"UPDATE job_job SET args = $2, changed_at = $3 WHERE id = $1 AND state = 'failed'", text, q.now())
}

// Discard takes a failed job off the list for good and keeps the reason. It
// returns ErrNotFound or ErrNotFailed.
func (q *Queue) Discard(ctx context.Context, tx *db.Tx, id, reason string) error {
	return q.change(ctx, tx, id, `UPDATE job_job SET state = 'discarded', error = $2, changed_at = $3
		WHERE id = $1 AND state = 'failed'`, reason, q.now())
}

// change runs an update of one failed job.
func (q *Queue) change(ctx context.Context, tx *db.Tx, id, sql string, args ...any) error {
	r, err := tx.Exec(ctx, sql, append([]any{id}, args...)...)
	if err != nil {
		return fmt.Errorf("job %s: %w", id, err)
	}
	n, err := r.RowsAffected()
	if err != nil || n == 1 {
		return err
	}
	var state string
	switch err := tx.QueryRow(ctx, "SELECT state FROM job_job WHERE id = $1", id).Scan(&state); {
	case errors.Is(err, db.ErrNoRows):
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("job %s: %w", id, err)
	}
	return ErrNotFailed
}

// Target is an outside system as the queue sees it.
type Target struct {
	Name  string
	Open  bool      // its breaker is open: nothing is sent but a probe
	Until time.Time // when the next probe may go, if open
	Trips int       // times in a row it was not to be reached
	Error string    // why
	Since time.Time // when that began or ended
}

// Targets lists every target that ever had a job.
func (q *Queue) Targets(ctx context.Context) (out []Target, err error) {
	rows, err := q.d.Q().Query(ctx, `SELECT target, state, trips, open_until, error, changed_at
		FROM job_target WHERE target <> '' ORDER BY `+q.d.Dialect().Ordered("target"))
	if err != nil {
		return nil, fmt.Errorf("targets: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t Target
		var state string
		var until, at int64
		if err := rows.Scan(&t.Name, &state, &t.Trips, &until, &t.Error, &at); err != nil {
			return nil, fmt.Errorf("targets: %w", err)
		}
		t.Open, t.Since = state != closed, db.Time(at)
		if t.Open {
			t.Until = db.Time(until)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// Probe lets an open breaker's next probe go at once. It does nothing to one
// that is closed.
func (q *Queue) Probe(ctx context.Context, tx *db.Tx, target string) error {
	_, err := tx.Exec(ctx, "UPDATE job_target SET open_until = $2 WHERE target = $1 AND state = 'open'", target, q.now())
	if err != nil {
		return fmt.Errorf("target %s: %w", target, err)
	}
	tx.AfterCommit(q.Kick)
	return nil
}

// Stats is the state of the queue, for metrics.
type Stats struct {
	Counts map[string]map[string]int // by kind, then ready, running, failed
	Oldest time.Duration             // how long the oldest due job has waited
	Open   []string                  // targets whose breaker is open
}

// Stats counts the queue. It reads every job that is not over.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Counts: map[string]map[string]int{}}
	err := q.d.Read(ctx, func(r db.Querier) error {
		if err := s.count(ctx, r); err != nil {
			return err
		}
		var oldest *int64
		now := q.now()
		if err := r.QueryRow(ctx, `SELECT min(run_at) FROM job_job
			WHERE state = 'ready' AND NOT business AND run_at <= $1`, now).Scan(&oldest); err != nil {
			return err
		}
		if oldest != nil {
			s.Oldest = time.Duration(now-*oldest) * time.Millisecond
		}
		return nil
	})
	if err != nil {
		return Stats{}, fmt.Errorf("queue: %w", err)
	}
	ts, err := q.Targets(ctx)
	for _, t := range ts {
		if t.Open {
			s.Open = append(s.Open, t.Name)
		}
	}
	return s, err
}

func (s *Stats) count(ctx context.Context, r db.Querier) (err error) {
	rows, err := r.Query(ctx, `SELECT kind, state, count(*) FROM job_job
		WHERE state IN ('ready', 'running', 'failed') GROUP BY kind, state`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var kind, state string
		var n int
		if err := rows.Scan(&kind, &state, &n); err != nil {
			return err
		}
		if s.Counts[kind] == nil {
			s.Counts[kind] = map[string]int{}
		}
		s.Counts[kind][state] = n
	}
	return rows.Err()
}
