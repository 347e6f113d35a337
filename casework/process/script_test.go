package process

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"haoban/platform/errs"
)

// TestScripts plays testdata/*.txt. The commands:
//
//	draw              a diagram in the shorthand of draw; load FILE reads one
//	check             what Check finds
//	facts             {"form":…,"case":…,"parties":…}
//	start             complete NODE [OUTCOME] [JSON], message NAME [NODE],
//	timer NODE        service NODE [OUTCOME], fail NODE REASON, retry NODE,
//	return FROM TO    (退回; FROM may be -), cancel REASON
//	targets NODE      where NODE may be returned to
//	active, visited, waits, state, refs
//
// NODE is a node's id, ID[n] its n-th token, or a key. After each input come
// the effects (without entered), then the tokens. Rewrite with -rewrite, and
// read the difference.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			t.Parallel()
			p := &player{}
			datadriven.RunTest(t, f, func(t *testing.T, td *datadriven.TestData) string { return p.play(t, td) })
		})
	}
}

type player struct {
	d   *Definition
	s   State
	env Env
}

func (p *player) play(t *testing.T, td *datadriven.TestData) string {
	args := make([]string, len(td.CmdArgs))
	for i, a := range td.CmdArgs {
		args[i] = a.String()
	}
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch td.Cmd {
	case "draw":
		src, err := draw(td.Input)
		if err != nil {
			t.Fatal(err)
		}
		return p.load("t.bpmn", src)
	case "xml":
		return p.load("t.bpmn", []byte(head+td.Input+"\n</definitions>"))
	case "load":
		src, err := os.ReadFile(filepath.Join("testdata", arg(0)))
		if err != nil {
			t.Fatal(err)
		}
		return p.load(arg(0), src)
	case "facts":
		p.env = Env{}
		if err := json.Unmarshal([]byte(td.Input), &p.env); err != nil {
			t.Fatal(err)
		}
		return ""
	case "check":
		var b strings.Builder
		for _, pr := range p.d.Check() {
			fmt.Fprintf(&b, "%s %s: %s\n", pr.Element, pr.Rule, pr.Msg)
		}
		if b.Len() == 0 {
			return "ok\n"
		}
		return b.String()
	case "targets":
		var ids []string
		for _, n := range p.d.ReturnTargets(p.s, p.key(arg(0))) {
			ids = append(ids, n.ID)
		}
		return strings.Join(ids, " ") + "\n"
	case "active":
		return strings.Join(p.d.Active(p.s), " ") + "\n"
	case "visited":
		return strings.Join(p.d.Visited(p.s), " ") + "\n"
	case "waits":
		var b strings.Builder
		for _, w := range p.d.Waits(p.s) {
			fmt.Fprintf(&b, "%+v\n", w)
		}
		return b.String()
	case "refs":
		var b strings.Builder
		for _, r := range p.d.Refs() {
			fmt.Fprintf(&b, "%s %s\n", r.Element, r.Path)
		}
		return b.String()
	case "state":
		b, err := json.Marshal(p.s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b) + "\n"
	}
	return p.step(t, p.input(t, td, arg))
}

func (p *player) load(name string, src []byte) string {
	d, err := Parse(name, src)
	p.s, p.env = State{}, Env{}
	if err != nil {
		p.d = nil
		return problem(err)
	}
	p.d = d
	return fmt.Sprintf("%d nodes, %d flows\n", len(d.nodes), len(d.flows))
}

func problem(err error) string {
	e, ok := errs.As(err)
	if !ok {
		return "UNCLASSIFIED " + err.Error() + "\n"
	}
	s := fmt.Sprintf("%s: %s\n", e.Code, e.Msg)
	for _, f := range e.Fields {
		s += fmt.Sprintf("  %s (%s) %s\n", f.Path, f.Rule, f.Msg)
	}
	if e.Err != nil {
		s += "  " + e.Err.Error() + "\n"
	}
	return s
}

