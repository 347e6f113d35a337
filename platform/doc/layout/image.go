package layout

import (
	"bytes"
	"encoding/base64"
	"image"
	_ "image/jpeg" // pictures are PNG or JPEG
	_ "image/png"
	"strings"
)

// maxPixels keeps a small file from unfolding into a huge picture.
const maxPixels = 40_000_000

// picture reads an img: its size is what the attributes say, else 96 dots to
// the inch, never wider than the column.
func (b *builder) picture(n *node, width float64) (*box, error) {
	i, err := b.image(n, n.attrs["src"])
	if err != nil {
		return nil, err
	}
	im := b.doc.Images[i]
	w, err := length(n, "width", width)
	if err != nil {
		return nil, err
	}
	h, err := length(n, "height", width)
	if err != nil {
		return nil, err
	}
	ratio := float64(im.H) / float64(im.W)
	switch {
	case w == 0 && h == 0:
		w = min(float64(im.W)*25.4/96, width)
		h = w * ratio
	case w == 0:
		w = h / ratio
	case h == 0:
		h = w * ratio
	}
	if w > width {
		w, h = width, h*width/w
	}
	return &box{w: w, h: h, items: []Item{Picture{W: w, H: h, Image: i}}}, nil
}

// image returns the number of a named or data: picture, reading it once.
func (b *builder) image(n *node, src string) (int, error) {
	if i, ok := b.images[src]; ok {
		return i, nil
	}
	data, ok := b.opts.Images[src]
	if rest, isData := strings.CutPrefix(src, "data:"); isData {
		_, enc, found := strings.Cut(rest, ";base64,")
		if !found {
			return 0, fault(n, "a data: picture must be base64")
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(enc))
		if err != nil {
			return 0, fault(n, "data: picture: %v", err)
		}
		data, ok = raw, true
	}
	if !ok {
		return 0, fault(n, "there is no picture %q", src)
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, fault(n, "picture: %v", err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width*c.Height > maxPixels {
		return 0, fault(n, "picture of %d by %d pixels", c.Width, c.Height)
	}
	i := len(b.doc.Images)
	b.doc.Images = append(b.doc.Images, Image{Data: data, Format: format, W: c.Width, H: c.Height})
	b.images[src] = i
	return i, nil
}
