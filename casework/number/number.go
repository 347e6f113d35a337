// Package number takes numbers: of cases, results and papers. A number is taken
// inside the transaction that uses it, so a roll-back gives it back: no gaps,
// no doubles, however many ask at once.
package number

import (
	"context"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix num_.
func Migrations() db.Line { return db.Line{Room: "num", FS: migrations} }

// Rule says how a number looks and when it begins again at one.
//
// Template takes {year}, {day} (yyyymmdd), {district} (six digits), {short} (the
// district's one-character name), any other variable of the caller, and {seq} or
// {seq:6} padded with zeros. Reset is year, day or never; PerDistrict counts
// each district apart.
type Rule struct {
	Template    string `json:"template"`
	Reset       string `json:"reset"`
	PerDistrict bool   `json:"perDistrict"`
}

// Book is the set of rules in force. It is immutable and safe for concurrent
// use; what may change while running is the counters in the database.
type Book struct{ rules map[string]Rule }

// New checks the rules and returns a book.
func New(rules map[string]Rule) (*Book, error) {
	for name, r := range rules {
		if !strings.Contains(r.Template, "{seq") {
			return nil, fmt.Errorf("number rule %s: the template has no {seq}", name)
		}
		switch r.Reset {
		case "year", "day", "never":
		default:
			return nil, fmt.Errorf("number rule %s: reset %q", name, r.Reset)
		}
	}
	return &Book{rules: rules}, nil
}

// Take returns the next number of rule. vars must hold day as 2006-01-02 and
// district; an unknown rule is an error. The row of the series stays locked
// until tx ends.
func (b *Book) Take(ctx context.Context, tx *db.Tx, rule string, vars map[string]string) (string, error) {
	r, ok := b.rules[rule]
	if !ok {
		return "", errs.New(errs.Internal, "number.rule", "没有配置编号规则："+rule)
	}
	day := strings.ReplaceAll(vars["day"], "-", "")
	series := rule
	if r.PerDistrict {
		series += "/" + vars["district"]
	}
	switch r.Reset {
	case "year":
		series += "/" + day[:4]
	case "day":
		series += "/" + day
	}
	var n int64
	err := tx.QueryRow(ctx, `INSERT INTO num_series (series, last) VALUES ($1, 1)
		ON CONFLICT (series) DO UPDATE SET last = num_series.last + 1 RETURNING last`, series).Scan(&n)
	if err != nil {
		return "", fmt.Errorf("number %s: %w", rule, err)
	}
	all := map[string]string{"year": day[:4], "day": day, "district": vars["district"], "short": "市"}
	if d, ok := codes.DistrictByCode(vars["district"]); ok {
		all["short"] = d.Short
	}
	for k, v := range vars {
		if _, taken := all[k]; !taken {
			all[k] = v
		}
	}
	return expand(r.Template, all, n)
}

func expand(t string, vars map[string]string, n int64) (string, error) {
	var out strings.Builder
	for t != "" {
		i := strings.IndexByte(t, '{')
		if i < 0 {
			out.WriteString(t)
			break
		}
		j := strings.IndexByte(t[i:], '}')
		if j < 0 {
			return "", fmt.Errorf("number template: %q is not closed", t[i:])
		}
		out.WriteString(t[:i])
		name := t[i+1 : i+j]
		t = t[i+j+1:]
		if name == "seq" {
			out.WriteString(strconv.FormatInt(n, 10))
			continue
		}
		if w, ok := strings.CutPrefix(name, "seq:"); ok {
			width, err := strconv.Atoi(w)
			if err != nil {
				return "", fmt.Errorf("number template: %w", err)
			}
			fmt.Fprintf(&out, "%0*d", width, n)
			continue
		}
		v, ok := vars[name]
		if !ok {
			return "", fmt.Errorf("number template: no variable %s", name)
		}
		out.WriteString(v)
	}
	return out.String(), nil
}
