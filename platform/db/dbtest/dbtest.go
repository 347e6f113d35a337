// Package dbtest gives each test a database of its own on both engines.
//
// The first test of a process that asks for PostgreSQL starts a private server,
// which dies with the process however it ends. A set of migration lines is run
// once per process and engine; each test gets a copy.
package dbtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"haoban/platform/clock"
	"haoban/platform/db"
)

// Engines are the engines every store is tested on.
func Engines() []db.Engine { return []db.Engine{db.SQLite, db.Postgres} }

// Each runs fn as a parallel subtest on each engine, each with a fresh database
// brought up to lines. A missing PostgreSQL server fails the test.
func Each(t *testing.T, lines []db.Line, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, e := range Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			fn(t, Open(t, e, lines, clock.Wall{}))
		})
	}
}

// EachClock is Each with a business clock that the test moves.
func EachClock(t *testing.T, lines []db.Line, fn func(t *testing.T, d *db.DB, c *clock.Movable)) {
	t.Helper()
	for _, e := range Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			c := clock.NewMovable(clock.Wall{})
			fn(t, Open(t, e, lines, c), c)
		})
	}
}

// Open opens a fresh database on engine, brought up to lines, and closes and
// removes it when the test ends. c is its business clock; nil is the wall's.
// Commits do not wait for the disk.
func Open(t testing.TB, engine db.Engine, lines []db.Line, c clock.Clock) *db.DB {
	t.Helper()
	return OpenConfig(t, lines, db.Config{Engine: engine, Clock: c, Relaxed: true})
}

// OpenConfig is Open with every setting but the DSN, which it fills in, in the
// caller's hands.
func OpenConfig(t testing.TB, lines []db.Line, cfg db.Config) *db.DB {
	t.Helper()
	cfg.DSN = DSN(t, cfg.Engine, lines)
	return Reopen(t, cfg)
}

// Reopen opens an existing database, as a second process would, and closes it
// when the test ends.
func Reopen(t testing.TB, cfg db.Config) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("dbtest: close: %v", err)
		}
	})
	return d
}

// DSN makes a fresh database on engine, brought up to lines, and returns how to
// open it. No lines is an empty database. It is removed when the test ends.
func DSN(t testing.TB, engine db.Engine, lines []db.Line) string {
	t.Helper()
	if engine == db.Postgres {
		return postgresDSN(t, lines)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if len(lines) == 0 {
		return path
	}
	image, err := templates.once("sqlite "+key(t, lines), func() (any, error) { return sqliteImage(lines) })
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	if err := os.WriteFile(path, image.([]byte), 0o600); err != nil { //nolint:forcetypeassert // made so above
		t.Fatalf("dbtest: %v", err)
	}
	return path
}

// The process's own: one PostgreSQL server and one template per set of lines.
// They are made once and never changed.
var (
	server    = sync.OnceValues(startShared)
	templates = &memo{}
)

// memo makes each thing once.
type memo struct{ m sync.Map }

func (m *memo) once(key string, f func() (any, error)) (any, error) {
	v, _ := m.m.LoadOrStore(key, sync.OnceValues(f))
	return v.(func() (any, error))() //nolint:forcetypeassert // stored so above
}

// key names a set of lines by its content.
func key(t testing.TB, lines []db.Line) string {
	t.Helper()
	h := sha256.New()
	for _, l := range lines {
		fmt.Fprintf(h, "line %s\n", l.Room)
		err := fs.WalkDir(l.FS, ".", func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := fs.ReadFile(l.FS, p)
			fmt.Fprintf(h, "file %s %d\n%s", p, len(text), text)
			return err
		})
		if err != nil {
			t.Fatalf("dbtest: %v", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:24]
}

// sqliteImage is the bytes of a file brought up to lines.
func sqliteImage(lines []db.Line) (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "haoban-db-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if rerr := os.RemoveAll(dir); err == nil {
			err = rerr
		}
	}()
	path := filepath.Join(dir, "template.db")
	if err := migrate(db.Config{Engine: db.SQLite, DSN: path, Relaxed: true}, lines); err != nil {
		return nil, err
	}
	if left, err := os.ReadFile(path + "-wal"); err == nil && len(left) > 0 { //nolint:gosec // our own file
		return nil, fmt.Errorf("%s-wal was not folded in", path)
	}
	image, err := os.ReadFile(path) //nolint:gosec // our own file
	return bytes.Clone(image), err
}

func migrate(cfg db.Config, lines []db.Line) (err error) {
	ctx := context.Background()
	d, err := db.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := d.Close(); err == nil {
			err = cerr
		}
	}()
	return d.Migrate(ctx, lines)
}

func postgresDSN(t testing.TB, lines []db.Line) string {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatalf("dbtest: no PostgreSQL: %v", err)
	}
	template := "template0"
	if len(lines) > 0 {
		v, err := templates.once("postgres "+key(t, lines), func() (any, error) { return s.template(lines) })
		if err != nil {
			t.Fatalf("dbtest: %v", err)
		}
		template = v.(string) //nolint:forcetypeassert // made so above
	}
	name, err := s.create(template, "")
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("dbtest: %v", err)
		}
	})
	return s.dsn(name)
}

// shared is the process's private server.
type shared struct {
	base string // DSN without a database
	sql  *sql.DB
	seq  chan int
	stop func() // holds the pipe that keeps the server alive; never called
}

func startShared() (*shared, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	// Never stopped by us: the server watches this process and goes with it.
	dsn, stop, err := StartPostgres(ctx, "", "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	if err != nil {
		return nil, err
	}
	d, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	d.SetMaxOpenConns(4)
	s := &shared{base: dsn, sql: d, seq: make(chan int, 1), stop: stop}
	s.seq <- 0
	return s, nil
}

func (s *shared) dsn(name string) string { return s.base + " dbname=" + name }

func (s *shared) exec(q string) error {
	if _, err := s.sql.ExecContext(context.Background(), q); err != nil {
		return fmt.Errorf("%s: %w", q, err)
	}
	return nil
}

// create makes a database out of template and returns its name.
func (s *shared) create(template, more string) (string, error) {
	n := <-s.seq + 1
	s.seq <- n
	name := fmt.Sprintf("test_%d", n)
	return name, s.exec("CREATE DATABASE " + name + " TEMPLATE " + template + more)
}

// template makes the database that tests with these lines are copied from.
func (s *shared) template(lines []db.Line) (string, error) {
	name, err := s.create("template0", "")
	if err != nil {
		return "", err
	}
	return name, migrate(db.Config{Engine: db.Postgres, DSN: s.dsn(name), Relaxed: true}, lines)
}

// Foreign makes an empty PostgreSQL database whose text is ordered by Chinese
// rules, as a careless administrator's may be, and returns how to open it.
func Foreign(t testing.TB) string {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatalf("dbtest: no PostgreSQL: %v", err)
	}
	name, err := s.create("template0", " LOCALE_PROVIDER icu ICU_LOCALE 'zh-Hans-CN'")
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("dbtest: %v", err)
		}
	})
	return s.dsn(name)
}
