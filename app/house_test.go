package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module, as go.mod says.
const module = "haoban"

// root is the folder of go.mod, seen from this package.
const root = ".."

// rule is one line of the import rule: packages that match from may import
// packages that match one of may and none of not.
type rule struct {
	from     string
	may, not []string
	line     int
}

// parseRules reads the first ```rules block of a page.
func parseRules(page string) ([]rule, error) {
	var rules []rule
	in := false
	for i, line := range strings.Split(page, "\n") {
		switch {
		case !in && strings.TrimSpace(line) == "```rules":
			in = true
			continue
		case !in:
			continue
		case strings.HasPrefix(line, "```"):
			return rules, nil
		}
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		r := rule{from: words[0], line: i + 1}
		for _, w := range words[1:] {
			if bad, ok := strings.CutPrefix(w, "!"); ok {
				r.not = append(r.not, bad)
			} else {
				r.may = append(r.may, w)
			}
		}
		rules = append(rules, r)
	}
	return nil, errors.New("no ```rules block that ends")
}

// expand writes {x,y} out, so that what is left has * and ** only.
func expand(pattern string) []string {
	open := strings.IndexByte(pattern, '{')
	end := strings.IndexByte(pattern, '}')
	if open < 0 || end < open {
		return []string{pattern}
	}
	var all []string
	for _, one := range strings.Split(pattern[open+1:end], ",") {
		all = append(all, expand(pattern[:open]+one+pattern[end+1:])...)
	}
	return all
}

// match tells whether pkg is named by pattern. A leading ./ stands for self.
func match(pattern, self, pkg string) bool {
	if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		pattern = self + "/" + rest
	}
	for _, p := range expand(pattern) {
		if p == "**" {
			return true
		}
		below := false
		if base, ok := strings.CutSuffix(p, "/**"); ok {
			p, below = base, true
		}
		want, have := strings.Split(p, "/"), strings.Split(pkg, "/")
		if len(have) < len(want) || len(have) > len(want) && !below {
			continue
		}
		if slices.EqualFunc(want, have[:len(want)], func(w, h string) bool {
			ok, err := path.Match(w, h)
			return ok && err == nil
		}) {
			return true
		}
	}
	return false
}

// testOnly tells whether pkg serves tests and nothing else.
func testOnly(pkg string) bool {
	top, _, _ := strings.Cut(pkg, "/")
	return strings.HasSuffix(pkg, "test") || top == "story" || top == "bench"
}

// judge returns why from may not import to, or "" when it may. With to empty
// it only asks whether some line names from.
func judge(rules []rule, from, to string) string {
	for _, r := range rules {
		if !match(r.from, from, from) {
			continue
		}
		if to == "" {
			return ""
		}
		if testOnly(to) && !testOnly(from) {
			return fmt.Sprintf("%s imports %s, which is for tests only", from, to)
		}
		named := func(p string) bool { return match(p, from, to) }
		if !slices.ContainsFunc(r.may, named) || slices.ContainsFunc(r.not, named) {
			return fmt.Sprintf("%s may not import %s (docs/house.md:%d)", from, to, r.line)
		}
		return ""
	}
	return fmt.Sprintf("no line of docs/house.md names %s", from)
}

// houseImports returns the imports of every package of this module that are of
// this module too, without those of tests, with and without the front-end.
func houseImports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, tags := range []string{"", "webdist"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags="+tags, "-json=ImportPath,Imports", "./...")
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		dec := json.NewDecoder(bytes.NewReader(out))
		for {
			var p struct {
				ImportPath string
				Imports    []string
			}
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("go list: %v", err)
			}
			from := strings.TrimPrefix(p.ImportPath, module+"/")
			if _, met := all[from]; !met {
				all[from] = nil
			}
			for _, to := range p.Imports {
				if to, ok := strings.CutPrefix(to, module+"/"); ok && !slices.Contains(all[from], to) {
					all[from] = append(all[from], to)
				}
			}
		}
	}
	return all
}

