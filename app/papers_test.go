package app

import (
	"strings"
	"testing"
	"time"

	"haoban/matters"
	"haoban/platform/doc"
)

// TestPapersAskForWhatIsThere draws every paper of every matter over an empty
// form and over one with a list of two: a field that the form does not have is
// an error of the template, found here and not at the window.
func TestPapersAskForWhatIsThere(t *testing.T) {
	t.Parallel()
	ms, err := matters.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ms {
		for name, tmpl := range m.Papers {
			t.Run(m.Slug+"/"+name, func(t *testing.T) {
				t.Parallel()
				filled := map[string]any{}
				for _, l := range m.Form.Leaves() {
					if i := strings.Index(l.Path, ".*."); i > 0 {
						one := map[string]any{}
						for _, o := range m.Form.Leaves() {
							if rest, ok := strings.CutPrefix(o.Path, l.Path[:i]+".*."); ok {
								one[rest] = "甲"
							}
						}
						filled[l.Path[:i]] = []any{one, one}
					}
				}
				for _, form := range []map[string]any{{}, filled} {
					full, text := whole(m.Form, form)
					if loan, ok := full["loan"].(map[string]any); ok {
						loan["amount"], loan["from"], loan["to"] = 100, "2026-01-01", "2046-01-01"
					}
					data := map[string]any{"form": full, "text": text, "today": time.Unix(0, 0), "no": "测 1", "name": "x", "issued": time.Unix(0, 0), "verifyURL": "x", "token": "x"}
					if _, err := doc.Render(tmpl, data); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}
