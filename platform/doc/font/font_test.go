package font_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"haoban/platform/doc/doctest"
	"haoban/platform/doc/font"
)

// TestSubset: a subset read back draws the same characters at the same widths,
// and can itself be subset.
func TestSubset(t *testing.T) {
	t.Parallel()
	f := doctest.Fonts(t).Face('中', false)
	runes := []rune("好办：ABCabc 0123，。㎡中\U0001f240")
	for range 3 {
		s, err := f.Subset(runes)
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.Subset(append(slices.Clone(runes), runes...))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(s.Data, again.Data) {
			t.Error("the same characters make another subset")
		}
		small, err := font.Parse(s.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runes {
			want, _ := f.Advance(r)
			if got, ok := small.Advance(r); !ok || got != want {
				t.Errorf("%c is %v wide in the subset, want %v", r, got, want)
			}
			if g, _ := small.Glyph(r); g != s.Glyph(r) {
				t.Errorf("%c is glyph %d, Subset says %d", r, g, s.Glyph(r))
			}
		}
		if small.Has('国') || s.Glyph('国') != 0 {
			t.Error("the subset draws what was not asked for")
		}
		f = small
	}
}

// TestDamagedFont: no damage makes Parse or Subset panic.
func TestDamagedFont(t *testing.T) {
	t.Parallel()
	s, err := doctest.Fonts(t).Face('中', false).Subset([]rune("好办中文ÄÖé"))
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		bad := bytes.Clone(s.Data[:len(s.Data)-rnd.IntN(50)*rnd.IntN(50)%len(s.Data)])
		for range 1 + rnd.IntN(8) {
			bad[rnd.IntN(min(len(bad), 2000))] = byte(rnd.IntN(256))
		}
		if f, err := font.Parse(bad); err == nil {
			_, _ = f.Subset([]rune("好é"))
		}
	}
	for _, junk := range []string{"", "OTTO00000000", "ttcf00000000", "\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if _, err := font.Parse([]byte(junk)); err == nil {
			t.Errorf("%q was taken for a font", junk)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := font.Load(dir); err == nil {
		t.Error("a directory without fonts was loaded")
	}
	if err := os.WriteFile(filepath.Join(dir, "X-Regular.ttf"), []byte("not a font"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := font.Load(dir); err == nil {
		t.Error("a broken font was loaded")
	}
}
