package form

import (
	"slices"
	"strconv"
	"strings"
)

// Change names a leaf that a new version of a form treats otherwise.
type Change struct {
	Path  string `json:"path"`
	Title string `json:"title"`
}

// Reconciled is a draft carried to a new version of its form.
type Reconciled struct {
	Data    map[string]any `json:"data"`
	Dropped []Change       `json:"dropped"` // answers the new version has no place for, or no longer takes
	Asked   []Change       `json:"asked"`   // what the new version asks and the draft does not answer
}

// Reconcile carries data from one version of a form to another. An answer
// stays when the new version has a leaf at its path that takes it; a promise
// （const true）whose wording changed must be made again. What the applicant was
// already being asked before is not in Asked.
func Reconcile(from, to *Form, data map[string]any) Reconciled {
	r := &reconciler{from: from, to: to}
	out, _ := r.value(from.root, to.root, data, "").(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	for pass := 0; ; pass++ { // what the new version refuses is dropped and asked again
		again := false
		for _, e := range to.Validate(out, true) {
			if _, has := to.Get(out, e.Path); has && pass < 3 && e.Path != "" {
				r.drop(e.Path, to.TitleAt(e.Path))
				out, _ = remove(out, strings.Split(e.Path, ".")).(map[string]any)
				again = true
			}
		}
		if !again {
			break
		}
	}
	before := map[string]bool{}
	for _, e := range from.Validate(data, false) {
		before[e.Path+"\x00"+e.Rule] = true
	}
	asked := []Change{}
	for _, e := range to.Validate(out, false) {
		if !before[e.Path+"\x00"+e.Rule] && to.root.at(e.Path) != nil &&
			!slices.ContainsFunc(asked, func(c Change) bool { return c.Path == e.Path }) {
			asked = append(asked, Change{Path: e.Path, Title: to.TitleAt(e.Path)})
		}
	}
	dropped := r.dropped
	if dropped == nil {
		dropped = []Change{}
	}
	return Reconciled{Data: out, Dropped: dropped, Asked: asked}
}

type reconciler struct {
	from, to *Form
	dropped  []Change
}

func (r *reconciler) drop(path, title string) {
	r.dropped = append(r.dropped, Change{Path: path, Title: title})
}

// value keeps of v what the new node has a place for.
func (r *reconciler) value(old, now *node, v any, path string) any {
	if v == nil {
		return nil
	}
	if now == nil || old == nil || old.kind != now.kind || (old.leaf == nil) != (now.leaf == nil) {
		r.dropAll(old, v, path)
		return nil
	}
	if now.leaf != nil {
		promise := now.leaf.Const == true && old.title != now.title
		if promise || now.leaf.Items != old.leaf.Items {
			r.dropAll(old, v, path)
			return nil
		}
		return clone(v)
	}
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, c := range old.children {
			if got := r.value(c, now.byName[c.name], x[c.name], join(path, c.name)); got != nil {
				out[c.name] = got
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(x))
		for i, it := range x {
			out = append(out, r.value(old.item, now.item, it, join(path, strconv.Itoa(i))))
		}
		return out
	}
	r.dropAll(old, v, path)
	return nil
}

// dropAll names every answer below a place that is gone.
func (r *reconciler) dropAll(old *node, v any, path string) {
	switch x := v.(type) {
	case map[string]any:
		if old != nil && old.leaf == nil {
			for _, c := range old.children {
				if x[c.name] != nil {
					r.dropAll(c, x[c.name], join(path, c.name))
				}
			}
			return
		}
	case []any:
		if old != nil && old.item != nil {
			for i, it := range x {
				r.dropAll(old.item, it, join(path, strconv.Itoa(i)))
			}
			return
		}
	case string:
		if x == "" {
			return
		}
	}
	r.drop(path, r.from.TitleAt(path))
}
