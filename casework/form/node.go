package form

import (
	"fmt"
	"strings"
)

// node is one place of the form: an object, an array, or a leaf.
type node struct {
	name     string
	path     string // pattern, "" at the root
	title    string
	kind     string // object, array, string, integer, number, boolean
	children []*node
	byName   map[string]*node
	item     *node // of an array of objects
	required []string
	maxItems int    // 0: none stated
	maxLen   int    // 0: none stated
	message  string // x-message
	leaf     *Leaf
	xrules   []any // at the root
}

// at resolves a path or pattern; nil if there is no such place.
func (n *node) at(path string) *node {
	if path == "" {
		return n
	}
	got, _ := n.find(strings.Split(path, "."))
	return got
}

// find resolves a path and also says what people call the place.
func (n *node) find(path []string) (*node, string) {
	title, list := n.title, ""
	for _, seg := range path {
		switch {
		case n.kind == "object":
			next := n.byName[seg]
			if next == nil {
				return nil, ""
			}
			n, title = next, list+next.title
		case n.kind == "array" && n.item != nil:
			i, ok := index(seg)
			if !ok && seg != "*" {
				return nil, ""
			}
			if ok {
				list = fmt.Sprintf("%s第 %d 项的", title, i+1)
				title = fmt.Sprintf("%s第 %d 项", title, i+1)
			}
			n = n.item
		case n.kind == "array": // a value of a list of plain values
			if i, ok := index(seg); ok {
				return n, fmt.Sprintf("%s第 %d 项", title, i+1)
			}
			return nil, ""
		default:
			return nil, ""
		}
	}
	return n, title
}

// walk calls fn for every leaf at or below n, in the order of the schema.
func (n *node) walk(fn func(*node)) {
	if n.leaf != nil {
		fn(n)
		return
	}
	for _, c := range n.children {
		c.walk(fn)
	}
	if n.item != nil {
		n.item.walk(fn)
	}
}
