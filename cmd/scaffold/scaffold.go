package main

import (
	"embed"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"haoban/platform/errs"
)

//go:embed all:template
var templates embed.FS

// Failures of scaffold. All are of kind errs.Invalid or errs.Conflict.
var (
	errUsage  = errs.New(errs.Invalid, "scaffold.usage", usage)
	errName   = errs.New(errs.Invalid, "scaffold.name", "the name people see is owed")
	errSlug   = errs.New(errs.Invalid, "scaffold.slug", "a matter is named office/slug in small letters, digits and hyphens, e.g. registry/transfer")
	errOffice = errs.New(errs.Invalid, "scaffold.office", "matters has no such office; add its folder to the go:embed line of matters/matters.go first")
	errSystem = errs.New(errs.Invalid, "scaffold.system", "a partner is named in small letters and digits, e.g. tax")
	errThere  = errs.New(errs.Conflict, "scaffold.there", "it is there already")
	errList   = errs.New(errs.Conflict, "scaffold.list", "the list does not look as expected; add the line by hand")
)

var (
	slugForm   = regexp.MustCompile(`^[a-z]+/[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	systemForm = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
)

// fill is what the templates may read.
type fill struct {
	Name   string // as people see it
	Short  string // at most eight characters
	Slug   string // office/slug, or the system
	Office string
	ID     string // an XML and SQL name
	Code   string // capital letters
	Role   string // who decides at that office
	Pkg    string // Go package of a partner
}

// scaffold makes what is asked below root and returns the paths of what it
// wrote. Nothing is overwritten: errThere is returned instead.
func scaffold(root, kind, slug, name string) ([]string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil, errName
	}
	switch kind {
	case "matter":
		return newMatter(root, slug, name)
	case "link":
		return newLink(root, slug, name)
	}
	return nil, errUsage
}

func newMatter(root, slug, name string) ([]string, error) {
	if !slugForm.MatchString(slug) {
		return nil, errSlug
	}
	office, last, _ := strings.Cut(slug, "/")
	list := filepath.Join(root, "matters", "matters.go")
	source, err := os.ReadFile(list) //nolint:gosec // a file of this module
	if err != nil {
		return nil, err
	}
	if !embeds(string(source), office) {
		return nil, errOffice
	}
	id := strings.ReplaceAll(last, "-", "_")
	short := []rune(name)
	f := fill{
		Name: name, Short: string(short[:min(len(short), 8)]), Slug: slug, Office: office,
		ID: id, Code: strings.ToUpper(id), Role: role(office),
	}
	made, err := write("template/matter", filepath.Join(root, "matters", filepath.FromSlash(slug)), f)
	if err != nil {
		return nil, err
	}
	text, err := addLine(string(source), "return []string{\n", fmt.Sprintf("\t\t%q,", slug), true)
	if err != nil {
		return nil, err
	}
	return append(made, list), save(list, text)
}

// role is who decides at an office, by the roles the present matters use.
func role(office string) string {
	if office == "registry" {
		return "examiner"
	}
	return "handler"
}

func embeds(source, office string) bool {
	for line := range strings.Lines(source) {
		if rest, ok := strings.CutPrefix(line, "//go:embed "); ok && slices.Contains(strings.Fields(rest), office) {
			return true
		}
	}
	return false
}

func newLink(root, system, name string) ([]string, error) {
	if !systemForm.MatchString(system) {
		return nil, errSystem
	}
	list := filepath.Join(root, "outside", "outside.go")
	source, err := os.ReadFile(list) //nolint:gosec // a file of this module
	if err != nil {
		return nil, err
	}
	f := fill{Name: name, Slug: system, Pkg: system}
	ours, err := write("template/link", filepath.Join(root, "links", system), f)
	if err != nil {
		return nil, err
	}
	theirs, err := write("template/outside", filepath.Join(root, "outside", system), f)
	if err != nil {
		return nil, err
	}
	text, err := addLine(string(source), "import (\n", fmt.Sprintf("\t%q", "haoban/outside/"+system), false)
	if err != nil {
		return nil, err
	}
	if text, err = addLine(text, "return []func(simkit.Options) *simkit.Sim{\n", "\t\t"+system+".New,", false); err != nil {
		return nil, err
	}
	return append(append(ours, theirs...), list), save(list, text)
}

// write fills every template below from into the new folder to.
func write(from, to string, f fill) ([]string, error) {
	if _, err := os.Stat(to); err == nil {
		return nil, fmt.Errorf("%s: %w", to, errThere)
	}
	var made []string
	err := fs.WalkDir(templates, from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := templates.ReadFile(p)
		if err != nil {
			return err
		}
		// The papers of a matter are templates themselves, so ours are in [[ ]].
		t, err := template.New(p).Delims("[[", "]]").Option("missingkey=error").Parse(string(raw))
		if err != nil {
			return err
		}
		var text strings.Builder
		if err := t.Execute(&text, f); err != nil {
			return err
		}
		rel := strings.TrimSuffix(strings.TrimPrefix(p, from+"/"), ".tmpl")
		rel = strings.ReplaceAll(rel, "PKG", f.Pkg)
		path := filepath.Join(to, filepath.FromSlash(rel))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // sources are for everyone
			return err
		}
		made = append(made, path)
		return save(path, text.String())
	})
	return made, err
}

// save writes a file; Go is formatted first.
func save(path, text string) error {
	out := []byte(text)
	if strings.HasSuffix(path, ".go") {
		var err error
		if out, err = format.Source(out); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(path, out, 0o644) //nolint:gosec // sources are for everyone
}

// addLine puts line into the block that follows head, sorted among the lines of
// the block when sorted is true; else where the order of its neighbours allows
// (before the first greater one of the same folder), or last.
func addLine(source, head, line string, sorted bool) (string, error) {
	before, rest, ok := strings.Cut(source, head)
	if !ok {
		return "", errList
	}
	lines := strings.Split(rest, "\n")
	end := slices.IndexFunc(lines, func(l string) bool { t := strings.TrimSpace(l); return t == "}" || t == ")" })
	if end < 0 {
		return "", errList
	}
	if slices.Contains(lines[:end], line) {
		return "", errThere
	}
	at := end
	folder := line[:strings.LastIndexAny(line, "/\t")+1]
	for i, l := range lines[:end] {
		if (sorted || strings.HasPrefix(l, folder) && strings.Contains(folder, "/")) && l > line {
			at = i
			break
		}
	}
	lines = slices.Insert(lines, at, line)
	return before + head + strings.Join(lines, "\n"), nil
}
