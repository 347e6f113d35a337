package process

import (
	"fmt"
	"slices"

	"haoban/platform/errs"
)

// run moves tokens until all wait or the walk is over.
func (w *walk) run() error {
	if w.s.Status != Running {
		return nil
	}
	for {
		for w.head < len(w.moves) {
			m := w.moves[w.head]
			w.head++
			if w.count++; w.count > maxMoves || len(w.s.Tokens) > maxTokens {
				return errs.New(errs.Internal, codeEndless, "流程走了太多步还没有停下，请联系管理员检查流程图")
			}
			if err := w.enter(m); err != nil {
				return err
			}
		}
		w.moves, w.head = w.moves[:0], 0
		again, err := w.settle()
		if err != nil {
			return err
		}
		if !again {
			break
		}
	}
	if len(w.s.Tokens) == 0 {
		w.s.Status = Over
		e := Effect{Kind: Ended, Terminate: w.killed}
		if w.last >= 0 {
			e.Node, e.Name = w.d.nodes[w.last].ID, w.d.nodes[w.last].Name
		}
		w.eff = append(w.eff, e)
		return nil
	}
	join := 0
	for i := range w.s.Tokens {
		if w.d.waitKind(&w.s.Tokens[i]) != "" {
			return nil
		}
		if w.s.Tokens[i].Via != "" {
			join = i
		}
	}
	return errs.New(errs.Internal, codeStuck, "流程在“"+w.at(join).label()+"”汇合不了，请联系管理员检查流程图").
		With(w.s.Tokens[join].Node, "stuck", "有一路永远到不了这个汇合点")
}

// settle looks, once all tokens rest, for subprocesses whose inside is done and
// inclusive joins that nothing more can reach. It reports whether anything moved.
func (w *walk) settle() (bool, error) {
	if w.d.subs {
		for i := len(w.s.Tokens) - 1; i >= 0; i-- {
			t := &w.s.Tokens[i]
			if t.Sub == nil || t.Sub.Loop || w.populated(t.Key) {
				continue
			}
			return true, w.done(i)
		}
	}
	for _, j := range w.d.inclusive {
		if fired, err := w.joinInclusive(&w.d.nodes[j]); fired || err != nil {
			return fired, err
		}
	}
	return false, nil
}

func (w *walk) populated(key string) bool {
	for i := range w.s.Tokens {
		if w.s.Tokens[i].In == key {
			return true
		}
	}
	return false
}

// visit notes that node n was reached in scope in.
func (w *walk) visit(n *node, in string) {
	w.eff = append(w.eff, n.entered)
	if !slices.Contains(w.s.Visited, n.ID) {
		w.s.Visited = append(w.s.Visited[:len(w.s.Visited):len(w.s.Visited)], n.ID)
	}
	if in == "" || n.Kind != KindUser {
		return
	}
	if h := w.find(in); h >= 0 && !slices.Contains(w.s.Tokens[h].Sub.Seen, n.ID) {
		sub := *w.s.Tokens[h].Sub
		sub.Seen = append(sub.Seen[:len(sub.Seen):len(sub.Seen)], n.ID)
		w.s.Tokens[h].Sub = &sub
	}
}

// enter lets a token arrive.
func (w *walk) enter(m move) error {
	n := &w.d.nodes[m.node]
	w.visit(n, m.in)
	switch n.Kind {
	case KindStart:
		w.follow(n.out[0], m.in, m.outcome, m.tally)
	case KindEnd:
		w.end(n, m)
	case KindExclusive:
		return w.choose(n, m)
	case KindParallel:
		w.parallel(n, m)
	case KindInclusive:
		if len(n.in) > 1 {
			w.put(n, m)
			return nil
		}
		return w.split(n, m)
	case KindCatch:
		i := w.put(n, m)
		w.s.Tokens[i].Via = ""
		return w.askFacts(i)
	default:
		return w.activity(n, m)
	}
	return nil
}

// put parks a token at n and returns its position.
func (w *walk) put(n *node, m move) int {
	t := Token{Key: w.key(n), Node: n.ID, In: m.in, Outcome: m.outcome, Tally: m.tally}
	if m.via >= 0 && len(n.in) > 1 {
		t.Via = w.d.flows[m.via].ID
	}
	w.s.Tokens = append(w.s.Tokens, t)
	return len(w.s.Tokens) - 1
}

// end takes a token away. A terminate end event clears its scope.
func (w *walk) end(n *node, m move) {
	if n.Terminate {
		left := w.moves[:w.head]
		for _, o := range w.moves[w.head:] {
			if !w.within(o.in, m.in) {
				left = append(left, o)
			}
		}
		w.moves = left
		w.cancel(func(t *Token) bool { return w.inside(t, m.in) }, WhyTerminate)
	}
	if m.in == "" {
		w.last, w.killed = n.idx, n.Terminate
		return
	}
	if h := w.find(m.in); h >= 0 {
		w.s.Tokens[h].Outcome, w.s.Tokens[h].Tally = m.outcome, m.tally
	}
}

