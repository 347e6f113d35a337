package api

import (
	"strconv"
	"strings"

	"haoban/casework/form"
)

func itoa(n int) string { return strconv.Itoa(n) }

// lines writes a form out for reading: every filled leaf with its title, list
// items numbered. With form.Masked sensitive leaves are masked.
func lines(f *form.Form, data map[string]any, how form.Showing) []Line {
	out := []Line{}
	for _, l := range f.Leaves() {
		i := strings.Index(l.Path, "*")
		if i < 0 {
			if v := f.Show(data, l.Path, how); v != "" && l.Type != "boolean" {
				out = append(out, Line{Label: l.Title, Value: v})
			}
			continue
		}
		base := strings.TrimSuffix(l.Path[:i], ".")
		list, _ := f.Get(data, base)
		items, _ := list.([]any)
		for k := range items {
			path := base + "." + strconv.Itoa(k) + l.Path[i+1:]
			if v := f.Show(data, path, how); v != "" {
				label := l.Title
				if len(items) > 1 {
					label += strconv.Itoa(k + 1)
				}
				out = append(out, Line{Label: label, Value: v})
			}
		}
	}
	return out
}

// maskedCopy is the form with every sensitive leaf masked.
func maskedCopy(f *form.Form, data map[string]any) map[string]any {
	open, secrets := f.Split(data)
	for path, v := range secrets {
		if l, ok := f.Leaf(path); ok {
			secrets[path] = l.Masked(v)
		} else {
			secrets[path] = "***"
		}
	}
	return form.Merge(open, secrets)
}
