package db

import "strings"

// Dialect gives the fragments of SQL in which the engines differ. Fragments
// begin with a space where they follow something.
//
// What needs no fragment because both engines take it: $1 binds, ON CONFLICT …
// DO UPDATE SET x = excluded.x, RETURNING, NULLS FIRST/LAST (always say which),
// TRUE/FALSE, LIMIT/OFFSET, window functions, WITH RECURSIVE, partial indexes,
// CHECK. LIKE heeds case on both.
type Dialect interface {
	// Engine tells which engine this is.
	Engine() Engine
	// ForUpdate ends a SELECT whose rows will be changed in this transaction.
	ForUpdate() string
	// SkipLocked is ForUpdate that passes over rows others hold.
	SkipLocked() string
	// ForShare ends a SELECT whose rows must not change until the commit.
	ForShare() string
	// JSONText is the text at a dotted path of a JSON column: a string as it
	// is, an integer in digits, a truth as true/false, NULL if absent or null.
	// A step made of digits is an index. Fractions, arrays and objects read
	// differently on the engines: do not ask for them.
	JSONText(col, path string) string
	// Ordered is text in code point order, the same on both engines whatever
	// the database's locale. For people, order Chinese by a key made in Go.
	Ordered(col string) string
	// Contains tells whether the text col contains the text expression part,
	// heeding case and knowing no wildcards.
	Contains(col, part string) string
	// Greatest is the larger of two numbers that are not NULL.
	Greatest(a, b string) string
	// Least is the smaller of two numbers that are not NULL.
	Least(a, b string) string
	// Length is the number of characters of a text.
	Length(col string) string
}

type sqliteDialect struct{}

var _ Dialect = sqliteDialect{}

func (sqliteDialect) Engine() Engine     { return SQLite }
func (sqliteDialect) ForUpdate() string  { return "" }
func (sqliteDialect) SkipLocked() string { return "" }
func (sqliteDialect) ForShare() string   { return "" }

func (sqliteDialect) JSONText(col, path string) string {
	var p strings.Builder
	p.WriteString("$")
	for _, step := range strings.Split(path, ".") {
		if digits(step) {
			p.WriteString("[" + step + "]")
		} else {
			p.WriteString(`."` + strings.ReplaceAll(step, `"`, "") + `"`)
		}
	}
	lit := quote(p.String())
	return "(CASE json_type(" + col + ", " + lit + ") WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'" +
		" ELSE CAST(json_extract(" + col + ", " + lit + ") AS TEXT) END)"
}

func (sqliteDialect) Ordered(col string) string { return col + " COLLATE BINARY" }
func (sqliteDialect) Contains(col, part string) string {
	return "(instr(" + col + ", " + part + ") > 0)"
}
func (sqliteDialect) Greatest(a, b string) string { return "max(" + a + ", " + b + ")" }
func (sqliteDialect) Least(a, b string) string    { return "min(" + a + ", " + b + ")" }
func (sqliteDialect) Length(col string) string    { return "length(" + col + ")" }

type postgresDialect struct{}

var _ Dialect = postgresDialect{}

func (postgresDialect) Engine() Engine     { return Postgres }
func (postgresDialect) ForUpdate() string  { return " FOR UPDATE" }
func (postgresDialect) SkipLocked() string { return " FOR UPDATE SKIP LOCKED" }
func (postgresDialect) ForShare() string   { return " FOR SHARE" }

func (postgresDialect) JSONText(col, path string) string {
	steps := strings.Split(path, ".")
	for i, s := range steps {
		steps[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return "((" + col + ")::jsonb #>> " + quote("{"+strings.Join(steps, ",")+"}") + ")"
}

func (postgresDialect) Ordered(col string) string { return col + ` COLLATE "C"` }
func (postgresDialect) Contains(col, part string) string {
	return "(strpos(" + col + ", " + part + ") > 0)"
}
func (postgresDialect) Greatest(a, b string) string { return "greatest(" + a + ", " + b + ")" }
func (postgresDialect) Least(a, b string) string    { return "least(" + a + ", " + b + ")" }
func (postgresDialect) Length(col string) string    { return "char_length(" + col + ")" }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
