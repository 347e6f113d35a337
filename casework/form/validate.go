package form

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"haoban/platform/errs"
)

// Validate returns what is wrong with the answers, in the order of the form,
// each in Chinese and naming the field's title; nothing when all is right. A
// nil or empty answer counts as not given. Answers in parts or fields whose
// condition does not hold are neither asked for nor looked at.
//
// With partial, as for a draft, what is missing is not reported and the rules
// over several fields are not run. With who, only the parts of those roles are
// looked at; without, all.
func (f *Form) Validate(data map[string]any, partial bool, who ...string) []errs.Field {
	hidden := f.hidden(data, who)
	pruned := f.prune(data, hidden)
	r := &report{f: f, partial: partial, hidden: hidden, seen: map[string]bool{}}
	if err := f.checked.Validate(pruned); err != nil {
		var v *jsonschema.ValidationError
		if errors.As(err, &v) {
			r.collect(v)
		} else {
			r.add(f.root, "", "schema", "填写的内容无法检查")
		}
	}
	if !partial {
		f.runRules(pruned, r)
	}
	return r.sorted()
}

// Complete reports for each part, by id, whether nothing is wrong or missing in
// it. Parts that are not shown are complete.
func (f *Form) Complete(data map[string]any, who ...string) map[string]bool {
	out := map[string]bool{}
	place := map[string]string{}
	for _, p := range f.parts {
		out[p.ID] = true
		for _, fd := range p.fields {
			for _, n := range fd.leaves {
				place[n.path] = p.ID
			}
		}
	}
	for _, e := range f.Validate(data, false, who...) {
		n := f.root.at(e.Path)
		if n == nil {
			continue
		}
		n.walk(func(l *node) { out[place[l.path]] = false })
	}
	delete(out, "")
	return out
}

// prune copies data without empty answers and without hidden leaves.
func (f *Form) prune(data map[string]any, hidden map[string]bool) map[string]any {
	out, _ := pruneAt(f.root, data, hidden).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	return out
}

func pruneAt(n *node, v any, hidden map[string]bool) any {
	if v == nil || v == "" || n != nil && n.leaf != nil && hidden[n.path] {
		return nil
	}
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, it := range x {
			var c *node
			if n != nil {
				c = n.byName[k]
			}
			if it = pruneAt(c, it, hidden); it != nil {
				out[k] = it
			}
		}
		if len(out) == 0 && n != nil && n.kind == "object" && n.leaf == nil && n.name != "*" && n.path != "" {
			return nil
		}
		return out
	case []any:
		out := make([]any, 0, len(x))
		var c *node
		if n != nil {
			if n.kind == "array" && allHidden(n, hidden) {
				return nil
			}
			c = n.item
		}
		for _, it := range x {
			if m, ok := it.(map[string]any); ok {
				it = pruneAt(c, m, hidden)
			}
			out = append(out, it)
		}
		return out
	}
	return v
}

func allHidden(n *node, hidden map[string]bool) bool {
	all := true
	n.walk(func(l *node) { all = all && hidden[l.path] })
	return all
}

// report gathers failures, once per path and rule.
type report struct {
	f       *Form
	partial bool
	hidden  map[string]bool
	seen    map[string]bool
	out     []errs.Field
}

func (r *report) add(n *node, path, rule, msg string) {
	if n != nil && n.path != "" && allHidden(n, r.hidden) || r.seen[path+"\x00"+rule] {
		return
	}
	r.seen[path+"\x00"+rule] = true
	r.out = append(r.out, errs.Field{Path: path, Rule: rule, Msg: msg})
}

// sorted puts the failures in the order of the form.
func (r *report) sorted() []errs.Field {
	place := func(path string) int {
		n, at := r.f.root.at(path), len(r.f.leaves)
		if n != nil {
			n.walk(func(l *node) { at = min(at, r.f.order[l.path]) })
		}
		return at
	}
	slices.SortStableFunc(r.out, func(a, b errs.Field) int {
		if x, y := place(a.Path), place(b.Path); x != y && !sameList(a.Path, b.Path) {
			return x - y
		}
		return comparePath(a.Path, b.Path)
	})
	return r.out
}

// sameList reports whether two paths go through items of one list, whose items
// then come one after the other.
func sameList(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			_, p := index(x[i])
			_, q := index(y[i])
			return p && q
		}
	}
	return false
}

// comparePath orders paths by segment, indexes by number.
func comparePath(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] == y[i] {
			continue
		}
		p, isP := index(x[i])
		q, isQ := index(y[i])
		if isP && isQ {
			return p - q
		}
		return strings.Compare(x[i], y[i])
	}
	return len(x) - len(y)
}

