package casework

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"haoban/platform/db"
	"haoban/platform/ident"
)

// watchers wakes those who wait for events of this process at once; events of
// other nodes are found by looking again.
type watchers struct {
	mu sync.Mutex
	ch chan struct{}
}

func newWatchers() *watchers { return &watchers{ch: make(chan struct{})} }

func (w *watchers) nudge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.ch)
	w.ch = make(chan struct{})
}

func (w *watchers) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ch
}

// lookBack covers commits that became visible out of the order of their time:
// an event is looked for again this long.
const lookBack = 5 * time.Second

// Feed follows the events a may see.
type Feed struct {
	s     *Service
	a     ident.Actor
	since int64
	seen  map[string]int64
}

// Follow begins a feed at the present moment.
func (s *Service) Follow(a ident.Actor) *Feed {
	return &Feed{s: s, a: a, since: db.MS(s.o.DB.Clock().Now()), seen: map[string]int64{}}
}

// Next waits until something happens to a case the actor may see, or until wait
// has passed, and returns the ids of the cases, possibly none. It passes the
// same visibility filter as every other read.
func (f *Feed) Next(ctx context.Context, wait time.Duration) ([]string, error) {
	woken := f.s.watch.next()
	ids, err := f.look(ctx)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-woken:
	case <-t.C:
	}
	return f.look(ctx)
}

func (f *Feed) look(ctx context.Context) (out []string, err error) {
	scopes := scopesOf(f.a)
	if len(scopes) == 0 {
		return nil, nil
	}
	marks, args := in(2, scopes)
	from := f.since - lookBack.Milliseconds()
	rows, err := f.s.o.DB.Q().Query(ctx, `SELECT e.case_id, e.seq, e.at FROM cw_event e WHERE e.at >= $1
		AND EXISTS (SELECT 1 FROM cw_see v WHERE v.case_id = e.case_id AND v.scope IN (`+marks+`)) ORDER BY e.at LIMIT 500`,
		append([]any{from}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	told := map[string]bool{}
	for rows.Next() {
		var id string
		var seq, at int64
		if err := rows.Scan(&id, &seq, &at); err != nil {
			return nil, err
		}
		key := fmt.Sprintf("%s/%d", id, seq)
		if _, old := f.seen[key]; old {
			continue
		}
		f.seen[key] = at
		f.since = max(f.since, at)
		if !told[id] {
			told[id] = true
			out = append(out, id)
		}
	}
	for k, at := range f.seen {
		if at < f.since-2*lookBack.Milliseconds() {
			delete(f.seen, k)
		}
	}
	return out, rows.Err()
}
