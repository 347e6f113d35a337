package db

import (
	"database/sql/driver"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"haoban/platform/errs"
)

// maxCached bounds the caches of statements: the program's own texts are far
// fewer, and a filter built of pieces must not fill the memory.
const maxCached = 2048

// rewriter turns $1 into ?1 and remembers what it turned.
type rewriter struct {
	seen sync.Map // string → string
	n    atomic.Int64
}

func (w *rewriter) sql(s string) string {
	if v, ok := w.seen.Load(s); ok {
		return v.(string) //nolint:forcetypeassert // only strings are stored
	}
	out := rewrite(s)
	if w.n.Load() < maxCached {
		w.n.Add(1)
		w.seen.Store(s, out)
	}
	return out
}

// rewrite turns the binds $1, $2 … of s into SQLite's ?1, ?2 …, leaving string
// literals, quoted names and comments as they are.
func rewrite(s string) string {
	if !strings.Contains(s, "$") {
		return s
	}
	b := []byte(s)
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\'' || c == '"':
			i = skip(b, i+1, string(c))
		case c == '-' && i+1 < len(b) && b[i+1] == '-':
			i = skip(b, i+2, "\n")
		case c == '/' && i+1 < len(b) && b[i+1] == '*':
			i = skip(b, i+2, "*/")
		case c == '$' && i+1 < len(b) && b[i+1] >= '0' && b[i+1] <= '9':
			b[i] = '?'
		}
	}
	return string(b)
}

// skip returns the index of the last byte of end at or after i. A doubled quote
// ends one literal and begins the next, which comes to the same.
func skip(b []byte, i int, end string) int {
	if i >= len(b) {
		return len(b)
	}
	k := strings.Index(string(b[i:]), end)
	if k < 0 {
		return len(b)
	}
	return i + k + len(end) - 1
}

var errText = errs.New(errs.Invalid, "db.text", "文字中含有无法保存的字符，请删除后再试")

// refused is an argument that fails when it is bound.
type refused struct{ err error }

// Value returns the error.
func (r refused) Value() (driver.Value, error) { return nil, r.err }

// normal makes the arguments mean the same on both engines: raw JSON is text,
// and text that PostgreSQL could not keep (a NUL, broken UTF-8) is refused on
// SQLite as well.
func normal(args []any) []any {
	out := args
	for i, a := range args {
		var r any
		switch v := a.(type) {
		case json.RawMessage:
			if v == nil {
				continue
			}
			if r = any(string(v)); !storable(string(v)) {
				r = refused{errText}
			}
		case string:
			if storable(v) {
				continue
			}
			r = refused{errText}
		default:
			continue
		}
		if &out[0] == &args[0] {
			out = append([]any(nil), args...)
		}
		out[i] = r
	}
	return out
}

func storable(s string) bool {
	return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s)
}
