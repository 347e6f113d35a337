package process

// link resolves references between elements and compiles conditions.
func (r *reader) link() {
	d := r.d
	for i := range d.flows {
		r.linkFlow(&d.flows[i])
	}
	if len(r.problems) > 0 {
		return
	}
	for i := range d.nodes {
		n, e := &d.nodes[i], r.el[i]
		if n.Kind == KindBoundary {
			r.linkBoundary(n, e)
		}
		if def := e.attr("default"); def != "" {
			r.linkDefault(n, e, def)
		}
		if n.Kind == KindInclusive && len(n.in) > 1 {
			d.inclusive = append(d.inclusive, i)
		}
	}
	for _, k := range r.lanes {
		if e, ok := r.ids[trimmed(k)]; !ok || e.tag == "sequenceFlow" {
			r.refuse(k, "reference", "泳道里的 %s 不在流程图里", trimmed(k))
		}
	}
	for i := range d.flows {
		f := &d.flows[i]
		if f.Condition == "" {
			continue
		}
		e := r.ids[f.ID]
		from := &d.nodes[f.from]
		switch {
		case from.Kind != KindExclusive && from.Kind != KindInclusive:
			r.refuse(e, "condition", "条件只能写在排他网关或包容网关引出的连线上")
			continue
		case f.Default:
			r.refuse(e, "condition", "默认连线不能再写条件")
			continue
		}
		src, paths, err := compile(f.Condition, r.looped(from.parent), wantBool)
		if err != nil {
			r.refuse(e, "expression", "%s", err)
			continue
		}
		f.cond = src
		f.Condition = src.src
		r.ref(f.ID, paths)
	}
}

func trimmed(e *elem) string {
	s, _ := bare(e.text)
	return s
}

func (r *reader) linkFlow(f *flow) {
	d, e := r.d, r.ids[f.ID]
	from, ok := d.byID[f.From]
	if !ok {
		r.refuse(e, "reference", "连线的起点 %s 不存在", f.From)
		return
	}
	to, ok := d.byID[f.To]
	if !ok {
		r.refuse(e, "reference", "连线的终点 %s 不存在", f.To)
		return
	}
	if d.nodes[from].parent != d.nodes[to].parent {
		r.refuse(e, "flow", "连线不能穿过子流程的边界")
		return
	}
	f.from, f.to = from, to
	d.nodes[from].out = append(d.nodes[from].out, f.idx)
	d.nodes[to].in = append(d.nodes[to].in, f.idx)
}

func (r *reader) linkBoundary(n *node, e *elem) {
	on, ok := r.d.byID[n.On]
	if !ok {
		r.refuse(e, "reference", "边界事件附着的 %s 不存在", n.On)
		return
	}
	host := &r.d.nodes[on]
	switch host.Kind {
	case KindUser, KindService, KindSend, KindReceive, KindSub:
	default:
		r.refuse(e, "boundary", "边界事件只能附着在任务或子流程上")
	}
	if host.parent != n.parent {
		r.refuse(e, "boundary", "边界事件要和它附着的任务在同一层")
	}
	host.bounds = append(host.bounds, n.idx)
}

func (r *reader) linkDefault(n *node, e *elem, def string) {
	for _, f := range n.out {
		if r.d.flows[f].ID == def {
			n.def = f
			r.d.flows[f].Default = true
			return
		}
	}
	r.refuse(e, "reference", "默认连线 %s 不是它引出的", def)
}

// structure checks what a walk relies on, and prepares what it looks up.
func (r *reader) structure() {
	d := r.d
	for i := range d.nodes {
		r.degree(&d.nodes[i])
	}
	if len(r.problems) > 0 {
		return
	}
	r.reachable()
	r.busyLoops()
	if len(r.problems) > 0 {
		return
	}
	for j := range d.nodes {
		if len(d.nodes[j].in) > maxIncoming {
			r.refuse(r.el[j], "flow", "汇入的连线太多")
			return
		}
	}
	for _, j := range d.inclusive {
		d.nodes[j].reach = d.reach(j)
	}
	d.markSafe()
}

