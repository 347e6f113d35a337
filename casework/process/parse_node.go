package process

import (
	"regexp"
	"strconv"
	"strings"
)

func (r *reader) gateway(e *elem, parent int) {
	r.add(e, parent)
	switch e.tag {
	case "parallelGateway":
		r.attrs(e, "gatewayDirection")
	default:
		r.attrs(e, "gatewayDirection default")
	}
	r.arrows(e)
}

// arrows handles the children of a node that only names its arrows, which are
// read from the sequence flows.
func (r *reader) arrows(e *elem) {
	for _, k := range e.kids {
		if k.space == nsBPMN && (k.tag == "incoming" || k.tag == "outgoing") {
			continue
		}
		r.common(k)
	}
}

func (r *reader) event(e *elem, parent int) int {
	i := r.add(e, parent)
	n := &r.d.nodes[i]
	if n.Kind == KindBoundary {
		r.attrs(e, "attachedToRef cancelActivity")
		n.On = e.attr("attachedToRef")
		n.Interrupting = e.attr("cancelActivity") != "false"
	} else {
		r.attrs(e, "")
	}
	var defs []*elem
	for _, k := range e.kids {
		if k.space == nsBPMN {
			if k.tag == "incoming" || k.tag == "outgoing" {
				continue
			}
			if strings.HasSuffix(k.tag, "EventDefinition") {
				defs = append(defs, k)
				continue
			}
		}
		r.common(k)
	}
	if len(defs) > 1 {
		r.refuse(e, "event", "一个事件只能有一种触发方式")
		return i
	}
	if len(defs) == 0 {
		if n.Kind == KindCatch || n.Kind == KindBoundary {
			r.refuse(e, "event", "没有写明等什么：请加定时或消息定义")
		}
		return i
	}
	def := defs[0]
	r.id(def)
	switch {
	case def.tag == "terminateEventDefinition" && n.Kind == KindEnd:
		r.attrs(def, "")
		r.onlyCommon(def)
		n.Terminate = true
	case def.tag == "timerEventDefinition" && (n.Kind == KindCatch || n.Kind == KindBoundary):
		r.timer(e, def, i)
	case def.tag == "messageEventDefinition" && (n.Kind == KindCatch || n.Kind == KindBoundary):
		r.attrs(def, "messageRef haoban:message")
		r.onlyCommon(def)
		n.Message = r.messageName(def, def)
	default:
		if n.Kind == KindStart {
			r.refuse(def, "element", "元素 <%s>：开始事件只支持无触发方式，办件由申请启动", def.tag)
			return i
		}
		if n.Kind == KindEnd {
			r.refuse(def, "element", "元素 <%s>：结束事件只支持普通和终止(terminate)", def.tag)
			return i
		}
		r.unknown(def)
	}
	return i
}

func (r *reader) messageName(e, def *elem) string {
	own, ref := def.attrNS(nsHaoban, "message"), def.attr("messageRef")
	if own != "" && ref != "" {
		r.refuse(e, "message", "messageRef 和 haoban:message 只能写一个")
		return own
	}
	if own != "" {
		return own
	}
	if ref == "" {
		r.refuse(e, "message", "没有写明等哪个消息：messageRef 或 haoban:message")
		return ""
	}
	if i := strings.LastIndexByte(ref, ':'); i >= 0 {
		ref = ref[i+1:] // a QName with the prefix of the target namespace
	}
	name, ok := r.messages[ref]
	if !ok {
		r.refuse(e, "message", "消息 %s 没有定义", ref)
	}
	return name
}

func (r *reader) timer(e, def *elem, i int) {
	r.attrs(def, "haoban:unit")
	n := &r.d.nodes[i]
	t := &timer{}
	found := 0
	unit := def.attrNS(nsHaoban, "unit")
	for _, k := range def.kids {
		if k.space != nsBPMN || (k.tag != "timeDuration" && k.tag != "timeDate") {
			r.common(k)
			continue
		}
		found++
		r.attrs(k, "haoban:unit")
		r.onlyCommon(k)
		if u := k.attrNS(nsHaoban, "unit"); u != "" {
			unit = u
		}
		t.date = k.tag == "timeDate"
		n.Timer = strings.TrimSpace(k.text)
	}
	if found != 1 {
		r.refuse(e, "timer", "定时要写一个 timeDuration 或 timeDate")
		return
	}
	t.workDays = r.unit(e, unit, false)
	if t.date && unit != "" {
		r.refuse(e, "timer", "日期不用写 haoban:unit")
	}
	if _, isExpr := bare(n.Timer); isExpr {
		t.expr = r.compile(e, i, n.Timer, wantAny)
	} else if t.date {
		if err := checkMoment(n.Timer); err != nil {
			r.refuse(e, "timer", "%s", err)
		}
		t.at = n.Timer
	} else {
		sp, err := parseSpan(n.Timer)
		if err != nil {
			r.refuse(e, "timer", "%s", err)
		} else if t.workDays && sp.clock > 0 {
			r.refuse(e, "timer", "工作日只能数整天：%s", n.Timer)
		}
		t.span = sp
	}
	r.d.nodes[i].timer = t
}

