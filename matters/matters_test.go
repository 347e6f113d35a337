package matters_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"haoban/casework/process"
	"haoban/matters"
	"haoban/platform/ident"
)

// TestMatters holds every matter to what all of them owe: it loads, every path
// of its process ends, every user task has a known role and a limit, and what
// expressions read is in the form.
func TestMatters(t *testing.T) {
	t.Parallel()
	ms, err := matters.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ms {
		t.Run(m.Slug, func(t *testing.T) {
			t.Parallel()
			for _, p := range m.Flow.Check() {
				t.Error(p.String())
			}
			for _, role := range m.Flow.Roles() {
				if _, ok := ident.RoleByID(role); !ok {
					t.Errorf("nobody has the role %q", role)
				}
			}
			for _, n := range m.Flow.Nodes() {
				if n.Kind == process.KindUser && n.Limit == nil {
					t.Errorf("%s has no limit", n.ID)
				}
			}
			for _, r := range m.Flow.Refs() {
				if path, ok := strings.CutPrefix(r.Path, "form."); ok && !m.Form.Has(path) {
					t.Errorf("%s reads form.%s, which the form does not have", r.Element, path)
				}
			}
			for _, w := range m.With {
				if !slices.Contains(matters.Slugs(), w) {
					t.Errorf("filed together with %s, which there is not", w)
				}
			}
		})
	}
}

// TestFoldersAreSlugs: a folder nobody lists, or a name without a folder, is a
// mistake.
func TestFoldersAreSlugs(t *testing.T) {
	t.Parallel()
	var found []string
	err := fs.WalkDir(matters.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "matter.json" {
			found = append(found, strings.TrimSuffix(p, "/matter.json"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if want := matters.Slugs(); !slices.Equal(found, want) {
		t.Errorf("folders %v, list %v", found, want)
	}
}
