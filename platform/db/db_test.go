package db_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
)

func lines(files map[string]string) []db.Line {
	m := fstest.MapFS{}
	for name, text := range files {
		m["migrations/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return []db.Line{{Room: "t", FS: m}}
}

// book is the schema of most tests here.
func book() []db.Line {
	return lines(map[string]string{"0001_book.sql": `
-- a comment; with a semicolon
CREATE TABLE t_row (
	id   TEXT NOT NULL PRIMARY KEY,
	n    BIGINT NOT NULL DEFAULT 0,
	ok   BOOLEAN,
	body TEXT,
	note TEXT,
	raw  BYTEA
);
CREATE UNIQUE INDEX t_row_body ON t_row (body);
`})
}

func put(ctx context.Context, tx *db.Tx, id string, n int64) error {
	_, err := tx.Exec(ctx, "INSERT INTO t_row (id, n) VALUES ($1, $2)", id, n)
	return err
}

func count(t *testing.T, d *db.DB) int {
	t.Helper()
	var n int
	if err := d.Q().QueryRow(t.Context(), "SELECT count(*) FROM t_row").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Both ways to write keep the same promises.
type writer func(ctx context.Context, fn func(*db.Tx) error) error

func eachWriter(t *testing.T, fn func(t *testing.T, d *db.DB, write writer)) {
	t.Helper()
	dbtest.Each(t, book(), func(t *testing.T, d *db.DB) {
		t.Run("tx", func(t *testing.T) { fn(t, d, d.Tx) })
		t.Run("group", func(t *testing.T) { fn(t, d, d.Group) })
	})
}

func TestWriteCommitsOrRollsBack(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, d *db.DB, write writer) {
		ctx := t.Context()
		before := count(t, d)
		if err := write(ctx, func(tx *db.Tx) error { return put(ctx, tx, db.NewID(), 1) }); err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		err := write(ctx, func(tx *db.Tx) error {
			if err := put(ctx, tx, db.NewID(), 1); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("error = %v, want boom", err)
		}
		if got := count(t, d) - before; got != 1 {
			t.Errorf("%d rows were added, want 1", got)
		}
	})
}

func TestPanicEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, d *db.DB, write writer) {
		ctx := t.Context()
		before := count(t, d)
		func() {
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("recovered %v, want boom", got)
				}
			}()
			err := write(ctx, func(tx *db.Tx) error {
				if err := put(ctx, tx, db.NewID(), 1); err != nil {
					return err
				}
				panic("boom")
			})
			t.Errorf("returned %v after a panic", err)
		}()
		if err := write(ctx, func(tx *db.Tx) error { return put(ctx, tx, db.NewID(), 1) }); err != nil {
			t.Fatalf("the next write: %v", err)
		}
		if got := count(t, d) - before; got != 1 {
			t.Errorf("%d rows were added, want 1", got)
		}
	})
}

