package app_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// longest is how many lines a file may have before it asks to be two.
const longest = 600

// walkTree calls see with the slash path and content of every file of the
// sources that ends in one of the endings.
func walkTree(t *testing.T, see func(name string, body []byte), endings ...string) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "node_modules", "dist", "build", "data":
				return fs.SkipDir
			}
			return nil
		}
		for _, e := range endings {
			if !strings.HasSuffix(p, e) {
				continue
			}
			body, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			see(filepath.ToSlash(rel), body)
			break
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// walkGo parses every Go file that is no test.
func walkGo(t *testing.T, see func(name string, fset *token.FileSet, f *ast.File)) {
	t.Helper()
	walkTree(t, func(name string, body []byte) {
		if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/") {
			return
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, body, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		see(name, fset, f)
	}, ".go")
}

var (
	createTable = regexp.MustCompile(`(?i)\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?"?([a-z0-9_]+)`)
	word        = regexp.MustCompile(`[a-z][a-z0-9]*_[a-z0-9_]+`)
)

// tablesByRoom returns the folder that owns each table, by the migrations that
// make it, and refuses a room with two prefixes and a prefix with two rooms.
func tablesByRoom(t *testing.T) map[string]string {
	t.Helper()
	tables, prefixes, rooms := map[string]string{}, map[string]string{}, map[string]string{}
	walkTree(t, func(name string, body []byte) {
		dir, _, ok := strings.Cut(name, "/migrations/")
		if !ok {
			return
		}
		for _, m := range createTable.FindAllSubmatch(body, -1) {
			table := string(m[1])
			prefix, _, ok := strings.Cut(table, "_")
			if !ok {
				t.Errorf("%s: table %s has no prefix", name, table)
			}
			if other, met := prefixes[dir]; met && other != prefix {
				t.Errorf("%s: table %s in a room whose prefix is %s_", name, table, other)
			}
			if other, met := rooms[prefix]; met && other != dir {
				t.Errorf("%s: prefix %s_ belongs to %s", name, prefix, other)
			}
			tables[table], prefixes[dir], rooms[prefix] = dir, prefix, dir
		}
	}, ".sql")
	return tables
}

// foreign returns the tables of other rooms that text names.
func foreign(tables map[string]string, dir, text string) []string {
	var bad []string
	for _, w := range word.FindAllString(strings.ToLower(text), -1) {
		owner, ok := tables[w]
		if ok && !inRoom(dir, owner) {
			bad = append(bad, w+" of "+owner)
		}
	}
	return bad
}

// inRoom tells whether dir belongs to the room of owner: the room itself and
// what lies below it, but what lies below casework are rooms of their own.
func inRoom(dir, owner string) bool {
	return dir == owner || owner != "casework" && strings.HasPrefix(dir, owner+"/")
}

// TestTablesByRoom holds every room to its own tables: no string and no
// migration of a room names a table of another.
func TestTablesByRoom(t *testing.T) {
	t.Parallel()
	tables := tablesByRoom(t)
	if len(tables) < 20 {
		t.Fatalf("only %d tables found", len(tables))
	}
	walkGo(t, func(name string, fset *token.FileSet, f *ast.File) {
		dir := filepath.ToSlash(filepath.Dir(name))
		if testOnly(dir) {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Error(err)
				return true
			}
			for _, bad := range foreign(tables, dir, text) {
				t.Errorf("%s: %s names the table %s", fset.Position(lit.Pos()), dir, bad)
			}
			return true
		})
	})
	walkTree(t, func(name string, body []byte) {
		if dir, _, ok := strings.Cut(name, "/migrations/"); ok {
			for _, bad := range foreign(tables, dir, string(body)) {
				t.Errorf("%s names the table %s", name, bad)
			}
		}
	}, ".sql")

	known := map[string]string{"cw_case": "casework", "ident_user": "platform/ident"}
	for _, tt := range []struct {
		dir, sql string
		want     int
	}{
		{"casework", "SELECT id FROM cw_case", 0},
		{"casework/api", "SELECT id FROM cw_case", 1},
		{"bureau/registry", "SELECT * FROM reg_unit r JOIN cw_case c ON c.id = r.id", 1},
		{"platform/ident/identtest", "DELETE FROM ident_user", 0},
		{"casework", "DELETE FROM IDENT_USER", 1},
		{"bureau/registry", "cw_cases", 0},
	} {
		if got := foreign(known, tt.dir, tt.sql); len(got) != tt.want {
			t.Errorf("%s: %s: %v", tt.dir, tt.sql, got)
		}
	}
}

