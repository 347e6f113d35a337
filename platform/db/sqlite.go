package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// liteBackend is SQLite: one writer connection under a lock of our own, a pool
// of readers, and a committer that lets commands share an fsync.
type liteBackend struct {
	d     *DB
	dsn   string
	wait  time.Duration
	texts rewriter

	write *sql.DB // one connection, held by lane
	lock  chan struct{}
	lane  *lane // guarded by lock

	reads *sql.DB
	stmts stmtCache

	calls   chan *call
	quit    chan struct{}
	done    chan struct{}
	closing sync.Once
	grouped atomic.Int64
	groups  atomic.Int64
}

// liteDSN is the address of the file. busy_timeout comes first, because the
// others may already meet a lock.
func liteDSN(path string, relaxed, readonly bool, more ...string) string {
	sync := "FULL"
	if relaxed {
		sync = "NORMAL"
	}
	pragmas := []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(" + sync + ")", "foreign_keys(1)",
		"case_sensitive_like(1)", "temp_store(MEMORY)", "cache_size(-32000)",
	}
	if readonly {
		pragmas = append(pragmas, "query_only(1)")
	}
	pragmas = append(pragmas, more...)
	esc := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	dsn := "file:" + esc + "?_txlock=immediate"
	if readonly {
		dsn = "file:" + esc + "?_txlock=deferred"
	}
	for _, p := range pragmas {
		dsn += "&_pragma=" + p
	}
	return dsn
}

