package job

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"haoban/platform/db"
	"haoban/platform/errs"
)

// due is a target with work that could be taken now.
type due struct {
	target string
	state  string
}

// due lists the targets that have due work and may be talked to, in an order
// that changes from call to call.
func (r *Runner) due(ctx context.Context) (out []due, err error) {
	wall, business := r.q.now(), db.MS(r.q.d.Clock().Now())
	rows, err := r.q.d.Q().Query(ctx, `SELECT t.target, t.state FROM job_target t
		WHERE (t.state = 'closed' OR t.open_until <= $1) AND (
			EXISTS (SELECT 1 FROM job_job j WHERE j.target = t.target AND j.business = FALSE AND j.run_at <= $1 AND j.state = 'ready')
			OR EXISTS (SELECT 1 FROM job_job j WHERE j.target = t.target AND j.business = TRUE AND j.run_at <= $2 AND j.state = 'ready'))
		ORDER BY t.target`, wall, business)
	if err != nil {
		return nil, fmt.Errorf("due targets: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	busy := r.busy()
	for rows.Next() {
		var d due
		if err := rows.Scan(&d.target, &d.state); err != nil {
			return nil, fmt.Errorf("due targets: %w", err)
		}
		if d.target == "" || busy[d.target] < r.o.PerTarget {
			out = append(out, d)
		}
	}
	if err := rows.Err(); err != nil || len(out) < 2 {
		return out, err
	}
	r.turn++
	k := r.turn % len(out)
	return slices.Concat(out[k:], out[:k]), nil
}

// busy counts the jobs under way by target.
func (r *Runner) busy() map[string]int {
	busy := map[string]int{}
	for _, t := range r.held {
		busy[t.Target]++
	}
	for _, f := range r.finished {
		busy[f.t.Target]--
	}
	return busy
}

// claim takes up to free jobs of the targets in tx.
func (r *Runner) claim(ctx context.Context, tx *db.Tx, targets []due, free int) ([]*task, error) {
	busy := r.busy()
	var out []*task
	for i, d := range targets {
		// An even share of what is left, so that one target's heap of work
		// does not push the others to the end.
		left := free - len(out)
		n := (left + len(targets) - i - 1) / (len(targets) - i)
		if d.target != "" {
			n = min(n, r.o.PerTarget-busy[d.target])
		}
		if n <= 0 {
			continue
		}
		probe := false
		if d.state != closed {
			ok, err := r.mayProbe(ctx, tx, d.target)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			probe, n = true, 1
		}
		got, err := r.take(ctx, tx, d.target, n, probe)
		if err != nil {
			return nil, fmt.Errorf("claim jobs: %w", err)
		}
		if probe && len(got) == 1 {
			got[0].probe = true
			if _, err := tx.Exec(ctx, "UPDATE job_target SET state = 'probing', open_until = $2, changed_at = $3 WHERE target = $1",
				d.target, r.q.now()+r.o.Lease.Milliseconds(), r.q.now()); err != nil {
				return nil, fmt.Errorf("claim jobs: %w", err)
			}
		}
		out = append(out, got...)
	}
	return out, nil
}

// mayProbe locks the target and tells whether its breaker lets a probe through
// now.
func (r *Runner) mayProbe(ctx context.Context, tx *db.Tx, target string) (bool, error) {
	var state string
	var until int64
	err := tx.QueryRow(ctx, "SELECT state, open_until FROM job_target WHERE target = $1"+tx.Dialect().SkipLocked(), target).
		Scan(&state, &until)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil // another runner has it
	}
	if err != nil {
		return false, fmt.Errorf("target %s: %w", target, err)
	}
	return state != closed && until <= r.q.now(), nil
}

// take takes up to n due jobs of one target: unless they are a probe, only
// while its breaker is closed.
func (r *Runner) take(ctx context.Context, tx *db.Tx, target string, n int, probe bool) ([]*task, error) {
	gate := " AND EXISTS (SELECT 1 FROM job_target WHERE target = $4 AND state = 'closed')"
	if probe || target == "" {
		gate = ""
	}
	wall, business := r.q.now(), db.MS(r.q.d.Clock().Now())
	out, err := r.takeBy(ctx, tx, target, "FALSE"+gate, wall, n)
	if err != nil || len(out) == n {
		return out, err
	}
	more, err := r.takeBy(ctx, tx, target, "TRUE"+gate, business, n-len(out))
	return append(out, more...), err
}

func (r *Runner) takeBy(ctx context.Context, tx *db.Tx, target, business string, now int64, n int) (out []*task, err error) {
	args := []any{r.id, r.q.now() + r.o.Lease.Milliseconds(), r.q.now(), target, now, n}
	for _, k := range r.kinds {
		args = append(args, k)
	}
	if len(r.kinds) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `WITH next AS (SELECT id FROM job_job
			WHERE state = 'ready' AND target = $4 AND business = `+business+` AND run_at <= $5 AND kind IN (`+
		binds(7, len(r.kinds))+`) ORDER BY run_at, id LIMIT $6`+tx.Dialect().SkipLocked()+`)
		UPDATE job_job SET state = 'running', lease_by = $1, lease_until = $2, changed_at = $3
		WHERE id IN (SELECT id FROM next)
		RETURNING id, kind, target, coalesce(key, ''), args, attempt, waits, created_at`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t := &task{}
		var text string
		var created int64
		if err := rows.Scan(&t.ID, &t.Kind, &t.Target, &t.Key, &text, &t.Attempt, &t.Waits, &created); err != nil {
			return nil, err
		}
		t.Args, t.Created = json.RawMessage(text), db.Time(created)
		t.Attempt++
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *task) int { return cmp.Compare(a.ID, b.ID) })
	return out, rows.Err()
}

