package process

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// draw turns the shorthand of the scripts in testdata into BPMN XML:
//
//	start s | end e [terminate] | user a … | service … | send … | receive …
//	xor g | and g | or g | timer t … | message m … | boundary b on=a …
//	sub p … {  …  }
//	a -> b -> c    a -> b if EXPR    a -> b else
//
// Words after the id are key=value; a value in double quotes may hold spaces.
func draw(text string) ([]byte, error) {
	p := &pen{flows: map[string]int{}, defaults: map[string]string{}}
	lines := strings.Split(text, "\n")
	for i := range lines { // defaults first: they are attributes of gateways
		p.flowLine(strings.TrimSpace(lines[i]), nil)
	}
	p.flows = map[string]int{}
	var body strings.Builder
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		if p.flowLine(line, &body) {
			continue
		}
		if line == "}" {
			body.WriteString("</subProcess>\n")
			continue
		}
		if err := p.node(line, &body); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return []byte(head + p.top.String() + `<process id="P" name="测试流程" isExecutable="true">` + "\n" + body.String() + "</process></definitions>\n"), nil
}

const head = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:flowable="http://flowable.org/bpmn" xmlns:haoban="http://haoban/bpmn" targetNamespace="http://haoban/test">
`

type pen struct {
	top      strings.Builder
	flows    map[string]int
	defaults map[string]string
}

func esc(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return s
	}
	return b.String()
}

// flowLine draws a line of arrows; with no writer it only learns the defaults.
func (p *pen) flowLine(line string, w *strings.Builder) bool {
	if !strings.Contains(line, "->") {
		return false
	}
	line, cond, _ := strings.Cut(line, " if ")
	line, isDefault := strings.CutSuffix(line, " else")
	ends := strings.Split(line, "->")
	for i := 1; i < len(ends); i++ {
		from, to := strings.TrimSpace(ends[i-1]), strings.TrimSpace(ends[i])
		id := from + "_" + to
		if p.flows[id]++; p.flows[id] > 1 {
			id += fmt.Sprint(p.flows[id])
		}
		if isDefault {
			p.defaults[from] = id
		}
		if w == nil {
			continue
		}
		fmt.Fprintf(w, `<sequenceFlow id="%s" sourceRef="%s" targetRef="%s">`, id, from, to)
		if cond != "" {
			fmt.Fprintf(w, `<conditionExpression xsi:type="tFormalExpression">%s</conditionExpression>`, esc(cond))
		}
		w.WriteString("</sequenceFlow>\n")
	}
	return true
}

// words splits at spaces outside double quotes.
func words(line string) []string {
	var out []string
	var b strings.Builder
	quoted := false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			if b.Len() > 0 {
				out = append(out, b.String())
				b.Reset()
			}
		default:
			b.WriteRune(c)
		}
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return out
}

func (p *pen) node(line string, w *strings.Builder) error {
	f := words(line)
	open := f[len(f)-1] == "{"
	if open {
		f = f[:len(f)-1]
	}
	if len(f) < 2 {
		return fmt.Errorf("what is %q", line)
	}
	kind, id := f[0], f[1]
	arg := map[string]string{}
	for _, a := range f[2:] {
		k, v, _ := strings.Cut(a, "=")
		arg[k] = v
	}
	attrs := fmt.Sprintf(` id="%s"`, id)
	attr := func(name, key string) {
		if v, ok := arg[key]; ok {
			attrs += fmt.Sprintf(` %s="%s"`, name, esc(v))
		}
	}
	attr("name", "name")
	inner := ""
	tag := map[string]string{
		"start": "startEvent", "end": "endEvent", "user": "userTask", "service": "serviceTask", "send": "sendTask",
		"receive": "receiveTask", "xor": "exclusiveGateway", "and": "parallelGateway", "or": "inclusiveGateway",
		"timer": "intermediateCatchEvent", "message": "intermediateCatchEvent", "boundary": "boundaryEvent", "sub": "subProcess",
	}[kind]
	if tag == "" {
		return fmt.Errorf("what is %q", kind)
	}
	switch kind {
	case "end":
		if _, ok := arg["terminate"]; ok {
			inner = "<terminateEventDefinition/>"
		}
	case "user":
		attr("flowable:candidateGroups", "role")
		attr("flowable:assignee", "assignee")
		attr("flowable:dueDate", "due")
		attr("haoban:unit", "unit")
		attr("haoban:org", "org")
		attr("haoban:outcomes", "outcomes")
	case "service", "send":
		attr("haoban:verb", "verb")
		attr("haoban:outcomes", "outcomes")
	case "receive":
		attr("haoban:message", "message")
		attr("haoban:outcomes", "outcomes")
	case "xor", "or":
		if d := p.defaults[id]; d != "" {
			attrs += fmt.Sprintf(` default="%s"`, d)
		}
	case "boundary":
		attr("attachedToRef", "on")
		if _, ok := arg["quiet"]; ok {
			attrs += ` cancelActivity="false"`
		}
	}
	if kind == "timer" || kind == "message" || kind == "boundary" {
		unit := ""
		if v, ok := arg["unit"]; ok {
			unit = fmt.Sprintf(` haoban:unit="%s"`, v)
		}
		switch {
		case arg["after"] != "":
			inner = fmt.Sprintf("<timerEventDefinition><timeDuration%s>%s</timeDuration></timerEventDefinition>", unit, esc(arg["after"]))
		case arg["at"] != "":
			inner = fmt.Sprintf("<timerEventDefinition><timeDate>%s</timeDate></timerEventDefinition>", esc(arg["at"]))
		case arg["message"] != "":
			fmt.Fprintf(&p.top, `<message id="msg_%s" name="%s"/>`+"\n", id, esc(arg["message"]))
			inner = fmt.Sprintf(`<messageEventDefinition messageRef="msg_%s"/>`, id)
		}
	}
	inner += multi(arg)
	if kind == "sub" && open {
		fmt.Fprintf(w, "<%s%s>%s\n", tag, attrs, inner)
		return nil
	}
	fmt.Fprintf(w, "<%s%s>%s</%s>\n", tag, attrs, inner, tag)
	return nil
}

func multi(arg map[string]string) string {
	kind, ok := arg["multi"]
	if !ok {
		return ""
	}
	s := "<multiInstanceLoopCharacteristics"
	if kind == "sequential" {
		s += ` isSequential="true"`
	}
	if v, ok := arg["over"]; ok {
		s += fmt.Sprintf(` flowable:collection="%s"`, esc(v))
	}
	s += ">"
	if v, ok := arg["times"]; ok {
		s += "<loopCardinality>" + esc(v) + "</loopCardinality>"
	}
	if v, ok := arg["enough"]; ok {
		s += "<completionCondition>" + esc(v) + "</completionCondition>"
	}
	return s + "</multiInstanceLoopCharacteristics>"
}
