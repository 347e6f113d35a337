package dbtest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"haoban/platform/db"
)

// Schema is the logical schema of d as text: tables, columns with normalised
// types, keys, references and indexes, in alphabetical order. Both engines, and
// a fresh and an upgraded database, must give the same text. The tables that
// count migrations are left out.
func Schema(t testing.TB, d *db.DB) string {
	t.Helper()
	ask := sqliteSchema
	if d.Engine() == db.Postgres {
		ask = postgresSchema
	}
	var lines []string
	for _, q := range ask() {
		got, err := column(d, q)
		if err != nil {
			t.Fatalf("dbtest: schema: %v", err)
		}
		lines = append(lines, got...)
	}
	for i, l := range lines {
		lines[i] = plain(l)
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n") + "\n"
}

func column(d *db.DB, q string) (out []string, err error) {
	rows, err := d.Q().Query(context.Background(), q)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q, err)
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// sqliteSchema are the questions put to SQLite; each answers one line a row:
// table.column type, or table key/unique/index/reference (columns).
func sqliteSchema() []string {
	const tables = ` FROM sqlite_schema m WHERE m.type = 'table'
		AND m.name NOT LIKE 'sqlite|_%' ESCAPE '|' AND m.name NOT LIKE 'db|_version|_%' ESCAPE '|'`
	cols := func(ix string) string {
		return `(SELECT group_concat(name, ', ') FROM (SELECT coalesce(name, 'expression') AS name
			FROM pragma_index_xinfo(` + ix + `) WHERE key ORDER BY seqno))`
	}
	return []string{
		`SELECT m.name || '.' || c.name || ' ' || lower(c.type) ||
			CASE WHEN c."notnull" OR c.pk > 0 THEN '' ELSE ' null' END ||
			CASE WHEN c.dflt_value IS NULL THEN '' ELSE ' default' END
			FROM sqlite_schema m, pragma_table_info(m.name) c` + strings.TrimPrefix(tables, " FROM sqlite_schema m"),
		`SELECT m.name || ' key (' || (SELECT group_concat(name, ', ') FROM
			(SELECT name FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk)) || ')'` + tables +
			` AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE pk > 0)`,
		`SELECT m.name || CASE WHEN i.origin = 'u' THEN ' unique (' ELSE
			CASE WHEN i."unique" THEN ' unique index ' ELSE ' index ' END || i.name || ' (' END || ` + cols("i.name") +
			` || ')' || CASE WHEN i.partial THEN ' partial' ELSE '' END
			FROM sqlite_schema m, pragma_index_list(m.name) i` + strings.TrimPrefix(tables, " FROM sqlite_schema m") +
			` AND i.origin <> 'pk'`,
		`SELECT m.name || ' reference (' || group_concat(f."from", ', ') || ') ' || f."table"
			FROM sqlite_schema m, pragma_foreign_key_list(m.name) f` + strings.TrimPrefix(tables, " FROM sqlite_schema m") +
			` GROUP BY m.name, f.id, f."table"`,
	}
}

func postgresSchema() []string {
	const mine = ` AND n.nspname = current_schema() AND t.relname NOT LIKE 'db\_version\_%'`
	cols := func(keys, rel string) string {
		return `(SELECT string_agg(coalesce(a.attname, 'expression'), ', ' ORDER BY k.ord)
			FROM unnest(` + keys + `) WITH ORDINALITY k(num, ord)
			LEFT JOIN pg_attribute a ON a.attrelid = ` + rel + ` AND a.attnum = k.num AND k.num > 0)`
	}
	return []string{
		`SELECT t.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ||
			CASE WHEN a.attnotnull THEN '' ELSE ' null' END || CASE WHEN a.atthasdef THEN ' default' ELSE '' END
			FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_attribute a ON a.attrelid = t.oid
			WHERE t.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped` + mine,
		`SELECT t.relname || CASE WHEN c.contype = 'p' THEN ' key (' ELSE ' unique (' END || ` + cols("c.conkey", "t.oid") + ` || ')'
			FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
			WHERE c.contype IN ('p', 'u')` + mine,
		`SELECT t.relname || CASE WHEN i.indisunique THEN ' unique index ' ELSE ' index ' END || x.relname || ' (' || ` +
			cols("i.indkey::int2[]", "t.oid") + ` || ')' || CASE WHEN i.indpred IS NULL THEN '' ELSE ' partial' END
			FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
			JOIN pg_namespace n ON n.oid = t.relnamespace
			WHERE NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))` + mine,
		`SELECT t.relname || ' reference (' || ` + cols("c.conkey", "t.oid") + ` || ') ' || f.relname
			FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
			JOIN pg_class f ON f.oid = c.confrelid WHERE c.contype = 'f'` + mine,
	}
}

// kinds are the names one type goes by.
var kinds = regexp.MustCompile(`^(\S+\.\S+) (?:(bigint|integer|int|smallint|int8|int4)|` +
	`(double precision|real|float8|float)|(text|character varying(?:\(\d+\))?|varchar(?:\(\d+\))?)|` +
	`(bytea|blob)|(boolean|bool))\b`)

// plain gives a column's type the name both engines share.
func plain(line string) string {
	return kinds.ReplaceAllStringFunc(line, func(s string) string {
		m := kinds.FindStringSubmatch(s)
		for i, name := range []string{"int", "real", "text", "bytes", "boolean"} {
			if m[i+2] != "" {
				return m[1] + " " + name
			}
		}
		return s
	})
}
