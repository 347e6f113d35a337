// Package font reads TrueType fonts: which characters they draw, how wide each
// is, and a subset of them small enough to travel inside a paper. PDF and OFD
// both embed what Subset makes.
//
// Only glyf outlines are read; a font with CFF outlines is refused. Kerning,
// ligatures and variation selectors are left out on purpose: every character is
// drawn by one glyph, so the text of a paper can be copied back unchanged.
package font

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
)

// Font is a parsed font. It is immutable and safe for concurrent use.
type Font struct {
	data     []byte
	tables   map[string][]byte
	units    int
	ascent   int
	descent  int
	bbox     [4]int
	glyphs   int
	metrics  int // number of full entries in hmtx
	longLoca bool
	segs     []segment
	name     string
}

// segment maps the characters first..last to glyphs, either by adding delta or
// by an explicit list.
type segment struct {
	first, last rune
	glyph       int // glyph of first, when list is nil
	list        []uint16
}

// Parse reads a TrueType font. The bytes are kept and must not change.
func Parse(data []byte) (*Font, error) {
	if len(data) < 12 {
		return nil, errors.New("font: too short")
	}
	switch string(data[:4]) {
	case "\x00\x01\x00\x00", "true":
	case "OTTO":
		return nil, errors.New("font: CFF outlines are not supported, a TrueType font is needed")
	case "ttcf":
		return nil, errors.New("font: a collection is not supported, a single TrueType font is needed")
	default:
		return nil, errors.New("font: not a TrueType font")
	}
	f := &Font{data: data, tables: map[string][]byte{}}
	n := int(binary.BigEndian.Uint16(data[4:]))
	if len(data) < 12+16*n {
		return nil, errors.New("font: table directory cut off")
	}
	for i := range n {
		e := data[12+16*i:]
		off, length := uint64(binary.BigEndian.Uint32(e[8:])), uint64(binary.BigEndian.Uint32(e[12:]))
		if off+length > uint64(len(data)) {
			return nil, fmt.Errorf("font: table %q lies outside the file", e[:4])
		}
		f.tables[string(e[:4])] = data[off : off+length]
	}
	for tag, min := range map[string]int{"head": 54, "hhea": 36, "maxp": 6, "hmtx": 4, "loca": 4, "glyf": 0, "cmap": 4} {
		t, ok := f.tables[tag]
		if !ok || len(t) < min {
			return nil, fmt.Errorf("font: table %q missing or too short", tag)
		}
	}
	if err := f.readHeads(); err != nil {
		return nil, err
	}
	if err := f.readCmap(); err != nil {
		return nil, err
	}
	f.name = f.readName()
	return f, nil
}

func (f *Font) readHeads() error {
	head, hhea := f.tables["head"], f.tables["hhea"]
	f.units = int(u16(head, 18))
	if f.units < 16 {
		return errors.New("font: no units per em")
	}
	for i := range f.bbox {
		f.bbox[i] = int(i16(head, 36+2*i))
	}
	f.longLoca = i16(head, 50) != 0
	f.ascent, f.descent = int(i16(hhea, 4)), int(i16(hhea, 6))
	f.metrics = int(u16(hhea, 34))
	f.glyphs = int(u16(f.tables["maxp"], 4))
	size := 2
	if f.longLoca {
		size = 4
	}
	if len(f.tables["loca"]) < (f.glyphs+1)*size {
		return errors.New("font: loca too short")
	}
	if f.metrics < 1 || len(f.tables["hmtx"]) < 4*f.metrics+2*(f.glyphs-f.metrics) {
		return errors.New("font: hmtx too short")
	}
	return nil
}

func u16(b []byte, i int) uint16 { return binary.BigEndian.Uint16(b[i:]) }
func i16(b []byte, i int) int16  { return int16(binary.BigEndian.Uint16(b[i:])) } //nolint:gosec // the format stores signed numbers so
func u32(b []byte, i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }

// readCmap takes the widest Unicode table: format 12 before format 4.
func (f *Font) readCmap() error {
	t := f.tables["cmap"]
	n := int(u16(t, 2))
	if len(t) < 4+8*n {
		return errors.New("font: cmap cut off")
	}
	best := []byte(nil)
	for i := range n {
		e := t[4+8*i:]
		platform, encoding, off := u16(e, 0), u16(e, 2), int(u32(e, 4))
		if off+8 > len(t) || (platform != 0 && (platform != 3 || (encoding != 1 && encoding != 10))) {
			continue
		}
		switch s := t[off:]; u16(s, 0) {
		case 12:
			best = s
		case 4:
			if best == nil {
				best = s
			}
		}
	}
	switch {
	case best == nil:
		return errors.New("font: no Unicode character map")
	case u16(best, 0) == 12:
		return f.readCmap12(best)
	default:
		return f.readCmap4(best)
	}
}

