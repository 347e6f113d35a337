package layout

import (
	"strconv"
	"strings"

	"haoban/platform/doc/font"
)

const pt = 25.4 / 72 // one point in millimetres

var (
	red   = Color{0xd2, 0, 0}
	gray  = Color{0x66, 0x66, 0x66}
	shade = Color{0xf2, 0xf2, 0xf2}
	faint = Color{0xdd, 0xdd, 0xdd}
)

// Sizes of the fields that are signed and sealed later.
const (
	signatureW, signatureH = 40.0, 14.0
	sealSize               = 42.0
	cellPad                = 1.6
)

// slab is a piece of the paper that is not cut: a line, a row, a kept div.
type slab struct {
	before     float64 // space above, dropped at the top of a page
	h          float64
	items      []Item
	fields     []Field
	keepNext   bool
	breakAbove bool
	table      *tableFlow // the table a row belongs to
	row        *row       // for rows that may be cut because no page holds them
	line       int
}

func (s slab) shifted(dx, dy float64) slab {
	items, fields := make([]Item, len(s.items)), make([]Field, len(s.fields))
	for i, it := range s.items {
		items[i] = it.shifted(dx, dy)
	}
	for i, f := range s.fields {
		f.X, f.Y = f.X+dx, f.Y+dy
		fields[i] = f
	}
	s.items, s.fields = items, fields
	return s
}

// stack puts slabs on top of each other and returns them as one.
func stack(ss []slab) slab {
	var out slab
	for i, s := range ss {
		if i > 0 {
			out.h += s.before
		} else {
			out.before, out.breakAbove, out.line = s.before, s.breakAbove, s.line
		}
		m := s.shifted(0, out.h)
		out.items, out.fields = append(out.items, m.items...), append(out.fields, m.fields...)
		out.h += s.h
	}
	return out
}

type builder struct {
	fonts  *font.Set
	opts   Options
	doc    *Document
	images map[string]int
	faces  map[*font.Font]int
}

// flow is what blocks inherit.
type flow struct {
	st    style
	width float64
	how   align
}

func aligned(n *node, how align) align {
	for _, c := range n.classes {
		switch c {
		case "left":
			how = left
		case "center":
			how = center
		case "right":
			how = right
		case "justify":
			how = justify
		}
	}
	return how
}

