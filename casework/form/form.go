// Package form knows what is asked in a case: a JSON Schema (2020-12) with the
// house's own keywords, and a ui file that lays the schema's leaves out in
// parts. It checks answers and says in Chinese what is wrong, takes changes by
// dotted path, keeps sensitive leaves apart, and carries a draft from one
// version of a form to the next. It is pure: no clock, no I/O.
//
// The schema is a strict subset: every object lists its properties and has
// additionalProperties false, everything asked has a title, and a keyword the
// house does not know is refused when the form is compiled. The house's
// keywords are
//
//	x-format     what kind of number or text it is, checked by platform/codes
//	x-source     which register or partner fills the leaf
//	x-sensitive  personal data, kept encrypted: true, or how it is masked
//	             (name, id, mobile, address, email, card, text)
//	x-search     people may search by it
//	x-labels     what the values of an enum are called
//	x-message    what to say when pattern does not match: 应为 4 位年份
//	x-rules      at the root: rules over several fields, in expr-lang
package form

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"haoban/platform/codes"
	"haoban/platform/errs"
)

// Form is a compiled form 表单. It is immutable and safe for concurrent use.
type Form struct {
	schema, ui json.RawMessage
	root       *node
	checked    *jsonschema.Schema
	leaves     []Leaf         // in the order of the ui
	order      map[string]int // leaf pattern → place in leaves
	parts      []part
	rules      []rule
}

// Leaf is one thing that is asked. An array of plain values is one leaf.
type Leaf struct {
	Path      string   `json:"path"` // pattern: buyers.*.name
	Title     string   `json:"title"`
	Type      string   `json:"type"`             // string, integer, number, boolean, array
	Items     string   `json:"items,omitempty"`  // type of an array's values
	Format    string   `json:"format,omitempty"` // x-format
	Required  bool     `json:"required"`         // by its object; conditions may ask for more
	Sensitive bool     `json:"sensitive"`
	Mask      string   `json:"mask,omitempty"` // how a sensitive leaf is masked
	Search    bool     `json:"search"`
	Source    string   `json:"source,omitempty"`
	Options   []Option `json:"options,omitempty"`
	Const     any      `json:"const,omitempty"`
	Default   any      `json:"default,omitempty"`
}

// Option is one value of an enum.
type Option struct {
	Value any    `json:"value"`
	Label string `json:"label"`
}

// Masked returns text v as someone without a grant sees this leaf; a leaf that
// is not sensitive is shown as it is.
func (l Leaf) Masked(v string) string {
	if !l.Sensitive {
		return v
	}
	switch l.Mask {
	case "name":
		return codes.MaskName(v)
	case "id":
		return codes.MaskID(v)
	case "mobile":
		return codes.MaskMobile(v)
	case "address":
		return codes.MaskAddress(v)
	case "email":
		return codes.MaskEmail(v)
	case "card":
		return codes.MaskCard(v)
	}
	return codes.MaskAny(v)
}

// Compile reads a form from its schema and its ui file. An empty ui makes one
// part of everything. It returns errs.Invalid with code form.schema, naming
// every place that is not right: what the schema must not hold, a leaf that is
// placed never or twice, an expression that does not fit the form.
func Compile(schema, ui []byte) (*Form, error) {
	b := &builder{}
	f := &Form{schema: append([]byte(nil), schema...), ui: append([]byte(nil), ui...), order: map[string]int{}}
	f.root = b.read(schema)
	if len(b.bad) == 0 {
		f.checked = b.compile(schema)
	}
	if len(b.bad) == 0 {
		f.parts = b.layout(f.root, ui)
		f.rules = b.rules(f.root)
	}
	if len(b.bad) > 0 {
		e := errs.New(errs.Invalid, "form.schema", fmt.Sprintf("表单定义有 %d 处不对", len(b.bad)))
		return nil, e.WithFields(b.bad)
	}
	for _, p := range f.parts {
		for _, fd := range p.fields {
			for _, n := range fd.leaves {
				f.order[n.path] = len(f.leaves)
				f.leaves = append(f.leaves, *n.leaf)
			}
		}
	}
	return f, nil
}

// Schema returns the schema as it was read.
func (f *Form) Schema() json.RawMessage { return f.schema }

