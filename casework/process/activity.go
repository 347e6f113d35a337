package process

import (
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/expr-lang/expr/vm"

	"haoban/platform/errs"
)

// activity opens a task or subprocess, with its instances and boundary events.
func (w *walk) activity(n *node, m move) error {
	t := Token{Key: w.key(n), Node: n.ID, In: m.in, Outcome: m.outcome, Tally: m.tally}
	if n.Multi != "" {
		items, err := w.items(n, m)
		if err != nil {
			return w.blame(n.ID, err)
		}
		if len(items) == 0 {
			w.follow(n.out[0], m.in, m.outcome, m.tally)
			return nil
		}
		t.Sub = &Scope{Loop: true, Items: items}
	}
	w.s.Tokens = append(w.s.Tokens, t)
	i := len(w.s.Tokens) - 1
	if t.Sub == nil {
		if err := w.begin(i); err != nil {
			return err
		}
	} else {
		n := 1
		if w.at(i).Multi == "parallel" {
			n = len(t.Sub.Items)
		}
		for range n {
			if err := w.spawn(i); err != nil {
				return err
			}
		}
	}
	for _, b := range n.bounds {
		bn := &w.d.nodes[b]
		w.s.Tokens = append(w.s.Tokens, Token{Key: w.key(bn), Node: bn.ID, In: m.in, On: t.Key, Outcome: m.outcome, Tally: m.tally})
		if err := w.askFacts(len(w.s.Tokens) - 1); err != nil {
			return err
		}
	}
	return nil
}

// begin starts the work of token i: asks for it, or opens the inside.
func (w *walk) begin(i int) error {
	n := w.at(i)
	if n.Kind == KindSub {
		t := &w.s.Tokens[i]
		t.Sub = &Scope{}
		w.moves = append(w.moves, move{node: n.start, via: -1, in: t.Key, outcome: t.Outcome, tally: t.Tally})
		return nil
	}
	return w.askFacts(i)
}

// spawn starts the next instance of the multi-instance body at h.
func (w *walk) spawn(h int) error {
	sub := *w.s.Tokens[h].Sub
	host := w.s.Tokens[h]
	t := Token{Key: w.key(w.at(h)), Node: host.Node, In: host.Key, Index: sub.Next}
	if w.at(h).Kind != KindSub {
		t.Outcome, t.Tally = host.Outcome, host.Tally
	}
	w.s.Tokens = append(w.s.Tokens, t)
	sub.Next++
	w.s.Tokens[h].Sub = &sub
	return w.begin(len(w.s.Tokens) - 1)
}

// instanceDone counts instance i of body h and ends the body when all are done
// or enough of them.
func (w *walk) instanceDone(i, h int) error {
	n, t := w.at(h), w.s.Tokens[i]
	sub := *w.s.Tokens[h].Sub
	sub.Done++
	sub.Tally = maps.Clone(sub.Tally)
	if t.Outcome != "" && (n.Kind == KindSub || len(n.Outcomes) > 0) {
		if sub.Tally == nil {
			sub.Tally = map[string]int{}
		}
		sub.Tally[t.Outcome]++
	}
	host := &w.s.Tokens[h]
	host.Sub, host.Tally = &sub, sub.Tally
	if t.Outcome != "" {
		host.Outcome = t.Outcome
	}
	key := host.Key
	enough := false
	if sub.Done < len(sub.Items) && n.enough != nil {
		var err error
		m := move{in: key, outcome: t.Outcome, tally: sub.Tally}
		if w.pick != nil {
			enough = w.pick.choose(2) == 1
		} else if enough, err = w.holdsFor(n.enough, m, t.Index); err != nil {
			return w.blame(n.ID, err)
		}
	}
	w.drop(i)
	switch {
	case enough:
		w.cancel(func(o *Token) bool { return w.inside(o, key) }, WhyEnough)
	case sub.Done == len(sub.Items):
	case sub.Next < len(sub.Items) && n.Multi == "sequential":
		return w.spawn(w.find(key))
	default:
		return nil
	}
	return w.done(w.find(key))
}

// items computes what a multi-instance activity is done for.
func (w *walk) items(n *node, m move) ([]any, error) {
	if w.pick != nil {
		return make([]any, w.pick.choose(3)), nil
	}
	x := n.each
	if x == nil {
		x = n.count
	}
	v, err := w.eval(x, m, -1)
	if err != nil {
		return nil, err
	}
	if v, err = plain(v); err != nil {
		return nil, err
	}
	if n.each == nil {
		f, ok := v.(float64)
		if !ok || f < 0 || f > maxInstances || f != math.Trunc(f) {
			return nil, fmt.Errorf("number of instances is %v", v)
		}
		return make([]any, int(f)), nil
	}
	if v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("collection is %T, not a list", v)
	}
	if len(list) > maxInstances {
		return nil, fmt.Errorf("collection has %d elements", len(list))
	}
	return list, nil
}

// ask is the effect by which token i asks for what it waits for, without what
// has to be computed.
func (w *walk) ask(i int) Effect {
	n, t := w.at(i), &w.s.Tokens[i]
	e := Effect{Kind: n.waits(), Key: t.Key, Node: n.ID, Name: n.Name, Boundary: t.On != ""}
	switch e.Kind {
	case CreateTask:
		e.Role, e.Assignee, e.Org = n.Role, n.Assignee, n.Org
		if n.Limit != nil {
			e.Days, e.WorkDays = n.Limit.Days, n.Limit.WorkDays
		}
	case CallService:
		e.Verb, e.Send = n.Verb, n.Kind == KindSend
	case AwaitMessage:
		e.Name = n.Message
	case SetTimer:
		e.Days, e.Duration, e.WorkDays, e.At = n.timer.span.days, n.timer.span.clock, n.timer.workDays, n.timer.at
	}
	if h := w.loopAround(t); h >= 0 {
		sub := w.s.Tokens[h].Sub
		e.Of = len(sub.Items)
		e.Index = w.indexIn(t.Key, h)
		if e.Index < len(sub.Items) {
			e.Item = sub.Items[e.Index]
		}
	}
	return e
}

