package doc

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // pictures are PNG or JPEG
	_ "image/png"

	"haoban/platform/doc/layout"
)

// image embeds a picture: a JPEG as it is, anything else as pixels with its
// transparency beside it.
func (w *pdfWriter) image(im layout.Image) (int, error) {
	dict := fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8", im.W, im.H)
	if im.Format == "jpeg" {
		c, _, err := image.DecodeConfig(bytes.NewReader(im.Data))
		if err != nil {
			return 0, err
		}
		switch c.ColorModel {
		case color.YCbCrModel:
			return w.raw(dict+" /ColorSpace /DeviceRGB /Filter /DCTDecode", im.Data), nil
		case color.GrayModel:
			return w.raw(dict+" /ColorSpace /DeviceGray /Filter /DCTDecode", im.Data), nil
		}
	}
	src, _, err := image.Decode(bytes.NewReader(im.Data))
	if err != nil {
		return 0, err
	}
	px := image.NewNRGBA(image.Rect(0, 0, im.W, im.H))
	draw.Draw(px, px.Bounds(), src, src.Bounds().Min, draw.Src)
	n := im.W * im.H
	rgb, alpha := make([]byte, 0, 3*n), make([]byte, 0, n)
	grey, opaque := true, true
	for i := 0; i < 4*n; i += 4 {
		p := px.Pix[i : i+4]
		rgb, alpha = append(rgb, p[:3]...), append(alpha, p[3])
		grey = grey && p[0] == p[1] && p[1] == p[2]
		opaque = opaque && p[3] == 0xff
	}
	mask := ""
	if !opaque {
		mask = fmt.Sprintf(" /SMask %d 0 R", w.stream(dict+" /ColorSpace /DeviceGray", alpha))
	}
	if grey {
		for i := range n {
			rgb[i] = rgb[3*i]
		}
		return w.stream(dict+" /ColorSpace /DeviceGray"+mask, rgb[:n]), nil
	}
	return w.stream(dict+" /ColorSpace /DeviceRGB"+mask, rgb), nil
}
