package process

import (
	"fmt"
	"strings"
)

// Parse reads a BPMN 2.0 diagram. The name, usually the file's path, is used in
// refusals. Every element and attribute that the walker would not carry out is
// refused, all of them in one error of kind errs.Invalid, code process.refused,
// with a field per refusal; a file that is no XML gives process.xml. The drawing
// (BPMN DI), pools, lanes and notes are kept and not read.
func Parse(name string, bpmn []byte) (*Definition, error) {
	root, err := readTree(name, bpmn)
	if err != nil {
		return nil, err
	}
	r := &reader{
		d:        &Definition{file: name, src: append([]byte(nil), bpmn...), byID: map[string]int{}, start: -1},
		ids:      map[string]*elem{},
		messages: map[string]string{},
		el:       map[int]*elem{},
	}
	r.definitions(root)
	if len(r.problems) == 0 {
		r.link()
	}
	if len(r.problems) == 0 {
		r.structure()
	}
	if len(r.problems) > 0 {
		return nil, refusal(name, r.problems)
	}
	return r.d, nil
}

// reader builds a Definition from a tree and gathers what it refuses.
type reader struct {
	d        *Definition
	problems []Problem
	ids      map[string]*elem
	messages map[string]string // id → name
	el       map[int]*elem     // node index → element
	pool     string            // processRef of the participant
	lanes    []*elem           // flowNodeRef
}

func (r *reader) refuse(e *elem, rule, format string, args ...any) {
	if len(r.problems) < 200 {
		r.problems = append(r.problems, Problem{File: r.d.file, Line: e.line, Element: e.label(), Rule: rule, Msg: fmt.Sprintf(format, args...)})
	}
}

// unknown refuses an element that is not supported where it stands.
func (r *reader) unknown(e *elem) {
	if e.space != nsBPMN {
		r.refuse(e, "element", "元素 <%s>（命名空间 %s）：不支持扩展元素", e.tag, e.space)
		return
	}
	r.refuse(e, "element", "元素 <%s>：%s", e.tag, whyNot(e.tag))
}

// id registers an id and refuses a second one.
func (r *reader) id(e *elem) {
	id := e.attr("id")
	if id == "" {
		return
	}
	if _, dup := r.ids[id]; dup {
		r.refuse(e, "id", "标识 %s 重复", id)
	}
	r.ids[id] = e
}

// attrs refuses every attribute that is not in ok (space-separated; names of
// the extension namespaces carry flowable: or haoban:).
func (r *reader) attrs(e *elem, ok string) {
	allowed := " id name " + ok + " "
	for _, a := range e.attrs {
		name := a.Name.Local
		switch a.Name.Space {
		case "":
			if name == "xmlns" {
				continue
			}
		case "xmlns":
			continue
		case nsFlowable:
			name = "flowable:" + name
		case nsHaoban:
			name = "haoban:" + name
		default:
			if !cosmetic(a.Name.Space) {
				r.refuse(e, "attribute", "属性 %s（命名空间 %s）：不支持", name, a.Name.Space)
			}
			continue
		}
		if strings.Contains(allowed, " "+name+" ") {
			continue
		}
		if fixed, known := onlyValue(name); known {
			if strings.TrimSpace(a.Value) != fixed {
				r.refuse(e, "attribute", "属性 %s：只支持 %s", name, fixed)
			}
			continue
		}
		r.refuse(e, "attribute", "<%s> 的属性 %s：不支持", e.tag, name)
	}
}

// onlyValue gives the one value of attributes that modelers write although it
// is the default.
func onlyValue(name string) (string, bool) {
	switch name {
	case "isForCompensation", "parallelMultiple", "triggeredByEvent", "instantiate":
		return "false", true
	case "startQuantity", "completionQuantity":
		return "1", true
	case "isInterrupting", "isImmediate":
		return "true", true
	}
	return "", false
}

func (r *reader) definitions(e *elem) {
	if e.space != nsBPMN || e.tag != "definitions" {
		r.refuse(e, "root", "根元素应是 BPMN 2.0 的 <definitions>")
		return
	}
	r.attrs(e, "targetNamespace exporter exporterVersion expressionLanguage typeLanguage")
	r.id(e)
	var process *elem
	for _, k := range e.kids {
		if k.space != nsBPMN {
			r.unknown(k)
			continue
		}
		switch k.tag {
		case "message":
			r.message(k)
		case "collaboration":
			r.collaboration(k)
		case "category":
			r.drawing(k, "categoryValue")
		case "documentation":
		case "extensionElements":
			r.extensions(k)
		case "process":
			if process != nil {
				r.refuse(k, "process", "一个文件只能有一个流程")
				continue
			}
			process = k
		default:
			r.unknown(k)
		}
	}
	if process == nil {
		r.refuse(e, "process", "没有 <process>")
		return
	}
	r.process(process)
}

func (r *reader) message(e *elem) {
	r.id(e)
	r.attrs(e, "")
	r.onlyCommon(e)
	name := e.attr("name")
	if name == "" || e.attr("id") == "" {
		r.refuse(e, "message", "消息必须有 id 和名称")
		return
	}
	r.messages[e.attr("id")] = name
}

// collaboration accepts the frame that modelers draw around one process.
func (r *reader) collaboration(e *elem) {
	r.id(e)
	r.attrs(e, "isClosed")
	for _, k := range e.kids {
		switch {
		case k.space == nsBPMN && k.tag == "participant":
			r.id(k)
			r.attrs(k, "processRef")
			r.onlyCommon(k)
			if r.pool != "" || k.attr("processRef") == "" {
				r.refuse(k, "element", "只能有一个泳池，且必须是本流程")
			}
			r.pool = k.attr("processRef")
		default:
			r.common(k, "textAnnotation", "association", "group")
		}
	}
}

