package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"haoban/casework/matter"
	"haoban/platform/doc"
)

// sources copies what a new folder is built with into a fresh place.
func sources(t *testing.T, folders ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range folders {
		from := filepath.Join("..", "..", f)
		err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(filepath.Join("..", ".."), p)
			if err != nil {
				return err
			}
			body, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			to := filepath.Join(root, rel)
			if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
				return err
			}
			return os.WriteFile(to, body, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestMatter(t *testing.T) {
	t.Parallel()
	for _, slug := range []string{"registry/a-first-one", "permit/zoo9"} {
		root := sources(t, "matters")
		made, err := scaffold(root, "matter", slug, "一二三四五六七八九十登记")
		if err != nil {
			t.Fatal(err)
		}
		if len(made) != 7 {
			t.Errorf("made %v", made)
		}
		fsys := os.DirFS(filepath.Join(root, "matters"))
		m, err := matter.Load(fsys, nil, slug)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Flow.Check() {
			t.Error(p.String())
		}
		if m.Name != "一二三四五六七八九十登记" || m.Short != "一二三四五六七八" {
			t.Errorf("%s: name %q, short %q", slug, m.Name, m.Short)
		}
		for name, html := range m.Papers {
			fields, err := doc.TemplateFields(html)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, f := range fields {
				if path, ok := strings.CutPrefix(f, "form."); ok && !m.Form.Has(path) {
					t.Errorf("%s: the form has no %s", name, path)
				}
			}
		}
		list, err := os.ReadFile(filepath.Join(root, "matters", "matters.go"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(list), `"`+slug+`"`) != 1 {
			t.Errorf("matters.go does not list %s once", slug)
		}
		if _, err := scaffold(root, "matter", slug, "再来一次"); !errors.Is(err, errThere) {
			t.Errorf("a second time: %v", err)
		}
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	root := sources(t, "go.mod", "go.sum", "platform", "links", "outside")
	if _, err := scaffold(root, "link", "foo", "某某平台"); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(root, "outside", "outside.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"haoban/outside/foo"`, "foo.New,"} {
		if strings.Count(string(list), want) != 1 {
			t.Errorf("outside.go does not say %s once", want)
		}
	}
	run(t, root, "vet", "./outside", "./links/foo/...")
	run(t, root, "test", "./links/foo/...")
	if _, err := scaffold(root, "link", "foo", "某某平台"); !errors.Is(err, errThere) {
		t.Errorf("a second time: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	root := sources(t, "matters/matters.go", "outside/outside.go")
	for _, tt := range []struct {
		kind, slug, name string
		want             error
	}{
		{"room", "x", "房", errUsage},
		{"matter", "registry/x", " ", errName},
		{"matter", "registry", "名", errSlug},
		{"matter", "registry/../x", "名", errSlug},
		{"matter", "registry/X", "名", errSlug},
		{"matter", "nowhere/x", "名", errOffice},
		{"link", "a-b", "名", errSystem},
		{"link", "../x", "名", errSystem},
	} {
		if _, err := scaffold(root, tt.kind, tt.slug, tt.name); !errors.Is(err, tt.want) {
			t.Errorf("%s %s: %v, want %v", tt.kind, tt.slug, err, tt.want)
		}
	}
}