func openSQLite(ctx context.Context, cfg Config, d *DB) (*liteBackend, error) {
	path := cfg.DSN
	if path == "" || strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:") {
		return nil, fmt.Errorf("%q: want the path of a file", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// Personal data: nobody else on the machine reads the file.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	b := &liteBackend{
		d: d, dsn: path, wait: cfg.WriteWait,
		lock: make(chan struct{}, 1), calls: make(chan *call, maxGroup),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	if b.write, err = sql.Open("sqlite", liteDSN(path, cfg.Relaxed, false)); err != nil {
		return nil, err
	}
	b.write.SetMaxOpenConns(1)
	if b.reads, err = sql.Open("sqlite", liteDSN(path, cfg.Relaxed, true)); err != nil {
		return nil, closing(err, b.write.Close)
	}
	n := cfg.MaxConns
	if n <= 0 {
		n = 4
	}
	b.reads.SetMaxOpenConns(n)
	b.reads.SetMaxIdleConns(n)
	if b.lane, err = b.newLane(ctx); err == nil {
		err = b.reads.PingContext(ctx)
	}
	if err != nil {
		return nil, closing(closing(err, b.reads.Close), b.write.Close)
	}
	go b.commit()
	return b, nil
}

// lane is the writer's connection with its prepared statements.
type lane struct {
	b     *liteBackend
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (b *liteBackend) newLane(ctx context.Context) (*lane, error) {
	c, err := b.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &lane{b: b, conn: c, stmts: map[string]*sql.Stmt{}}, nil
}

// acquire takes the writer; the caller must release it.
func (b *liteBackend) acquire(ctx context.Context) error {
	select {
	case b.lock <- struct{}{}:
	default:
		t := time.NewTimer(b.wait)
		defer t.Stop()
		select {
		case b.lock <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-b.quit:
			return ErrClosed
		case <-t.C:
			return ErrBusy.Wrap(fmt.Errorf("no writer for %s: is a transaction begun inside another?", b.wait))
		}
	}
	select {
	case <-b.quit:
		b.release()
		return ErrClosed
	default:
		return nil
	}
}

func (b *liteBackend) release() { <-b.lock }

// begin begins a transaction on the lane, mending the lane if it broke before.
func (b *liteBackend) begin(ctx context.Context) error {
	if b.lane == nil {
		l, err := b.newLane(ctx)
		if err != nil {
			return err
		}
		b.lane = l
	}
	if len(b.lane.stmts) > maxCached {
		b.lane.forget()
	}
	_, err := b.lane.exec(ctx, "BEGIN IMMEDIATE", nil)
	return err
}

// rollback ends the lane's transaction. A lane that cannot is thrown away.
func (b *liteBackend) rollback(ctx context.Context) {
	_, err := b.lane.exec(context.WithoutCancel(ctx), "ROLLBACK", nil)
	if err == nil || strings.Contains(err.Error(), "no transaction is active") {
		return
	}
	slog.Warn("db: roll-back failed, the connection is replaced", "err", err)
	b.lane.drop()
	b.lane = nil
}

func (l *lane) forget() {
	for _, s := range l.stmts {
		if err := s.Close(); err != nil {
			slog.Debug("db: closing a statement", "err", err)
		}
	}
	clear(l.stmts)
}

// drop closes the connection for good.
func (l *lane) drop() {
	l.forget()
	if err := l.conn.Raw(func(any) error { return errBadConn }); err != nil && !errors.Is(err, errBadConn) {
		slog.Debug("db: dropping a connection", "err", err)
	}
	if err := l.conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		slog.Debug("db: dropping a connection", "err", err)
	}
}

// stmt returns the prepared statement of q. It serves statements that are done
// when the call returns; one whose rows stay open could be begun again while
// it runs and is not shared.
func (l *lane) stmt(ctx context.Context, q string) (*sql.Stmt, error) {
	if s, ok := l.stmts[q]; ok {
		return s, nil
	}
	s, err := l.conn.PrepareContext(ctx, l.b.texts.sql(q))
	if err != nil {
		return nil, err
	}
	l.stmts[q] = s
	return s, nil
}

// The writer's statements do not watch ctx while they run: they are short, and
// an interrupted one would roll back the commands that share its transaction.

func (l *lane) exec(ctx context.Context, q string, args []any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := l.stmt(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, normal(args)...)
}

func (l *lane) query(ctx context.Context, q string, args []any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.conn.QueryContext(context.WithoutCancel(ctx), l.b.texts.sql(q), normal(args)...)
}

func (l *lane) queryRow(ctx context.Context, q string, args []any) *sql.Row {
	if ctx.Err() != nil {
		return l.conn.QueryRowContext(ctx, l.b.texts.sql(q), refused{ctx.Err()})
	}
	ctx = context.WithoutCancel(ctx)
	s, err := l.stmt(ctx, q)
	if err != nil { // the same error comes out of Scan
		return l.conn.QueryRowContext(ctx, l.b.texts.sql(q), normal(args)...)
	}
	return s.QueryRowContext(ctx, normal(args)...)
}

func (b *liteBackend) tx(ctx context.Context, fn func(*Tx) error) error {
	if err := b.acquire(ctx); err != nil {
		return err
	}
	tx, err := b.locked(ctx, fn)
	if err != nil {
		return err
	}
	tx.committed() // after the lock is given back
	return nil
}

// locked runs one transaction and gives the lock back, also when fn panics.
func (b *liteBackend) locked(ctx context.Context, fn func(*Tx) error) (*Tx, error) {
	defer b.release()
	if err := b.begin(ctx); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done { // an error or a panic
			b.rollback(ctx)
		}
	}()
	tx := b.d.newTx(b.lane)
	if err := fn(tx); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := b.lane.exec(context.WithoutCancel(ctx), "COMMIT", nil); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	done = true
	return tx, nil
}

// stmtCache keeps statements of the read pool; database/sql prepares each on
// the connections that come to use it.
type stmtCache struct {
	m sync.Map // string → *sql.Stmt
	n atomic.Int64
}

func (c *stmtCache) get(q string) *sql.Stmt {
	if v, ok := c.m.Load(q); ok {
		return v.(*sql.Stmt) //nolint:forcetypeassert // only statements are stored
	}
	return nil
}

