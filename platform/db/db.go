// Package db is where rows live. It has one transaction type over two engines:
// SQLite (embedded, pure Go, WAL) and PostgreSQL (production).
//
// Statements are written by hand in the common subset of both engines with $1
// binds. Times are BIGINT Unix milliseconds UTC (MS, Time), identifiers are
// UUIDv7 text (NewID), JSON is TEXT, truth is BOOLEAN, bytes are BYTEA. The few
// fragments that differ come from Dialect. What the engines answer differently
// is asked of both in dialect_test.go.
//
// A write transaction is serial on SQLite and READ COMMITTED on PostgreSQL, so
// a row that is read in order to be changed must be read with
// Dialect.ForUpdate.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"haoban/platform/clock"
	"haoban/platform/errs"
)

// Engine names the program that keeps the rows.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"   // embedded, one process, the default
	Postgres Engine = "postgres" // a server, any number of processes
)

// ErrNoRows is what Scan returns when a query of one row found none.
var ErrNoRows = sql.ErrNoRows

// ErrNested is returned by Tx and Group when their ctx is already inside a
// transaction (see Tx.Mark): on SQLite the inner one could never begin.
var ErrNested = errors.New("db: a transaction inside a transaction")

// ErrClosed is returned after Close.
var ErrClosed = errors.New("db: closed")

// ErrBusy is returned when SQLite's only writer was not free for
// Config.WriteWait. A transaction begun inside another one ends this way.
var ErrBusy = errs.New(errs.Unavailable, "db.busy", "系统正忙，请稍后再试")

// Config says which database to open and how.
type Config struct {
	// Engine is SQLite or Postgres; empty is SQLite.
	Engine Engine
	// DSN is the path of the file for SQLite (its folder is made if absent), a
	// connection string or URL for PostgreSQL.
	DSN string
	// Clock is the business clock that Tx.Now reads; nil is clock.Wall.
	Clock clock.Clock
	// MaxConns bounds the connections: SQLite's read pool (0 is 4; the writer
	// is one more) or PostgreSQL's pool (0 is 16).
	MaxConns int
	// Relaxed gives up the fsync of each commit: a crash of the machine (not of
	// the process) may lose the last commits but never tears one. The zero
	// value syncs every commit (synchronous=FULL).
	Relaxed bool
	// WriteWait bounds the wait for SQLite's writer; 0 is 15 seconds.
	WriteWait time.Duration
}

// Querier asks without changing. SQL has $1 binds on both engines.
type Querier interface {
	// Query runs a statement of many rows; the caller closes them and checks
	// their Err.
	Query(ctx context.Context, sql string, args ...any) (*sql.Rows, error)
	// QueryRow runs a statement of one row; Scan returns ErrNoRows for none.
	QueryRow(ctx context.Context, sql string, args ...any) *sql.Row
}

// backend is one engine.
type backend interface {
	tx(ctx context.Context, fn func(*Tx) error) error
	group(ctx context.Context, fn func(*Tx) error) error
	read(ctx context.Context, fn func(Querier) error) error
	q() Querier
	// migrator lends a plain *sql.DB that may change the schema, while nobody
	// else writes; give hands it back.
	migrator(ctx context.Context) (d *sql.DB, give func() error, err error)
	stats() Stats
	close() error
}

// DB is an open database, safe for concurrent use.
type DB struct {
	engine  Engine
	dialect Dialect
	clock   clock.Clock
	be      backend
}

// Open opens the database of cfg and checks that it answers. It changes no
// schema: see Migrate.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.Wall{}
	}
	if cfg.WriteWait <= 0 {
		cfg.WriteWait = 15 * time.Second
	}
	d := &DB{engine: cfg.Engine, clock: cfg.Clock}
	var err error
	switch cfg.Engine {
	case SQLite, "":
		d.engine, d.dialect = SQLite, sqliteDialect{}
		d.be, err = openSQLite(ctx, cfg, d)
	case Postgres:
		d.dialect = postgresDialect{}
		d.be, err = openPostgres(ctx, cfg, d)
	default:
		return nil, fmt.Errorf("db: no such engine %q", cfg.Engine)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s database: %w", d.engine, err)
	}
	return d, nil
}

// Engine tells which engine this is.
func (d *DB) Engine() Engine { return d.engine }

// Dialect returns the fragments of SQL in which the engines differ.
func (d *DB) Dialect() Dialect { return d.dialect }

// Clock returns the business clock given to Open.
func (d *DB) Clock() clock.Clock { return d.clock }

// Close ends the database. Transactions under way may fail; call it when
// nobody uses d any more. A second call does nothing.
func (d *DB) Close() error { return d.be.close() }

// Q asks outside any transaction: each statement sees what is committed when
// it begins.
func (d *DB) Q() Querier { return d.be.q() }

// Read runs fn over one consistent snapshot. It may run beside any number of
// writers and never waits for them.
func (d *DB) Read(ctx context.Context, fn func(Querier) error) error { return d.be.read(ctx, fn) }

// Tx runs fn in one write transaction: it commits when fn returns nil and rolls
// back when fn returns an error or panics. After a serialization failure, a
// deadlock or a busy file fn is run again, a few times, so it must be
// repeatable; hooks of a rolled-back attempt are forgotten. Nothing inside fn
// may talk to the outside world or begin another transaction.
//
// fn's error is returned as it is.
func (d *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	if ctx.Value(inTx{}) != nil {
		return ErrNested
	}
	return retry(ctx, func() error { return d.be.tx(ctx, fn) })
}

// Group gives the same promise as Tx but shares one fsync with other callers,
// so many small commands at once cost little more than one. On SQLite each fn
// has a savepoint of its own: an fn that fails is rolled back alone. Group
// returns after the shared commit. On PostgreSQL, which groups commits by
// itself, it is Tx.
func (d *DB) Group(ctx context.Context, fn func(*Tx) error) error {
	if ctx.Value(inTx{}) != nil {
		return ErrNested
	}
	return retry(ctx, func() error { return d.be.group(ctx, fn) })
}

// Stats is what the pools have done, for metrics.
type Stats struct {
	Open    int           // connections open
	InUse   int           // connections in use
	Waits   int64         // times somebody waited for a connection
	Waited  time.Duration // how long they waited in all
	Grouped int64         // commands committed by Group on SQLite
	Groups  int64         // commits they took
}

// Stats returns what the pools have done since Open.
func (d *DB) Stats() Stats { return d.be.stats() }

// NewID returns a fresh identifier: a UUIDv7 in lower-case text, which sorts by
// the time it was made and never comes from a database sequence.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// MS is a moment as it is stored: Unix milliseconds UTC. The zero time is 0.
func MS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is the inverse of MS, in UTC. 0 is the zero time.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// closing joins err with the error of a clean-up.
func closing(err error, f func() error) error {
	if cerr := f(); cerr != nil && !errors.Is(cerr, sql.ErrTxDone) {
		if err == nil {
			return cerr
		}
		slog.Debug("db: clean-up after a failure failed too", "err", cerr)
	}
	return err
}
