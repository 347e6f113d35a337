package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"haoban/platform/db"
	"haoban/platform/errs"
)

// Filter says which rows are wanted; a zero field asks nothing.
type Filter struct {
	Types    []string // a type, or a group with a dot at its end: "case."
	Actor    string
	Subject  string
	Case     string
	Outcome  string
	IP       string
	From, To time.Time // business time, From included, To not
	Limit    int       // rows a page; 0 is 50, at most 500
}

// Page is some rows, the newest first, and where to go on.
type Page struct {
	Rows []Row
	Next string // empty at the end
}

const (
	defaultPage = 50
	maxPage     = 500
	maxTypes    = 50
)

// ErrFilter says that a question cannot be asked.
var ErrFilter = errs.New(errs.Invalid, "audit.filter", "查询条件不正确")

// Query returns a page of the log. The cursor is empty for the first page and
// Page.Next of the one before after that; rows that come meanwhile shift
// nothing.
func Query(ctx context.Context, q db.Querier, f Filter, cursor string) (Page, error) {
	if f.Limit <= 0 {
		f.Limit = defaultPage
	}
	f.Limit = min(f.Limit, maxPage)
	if len(f.Types) > maxTypes || len(cursor) > 64 {
		return Page{}, ErrFilter
	}
	var where []string
	var args []any
	add := func(cond string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(cond, len(args)))
	}
	for _, eq := range []struct{ col, val string }{
		{"actor", f.Actor}, {"subject", f.Subject}, {"case_id", f.Case}, {"outcome", f.Outcome}, {"ip", f.IP},
	} {
		if eq.val != "" {
			add(eq.col+" = $%d", eq.val)
		}
	}
	// The partial indexes serve only whoever says that the column is not empty.
	if f.Subject != "" {
		where = append(where, "subject <> ''")
	}
	if f.Case != "" {
		where = append(where, "case_id <> ''")
	}
	if types := expand(f.Types); len(f.Types) > 0 {
		if len(types) == 0 {
			return Page{}, nil
		}
		var in []string
		for _, t := range types {
			args = append(args, t)
			in = append(in, fmt.Sprintf("$%d", len(args)))
		}
		where = append(where, "type IN ("+strings.Join(in, ", ")+")")
	}
	if !f.From.IsZero() {
		add("at >= $%d", db.MS(f.From))
	}
	if !f.To.IsZero() {
		add("at < $%d", db.MS(f.To))
	}
	if cursor != "" {
		add("id < $%d", cursor)
	}
	sql := ""
	if len(where) > 0 {
		sql = "WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, f.Limit+1)
	rows, err := query(ctx, q, fmt.Sprintf("%s ORDER BY id DESC LIMIT $%d", sql, len(args)), args...)
	if err != nil {
		return Page{}, err
	}
	var p Page
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		p.Next = rows[f.Limit-1].id
	}
	for _, r := range rows {
		pub, err := r.public()
		if err != nil {
			return Page{}, err
		}
		p.Rows = append(p.Rows, pub)
	}
	return p, nil
}

// expand turns groups into the types of the catalogue.
func expand(types []string) []string {
	var out []string
	for _, t := range types {
		if !strings.HasSuffix(t, ".") {
			out = append(out, t)
			continue
		}
		for _, s := range Catalogue() {
			if strings.HasPrefix(s.Type, t) {
				out = append(out, s.Type)
			}
		}
	}
	return out
}
