package matter

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Env is what the expressions of a matter may read: no clock, no I/O.
type Env struct {
	Form  map[string]any `expr:"form"`
	Facts map[string]any `expr:"facts"` // answers of sources, by prefill id
	Actor map[string]any `expr:"actor"` // kind, org, name of the applicant
	Case  map[string]any `expr:"case"`  // no, district, matter, openedAt
}

// Eval runs a matter's expression over env. A missing key is nil, as in a form
// that is not filled yet.
func Eval(code string, env Env) (any, error) {
	p, err := compile(code)
	if err != nil {
		return nil, err
	}
	v, err := expr.Run(p, env)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", code, err)
	}
	return v, nil
}

// True runs a boolean expression; an empty one is true.
func True(code string, env Env) (bool, error) {
	if code == "" {
		return true, nil
	}
	v, err := Eval(code, env)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("expression %q: not a yes or no", code)
	}
	return b, nil
}

// Text runs an expression that yields text; nil is "".
func Text(code string, env Env) (string, error) {
	if code == "" {
		return "", nil
	}
	v, err := Eval(code, env)
	if err != nil || v == nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}

func compile(code string) (*vm.Program, error) {
	p, err := expr.Compile(code, expr.Env(Env{}), expr.DisableBuiltin("now"))
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", code, err)
	}
	return p, nil
}

func oneOf(v string, all ...string) bool {
	for _, a := range all {
		if v == a {
			return true
		}
	}
	return false
}

// check holds the definition to what every matter owes.
func (m *Matter) check() error {
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	code := func(where, c string) {
		if c == "" {
			return
		}
		if _, err := compile(c); err != nil {
			bad("%s: %w", where, err)
		}
	}
	if m.Code == "" || m.Name == "" || m.Version < 1 {
		bad("code, name and version are owed")
	}
	if len(m.Basis) == 0 {
		bad("a legal basis is owed")
	}
	if len(m.Audience) == 0 {
		bad("audience is owed")
	}
	if !oneOf(m.Limit.Unit, "workday", "natural") {
		bad("limit.unit %q", m.Limit.Unit)
	}
	if m.Limit.Promised > m.Limit.Legal {
		bad("limit: promised %d is longer than the law's %d", m.Limit.Promised, m.Limit.Legal)
	}
	code("district", m.District)
	code("title", m.Title)
	for _, p := range m.Prefill {
		if p.Source == "" || p.Text == "" || p.ID == "" {
			bad("prefill %s: id, source and text are owed", p.ID)
		}
		code("prefill "+p.ID, p.When)
		for k, e := range p.Args {
			code("prefill "+p.ID+"."+k, e)
		}
		for path := range p.Into {
			if !m.Form.Has(path) {
				bad("prefill %s: the form has no %s", p.ID, path)
			}
		}
	}
	for _, c := range m.Checks {
		if (c.Use == "") == (c.Expr == "") {
			bad("check %s: exactly one of use and expr", c.ID)
		}
		if !oneOf(c.Verdict, "BLOCK", "CONSENT", "RISK_ACK", "MANUAL", "WARN") {
			bad("check %s: verdict %q", c.ID, c.Verdict)
		}
		for _, at := range c.At {
			if !oneOf(at, "choose", "ready", "submit", "accept", "enter") {
				bad("check %s: at %q", c.ID, at)
			}
		}
		code("check "+c.ID, c.Expr)
	}
	m.checkPapers(bad, code)
	return errors.Join(errs...)
}

func (m *Matter) checkPapers(bad func(string, ...any), code func(string, string)) {
	seen := map[string]bool{}
	for _, x := range m.Materials {
		if seen[x.Node] {
			bad("material %s twice", x.Node)
		}
		seen[x.Node] = true
		if !oneOf(x.Origin, "made", "fetched", "upload") {
			bad("material %s: origin %q", x.Node, x.Origin)
		}
		if x.Origin == "made" && m.Papers[x.Paper] == "" {
			bad("material %s: no paper %q", x.Node, x.Paper)
		}
		code("material "+x.Node, x.When)
	}
	for _, x := range m.Results {
		if m.Papers[x.Paper] == "" {
			bad("result %s: no paper %q", x.Kind, x.Paper)
		}
		code("result "+x.Kind, x.When)
		for _, f := range x.Releases {
			code("result "+x.Kind+"."+f.ID, f.Expr)
		}
	}
	for _, p := range m.Parties {
		if !oneOf(p.Kind, "person", "org") {
			bad("party %s: kind %q", p.Role, p.Kind)
		}
		for _, n := range p.Needs {
			if !oneOf(n, "face", "recording", "signature", "seal", "agree") {
				bad("party %s: need %q", p.Role, n)
			}
			if n == "recording" && len(p.Questions) == 0 {
				bad("party %s: a recording without questions", p.Role)
			}
		}
	}
	for _, f := range m.Fee.Items {
		code("fee "+f.Code, f.Amount)
	}
	if !m.Fee.Free && len(m.Fee.Items) == 0 {
		bad("fee: free, or items")
	}
}
