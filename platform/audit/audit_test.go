package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/audit"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

func lines() []db.Line { return []db.Line{audit.Migrations()} }

func keys(tb testing.TB) *gm.Soft {
	tb.Helper()
	k, err := gm.NewMemory()
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func write(tb testing.TB, d *db.DB, events ...audit.Event) {
	tb.Helper()
	err := d.Tx(tb.Context(), func(tx *db.Tx) error {
		for _, e := range events {
			if err := audit.Write(tb.Context(), tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func all(tb testing.TB, d *db.DB, f audit.Filter) []audit.Row {
	tb.Helper()
	var out []audit.Row
	cursor := ""
	for {
		p, err := audit.Query(tb.Context(), d.Q(), f, cursor)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, p.Rows...)
		if cursor = p.Next; cursor == "" {
			return out
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range audit.Catalogue() {
		if seen[s.Type] {
			t.Errorf("%s stands twice", s.Type)
		}
		seen[s.Type] = true
		if strings.IndexFunc(s.Meaning, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }) < 0 {
			t.Errorf("%s means %q", s.Type, s.Meaning)
		}
		if strings.Trim(s.Type, "abcdefghijklmnopqrstuvwxyz.-") != "" {
			t.Errorf("odd type %q", s.Type)
		}
		for _, f := range s.Fields {
			if strings.Trim(f, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%s: odd field %q", s.Type, f)
			}
		}
		if audit.Meaning(s.Type) != s.Meaning {
			t.Errorf("Meaning(%s) = %s", s.Type, audit.Meaning(s.Type))
		}
	}
	if audit.Meaning("no.such") != "no.such" {
		t.Error("a meaning for nothing")
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dbtest.EachClock(t, lines(), func(t *testing.T, d *db.DB, c *clock.Movable) {
		c.Set(time.Date(2026, 3, 2, 1, 10, 0, 0, time.UTC))
		e := audit.Event{
			Type: "case.return", Actor: "u1", ActorKind: "official", Subject: "task-1", Case: "case-1",
			Detail: map[string]string{"reason": "缺少完税证明", "to": "applicant"}, IP: "10.1.2.3:5555",
		}
		write(t, d, e)
		got := all(t, d, audit.Filter{})
		e.Outcome, e.IP = audit.OK, "10.1.2.3"
		if len(got) != 1 || cmp.Diff(e, got[0].Event) != "" {
			t.Fatalf("got %+v", got)
		}
		if !got[0].At.Equal(c.Now().Truncate(time.Millisecond)) && c.Now().Sub(got[0].At) > time.Minute {
			t.Errorf("at %v", got[0].At)
		}
		if (clock.Wall{}).Now().Sub(got[0].WallAt).Abs() > time.Hour || got[0].Sealed {
			t.Errorf("wall time %v, sealed %v", got[0].WallAt, got[0].Sealed)
		}
		for what, bad := range map[string]struct {
			e    audit.Event
			want error
		}{
			"unknown type": {audit.Event{Type: "case.vanish"}, audit.ErrType},
			"no type":      {audit.Event{}, audit.ErrType},
			"outcome":      {audit.Event{Type: "case.open", Outcome: "perhaps"}, audit.ErrEvent},
			"too much":     {audit.Event{Type: "case.open", Detail: many(31)}, audit.ErrEvent},
		} {
			err := d.Tx(t.Context(), func(tx *db.Tx) error { return audit.Write(t.Context(), tx, bad.e) })
			if !errors.Is(err, bad.want) {
				t.Errorf("%s: got %v, want %v", what, err, bad.want)
			}
			if err := audit.New(d, nil).Failed(t.Context(), bad.e); !errors.Is(err, bad.want) {
				t.Errorf("%s after a roll-back: got %v, want %v", what, err, bad.want)
			}
		}
	})
}

func many(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint("k", i)] = "v"
	}
	return m
}

// A roll-back takes what was written in it; what Failed wrote stays.
func TestRollBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, lines(), func(t *testing.T, d *db.DB) {
		l := audit.New(d, keys(t))
		refusal := errs.New(errs.Conflict, "case.version", "这件办件刚被别人改过")
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			if err := audit.Write(t.Context(), tx, audit.Event{Type: "case.submit", Actor: "p1", Case: "c1"}); err != nil {
				return err
			}
			if err := l.Failed(tx.Mark(t.Context()), audit.Event{Type: "case.submit", Outcome: audit.Failed}); !errors.Is(err, db.ErrNested) {
				t.Errorf("Failed inside a transaction: %v, want ErrNested", err)
			}
			return refusal
		})
		if !errors.Is(err, refusal) {
			t.Fatal(err)
		}
		// The visitor hung up: the trace stays all the same.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Failed(ctx, audit.Event{Type: "case.submit", Actor: "p1", Case: "c1", Outcome: audit.Refused, Code: errs.CodeOf(err)}); err != nil {
			t.Fatal(err)
		}
		got := all(t, d, audit.Filter{Case: "c1"})
		if len(got) != 1 || got[0].Outcome != audit.Refused || got[0].Code != "case.version" || !got[0].Sealed {
			t.Errorf("got %+v", got)
		}
	})
}