// common handles what may stand in every element; what is neither common nor
// one of the drawn ones is refused.
func (r *reader) common(k *elem, drawn ...string) {
	if k.space == nsBPMN {
		switch k.tag {
		case "documentation":
			return
		case "extensionElements":
			r.extensions(k)
			return
		}
		for _, tag := range drawn {
			if k.tag == tag {
				r.drawing(k, "text")
				return
			}
		}
	}
	r.unknown(k)
}

func (r *reader) onlyCommon(e *elem) {
	for _, k := range e.kids {
		r.common(k)
	}
}

// drawing accepts an element that is only looked at.
func (r *reader) drawing(e *elem, kids string) {
	r.id(e)
	r.attrs(e, "sourceRef targetRef associationDirection categoryValueRef textFormat value")
	for _, k := range e.kids {
		if k.space == nsBPMN && strings.Contains(" "+kids+" ", " "+k.tag+" ") {
			r.id(k)
			r.attrs(k, "value")
			continue
		}
		r.common(k)
	}
}

func (r *reader) extensions(e *elem) {
	for _, k := range e.kids {
		if !cosmetic(k.space) {
			r.unknown(k)
		}
	}
}

func (r *reader) process(e *elem) {
	r.id(e)
	r.attrs(e, "isExecutable isClosed processType")
	if e.attr("isExecutable") == "false" {
		r.refuse(e, "attribute", "流程标了 isExecutable=\"false\"，表示只是示意图；要办理请改为 true")
	}
	if t := e.attr("processType"); t == "Public" {
		r.refuse(e, "attribute", "processType=\"Public\" 只描述对外接口，不能执行")
	}
	if r.pool != "" && r.pool != e.attr("id") {
		r.refuse(e, "element", "泳池指向的流程 %s 不在文件里", r.pool)
	}
	r.d.id, r.d.name = e.attr("id"), e.attr("name")
	r.d.start = r.scope(e, -1)
}

// scope reads the inside of a process or subprocess and returns the index of
// its start event.
func (r *reader) scope(e *elem, parent int) int {
	start := -1
	for _, k := range e.kids {
		if k.space != nsBPMN {
			r.common(k)
			continue
		}
		switch k.tag {
		case "startEvent":
			i := r.event(k, parent)
			if start >= 0 {
				r.refuse(k, "start", "只能有一个开始事件")
			}
			start = i
		case "endEvent", "intermediateCatchEvent", "boundaryEvent":
			r.event(k, parent)
		case "userTask", "serviceTask", "sendTask", "receiveTask":
			r.task(k, parent)
		case "exclusiveGateway", "parallelGateway", "inclusiveGateway":
			r.gateway(k, parent)
		case "subProcess":
			r.subProcess(k, parent)
		case "sequenceFlow":
			r.sequenceFlow(k)
		case "laneSet":
			r.laneSet(k)
		case "incoming", "outgoing", "multiInstanceLoopCharacteristics":
			if parent < 0 {
				r.unknown(k)
			}
		default:
			r.common(k, "textAnnotation", "association", "group")
		}
	}
	if start < 0 {
		r.refuse(e, "start", "没有开始事件")
	}
	return start
}

func (r *reader) laneSet(e *elem) {
	r.id(e)
	r.attrs(e, "")
	for _, k := range e.kids {
		if k.space != nsBPMN || k.tag != "lane" {
			r.common(k)
			continue
		}
		r.id(k)
		r.attrs(k, "")
		for _, c := range k.kids {
			switch {
			case c.space == nsBPMN && c.tag == "flowNodeRef":
				r.lanes = append(r.lanes, c)
			case c.space == nsBPMN && c.tag == "childLaneSet":
				r.laneSet(c)
			default:
				r.common(c)
			}
		}
	}
}

// add registers a node.
func (r *reader) add(e *elem, parent int) int {
	r.id(e)
	if e.attr("id") == "" {
		r.refuse(e, "id", "<%s> 没有 id", e.tag)
	}
	if strings.ContainsAny(e.attr("id"), "# ") {
		r.refuse(e, "id", "标识 %s 不能含空格和 #", e.attr("id"))
	}
	i := len(r.d.nodes)
	n := node{idx: i, parent: parent, start: -1, def: -1}
	n.Node = Node{ID: e.attr("id"), Name: e.attr("name"), Kind: Kind(e.tag), Line: e.line}
	if parent >= 0 {
		n.Parent = r.d.nodes[parent].ID
	}
	n.entered = Effect{Kind: Entered, Node: n.ID, Name: n.Name}
	r.d.nodes = append(r.d.nodes, n)
	r.d.byID[n.ID] = i
	r.el[i] = e
	return i
}

func (r *reader) sequenceFlow(e *elem) {
	r.id(e)
	r.attrs(e, "sourceRef targetRef")
	f := flow{idx: len(r.d.flows), from: -1, to: -1, line: e.line}
	f.Flow = Flow{ID: e.attr("id"), Name: e.attr("name"), From: e.attr("sourceRef"), To: e.attr("targetRef")}
	if f.ID == "" {
		r.refuse(e, "id", "连线没有 id")
	}
	for _, k := range e.kids {
		if k.space != nsBPMN || k.tag != "conditionExpression" {
			r.common(k)
			continue
		}
		r.attrs(k, "")
		r.onlyCommon(k)
		if f.Condition != "" {
			r.refuse(e, "condition", "连线有两个条件")
		}
		f.Condition = strings.TrimSpace(k.text)
		if f.Condition == "" {
			r.refuse(e, "condition", "条件是空的")
		}
	}
	f.took = Effect{Kind: Took, Flow: f.ID}
	r.d.flows = append(r.d.flows, f)
}
