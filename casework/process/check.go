package process

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"haoban/platform/errs"
)

// Check applies the rules of the office to a diagram that Parse accepted and
// returns what breaks them:
//
//   - role, limit: every user task says who does it and in how many days;
//   - exhaustive: every gateway that chooses has a default flow, or its
//     conditions cover all outcomes of the tasks before it;
//   - outcome: conditions name only outcomes that some task has;
//   - name: user tasks and the outcomes of gateways can be read by people;
//   - stuck, endless: no combination of choices leads to a join that waits for
//     ever or to ever more tokens. All combinations are tried up to a bound of
//     exploreSteps steps; a diagram beyond it is not blamed.
//
// An empty result means the diagram may be published.
func (d *Definition) Check() []Problem {
	var out []Problem
	add := func(line int, id, rule, format string, args ...any) {
		out = append(out, Problem{File: d.file, Line: line, Element: id, Rule: rule, Msg: fmt.Sprintf(format, args...)})
	}
	known := map[string]bool{}
	for i := range d.nodes {
		for _, o := range d.nodes[i].Outcomes {
			known[o.ID] = true
		}
	}
	for i := range d.nodes {
		n := &d.nodes[i]
		switch n.Kind {
		case KindUser:
			if n.Role == "" && n.Assignee == "" {
				add(n.Line, n.ID, "role", "用户任务“%s”没有岗位：flowable:candidateGroups", n.label())
			}
			if n.Limit == nil {
				add(n.Line, n.ID, "limit", "用户任务“%s”没有办理期限：flowable:dueDate，如 P3D", n.label())
			}
			if n.Name == "" {
				add(n.Line, n.ID, "name", "用户任务没有名称")
			}
		case KindExclusive, KindInclusive:
			if len(n.out) > 0 && n.def < 0 && !d.exhaustive(n) {
				add(n.Line, n.ID, "exhaustive", "网关“%s”没有默认连线，条件也没有覆盖前面任务的全部办理结果", n.label())
			}
		}
	}
	for i := range d.flows {
		f := &d.flows[i]
		if f.cond == nil {
			continue
		}
		for _, s := range f.cond.set {
			if !known[s] {
				add(f.line, f.ID, "outcome", "条件里的办理结果“%s”没有任何任务给得出", s)
			}
		}
	}
	return append(out, d.explore()...)
}

// exhaustive reports whether for every outcome that can arrive at gateway n one
// of its conditions holds.
func (d *Definition) exhaustive(n *node) bool {
	arriving, ok := d.arriving(n)
	if !ok {
		arriving = nil
	}
	w := walk{d: d}
	always := func(outcome string) bool {
		for _, f := range n.out {
			x := d.flows[f].cond
			if x == nil {
				return true
			}
			if x.fast == slow {
				continue
			}
			if yes, err := w.holds(x, move{outcome: outcome}); err == nil && yes {
				return true
			}
		}
		return false
	}
	if len(arriving) == 0 {
		return always("\x00") // any outcome at all
	}
	for _, o := range arriving {
		if !always(o) {
			return false
		}
	}
	return true
}

// arriving gathers the outcomes a token can carry when it comes to n. It gives
// up (false) where a token may come with no outcome or one from outside the scope.
func (d *Definition) arriving(n *node) ([]string, bool) {
	var out []string
	ok := true
	been := make([]bool, len(d.nodes))
	var up func(i int)
	up = func(i int) {
		if been[i] {
			return
		}
		been[i] = true
		m := &d.nodes[i]
		switch {
		case len(m.Outcomes) > 0 && m.Multi == "":
			for _, o := range m.Outcomes {
				out = append(out, o.ID)
			}
			return
		case m.Kind == KindSub, m.Multi != "":
			ok = false
			return
		case m.Kind == KindBoundary:
			up(d.byID[m.On])
			ok = false // the task it sits on has not been completed
			return
		case len(m.in) == 0:
			ok = false
			return
		}
		for _, f := range m.in {
			up(d.flows[f].from)
		}
	}
	for _, f := range n.in {
		up(d.flows[f].from)
	}
	return out, ok
}

// Bounds of explore.
const (
	exploreSteps  = 20000
	exploreTokens = 60
)

