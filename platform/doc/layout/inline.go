package layout

import (
	"strings"
	"unicode"

	"haoban/platform/doc/font"
)

// style is what text inherits.
type style struct {
	size      float64 // mm
	leading   float64 // line height as a share of size
	bold      bool
	underline bool
	color     Color
}

// piece is what a line is made of: a character, a box, or a forced break.
type piece struct {
	r    rune
	st   style
	face int
	w    float64
	box  *box
	br   bool
}

// box is a picture or a signature field standing in a line.
type box struct {
	w, h  float64
	items []Item // from the box's top left corner
	field *Field
}

// noStart may not begin a line, noEnd may not end one（行首行尾禁则, GB/T 15834）.
const (
	noStart = "。，、；：？！）】》」』〕〗〉”’·％℃㎡．,.;:?!)]}%>‰°′″～-"
	noEnd   = "（【《「『〔〖〈“‘([{<￥¥＄$#№"
)

func inSet(set string, r rune) bool { return strings.ContainsRune(set, r) }

// wide reports whether r is written in a square, so that a line may break
// beside it.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef || r >= 0x2500 && r <= 0x25ff ||
		r >= 0x2460 && r <= 0x24ff || inSet("—…“”‘’·", r)
}

// mayBreak reports whether a line may end after a and the next begin with b.
func mayBreak(a, b piece) bool {
	switch {
	case a.box != nil || b.box != nil:
		return (a.box != nil || !inSet(noEnd, a.r)) && (b.box != nil || !inSet(noStart, b.r))
	case a.r == ' ':
		return true
	case b.r == ' ' || inSet(noStart, b.r) || inSet(noEnd, a.r):
		return false
	case a.r == b.r && (a.r == '—' || a.r == '…'):
		return false // 破折号、省略号不拆开
	case wide(a.r) || wide(b.r):
		return true
	default:
		return a.r == '-' || a.r == '/'
	}
}

// breakLines fills lines of the given width greedily; indent narrows the first.
// hard tells which lines end a paragraph or stand before a br.
func breakLines(ps []piece, width, indent float64) (lines [][]piece, hard []bool) {
	start, last, used := 0, -1, indent
	flush := func(end, next int, isHard bool) {
		line := ps[start:end]
		for len(line) > 0 && line[len(line)-1].r == ' ' {
			line = line[:len(line)-1]
		}
		lines, hard = append(lines, line), append(hard, isHard)
		start, last, used = next, -1, 0
		for i := start; i < len(ps) && ps[i].r == ' '; i++ { // no line begins with a space
			start = i + 1
		}
	}
	for i := 0; i < len(ps); i++ {
		if ps[i].br {
			flush(i, i+1, true)
			i = start - 1
			continue
		}
		if i > start && mayBreak(ps[i-1], ps[i]) {
			last = i
		}
		if used+ps[i].w > width+1e-6 && ps[i].r != ' ' && i > start {
			end := last
			if end <= start {
				end = i // no place to break: break here rather than run off the page
			}
			flush(end, end, false)
			i = start - 1
			continue
		}
		used += ps[i].w
	}
	if start < len(ps) || len(lines) == 0 {
		flush(len(ps), len(ps), true)
	}
	return lines, hard
}

