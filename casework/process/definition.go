package process

import (
	"bytes"
	"slices"
	"strings"
)

// Kind is the sort of a node: the local name of its BPMN element.
type Kind string

// The kinds of nodes that can be walked.
const (
	KindStart     Kind = "startEvent"
	KindEnd       Kind = "endEvent"
	KindUser      Kind = "userTask"
	KindService   Kind = "serviceTask"
	KindSend      Kind = "sendTask"
	KindReceive   Kind = "receiveTask"
	KindExclusive Kind = "exclusiveGateway"
	KindParallel  Kind = "parallelGateway"
	KindInclusive Kind = "inclusiveGateway"
	KindCatch     Kind = "intermediateCatchEvent"
	KindBoundary  Kind = "boundaryEvent"
	KindSub       Kind = "subProcess"
)

// Outcome is one answer a task can be completed with.
type Outcome struct {
	ID   string // what expressions compare with
	Text string // what the button says
}

// Limit is how long a user task may take: Days, or Expr if the days are
// computed.
type Limit struct {
	Days     int
	WorkDays bool
	Expr     string
}

// Node is one node of a diagram, for those who show or check it.
type Node struct {
	ID       string
	Name     string
	Kind     Kind
	Line     int    // in the file
	Parent   string // id of the subprocess it is in
	Role     string // user tasks
	Assignee string // user tasks: literal or ${expression}
	Org      string // user tasks: literal or ${expression}
	Limit    *Limit // user tasks
	Outcomes []Outcome
	Verb     string // service and send tasks
	Message  string // message events and receive tasks
	Timer    string // timer events: the duration, date or ${expression}

	On           string // boundary events: the activity
	Interrupting bool   // boundary events
	Terminate    bool   // end events
	Multi        string // "parallel", "sequential" or empty
	Collection   string // multi-instance: collection or number of instances
	Enough       string // multi-instance: completion condition
}

// Flow is one arrow of a diagram.
type Flow struct {
	ID        string
	Name      string
	From, To  string
	Condition string
	Default   bool
}

// node is a Node as the walker uses it.
type node struct {
	Node
	idx    int
	parent int // index of the subprocess, -1 at the top
	start  int // subprocesses: index of the start event
	in     []int
	out    []int
	def    int // default flow, -1 if none
	bounds []int

	assignee, org, due *expression // nil if literal or absent
	timer              *timer
	count, each        *expression // multi-instance: number or collection
	enough             *expression
	entered            Effect
	reach              []uint64 // inclusive joins: per node, the incoming flows its tokens can still come by
	safe               bool     // user tasks: a walk with one token here does not wait for ever at a join
}

type flow struct {
	Flow
	idx      int
	from, to int
	cond     *expression
	took     Effect
	line     int
}

// Definition is a parsed diagram. It is immutable and safe for concurrent use.
type Definition struct {
	file      string
	id, name  string
	src       []byte
	nodes     []node
	flows     []flow
	byID      map[string]int
	start     int
	inclusive []int // nodes
	subs      bool  // has subprocesses
	refs      []Ref
}

// ID returns the id of the process element.
func (d *Definition) ID() string { return d.id }

// Name returns the name of the process element.
func (d *Definition) Name() string { return d.name }

// File returns the name Parse was given.
func (d *Definition) File() string { return d.file }

// XML returns the diagram as it was given to Parse, with its drawing.
func (d *Definition) XML() []byte { return bytes.Clone(d.src) }

// Nodes returns all nodes in the order of the file.
func (d *Definition) Nodes() []Node {
	out := make([]Node, len(d.nodes))
	for i := range d.nodes {
		out[i] = d.nodes[i].public()
	}
	return out
}

func (n *node) public() Node {
	c := n.Node
	c.Outcomes = slices.Clone(c.Outcomes)
	return c
}

// Node returns the node with an id.
func (d *Definition) Node(id string) (Node, bool) {
	i, ok := d.byID[id]
	if !ok {
		return Node{}, false
	}
	return d.nodes[i].public(), true
}

