package db

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// inTx is the key of a ctx that stands inside a transaction.
type inTx struct{}

// runner is what a transaction is made of on one engine.
type runner interface {
	exec(ctx context.Context, sql string, args []any) (sql.Result, error)
	query(ctx context.Context, sql string, args []any) (*sql.Rows, error)
	queryRow(ctx context.Context, sql string, args []any) *sql.Row
}

// Tx is one write transaction with the business time it happens at. It belongs
// to the function it was given to and must not outlive it or be used by two
// goroutines at once.
type Tx struct {
	d     *DB
	r     runner
	now   time.Time
	after []func()
}

func (d *DB) newTx(r runner) *Tx {
	return &Tx{d: d, r: r, now: d.clock.Now().Truncate(time.Millisecond)}
}

// Exec runs a statement that returns no rows.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (sql.Result, error) {
	return tx.r.exec(ctx, sql, args)
}

// Query runs a statement of many rows, which must be closed before the
// transaction ends. On PostgreSQL they must be closed before the next
// statement too.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (*sql.Rows, error) {
	return tx.r.query(ctx, sql, args)
}

// QueryRow runs a statement of one row; INSERT … RETURNING is one.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) *sql.Row {
	return tx.r.queryRow(ctx, sql, args)
}

// Now is the business time of the transaction, fixed when it began, to the
// millisecond.
func (tx *Tx) Now() time.Time { return tx.now }

// NowMS is Now as it is stored.
func (tx *Tx) NowMS() int64 { return MS(tx.now) }

// AfterCommit has f called once the transaction is committed, in order, by the
// caller's goroutine before Tx returns. It is not called after a roll-back. A
// process may die between the commit and f, so f is for waking, never for work.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Engine tells which engine this is.
func (tx *Tx) Engine() Engine { return tx.d.engine }

// Dialect returns the fragments of SQL in which the engines differ.
func (tx *Tx) Dialect() Dialect { return tx.d.dialect }

// Mark returns a ctx that remembers it is inside this transaction: DB.Tx and
// DB.Group refuse it with ErrNested at once instead of waiting for a writer
// that can never be free.
func (tx *Tx) Mark(ctx context.Context) context.Context {
	return context.WithValue(ctx, inTx{}, tx)
}

func (tx *Tx) committed() {
	for _, f := range tx.after {
		f()
	}
}

// attempts is how often a transaction is tried in all.
const attempts = 6

// retry runs f again while it fails for a reason that another try may cure.
func retry(ctx context.Context, f func() error) error {
	wait := 2 * time.Millisecond
	for i := 1; ; i++ {
		err := f()
		if err == nil || i == attempts || !passing(err) {
			return err
		}
		t := time.NewTimer(wait/2 + rand.N(wait)) //nolint:gosec // jitter, no secret
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
		wait *= 3
	}
}

// passing tells whether err comes of others being at work at the same time:
// serialization failure, deadlock, busy file.
func passing(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == "40001" || pe.Code == "40P01"
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return errors.Is(err, errBroken)
}

// Duplicate tells whether err is the breach of a unique index or primary key.
// On PostgreSQL the transaction is lost with it; prefer ON CONFLICT.
func Duplicate(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == "23505"
	}
	var se *sqlite.Error
	return errors.As(err, &se) &&
		(se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
