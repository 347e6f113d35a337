package layout

import (
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// node is an element or, with an empty tag, a piece of text.
type node struct {
	tag     string
	text    string
	line    int
	attrs   map[string]string
	classes []string
	kids    []*node
}

func (n *node) has(class string) bool { return slices.Contains(n.classes, class) }

// tree is a parsed paper.
type tree struct {
	title          string
	body           *node
	header, footer *node
}

// what may stand where, and with which attributes.
var (
	inlineTags = set("strong b u span br img")
	blockTags  = set("h1 h2 h3 p div hr ul ol table")
	voidTags   = set("br hr img col meta")
	knownTags  = set("html head title meta body header footer h1 h2 h3 p div hr ul ol li " +
		"table thead tbody colgroup col tr td th strong b u span br img")
	classes = set("left center right justify top small large bold red gray indent red-head label noborder cn " +
		"keep page-break fill official landscape seal-place signature")
	attrsOf = map[string]map[string]bool{
		"meta": set("charset"), "html": set("lang"), "col": set("width"), "img": set("src width height alt"),
		"td": set("colspan rowspan width"), "th": set("colspan rowspan width"),
		"div": set("data-person data-seal"), "span": set("data-person"),
	}
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// allowed reports whether child may stand directly in parent; an empty child
// is text that is not only white space.
func allowed(parent, child string) bool {
	switch parent {
	case "":
		return child == "html" || child == "title" || child == "body" || child == "header" || child == "footer" || blockTags[child]
	case "html":
		return child == "head" || child == "body"
	case "head":
		return child == "title" || child == "meta"
	case "title":
		return child == ""
	case "body":
		return child == "header" || child == "footer" || blockTags[child]
	case "ul", "ol":
		return child == "li"
	case "table":
		return child == "colgroup" || child == "thead" || child == "tbody" || child == "tr"
	case "thead", "tbody":
		return child == "tr"
	case "colgroup":
		return child == "col"
	case "tr":
		return child == "td" || child == "th"
	case "h1", "h2", "h3", "p", "strong", "b", "u", "span":
		return child == "" || inlineTags[child]
	case "td", "th":
		return child == "" || inlineTags[child] || blockTags[child] && child != "table"
	case "div", "li", "header", "footer":
		return child == "" || inlineTags[child] || blockTags[child]
	}
	return false
}

// parse reads the subset strictly: every element closed by its own tag.
func parse(src string) (*tree, error) {
	z := html.NewTokenizer(strings.NewReader(src))
	root := &node{line: 1}
	stack, line := []*node{root}, 1
	for {
		kind := z.Next()
		at := line
		line += strings.Count(string(z.Raw()), "\n")
		top := stack[len(stack)-1]
		switch kind {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				return nil, fault(&node{tag: "html", line: at}, "%v", z.Err())
			}
			if len(stack) > 1 {
				return nil, fault(top, "is never closed")
			}
			return grow(root)
		case html.TextToken:
			if err := addText(top, string(z.Text()), at); err != nil {
				return nil, err
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			n, err := element(z.Token(), at)
			if err != nil {
				return nil, err
			}
			if err := place(stack, n); err != nil {
				return nil, err
			}
			top.kids = append(top.kids, n)
			if !voidTags[n.tag] {
				if kind == html.SelfClosingTagToken {
					return nil, fault(n, "cannot close itself")
				}
				stack = append(stack, n)
			}
		case html.EndTagToken:
			t := z.Token()
			if len(stack) == 1 || t.Data != top.tag {
				return nil, fault(&node{tag: "/" + t.Data, line: at}, "closes nothing; <%s> of line %d is open", top.tag, top.line)
			}
			stack = stack[:len(stack)-1]
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

func addText(top *node, text string, line int) error {
	if strings.Trim(text, " \t\r\n") != "" && !allowed(top.tag, "") {
		n := &node{tag: top.tag, line: line + strings.Count(text[:len(text)-len(strings.TrimLeft(text, " \t\r\n"))], "\n")}
		if n.tag == "" {
			n.tag = "body"
		}
		return fault(n, "text may not stand here")
	}
	top.kids = append(top.kids, &node{text: text, line: line})
	return nil
}

func element(t html.Token, line int) (*node, error) {
	n := &node{tag: t.Data, line: line, attrs: map[string]string{}}
	if !knownTags[n.tag] {
		return nil, fault(n, "is outside the subset")
	}
	for _, a := range t.Attr {
		if _, twice := n.attrs[a.Key]; twice {
			return nil, fault(n, "attribute %s twice", a.Key)
		}
		if a.Key == "class" {
			n.classes = strings.Fields(a.Val)
			for _, c := range n.classes {
				if !classes[c] {
					return nil, fault(n, "class %q is outside the subset", c)
				}
			}
		} else if !attrsOf[n.tag][a.Key] {
			return nil, fault(n, "attribute %s is outside the subset", a.Key)
		}
		n.attrs[a.Key] = a.Val
	}
	if n.has("signature") && (n.attrs["data-person"] == "" || n.tag != "div" && n.tag != "span") {
		return nil, fault(n, "a signature is a div or span with data-person")
	}
	if n.has("seal-place") && (n.attrs["data-seal"] == "" || n.tag != "div") {
		return nil, fault(n, "a seal-place is a div with data-seal")
	}
	if n.tag == "img" && n.attrs["src"] == "" {
		return nil, fault(n, "has no src")
	}
	return n, nil
}

func place(stack []*node, n *node) error {
	top := stack[len(stack)-1]
	if !allowed(top.tag, n.tag) {
		where := "<" + top.tag + ">"
		if top.tag == "" {
			where = "the page"
		}
		return fault(n, "may not stand in %s", where)
	}
	if n.tag == "table" {
		for _, p := range stack {
			if p.tag == "td" || p.tag == "th" {
				return fault(n, "tables may not be nested")
			}
		}
	}
	return nil
}

// grow takes html, head and body apart.
func grow(root *node) (*tree, error) {
	t := &tree{body: &node{tag: "body", line: 1}}
	var walk func(n *node) error
	walk = func(n *node) error {
		for _, k := range n.kids {
			switch k.tag {
			case "html", "head":
				if err := walk(k); err != nil {
					return err
				}
			case "title":
				for _, x := range k.kids {
					t.title += strings.Join(strings.Fields(x.text), " ")
				}
			case "body":
				t.body.classes, t.body.line = k.classes, k.line
				if err := walk(k); err != nil {
					return err
				}
			case "header":
				if t.header != nil {
					return fault(k, "stands twice")
				}
				t.header = k
			case "footer":
				if t.footer != nil {
					return fault(k, "stands twice")
				}
				t.footer = k
			case "meta":
			default:
				t.body.kids = append(t.body.kids, k)
			}
		}
		return nil
	}
	if err := walk(root); err != nil {
		return nil, err
	}
	return t, nil
}
