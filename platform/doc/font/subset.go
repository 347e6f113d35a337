package font

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Subset is a font that holds only some characters. Glyph i+1 draws Runes[i],
// one glyph per character even where two characters look alike, so that text
// copied from a paper is the text that was put in.
type Subset struct {
	Data   []byte // a TrueType font with a character map
	Runes  []rune // the characters, sorted
	Widths []int  // width of each character in thousandths of the font size
}

// Glyph returns the glyph number of r in the subset, 0 if it is not in it.
func (s *Subset) Glyph(r rune) int {
	i, ok := slices.BinarySearch(s.Runes, r)
	if !ok {
		return 0
	}
	return i + 1
}

// composite glyph flags.
const (
	argsAreWords = 1 << 0
	haveScale    = 1 << 3
	more         = 1 << 5
	haveXYScale  = 1 << 6
	haveTwoByTwo = 1 << 7
	haveCode     = 1 << 8
)

// Subset returns a font with only the characters of runes. The same runes give
// the same bytes. A character that the font cannot draw is an error.
func (f *Font) Subset(runes []rune) (*Subset, error) {
	out := &Subset{Runes: slices.Compact(slices.Sorted(slices.Values(runes)))}
	old := []int{0} // old glyph of each new glyph
	for _, r := range out.Runes {
		g, ok := f.Glyph(r)
		if !ok {
			return nil, fmt.Errorf("font: no glyph for %q", r)
		}
		old = append(old, g)
		out.Widths = append(out.Widths, f.width(g)*1000/f.units)
	}
	var glyf []byte
	loca := make([]uint32, 0, len(old)+1)
	part := map[int]int{} // old glyph → new glyph, for parts of composite glyphs
	for i := 0; i < len(old); i++ {
		loca = append(loca, uint32(len(glyf))) //nolint:gosec // far below 4 GB
		g, err := f.outline(old[i])
		if err != nil {
			return nil, err
		}
		if len(g) >= 10 && i16(g, 0) < 0 {
			g = slices.Clone(g)
			if err := eachPart(g, func(at int) {
				was := int(u16(g, at))
				now, ok := part[was]
				if !ok {
					now = len(old)
					part[was], old = now, append(old, was)
				}
				binary.BigEndian.PutUint16(g[at:], uint16(now)) //nolint:gosec // checked below
			}); err != nil {
				return nil, err
			}
		}
		glyf = append(glyf, g...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
	}
	loca = append(loca, uint32(len(glyf))) //nolint:gosec // far below 4 GB
	if len(old) > 0xffff {
		return nil, errors.New("font: more than 65535 glyphs in one paper")
	}
	out.Data = f.assemble(out.Runes, old, glyf, loca)
	return out, nil
}

func (f *Font) outline(g int) ([]byte, error) {
	loca, glyf := f.tables["loca"], f.tables["glyf"]
	if g < 0 || g >= f.glyphs {
		return nil, fmt.Errorf("font: glyph %d out of range", g)
	}
	var from, to int
	if f.longLoca {
		from, to = int(u32(loca, 4*g)), int(u32(loca, 4*g+4))
	} else {
		from, to = 2*int(u16(loca, 2*g)), 2*int(u16(loca, 2*g+2))
	}
	if from > to || to > len(glyf) {
		return nil, fmt.Errorf("font: glyph %d lies outside the font", g)
	}
	return glyf[from:to], nil
}

// eachPart calls visit with the place of every part number in a composite
// glyph.
func eachPart(g []byte, visit func(at int)) error {
	for p := 10; ; {
		if p+4 > len(g) {
			return errors.New("font: composite glyph cut off")
		}
		flags := u16(g, p)
		visit(p + 2)
		p += 6
		if flags&argsAreWords != 0 {
			p += 2
		}
		switch {
		case flags&haveScale != 0:
			p += 2
		case flags&haveXYScale != 0:
			p += 4
		case flags&haveTwoByTwo != 0:
			p += 8
		}
		if flags&more == 0 {
			if flags&haveCode != 0 && p+2 > len(g) {
				return errors.New("font: composite glyph cut off")
			}
			return nil
		}
	}
}

func (f *Font) assemble(runes []rune, old []int, glyf []byte, loca []uint32) []byte {
	be := binary.BigEndian
	n := uint16(len(old)) //nolint:gosec // checked by Subset
	head := slices.Clone(f.tables["head"])
	be.PutUint32(head[8:], 0) // checksum, filled below
	be.PutUint16(head[50:], 1)
	hhea := slices.Clone(f.tables["hhea"])
	be.PutUint16(hhea[34:], n)
	maxp := slices.Clone(f.tables["maxp"])
	be.PutUint16(maxp[4:], n)
	var hmtx, locas []byte
	src := f.tables["hmtx"]
	for _, g := range old {
		hmtx = be.AppendUint16(hmtx, uint16(f.width(g))) //nolint:gosec // read from 16 bits
		if g < f.metrics {
			hmtx = append(hmtx, src[4*g+2:4*g+4]...)
		} else {
			at := 4*f.metrics + 2*(g-f.metrics)
			hmtx = append(hmtx, src[at:at+2]...)
		}
	}
	for _, o := range loca {
		locas = be.AppendUint32(locas, o)
	}
	post := be.AppendUint32(nil, 0x00030000)
	post = append(post, make([]byte, 28)...)
	tables := []table{
		{"cmap", cmap(runes)}, {"glyf", glyf}, {"head", head}, {"hhea", hhea},
		{"hmtx", hmtx}, {"loca", locas}, {"maxp", maxp}, {"post", post},
	}
	for _, tag := range []string{"OS/2", "cvt ", "fpgm", "name", "prep"} {
		if t, ok := f.tables[tag]; ok {
			tables = append(tables, table{tag, t})
		}
	}
	slices.SortFunc(tables, func(a, b table) int { return slices.Compare([]byte(a.tag), []byte(b.tag)) })
	return pack(tables)
}

type table struct {
	tag  string
	data []byte
}

// cmap writes a format 12 map and, for readers that know no other, a format 4
// map of the characters below U+10000.
func cmap(runes []rune) []byte {
	be := binary.BigEndian
	wide := be.AppendUint16(nil, 12)
	wide = be.AppendUint16(wide, 0)
	wide = be.AppendUint32(wide, uint32(16+12*len(runes))) //nolint:gosec // at most 65535 runes
	wide = be.AppendUint32(wide, 0)
	wide = be.AppendUint32(wide, uint32(len(runes))) //nolint:gosec // at most 65535 runes
	var first, delta []uint16
	for i, r := range runes {
		for _, v := range []uint32{uint32(r), uint32(r), uint32(i + 1)} { //nolint:gosec // runes are positive
			wide = be.AppendUint32(wide, v)
		}
		if r < 0xffff {
			first, delta = append(first, uint16(r)), append(delta, uint16(i+1)-uint16(r)) //nolint:gosec // wraps on purpose
		}
	}
	first, delta = append(first, 0xffff), append(delta, 1)
	n := len(first)
	thin := be.AppendUint16(nil, 4)
	thin = be.AppendUint16(thin, uint16(min(16+8*n, 0xffff))) //nolint:gosec // bounded
	thin = be.AppendUint16(thin, 0)
	thin = be.AppendUint16(thin, uint16(2*n)) //nolint:gosec // bounded by pack's caller
	pow, lg := 1, 0
	for pow*2 <= n {
		pow, lg = pow*2, lg+1
	}
	for _, v := range []int{2 * pow, lg, 2*n - 2*pow} {
		thin = be.AppendUint16(thin, uint16(v)) //nolint:gosec // small
	}
	for _, v := range first { // ends
		thin = be.AppendUint16(thin, v)
	}
	thin = be.AppendUint16(thin, 0)
	for _, v := range first {
		thin = be.AppendUint16(thin, v)
	}
	for _, v := range delta {
		thin = be.AppendUint16(thin, v)
	}
	thin = append(thin, make([]byte, 2*n)...)
	t := be.AppendUint16(nil, 0)
	maps := []struct {
		encoding uint16
		data     []byte
	}{{1, thin}, {10, wide}}
	if 16+8*n > 0xffff { // too many for format 4
		maps = maps[1:]
	}
	t = be.AppendUint16(t, uint16(len(maps))) //nolint:gosec // one or two
	off := 4 + 8*len(maps)
	for _, m := range maps {
		t = be.AppendUint16(t, 3)
		t = be.AppendUint16(t, m.encoding)
		t = be.AppendUint32(t, uint32(off)) //nolint:gosec // small
		off += len(m.data)
	}
	for _, m := range maps {
		t = append(t, m.data...)
	}
	return t
}

// pack writes the font file: directory, tables, checksums.
func pack(tables []table) []byte {
	be := binary.BigEndian
	n := len(tables)
	pow, lg := 1, 0
	for pow*2 <= n {
		pow, lg = pow*2, lg+1
	}
	out := []byte("\x00\x01\x00\x00")
	for _, v := range []int{n, 16 * pow, lg, 16*n - 16*pow} {
		out = be.AppendUint16(out, uint16(v)) //nolint:gosec // a dozen tables
	}
	off, headAt := 12+16*n, 0
	for _, t := range tables {
		if t.tag == "head" {
			headAt = off
		}
		out = append(out, t.tag...)
		for _, v := range []int{int(sum(t.data)), off, len(t.data)} {
			out = be.AppendUint32(out, uint32(v)) //nolint:gosec // far below 4 GB
		}
		off += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = append(out, t.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	be.PutUint32(out[headAt+8:], 0xb1b0afba-sum(out))
	return out
}

func sum(b []byte) uint32 {
	var s uint32
	for len(b) >= 4 {
		s += binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		s += binary.BigEndian.Uint32(last[:])
	}
	return s
}
