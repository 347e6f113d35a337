package process

import (
	"slices"

	"haoban/platform/errs"
)

// home is the scope a token works in, as seen by 退回: key of the subprocess
// token and its node index, "" and -1 at the top. Bodies of multi-instance
// activities are passed over.
type home struct {
	key  string
	node int
}

// homes returns the scopes around token i, innermost first.
func (w *walk) homes(i int) []home {
	var out []home
	in := w.s.Tokens[i].In
	for in != "" {
		h := w.find(in)
		if h < 0 {
			break
		}
		if s := w.s.Tokens[h].Sub; s != nil && !s.Loop {
			out = append(out, home{in, w.d.byID[w.s.Tokens[h].Node]})
		}
		in = w.s.Tokens[h].In
	}
	return append(out, home{"", -1})
}

// seen returns the nodes visited in a scope.
func (w *walk) seen(h home) []string {
	if h.key == "" {
		return w.s.Visited
	}
	return w.s.Tokens[w.find(h.key)].Sub.Seen
}

// ReturnTargets lists the user tasks that the token from may be sent back to
// （退回）: visited before, in the same or an enclosing scope, and such that one
// token there can reach the end (a task between a parallel split and its join
// cannot be gone back to, unless the branch is a subprocess of its own). The
// innermost scope comes first, each in the order of the first visit.
func (d *Definition) ReturnTargets(s State, from string) []Node {
	w := walk{d: d, s: s}
	i := w.find(from)
	if i < 0 || s.Status != Running {
		return nil
	}
	var out []Node
	for _, h := range w.homes(i) {
		for _, id := range w.seen(h) {
			n := &d.nodes[d.byID[id]]
			if n.safe && n.parent == h.node && n.ID != s.Tokens[i].Node {
				out = append(out, n.public())
			}
		}
	}
	return out
}

// back carries out a Return.
func (w *walk) back(in Return) error {
	to, ok := w.d.byID[in.To]
	if !ok || w.d.nodes[to].Kind != KindUser {
		return errs.New(errs.Invalid, codeReturn, "不能退回到“"+in.To+"”：没有这个环节，或不是人办的环节")
	}
	n := &w.d.nodes[to]
	h, err := w.target(in, n)
	if err != nil {
		return err
	}
	if !slices.Contains(w.seen(h), n.ID) {
		return errs.New(errs.Invalid, codeReturn, "不能退回到“"+n.label()+"”：这件办件还没有到过这个环节")
	}
	if !n.safe {
		return errs.New(errs.Invalid, codeReturn, "不能退回到“"+n.label()+"”：它在并行分支中间，请退回到分支之前的环节")
	}
	w.cancel(func(t *Token) bool { return w.inside(t, h.key) }, WhyReturn)
	w.forget(h, n)
	w.eff = append(w.eff, Effect{Kind: Returned, Key: in.From, Node: n.ID, Name: n.Name})
	w.moves = append(w.moves, move{node: to, via: -1, in: h.key})
	return nil
}

// target finds the scope a Return means.
func (w *walk) target(in Return, n *node) (home, error) {
	if in.From != "" {
		i := w.find(in.From)
		if i < 0 {
			return home{}, errs.New(errs.Conflict, codeNoTask, "这项任务已经办完或被取消")
		}
		for _, h := range w.homes(i) {
			if h.node == n.parent {
				return h, nil
			}
		}
		return home{}, errs.New(errs.Invalid, codeReturn, "不能退回到“"+n.label()+"”：它不在本环节所在的层次里")
	}
	if n.parent < 0 {
		return home{"", -1}, nil
	}
	var hits []home
	for i := range w.s.Tokens {
		t := &w.s.Tokens[i]
		if t.Sub != nil && !t.Sub.Loop && w.d.byID[t.Node] == n.parent {
			hits = append(hits, home{t.Key, n.parent})
		}
	}
	if len(hits) != 1 {
		return home{}, errs.New(errs.Invalid, codeReturn, "请指明从哪项任务退回到“"+n.label()+"”")
	}
	return hits[0], nil
}

// forget drops from the visited nodes of scope h all that came after n.
func (w *walk) forget(h home, n *node) {
	if h.key != "" {
		i := w.find(h.key)
		sub := *w.s.Tokens[i].Sub
		sub.Seen = append([]string(nil), sub.Seen[:slices.Index(sub.Seen, n.ID)]...)
		w.s.Tokens[i].Sub = &sub
	}
	at := slices.Index(w.s.Visited, n.ID)
	if at < 0 {
		return
	}
	out := slices.Clone(w.s.Visited[:at])
	for _, id := range w.s.Visited[at:] {
		if !w.d.below(w.d.byID[id], h.node) {
			out = append(out, id)
		}
	}
	w.s.Visited = out
}

// below reports whether node i is in the subprocess node p, at any depth.
func (d *Definition) below(i, p int) bool {
	for up := d.nodes[i].parent; ; up = d.nodes[up].parent {
		if up == p {
			return true
		}
		if up < 0 {
			return false
		}
	}
}
