package db_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
)

// history is a line that grew: later releases hold more of its files.
func history(n int) []db.Line {
	files := []struct{ name, text string }{
		{"0001_a.sql", "CREATE TABLE t_a (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);\nINSERT INTO t_a VALUES ('a;b', 1);"},
		{"0002_b.sql", "ALTER TABLE t_a ADD COLUMN note TEXT;"},
		{"0003_only.postgres.sql", "CREATE INDEX t_a_note ON t_a (note) WHERE note IS NOT NULL;"},
		{"0003_only.sqlite.sql", "CREATE INDEX t_a_note ON t_a (note) WHERE note IS NOT NULL;"},
		{"0004_both.sql", "this is not SQL but PostgreSQL runs its own;"},
		{"0004_both.sqlite.sql", "CREATE TABLE t_b (id TEXT NOT NULL PRIMARY KEY, a TEXT NOT NULL REFERENCES t_a (id), UNIQUE (a));"},
		{"0004_both.postgres.sql", "CREATE TABLE t_b (id TEXT NOT NULL PRIMARY KEY, a TEXT NOT NULL REFERENCES t_a (id), UNIQUE (a));"},
		{"0005_pg.postgres.sql", "SELECT 1;"},
	}
	m := map[string]string{}
	for _, f := range files {
		if int(f.name[3]-'0') <= n {
			m[f.name] = f.text
		}
	}
	return lines(m)
}

func TestFreshEqualsUpgraded(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	schemas := map[string]string{}
	t.Run("engines", func(t *testing.T) {
		dbtest.Each(t, nil, func(t *testing.T, d *db.DB) {
			for n := 1; n <= 5; n++ {
				if err := d.Migrate(t.Context(), history(n)); err != nil {
					t.Fatalf("step %d: %v", n, err)
				}
			}
			if err := d.Migrate(t.Context(), history(5)); err != nil {
				t.Fatalf("again: %v", err)
			}
			upgraded := dbtest.Schema(t, d)
			fresh := dbtest.Schema(t, dbtest.Open(t, d.Engine(), history(5), nil))
			if diff := cmp.Diff(fresh, upgraded); diff != "" {
				t.Errorf("fresh and upgraded differ:\n%s", diff)
			}
			var id string
			if err := d.Q().QueryRow(t.Context(), "SELECT id FROM t_a").Scan(&id); err != nil || id != "a;b" {
				t.Errorf("id = %q, %v", id, err)
			}
			mu.Lock()
			defer mu.Unlock()
			schemas[string(d.Engine())] = fresh
		})
	})
	want := `t_a index t_a_note (note) partial
t_a key (id)
t_a.id text
t_a.n int
t_a.note text null
t_b key (id)
t_b reference (a) t_a
t_b unique (a)
t_b.a text
t_b.id text
`
	for engine, got := range schemas {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", engine, diff)
		}
	}
}

func TestOlderRefusesNewer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, history(5), func(t *testing.T, d *db.DB) {
		older := append(lines(map[string]string{"0001_x.sql": "CREATE TABLE u_x (id TEXT);"}), history(2)...)
		older[0].Room = "u"
		err := d.Migrate(t.Context(), older)
		// On SQLite the newest number that ran is 4: number 5 is PostgreSQL's.
		if errs.CodeOf(err) != db.CodeNewer || errs.KindOf(err) != errs.Conflict {
			t.Errorf("error = %v, want %s", err, db.CodeNewer)
		}
		var n int
		if err := d.Q().QueryRow(t.Context(), "SELECT count(*) FROM u_x").Scan(&n); err == nil {
			t.Error("another line was migrated before the refusal")
		}
		if err := d.Migrate(t.Context(), history(5)); err != nil {
			t.Errorf("the right program: %v", err)
		}
	})
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, nil, func(t *testing.T, d *db.DB) {
		bad := lines(map[string]string{"0001_a.sql": "CREATE TABLE t_a (id TEXT);\nCREATE TABLE t_a (id TEXT);\n"})
		if err := d.Migrate(t.Context(), bad); err == nil {
			t.Fatal("no error")
		}
		if err := d.Migrate(t.Context(), history(1)); err != nil {
			t.Errorf("after mending: %v", err)
		}
	})
}

func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			cfg := db.Config{Engine: e, DSN: dbtest.DSN(t, e, nil), Relaxed: true}
			a, b := dbtest.Reopen(t, cfg), dbtest.Reopen(t, cfg)
			nodes := []*db.DB{a, a, a}
			if e == db.Postgres { // many processes only there
				nodes = append(nodes, b, b)
			}
			var wg sync.WaitGroup
			for _, d := range nodes {
				wg.Go(func() {
					if err := d.Migrate(t.Context(), history(5)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestMigrateRefusesOddFiles(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, nil, nil)
	for _, files := range []map[string]string{
		{},
		{"1_a.sql": "SELECT 1;"},
		{"0001_A.sql": "SELECT 1;"},
		{"0001_a.mysql.sql": "SELECT 1;"},
		{"0001_a.sql": "SELECT 1;", "0001_b.sql": "SELECT 1;"},
		{"0001_a.sqlite.sql": "SELECT 1;", "0001_b.sqlite.sql": "SELECT 1;"},
	} {
		if err := d.Migrate(t.Context(), lines(files)); err == nil {
			t.Errorf("%v was taken", files)
		}
	}
	l := history(1)
	l[0].Room = "T; DROP"
	if err := d.Migrate(t.Context(), l); err == nil {
		t.Error("an odd room was taken")
	}
}

func TestDanglingReferenceIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, nil, func(t *testing.T, d *db.DB) {
		err := d.Migrate(t.Context(), lines(map[string]string{"0001_a.sql": `
CREATE TABLE t_a (id TEXT NOT NULL PRIMARY KEY);
CREATE TABLE t_b (a TEXT NOT NULL REFERENCES t_a (id));
INSERT INTO t_b VALUES ('nobody');
`}))
		if err == nil {
			t.Error("no error")
		}
	})
}
