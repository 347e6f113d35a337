package doc

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"

	"haoban/platform/clock"
	"haoban/platform/doc/font"
	"haoban/platform/doc/layout"
)

const mm = 72 / 25.4 // one millimetre in points

// WritePDF writes pages as PDF 1.7 with the letters that occur embedded. The
// cross-reference table is a plain one, so that a signature can be added by an
// incremental update. The same document and time make the same bytes.
//
// It is written by hand because the PDF libraries at hand lose characters beyond
// the BMP, and one of any two that share a glyph, from the text that can be
// copied out; a person's name must come back as it was.
func WritePDF(ctx context.Context, d *layout.Document, created time.Time) ([]byte, error) {
	w := &pdfWriter{}
	w.buf.WriteString("%PDF-1.7\n%\xe5\xa5\xbd\xe5\x8a\x9e\n")
	catalog, pages := w.reserve(), w.reserve()
	subsets, fonts, err := w.fonts(d)
	if err != nil {
		return nil, err
	}
	images := make([]int, len(d.Images))
	for i, im := range d.Images {
		if images[i], err = w.image(im); err != nil {
			return nil, fmt.Errorf("picture %d: %w", i+1, err)
		}
	}
	var res bytes.Buffer
	res.WriteString("<< /ProcSet [/PDF /Text /ImageB /ImageC] /Font <<")
	for i, n := range fonts {
		fmt.Fprintf(&res, " /F%d %d 0 R", i, n)
	}
	res.WriteString(" >> /XObject <<")
	for i, n := range images {
		fmt.Fprintf(&res, " /I%d %d 0 R", i, n)
	}
	res.WriteString(" >> >>")
	resources := w.object(res.String())
	var kids bytes.Buffer
	for _, p := range d.Pages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		content := w.stream("", drawPage(p, subsets))
		n := w.object(fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Resources %d 0 R /Contents %d 0 R >>",
			pages, num(p.Width*mm), num(p.Height*mm), resources, content))
		fmt.Fprintf(&kids, "%d 0 R ", n)
	}
	w.fill(pages, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(d.Pages), bytes.TrimSpace(kids.Bytes())))
	w.fill(catalog, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /Lang (zh-CN) /ViewerPreferences << /DisplayDocTitle true >> >>", pages))
	info := "<< /Producer (haoban)"
	if d.Title != "" {
		info += " /Title " + pdfText(d.Title)
	}
	if !created.IsZero() {
		info += " /CreationDate (D:" + created.In(clock.Shanghai()).Format("20060102150405") + "+08'00')"
	}
	return w.close(catalog, w.object(info+" >>")), nil
}

// pdfWriter writes numbered objects and remembers where each begins.
type pdfWriter struct {
	buf     bytes.Buffer
	offsets []int
}

func (w *pdfWriter) reserve() int {
	w.offsets = append(w.offsets, -1)
	return len(w.offsets)
}