func (r *report) collect(v *jsonschema.ValidationError) {
	for _, c := range v.Causes {
		r.collect(c)
	}
	if len(v.Causes) > 0 {
		return
	}
	n, title := r.f.root.find(v.InstanceLocation)
	path := strings.Join(v.InstanceLocation, ".")
	if n == nil { // below something unknown, which is refused itself
		return
	}
	switch k := v.ErrorKind.(type) {
	case *kind.Required:
		r.missing(n, path, k.Missing)
	case *kind.DependentRequired:
		r.missing(n, path, k.Missing)
	case *kind.AdditionalProperties:
		for _, p := range k.Properties {
			r.add(nil, join(path, p), "unknown", "表单里没有“"+p+"”这一项，请去掉")
		}
	case *kind.MinItems:
		if !r.partial {
			r.add(n, path, "minItems", fmt.Sprintf("%s至少要有 %d 项", title, k.Want))
		}
	case *kind.Const:
		if yes, ok := k.Want.(bool); ok {
			if !r.partial {
				r.add(n, path, "const", confirm(title, yes))
			}
			return
		}
		r.add(n, path, "const", title+"应为“"+n.label(k.Want)+"”")
	case *kind.Enum:
		all := make([]string, len(k.Want))
		for i, w := range k.Want {
			all[i] = n.label(w)
		}
		r.add(n, path, "enum", title+"应为以下之一："+strings.Join(all, "、"))
	case *kind.Type:
		r.add(n, path, "type", title+"应为"+typeName(n.kind))
	case *badFormat:
		r.add(n, path, "x-format", title+k.why)
	case *kind.Pattern:
		r.add(n, path, "pattern", title+n.wording())
	default:
		rule, msg := plainMessage(n, v.ErrorKind)
		r.add(n, path, rule, title+msg)
	}
}

// plainMessage words the failures that say no more than a number.
func plainMessage(n *node, k jsonschema.ErrorKind) (rule, msg string) {
	switch k := k.(type) {
	case *kind.MinLength:
		return "minLength", fmt.Sprintf("至少要有 %d 个字", k.Want)
	case *kind.MaxLength:
		return "maxLength", fmt.Sprintf("不能超过 %d 个字", k.Want)
	case *kind.MaxItems:
		return "maxItems", fmt.Sprintf("不能超过 %d 项", k.Want)
	case *kind.UniqueItems:
		return "uniqueItems", fmt.Sprintf("第 %d 项和第 %d 项重复了", k.Duplicates[0]+1, k.Duplicates[1]+1)
	case *kind.Minimum:
		return "minimum", "不能小于 " + n.amount(k.Want)
	case *kind.Maximum:
		return "maximum", "不能大于 " + n.amount(k.Want)
	case *kind.ExclusiveMinimum:
		return "exclusiveMinimum", "应大于 " + n.amount(k.Want)
	case *kind.ExclusiveMaximum:
		return "exclusiveMaximum", "应小于 " + n.amount(k.Want)
	case *kind.MultipleOf:
		return "multipleOf", "应为 " + n.amount(k.Want) + " 的整数倍"
	case *kind.InvalidJsonValue:
		return "type", "应为" + typeName(n.kind)
	}
	return "schema", "不符合要求"
}

// missing reports what an object lacks; a missing object is reported by what
// it owes itself.
func (r *report) missing(n *node, path string, names []string) {
	if r.partial {
		return
	}
	for _, name := range names {
		c, at := n.byName[name], join(path, name)
		if c == nil {
			continue
		}
		if c.kind == "object" && len(c.required) > 0 {
			r.missing(c, at, c.required)
			continue
		}
		_, title := r.f.root.find(strings.Split(at, "."))
		msg := "请填写" + title
		switch {
		case c.leaf != nil && c.leaf.Const == true:
			msg = confirm(title, true)
		case c.leaf != nil && (len(c.leaf.Options) > 0 || c.kind == "boolean" || c.leaf.Format == "date" || c.leaf.Format == "district"):
			msg = "请选择" + title
		}
		r.add(c, at, "required", msg)
	}
}

func confirm(title string, yes bool) string {
	if yes {
		return "请勾选“" + title + "”"
	}
	return "请不要勾选“" + title + "”"
}

func typeName(kind string) string {
	switch kind {
	case "string":
		return "文字"
	case "integer":
		return "整数"
	case "number":
		return "数字"
	case "boolean":
		return "是或否"
	case "array":
		return "一个列表"
	}
	return "一组内容"
}

// label is what a value of the node is called.
func (n *node) label(v any) string {
	if n.leaf != nil {
		for _, o := range n.leaf.Options {
			if same(o.Value, plain(v)) {
				return o.Label
			}
		}
	}
	return Str(plain(v))
}

func (n *node) amount(r *big.Rat) string {
	if n.leaf != nil && n.leaf.Format == "money" && r.IsInt() && r.Num().IsInt64() {
		return yuan(r.Num().Int64())
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// wording says what a text should look like that did not match its pattern.
func (n *node) wording() string {
	if n.message != "" {
		return n.message
	}
	return "的写法不对"
}