// choose takes the first flow whose condition holds, or the default.
func (w *walk) choose(n *node, m move) error {
	if w.pick != nil && len(n.out) > 1 {
		w.follow(n.out[w.pick.choose(len(n.out))], m.in, m.outcome, m.tally)
		return nil
	}
	for _, f := range n.out {
		if f == n.def {
			continue
		}
		ok, err := w.holds(w.d.flows[f].cond, m)
		if err != nil {
			return w.blame(w.d.flows[f].ID, err)
		}
		if ok {
			w.follow(f, m.in, m.outcome, m.tally)
			return nil
		}
	}
	if n.def < 0 {
		return w.noFlow(n)
	}
	w.follow(n.def, m.in, m.outcome, m.tally)
	return nil
}

func (w *walk) noFlow(n *node) error {
	return errs.New(errs.Invalid, codeNoFlow, fmt.Sprintf("“%s”没有一条出路的条件成立", n.label()))
}

// blame says which element's expression failed.
func (w *walk) blame(id string, err error) error {
	return errs.New(errs.Invalid, codeExpr, "流程条件 "+id+" 算不出来，请核对表单或联系管理员").Wrap(err)
}

// split is the outgoing side of an inclusive gateway: every flow whose
// condition holds, or else the default.
func (w *walk) split(n *node, m move) error {
	took := false
	if w.pick != nil && len(n.out) > 1 {
		k := min(len(n.out), 10)
		set := w.pick.choose(1<<k-1) + 1
		for i, f := range n.out[:k] {
			if set&(1<<i) != 0 {
				w.follow(f, m.in, m.outcome, m.tally)
			}
		}
		return nil
	}
	for _, f := range n.out {
		if f == n.def {
			continue
		}
		ok, err := w.holds(w.d.flows[f].cond, m)
		if err != nil {
			return w.blame(w.d.flows[f].ID, err)
		}
		if ok {
			took = true
			w.follow(f, m.in, m.outcome, m.tally)
		}
	}
	if took {
		return nil
	}
	if n.def < 0 {
		return w.noFlow(n)
	}
	w.follow(n.def, m.in, m.outcome, m.tally)
	return nil
}

// parallel waits for one token on each incoming flow, then goes on by all.
func (w *walk) parallel(n *node, m move) {
	if len(n.in) > 1 {
		w.put(n, m)
		for _, f := range n.in {
			if w.parked(n, f, m.in) < 0 {
				return
			}
		}
		for _, f := range n.in {
			w.drop(w.parked(n, f, m.in))
		}
	}
	for _, f := range n.out {
		w.follow(f, m.in, m.outcome, m.tally)
	}
}

// parked returns the first token of scope in that waits at join n, having come by f.
func (w *walk) parked(n *node, f int, in string) int {
	for i := range w.s.Tokens {
		t := &w.s.Tokens[i]
		if t.Node == n.ID && t.In == in && t.Via == w.d.flows[f].ID {
			return i
		}
	}
	return -1
}

// joinInclusive fires join n if a token waits there and no other token of the
// scope can still come by a flow that has none, unless it could also come by
// one that has (BPMN 2.0, 13.4.3). It reports whether it fired.
func (w *walk) joinInclusive(n *node) (bool, error) {
	for i := range w.s.Tokens {
		if w.s.Tokens[i].Node != n.ID {
			continue
		}
		in := w.s.Tokens[i].In
		if w.ready(n, in) {
			return true, w.fireInclusive(n, in)
		}
	}
	return false, nil
}

func (w *walk) ready(n *node, in string) bool {
	var full uint64
	for k, f := range n.in {
		if w.parked(n, f, in) >= 0 {
			full |= 1 << k
		}
	}
	for i := range w.s.Tokens {
		t := &w.s.Tokens[i]
		if t.In != in || t.Node == n.ID || t.On != "" {
			continue
		}
		set := n.reach[w.d.byID[t.Node]]
		if set&^full != 0 && set&full == 0 {
			return false
		}
	}
	return true
}

// fireInclusive takes one token of each flow that has one and goes on with what
// the newest of them carries.
func (w *walk) fireInclusive(n *node, in string) error {
	m := move{node: n.idx, via: -1, in: in}
	newest := -1
	for _, f := range n.in {
		if i := w.parked(n, f, in); i > newest {
			newest, m.outcome, m.tally = i, w.s.Tokens[i].Outcome, w.s.Tokens[i].Tally
		}
	}
	for _, f := range n.in {
		if i := w.parked(n, f, in); i >= 0 {
			w.drop(i)
		}
	}
	return w.split(n, m)
}