func binds(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

// settle records how the jobs of results went.
func (r *Runner) settle(ctx context.Context, tx *db.Tx, results []result) error {
	var plain, keyed []any
	for _, f := range results {
		switch {
		case f.err != nil:
		case f.t.Key == "":
			plain = append(plain, f.t.ID)
		default:
			keyed = append(keyed, f.t.ID)
		}
	}
	if err := r.finish(ctx, tx, "DELETE FROM job_job", plain); err != nil {
		return err
	}
	if err := r.finish(ctx, tx, "UPDATE job_job SET state = 'done', changed_at = $2, lease_by = ''", keyed); err != nil {
		return err
	}
	for _, f := range results {
		if f.err != nil {
			if err := r.unfinished(ctx, tx, f); err != nil {
				return fmt.Errorf("record job %s: %w", f.t.ID, err)
			}
		}
		if err := r.breaker(ctx, tx, f); err != nil {
			return fmt.Errorf("breaker of %s: %w", f.t.Target, err)
		}
	}
	return nil
}

// finish runs one statement over all ids that are still ours.
func (r *Runner) finish(ctx context.Context, tx *db.Tx, sql string, ids []any) error {
	if len(ids) == 0 {
		return nil
	}
	args := []any{r.id}
	if strings.Contains(sql, "$2") {
		args = append(args, r.q.now())
	}
	sql += " WHERE lease_by = $1 AND state = 'running' AND id IN (" + binds(len(args)+1, len(ids)) + ")"
	res, err := tx.Exec(ctx, sql, append(args, ids...)...)
	if err != nil {
		return fmt.Errorf("record jobs: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && int(n) < len(ids) {
		slog.Warn("job: finished after the lease was lost, they run again", "jobs", len(ids)-int(n))
	}
	return err
}

// unfinished records a job that is not done.
func (r *Runner) unfinished(ctx context.Context, tx *db.Tx, f result) error {
	now := r.q.now()
	state, at := ready, now
	attempt, waits := f.t.Attempt-1, f.t.Waits
	code, text := errs.CodeOf(f.err), f.err.Error()
	var wait waitError
	var stop stopError
	switch {
	case r.released(f.t, f.err):
		code, text = "", ""
	case errors.As(f.err, &wait):
		at, code, text = now+max(wait.d, 0).Milliseconds(), "", ""
		waits++
	case errors.As(f.err, &stop):
		attempt++
		state = failed
	case errs.KindOf(f.err) == errs.Unavailable:
		waits++
		if f.t.Target == "" { // no breaker holds it back
			at = now + min(time.Minute, r.o.BreakMax).Milliseconds()
		}
	default:
		attempt++
		if attempt > len(r.o.Backoff) {
			state = failed
		} else {
			at = now + r.o.Backoff[attempt-1].Milliseconds()
		}
	}
	if state == failed {
		slog.Error("job: failed for good", "kind", f.t.Kind, "job", f.t.ID, "tries", attempt, "err", f.err)
	}
	_, err := tx.Exec(ctx, `UPDATE job_job SET state = $1, business = FALSE, run_at = $2, attempt = $3, waits = $4,
			lease_by = '', code = $5, error = $6, changed_at = $7
		WHERE id = $8 AND lease_by = $9 AND state = 'running'`,
		state, at, attempt, waits, code, short(text), now, f.t.ID, r.id)
	return err
}

// breaker opens or closes the breaker of the job's target.
func (r *Runner) breaker(ctx context.Context, tx *db.Tx, f result) error {
	if f.t.Target == "" {
		return nil
	}
	now := r.q.now()
	var wait waitError
	switch {
	case f.err != nil && r.released(f.t, f.err):
		if !f.t.probe {
			return nil
		}
		_, err := tx.Exec(ctx, "UPDATE job_target SET state = 'open', open_until = $2 WHERE target = $1 AND state = 'probing'",
			f.t.Target, now)
		return err
	case f.err == nil || errors.As(f.err, &wait) || errs.KindOf(f.err) != errs.Unavailable:
		if !f.t.probe { // an answer from before the outage proves nothing
			return nil
		}
		slog.Info("job: target answers again", "target", f.t.Target)
		_, err := tx.Exec(ctx, `UPDATE job_target SET state = 'closed', trips = 0, open_until = 0, error = '', changed_at = $2
			WHERE target = $1 AND state = 'probing'`, f.t.Target, now)
		return err
	}
	var state string
	var trips int
	if err := tx.QueryRow(ctx, "SELECT state, trips FROM job_target WHERE target = $1"+tx.Dialect().ForUpdate(), f.t.Target).
		Scan(&state, &trips); err != nil {
		return err
	}
	if state == open || (state == probing && !f.t.probe) {
		return nil // it is known
	}
	rest := min(r.o.Break<<min(trips, 20), r.o.BreakMax)
	if rest <= 0 {
		rest = r.o.BreakMax
	}
	slog.Warn("job: target does not answer", "target", f.t.Target, "again_in", rest, "err", f.err)
	_, err := tx.Exec(ctx, "UPDATE job_target SET state = 'open', trips = $2, open_until = $3, error = $4, changed_at = $5 WHERE target = $1",
		f.t.Target, trips+1, now+rest.Milliseconds(), short(f.err.Error()), now)
	return err
}

// reap gives back the jobs of processes that are gone.
func (r *Runner) reap(ctx context.Context) {
	now := r.q.now()
	var n int
	err := r.q.d.Q().QueryRow(ctx, "SELECT count(*) FROM job_job WHERE state = 'running' AND lease_until < $1", now).Scan(&n)
	if err == nil && n > 0 {
		err = r.q.d.Group(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE job_job SET lost = lost + 1, lease_by = '', run_at = $1, business = FALSE, changed_at = $1,
					state = CASE WHEN lost + 1 >= $2 THEN 'failed' ELSE 'ready' END,
					code = CASE WHEN lost + 1 >= $2 THEN 'job.lost' ELSE code END,
					error = CASE WHEN lost + 1 >= $2 THEN 'the process died under it each time' ELSE error END
				WHERE state = 'running' AND lease_until < $1`, now, r.o.MaxLost)
			return err
		})
		slog.Warn("job: took back jobs whose process is gone", "jobs", n)
	}
	if err != nil {
		slog.Error("job: leases not looked at", "err", err)
	}
}

// purge forgets what was over long ago.
func (r *Runner) purge(ctx context.Context) error {
	for {
		var n int64
		err := r.q.d.Tx(ctx, func(tx *db.Tx) error {
			res, err := tx.Exec(ctx, `DELETE FROM job_job WHERE id IN (SELECT id FROM job_job
				WHERE state IN ('done', 'discarded') AND changed_at < $1 LIMIT 1000)`, r.q.now()-r.o.KeepDone.Milliseconds())
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n < 1000 {
			return err
		}
	}
}

// short keeps an error to a length that a list can show, in whole characters.
func short(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "?")
	const most = 2000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