// pieces turns inline content into pieces.
func (b *builder) pieces(kids []*node, st style, width float64) ([]piece, error) {
	var out []piece
	for _, k := range kids {
		got, err := b.pieceOf(k, st, width)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

func (b *builder) pieceOf(k *node, st style, width float64) ([]piece, error) {
	switch k.tag {
	case "":
		return b.text(k.text, st)
	case "br":
		return []piece{{br: true, st: st}}, nil
	case "img":
		x, err := b.picture(k, width)
		if err != nil {
			return nil, err
		}
		return []piece{{box: x, w: x.w, st: st}}, nil
	case "strong", "b":
		st.bold = true
	case "u":
		st.underline = true
	}
	st = styled(k, st)
	out, err := b.pieces(k.kids, st, width)
	if err != nil {
		return nil, err
	}
	if k.has("fill") {
		out = b.filled(out, st)
	}
	if k.tag == "span" && k.has("signature") {
		x, err := b.signature(k)
		if err != nil {
			return nil, err
		}
		out = append(out, piece{box: x, w: x.w, st: st})
	}
	return out, nil
}

// filled underlines what was filled in, and draws four characters of blank
// where nothing was.
func (b *builder) filled(ps []piece, st style) []piece {
	for i := range ps {
		ps[i].st.underline = true
	}
	if len(ps) == 0 {
		w := 4 * st.size
		line := Line{X2: w, Y1: 1.05 * st.size, Y2: 1.05 * st.size, Width: 0.15, Color: st.color}
		ps = []piece{{box: &box{w: w, h: st.size, items: []Item{line}}, w: w, st: st}}
	}
	return ps
}

// styled applies the classes that concern letters.
func styled(n *node, st style) style {
	for _, c := range n.classes {
		switch c {
		case "small":
			st.size = 9 * pt
		case "large":
			st.size = 16 * pt
		case "bold":
			st.bold = true
		case "red":
			st.color = red
		case "gray":
			st.color = gray
		case "fill":
			st.underline = true
		case "red-head":
			st.size, st.bold, st.color, st.leading = 28*pt, true, red, 1.4
		}
	}
	return st
}

// text turns characters into pieces. White space shrinks to one space, and to
// none when it holds a new line between two wide characters, so that a template
// may be wrapped like any other source.
func (b *builder) text(s string, st style) ([]piece, error) {
	var out []piece
	for _, r := range s {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			if n := len(out); n > 0 && out[n-1].r == ' ' {
				out[n-1].br = out[n-1].br || r == '\n' // br marks a new line until collapse looks at it
			} else {
				out = append(out, piece{r: ' ', st: st, br: r == '\n'})
			}
			continue
		}
		out = append(out, piece{r: r, st: st})
	}
	for i := range out {
		p := &out[i]
		r := p.r
		if r == '\u00a0' {
			r = ' '
		}
		f := b.fonts.Face(r, st.bold)
		if f == nil {
			return nil, missingCharacter(r)
		}
		w, _ := f.Advance(r)
		p.w, p.face = w*st.size, b.face(f)
	}
	return out, nil
}

// collapse joins white space across elements: none at the beginning or after a
// break, one elsewhere, none for a new line between wide characters.
func collapse(ps []piece) []piece {
	out := ps[:0:0]
	for i, p := range ps {
		if p.r != ' ' {
			out = append(out, p)
			continue
		}
		newline := p.br
		p.br = false
		if len(out) == 0 || out[len(out)-1].r == ' ' || out[len(out)-1].br {
			continue
		}
		if next := following(ps, i); newline && (next == 0 || wide(next) && wide(out[len(out)-1].r)) {
			continue
		}
		out = append(out, p)
	}
	for len(out) > 0 && out[len(out)-1].r == ' ' {
		out = out[:len(out)-1]
	}
	return out
}

func following(ps []piece, i int) rune {
	for _, p := range ps[i+1:] {
		if p.r != ' ' {
			return p.r
		}
	}
	return 0
}

// face numbers a font of the document.
func (b *builder) face(f *font.Font) int {
	i, ok := b.faces[f]
	if !ok {
		i = len(b.doc.Fonts)
		b.faces[f] = i
		b.doc.Fonts = append(b.doc.Fonts, f)
	}
	return i
}

// align is where a line stands between its margins.
type align uint8

const (
	left align = iota
	center
	right
	justify
)

// setLine places one line and returns its items, fields and height. hard lines
// are not stretched.
func setLine(line []piece, st style, x, width float64, how align, hard bool) slab {
	natural, size, boxH, signed := 0.0, st.size, 0.0, false
	for _, p := range line {
		natural += p.w
		if p.box != nil {
			boxH, signed = max(boxH, p.box.h), signed || p.box.field != nil
		} else {
			size = max(size, p.st.size)
		}
	}
	s := slab{h: max(size*st.leading, boxH+0.4*size)}
	if boxH == 0 {
		s.h = size * st.leading
	}
	base := (s.h-size)/2 + 0.88*size // the square of a Chinese character, centred
	if signed {                      // write beside the signature's line, not its middle
		base = (s.h+boxH)/2 - 0.2*size
	}
	extra := 0.0
	switch free := width - natural; {
	case how == center:
		x += free / 2
	case how == right:
		x += free
	case how == justify && !hard && len(line) > 1 && free > 0:
		extra = free / float64(len(line)-1)
	}
	for i := 0; i < len(line); {
		p := line[i]
		if p.box != nil {
			top := (s.h - p.box.h) / 2
			for _, it := range p.box.items {
				s.items = append(s.items, it.shifted(x, top))
			}
			if p.box.field != nil {
				f := *p.box.field
				f.X, f.Y = f.X+x, f.Y+top
				s.fields = append(s.fields, f)
			}
			x += p.w + extra
			i++
			continue
		}
		t := Text{X: x, Y: base, Size: p.st.size, Font: p.face, Color: p.st.color}
		for ; i < len(line) && line[i].box == nil && line[i].face == p.face && line[i].st == p.st; i++ {
			r, w := line[i].r, line[i].w
			if r == '\u00a0' {
				r = ' '
			}
			if i < len(line)-1 {
				w += extra
			}
			t.Runes, t.Advances = append(t.Runes, r), append(t.Advances, w)
			x += w
		}
		s.items = append(s.items, t)
		if p.st.underline {
			y := base + 0.17*p.st.size
			s.items = append(s.items, Line{X1: t.X, Y1: y, X2: x, Y2: y, Width: 0.15, Color: p.st.color})
		}
	}
	return s
}
