package form

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"haoban/platform/codes"
)

// rule is one of x-rules: expr must hold, or msg is said at path.
type rule struct {
	ID   string `json:"id"`
	Expr string `json:"expr"`
	Path string `json:"path"`
	Msg  string `json:"msg"`

	program *vm.Program
	reads   []string // top-level fields the rule looks at
}

func (b *builder) rules(root *node) []rule {
	out := make([]rule, 0, len(root.xrules))
	seen := map[string]bool{}
	for i, v := range root.xrules {
		at := "/x-rules/" + strconv.Itoa(i)
		var r rule
		if err := decodeStrict(v, &r); err != nil {
			b.refuse(at, "x-rules", "应为 {id, expr, path, msg}：%v", err)
			continue
		}
		if r.ID == "" || r.Msg == "" || seen[r.ID] {
			b.refuse(at, "x-rules", "id 不能空、不能重复，msg 不能空")
		}
		seen[r.ID] = true
		if r.Path == "" || root.at(r.Path) == nil {
			b.refuse(at, "x-rules", "没有“%s”这个字段", r.Path)
		}
		p, err := compileExpr(root, r.Expr)
		if err != nil {
			b.refuse(at, "x-rules", "表达式不对：%v", err)
			continue
		}
		r.program, r.reads = p, reads(root, p)
		out = append(out, r)
	}
	return out
}

// runRules reports the rules that do not hold. A rule over a field that is
// itself wrong waits until that is mended.
func (f *Form) runRules(data map[string]any, r *report) {
	wrong := map[string]bool{}
	for _, e := range r.out {
		wrong[top(e.Path)] = true
	}
	var env map[string]any
	for _, rl := range f.rules {
		if slices.ContainsFunc(rl.reads, func(s string) bool { return wrong[s] }) {
			continue
		}
		if env == nil {
			env = f.env(data)
		}
		v, err := expr.Run(rl.program, env)
		if holds, ok := v.(bool); err != nil || !ok || !holds {
			r.add(f.root.at(rl.Path), rl.Path, rl.ID, rl.Msg)
		}
	}
}

func top(path string) string {
	for i := range len(path) {
		if path[i] == '.' {
			return path[:i]
		}
	}
	return path
}

// compileExpr checks a yes-or-no expression against the form. It may call
//
//	share_sum(list) or share_sum(list, "field")  exact sum of the items' shares
//	shares_equal(list), shares_equal(list, "field")  every share is 1/n
//	given("path")  whether there is an answer at the path
//
// and what expr-lang brings, but no clock.
func compileExpr(root *node, code string) (*vm.Program, error) {
	env := envType(root)
	if _, taken := env["form"]; !taken {
		env["form"] = envType(root)
	}
	env["given"] = types.TypeOf(given(nil))
	opts := []expr.Option{
		expr.Env(env), expr.AsBool(),
		expr.Function("share_sum", shareSum, new(func([]any) float64), new(func([]any, string) float64)),
		expr.Function("shares_equal", sharesEqual, new(func([]any) bool), new(func([]any, string) bool)),
	}
	for _, name := range []string{"now", "date", "duration", "timezone"} {
		opts = append(opts, expr.DisableBuiltin(name))
	}
	p, err := expr.Compile(code, opts...)
	if err != nil {
		return nil, err
	}
	paths, n := &givenPaths{root: root}, p.Node()
	ast.Walk(&n, paths)
	return p, paths.err
}

// givenPaths checks the argument of given.
type givenPaths struct {
	root *node
	err  error
}

// Visit looks at one node of an expression.
func (g *givenPaths) Visit(n *ast.Node) {
	call, ok := (*n).(*ast.CallNode)
	if !ok {
		return
	}
	if id, ok := call.Callee.(*ast.IdentifierNode); !ok || id.Value != "given" {
		return
	}
	if len(call.Arguments) == 1 {
		if s, ok := call.Arguments[0].(*ast.StringNode); ok && s.Value != "" && g.root.at(s.Value) != nil {
			return
		}
	}
	g.err = fmt.Errorf("given: the form has no such path")
}