// blocks sets the children of n, gathering loose inline content into
// paragraphs.
func (b *builder) blocks(n *node, f flow) ([]slab, error) {
	var out []slab
	var loose []*node
	flush := func() error {
		ps, err := b.pieces(loose, f.st, f.width)
		loose = nil
		if err != nil {
			return err
		}
		if ps = collapse(ps); len(ps) > 0 {
			out = append(out, b.paragraph(ps, f, 0, n.line)...)
		}
		return nil
	}
	for _, k := range n.kids {
		if k.tag == "" || inlineTags[k.tag] {
			loose = append(loose, k)
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		ss, err := b.block(k, f)
		if err != nil {
			return nil, err
		}
		if k.has("page-break") && len(ss) > 0 {
			ss[0].breakAbove = true
		}
		out = append(out, ss...)
	}
	return out, flush()
}

// paragraph sets pieces as lines; a page never begins or ends with a single
// line of it.
func (b *builder) paragraph(ps []piece, f flow, indent float64, line int) []slab {
	lines, hard := breakLines(ps, f.width, indent)
	out := make([]slab, len(lines))
	for i, l := range lines {
		x := 0.0
		if i == 0 {
			x = indent
		}
		out[i] = setLine(l, f.st, x, f.width-x, f.how, hard[i])
		out[i].line = line
		out[i].keepNext = i < len(lines)-1 && (i == 0 || i == len(lines)-2)
	}
	return out
}

func (b *builder) block(n *node, f flow) ([]slab, error) {
	f.st, f.how = styled(n, f.st), aligned(n, f.how)
	switch n.tag {
	case "h1", "h2", "h3":
		return b.heading(n, f)
	case "p":
		ps, err := b.pieces(n.kids, f.st, f.width)
		if err != nil {
			return nil, err
		}
		indent := 0.0
		if n.has("indent") {
			indent = 2 * f.st.size
		}
		ss := b.paragraph(collapse(ps), f, indent, n.line)
		ss[0].before = 0.25 * f.st.size
		return ss, nil
	case "div":
		return b.div(n, f)
	case "hr":
		l := Line{X2: f.width, Y1: 1.5, Y2: 1.5, Width: 0.25, Color: f.st.color}
		if n.has("red") {
			l.Width = 0.7
		}
		return []slab{{h: 3, items: []Item{l}, line: n.line}}, nil
	case "ul", "ol":
		return b.list(n, f)
	case "table":
		return b.table(n, f)
	}
	return nil, fault(n, "is outside the subset")
}

func (b *builder) heading(n *node, f flow) ([]slab, error) {
	var before float64
	switch n.tag {
	case "h1":
		f.st.size, f.how, before = 20*pt, center, 2
	case "h2":
		f.st.size, before = 14*pt, 3
	default:
		f.st.size, before = 12*pt, 2
	}
	f.st.bold = true
	f.st, f.how = styled(n, f.st), aligned(n, f.how)
	ps, err := b.pieces(n.kids, f.st, f.width)
	if err != nil {
		return nil, err
	}
	one := stack(b.paragraph(collapse(ps), f, 0, n.line))
	one.before, one.keepNext, one.line = before, true, n.line
	if n.tag == "h1" {
		one.h += 2
	}
	return []slab{one}, nil
}

func (b *builder) div(n *node, f flow) ([]slab, error) {
	if n.has("signature") {
		x, err := b.signature(n)
		if err != nil {
			return nil, err
		}
		ps, err := b.pieces(n.kids, f.st, f.width)
		if err != nil {
			return nil, err
		}
		ps = append(collapse(ps), piece{box: x, w: x.w, st: f.st})
		one := stack(b.paragraph(ps, f, 0, n.line))
		one.before, one.line = 1, n.line
		return []slab{one}, nil
	}
	ss, err := b.blocks(n, f)
	if err != nil || len(ss) == 0 {
		return ss, err
	}
	if n.has("seal-place") {
		return []slab{b.sealPlace(n, ss, f)}, nil
	}
	if n.has("keep") {
		for i := range ss[:len(ss)-1] {
			ss[i].keepNext = true
		}
	}
	return ss, nil
}

// sealPlace centres the seal over what stands in the div（骑年盖月）.
func (b *builder) sealPlace(n *node, ss []slab, f flow) slab {
	one := stack(ss)
	x0, x1 := f.width, 0.0
	for _, it := range one.items {
		if t, ok := it.(Text); ok {
			w := 0.0
			for _, a := range t.Advances {
				w += a
			}
			x0, x1 = min(x0, t.X), max(x1, t.X+w)
		}
	}
	mid := min(max((x0+x1)/2, sealSize/2), f.width-sealSize/2)
	if one.h < sealSize {
		pad := (sealSize - one.h) / 2
		one = one.shifted(0, pad)
		one.h = sealSize
	}
	one.fields = append(one.fields, Field{Kind: Seal, Name: n.attrs["data-seal"],
		X: mid - sealSize/2, Y: (one.h - sealSize) / 2, W: sealSize, H: sealSize})
	one.line = n.line
	return one
}

func (b *builder) list(n *node, f flow) ([]slab, error) {
	indent := 2 * f.st.size
	var out []slab
	number := 0
	for _, li := range n.kids {
		if li.tag != "li" {
			continue
		}
		number++
		mark := "•"
		if n.tag == "ol" {
			mark = strconv.Itoa(number) + "."
			if n.has("cn") {
				mark = chinese(number) + "、"
			}
		}
		ms, err := b.text(mark, f.st)
		if err != nil {
			return nil, err
		}
		w := 0.0
		for _, p := range ms {
			w += p.w
		}
		in := f
		in.st, in.how = styled(li, f.st), aligned(li, f.how)
		in.width -= max(indent, w)
		ss, err := b.blocks(li, in)
		if err != nil {
			return nil, err
		}
		if len(ss) == 0 {
			ss = []slab{setLine(nil, f.st, 0, in.width, left, true)}
		}
		for i := range ss {
			ss[i] = ss[i].shifted(max(indent, w), 0)
		}
		m := setLine(ms, f.st, max(indent-w-0.2*f.st.size, 0), w, left, true)
		ss[0].items = append(m.items, ss[0].items...)
		out = append(out, ss...)
	}
	return out, nil
}

// chinese writes 1 to 99 as in 一、二、.
func chinese(n int) string {
	d := []rune("零一二三四五六七八九")
	switch {
	case n < 10:
		return string(d[n])
	case n < 100:
		s := "十"
		if n >= 20 {
			s = string(d[n/10]) + s
		}
		if n%10 != 0 {
			s += string(d[n%10])
		}
		return s
	}
	return strconv.Itoa(n)
}

// length reads "30mm" or "40%" of whole.
func length(n *node, attr string, whole float64) (float64, error) {
	v := n.attrs[attr]
	if v == "" {
		return 0, nil
	}
	num, unit := strings.TrimSuffix(v, "mm"), 1.0
	if s, ok := strings.CutSuffix(v, "%"); ok {
		num, unit = s, whole/100
	} else if num == v {
		return 0, fault(n, "%s=%q is neither millimetres nor per cent", attr, v)
	}
	x, err := strconv.ParseFloat(num, 64)
	if err != nil || !(x > 0 && x < 2000) {
		return 0, fault(n, "%s=%q is not a length", attr, v)
	}
	return x * unit, nil
}

func span(n *node, attr string) (int, error) {
	v := n.attrs[attr]
	if v == "" {
		return 1, nil
	}
	x, err := strconv.Atoi(v)
	if err != nil || x < 1 || x > 100 {
		return 0, fault(n, "%s=%q is not a number from 1 to 100", attr, v)
	}
	return x, nil
}

// signature is a field with a line under it; the signature itself is drawn when
// it is among the pictures.
func (b *builder) signature(n *node) (*box, error) {
	who := n.attrs["data-person"]
	x := &box{w: signatureW, h: signatureH, field: &Field{Kind: Signature, Name: who, W: signatureW, H: signatureH}}
	name := "signature:" + who
	if _, ok := b.opts.Images[name]; ok {
		i, err := b.image(n, name)
		if err != nil {
			return nil, err
		}
		im := b.doc.Images[i]
		k := min((signatureW-2)/float64(im.W), (signatureH-1)/float64(im.H))
		w, h := k*float64(im.W), k*float64(im.H)
		x.items = append(x.items, Picture{X: (signatureW - w) / 2, Y: (signatureH - h) / 2, W: w, H: h, Image: i})
	}
	x.items = append(x.items, Line{X2: signatureW, Y1: signatureH, Y2: signatureH, Width: 0.15})
	return x, nil
}