func TestPersonalData(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, lines(), clock.Wall{})
	full := "31019919900101001" + checkDigit("31019919900101001")
	uuid := db.NewID()
	write(t, d, audit.Event{
		Type: "case.comment", Subject: uuid, Detail: map[string]string{
			"a": "当事人" + full + "，电话13800000001。", "b": "编号 20260302001 与 " + uuid, "c": strings.Repeat("长", 900), "d": "a\x00\xffb",
		},
	})
	r := all(t, d, audit.Filter{})[0]
	if strings.Contains(r.Detail["a"], full) || strings.Contains(r.Detail["a"], "13800000001") || !strings.HasPrefix(r.Detail["a"], "当事人310") || !strings.HasSuffix(r.Detail["a"], "。") {
		t.Errorf("detail %q", r.Detail["a"])
	}
	if r.Detail["b"] != "编号 20260302001 与 "+uuid || r.Subject != uuid {
		t.Errorf("masked what is nobody's: %q, %s", r.Detail["b"], r.Subject)
	}
	if n := len([]rune(r.Detail["c"])); n != 500 {
		t.Errorf("a detail of %d characters", n)
	}
	if r.Detail["d"] != "a\ufffdb" {
		t.Errorf("detail %q", r.Detail["d"])
	}
}

func checkDigit(s string) string {
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11 : sum%11+1]
}

func TestQuery(t *testing.T) {
	t.Parallel()
	dbtest.EachClock(t, lines(), func(t *testing.T, d *db.DB, c *clock.Movable) {
		day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
		types := []string{"case.open", "case.submit", "ident.login"}
		for i := range 30 {
			c.Set(day.Add(time.Duration(i) * time.Hour))
			write(t, d, audit.Event{
				Type: types[i%3], Actor: fmt.Sprint("u", i%2), Case: fmt.Sprint("c", i%5), Subject: fmt.Sprint("s", i%4),
				Outcome: []string{audit.OK, audit.Refused}[i%2], IP: fmt.Sprint("10.0.0.", i%3), Detail: map[string]string{"n": fmt.Sprint(i)},
			})
		}
		for name, tt := range map[string]struct {
			f    audit.Filter
			want func(i int) bool
		}{
			"all":     {audit.Filter{}, func(int) bool { return true }},
			"type":    {audit.Filter{Types: []string{"case.open"}}, func(i int) bool { return i%3 == 0 }},
			"types":   {audit.Filter{Types: []string{"case.open", "ident.login"}}, func(i int) bool { return i%3 != 1 }},
			"group":   {audit.Filter{Types: []string{"case."}}, func(i int) bool { return i%3 != 2 }},
			"nothing": {audit.Filter{Types: []string{"nothing."}}, func(int) bool { return false }},
			"actor":   {audit.Filter{Actor: "u1"}, func(i int) bool { return i%2 == 1 }},
			"case":    {audit.Filter{Case: "c3"}, func(i int) bool { return i%5 == 3 }},
			"subject": {audit.Filter{Subject: "s2"}, func(i int) bool { return i%4 == 2 }},
			"outcome": {audit.Filter{Outcome: audit.Refused}, func(i int) bool { return i%2 == 1 }},
			"ip":      {audit.Filter{IP: "10.0.0.2"}, func(i int) bool { return i%3 == 2 }},
			"time":    {audit.Filter{From: day.Add(5 * time.Hour), To: day.Add(9 * time.Hour)}, func(i int) bool { return i >= 5 && i < 9 }},
			"both":    {audit.Filter{Actor: "u0", Case: "c4", Types: []string{"case."}}, func(i int) bool { return i%2 == 0 && i%5 == 4 && i%3 != 2 }},
		} {
			var want, got []string
			for i := 29; i >= 0; i-- {
				if tt.want(i) {
					want = append(want, fmt.Sprint(i))
				}
			}
			for _, limit := range []int{0, 1, 3, 30} {
				tt.f.Limit, got = limit, nil
				for _, r := range all(t, d, tt.f) {
					got = append(got, r.Detail["n"])
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, %d a page:\n%s", name, limit, diff)
				}
			}
		}
		// What comes while somebody turns pages shifts nothing.
		first, err := audit.Query(t.Context(), d.Q(), audit.Filter{Limit: 10}, "")
		if err != nil {
			t.Fatal(err)
		}
		write(t, d, audit.Event{Type: "logout"})
		second, err := audit.Query(t.Context(), d.Q(), audit.Filter{Limit: 10}, first.Next)
		if err != nil || second.Rows[0].Detail["n"] != "19" {
			t.Errorf("second page begins at %v, %v", second.Rows[0].Detail, err)
		}
		if _, err := audit.Query(t.Context(), d.Q(), audit.Filter{Types: make([]string, 51)}, ""); !errors.Is(err, audit.ErrFilter) {
			t.Errorf("too many types: %v", err)
		}
	})
}