// Flows returns all arrows in the order of the file.
func (d *Definition) Flows() []Flow {
	out := make([]Flow, len(d.flows))
	for i := range d.flows {
		out[i] = d.flows[i].Flow
	}
	return out
}

// Outcomes returns the outcomes of a node, nil if it has none or is unknown.
func (d *Definition) Outcomes(id string) []Outcome {
	i, ok := d.byID[id]
	if !ok {
		return nil
	}
	return slices.Clone(d.nodes[i].Outcomes)
}

// Verbs returns the verbs that service and send tasks call, sorted, each once.
func (d *Definition) Verbs() []string {
	var out []string
	for i := range d.nodes {
		if v := d.nodes[i].Verb; v != "" {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Roles returns the roles of all user tasks, sorted, each once.
func (d *Definition) Roles() []string {
	var out []string
	for i := range d.nodes {
		if r := d.nodes[i].Role; r != "" {
			out = append(out, r)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Ref is a place where an expression reads a fact, such as form.share.
type Ref struct {
	Element string // id of the node or flow
	Path    string // dotted, with its root: form.a.b, case.x, vars.y
}

// Refs returns what the expressions read, so that a matter can check that its
// form has these fields.
func (d *Definition) Refs() []Ref { return slices.Clone(d.refs) }

// Done reports whether the walk is over or cancelled.
func (d *Definition) Done(s State) bool { return s.Status == Over || s.Status == Dropped }

// Active returns the ids of the nodes where tokens stand, each once, without
// boundary events that merely wait.
func (d *Definition) Active(s State) []string {
	var out []string
	for i := range s.Tokens {
		if t := &s.Tokens[i]; t.On == "" && !slices.Contains(out, t.Node) {
			out = append(out, t.Node)
		}
	}
	return out
}

// Visited returns the ids of the nodes reached since the last 退回, in order of
// the first visit.
func (d *Definition) Visited(s State) []string { return slices.Clone(s.Visited) }

// Wait is something a walk waits for.
type Wait struct {
	Key      string
	Node     string
	Kind     EffectKind // CreateTask, CallService, AwaitMessage or SetTimer: what asked for it
	Name     string     // name of the message
	Boundary bool
	Failed   string
}

// Waits returns all that the walk waits for.
func (d *Definition) Waits(s State) []Wait {
	var out []Wait
	for i := range s.Tokens {
		t := &s.Tokens[i]
		if k := d.waitKind(t); k != "" {
			n := &d.nodes[d.byID[t.Node]]
			out = append(out, Wait{Key: t.Key, Node: t.Node, Kind: k, Name: n.Message, Boundary: t.On != "", Failed: t.Failed})
		}
	}
	return out
}

// Awaits reports whether the walk waits for something under key.
func (d *Definition) Awaits(s State, key string) bool {
	for i := range s.Tokens {
		if s.Tokens[i].Key == key {
			return d.waitKind(&s.Tokens[i]) != ""
		}
	}
	return false
}

// waitKind returns which effect asked for what t waits for, "" if t waits for
// nothing outside the walk.
func (d *Definition) waitKind(t *Token) EffectKind {
	if t.Sub != nil {
		return ""
	}
	i, ok := d.byID[t.Node]
	if !ok {
		return ""
	}
	return d.nodes[i].waits()
}

func (n *node) waits() EffectKind {
	switch n.Kind {
	case KindUser:
		return CreateTask
	case KindService, KindSend:
		return CallService
	case KindReceive:
		return AwaitMessage
	case KindCatch, KindBoundary:
		if n.timer != nil {
			return SetTimer
		}
		return AwaitMessage
	}
	return ""
}

func (n *node) outcome(id string) bool {
	for i := range n.Outcomes {
		if n.Outcomes[i].ID == id {
			return true
		}
	}
	return false
}

// bare strips ${…} or #{…} and reports whether it was there.
func bare(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if (strings.HasPrefix(s, "${") || strings.HasPrefix(s, "#{")) && strings.HasSuffix(s, "}") {
		return strings.TrimSpace(s[2 : len(s)-1]), true
	}
	return s, false
}