func (w *pdfWriter) fill(n int, body string) {
	w.offsets[n-1] = w.buf.Len()
	fmt.Fprintf(&w.buf, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (w *pdfWriter) object(body string) int {
	n := w.reserve()
	w.fill(n, body)
	return n
}

// stream writes a compressed stream with further dictionary entries.
func (w *pdfWriter) stream(dict string, data []byte) int {
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write(data) // a bytes.Buffer takes everything
	_ = zw.Close()
	return w.raw(dict+" /Filter /FlateDecode", z.Bytes())
}

func (w *pdfWriter) raw(dict string, data []byte) int {
	n := w.reserve()
	w.offsets[n-1] = w.buf.Len()
	fmt.Fprintf(&w.buf, "%d 0 obj\n<< /Length %d%s >>\nstream\n", n, len(data), " "+dict)
	w.buf.Write(data)
	w.buf.WriteString("\nendstream\nendobj\n")
	return n
}

func (w *pdfWriter) close(catalog, info int) []byte {
	at := w.buf.Len()
	sum := sha256.Sum256(w.buf.Bytes())
	id := hex.EncodeToString(sum[:16])
	fmt.Fprintf(&w.buf, "xref\n0 %d\n0000000000 65535 f \n", len(w.offsets)+1)
	for _, o := range w.offsets {
		fmt.Fprintf(&w.buf, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&w.buf, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(w.offsets)+1, catalog, info, id, id, at)
	return w.buf.Bytes()
}

// pdfText writes a text string as UTF-16.
func pdfText(s string) string {
	out := "<FEFF"
	for _, u := range utf16.Encode([]rune(s)) {
		out += fmt.Sprintf("%04X", u)
	}
	return out + ">"
}

func num(x float64) string {
	return strconv.FormatFloat(math.Round(x*1000)/1000, 'f', -1, 64)
}

// fonts embeds, for each font of the document, the characters that occur.
func (w *pdfWriter) fonts(d *layout.Document) ([]*font.Subset, []int, error) {
	used := make([][]rune, len(d.Fonts))
	for _, p := range d.Pages {
		for _, it := range p.Items {
			if t, ok := it.(layout.Text); ok {
				used[t.Font] = append(used[t.Font], t.Runes...)
			}
		}
	}
	subsets, objects := make([]*font.Subset, len(d.Fonts)), make([]int, len(d.Fonts))
	for i, f := range d.Fonts {
		s, err := f.Subset(used[i])
		if err != nil {
			return nil, nil, err
		}
		subsets[i] = s
		name := subsetTag(i) + "+" + f.Name()
		file := w.stream(fmt.Sprintf("/Length1 %d", len(s.Data)), s.Data)
		b := f.Box()
		desc := w.object(fmt.Sprintf("<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [%d %d %d %d] /ItalicAngle 0 /Ascent %d /Descent %d /CapHeight 733 /StemV 80 /FontFile2 %d 0 R >>",
			name, b[0], b[1], b[2], b[3], int(f.Ascent()*1000), -int(f.Descent()*1000), file))
		var widths bytes.Buffer
		for _, x := range s.Widths {
			fmt.Fprintf(&widths, "%d ", x)
		}
		cid := w.object(fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor %d 0 R /CIDToGIDMap /Identity /DW 1000 /W [1 [%s]] >>",
			name, desc, bytes.TrimSpace(widths.Bytes())))
		uni := w.stream("", toUnicode(s.Runes))
		objects[i] = w.object(fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>",
			name, cid, uni))
	}
	return subsets, objects, nil
}

// subsetTag is the six letters a subset's name begins with.
func subsetTag(i int) string {
	tag := []byte("HAOBAA")
	tag[5] += byte(i % 26)
	tag[4] += byte(i / 26 % 24)
	return string(tag)
}

// toUnicode says which character each glyph stands for. Characters beyond the
// BMP are two UTF-16 units: most writers get this wrong, and rare names come
// back as other characters.
func toUnicode(runes []rune) []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	glyph := 0
	for part := range slices.Chunk(runes, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(part))
		for _, r := range part {
			glyph++
			fmt.Fprintf(&b, "<%04X> <", glyph)
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "%04X", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

// drawPage writes the content stream of a page.
func drawPage(p layout.Page, subsets []*font.Subset) []byte {
	var b bytes.Buffer
	y := func(v float64) string { return num((p.Height - v) * mm) }
	x := func(v float64) string { return num(v * mm) }
	rgb := func(c layout.Color, op string) {
		fmt.Fprintf(&b, "%s %s %s %s\n", num(float64(c[0])/255), num(float64(c[1])/255), num(float64(c[2])/255), op)
	}
	for _, it := range p.Items {
		switch it := it.(type) {
		case layout.Text:
			rgb(it.Color, "rg")
			sin, cos := math.Sincos(it.Rotate * math.Pi / 180)
			fmt.Fprintf(&b, "BT /F%d %s Tf %s %s %s %s %s %s Tm ", it.Font, num(it.Size*mm),
				num(cos), num(sin), num(-sin), num(cos), x(it.X), y(it.Y))
			showText(&b, it, subsets[it.Font])
			b.WriteString(" ET\n")
		case layout.Line:
			rgb(it.Color, "RG")
			fmt.Fprintf(&b, "%s w %s %s m %s %s l S\n", x(it.Width), x(it.X1), y(it.Y1), x(it.X2), y(it.Y2))
		case layout.Rect:
			op := "S"
			if it.Fill != nil {
				rgb(*it.Fill, "rg")
				if op = "B"; it.Stroke == 0 {
					op = "f"
				}
			}
			rgb(it.Color, "RG")
			fmt.Fprintf(&b, "%s w %s %s %s %s re %s\n", x(it.Stroke), x(it.X), y(it.Y+it.H), x(it.W), x(it.H), op)
		case layout.Picture:
			fmt.Fprintf(&b, "q %s 0 0 %s %s %s cm /I%d Do Q\n", x(it.W), x(it.H), x(it.X), y(it.Y+it.H), it.Image)
		}
	}
	return b.Bytes()
}

// showText writes the glyphs, with the difference to their natural width where
// a line was stretched.
func showText(b *bytes.Buffer, t layout.Text, s *font.Subset) {
	b.WriteString("[<")
	for i, r := range t.Runes {
		g := s.Glyph(r)
		fmt.Fprintf(b, "%04X", g)
		if off := math.Round(float64(s.Widths[g-1]) - t.Advances[i]/t.Size*1000); off != 0 && i < len(t.Runes)-1 {
			fmt.Fprintf(b, ">%s<", num(off))
		}
	}
	b.WriteString(">] TJ")
}
