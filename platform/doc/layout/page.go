package layout

import (
	"math"
	"strconv"
	"strings"
)

// sheet is the page's size and margins.
type sheet struct {
	w, h                     float64
	top, bottom, left, right float64
}

const edge = 12.0 // from the edge of the paper to header and footer

func (b *builder) build(t *tree) (*Document, error) {
	sh := sheet{w: 210, h: 297, top: 22, bottom: 22, left: 22, right: 22}
	if t.body.has("official") { // GB/T 9704: 版心 156 mm × 225 mm
		sh.top, sh.bottom, sh.left, sh.right = 37, 35, 28, 26
	}
	if t.body.has("landscape") {
		sh.w, sh.h = sh.h, sh.w
	}
	f := flow{st: style{size: 12 * pt, leading: 1.6}, width: sh.w - sh.left - sh.right}
	for _, c := range t.body.classes {
		if c == "small" {
			f.st.size = 10.5 * pt
		}
	}
	for _, m := range []*node{t.header, t.footer} {
		if m == nil {
			continue
		}
		s, err := b.margin(m, f, 88, 88)
		if err != nil {
			return nil, err
		}
		if m == t.header {
			sh.top = max(sh.top, edge+s.h+3)
		} else {
			sh.bottom = max(sh.bottom, edge+s.h+3)
		}
	}
	body := *t.body
	body.classes = nil
	ss, err := b.blocks(&body, f)
	if err != nil {
		return nil, err
	}
	pages, err := b.paginate(ss, sh)
	if err != nil {
		return nil, err
	}
	for i := range pages {
		if err := b.finish(&pages[i], t, f, sh, i+1, len(pages)); err != nil {
			return nil, err
		}
	}
	b.doc.Pages = pages
	return b.doc, nil
}

// paginate fills pages with slabs.
func (b *builder) paginate(ss []slab, sh sheet) ([]Page, error) {
	full := sh.h - sh.top - sh.bottom
	pages := []Page{{Width: sh.w, Height: sh.h}}
	y := 0.0
	put := func(s slab) {
		p := &pages[len(pages)-1]
		m := s.shifted(sh.left, sh.top+y)
		p.Items, p.Fields = append(p.Items, m.items...), append(p.Fields, m.fields...)
		y += s.h
	}
	turn := func() {
		pages = append(pages, Page{Width: sh.w, Height: sh.h})
		y = 0
	}
	for i := 0; i < len(ss); i++ {
		s := ss[i]
		need, end := s.h, i
		for end < len(ss)-1 && ss[end].keepNext && !ss[end+1].breakAbove {
			end++
			need += ss[end].before + ss[end].h
		}
		if need > full { // a chain too long for any page holds nothing together
			need = s.h
		}
		before := s.before
		if y == 0 {
			before = 0
		}
		if y > 0 && (s.breakAbove || y+before+need > full+1e-6) {
			turn()
			before = 0
			if s.table != nil && len(s.table.head) > 0 && !isHead(s) {
				for _, h := range s.table.head {
					put(h)
				}
			}
		}
		y += before
		if y+s.h <= full+1e-6 {
			put(s)
			continue
		}
		if s.row == nil {
			return nil, fault(&node{tag: "div", line: s.line}, "is taller than a page (%.0f mm)", s.h)
		}
		head, rest, ok := s.row.cut(full - y)
		if !ok {
			return nil, fault(&node{tag: "tr", line: s.line}, "is taller than a page (%.0f mm)", s.h)
		}
		put(head.draw())
		tail := rest.draw()
		tail.table, tail.row, tail.line, tail.breakAbove = s.table, rest, s.line, true
		ss[i] = tail
		i--
	}
	return pages, nil
}

func isHead(s slab) bool {
	for _, h := range s.table.head {
		if h.row == s.row {
			return true
		}
	}
	return false
}

// margin sets a header or footer for one page.
func (b *builder) margin(n *node, f flow, page, pages int) (slab, error) {
	f.st.size, f.st.leading, f.how = 9*pt, 1.4, center
	f.st, f.how = styled(n, f.st), aligned(n, f.how)
	ss, err := b.blocks(numbered(n, page, pages), f)
	if err != nil {
		return slab{}, err
	}
	return stack(ss), nil
}

// numbered copies n with {page} and {pages} filled in.
func numbered(n *node, page, pages int) *node {
	c := *n
	c.text = strings.NewReplacer("{page}", strconv.Itoa(page), "{pages}", strconv.Itoa(pages)).Replace(n.text)
	c.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		c.kids[i] = numbered(k, page, pages)
	}
	return &c
}

// finish adds watermark, header and footer.
func (b *builder) finish(p *Page, t *tree, f flow, sh sheet, page, pages int) error {
	if b.opts.Watermark != "" {
		marks, err := b.watermark(sh)
		if err != nil {
			return err
		}
		p.Items = append(marks, p.Items...)
	}
	for _, m := range []*node{t.header, t.footer} {
		if m == nil {
			continue
		}
		s, err := b.margin(m, f, page, pages)
		if err != nil {
			return err
		}
		y := edge
		if m == t.footer {
			y = sh.h - edge - s.h
		}
		s = s.shifted(sh.left, y)
		p.Items, p.Fields = append(p.Items, s.items...), append(p.Fields, s.fields...)
	}
	return nil
}

// watermark repeats a faint line of text slantwise over the page.
func (b *builder) watermark(sh sheet) ([]Item, error) {
	ps, err := b.text(b.opts.Watermark, style{size: 16 * pt, leading: 1, color: faint})
	if err != nil {
		return nil, err
	}
	line := setLine(ps, style{size: 16 * pt, leading: 1}, 0, 0, left, true)
	w := 0.0
	for _, p := range ps {
		w += p.w
	}
	const slant = 30.0
	dx, dy := w*math.Cos(slant*math.Pi/180)+25, w*math.Sin(slant*math.Pi/180)+30
	var out []Item
	for y := dy; y < sh.h+dy/2; y += dy {
		for x := 8.0; x < sh.w; x += dx {
			cx := x
			for _, it := range line.items {
				if t, ok := it.(Text); ok {
					off := t.X
					t.X, t.Y = cx+off*math.Cos(slant*math.Pi/180), y-off*math.Sin(slant*math.Pi/180)
					t.Rotate = slant
					out = append(out, t)
				}
			}
		}
	}
	return out, nil
}