// The database itself refuses to change or remove a row; one that was changed
// past it is found by its MAC.
func TestTampering(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, lines(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		l := audit.New(d, keys(t))
		for i := range 10 {
			write(t, d, audit.Event{Type: "case.open", Actor: fmt.Sprint("u", i), Detail: map[string]string{"reason": "甲"}})
		}
		if f, err := l.Check(ctx, "", 100); err != nil || f.Rows != 10 || f.Unsealed != 10 {
			t.Errorf("before Seal: %+v, %v", f, err)
		}
		if n, err := l.Seal(ctx); err != nil || n != 10 {
			t.Errorf("Seal = %d, %v", n, err)
		}
		if n, err := l.Seal(ctx); err != nil || n != 0 {
			t.Errorf("Seal again = %d, %v", n, err)
		}
		if n, err := audit.New(d, nil).Seal(ctx); err != nil || n != 0 {
			t.Errorf("Seal without keys = %d, %v", n, err)
		}
		exec := func(q string, args ...any) error {
			return d.Tx(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, q, args...); return err })
		}
		for _, q := range []string{
			`DELETE FROM audit_event`, `UPDATE audit_event SET actor = 'x'`, `UPDATE audit_event SET mac = ''`, `UPDATE audit_event SET outcome = 'failed'`,
		} {
			if err := exec(q); err == nil || !strings.Contains(err.Error(), "never") {
				t.Errorf("%s: %v", q, err)
			}
		}
		write(t, d, audit.Event{Type: "case.open"})
		if err := exec(`UPDATE audit_event SET actor = 'x' WHERE mac = ''`); err == nil {
			t.Error("an unsealed row was changed")
		}
		// The intruder owns the database.
		drop := map[db.Engine]string{db.SQLite: "DROP TRIGGER audit_event_still", db.Postgres: "DROP TRIGGER audit_event_still ON audit_event"}
		if err := exec(drop[d.Engine()]); err != nil {
			t.Fatal(err)
		}
		rows := all(t, d, audit.Filter{})
		for i, q := range []string{
			`UPDATE audit_event SET actor = 'x' WHERE id = $1`, `UPDATE audit_event SET at = at + 1 WHERE id = $1`,
			`UPDATE audit_event SET detail = '{"reason":"乙"}' WHERE id = $1`, `UPDATE audit_event SET mac = 'zz' WHERE id = $1`,
			`UPDATE audit_event SET actor = '', actor_kind = actor WHERE id = $1`,
		} {
			if err := exec(q, rows[i+1].ID); err != nil {
				t.Fatal(err)
			}
		}
		var broken []string
		seen, unsealed := 0, 0
		for after := ""; ; {
			f, err := l.Check(ctx, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			broken, seen, unsealed = append(broken, f.Broken...), seen+f.Rows, unsealed+f.Unsealed
			if after = f.Next; after == "" {
				break
			}
		}
		want := []string{rows[5].ID, rows[4].ID, rows[3].ID, rows[2].ID, rows[1].ID}
		if diff := cmp.Diff(want, broken); diff != "" || seen != 11 || unsealed != 1 {
			t.Errorf("%d rows, %d unsealed\n%s", seen, unsealed, diff)
		}
	})
}

// away is a key service that does not answer.
type away struct{ gm.Keys }

func (away) MAC(context.Context, string, []byte) ([]byte, error) {
	return nil, errs.New(errs.Unavailable, "gm.away", "密码服务没有应答")
}

// A key service that is down costs the seal, not the row.
func TestKeysAway(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite, lines(), clock.Wall{})
	k := keys(t)
	if err := audit.New(d, away{k}).Failed(t.Context(), audit.Event{Type: "case.open", Outcome: audit.Failed}); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.New(d, away{k}).Seal(t.Context()); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("Seal: %v", err)
	}
	if n, err := audit.New(d, k).Seal(t.Context()); err != nil || n != 1 {
		t.Errorf("Seal once it is back = %d, %v", n, err)
	}
}

func BenchmarkWrite(b *testing.B) {
	d := dbtest.Open(b, db.SQLite, lines(), clock.Wall{})
	e := audit.Event{Type: "case.complete", Actor: "u1", ActorKind: "official", Case: "c1", Subject: "t1", IP: "10.0.0.1", Detail: map[string]string{"node": "审核", "outcome": "pass"}}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := d.Group(b.Context(), func(tx *db.Tx) error { return audit.Write(b.Context(), tx, e) }); err != nil {
				b.Error(err)
			}
		}
	})
}
