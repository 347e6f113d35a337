package casework

import (
	"context"
	"fmt"

	"haoban/casework/deadline"
	"haoban/platform/db"
)

// The kinds of event that move the legal clock.
const (
	evAccepted = "accepted" // 受理: the clock starts
	evPaused   = "paused"   // a lawful stop (许可法第四十五条 and the like)
	evResumed  = "resumed"
	evExtended = "extended"
	evClosed   = "closed"
	evStopped  = "stopped"
)

// rule is the limit of the matter as frozen into the case.
func rule(l limitOf) deadline.Rule {
	return deadline.Rule{Unit: l.Unit, Days: l.Promised, HardMax: l.Legal, Basis: l.Basis}
}

type limitOf struct {
	Unit            string
	Promised, Legal int
	Basis           string
}

// clockEvents picks what the legal clock is computed from. What ends before it
// was accepted (不予受理, 撤件) never had a clock.
func clockEvents(all []Event) []deadline.Event {
	var out []deadline.Event
	for _, e := range all {
		d := deadline.Event{At: db.Time(e.At), Reason: e.Reason}
		if b, ok := e.Data["basis"].(string); ok {
			d.Basis = b
		}
		switch e.Kind {
		case evAccepted:
			d.Kind = deadline.Start
		case evPaused:
			d.Kind = deadline.Pause
		case evResumed:
			d.Kind = deadline.Resume
		case evExtended:
			d.Kind = deadline.Extend
			if n, ok := e.Data["days"].(float64); ok {
				d.Days = int(n)
			} else if n, ok := e.Data["days"].(int); ok {
				d.Days = n
			}
		case evClosed, evStopped:
			d.Kind = deadline.Stop
		default:
			continue
		}
		if d.Kind != deadline.Start && len(out) == 0 {
			continue
		}
		out = append(out, d)
	}
	return out
}

// Due computes the clock of a case from its events, explained day by day.
func (s *Service) Due(snap *Snapshot, all []Event) (deadline.Due, error) {
	l := snap.M.Limit
	return deadline.Compute(s.Calendar(), rule(limitOf{l.Unit, l.Promised, l.Legal, l.Basis}), clockEvents(all), s.o.DB.Clock().Now())
}

// reckon recomputes the due day after a clock event and stores it on the case,
// where lists sort by it.
func (w *Work) reckon(ctx context.Context) error {
	var past []Event
	if !w.fresh {
		var err error
		if past, err = w.s.Events(ctx, w.Tx, w.ID); err != nil {
			return err
		}
	}
	l := w.M.Limit
	due, err := deadline.Compute(w.s.Calendar(), rule(limitOf{l.Unit, l.Promised, l.Legal, l.Basis}),
		clockEvents(append(past, w.events...)), w.Now())
	if err != nil {
		return fmt.Errorf("reckon: %w", err)
	}
	w.Paused, w.Due = due.Paused, NoDue
	if due.Running() {
		w.Due = db.MS(endOf(due.Day))
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE cw_task SET due = $1 WHERE case_id = $2 AND state IN ('open','claimed','held')`, w.Due, w.ID); err != nil {
		return fmt.Errorf("reckon: %w", err)
	}
	return nil
}
