package doc

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"text/template/parse"
	"time"

	"haoban/platform/clock"
	"haoban/platform/errs"
)

// funcs are what a paper's template may call.
func funcs() template.FuncMap {
	return template.FuncMap{
		"date":     ChineseDate,
		"money":    Money,
		"capital":  Capital,
		"add":      func(a, b int) int { return a + b },
		"join":     strings.Join,
		"png":      pngURL,
		"nonblank": func(s string) bool { return strings.TrimSpace(s) != "" },
	}
}

// Render fills a template in html/template's language. Every field the template
// asks for must be in data: a missing key is an error of kind Internal with code
// doc.template, never an empty place. Values are escaped.
//
// Functions: date (a time or "2026-11-23" → 2026年11月23日), money (分 →
// 1,234.50), capital (分 → 壹仟贰佰叁拾肆元伍角整), add, join, nonblank, png
// (bytes of a picture → src of an img).
func Render(tmpl string, data any) (string, error) {
	fail := func(err error) (string, error) {
		return "", errs.New(errs.Internal, "doc.template", "文书模板与数据对不上，没有生成").Wrap(err)
	}
	t, err := template.New("paper").Option("missingkey=error").Funcs(funcs()).Parse(tmpl)
	if err != nil {
		return fail(err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return fail(err)
	}
	return b.String(), nil
}

// TemplateFields returns the fields a template asks for at its top level, as
// dotted paths, sorted. Fields asked for inside range and with are given as
// "list[].field".
func TemplateFields(tmpl string) ([]string, error) {
	t, err := template.New("paper").Funcs(funcs()).Parse(tmpl)
	if err != nil {
		return nil, errs.New(errs.Internal, "doc.template", "文书模板读不懂").Wrap(err)
	}
	seen := map[string]bool{}
	fieldsOf(t.Tree.Root, "", seen)
	out := make([]string, 0, len(seen))
	for f := range seen {
		out = append(out, f)
	}
	slices.Sort(out)
	return out, nil
}

func fieldsOf(n parse.Node, dot string, seen map[string]bool) {
	path := func(base string, ident []string) string {
		return strings.TrimPrefix(base+"."+strings.Join(ident, "."), ".")
	}
	branch := func(b *parse.BranchNode, inner string) {
		fieldsOf(b.Pipe, dot, seen)
		fieldsOf(b.List, inner, seen)
		if b.ElseList != nil {
			fieldsOf(b.ElseList, dot, seen)
		}
	}
	inner := func(p *parse.PipeNode, suffix string) string {
		if len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 {
			switch a := p.Cmds[0].Args[0].(type) {
			case *parse.FieldNode:
				return path(dot, a.Ident) + suffix
			case *parse.VariableNode:
				if a.Ident[0] == "$" && len(a.Ident) > 1 {
					return path("", a.Ident[1:]) + suffix
				}
			case *parse.DotNode:
				return dot + suffix
			}
		}
		return dot + "?"
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, k := range n.Nodes {
			fieldsOf(k, dot, seen)
		}
	case *parse.ActionNode:
		fieldsOf(n.Pipe, dot, seen)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			for _, a := range c.Args {
				fieldsOf(a, dot, seen)
			}
		}
	case *parse.FieldNode:
		seen[path(dot, n.Ident)] = true
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			seen[path("", n.Ident[1:])] = true
		}
	case *parse.IfNode:
		branch(&n.BranchNode, dot)
	case *parse.RangeNode:
		branch(&n.BranchNode, inner(n.Pipe, "[]"))
	case *parse.WithNode:
		branch(&n.BranchNode, inner(n.Pipe, ""))
	}
}

func pngURL(b []byte) template.URL {
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b)) //nolint:gosec // base64 has nothing to escape
}

// ChineseDate writes a time.Time or a string "2026-11-23" as 2026年11月23日, in
// Shanghai's day.
func ChineseDate(v any) (string, error) {
	var t time.Time
	switch v := v.(type) {
	case time.Time:
		t = v.In(clock.Shanghai())
	case string:
		day, _, _ := strings.Cut(v, "T")
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return "", fmt.Errorf("date %q: %w", v, err)
		}
		t = d
	case fmt.Stringer:
		return ChineseDate(v.String())
	default:
		return "", fmt.Errorf("date of a %T", v)
	}
	return fmt.Sprintf("%d年%d月%d日", t.Year(), t.Month(), t.Day()), nil
}

func cents(v any) (int64, error) {
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case float64: // numbers out of JSON
		if v == float64(int64(v)) {
			return int64(v), nil
		}
	}
	return 0, fmt.Errorf("an amount is a whole number of 分, not %v (%T)", v, v)
}

// Money writes an amount in 分 as 1,234.50.
func Money(v any) (string, error) {
	n, err := cents(v)
	if err != nil {
		return "", err
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	whole := fmt.Sprint(n / 100)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return fmt.Sprintf("%s%s.%02d", sign, whole, n%100), nil
}

// Capital writes an amount in 分 in the capital figures of bank and register
// papers（大写金额）, up to 999,999,999,999.99 元.
func Capital(v any) (string, error) {
	n, err := cents(v)
	if err != nil {
		return "", err
	}
	if n < 0 || n >= 1e14 {
		return "", fmt.Errorf("%d 分 has no capital figures here", n)
	}
	digits, units := []rune("零壹贰叁肆伍陆柒捌玖"), []string{"", "拾", "佰", "仟"}
	out := ""
	yuan, jiao, fen := n/100, n/10%10, n%10
	zero := false
	for group := 2; group >= 0; group-- {
		part := yuan
		for range group {
			part /= 10000
		}
		part %= 10000
		if part == 0 {
			zero = zero || out != ""
			continue
		}
		for i, div := 3, int64(1000); i >= 0; i, div = i-1, div/10 {
			d := part / div % 10
			if d == 0 {
				zero = zero || out != ""
				continue
			}
			if zero {
				out += "零"
			}
			zero = false
			out += string(digits[d]) + units[i]
		}
		zero = false
		out += []string{"", "万", "亿"}[group]
	}
	if yuan > 0 {
		out += "元"
	}
	switch {
	case jiao == 0 && fen == 0:
		if yuan == 0 {
			return "零元整", nil
		}
		return out + "整", nil
	case jiao == 0:
		if yuan > 0 {
			out += "零"
		}
		return out + string(digits[fen]) + "分", nil
	}
	out += string(digits[jiao]) + "角"
	if fen == 0 {
		return out + "整", nil
	}
	return out + string(digits[fen]) + "分", nil
}