// UI returns the ui file as it was read; it may be empty.
func (f *Form) UI() json.RawMessage { return f.ui }

// Title returns the form's own title.
func (f *Form) Title() string { return f.root.title }

// Leaves returns everything that is asked, in the order of the ui.
func (f *Form) Leaves() []Leaf { return append([]Leaf(nil), f.leaves...) }

// Leaf returns the leaf at a path or pattern (buyers.0.name, buyers.*.name).
func (f *Form) Leaf(path string) (Leaf, bool) {
	n := f.root.at(path)
	if n == nil || n.leaf == nil {
		return Leaf{}, false
	}
	return *n.leaf, true
}

// Has reports whether the form has an object, array or leaf at a path or
// pattern.
func (f *Form) Has(path string) bool { return path != "" && f.root.at(path) != nil }

// TitleAt returns what people call the thing at a path: 购房人第 2 项的手机号. An
// unknown path gives the path itself.
func (f *Form) TitleAt(path string) string {
	n, title := f.root.find(strings.Split(path, "."))
	if n == nil {
		return path
	}
	return title
}

// Get returns the value at a path such as buyers.0.name, and whether there is
// one. The pattern of a list leaf (buyers.*.name) gives the values of all
// items.
func (f *Form) Get(data map[string]any, path string) (any, bool) {
	return get(data, strings.Split(path, "."))
}

func get(v any, path []string) (any, bool) {
	if len(path) == 0 {
		return v, v != nil
	}
	switch x := v.(type) {
	case map[string]any:
		return get(x[path[0]], path[1:])
	case []any:
		if path[0] == "*" {
			var all []any
			for _, it := range x {
				if got, ok := get(it, path[1:]); ok {
					all = append(all, got)
				}
			}
			return all, len(all) > 0
		}
		if i, ok := index(path[0]); ok && i < len(x) {
			return get(x[i], path[1:])
		}
	}
	return nil, false
}

// Str gives a value of a form as text: "" for nothing, whole numbers without a
// point, 是 or 否.
func Str(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		if x {
			return "是"
		}
		return "否"
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case []any:
		all := make([]string, len(x))
		for i := range x {
			all[i] = Str(x[i])
		}
		return strings.Join(all, "、")
	}
	return fmt.Sprint(v)
}

// Show gives the value at a path as people read it: an option's label, money
// in yuan, a district by its name, and masked where the leaf is sensitive and masked is asked for.
func (f *Form) Show(data map[string]any, path string, how Showing) string {
	v, ok := f.Get(data, path)
	if !ok {
		return ""
	}
	l, ok := f.Leaf(path)
	if !ok {
		return Str(v)
	}
	one := func(v any) string {
		for _, o := range l.Options {
			if same(o.Value, v) {
				return o.Label
			}
		}
		if l.Format == "money" {
			if n, ok := number(v); ok {
				return yuan(int64(n))
			}
		}
		if d, ok := codes.DistrictByCode(Str(v)); ok && l.Format == "district" {
			return d.Name
		}
		if how == Masked {
			return l.Masked(Str(v))
		}
		return Str(v)
	}
	if list, ok := v.([]any); ok {
		all := make([]string, len(list))
		for i := range list {
			all[i] = one(list[i])
		}
		return strings.Join(all, "、")
	}
	return one(v)
}

// Showing says whether sensitive values are shown.
type Showing uint8

// The ways of Show.
const (
	Masked Showing = iota // sensitive values masked
	Plain                 // as they are: papers, and people with a grant
)

func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d 元", sign, fen/100, fen%100)
}

// index reads an array index without sign or leading zeros.
func index(s string) (int, bool) {
	i, err := strconv.Atoi(s)
	return i, err == nil && i >= 0 && strconv.Itoa(i) == s
}

// number gives the value of any of the shapes a JSON number has in Go.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int:
		return float64(x), true
	case int64:
		return float64(x), true
	case json.Number:
		n, err := x.Float64()
		return n, err == nil
	}
	return 0, false
}

// same compares two plain values, numbers by value.
func same(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	switch a.(type) {
	case string, bool, nil:
		return a == b
	}
	return false
}

func clone(v any) any {
	switch x := v.(type) {
	case map[string]any:
		return cloneMap(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = clone(x[i])
		}
		return out
	}
	return v
}

func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = clone(v)
	}
	return out
}