// explore tries all inputs and choices from the start and reports joins that
// wait for ever and tokens without bound.
func (d *Definition) explore() []Problem {
	var out []Problem
	blame := map[string]bool{}
	report := func(id, rule, msg string) {
		if blame[rule+id] {
			return
		}
		blame[rule+id] = true
		line := 0
		if i, ok := d.byID[id]; ok {
			line = d.nodes[i].Line
		}
		out = append(out, Problem{File: d.file, Line: line, Element: id, Rule: rule, Msg: msg})
	}
	seen := map[string]bool{}
	todo := []State{{}}
	steps := 0
	try := func(s State, in Input) bool {
		o := &oracle{}
		for {
			if steps++; steps > exploreSteps {
				return false
			}
			w := walk{d: d, s: s, last: -1, pick: o}
			err := w.step(in)
			switch e, isOurs := errs.As(err); {
			case err == nil:
				w.s.Seq = 0
				d.markFired(&w.s, s, in)
				if len(w.s.Tokens) > exploreTokens {
					report(d.id, "endless", "令牌会越来越多：并行分出的路没有汇合就又走了回来")
					return false
				}
				if key := canon(w.s); !seen[key] {
					seen[key] = true
					todo = append(todo, renumber(w.s))
				}
			case isOurs && e.Code == codeStuck && len(e.Fields) > 0:
				n := &d.nodes[d.byID[e.Fields[0].Path]]
				report(n.ID, "stuck", fmt.Sprintf("“%s”会一直等不到汇合：前面的分流没有让每一路都走到这里", n.label()))
			case isOurs && e.Code == codeEndless:
				report(d.id, "endless", "流程会无休止地自己转下去")
				return false
			case errors.Is(err, errs.New(errs.Invalid, codeNoFlow, "")):
				// Blamed by the rule "exhaustive".
			}
			if !o.next() {
				return true
			}
		}
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, in := range d.inputs(s) {
			if !try(s, in) {
				return out
			}
		}
	}
	return out
}

// inputs lists one input for each thing a state waits for.
func (d *Definition) inputs(s State) []Input {
	if s.Status == NotStarted {
		return []Input{Start{}}
	}
	var out []Input
	for _, w := range d.Waits(s) {
		n := &d.nodes[d.byID[w.Node]]
		if _, fired := s.Vars[w.Node]; fired {
			continue
		}
		outcome := ""
		if len(n.Outcomes) > 0 {
			outcome = n.Outcomes[0].ID // conditions are not evaluated: one will do
		}
		switch w.Kind {
		case CreateTask:
			out = append(out, Complete{TaskKey: w.Key, Outcome: outcome})
		case CallService:
			out = append(out, ServiceDone{Key: w.Key, Outcome: outcome})
		case AwaitMessage:
			out = append(out, Message{Name: w.Name, Key: w.Key, Outcome: outcome})
		case SetTimer:
			out = append(out, Timer{Key: w.Key})
		}
	}
	return out
}

// markFired notes in next that a message that does not interrupt came, which
// explore lets happen once: nobody can say how often it comes.
func (d *Definition) markFired(next *State, before State, in Input) {
	next.Vars = before.Vars
	m, ok := in.(Message)
	if !ok {
		return
	}
	for i := range before.Tokens {
		t := &before.Tokens[i]
		if t.Key == m.Key && t.On != "" && !d.nodes[d.byID[t.Node]].Interrupting {
			next.Vars = maps.Clone(next.Vars)
			if next.Vars == nil {
				next.Vars = map[string]any{}
			}
			next.Vars[t.Node] = true
		}
	}
}

// canon names a state without its numbers, so that two states that go on alike
// have the same name.
func canon(s State) string {
	var inside func(key string) string
	one := func(t *Token) string {
		b := t.Node + ">" + t.Via
		if t.Sub != nil {
			b += fmt.Sprintf("[%d/%d/%d", t.Sub.Next, t.Sub.Done, len(t.Sub.Items)) + inside(t.Key) + "]"
		}
		var bounds []string
		for i := range s.Tokens {
			if s.Tokens[i].On == t.Key {
				bounds = append(bounds, "^"+s.Tokens[i].Node)
			}
		}
		slices.Sort(bounds)
		return b + strings.Join(bounds, "")
	}
	inside = func(key string) string {
		var parts []string
		for i := range s.Tokens {
			if t := &s.Tokens[i]; t.In == key && t.On == "" {
				parts = append(parts, one(t))
			}
		}
		slices.Sort(parts)
		return "(" + strings.Join(parts, " ") + ")"
	}
	return string(s.Status) + inside("") + strings.Join(slices.Sorted(maps.Keys(s.Vars)), " ")
}

// renumber forgets what a state carries beside its tokens and gives the keys
// small numbers again.
func renumber(s State) State {
	names := map[string]string{"": ""}
	for i := range s.Tokens {
		s.Seq++
		names[s.Tokens[i].Key] = fmt.Sprintf("%s#%d", s.Tokens[i].Node, s.Seq)
	}
	for i := range s.Tokens {
		t := &s.Tokens[i]
		t.Key, t.In, t.On = names[t.Key], names[t.In], names[t.On]
		t.Outcome, t.Tally = "", nil
	}
	s.Visited = nil
	return s
}
