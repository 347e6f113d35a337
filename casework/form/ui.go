package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Part is one step or section of the form 表单分段.
type Part struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Hint   string  `json:"hint,omitempty"`
	Who    string  `json:"who,omitempty"`  // applicant, or the role of the officials who fill it; empty is applicant
	When   string  `json:"when,omitempty"` // shown when this holds; empty is always
	Fields []Field `json:"fields"`
}

// Applicant is who fills a part that names nobody.
const Applicant = "applicant"

// Field places a leaf, or all leaves of an object or array. In the file it is
// this object or only its path.
type Field struct {
	Path        string `json:"path"`
	Widget      string `json:"widget,omitempty"` // how it is asked; the front-end's own choice if empty
	Hint        string `json:"hint,omitempty"`
	Placeholder string `json:"placeholder,omitempty"`
	When        string `json:"when,omitempty"`
	Span        int    `json:"span,omitempty"` // width in twelfths; 0 is the widget's own
	ReadOnly    bool   `json:"readOnly,omitempty"`
}

// UnmarshalJSON reads a path or the whole object.
func (f *Field) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*f = Field{}
		return json.Unmarshal(b, &f.Path)
	}
	type whole Field
	return unmarshalStrict(b, (*whole)(f))
}

func unmarshalStrict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

type part struct {
	Part
	when   *vm.Program
	fields []field
}

type field struct {
	when   *vm.Program
	leaves []*node
}

var (
	rePartID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_-]{0,63}$`)
	reWidget = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
)

// layout reads the ui file and checks that every leaf is placed exactly once.
func (b *builder) layout(root *node, ui []byte) []part {
	var file struct {
		Parts []Part `json:"parts"`
	}
	if len(ui) == 0 {
		all := Part{ID: "all", Title: root.title}
		for _, c := range root.children {
			all.Fields = append(all.Fields, Field{Path: c.path})
		}
		file.Parts = []Part{all}
	} else if err := unmarshalStrict(ui, &file); err != nil {
		b.refuse("ui", "json", "form.ui.json 不对：%v", err)
		return nil
	}
	placed, ids := map[string]bool{}, map[string]bool{}
	var out []part
	for i, p := range file.Parts {
		at := "ui/parts/" + strconv.Itoa(i)
		if !rePartID.MatchString(p.ID) || ids[p.ID] || p.Title == "" {
			b.refuse(at, "part", "id 应以小写字母开头、不重复，title 不能空")
		}
		ids[p.ID] = true
		if p.Who == "" {
			p.Who = Applicant
		}
		x := part{Part: p, when: b.when(root, p.When, at)}
		for j, fd := range p.Fields {
			x.fields = append(x.fields, b.place(root, fd, at+"/fields/"+strconv.Itoa(j), placed))
		}
		out = append(out, x)
	}
	root.walk(func(n *node) {
		if !placed[n.path] {
			b.refuse("ui", "placed", "“%s”（%s）没有放进任何一段", n.title, n.path)
		}
	})
	return out
}

func (b *builder) place(root *node, fd Field, at string, placed map[string]bool) field {
	out := field{when: b.when(root, fd.When, at)}
	if fd.Widget != "" && !reWidget.MatchString(fd.Widget) || fd.Span < 0 || fd.Span > 12 {
		b.refuse(at, "field", "widget 或 span 不对")
	}
	n := root.at(fd.Path)
	if n == nil || fd.Path == "" || n.path != fd.Path {
		b.refuse(at, "field", "没有“%s”这个字段", fd.Path)
		return out
	}
	n.walk(func(l *node) {
		if placed[l.path] {
			b.refuse(at, "placed", "“%s”（%s）放了两次", l.title, l.path)
		}
		placed[l.path] = true
		out.leaves = append(out.leaves, l)
	})
	return out
}

func (b *builder) when(root *node, code, at string) *vm.Program {
	if code == "" {
		return nil
	}
	p, err := compileExpr(root, code)
	if err != nil {
		b.refuse(at, "when", "when 不对：%v", err)
	}
	return p
}

// Parts returns the parts in order.
func (f *Form) Parts() []Part {
	out := make([]Part, len(f.parts))
	for i, p := range f.parts {
		out[i] = p.Part
		out[i].Fields = slices.Clone(p.Fields)
	}
	return out
}

// Shown returns the ids of the parts whose condition holds, in order; with who,
// only the parts of those roles.
func (f *Form) Shown(data map[string]any, who ...string) []string {
	var out []string
	hidden := f.hidden(data, nil)
	env := f.env(f.prune(data, hidden))
	for _, p := range f.parts {
		if mine(p.Who, who) && holds(p.when, env) {
			out = append(out, p.ID)
		}
	}
	return out
}

// Hidden returns the patterns of the leaves that are not asked, because the
// condition of their part or field does not hold.
func (f *Form) Hidden(data map[string]any) []string {
	hidden := f.hidden(data, nil)
	var out []string
	for _, l := range f.leaves {
		if hidden[l.Path] {
			out = append(out, l.Path)
		}
	}
	return out
}

// Trim returns a copy of data without the answers that are not asked for and
// without empty ones. It is what should be kept when a form is submitted.
func (f *Form) Trim(data map[string]any) map[string]any { return f.prune(data, f.hidden(data, nil)) }

// hidden goes through the parts in order, so that a condition never sees an
// answer that an earlier condition took away.
func (f *Form) hidden(data map[string]any, who []string) map[string]bool {
	out := map[string]bool{}
	others := map[string]bool{}
	env, stale := map[string]any(nil), true
	check := func(p *vm.Program) bool {
		if p == nil {
			return true
		}
		if stale {
			env, stale = f.env(f.prune(data, out)), false
		}
		return holds(p, env)
	}
	for _, p := range f.parts {
		shown := check(p.when)
		for _, fd := range p.fields {
			if shown && check(fd.when) {
				if !mine(p.Who, who) {
					for _, l := range fd.leaves {
						others[l.path] = true
					}
				}
				continue
			}
			for _, l := range fd.leaves {
				out[l.path], stale = true, true
			}
		}
	}
	for path := range others {
		out[path] = true
	}
	return out
}

func mine(owner string, who []string) bool { return len(who) == 0 || slices.Contains(who, owner) }

// holds runs a condition; one that cannot be run hides nothing.
func holds(p *vm.Program, env map[string]any) bool {
	if p == nil {
		return true
	}
	v, err := expr.Run(p, env)
	if err != nil {
		return true
	}
	b, ok := v.(bool)
	return !ok || b
}