// want prepares q for the next time. It must not be called while holding a
// connection of the pool.
func (c *stmtCache) want(ctx context.Context, d *sql.DB, q, text string) *sql.Stmt {
	if s := c.get(q); s != nil {
		return s
	}
	if c.n.Load() >= maxCached {
		return nil
	}
	s, err := d.PrepareContext(ctx, text) //nolint:sqlclosecheck // closed with the database
	if err != nil {
		return nil // running it will say why
	}
	if old, ok := c.m.LoadOrStore(q, s); ok {
		if err := s.Close(); err != nil {
			slog.Debug("db: closing a statement", "err", err)
		}
		return old.(*sql.Stmt) //nolint:forcetypeassert // only statements are stored
	}
	c.n.Add(1)
	return s
}

func (c *stmtCache) close() {
	c.m.Range(func(_, v any) bool {
		if err := v.(*sql.Stmt).Close(); err != nil { //nolint:forcetypeassert // only statements are stored
			slog.Debug("db: closing a statement", "err", err)
		}
		return true
	})
}

// liteQuerier reads outside a transaction.
type liteQuerier struct{ b *liteBackend }

func (b *liteBackend) q() Querier { return liteQuerier{b} }

func (l liteQuerier) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	text := l.b.texts.sql(q)
	if s := l.b.stmts.want(ctx, l.b.reads, q, text); s != nil {
		return s.QueryContext(ctx, normal(args)...)
	}
	return l.b.reads.QueryContext(ctx, text, normal(args)...)
}

func (l liteQuerier) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	text := l.b.texts.sql(q)
	if s := l.b.stmts.want(ctx, l.b.reads, q, text); s != nil {
		return s.QueryRowContext(ctx, normal(args)...)
	}
	return l.b.reads.QueryRowContext(ctx, text, normal(args)...)
}

// snapshot reads inside one read transaction.
type snapshot struct {
	b      *liteBackend
	t      *sql.Tx
	wanted []string
}

func (b *liteBackend) read(ctx context.Context, fn func(Querier) error) error {
	s := &snapshot{b: b}
	err := s.run(ctx, fn)
	for _, q := range s.wanted {
		b.stmts.want(ctx, b.reads, q, b.texts.sql(q))
	}
	return err
}

func (s *snapshot) run(ctx context.Context, fn func(Querier) error) (err error) {
	if s.t, err = s.b.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	defer func() { err = closing(err, s.t.Rollback) }()
	// A deferred transaction takes its snapshot at the first read; take it now.
	var n int
	if err := s.QueryRow(ctx, "SELECT count(*) FROM sqlite_schema WHERE rowid = 1").Scan(&n); err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	return fn(s)
}

func (s *snapshot) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return s.t.QueryContext(ctx, s.b.texts.sql(q), normal(args)...)
}

func (s *snapshot) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	if st := s.b.stmts.get(q); st != nil {
		return s.t.StmtContext(ctx, st).QueryRowContext(ctx, normal(args)...)
	}
	s.wanted = append(s.wanted, q)
	return s.t.QueryRowContext(ctx, s.b.texts.sql(q), normal(args)...)
}

func (b *liteBackend) migrator(ctx context.Context) (*sql.DB, func() error, error) {
	if err := b.acquire(ctx); err != nil {
		return nil, nil, err
	}
	// Rebuilding a table that others refer to needs the references off; Migrate
	// checks them all afterwards.
	s, err := sql.Open("sqlite", liteDSN(b.dsn, false, false, "foreign_keys(0)"))
	if err != nil {
		b.release()
		return nil, nil, err
	}
	s.SetMaxOpenConns(1)
	return s, func() error {
		defer b.release()
		return s.Close()
	}, nil
}

func (b *liteBackend) stats() Stats {
	r := b.reads.Stats()
	return Stats{
		Open: r.OpenConnections + 1, InUse: r.InUse + len(b.lock), Waits: r.WaitCount, Waited: r.WaitDuration,
		Grouped: b.grouped.Load(), Groups: b.groups.Load(),
	}
}

func (b *liteBackend) close() (err error) {
	b.closing.Do(func() {
		close(b.quit)
		<-b.done
		b.lock <- struct{}{} // the last transaction is over
		if b.lane != nil {
			b.lane.forget()
			err = b.lane.conn.Close()
		}
		b.stmts.close()
		err = errors.Join(err, b.reads.Close(), b.write.Close())
		<-b.lock
	})
	return err
}
