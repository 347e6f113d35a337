package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// maxGroup is how many commands share one commit at most.
const maxGroup = 256

// errBadConn makes database/sql throw a connection away.
var errBadConn = driver.ErrBadConn

// errBroken tells a caller of Group that the shared transaction was lost
// through no fault of its own, before the commit: it runs again alone.
var errBroken = errors.New("db: the shared transaction was lost")

// A call waits in the queue of the committer. Its function runs in its own
// caller's goroutine, so that a panic ends where it began; the committer only
// says whose turn it is.
type call struct {
	ctx   context.Context //nolint:containedctx // the caller's, for the time of the call
	state atomic.Int32    // waiting, taken or gone
	turn  chan struct{}   // committer → caller: the writer is yours
	ran   chan bool       // caller → committer: done, keep it or not
	end   chan error      // committer → caller: the commit's outcome
}

const (
	waiting int32 = iota
	taken
	gone
)

func (b *liteBackend) group(ctx context.Context, fn func(*Tx) error) error {
	c := &call{ctx: ctx, turn: make(chan struct{}), ran: make(chan bool), end: make(chan error, 1)}
	select {
	case b.calls <- c:
	case <-ctx.Done():
		return ctx.Err()
	case <-b.quit:
		return ErrClosed
	}
	select {
	case <-c.turn:
	case err := <-c.end: // never had a turn
		return c.again(ctx, b, err, fn)
	case <-b.done: // closed behind our back
		if c.state.CompareAndSwap(waiting, gone) {
			return ErrClosed
		}
		return <-c.end
	case <-ctx.Done():
		if c.state.CompareAndSwap(waiting, gone) {
			return ctx.Err()
		}
		select { // the turn is on its way
		case <-c.turn:
		case err := <-c.end:
			return c.again(ctx, b, err, fn)
		}
	}
	tx, err := c.run(b, fn)
	if cerr := <-c.end; cerr != nil {
		return c.again(ctx, b, cerr, fn)
	}
	if err != nil {
		return err
	}
	tx.committed()
	return nil
}

// run runs fn in its turn and tells the committer how it went, also when fn
// panics.
func (c *call) run(b *liteBackend, fn func(*Tx) error) (tx *Tx, err error) {
	keep := false
	defer func() { c.ran <- keep }()
	tx = b.d.newTx(b.lane)
	if err = fn(tx); err == nil {
		err = c.ctx.Err()
	}
	keep = err == nil
	return tx, err
}

// again runs fn alone if the shared transaction was lost, and returns any other
// failure as it is.
func (c *call) again(ctx context.Context, b *liteBackend, err error, fn func(*Tx) error) error {
	if errors.Is(err, errBroken) {
		return b.tx(ctx, fn)
	}
	return err
}

// commit is the committer: it gathers what waits, gives each its turn and
// commits once for all. It ends at close.
func (b *liteBackend) commit() {
	defer close(b.done)
	for {
		select {
		case c := <-b.calls:
			b.batch(c)
		case <-b.quit:
			for {
				select {
				case c := <-b.calls:
					if c.state.CompareAndSwap(waiting, taken) {
						c.end <- ErrClosed
					}
				default:
					return
				}
			}
		}
	}
}

// batch runs one shared transaction that begins with first.
func (b *liteBackend) batch(first *call) {
	if err := b.acquire(context.Background()); err != nil {
		first.end <- err
		return
	}
	defer b.release()
	ctx := context.Background()
	if err := b.begin(ctx); err != nil {
		first.end <- fmt.Errorf("begin: %w", err)
		return
	}
	members := make([]*call, 0, 16)
	broken := error(nil)
	for c := first; c != nil; c = b.next(len(members)) {
		if !c.state.CompareAndSwap(waiting, taken) {
			continue // its caller went away
		}
		members = append(members, c)
		if broken = b.member(ctx, c); broken != nil {
			break // and leave the rest in the queue
		}
	}
	if broken != nil {
		slog.Warn("db: shared transaction lost, its commands run alone", "commands", len(members), "err", broken)
		b.rollback(ctx)
		broken = errBroken
	} else if _, err := b.lane.exec(ctx, "COMMIT", nil); err != nil {
		b.rollback(ctx)
		broken = fmt.Errorf("commit: %w", err)
	} else {
		b.grouped.Add(int64(len(members)))
		b.groups.Add(1)
	}
	for _, c := range members {
		c.end <- broken
	}
}

// next takes another call from the queue if one waits and there is room.
func (b *liteBackend) next(have int) *call {
	if have >= maxGroup {
		return nil
	}
	select {
	case c := <-b.calls:
		return c
	default:
		return nil
	}
}

// member gives c its turn under a savepoint. It returns an error only if the
// shared transaction is lost.
func (b *liteBackend) member(ctx context.Context, c *call) error {
	if _, err := b.lane.exec(ctx, "SAVEPOINT member", nil); err != nil {
		return err
	}
	c.turn <- struct{}{}
	if keep := <-c.ran; !keep {
		if _, err := b.lane.exec(ctx, "ROLLBACK TO member", nil); err != nil {
			return err
		}
	}
	_, err := b.lane.exec(ctx, "RELEASE member", nil)
	return err
}
