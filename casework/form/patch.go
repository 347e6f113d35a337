package form

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"haoban/platform/errs"
)

// The bounds of a draft where the schema states none.
const (
	maxList = 1000
	maxText = 20000
)

// Patch returns a copy of data with values put at dotted paths; data itself is
// not touched. nil clears a leaf or an object and takes an item out of a list,
// after everything else, so that indexes mean what they meant to the caller; an
// empty text clears a leaf. The index just past a list's end adds an item.
// Values with an x-format are stored in its normal form.
//
// Unknown paths, values of the wrong type and, with who, parts of other roles
// are refused by name, and then nothing is changed.
func (f *Form) Patch(data, values map[string]any, who ...string) (map[string]any, []errs.Field) {
	p := &patcher{f: f, who: who, out: cloneMap(data)}
	paths := slices.SortedFunc(maps.Keys(values), comparePath)
	var gone []string
	for _, path := range paths {
		n, _ := f.root.find(strings.Split(path, "."))
		switch {
		case n == nil || path == "" || strings.Contains(path, "*"):
			p.refuse(path, "unknown", "表单里没有“"+path+"”这一项")
		case !p.mayWrite(n):
			p.refuse(path, "who", f.TitleAt(path)+"由别人填写，这里不能改")
		case blank(values[path]):
			gone = append(gone, path)
		default:
			p.set(n, path, values[path])
		}
	}
	for _, path := range slices.Backward(gone) {
		p.out, _ = remove(p.out, strings.Split(path, ".")).(map[string]any)
	}
	if len(p.bad) > 0 {
		return data, p.bad
	}
	return p.out, nil
}

func blank(v any) bool {
	s, ok := v.(string)
	return v == nil || ok && strings.TrimSpace(s) == ""
}

type patcher struct {
	f   *Form
	who []string
	out map[string]any
	bad []errs.Field
}

func (p *patcher) refuse(path, rule, msg string) {
	p.bad = append(p.bad, errs.Field{Path: path, Rule: rule, Msg: msg})
}

func (p *patcher) mayWrite(n *node) bool {
	if len(p.who) == 0 {
		return true
	}
	ok := true
	for _, part := range p.f.parts {
		if mine(part.Who, p.who) {
			continue
		}
		for _, fd := range part.fields {
			for _, l := range fd.leaves {
				if l.path == n.path || strings.HasPrefix(l.path, n.path+".") {
					ok = false
				}
			}
		}
	}
	return ok
}

func (p *patcher) set(n *node, path string, v any) {
	v = p.value(n, path, v)
	if v == nil { // refused
		return
	}
	got, ok := put(p.f.root, p.out, strings.Split(path, "."), v)
	if !ok {
		p.refuse(path, "index", p.f.TitleAt(path)+"前面还有没填的项，或者项数太多")
		return
	}
	if p.out, ok = got.(map[string]any); !ok {
		p.out = map[string]any{}
	}
}

// value checks a value's shape against the node and returns it as it is
// stored; nil for one that is empty or refused.
func (p *patcher) value(n *node, path string, v any) any {
	title := p.f.TitleAt(path)
	wrong := func() any {
		p.refuse(path, "type", title+"应为"+typeName(n.kind))
		return nil
	}
	switch n.kind {
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			return wrong()
		}
		out := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			c := n.byName[k]
			if c == nil {
				p.refuse(join(path, k), "unknown", "表单里没有“"+k+"”这一项")
				continue
			}
			if m[k] != nil {
				if got := p.value(c, join(path, k), m[k]); got != nil {
					out[k] = got
				}
			}
		}
		return out
	case "array":
		list, ok := v.([]any)
		if !ok {
			return wrong()
		}
		return p.list(n, path, title, list)
	}
	return p.scalar(n, n.kind, path, title, v, wrong)
}

func (p *patcher) list(n *node, path, title string, list []any) any {
	most := maxList
	if n.maxItems > 0 {
		most = n.maxItems
	}
	if len(list) > most {
		p.refuse(path, "maxItems", fmt.Sprintf("%s不能超过 %d 项", title, most))
		return nil
	}
	out := make([]any, 0, len(list))
	for i, it := range list {
		at := fmt.Sprintf("%s.%d", path, i)
		if n.item != nil {
			out = append(out, p.value(n.item, at, it))
			continue
		}
		wrong := func() any {
			p.refuse(at, "type", p.f.TitleAt(at)+"应为"+typeName(n.leaf.Items))
			return nil
		}
		if got := p.scalar(n, n.leaf.Items, at, p.f.TitleAt(at), it, wrong); got != nil {
			out = append(out, got)
		}
	}
	return out
}

func (p *patcher) scalar(n *node, kind, path, title string, v any, wrong func() any) any {
	switch kind {
	case "string":
		s, ok := v.(string)
		if !ok || !utf8.ValidString(s) {
			return wrong()
		}
		most := maxText
		if n.maxLen > 0 {
			most = n.maxLen
		}
		if utf8.RuneCountInString(s) > most && utf8.RuneCountInString(strings.TrimSpace(s)) > most {
			p.refuse(path, "maxLength", fmt.Sprintf("%s不能超过 %d 个字", title, most))
			return nil
		}
		if s = strings.TrimSpace(s); s == "" {
			return nil
		}
		v = s
	case "integer", "number":
		x, ok := number(v)
		if !ok || kind == "integer" && x != math.Trunc(x) || math.IsNaN(x) || math.Abs(x) > 1e15 {
			return wrong()
		}
		v = x
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrong()
		}
	}
	if n.leaf.Format != "" {
		if f, ok := formatOf(n.leaf.Format); ok {
			if stored, err := f.check(v); err == nil {
				return stored
			}
		}
	}
	return v
}

// put sets v at path below at, making objects and adding one item to a list's
// end as needed. It reports false for an index further out.
func put(n *node, at any, path []string, v any) (any, bool) {
	if len(path) == 0 {
		return v, true
	}
	if n.kind == "array" {
		list, _ := at.([]any)
		i, ok := index(path[0])
		most := maxList
		if n.maxItems > 0 {
			most = n.maxItems
		}
		if !ok || i > len(list) || i >= most {
			return at, false
		}
		next := n.item
		if next == nil { // a list of plain values
			next = n
		}
		var old any
		if i < len(list) {
			old = list[i]
		}
		got, ok := put(next, old, path[1:], v)
		if !ok {
			return at, false
		}
		if i == len(list) {
			return append(list, got), true
		}
		list[i] = got
		return list, true
	}
	m, isMap := at.(map[string]any)
	if !isMap {
		m = map[string]any{}
	}
	got, ok := put(n.byName[path[0]], m[path[0]], path[1:], v)
	if !ok {
		return at, false
	}
	m[path[0]] = got
	return m, true
}

// remove takes out what is at path, if anything is.
func remove(at any, path []string) any {
	switch x := at.(type) {
	case map[string]any:
		if len(path) == 1 {
			delete(x, path[0])
		} else if next, ok := x[path[0]]; ok {
			x[path[0]] = remove(next, path[1:])
		}
	case []any:
		i, ok := index(path[0])
		if !ok || i >= len(x) {
			return x
		}
		if len(path) == 1 {
			return slices.Delete(x, i, i+1)
		}
		x[i] = remove(x[i], path[1:])
	}
	return at
}