// envType is what the expression may read, by the form's own types.
func envType(n *node) types.Map {
	m := types.Map{}
	for _, c := range n.children {
		m[c.name] = typeOf(c)
	}
	return m
}

func typeOf(n *node) types.Type {
	switch n.kind {
	case "object":
		return envType(n)
	case "array":
		if n.item != nil {
			return types.Array(envType(n.item))
		}
		return types.Array(scalarType(n.leaf.Items))
	}
	return scalarType(n.kind)
}

func scalarType(kind string) types.Type {
	switch kind {
	case "integer":
		return types.Int
	case "number":
		return types.Float64
	case "boolean":
		return types.Bool
	}
	return types.String
}

// env gives an expression the answers, with "", 0, false and empty lists for
// what was not given.
func (f *Form) env(data map[string]any) map[string]any {
	m := envOf(f.root, data)
	if f.root.byName["form"] == nil {
		m["form"] = envOf(f.root, data)
	}
	m["given"] = given(func(path string) bool {
		v, ok := f.Get(data, path)
		return ok && v != ""
	})
	return m
}

type given func(path string) bool

func envOf(n *node, v any) map[string]any {
	in, _ := v.(map[string]any)
	m := make(map[string]any, len(n.children))
	for _, c := range n.children {
		m[c.name] = envValue(c, in[c.name])
	}
	return m
}

func envValue(n *node, v any) any {
	switch n.kind {
	case "object":
		return envOf(n, v)
	case "array":
		list, _ := v.([]any)
		out := make([]any, 0, len(list))
		for _, it := range list {
			if n.item != nil {
				out = append(out, envOf(n.item, it))
			} else {
				out = append(out, scalar(n.leaf.Items, it))
			}
		}
		return out
	}
	return scalar(n.kind, v)
}

func scalar(kind string, v any) any {
	switch kind {
	case "integer":
		f, _ := number(v)
		if f > math.MaxInt32*1e6 || f < -math.MaxInt32*1e6 {
			return 0
		}
		return int(f)
	case "number":
		f, _ := number(v)
		return f
	case "boolean":
		b, _ := v.(bool)
		return b
	}
	s, _ := v.(string)
	return s
}

// reads lists the top-level fields an expression looks at.
func reads(root *node, p *vm.Program) []string {
	r := &reader{root: root}
	n := p.Node()
	ast.Walk(&n, r)
	return r.names
}

type reader struct {
	root  *node
	names []string
}

// Visit notes identifiers and the paths given looks at.
func (r *reader) Visit(n *ast.Node) {
	name := ""
	switch x := (*n).(type) {
	case *ast.IdentifierNode:
		name = x.Value
	case *ast.MemberNode:
		if id, ok := x.Node.(*ast.IdentifierNode); ok && id.Value == "form" {
			if s, ok := x.Property.(*ast.StringNode); ok {
				name = s.Value
			}
		}
	case *ast.StringNode:
		name = top(x.Value)
	}
	if r.root.byName[name] != nil && !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}

func shares(params []any) (out []codes.Share, ok bool) {
	field := "share"
	if len(params) > 1 {
		field, _ = params[1].(string)
	}
	list, _ := params[0].([]any)
	for _, it := range list {
		m, _ := it.(map[string]any)
		s, _ := m[field].(string)
		sh, err := codes.ParseShare(s)
		if err != nil {
			return nil, false
		}
		out = append(out, sh)
	}
	return out, true
}

// shareSum is 1 only when the shares add up to exactly one; a share that
// cannot be read makes it -1.
func shareSum(params ...any) (any, error) {
	all, ok := shares(params)
	if !ok {
		return -1.0, nil
	}
	sum := codes.SumShares(all...)
	f, _ := sum.Float64()
	if f == 1 && sum.Cmp(big.NewRat(1, 1)) != 0 {
		f = math.Nextafter(1, float64(1+sum.Cmp(big.NewRat(1, 1))))
	}
	return f, nil
}

func sharesEqual(params ...any) (any, error) {
	all, ok := shares(params)
	return ok && codes.Equal(all...), nil
}

func decodeStrict(v any, into any) error {
	b, err := json.Marshal(plain(v))
	if err != nil {
		return err
	}
	return unmarshalStrict(b, into)
}
