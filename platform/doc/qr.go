package doc

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"rsc.io/qr"

	"haoban/platform/errs"
)

// QR returns a PNG of a QR code at least px pixels wide, with the white border
// the standard asks for, every module a whole number of pixels. A text too long
// for a code is an error of kind Invalid.
func QR(text string, px int) ([]byte, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, errs.New(errs.Invalid, "doc.qr", "内容太长，放不进一个二维码").Wrap(err)
	}
	const border = 4
	n := c.Size + 2*border
	k := max(1, (px+n-1)/n)
	im := image.NewPaletted(image.Rect(0, 0, n*k, n*k), color.Palette{color.White, color.Black})
	for y := range n * k {
		for x := range n * k {
			if c.Black(x/k-border, y/k-border) {
				im.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		return nil, fmt.Errorf("doc: qr: %w", err)
	}
	return b.Bytes(), nil
}
