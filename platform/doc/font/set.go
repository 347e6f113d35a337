package font

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Set is the fonts that papers are set in: one regular, one bold, and any
// number of others that are asked, in the order of their file names, for
// characters the first cannot draw (生僻字). It is immutable and safe for
// concurrent use; load it once.
type Set struct {
	regular, bold []*Font
}

// Load reads all *.ttf files of a directory. The first file whose name ends in
// "-Regular.ttf" is the main font, the first that ends in "-Bold.ttf" the bold
// one; the rest are fallbacks. A missing main font is an error, a missing bold
// one is not.
func Load(dir string) (*Set, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.ttf"))
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	var regular, bold *Font
	var rest []*Font
	for _, name := range names { // Glob sorts
		data, err := os.ReadFile(name) //nolint:gosec // the directory comes from the configuration
		if err != nil {
			return nil, fmt.Errorf("font: %w", err)
		}
		f, err := Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case regular == nil && strings.HasSuffix(name, "-Regular.ttf"):
			regular = f
		case bold == nil && strings.HasSuffix(name, "-Bold.ttf"):
			bold = f
		default:
			rest = append(rest, f)
		}
	}
	if regular == nil {
		return nil, fmt.Errorf("font: no *-Regular.ttf in %s", dir)
	}
	return NewSet(regular, bold, rest...), nil
}

// NewSet returns a set of fonts already parsed; bold may be nil.
func NewSet(regular, bold *Font, fallback ...*Font) *Set {
	s := &Set{regular: append([]*Font{regular}, fallback...)}
	if bold != nil {
		s.bold = append([]*Font{bold}, s.regular...)
	} else {
		s.bold = s.regular
	}
	return s
}

// Face returns the first font that draws r, or nil when none does.
func (s *Set) Face(r rune, bold bool) *Font {
	fonts := s.regular
	if bold {
		fonts = s.bold
	}
	for _, f := range fonts {
		if f.Has(r) {
			return f
		}
	}
	return nil
}