// wallTime returns where f asks the machine for the time.
func wallTime(fset *token.FileSet, f *ast.File) []string {
	called := ""
	for _, imp := range f.Imports {
		if imp.Path.Value == `"time"` {
			called = "time"
			if imp.Name != nil {
				called = imp.Name.Name
			}
		}
	}
	var found []string
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || called == "" {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if ok && x.Name == called && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since" || sel.Sel.Name == "Until") {
			found = append(found, fmt.Sprintf("%s: %s.%s", fset.Position(sel.Pos()), called, sel.Sel.Name))
		}
		return true
	})
	return found
}

// TestNoWallTime leaves the machine's time to platform/clock, and to the
// benchmarks, which measure.
func TestNoWallTime(t *testing.T) {
	t.Parallel()
	asked := 0
	walkGo(t, func(name string, fset *token.FileSet, f *ast.File) {
		found := wallTime(fset, f)
		switch {
		case strings.HasPrefix(name, "platform/clock/"):
			asked += len(found)
		case strings.HasPrefix(name, "bench/"):
		default:
			for _, at := range found {
				t.Errorf("%s: take a clock.Clock", at)
			}
		}
	})
	if asked == 0 {
		t.Error("platform/clock does not ask for the time: the test sees nothing")
	}
}

// TestFileLength asks for two files where one has grown too long.
func TestFileLength(t *testing.T) {
	t.Parallel()
	walkTree(t, func(name string, body []byte) {
		head := body[:min(len(body), 400)]
		if bytes.Contains(head, []byte("Code generated")) || bytes.Contains(head, []byte("DO NOT EDIT")) {
			return
		}
		if n := bytes.Count(body, []byte("\n")); n > longest {
			t.Errorf("%s has %d lines, more than %d", name, n, longest)
		}
	}, ".go", ".ts", ".vue")
}

// TestHooks keeps the Go of a matter small: a hook calls a bureau's verb, it
// registers no route and runs no SQL.
func TestHooks(t *testing.T) {
	t.Parallel()
	walkGo(t, func(name string, fset *token.FileSet, f *ast.File) {
		if !strings.HasPrefix(name, "matters/") || strings.Count(name, "/") < 3 {
			return
		}
		if n := fset.Position(f.End()).Line; n > 120 {
			t.Errorf("%s has %d lines: what it does belongs to a bureau", name, n)
		}
		for _, imp := range f.Imports {
			switch p := strings.Trim(imp.Path.Value, `"`); {
			case p == "net/http", p == "database/sql", strings.Contains(p, "huma"), p == module+"/platform/web":
				t.Errorf("%s imports %s", name, p)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				switch sel.Sel.Name {
				case "Exec", "Query", "QueryRow":
					t.Errorf("%s runs SQL", fset.Position(sel.Pos()))
				}
			}
			return true
		})
	})
}

// TestMap holds docs/house.md to the folders there are.
func TestMap(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "house.md"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch n := e.Name(); {
		case !e.IsDir(), strings.HasPrefix(n, "."), n == "build", n == "data":
		case !bytes.Contains(page, []byte("| `"+n)) && !bytes.Contains(page, []byte(", `"+n)):
			t.Errorf("docs/house.md has no row for %s/", n)
		}
	}
}