func (f *Font) readCmap12(s []byte) error {
	if len(s) < 16 || len(s) < 16+12*int(u32(s, 12)) {
		return errors.New("font: cmap format 12 cut off")
	}
	for i := range int(u32(s, 12)) {
		g := s[16+12*i:]
		f.segs = append(f.segs, segment{first: rune(u32(g, 0)), last: rune(u32(g, 4)), glyph: int(u32(g, 8))}) //nolint:gosec // checked by lookup
	}
	return nil
}

func (f *Font) readCmap4(s []byte) error {
	if len(s) < 16 {
		return errors.New("font: cmap format 4 cut off")
	}
	n := int(u16(s, 6)) / 2
	if len(s) < 16+8*n {
		return errors.New("font: cmap format 4 cut off")
	}
	for i := range n {
		last, first := u16(s, 14+2*i), u16(s, 16+2*n+2*i)
		delta, at := u16(s, 16+4*n+2*i), 16+6*n+2*i
		off := int(u16(s, at))
		if first > last {
			return errors.New("font: cmap format 4 out of order")
		}
		seg := segment{first: rune(first), last: rune(last)}
		for c := int(first); c <= int(last); c++ {
			g := uint16(c) //nolint:gosec // c is a 16-bit character
			if off == 0 {
				g += delta
			} else if p := at + off + 2*(c-int(first)); p+2 <= len(s) {
				if g = u16(s, p); g != 0 {
					g += delta
				}
			} else {
				g = 0
			}
			seg.list = append(seg.list, g)
		}
		f.segs = append(f.segs, seg)
	}
	return nil
}

// readName returns the PostScript name, with only the letters a PDF name may
// hold.
func (f *Font) readName() string {
	t, out := f.tables["name"], ""
	if len(t) < 6 {
		return "Font"
	}
	n, store := int(u16(t, 2)), int(u16(t, 4))
	for i := range n {
		if len(t) < 18+12*i {
			break
		}
		e := t[6+12*i:]
		length, off := int(u16(e, 8)), store+int(u16(e, 10))
		if u16(e, 6) != 6 || off+length > len(t) {
			continue
		}
		out = ""
		for _, c := range t[off : off+length] {
			if c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
				out += string(c)
			}
		}
	}
	if out == "" {
		return "Font"
	}
	return out
}

// Name returns the font's PostScript name.
func (f *Font) Name() string { return f.name }

// Glyph returns the glyph that draws r, or false when the font cannot draw it.
func (f *Font) Glyph(r rune) (int, bool) {
	i := sort.Search(len(f.segs), func(i int) bool { return f.segs[i].last >= r })
	if i == len(f.segs) || f.segs[i].first > r {
		return 0, false
	}
	s := f.segs[i]
	var g int
	if s.list != nil {
		g = int(s.list[r-s.first])
	} else {
		g = s.glyph + int(r-s.first)
	}
	return g, g > 0 && g < f.glyphs
}

// Has reports whether the font draws r.
func (f *Font) Has(r rune) bool {
	_, ok := f.Glyph(r)
	return ok
}

// Advance returns the width of r as a share of the font size, or false when
// the font cannot draw it.
func (f *Font) Advance(r rune) (float64, bool) {
	g, ok := f.Glyph(r)
	if !ok {
		return 0, false
	}
	return float64(f.width(g)) / float64(f.units), true
}

func (f *Font) width(g int) int {
	return int(u16(f.tables["hmtx"], 4*min(g, f.metrics-1)))
}

// Ascent returns how far the font reaches above the baseline, as a share of
// the font size.
func (f *Font) Ascent() float64 { return float64(f.ascent) / float64(f.units) }

// Descent returns how far the font reaches below the baseline, as a positive
// share of the font size.
func (f *Font) Descent() float64 { return -float64(f.descent) / float64(f.units) }

// Box returns the box around all glyphs in thousandths of the font size: left,
// bottom, right, top.
func (f *Font) Box() [4]int {
	b := f.bbox
	for i := range b {
		b[i] = b[i] * 1000 / f.units
	}
	return b
}