func houseRules(t *testing.T) []rule {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "house.md"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := parseRules(string(page))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// TestHouseImports holds every import to the rule in docs/house.md.
func TestHouseImports(t *testing.T) {
	t.Parallel()
	rules := houseRules(t)
	all := houseImports(t)
	if len(all) < 40 {
		t.Fatalf("go list sees only %d packages", len(all))
	}
	for from, imports := range all {
		if why := judge(rules, from, ""); why != "" {
			t.Error(why)
			continue
		}
		for _, to := range imports {
			if why := judge(rules, from, to); why != "" {
				t.Error(why)
			}
		}
	}
}

// TestHouseRules plants bad edges and sees them refused, and good ones passed.
func TestHouseRules(t *testing.T) {
	t.Parallel()
	rules := houseRules(t)
	for _, tt := range []struct {
		from, to string
		want     string // a part of the refusal, "" when the edge is good
	}{
		{"cmd/haoban", "app", ""},
		{"cmd/haoban", "outside", "cmd/haoban may not import outside"},
		{"cmd/haoban", "platform/db", "cmd/haoban may not import platform/db"},
		{"cmd/demo", "outside", ""},
		{"cmd/demo", "outside/pay", "cmd/demo may not import outside/pay"},
		{"cmd/scaffold", "platform/errs", ""},
		{"cmd/scaffold", "casework/matter", "cmd/scaffold may not import casework/matter"},
		{"app", "bureau/registry", ""},
		{"app", "links/linkkit/wire", ""},
		{"app", "outside/sms", "app may not import outside/sms"},
		{"app", "story", "app imports story, which is for tests only"},
		{"app", "platform/db/dbtest", "for tests only"},
		{"matters", "matters/registry/reissue", ""},
		{"matters/registry/reissue", "links/sms", "may not import links/sms"},
		{"links/sms", "links/sms/wire", ""},
		{"links/sms", "links/pay/wire", "links/sms may not import links/pay/wire"},
		{"links/sms", "links/pay", "may not import links/pay"},
		{"links/sms/wire", "links/linkkit/wire", ""},
		{"links/sms/wire", "platform/db", "may not import platform/db"},
		{"links/linkkit/wire", "platform/gm", ""},
		{"links/linkkit/wire", "platform/codes", "may not import platform/codes"},
		{"links/linkkit", "casework", "links/linkkit may not import casework"},
		{"outside/sms", "links/sms/wire", ""},
		{"outside/sms", "links/sms", "outside/sms may not import links/sms"},
		{"outside/sms", "platform/db", "may not import platform/db"},
		{"outside/simkit", "platform/db", ""},
		{"bureau/registry", "bureau/codes", ""},
		{"bureau/registry", "bureau/registry/book", ""},
		{"bureau/registry", "bureau/permit", "bureau/registry may not import bureau/permit"},
		{"bureau/registry/book", "casework", "may not import casework"},
		{"bureau/registry/registrytest", "casework", ""},
		{"bureau/registry", "bureau/registry/registrytest", "for tests only"},
		{"casework/process", "platform/errs", ""},
		{"casework/process", "platform/db", "casework/process may not import platform/db"},
		{"casework/form", "casework/process", "may not import casework/process"},
		{"casework", "casework/matter", ""},
		{"casework", "casework/party", "casework may not import casework/party"},
		{"casework/party", "casework", ""},
		{"casework/party", "bureau/registry", "may not import bureau/registry"},
		{"platform/errs", "platform/gm", "may not import platform/gm"},
		{"platform/db", "platform/errs", ""},
		{"platform/db", "casework", "platform/db may not import casework"},
		{"platform/db/dbtest", "platform/clock", ""},
		{"web", "platform/errs", "web may not import platform/errs"},
		{"attic", "", "no line of docs/house.md names attic"},
		{"bureau/registry/a/b", "platform/db", ""},
		{"cmd/another", "", "names cmd/another"},
	} {
		got := judge(rules, tt.from, tt.to)
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s → %s: %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestRuleLanguage holds the small language to what docs/house.md says of it.
func TestRuleLanguage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, self, pkg string
		want               bool
	}{
		{"a", "", "a", true},
		{"a", "", "a/b", false},
		{"a/*", "", "a/b", true},
		{"a/*", "", "a", false},
		{"a/*", "", "a/b/c", false},
		{"a/**", "", "a", true},
		{"a/**", "", "a/b/c", true},
		{"a/**", "", "ab", false},
		{"a/*/**", "", "a/b", true},
		{"a/*/**", "", "a", false},
		{"a/{b,c}", "", "a/c", true},
		{"a/{b,c}", "", "a/d", false},
		{"a/{b,c}/*", "", "a/b/x", true},
		{"a/*test", "", "a/dbtest", true},
		{"a/*test", "", "a/testdb", false},
		{"**", "", "x/y", true},
		{"./wire", "links/tax", "links/tax/wire", true},
		{"./wire", "links/tax", "links/pay/wire", false},
		{"./**", "bureau/x", "bureau/x", true},
		{"./**", "bureau/x", "bureau/x/y", true},
		{"./**", "bureau/x", "bureau/xy", false},
	} {
		if got := match(tt.pattern, tt.self, tt.pkg); got != tt.want {
			t.Errorf("match(%q, %q, %q) = %v", tt.pattern, tt.self, tt.pkg, got)
		}
	}
	rules, err := parseRules("x\n```rules\n# note\na  b/** !b/c\na  c\nleaf\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from, to string
		good     bool
	}{
		{"a", "b", true}, {"a", "b/d", true}, {"a", "b/c", false}, {"a", "c", false},
		{"leaf", "b", false}, {"leaf", "", true}, {"other", "b", false},
	} {
		if got := judge(rules, tt.from, tt.to); (got == "") != tt.good {
			t.Errorf("%s → %s: %q", tt.from, tt.to, got)
		}
	}
	if _, err := parseRules("no rules here"); err == nil {
		t.Error("a page without rules was read")
	}
}
