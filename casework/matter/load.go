package matter

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"haoban/casework/form"
	"haoban/casework/process"
)

// Matter is a loaded, compiled and checked matter. It is immutable and safe for
// concurrent use.
type Matter struct {
	Definition
	Form   *form.Form
	Flow   *process.Definition
	Papers map[string]string // template name → HTML
	digest string
	files  map[string][]byte
}

// Digest returns the hex SM3 over every file of the matter, by name and in
// order. A case keeps the digest it began with.
func (m *Matter) Digest() string { return m.digest }

// Files returns the files of the matter as they were read, so that the whole
// definition can be kept in the database under its digest.
func (m *Matter) Files() map[string][]byte { return m.files }

// Load reads the matter in folder slug of fsys. shared holds the processes that
// several matters use, by name; it may be nil. Any unknown key, unknown element
// or broken expression is an error naming file and place.
func Load(fsys, shared fs.FS, slug string) (*Matter, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(fsys, slug, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(p, slug+"/")
		if d.IsDir() {
			if rel == "stories" {
				return fs.SkipDir
			}
			return nil
		}
		switch path.Ext(p) {
		case ".json", ".bpmn", ".html":
		default:
			return nil
		}
		b, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		files[rel] = b
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("matter %s: %w", slug, err)
	}
	return FromFiles(slug, files, shared)
}

// FromFiles builds a matter from files kept elsewhere, as the database keeps
// the definitions of running cases.
func FromFiles(slug string, files map[string][]byte, shared fs.FS) (*Matter, error) {
	m := &Matter{Papers: map[string]string{}, files: files}
	raw, ok := files["matter.json"]
	if !ok {
		return nil, fmt.Errorf("matter %s: matter.json is missing", slug)
	}
	if err := strict(raw, &m.Definition); err != nil {
		return nil, fmt.Errorf("matter %s: matter.json: %w", slug, err)
	}
	m.Slug = slug
	m.Office, _, _ = strings.Cut(slug, "/")
	if m.Process != "" && files[m.Process] == nil && shared != nil {
		b, err := fs.ReadFile(shared, m.Process)
		if err != nil {
			return nil, fmt.Errorf("matter %s: process %s: %w", slug, m.Process, err)
		}
		files[m.Process] = b
	}
	var err error
	if m.Form, err = form.Compile(files["form.schema.json"], files["form.ui.json"]); err != nil {
		return nil, fmt.Errorf("matter %s: form: %w", slug, err)
	}
	if m.Flow, err = process.Parse(slug+"/"+m.Process, files[m.Process]); err != nil {
		return nil, fmt.Errorf("matter %s: %w", slug, err)
	}
	for name, b := range files {
		if strings.HasPrefix(name, "papers/") {
			m.Papers[strings.TrimPrefix(name, "papers/")] = string(b)
		}
	}
	m.digest = digest(files)
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("matter %s: %w", slug, err)
	}
	return m, nil
}

func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

func digest(files map[string][]byte) string {
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	sort.Strings(names)
	h := sm3.New()
	for _, n := range names {
		_, _ = fmt.Fprintf(h, "%s %d\n", n, len(files[n])) // a hash never fails to write
		_, _ = h.Write(files[n])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// MaterialAt returns the material of node, false if the matter has none.
func (m *Matter) MaterialAt(node string) (Material, bool) {
	for _, x := range m.Materials {
		if x.Node == node {
			return x, true
		}
	}
	return Material{}, false
}

// ResultOf returns the result of kind, false if the matter has none.
func (m *Matter) ResultOf(kind string) (Result, bool) {
	for _, x := range m.Results {
		if x.Kind == kind {
			return x, true
		}
	}
	return Result{}, false
}

// PartyOf returns the party of role, false if the matter has none.
func (m *Matter) PartyOf(role string) (Party, bool) {
	for _, x := range m.Parties {
		if x.Role == role {
			return x, true
		}
	}
	return Party{}, false
}