// unit reads haoban:unit: workday or natural.
func (r *reader) unit(e *elem, unit string, byDefault bool) bool {
	switch unit {
	case "":
		return byDefault
	case "workday":
		return true
	case "natural":
		return false
	}
	r.refuse(e, "attribute", "haoban:unit 只能是 workday（工作日）或 natural（自然日），不是“%s”", unit)
	return byDefault
}

// compile compiles src for node i and refuses what does not compile.
func (r *reader) compile(e *elem, i int, src string, w want) *expression {
	x, paths, err := compile(src, r.looped(i), w)
	if err != nil {
		r.refuse(e, "expression", "%s", err)
		return nil
	}
	r.ref(r.d.nodes[i].ID, paths)
	return x
}

func (r *reader) ref(id string, paths []string) {
	for _, p := range paths {
		r.d.refs = append(r.d.refs, Ref{Element: id, Path: p})
	}
}

// looped reports whether node i is, or is in, a multi-instance activity.
func (r *reader) looped(i int) bool {
	for ; i >= 0; i = r.d.nodes[i].parent {
		if r.d.nodes[i].Multi != "" {
			return true
		}
	}
	return false
}

func (r *reader) task(e *elem, parent int) {
	i := r.add(e, parent)
	n := &r.d.nodes[i]

	switch n.Kind {
	case KindUser:
		r.attrs(e, "implementation flowable:candidateGroups flowable:assignee flowable:dueDate haoban:org haoban:unit haoban:outcomes")
	case KindService, KindSend:
		r.attrs(e, "implementation flowable:expression haoban:verb haoban:outcomes")
		r.verb(e, n)
	case KindReceive:
		r.attrs(e, "implementation messageRef haoban:message haoban:outcomes")
		n.Message = r.messageName(e, e)
	}
	switch impl := e.attr("implementation"); impl {
	case "", "##unspecified", "##WebService":
	default:
		r.refuse(e, "attribute", "属性 implementation：不支持 %s，服务任务用 haoban:verb 写明动作", impl)
	}
	r.outcomes(e, n)
	for _, k := range e.kids {
		if k.space == nsBPMN {
			switch k.tag {
			case "incoming", "outgoing":
				continue
			case "multiInstanceLoopCharacteristics":
				if n.Kind != KindUser {
					r.refuse(e, "element", "多实例只能用在用户任务和子流程上")
					continue
				}
				r.multi(e, k, i)
				continue
			}
		}
		r.common(k)
	}
	if n.Kind == KindUser {
		r.userTask(e, i)
	}
}

func (r *reader) verb(e *elem, n *node) {
	verb, alt := e.attrNS(nsHaoban, "verb"), e.attrNS(nsFlowable, "expression")
	if alt != "" {
		alt, _ = bare(alt)
	}
	switch {
	case verb != "" && alt != "" && verb != alt:
		r.refuse(e, "verb", "haoban:verb 和 flowable:expression 写的不一样")
	case verb == "" && alt == "":
		r.refuse(e, "verb", "没有写明动作：haoban:verb")
	case verb == "":
		verb = alt
	}
	n.Verb = verb
}

