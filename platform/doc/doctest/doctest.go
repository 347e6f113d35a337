// Package doctest helps tests that make papers: it finds the fonts, fetching
// them if need be, and reads back the text of a PDF.
package doctest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode"

	"haoban/platform/doc/font"
)

var load = sync.OnceValues(func() (*font.Set, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			return nil, errors.New("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	cmd := exec.CommandContext(context.Background(), "sh", filepath.Join(dir, "tools", "fonts.sh")) //nolint:gosec // our own script
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("tools/fonts.sh: %w\n%s", err, out)
	}
	return font.Load(filepath.Join(dir, "build", "fonts"))
})

// Fonts returns the fonts of build/fonts, running tools/fonts.sh when they are
// not there. It fails the test when that is impossible. The fonts are parsed
// once in a process.
func Fonts(t testing.TB) *font.Set {
	t.Helper()
	f, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Text returns the text of a PDF as pdftotext (poppler-utils) reads it, without
// white space. Further arguments go to pdftotext.
func Text(t testing.TB, pdf []byte, args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(name, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "pdftotext", append(args, "-enc", "UTF-8", name, "-")...) //nolint:gosec // a test's own file
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext (poppler-utils): %v\n%s", err, &stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("pdftotext complains: %s", &stderr)
	}
	return Squash(string(out))
}

// Squash takes the white space out of s.
func Squash(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
