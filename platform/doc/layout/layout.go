// Package layout sets a small subset of HTML on pages. What comes out is only
// text at places, lines, rectangles and pictures in millimetres, so that PDF
// and OFD are two ways of writing down the same paper.
//
// # The subset
//
// Blocks: h1 h2 h3 p div hr ul ol li table (thead tbody colgroup col tr td th,
// with colspan and rowspan). Inline: strong b u span br img. Around them: html
// head title meta body, and header and footer, which are repeated on every page
// and in which {page} and {pages} become numbers. Every element but br, hr, img,
// col and meta is closed by its own end tag. Attributes: class everywhere, width
// on col, td, th and img ("30mm" or "40%"), height and src on img, colspan and
// rowspan, data-person and data-seal. A picture is a data: URL or the name of
// one of Options.Images.
//
// Classes: left center right justify (alignment), top (of a cell), small large
// bold red gray, indent (first line by two characters), red-head (红头), label
// (a shaded cell), noborder (a table without lines), cn (an ol numbered 一、二、),
// keep (a div not broken over pages), page-break (begin a new page), fill (an
// underlined blank), official and landscape (of body: margins of GB/T 9704, the
// page on its side), seal-place with data-seal, and signature with data-person.
//
// Anything else is refused with the line and the element, so that a template
// either sets as it is meant or does not set at all.
package layout

import (
	"fmt"

	"haoban/platform/doc/font"
	"haoban/platform/errs"
)

// Document is a paper set on pages. It does not change once built.
type Document struct {
	Title  string
	Fonts  []*font.Font // what Text.Font counts in
	Images []Image      // what Picture.Image counts in
	Pages  []Page
}

// Page is one page; its items are drawn in order. Lengths are in millimetres,
// from the top left corner.
type Page struct {
	Width, Height float64
	Items         []Item
	Fields        []Field
}

// Item is a Text, Line, Rect or Picture.
type Item interface{ shifted(dx, dy float64) Item }

// Color is red, green, blue.
type Color [3]uint8

// Text is a run of characters in one font and size. X is the left end, Y the
// baseline. Advances has one width for each character.
type Text struct {
	X, Y     float64
	Size     float64
	Font     int
	Color    Color
	Rotate   float64 // degrees, counter-clockwise around X, Y
	Runes    []rune
	Advances []float64
}

// Line is a straight line.
type Line struct {
	X1, Y1, X2, Y2 float64
	Width          float64
	Color          Color
}

// Rect is a rectangle; a zero Stroke draws no border, a nil Fill no inside.
type Rect struct {
	X, Y, W, H float64
	Stroke     float64
	Color      Color
	Fill       *Color
}

// Picture draws an image into a rectangle.
type Picture struct {
	X, Y, W, H float64
	Image      int
}

// Image is a PNG or JPEG file as it came.
type Image struct {
	Data   []byte
	Format string // "png" or "jpeg"
	W, H   int    // pixels
}

// FieldKind says what is to be put in a field.
type FieldKind string

// The kinds of fields.
const (
	Signature FieldKind = "signature" // a person's signature; Name is data-person
	Seal      FieldKind = "seal"      // an organisation's seal; Name is data-seal
)

// Field is a place on a page that is signed or sealed later.
type Field struct {
	Kind       FieldKind
	Name       string
	X, Y, W, H float64
}

func (t Text) shifted(dx, dy float64) Item { t.X += dx; t.Y += dy; return t }
func (l Line) shifted(dx, dy float64) Item {
	l.X1 += dx
	l.X2 += dx
	l.Y1 += dy
	l.Y2 += dy
	return l
}
func (r Rect) shifted(dx, dy float64) Item    { r.X += dx; r.Y += dy; return r }
func (p Picture) shifted(dx, dy float64) Item { p.X += dx; p.Y += dy; return p }

// Options say what the HTML does not.
type Options struct {
	// Images are the pictures that img may name. An image called
	// "signature:" + person is drawn into that person's signature field.
	Images map[string][]byte
	// Watermark is written across every page, under the text.
	Watermark string
}

// Error is a fault in the HTML.
type Error struct {
	Line    int
	Element string
	Msg     string
}

// Error names line and element.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, <%s>: %s", e.Line, e.Element, e.Msg)
}

func fault(n *node, format string, a ...any) error {
	e := &Error{Line: n.line, Element: n.tag, Msg: fmt.Sprintf(format, a...)}
	return errs.New(errs.Internal, "doc.html", fmt.Sprintf("文书模板第 %d 行 <%s> 有误", e.Line, e.Element)).Wrap(e)
}

// MissingCharacter is the refusal of a character that none of the fonts draws.
func missingCharacter(r rune) error {
	return errs.New(errs.Invalid, "doc.character",
		fmt.Sprintf("“%c”（U+%04X）这个字目前的字库里没有，印不出来，请联系工作人员补充字库", r, r))
}

// Build sets the HTML. A fault in the HTML is an *Error in an error of kind
// Internal with code doc.html; a character that no font draws is an error of
// kind Invalid with code doc.character that names it: a paper never shows an
// empty box.
func Build(html string, fonts *font.Set, opts Options) (*Document, error) {
	root, err := parse(html)
	if err != nil {
		return nil, err
	}
	b := &builder{fonts: fonts, opts: opts, doc: &Document{Title: root.title}, images: map[string]int{}, faces: map[*font.Font]int{}}
	return b.build(root)
}

// Check reports the first fault of the HTML without setting it: a part outside
// the subset, a tag not closed. Fonts and pictures are not looked at.
func Check(html string) error {
	_, err := parse(html)
	return err
}
