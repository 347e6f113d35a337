// Package doc makes the papers of the house: PDF from templates in a small
// subset of HTML (see package layout for the subset), DOCX for what officials
// edit, spreadsheets for what they export, QR codes for what is checked later.
//
// A paper goes Render (template and data to HTML) → Lay (HTML to pages) →
// WritePDF. The OFD writer takes the same pages. The same input always makes
// the same bytes.
package doc

import (
	"context"
	"time"

	"haoban/platform/doc/font"
	"haoban/platform/doc/layout"
	"haoban/platform/errs"
)

// Fonts is the set of fonts papers are set in. It is immutable, costs about as
// much memory as its files, and is meant to be loaded once.
type Fonts = font.Set

// LoadFonts reads the fonts of a directory, see font.Load. tools/fonts.sh fills
// such a directory.
func LoadFonts(dir string) (*Fonts, error) { return font.Load(dir) }

// Options are what a paper is given besides its text.
type Options struct {
	// Images are the pictures an img may name as its src, PNG or JPEG. One
	// called "signature:" + person fills that person's signature field.
	Images map[string][]byte
	// Watermark is written across every page, under the text.
	Watermark string
	// Created is the moment written into the file; the zero time writes none.
	Created time.Time
}

// Lay sets HTML on pages. Its errors are those of layout.Build.
func Lay(ctx context.Context, html string, fonts *Fonts, o Options) (*layout.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if fonts == nil {
		return nil, errs.New(errs.Internal, "doc.fonts", "没有配置字库目录，不能生成文书")
	}
	return layout.Build(html, fonts, layout.Options{Images: o.Images, Watermark: o.Watermark})
}

// PDF sets HTML and writes it as PDF: Lay, then WritePDF.
func PDF(ctx context.Context, html string, fonts *Fonts, o Options) ([]byte, error) {
	d, err := Lay(ctx, html, fonts, o)
	if err != nil {
		return nil, err
	}
	return WritePDF(ctx, d, o.Created)
}