func (p *player) input(t *testing.T, td *datadriven.TestData, arg func(int) string) Input {
	var vars map[string]any
	if td.Input != "" {
		if err := json.Unmarshal([]byte(td.Input), &vars); err != nil {
			t.Fatal(err)
		}
	}
	switch td.Cmd {
	case "start":
		return Start{Vars: vars}
	case "complete":
		return Complete{TaskKey: p.key(arg(0)), Outcome: arg(1), Vars: vars}
	case "message":
		m := Message{Name: arg(0), Vars: vars, Outcome: arg(2)}
		if arg(1) != "" && arg(1) != "-" {
			m.Key = p.key(arg(1))
		}
		return m
	case "timer":
		return Timer{Key: p.key(arg(0))}
	case "service":
		return ServiceDone{Key: p.key(arg(0)), Outcome: arg(1), Vars: vars}
	case "fail":
		return ServiceFailed{Key: p.key(arg(0)), Reason: arg(1), Vars: vars}
	case "retry":
		return Retry{Key: p.key(arg(0))}
	case "return":
		if arg(0) == "-" {
			return Return{To: arg(1)}
		}
		return Return{From: p.key(arg(0)), To: arg(1)}
	case "cancel":
		return Cancel{Reason: arg(0)}
	}
	t.Fatalf("%s: what is %s", td.Pos, td.Cmd)
	return nil
}

// key finds the token a script means.
func (p *player) key(name string) string {
	n := 0
	if i := strings.IndexByte(name, '['); i > 0 {
		if _, err := fmt.Sscanf(name[i:], "[%d]", &n); err != nil {
			return name
		}
		name = name[:i]
	}
	for _, w := range p.d.Waits(p.s) {
		if w.Node == name {
			if n == 0 {
				return w.Key
			}
			n--
		}
	}
	return name
}

// step feeds one input, and again to the state as JSON gives it back.
func (p *player) step(t *testing.T, in Input) string {
	before := through(t, p.s)
	next, eff, err := p.d.Step(p.s, in, p.env)
	if diff := cmp.Diff(before, p.s); diff != "" {
		t.Fatalf("Step changed its input: %s", diff)
	}
	again, eff2, err2 := p.d.Step(before, in, p.env)
	if !reflect.DeepEqual(next, again) || !reflect.DeepEqual(eff, eff2) || fmt.Sprint(err) != fmt.Sprint(err2) {
		t.Fatalf("another walk after JSON: %s %s", cmp.Diff(next, again), cmp.Diff(eff, eff2))
	}
	if !reflect.DeepEqual(next, through(t, next)) {
		t.Fatalf("state changes in JSON: %s", cmp.Diff(next, through(t, next)))
	}
	if err != nil {
		return problem(err)
	}
	p.s = next
	var b strings.Builder
	for _, e := range eff {
		if e.Kind != Entered {
			b.WriteString(effectText(e) + "\n")
		}
	}
	b.WriteString(tokensText(next))
	return b.String()
}

func through(t *testing.T, s State) State {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out State
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func effectText(e Effect) string {
	s := string(e.Kind)
	add := func(k, v string) {
		if v != "" {
			s += " " + k + v
		}
	}
	add("", e.Flow)
	add("", e.Key)
	if e.Key == "" {
		add("", e.Node)
	}
	add("", e.Name)
	add("role=", e.Role)
	add("for=", e.Assignee)
	add("org=", e.Org)
	add("verb=", e.Verb)
	if e.Kind == CreateTask && e.Days > 0 || e.Kind == SetTimer && e.Days > 0 {
		s += fmt.Sprintf(" %dd", e.Days)
		if e.WorkDays {
			s += "(work)"
		}
	}
	if e.Duration > 0 {
		s += " " + e.Duration.String()
	}
	add("at=", e.At)
	if e.Of > 0 {
		s += fmt.Sprintf(" %d/%d", e.Index+1, e.Of)
		if e.Item != nil {
			s += fmt.Sprintf(" item=%v", e.Item)
		}
	}
	if e.Boundary {
		s += " boundary"
	}
	if e.Send {
		s += " send"
	}
	if e.Terminate {
		s += " terminate"
	}
	add("why=", e.Why)
	return s
}

func tokensText(s State) string {
	if len(s.Tokens) == 0 {
		return "tokens: none, " + string(s.Status) + "\n"
	}
	var parts []string
	for _, t := range s.Tokens {
		x := t.Key
		if t.In != "" {
			x += " in " + t.In
		}
		if t.On != "" {
			x += " on " + t.On
		}
		if t.Via != "" {
			x += " via " + t.Via
		}
		if t.Failed != "" {
			x += " failed"
		}
		if t.Sub != nil && t.Sub.Loop {
			x += fmt.Sprintf(" %d of %d done", t.Sub.Done, len(t.Sub.Items))
		}
		parts = append(parts, x)
	}
	return "tokens: " + strings.Join(parts, ", ") + "\n"
}