func TestAfterCommit(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, d *db.DB, write writer) {
		ctx := t.Context()
		var ran []string
		id := db.NewID()
		err := write(ctx, func(tx *db.Tx) error {
			tx.AfterCommit(func() {
				var n int
				if err := d.Q().QueryRow(ctx, "SELECT n FROM t_row WHERE id = $1", id).Scan(&n); err != nil || n != 7 {
					t.Errorf("the hook sees n = %d, %v; want the committed 7", n, err)
				}
				ran = append(ran, "first")
			})
			tx.AfterCommit(func() {
				// A hook may write: the transaction is over.
				if err := write(ctx, func(tx *db.Tx) error { return put(ctx, tx, db.NewID(), 1) }); err != nil {
					t.Errorf("a hook's own write: %v", err)
				}
				ran = append(ran, "second")
			})
			return put(ctx, tx, id, 7)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = write(ctx, func(tx *db.Tx) error {
			tx.AfterCommit(func() { ran = append(ran, "rolled back") })
			return errors.New("no")
		})
		if err == nil {
			t.Error("no error")
		}
		if diff := cmp.Diff([]string{"first", "second"}, ran); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNow(t *testing.T) {
	t.Parallel()
	dbtest.EachClock(t, book(), func(t *testing.T, d *db.DB, c *clock.Movable) {
		at := time.Date(2026, 3, 2, 9, 10, 0, 123_456_789, clock.Shanghai())
		c.Set(at)
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			first := tx.Now()
			c.Advance(time.Hour)
			if !tx.Now().Equal(first) {
				t.Error("the transaction's time moved")
			}
			if got := first.Sub(at); got < -time.Millisecond || got > time.Minute {
				t.Errorf("Now is %v from the clock's time", got)
			}
			if tx.NowMS() != first.UnixMilli() || first.Nanosecond()%1e6 != 0 {
				t.Errorf("Now = %v, NowMS = %d: want whole milliseconds", first, tx.NowMS())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestNestedIsRefused(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, d *db.DB, write writer) {
		err := write(t.Context(), func(tx *db.Tx) error {
			ctx := tx.Mark(t.Context())
			if err := d.Group(ctx, func(*db.Tx) error { return nil }); !errors.Is(err, db.ErrNested) {
				t.Errorf("group inside: %v", err)
			}
			return d.Tx(ctx, func(*db.Tx) error { return nil })
		})
		if !errors.Is(err, db.ErrNested) {
			t.Errorf("tx inside: %v", err)
		}
	})
}

func TestWriterWaitIsBounded(t *testing.T) {
	t.Parallel()
	d := dbtest.OpenConfig(t, book(), db.Config{Engine: db.SQLite, Relaxed: true, WriteWait: 30 * time.Millisecond})
	err := d.Tx(t.Context(), func(*db.Tx) error {
		return d.Tx(t.Context(), func(*db.Tx) error { return nil })
	})
	if !errors.Is(err, db.ErrBusy) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("error = %v, want busy", err)
	}
}

func TestCancelledWrite(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, d *db.DB, write writer) {
		before := count(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		err := write(ctx, func(tx *db.Tx) error {
			if err := put(ctx, tx, db.NewID(), 1); err != nil {
				return err
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want canceled", err)
		}
		if got := count(t, d); got != before {
			t.Errorf("a cancelled write left %d rows", got-before)
		}
		if err := write(t.Context(), func(tx *db.Tx) error { return put(t.Context(), tx, db.NewID(), 1) }); err != nil {
			t.Errorf("the next write: %v", err)
		}
	})
}

func TestGroupMembersAreApart(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, book(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		const n = 200
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				id := fmt.Sprintf("%03d", i)
				err := d.Group(ctx, func(tx *db.Tx) error {
					if err := put(ctx, tx, id, int64(i)); err != nil {
						return err
					}
					switch i % 5 {
					case 1:
						return fmt.Errorf("refused %d", i)
					case 2: // a broken statement inside
						return put(ctx, tx, id, 0)
					}
					return nil
				})
				if bad := i%5 == 1 || i%5 == 2; (err != nil) != bad {
					t.Errorf("member %d: %v", i, err)
				}
				if i%5 == 2 && !db.Duplicate(err) {
					t.Errorf("member %d: %v, want a duplicate", i, err)
				}
				var got int
				rerr := d.Q().QueryRow(ctx, "SELECT n FROM t_row WHERE id = $1", id).Scan(&got)
				if err == nil && (rerr != nil || got != i) {
					t.Errorf("member %d is not to be seen after its commit: %d, %v", i, got, rerr)
				}
				if err != nil && !errors.Is(rerr, db.ErrNoRows) {
					t.Errorf("member %d failed and left a row: %v", i, rerr)
				}
			})
		}
		wg.Wait()
		if got := count(t, d); got != n/5*3 {
			t.Errorf("%d rows, want %d", got, n/5*3)
		}
		s := d.Stats()
		if d.Engine() == db.SQLite && (s.Grouped != n || s.Groups >= n) {
			t.Errorf("%d commands in %d commits, want %d in fewer", s.Grouped, s.Groups, n)
		}
	})
}

// A member that destroys the shared transaction (here by rolling it back under
// the committer) must not take the others' work with it.
func TestGroupSurvivesALostTransaction(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, book(), nil)
	ctx := t.Context()
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // keeps the writer so that the others gather
		if err := d.Tx(ctx, func(*db.Tx) error { close(held); <-hold; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-held
	for i := range 20 {
		wg.Go(func() {
			tries := 0
			err := d.Group(ctx, func(tx *db.Tx) error {
				tries++
				if i == 10 && tries == 1 {
					if _, err := tx.Exec(ctx, "ROLLBACK"); err != nil {
						return err
					}
					return nil
				}
				return put(ctx, tx, fmt.Sprint(i), 1)
			})
			if err != nil {
				t.Errorf("member %d: %v", i, err)
			}
		})
	}
	close(hold)
	wg.Wait()
	if got := count(t, d); got != 20 {
		t.Errorf("%d rows, want 20", got)
	}
}

// What Group has answered is in the file: another process that opens it, or the
// same after a crash, sees it.
func TestGroupIsDurableWhenItReturns(t *testing.T) {
	t.Parallel()
	path := dbtest.DSN(t, db.SQLite, book())
	d := dbtest.Reopen(t, db.Config{Engine: db.SQLite, DSN: path})
	ctx := t.Context()
	for i := range 20 {
		if err := d.Group(ctx, func(tx *db.Tx) error { return put(ctx, tx, fmt.Sprint(i), 1) }); err != nil {
			t.Fatal(err)
		}
	}
	// The files as a crash would leave them: no checkpoint, no closing.
	crashed := filepath.Join(t.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := count(t, dbtest.Reopen(t, db.Config{Engine: db.SQLite, DSN: crashed})); got != 20 {
		t.Errorf("%d rows survive, want 20", got)
	}
}

func TestReadIsASnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, book(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		const q = "SELECT count(*) FROM t_row WHERE n >= $1"
		for range 3 { // the first time unprepared, then prepared
			err := d.Read(ctx, func(r db.Querier) error {
				var a, b int
				if err := r.QueryRow(ctx, q, 0).Scan(&a); err != nil {
					return err
				}
				if err := d.Tx(ctx, func(tx *db.Tx) error { return put(ctx, tx, db.NewID(), 1) }); err != nil {
					return err
				}
				if err := r.QueryRow(ctx, q, 0).Scan(&b); err != nil {
					return err
				}
				if a != b {
					t.Errorf("the snapshot changed from %d to %d rows", a, b)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := count(t, d); got != 3 {
			t.Errorf("%d rows, want 3", got)
		}
	})
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, book(), func(t *testing.T, d *db.DB) {
		err := d.Read(t.Context(), func(r db.Querier) error {
			var s string
			return r.QueryRow(t.Context(), "INSERT INTO t_row (id) VALUES ('a') RETURNING id").Scan(&s)
		})
		if err == nil || count(t, d) != 0 {
			t.Errorf("a read wrote: %v", err)
		}
	})
}

func TestNestedRowsOfOneStatement(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, book(), nil)
	ctx := t.Context()
	var walk func(tx *db.Tx, depth int) (int, error)
	walk = func(tx *db.Tx, depth int) (n int, err error) {
		rows, err := tx.Query(ctx, "SELECT id FROM t_row WHERE n > $1", 0)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			n++
			if depth > 0 {
				m, err := walk(tx, depth-1)
				if err != nil {
					return 0, err
				}
				n += m
			}
		}
		return n, rows.Err()
	}
	err := d.Tx(ctx, func(tx *db.Tx) error {
		for i := range 3 {
			if err := put(ctx, tx, fmt.Sprint(i), 1); err != nil {
				return err
			}
		}
		n, err := walk(tx, 2)
		if n != 3+9+27 {
			t.Errorf("walked %d rows, want 39", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestValuesComeBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, book(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		long := strings.Repeat("沪", 400_000)
		type row struct {
			N    int64
			OK   sql.NullBool
			Body string
			Raw  []byte
		}
		want := row{N: -1 << 62, OK: sql.NullBool{Bool: true, Valid: true}, Body: long, Raw: []byte{0, 1, 255}}
		err := d.Tx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO t_row (id, n, ok, note, raw) VALUES ($1, $2, $3, $4, $5)",
				"a", want.N, want.OK.Bool, want.Body, want.Raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var got row
		err = d.Q().QueryRow(ctx, "SELECT n, ok, note, raw FROM t_row WHERE id = $1 AND ok", "a").
			Scan(&got.N, &got.OK, &got.Body, &got.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("differs by %d bytes of diff", len(diff))
		}
	})
}

func TestTextThatCannotBeKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, book(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for _, bad := range []any{"a\x00b", "a\xff", json.RawMessage("\"\xff\"")} {
			err := d.Tx(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO t_row (id, body) VALUES ($1, $2)", "x", bad)
				return err
			})
			if errs.CodeOf(err) != "db.text" {
				t.Errorf("%q: %v", bad, err)
			}
			var n int
			if err := d.Q().QueryRow(ctx, "SELECT n FROM t_row WHERE body = $1", bad).Scan(&n); errs.CodeOf(err) != "db.text" {
				t.Errorf("asking for %q: %v", bad, err)
			}
		}
	})
}

func TestClosed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, book(), func(t *testing.T, d *db.DB) {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		nothing := func(*db.Tx) error { return nil }
		if err := d.Tx(t.Context(), nothing); err == nil {
			t.Error("a transaction after Close")
		}
		if err := d.Group(t.Context(), nothing); err == nil {
			t.Error("a group after Close")
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, cfg := range []db.Config{
		{Engine: "oracle", DSN: "x"},
		{Engine: db.SQLite, DSN: ":memory:"},
		{Engine: db.SQLite, DSN: ""},
		{Engine: db.Postgres, DSN: "host=/nowhere dbname=x connect_timeout=1"},
	} {
		if d, err := db.Open(t.Context(), cfg); err == nil {
			t.Errorf("%+v opened", cfg)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestTimesAndIDs(t *testing.T) {
	t.Parallel()
	if db.MS(time.Time{}) != 0 || !db.Time(0).IsZero() {
		t.Error("the zero time is not 0")
	}
	at := time.Date(2026, 11, 23, 9, 0, 0, 5e6, clock.Shanghai())
	if got := db.Time(db.MS(at)); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("Time(MS(%v)) = %v", at, got)
	}
	last := ""
	for range 1000 {
		id := db.NewID()
		if len(id) != 36 || id <= last {
			t.Fatalf("%q after %q", id, last)
		}
		last = id
	}
}
