package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// facts is what an expression may name.
type facts struct {
	Outcome string           `expr:"outcome"`
	Form    map[string]any   `expr:"form"`
	Case    map[string]any   `expr:"case"`
	Parties []map[string]any `expr:"parties"`
	Vars    map[string]any   `expr:"vars"`
	Tally   map[string]int   `expr:"tally"`
}

// loopFacts is what an expression in or of a multi-instance activity may name.
type loopFacts struct {
	Outcome    string           `expr:"outcome"`
	Form       map[string]any   `expr:"form"`
	Case       map[string]any   `expr:"case"`
	Parties    []map[string]any `expr:"parties"`
	Vars       map[string]any   `expr:"vars"`
	Tally      map[string]int   `expr:"tally"`
	Item       any              `expr:"item"`
	Counter    int              `expr:"loopCounter"`
	Instances  int              `expr:"nrOfInstances"`
	Active     int              `expr:"nrOfActiveInstances"`
	Completed  int              `expr:"nrOfCompletedInstances"`
	Terminated int              `expr:"nrOfTerminatedInstances"`
}

// want is the type an expression must have.
type want int

const (
	wantBool want = iota
	wantAny
)

// expression is a compiled expression. Comparisons of outcome with literals,
// by far the most frequent, are answered without the virtual machine.
type expression struct {
	src  string
	prog *vm.Program
	loop bool
	fast fastKind
	set  []string // fastIn, fastNotIn
}

type fastKind uint8

const (
	slow fastKind = iota
	fastTrue
	fastFalse
	fastIn
	fastNotIn
)

// compile checks src against the facts. What reads the clock (now), depends on
// the host (timezone) or on the order of a map (keys, values, toPairs) is not
// part of the language.
func compile(src string, inLoop bool, w want) (*expression, []string, error) {
	src, _ = bare(src)
	if src == "" {
		return nil, nil, errors.New("表达式是空的")
	}
	if len(src) > 4096 {
		return nil, nil, errors.New("表达式太长")
	}
	opts := []expr.Option{expr.Env(facts{})}
	if inLoop {
		opts = []expr.Option{expr.Env(loopFacts{})}
	}
	for _, b := range []string{"now", "timezone", "keys", "values", "toPairs"} {
		opts = append(opts, expr.DisableBuiltin(b))
	}
	if w == wantBool {
		opts = append(opts, expr.AsBool())
	}
	prog, err := expr.Compile(src, opts...)
	if err != nil {
		return nil, nil, fmt.Errorf("表达式“%s”有误：%s", src, firstLine(err))
	}
	e := &expression{src: src, prog: prog, loop: inLoop}
	tree, err := parser.Parse(src)
	if err != nil {
		return nil, nil, fmt.Errorf("表达式“%s”有误：%s", src, firstLine(err))
	}
	e.fast, e.set = shortcut(tree.Node)
	v := &pathVisitor{}
	ast.Walk(&tree.Node, v)
	return e, v.paths, nil
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// shortcut recognises true, false, outcome == "a", outcome != "a",
// outcome in ["a", "b"], their negations, and alternatives of equalities.
func shortcut(n ast.Node) (fastKind, []string) {
	switch n := n.(type) {
	case *ast.BoolNode:
		if n.Value {
			return fastTrue, nil
		}
		return fastFalse, nil
	case *ast.UnaryNode:
		if n.Operator != "not" && n.Operator != "!" {
			return slow, nil
		}
		switch k, set := shortcut(n.Node); k {
		case fastTrue:
			return fastFalse, nil
		case fastFalse:
			return fastTrue, nil
		case fastIn:
			return fastNotIn, set
		case fastNotIn:
			return fastIn, set
		}
	case *ast.BinaryNode:
		return shortcutBinary(n)
	}
	return slow, nil
}

func shortcutBinary(n *ast.BinaryNode) (fastKind, []string) {
	id, isID := n.Left.(*ast.IdentifierNode)
	switch n.Operator {
	case "==", "!=":
		lit, isLit := n.Right.(*ast.StringNode)
		if !isID || id.Value != "outcome" || !isLit {
			return slow, nil
		}
		if n.Operator == "==" {
			return fastIn, []string{lit.Value}
		}
		return fastNotIn, []string{lit.Value}
	case "in":
		arr, isArr := n.Right.(*ast.ArrayNode)
		if !isID || id.Value != "outcome" || !isArr {
			return slow, nil
		}
		var set []string
		for _, x := range arr.Nodes {
			lit, ok := x.(*ast.StringNode)
			if !ok {
				return slow, nil
			}
			set = append(set, lit.Value)
		}
		return fastIn, set
	case "or", "||":
		lk, ls := shortcut(n.Left)
		rk, rs := shortcut(n.Right)
		if lk == fastIn && rk == fastIn {
			return fastIn, append(append([]string(nil), ls...), rs...)
		}
	}
	return slow, nil
}

// pathVisitor collects dotted paths such as form.a.b.
type pathVisitor struct{ paths []string }

func (v *pathVisitor) Visit(n *ast.Node) {
	m, ok := (*n).(*ast.MemberNode)
	if !ok {
		return
	}
	if p := memberPath(m); p != "" {
		// Children are visited first: a longer path replaces the prefix it grew from.
		if k := len(v.paths) - 1; k >= 0 && strings.HasPrefix(p, v.paths[k]+".") {
			v.paths[k] = p
			return
		}
		v.paths = append(v.paths, p)
	}
}

func memberPath(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		switch n.Value {
		case "form", "case", "vars":
			return n.Value
		}
	case *ast.ChainNode:
		return memberPath(n.Node)
	case *ast.MemberNode:
		prop, ok := n.Property.(*ast.StringNode)
		if !ok {
			return ""
		}
		if up := memberPath(n.Node); up != "" {
			return up + "." + prop.Value
		}
	}
	return ""
}

// plain turns a value into what JSON would give back, so that a walk goes the
// same way before and after its state was stored.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, float64:
		return v, nil
	case int:
		return float64(v), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	return out, nil
}
