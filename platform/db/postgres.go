package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"haoban/platform/errs"
)

// pgBackend is PostgreSQL through pgx, which caches prepared statements for
// each connection by itself.
type pgBackend struct {
	d   *DB
	sql *sql.DB
}

func openPostgres(ctx context.Context, cfg Config, d *DB) (*pgBackend, error) {
	pc, err := pgx.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, fmt.Errorf("connection string: %w", err)
	}
	def := func(k, v string) {
		if _, ok := pc.RuntimeParams[k]; !ok {
			pc.RuntimeParams[k] = v
		}
	}
	def("application_name", "haoban")
	def("timezone", "UTC")
	// A transaction that forgot to end must not hold its locks for ever.
	def("idle_in_transaction_session_timeout", "120000")
	if cfg.Relaxed {
		def("synchronous_commit", "off")
	}
	s := stdlib.OpenDB(*pc)
	n := cfg.MaxConns
	if n <= 0 {
		n = 16
	}
	n = max(n, 2) // Migrate holds one for its lock and works on another
	s.SetMaxOpenConns(n)
	s.SetMaxIdleConns(n)
	s.SetConnMaxIdleTime(5 * time.Minute)
	var enc string
	if err := s.QueryRowContext(ctx, "SHOW server_encoding").Scan(&enc); err != nil {
		return nil, closing(err, s.Close)
	}
	if enc != "UTF8" {
		err := errs.New(errs.Invalid, "db.encoding", "数据库的字符集是 "+enc+
			"，须为 UTF8。请重新建库：CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'")
		return nil, closing(err, s.Close)
	}
	return &pgBackend{d: d, sql: s}, nil
}

func (b *pgBackend) tx(ctx context.Context, fn func(*Tx) error) (err error) {
	t, err := b.sql.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done { // an error or a panic
			err = closing(err, t.Rollback)
		}
	}()
	tx := b.d.newTx(pgRunner{t})
	if err := fn(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	done = true
	if err := t.Commit(); err != nil {
		if ctx.Err() != nil && errors.Is(err, sql.ErrTxDone) {
			return ctx.Err()
		}
		return fmt.Errorf("commit: %w", err)
	}
	tx.committed()
	return nil
}

func (b *pgBackend) group(ctx context.Context, fn func(*Tx) error) error { return b.tx(ctx, fn) }

func (b *pgBackend) read(ctx context.Context, fn func(Querier) error) (err error) {
	t, err := b.sql.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	defer func() { err = closing(err, t.Rollback) }()
	return fn(pgQuerier{t})
}

func (b *pgBackend) q() Querier { return pgQuerier{b.sql} }

func (b *pgBackend) close() error { return b.sql.Close() }

func (b *pgBackend) stats() Stats {
	s := b.sql.Stats()
	return Stats{Open: s.OpenConnections, InUse: s.InUse, Waits: s.WaitCount, Waited: s.WaitDuration}
}

// migrateLock is the advisory lock under which one process at a time changes
// the schema: the bytes of "haoban".
const migrateLock = 0x68616f62616e

func (b *pgBackend) migrator(ctx context.Context) (*sql.DB, func() error, error) {
	c, err := b.sql.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrateLock)); err != nil {
		return nil, nil, closing(err, c.Close)
	}
	return b.sql, func() error {
		_, err := c.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrateLock))
		return closing(err, c.Close)
	}, nil
}

type pgRunner struct{ t *sql.Tx }

func (r pgRunner) exec(ctx context.Context, q string, args []any) (sql.Result, error) {
	return r.t.ExecContext(ctx, q, normal(args)...)
}

func (r pgRunner) query(ctx context.Context, q string, args []any) (*sql.Rows, error) {
	return r.t.QueryContext(ctx, q, normal(args)...)
}

func (r pgRunner) queryRow(ctx context.Context, q string, args []any) *sql.Row {
	return r.t.QueryRowContext(ctx, q, normal(args)...)
}

type pgQuerier struct {
	q interface {
		QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row
	}
}

func (p pgQuerier) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return p.q.QueryContext(ctx, q, normal(args)...)
}

func (p pgQuerier) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	return p.q.QueryRowContext(ctx, q, normal(args)...)
}
