package process

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/errs"
)

func modeler(t *testing.T) (*Definition, []byte) {
	t.Helper()
	src, err := os.ReadFile("testdata/modeler.bpmn")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse("modeler.bpmn", src)
	if err != nil {
		t.Fatal(err)
	}
	return d, src
}

func TestDefinition(t *testing.T) {
	t.Parallel()
	d, src := modeler(t)
	if d.ID() != "Process_1" || d.Name() != "示例登记" || d.File() != "modeler.bpmn" {
		t.Errorf("got %s %s %s", d.ID(), d.Name(), d.File())
	}
	if !bytes.Equal(d.XML(), src) {
		t.Error("the drawing is not kept as it was")
	}
	want := Node{
		ID: "Activity_review", Name: "审核", Kind: KindUser, Line: 28, Role: "reviewer", Limit: &Limit{Days: 4, WorkDays: true},
		Outcomes: []Outcome{{"pass", "通过"}, {"refuse", "不予登记"}},
	}
	got, ok := d.Node("Activity_review")
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("node: %s", diff)
	}
	if _, ok := d.Node("gone"); ok || d.Outcomes("gone") != nil {
		t.Error("a node that is not there")
	}
	got.Outcomes[0].ID = "changed"
	if d.Outcomes("Activity_review")[0].ID != "pass" {
		t.Error("a caller can change the definition")
	}
	var flows []string
	for _, f := range d.Flows() {
		flows = append(flows, f.ID+" "+f.From+" "+f.To+" "+f.Condition)
	}
	if len(flows) != 5 || flows[2] != "Flow_3 Gateway_1 Activity_enter outcome == 'pass'" || !d.Flows()[3].Default {
		t.Errorf("flows %q", flows)
	}
	if len(d.Nodes()) != 6 || !slices.Equal(d.Verbs(), []string{"registry.enter"}) || !slices.Equal(d.Roles(), []string{"reviewer"}) {
		t.Errorf("%d nodes, verbs %v, roles %v", len(d.Nodes()), d.Verbs(), d.Roles())
	}
}

func TestAwaits(t *testing.T) {
	t.Parallel()
	d, _ := modeler(t)
	s, _, err := d.Step(State{}, Start{Vars: map[string]any{"n": 1}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if !d.Awaits(s, "Activity_review#1") || d.Awaits(s, "Activity_review#2") || s.Vars["n"] != 1.0 {
		t.Errorf("state %+v", s)
	}
	if d.Done(s) || d.ReturnTargets(State{}, "x") != nil {
		t.Error("not begun is not done")
	}
}

// TestForeignState has a state of another diagram, and values JSON cannot keep.
func TestForeignState(t *testing.T) {
	t.Parallel()
	d, _ := modeler(t)
	s := State{Status: Running, Tokens: []Token{{Key: "x#1", Node: "x"}}}
	if _, _, err := d.Step(s, Complete{TaskKey: "x#1"}, Env{}); errs.CodeOf(err) != "process.state" {
		t.Errorf("got %v", err)
	}
	if _, _, err := d.Step(State{}, Start{Vars: map[string]any{"f": func() {}}}, Env{}); errs.CodeOf(err) != "process.state" {
		t.Errorf("got %v", err)
	}
	if _, _, err := d.Step(State{Status: Running}, nil, Env{}); errs.CodeOf(err) != "process.state" {
		t.Errorf("got %v", err)
	}
}

func TestExpressionShortcuts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		src  string
		fast fastKind
		yes  string // outcomes it holds for, of a b c and none
	}{
		{`true`, fastTrue, "a b c none"},
		{`not true`, fastFalse, ""},
		{`!false`, fastTrue, "a b c none"},
		{`${outcome == "a"}`, fastIn, "a"},
		{`outcome != 'a'`, fastNotIn, "b c none"},
		{`outcome in ["a", "c"]`, fastIn, "a c"},
		{`not (outcome in ["a"])`, fastNotIn, "b c none"},
		{`!(outcome != "a")`, fastIn, "a"},
		{`outcome == "a" or outcome == "b"`, fastIn, "a b"},
		{`outcome == "a" || outcome in ["b", "c"]`, fastIn, "a b c"},
		{`"a" == outcome`, slow, "a"},
		{`outcome == vars.x`, slow, ""},
		{`outcome in ["a", vars.x]`, slow, "a"},
		{`-1 < 0`, slow, "a b c none"},
		{`outcome matches "^[ab]$"`, slow, "a b"},
		{`outcome != "a" && outcome != "b"`, slow, "c none"},
	} {
		x, _, err := compile(tt.src, false, wantBool)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		var yes []string
		for _, o := range []string{"a", "b", "c", ""} {
			w := walk{d: &Definition{}, s: State{Vars: map[string]any{"x": "no"}}}
			fastOK, err := w.holds(x, move{outcome: o})
			if err != nil {
				t.Errorf("%s: %v", tt.src, err)
			}
			slowX := *x
			slowX.fast = slow
			if slowOK, err := w.holds(&slowX, move{outcome: o}); err != nil || slowOK != fastOK {
				t.Errorf("%s for %q: %v by shortcut, %v, %v by machine", tt.src, o, fastOK, slowOK, err)
			}
			if fastOK && o == "" {
				o = "none"
			}
			if fastOK {
				yes = append(yes, o)
			}
		}
		if got := strings.Join(yes, " "); got != tt.yes || x.fast != tt.fast {
			t.Errorf("%s holds for %q (%d), want %q (%d)", tt.src, got, x.fast, tt.yes, tt.fast)
		}
	}
}