// askFacts asks, with what the expressions of the node say.
func (w *walk) askFacts(i int) error {
	n := w.at(i)
	e := w.ask(i)
	t := w.s.Tokens[i]
	m := move{in: t.In, outcome: t.Outcome, tally: t.Tally}
	text := func(x *expression, into *string) error {
		if x == nil || w.pick != nil {
			return nil
		}
		v, err := w.eval(x, m, t.Index)
		if err != nil {
			return err
		}
		switch v := v.(type) {
		case nil:
			*into = ""
		case string:
			*into = v
		default:
			return fmt.Errorf("%s is %T, not a text", x.src, v)
		}
		return nil
	}
	err := errors.Join(text(n.assignee, &e.Assignee), text(n.org, &e.Org))
	if err == nil && n.due != nil && w.pick == nil {
		var sp span
		if sp, err = w.evalSpan(n.due, m, t.Index); sp.clock > 0 {
			err = errors.New("a limit is counted in days")
		}
		e.Days = sp.days
	}
	if err == nil && n.timer != nil && n.timer.expr != nil && w.pick == nil {
		if n.timer.date {
			if err = text(n.timer.expr, &e.At); err == nil {
				err = checkMoment(e.At)
			}
		} else {
			var sp span
			if sp, err = w.evalSpan(n.timer.expr, m, t.Index); sp.clock > 0 && n.timer.workDays {
				err = errors.New("working days are whole days")
			}
			e.Days, e.Duration = sp.days, sp.clock
		}
	}
	if err != nil {
		return w.blame(n.ID, err)
	}
	w.eff = append(w.eff, e)
	return nil
}

// evalSpan computes a duration: a text such as P3D, or a number of days.
func (w *walk) evalSpan(x *expression, m move, index int) (span, error) {
	v, err := w.eval(x, m, index)
	if err != nil {
		return span{}, err
	}
	if s, ok := v.(string); ok {
		return parseSpan(s)
	}
	if v, err = plain(v); err != nil {
		return span{}, err
	}
	f, ok := v.(float64)
	if !ok || f < 0 || f > maxDays || f != math.Trunc(f) {
		return span{}, fmt.Errorf("%s is %v, not a number of days", x.src, v)
	}
	return span{days: int(f)}, nil
}

// loopAround returns the innermost multi-instance body t is inside, -1 if none.
func (w *walk) loopAround(t *Token) int { return w.loopIn(t.In) }

func (w *walk) loopIn(in string) int {
	for n := 0; in != "" && n <= maxDepth*2; n++ {
		i := w.find(in)
		if i < 0 {
			return -1
		}
		if s := w.s.Tokens[i].Sub; s != nil && s.Loop {
			return i
		}
		in = w.s.Tokens[i].In
	}
	return -1
}

// indexIn returns which instance of body h the token key belongs to.
func (w *walk) indexIn(key string, h int) int {
	host := w.s.Tokens[h].Key
	for n := 0; key != "" && n <= maxDepth*2; n++ {
		i := w.find(key)
		if i < 0 {
			return 0
		}
		if w.s.Tokens[i].In == host {
			return w.s.Tokens[i].Index
		}
		key = w.s.Tokens[i].In
	}
	return 0
}

// holds evaluates a condition; a missing one holds.
func (w *walk) holds(x *expression, m move) (bool, error) { return w.holdsFor(x, m, -1) }

func (w *walk) holdsFor(x *expression, m move, index int) (bool, error) {
	if x == nil {
		return true, nil
	}
	switch x.fast {
	case fastTrue:
		return true, nil
	case fastFalse:
		return false, nil
	case fastIn, fastNotIn:
		for _, s := range x.set {
			if s == m.outcome {
				return x.fast == fastIn, nil
			}
		}
		return x.fast == fastNotIn, nil
	}
	v, err := w.eval(x, m, index)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("%s is %T, not true or false", x.src, v)
	}
	return b, nil
}

// eval runs an expression for a token in scope m.in; index overrides which
// instance it speaks of when the scope is itself a multi-instance body.
func (w *walk) eval(x *expression, m move, index int) (any, error) {
	f := facts{Outcome: m.outcome, Form: w.env.Form, Case: w.env.Case, Parties: w.env.Parties, Vars: w.s.Vars, Tally: m.tally}
	if !x.loop {
		return run(x, &f)
	}
	lf := loopFacts{Outcome: f.Outcome, Form: f.Form, Case: f.Case, Parties: f.Parties, Vars: f.Vars, Tally: f.Tally}
	if h := w.loopIn(m.in); h >= 0 {
		sub := w.s.Tokens[h].Sub
		lf.Counter = index
		if w.s.Tokens[h].Key != m.in || index < 0 {
			lf.Counter = w.indexIn(m.in, h)
		}
		if lf.Counter < len(sub.Items) {
			lf.Item = sub.Items[lf.Counter]
		}
		lf.Instances, lf.Completed = len(sub.Items), sub.Done
		lf.Active = sub.Next - sub.Done
	}
	return run(x, &lf)
}

func run(x *expression, env any) (any, error) {
	v, err := vm.Run(x.prog, env)
	if err != nil {
		return nil, errs.New(errs.Invalid, codeExpr, "表达式“"+x.src+"”算不出来："+firstLine(err))
	}
	return v, nil
}