// degree checks the number of arrows of a node.
func (r *reader) degree(n *node) {
	e, in, out := r.el[n.idx], len(n.in), len(n.out)
	switch n.Kind {
	case KindStart:
		if in > 0 {
			r.refuse(e, "flow", "开始事件不能有汇入的连线")
		}
	case KindBoundary:
		if in > 0 {
			r.refuse(e, "flow", "边界事件不能有汇入的连线")
		}
	default:
		if in == 0 {
			r.refuse(e, "flow", "没有连线通到这里")
		}
	}
	switch n.Kind {
	case KindEnd:
		if out > 0 {
			r.refuse(e, "flow", "结束事件不能有引出的连线")
		}
	case KindExclusive, KindInclusive:
		if out == 0 {
			r.refuse(e, "flow", "没有引出的连线，路径没有走到结束事件")
		}
		if out > 1 {
			for _, f := range n.out {
				if d := &r.d.flows[f]; d.cond == nil && !d.Default {
					r.refuse(r.ids[d.ID], "condition", "网关 %s 有多条出路，这条连线既无条件也不是默认", n.ID)
				}
			}
		}
	case KindParallel:
		if out == 0 {
			r.refuse(e, "flow", "没有引出的连线，路径没有走到结束事件")
		}
	default:
		switch {
		case out == 0:
			r.refuse(e, "flow", "没有引出的连线，路径没有走到结束事件")
		case out > 1:
			r.refuse(e, "flow", "引出了 %d 条连线：分流请用网关画明", out)
		}
	}
}

// reachable refuses nodes that no walk reaches and nodes from which no end
// event is reached.
func (r *reader) reachable() {
	d := r.d
	fwd := make([]bool, len(d.nodes))
	var walk func(int)
	walk = func(i int) {
		if fwd[i] {
			return
		}
		fwd[i] = true
		n := &d.nodes[i]
		if n.start >= 0 {
			walk(n.start)
		}
		for _, b := range n.bounds {
			walk(b)
		}
		for _, f := range n.out {
			walk(d.flows[f].to)
		}
	}
	walk(d.start)
	back := make([]bool, len(d.nodes))
	var rev func(int)
	rev = func(i int) {
		if back[i] {
			return
		}
		back[i] = true
		for _, f := range d.nodes[i].in {
			rev(d.flows[f].from)
		}
	}
	for i := range d.nodes {
		if d.nodes[i].Kind == KindEnd {
			rev(i)
		}
	}
	for i := range d.nodes {
		switch {
		case !fwd[i]:
			r.refuse(r.el[i], "unreachable", "从开始事件走不到这里")
		case !back[i]:
			r.refuse(r.el[i], "endless", "从这里走不到结束事件")
		}
	}
}

// busyLoops refuses circles in which nothing ever waits: nothing could change
// between two rounds.
func (r *reader) busyLoops() {
	d := r.d
	const (
		white = iota
		grey
		black
	)
	mark := make([]uint8, len(d.nodes))
	var walk func(int)
	walk = func(i int) {
		mark[i] = grey
		for _, f := range d.nodes[i].out {
			to := d.flows[f].to
			if d.nodes[to].waits() != "" || d.nodes[to].Kind == KindSub {
				continue
			}
			switch mark[to] {
			case grey:
				r.refuse(r.ids[d.flows[f].ID], "busy", "这条回路上没有任何任务或等待，会无休止地转")
			case white:
				walk(to)
			}
		}
		mark[i] = black
	}
	for i := range d.nodes {
		if mark[i] == white {
			walk(i)
		}
	}
}

// next lists the nodes a token at i can go to next, with its boundary events.
func (d *Definition) next(i int, visit func(to int, flow int)) {
	for _, f := range d.nodes[i].out {
		visit(d.flows[f].to, f)
	}
	for _, b := range d.nodes[i].bounds {
		for _, f := range d.nodes[b].out {
			visit(d.flows[f].to, f)
		}
	}
}

// reach computes for join j and each node the set of flows into j that a token
// at the node can still come by, without passing j.
func (d *Definition) reach(j int) []uint64 {
	pos := map[int]int{}
	for k, f := range d.nodes[j].in {
		pos[f] = k
	}
	out := make([]uint64, len(d.nodes))
	for changed := true; changed; {
		changed = false
		for i := len(d.nodes) - 1; i >= 0; i-- {
			if d.nodes[i].parent != d.nodes[j].parent || i == j {
				continue
			}
			set := out[i]
			d.next(i, func(to, f int) {
				if to == j {
					set |= 1 << pos[f]
				} else {
					set |= out[to]
				}
			})
			if set != out[i] {
				out[i], changed = set, true
			}
		}
	}
	return out
}

// markSafe finds the user tasks a walk can be sent back to with one token: no
// parallel join ahead needs a flow that this token can only bring by passing
// the join itself.
func (d *Definition) markSafe() {
	for i := range d.nodes {
		d.nodes[i].safe = d.nodes[i].Kind == KindUser
	}
	for j := range d.nodes {
		if d.nodes[j].Kind != KindParallel || len(d.nodes[j].in) < 2 {
			continue
		}
		all := uint64(1)<<len(d.nodes[j].in) - 1
		for i, set := range d.reach(j) {
			if set != 0 && set != all {
				d.nodes[i].safe = false
			}
		}
	}
}