func (r *reader) userTask(e *elem, i int) {
	n := &r.d.nodes[i]
	n.Role = e.attrNS(nsFlowable, "candidateGroups")
	if strings.ContainsAny(n.Role, ", ${") {
		r.refuse(e, "role", "flowable:candidateGroups 只写一个岗位：%s", n.Role)
	}
	n.Assignee = e.attrNS(nsFlowable, "assignee")
	n.Org = e.attrNS(nsHaoban, "org")
	if _, isExpr := bare(n.Assignee); isExpr {
		n.assignee = r.compile(e, i, n.Assignee, wantAny)
	}
	if _, isExpr := bare(n.Org); isExpr {
		n.org = r.compile(e, i, n.Org, wantAny)
	}
	due := e.attrNS(nsFlowable, "dueDate")
	workDays := r.unit(e, e.attrNS(nsHaoban, "unit"), true)
	if due == "" {
		if e.attrNS(nsHaoban, "unit") != "" {
			r.refuse(e, "limit", "haoban:unit 要和 flowable:dueDate 一起写")
		}
		return
	}
	n.Limit = &Limit{WorkDays: workDays}
	if src, isExpr := bare(due); isExpr {
		n.Limit.Expr = src
		n.due = r.compile(e, i, due, wantAny)
		return
	}
	sp, err := parseSpan(due)
	switch {
	case err != nil:
		r.refuse(e, "limit", "%s", err)
	case sp.clock > 0:
		r.refuse(e, "limit", "办理期限按天计：%s", due)
	}
	n.Limit.Days = sp.days
}

// outcomes reads haoban:outcomes="pass:通过 refuse:不予许可".
func (r *reader) outcomes(e *elem, n *node) {
	re := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	for _, f := range strings.Fields(e.attrNS(nsHaoban, "outcomes")) {
		id, text, _ := strings.Cut(f, ":")
		if text == "" {
			text = id
		}
		switch {
		case !re.MatchString(id):
			r.refuse(e, "outcomes", "办理结果“%s”应写成 代码:名称，代码用英文字母", f)
		case n.outcome(id):
			r.refuse(e, "outcomes", "办理结果 %s 重复", id)
		}
		n.Outcomes = append(n.Outcomes, Outcome{ID: id, Text: text})
	}
}

func (r *reader) subProcess(e *elem, parent int) {
	r.d.subs = true
	i := r.add(e, parent)
	r.attrs(e, "")
	for _, k := range e.kids {
		if k.space == nsBPMN && k.tag == "multiInstanceLoopCharacteristics" {
			r.multi(e, k, i)
		}
	}
	start := r.scope(e, i)
	r.d.nodes[i].start = start
}

func (r *reader) multi(e, m *elem, i int) {
	r.id(m)
	r.attrs(m, "isSequential behavior flowable:collection flowable:elementVariable")
	n := &r.d.nodes[i]
	if n.Multi != "" {
		r.refuse(e, "multi", "多实例写了两遍")
		return
	}
	n.Multi = "parallel"
	if m.attr("isSequential") == "true" {
		n.Multi = "sequential"
	}
	if b := m.attr("behavior"); b != "" && b != "All" {
		r.refuse(e, "multi", "多实例的 behavior 只支持 All")
	}
	if v := m.attrNS(nsFlowable, "elementVariable"); v != "" && v != "item" {
		r.refuse(e, "multi", "flowable:elementVariable 只能是 item")
	}
	// The collection is computed before any instance exists, so it may only name
	// what the scope around it names.
	outer := r.looped(n.parent)
	sources := 0
	for _, k := range m.kids {
		if k.space != nsBPMN || (k.tag != "loopCardinality" && k.tag != "completionCondition") {
			r.common(k)
			continue
		}
		r.attrs(k, "")
		r.onlyCommon(k)
		src := strings.TrimSpace(k.text)
		if k.tag == "completionCondition" {
			n.Enough, _ = bare(src)
			n.enough = r.compile(e, i, src, wantBool)
			continue
		}
		sources++
		n.Collection, _ = bare(src)
		if c, err := strconv.Atoi(n.Collection); err == nil && (c < 0 || c > maxInstances) {
			r.refuse(e, "multi", "实例数 %d 不合理", c)
		}
		n.count = r.outerExpr(e, n, src, outer)
	}
	if src := m.attrNS(nsFlowable, "collection"); src != "" {
		sources++
		n.Collection, _ = bare(src)
		n.each = r.outerExpr(e, n, src, outer)
	}
	if sources != 1 {
		r.refuse(e, "multi", "多实例要写 flowable:collection 或 loopCardinality 其中之一")
	}
}

func (r *reader) outerExpr(e *elem, n *node, src string, inLoop bool) *expression {
	x, paths, err := compile(src, inLoop, wantAny)
	if err != nil {
		r.refuse(e, "expression", "%s", err)
		return nil
	}
	r.ref(n.ID, paths)
	return x
}
