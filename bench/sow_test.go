package bench_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"haoban/platform/db"
)

// The cases that are already there: 60 matters in 16 districts, evenly, nine in
// ten alive, due within a hundred days.
const (
	matterCount   = 60
	districtCount = 16
	bankScope     = "g:bench-bank"
)

// districts are the codes of the 16 districts.
var districts = [districtCount]string{
	"310101", "310104", "310105", "310106", "310107", "310109", "310110", "310112",
	"310113", "310114", "310115", "310116", "310117", "310118", "310120", "310151",
}

// matterOf is the slug of a matter of the seeded cases.
func matterOf(n int) string { return fmt.Sprintf("registry/m%d", 10+n) }

// sow writes n cases as the house would have left them, straight into the
// tables. The bank is a party to three in a hundred, at least 1,100. digest is
// the definition they keep.
func sow(t *testing.T, s store, n int, digest string) {
	t.Helper()
	driver, dsn := "pgx", s.dsn
	if s.engine == db.SQLite {
		driver, dsn = "sqlite", "file:"+s.dsn+"?_pragma=synchronous(0)&_pragma=cache_size(-400000)&_pragma=temp_store(2)"
	}
	d, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	d.SetMaxOpenConns(1)
	start := time.Now()
	exec := func(q string) {
		if _, err := d.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	// A bulk load builds its indexes last.
	exec(`DROP INDEX cw_see_due`)
	exec(`DROP INDEX cw_see_opened`)
	const step = 100_000
	for from := 0; from < n; from += step {
		for _, q := range sowSQL(s.engine, from, min(n, from+step)-1, n, digest) {
			exec(q)
		}
	}
	exec(`CREATE INDEX cw_see_due ON cw_see (scope, live, due, case_id)`)
	exec(`CREATE INDEX cw_see_opened ON cw_see (scope, live, opened_at, case_id)`)
	if s.engine == db.Postgres {
		exec(`VACUUM ANALYZE cw_see`)
		exec(`VACUUM ANALYZE cw_case`)
		exec(`CHECKPOINT`)
	} else {
		exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("sowed %d cases in %s", n, time.Since(start).Round(time.Millisecond))
}

func sowSQL(e db.Engine, from, to, all int, digest string) []string {
	numbers := fmt.Sprintf(`SELECT n FROM generate_series(%d, %d) AS g(n)`, from, to)
	if e == db.SQLite {
		numbers = fmt.Sprintf(`WITH RECURSIVE g(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM g WHERE n < %d) SELECT n FROM g`, from, to)
	}
	district := `CASE n % 16`
	for i, c := range districts {
		district += fmt.Sprintf(` WHEN %d THEN '%s'`, i, c)
	}
	district += ` END`
	const (
		id     = `'019a0000-0000-7000-8000-0000' || CAST(10000000 + n AS TEXT)`
		matter = `'registry/m' || CAST(10 + n / 16 % 60 AS TEXT)`
		live   = `n % 10 <> 0`
		opened = `1760000000000 + n * CAST(30000 AS BIGINT)`
		due    = `1795000000000 + n * CAST(7919 AS BIGINT) % 100 * 86400000`
	)
	form := strings.ReplaceAll(`{"applicant":{"name":"测试公司"},"unit":"310115001001GB00001F00010001","reason":"`+strings.Repeat("为了测量而写的一段话。", 20)+`"}`, `'`, ``)
	state := `{"status":"running","seq":7,"tokens":[{"key":"t1","node":"accept"}],"vars":{"outcome":"pass"}}`
	cases := fmt.Sprintf(`INSERT INTO cw_case (id, no, home, matter, digest, bundle, bundle_seq, phase, district, title, channel, opener, org,
		opened_at, submitted_at, accepted_at, closed_at, due, paused, outcome, version, seq, state, form, facts, settings)
		SELECT %[1]s, '网 2025 ' || CAST(10000000 + n AS TEXT), 'one', %[2]s, '%[3]s', %[1]s, 0,
		CASE WHEN %[4]s THEN 'handling' ELSE 'closed' END, %[5]s, '测试路 ' || CAST(n AS TEXT) || ' 号的一件事', 'web',
		'opener-' || CAST(n %% 50000 AS TEXT), '', %[6]s, %[6]s, %[6]s, 0, %[7]s, FALSE, '', 9, 12, '%[8]s', '%[9]s', '{}', '{}' FROM (%[10]s) x`,
		id, matter, digest, live, district, opened, due, state, form, numbers)
	every := max(1, min(33, all/1100))
	sees := []string{
		`'g:bench-bank' AS scope, n FROM nums WHERE n % ` + fmt.Sprint(every) + ` = 1 % ` + fmt.Sprint(every),
		`'p:opener-' || CAST(n % 50000 AS TEXT) AS scope, n FROM nums`,
		`'o:' || ` + district + ` || ':registry:*' AS scope, n FROM nums`,
		`'o:' || ` + district + ` || ':registry:' || ` + matter + ` AS scope, n FROM nums`,
		`'o:*:registry:*' AS scope, n FROM nums`,
		`'o:*:registry:' || ` + matter + ` AS scope, n FROM nums`,
	}
	with := `WITH nums AS (` + numbers + `)`
	if e == db.SQLite {
		with = strings.Replace(numbers, ` SELECT n FROM g`, `, nums(n) AS (SELECT n FROM g)`, 1)
	}
	// One scope after another within a case, so that the primary key grows in order.
	see := with + ` INSERT INTO cw_see (scope, case_id, live, due, opened_at)
		SELECT scope, ` + id + `, ` + live + `, ` + due + `, ` + opened + ` FROM (SELECT ` + strings.Join(sees, ` UNION ALL SELECT `) + `) y ORDER BY n`
	return []string{cases, see}
}