func TestExpressionPaths(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`form.a.b == 1 && case.x == 2`:         "form.a.b case.x",
		`form?.a?.b == 1`:                      "form.a.b",
		`form["a"]["b c"] == vars.y`:           "form.a.b c vars.y",
		`len(form.list) > 0 && form.list[0]`:   "form.list form.list",
		`any(parties, .role == "x") && form.z`: "form.z",
		`outcome == "x"`:                       "",
	} {
		_, paths, err := compile(src, false, wantAny)
		if got := strings.Join(paths, " "); err != nil || got != want {
			t.Errorf("%s reads %q, want %q (%v)", src, got, want, err)
		}
	}
}

func TestExpressionLimits(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"", "${}", "  ", strings.Repeat("1+", 3000) + "1", `timezone("UTC")`, `values(form)`, `toPairs(form)`, "form.", "item"} {
		if _, _, err := compile(src, false, wantAny); err == nil {
			t.Errorf("%.20q compiles", src)
		}
	}
	if _, _, err := compile(`item.name == "x" && loopCounter < nrOfInstances`, true, wantBool); err != nil {
		t.Error(err)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"P0D": "0 0s", "P3D": "3 0s", "P2W": "14 0s", "PT1H": "0 1h0m0s", "PT1H30M5S": "0 1h30m5s", "PT90S": "0 1m30s",
		"": "", "P": "", "PT": "", "P1": "", "3D": "", "P1M": "", "P1Y": "", "P1DT1H": "", "P-1D": "", "P1.5D": "", "P99999D": "", " P1D": "",
	} {
		sp, err := parseSpan(src)
		got := ""
		if err == nil {
			got = fmt.Sprint(sp.days, " ", sp.clock)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", src, got, want)
		}
	}
}

// TestRunaway has a diagram whose subprocesses never wait: it is stopped.
func TestRunaway(t *testing.T) {
	t.Parallel()
	src, err := draw(`start s
xor m
sub p {
start ps
end pe
ps -> pe
}
xor g
end e
s -> m -> p -> g
g -> m if true
g -> e else`)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse("run.bpmn", src)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Step(State{}, Start{}, Env{}); errs.CodeOf(err) != "process.endless" {
		t.Errorf("got %v", err)
	}
}
