package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"haoban/casework/process"
	"haoban/platform/calendar"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/job"
)

// maxDepth bounds how many automatic steps one command may take, so that a
// process drawn in a circle of service tasks is refused and not endless.
const maxDepth = 200

// JobVerb is the kind of job that carries an asynchronous verb.
const JobVerb = "case.verb"

func splitVerb(s string) (verb, args string) {
	verb, args, _ = strings.Cut(s, ":")
	return verb, args
}

// Step puts one input to the walker and carries out its effects inside the
// transaction.
func (w *Work) Step(ctx context.Context, in process.Input) error {
	if w.depth++; w.depth > maxDepth {
		return errs.New(errs.Internal, "process.endless", "流程走了太多自动步骤，请联系管理员")
	}
	next, effects, err := w.M.Flow.Step(w.State, in, process.Env{
		Form: w.form, Case: w.Env().Case,
	})
	if err != nil {
		return err
	}
	w.State = next
	var calls []Call
	for _, e := range effects {
		switch e.Kind {
		case process.CreateTask:
			err = w.createTask(ctx, e)
		case process.CancelTask:
			err = w.cancelTask(ctx, e.Key)
		case process.CallService:
			verb, args := splitVerb(e.Verb)
			calls = append(calls, Call{Key: e.Key, Node: e.Node, Verb: verb, Args: args})
		case process.AwaitMessage:
			err = w.await(ctx, e)
		case process.CancelMessage:
			_, err = w.Tx.Exec(ctx, `DELETE FROM cw_wait WHERE case_id = $1 AND tkey = $2`, w.ID, e.Key)
		case process.SetTimer:
			err = w.setTimer(ctx, e)
		case process.CancelTimer:
			_, err = w.Tx.Exec(ctx, `DELETE FROM cw_timer WHERE case_id = $1 AND tkey = $2`, w.ID, e.Key)
		case process.Took:
			if w.s.o.Trace != nil {
				w.s.o.Trace(w.Matter, e.Flow)
			}
		case process.CancelService, process.Entered, process.Returned, process.Failed, process.Ended, process.Cancelled:
			// The service's answer will find no token and is dropped; the others
			// are told for watchers only.
		}
		if err != nil {
			return fmt.Errorf("%s at %s: %w", e.Kind, e.Node, err)
		}
	}
	for _, c := range calls {
		if err := w.call(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (w *Work) call(ctx context.Context, c Call) error {
	v, ok := w.s.o.Verbs[c.Verb]
	if !ok {
		return fmt.Errorf("verb %s is not known", c.Verb)
	}
	if v.Do == nil {
		return w.s.o.Queue.Enqueue(ctx, w.Tx, job.New{
			Kind: JobVerb, Target: v.Target, Key: w.ID + "/" + c.Key,
			Args: verbJob{Case: w.ID, Key: c.Key, Node: c.Node, Verb: c.Verb, Args: c.Args},
		})
	}
	vars, err := v.Do(ctx, w, c)
	if err != nil {
		return err
	}
	return w.Step(ctx, process.ServiceDone{Key: c.Key, Vars: vars})
}

type verbJob struct {
	Case, Key, Node, Verb, Args string
}

// WorkVerb carries out one asynchronous verb: outside any transaction first,
// then its outcome inside one. Running it twice is safe: the second time the
// token has moved on.
func (s *Service) WorkVerb(ctx context.Context, j job.Job) error {
	var a verbJob
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return fmt.Errorf("verb job: %w", err)
	}
	v, ok := s.o.Verbs[a.Verb]
	if !ok || v.Async == nil {
		return fmt.Errorf("verb %s is not known", a.Verb)
	}
	snap, err := s.Snapshot(ctx, a.Case)
	if err != nil {
		return err
	}
	if !snap.M.Flow.Awaits(snap.State, a.Key) {
		return nil
	}
	call := Call{Key: a.Key, Node: a.Node, Verb: a.Verb, Args: a.Args}
	finish, err := v.Async(ctx, s, snap, call)
	if err != nil {
		return err
	}
	return s.System(ctx, a.Case, func(ctx context.Context, w *Work) error {
		if !w.M.Flow.Awaits(w.State, a.Key) {
			return nil
		}
		vars, err := finish(ctx, w)
		if err != nil {
			return err
		}
		return w.Step(ctx, process.ServiceDone{Key: a.Key, Vars: vars})
	})
}

// System does something to a case as the house itself, in one transaction.
func (s *Service) System(ctx context.Context, id string, fn func(context.Context, *Work) error) error {
	return s.o.DB.Group(ctx, func(tx *db.Tx) error { return s.SystemTx(ctx, tx, id, fn) })
}

// SystemTx is System inside the caller's transaction, as a callback's inbox
// needs it.
func (s *Service) SystemTx(ctx context.Context, tx *db.Tx, id string, fn func(context.Context, *Work) error) error {
	w, err := s.load(ctx, tx, id, true)
	if err != nil {
		return err
	}
	w.Actor = ident.System("系统")
	if err := fn(ctx, w); err != nil {
		return err
	}
	for _, m := range w.Mates() {
		if err := m.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

// await parks a token for a message, or feeds it at once if the message came
// early and is kept.
func (w *Work) await(ctx context.Context, e process.Effect) error {
	var id, vars string
	err := w.Tx.QueryRow(ctx, `SELECT id, vars FROM cw_message WHERE case_id = $1 AND name = $2 AND taken = $3 ORDER BY id LIMIT 1`,
		w.ID, e.Name, false).Scan(&id, &vars)
	if noRows(err) {
		_, err = w.Tx.Exec(ctx, `INSERT INTO cw_wait (case_id, tkey, name) VALUES ($1,$2,$3)`, w.ID, e.Key, e.Name)
		return err
	}
	if err != nil {
		return err
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE cw_message SET taken = $1 WHERE id = $2`, true, id); err != nil {
		return err
	}
	v := map[string]any{}
	if err := json.Unmarshal([]byte(vars), &v); err != nil {
		return err
	}
	return w.Step(ctx, process.Message{Name: e.Name, Key: e.Key, Vars: v})
}

// Tell gives the process a message. If no token waits for it yet it is kept
// until one does, so an early callback is never lost.
func (w *Work) Tell(ctx context.Context, name string, vars map[string]any) error {
	var key string
	err := w.Tx.QueryRow(ctx, `SELECT tkey FROM cw_wait WHERE case_id = $1 AND name = $2 ORDER BY tkey LIMIT 1`, w.ID, name).Scan(&key)
	if noRows(err) {
		_, err = w.Tx.Exec(ctx, `INSERT INTO cw_message (id, case_id, name, vars, at, taken) VALUES ($1,$2,$3,$4,$5,$6)`,
			db.NewID(), w.ID, name, toJSON(vars), w.Tx.NowMS(), false)
		return err
	}
	if err != nil {
		return fmt.Errorf("message %s: %w", name, err)
	}
	if _, err := w.Tx.Exec(ctx, `DELETE FROM cw_wait WHERE case_id = $1 AND tkey = $2`, w.ID, key); err != nil {
		return fmt.Errorf("message %s: %w", name, err)
	}
	return w.Step(ctx, process.Message{Name: name, Key: key, Vars: vars})
}

// setTimer turns a timer's duration into a moment. A timer in working days ends
// at midnight after the last of them; P0D ends tonight.
func (w *Work) setTimer(ctx context.Context, e process.Effect) error {
	now := w.Now()
	var at time.Time
	switch {
	case e.At != "":
		day, err := calendar.ParseDate(e.At)
		if err == nil {
			at = endOf(day)
		} else if at, err = time.Parse(time.RFC3339, e.At); err != nil {
			return fmt.Errorf("timer %s: %w", e.Node, err)
		}
	case e.WorkDays:
		day, err := w.s.Calendar().Add(calendar.DateOf(now), e.Days)
		if err != nil {
			return err
		}
		at = endOf(day)
	case e.Days > 0 || e.Duration == 0:
		at = endOf(calendar.DateOf(now).AddDays(e.Days))
	default:
		at = now.Add(e.Duration)
	}
	_, err := w.Tx.Exec(ctx, `INSERT INTO cw_timer (case_id, tkey, node, at) VALUES ($1,$2,$3,$4)
		ON CONFLICT (case_id, tkey) DO UPDATE SET at = excluded.at`, w.ID, e.Key, e.Node, db.MS(at))
	return err
}

// resumeTimers gives the timers of a case the working days back that a 补正
// before acceptance took: who was told in time what is missing is not deemed
// accepted while it is missing, nor the moment it is there.
func (w *Work) resumeTimers(ctx context.Context) error {
	var since int64
	if err := w.Tx.QueryRow(ctx, `SELECT coalesce(max(at), 0) FROM cw_event WHERE case_id = $1 AND kind = 'supplement'`, w.ID).Scan(&since); err != nil {
		return fmt.Errorf("timers: %w", err)
	}
	at, err := w.timers(ctx)
	if err != nil {
		return err
	}
	today := calendar.DateOf(w.Now())
	for key, end := range at {
		day := today
		for d := calendar.DateOf(db.Time(since)); d.Before(calendar.DateOf(db.Time(end))); {
			if d, err = w.s.Calendar().Add(d, 1); err != nil {
				return err
			}
			if day, err = w.s.Calendar().Add(day, 1); err != nil {
				return err
			}
		}
		if _, err := w.Tx.Exec(ctx, `UPDATE cw_timer SET at = $1 WHERE case_id = $2 AND tkey = $3`, db.MS(endOf(day)), w.ID, key); err != nil {
			return fmt.Errorf("timers: %w", err)
		}
	}
	return nil
}

// endOf is the last millisecond of a civil day in Shanghai.
func endOf(d calendar.Date) time.Time { return d.End().Add(-time.Millisecond) }

// FireTimers feeds every timer that is due by the business clock and returns
// how many fired. A timer that fails is left for the next round.
func (s *Service) FireTimers(ctx context.Context) (int, error) {
	all, err := s.dueTimers(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	var bad error
	for _, d := range all {
		err := s.System(ctx, d.id, func(ctx context.Context, w *Work) error {
			if w.Phase == Supplement {
				return nil // asked in between
			}
			r, err := w.Tx.Exec(ctx, `DELETE FROM cw_timer WHERE case_id = $1 AND tkey = $2`, d.id, d.key)
			if err != nil {
				return err
			}
			if k, err := r.RowsAffected(); err != nil || k == 0 {
				return err // another node was quicker
			}
			return w.Step(ctx, process.Timer{Key: d.key})
		})
		if err != nil {
			bad = errors.Join(bad, fmt.Errorf("timer of %s: %w", d.id, err))
			continue
		}
		n++
	}
	return n, bad
}

// dueTimer is a timer whose moment has come.
type dueTimer struct{ id, key string }

func (s *Service) dueTimers(ctx context.Context) (out []dueTimer, err error) {
	rows, err := s.o.DB.Q().Query(ctx, `SELECT case_id, tkey FROM cw_timer WHERE at <= $1 ORDER BY at LIMIT 500`, db.MS(s.o.DB.Clock().Now()))
	if err != nil {
		return nil, fmt.Errorf("timers: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d dueTimer
		if err := rows.Scan(&d.id, &d.key); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// timers are the ends of the timers of a case, by key.
func (w *Work) timers(ctx context.Context) (out map[string]int64, err error) {
	rows, err := w.Tx.Query(ctx, `SELECT tkey, at FROM cw_timer WHERE case_id = $1`, w.ID)
	if err != nil {
		return nil, fmt.Errorf("timers: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[string]int64{}
	for rows.Next() {
		var key string
		var end int64
		if err := rows.Scan(&key, &end); err != nil {
			return nil, err
		}
		out[key] = end
	}
	return out, rows.Err()
}
