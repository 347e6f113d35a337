package form

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Split parts data into what may be stored as it is and the sensitive leaves,
// by path (buyers.0.name), which are stored encrypted. data itself is not
// touched. A sensitive value that is no text, as a form would refuse, is
// carried as its JSON text. What the form does not know stays open: check with
// Validate or take data only through Patch. Merge undoes Split.
func (f *Form) Split(data map[string]any) (open map[string]any, secrets map[string]string) {
	secrets = map[string]string{}
	out, _ := split(f.root, data, "", secrets).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	return out, secrets
}

func split(n *node, v any, path string, secrets map[string]string) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, it := range x {
			var c *node
			if n != nil {
				c = n.byName[k]
			}
			at := join(path, k)
			if c != nil && c.leaf != nil && c.leaf.Sensitive && it != nil {
				secrets[at] = secretText(it)
				continue
			}
			out[k] = split(c, it, at, secrets)
		}
		return out
	case []any:
		out := make([]any, len(x))
		var c *node
		if n != nil {
			c = n.item
		}
		for i, it := range x {
			out[i] = split(c, it, join(path, strconv.Itoa(i)), secrets)
		}
		return out
	}
	return v
}

func secretText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// Merge returns a copy of open with the sensitive leaves put back. A secret
// whose place is gone, because its item was taken out of the list, is left out.
func Merge(open map[string]any, secrets map[string]string) map[string]any {
	out := cloneMap(open)
	for _, path := range slices.SortedFunc(maps.Keys(secrets), comparePath) {
		segs := strings.Split(path, ".")
		var at any = out
		for i, seg := range segs {
			last := i == len(segs)-1
			switch x := at.(type) {
			case map[string]any:
				if last {
					x[seg] = secrets[path]
					continue
				}
				if _, isIndex := index(segs[i+1]); x[seg] == nil && !isIndex {
					x[seg] = map[string]any{}
				}
				at = x[seg]
			case []any:
				if j, ok := index(seg); ok && j < len(x) && !last {
					if x[j] == nil {
						x[j] = map[string]any{}
					}
					at = x[j]
				} else {
					at = nil
				}
			default:
				at = nil
			}
		}
	}
	return out
}

// MaskedCopy returns a copy of data in which every sensitive leaf is masked, for
// people who may see the case but not its personal data.
func (f *Form) MaskedCopy(data map[string]any) map[string]any {
	open, secrets := f.Split(data)
	for path, v := range secrets {
		if l, ok := f.Leaf(path); ok {
			secrets[path] = l.Masked(v)
		}
	}
	return Merge(open, secrets)
}

// Secret returns the leaves that are kept encrypted, in the order of the form.
func (f *Form) Secret() []Leaf {
	var out []Leaf
	for _, l := range f.leaves {
		if l.Sensitive {
			out = append(out, l)
		}
	}
	return out
}
