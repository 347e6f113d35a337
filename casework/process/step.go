package process

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"haoban/platform/errs"
)

// Bounds of one step, against diagrams that run away.
const (
	maxMoves     = 20000
	maxTokens    = 5000
	maxInstances = 1000
)

// Codes of what Step refuses. An input that does not fit the state is of kind
// errs.Conflict: somebody was quicker, or it came too early.
const (
	codeStarted    = "process.started"
	codeNotStarted = "process.not_started"
	codeOver       = "process.over"
	codeNoTask     = "process.no_task"
	codeNoWait     = "process.no_wait"
	codeNoTimer    = "process.no_timer"
	codeNoService  = "process.no_service"
	codeAmbiguous  = "process.ambiguous"
	codeOutcome    = "process.outcome"
	codeReturn     = "process.return"
	codeNoFlow     = "process.no_flow"
	codeExpr       = "process.expression"
	codeStuck      = "process.stuck"
	codeEndless    = "process.endless"
	codeState      = "process.state"
)

// walk is one step under way.
type walk struct {
	d      *Definition
	s      State
	env    Env
	eff    []Effect
	moves  []move
	room   [3]move // where moves begins, so that most steps need no more
	head   int
	count  int
	last   int     // last end event reached, -1 if none
	pick   *oracle // Check only: choices instead of conditions
	killed bool    // last end event was a terminate
}

// move is a token on its way to a node.
type move struct {
	node    int
	via     int // flow, -1 if none
	in      string
	outcome string
	tally   map[string]int
}

// Step computes what follows from one input: the next state and its effects. It
// changes neither s nor env, and on error s still holds.
//
// An input that does not fit the state is refused with kind errs.Conflict:
// process.started, .not_started, .over, .no_task, .no_wait (nobody waits for
// this message: the caller may keep it), .no_timer, .no_service. An outcome the
// task does not have gives errs.Invalid, process.outcome; a target one cannot
// go back to errs.Invalid, process.return. A message several tokens wait for
// needs its Key: process.ambiguous. Where the diagram itself fails on the facts
// the codes are process.no_flow, .expression, .stuck and .endless.
func (d *Definition) Step(s State, in Input, env Env) (State, []Effect, error) {
	w := walk{d: d, s: s, env: env, last: -1}
	if err := w.step(in); err != nil {
		return s, nil, err
	}
	return w.s, w.eff, nil
}

func (w *walk) step(in Input) error {
	w.s.Tokens = append(make([]Token, 0, max(len(w.s.Tokens), 1)), w.s.Tokens...)
	w.eff = make([]Effect, 0, 5)
	w.moves = w.room[:0]
	if err := w.take(in); err != nil {
		return err
	}
	if err := w.run(); err != nil {
		return err
	}
	if len(w.s.Tokens) == 0 {
		w.s.Tokens = nil
	}
	return nil
}

// take applies the input itself; run then moves the tokens it set free.
func (w *walk) take(in Input) error {
	if _, ok := in.(Start); ok {
		if w.s.Status != NotStarted {
			return errs.New(errs.Conflict, codeStarted, "流程已经开始")
		}
		w.s.Status = Running
		w.moves = append(w.moves, move{node: w.d.start, via: -1})
		return w.merge(in.(Start).Vars)
	}
	switch w.s.Status {
	case Running:
	case NotStarted:
		return errs.New(errs.Conflict, codeNotStarted, "流程还没有开始")
	default:
		return errs.New(errs.Conflict, codeOver, "流程已经结束")
	}
	for i := range w.s.Tokens {
		if _, ok := w.d.byID[w.s.Tokens[i].Node]; !ok {
			return errs.New(errs.Internal, codeState, "办件停在流程图里没有的环节 "+w.s.Tokens[i].Node)
		}
	}
	switch in := in.(type) {
	case Complete:
		i := w.waiting(in.TaskKey, CreateTask)
		if i < 0 {
			return errs.New(errs.Conflict, codeNoTask, "这项任务已经办完或被取消")
		}
		return w.finish(i, in.Outcome, in.Vars)
	case Message:
		return w.message(in)
	case Timer:
		i := w.waiting(in.Key, SetTimer)
		if i < 0 {
			return errs.New(errs.Conflict, codeNoTimer, "这个定时已经用过或被取消")
		}
		return w.finish(i, "", nil)
	case ServiceDone:
		i := w.waiting(in.Key, CallService)
		if i < 0 {
			return errs.New(errs.Conflict, codeNoService, "这个动作已经完成或被取消")
		}
		return w.finish(i, in.Outcome, in.Vars)
	case ServiceFailed:
		return w.failed(in)
	case Retry:
		i := w.waiting(in.Key, CallService)
		if i < 0 {
			return errs.New(errs.Conflict, codeNoService, "这个动作已经完成或被取消")
		}
		w.s.Tokens[i].Failed = ""
		w.eff = append(w.eff, w.ask(i))
		return nil
	case Return:
		return w.back(in)
	case Cancel:
		w.cancel(func(*Token) bool { return true }, WhyCancel)
		w.s.Status, w.s.Reason = Dropped, in.Reason
		w.eff = append(w.eff, Effect{Kind: Cancelled, Why: in.Reason})
		return nil
	}
	return errs.New(errs.Internal, codeState, fmt.Sprintf("流程不认识的输入 %T", in))
}

// find returns the position of a token, -1 if there is none.
func (w *walk) find(key string) int {
	for i := range w.s.Tokens {
		if w.s.Tokens[i].Key == key {
			return i
		}
	}
	return -1
}

// waiting finds a token that waits for what kind asked for.
func (w *walk) waiting(key string, kind EffectKind) int {
	i := w.find(key)
	if i < 0 || w.d.waitKind(&w.s.Tokens[i]) != kind {
		return -1
	}
	return i
}

func (w *walk) at(i int) *node { return &w.d.nodes[w.d.byID[w.s.Tokens[i].Node]] }

// message finds the one token a message is for.
func (w *walk) message(in Message) error {
	hit := -1
	for i := range w.s.Tokens {
		t := &w.s.Tokens[i]
		if in.Key != "" && t.Key != in.Key {
			continue
		}
		if w.d.waitKind(t) != AwaitMessage || w.at(i).Message != in.Name {
			continue
		}
		if hit >= 0 {
			return errs.New(errs.Conflict, codeAmbiguous, "有不止一处在等消息“"+in.Name+"”，请指明是哪一处")
		}
		hit = i
	}
	if hit < 0 {
		return errs.New(errs.Conflict, codeNoWait, "现在没有环节在等消息“"+in.Name+"”")
	}
	return w.finish(hit, in.Outcome, in.Vars)
}

func (w *walk) failed(in ServiceFailed) error {
	i := w.waiting(in.Key, CallService)
	if i < 0 {
		return errs.New(errs.Conflict, codeNoService, "这个动作已经完成或被取消")
	}
	n := w.at(i)
	if n.outcome("failed") {
		return w.finish(i, "failed", in.Vars)
	}
	t := &w.s.Tokens[i]
	t.Failed = in.Reason
	if t.Failed == "" {
		t.Failed = "failed"
	}
	w.eff = append(w.eff, Effect{Kind: Failed, Key: t.Key, Node: t.Node, Name: n.Name, Verb: n.Verb, Why: t.Failed})
	return w.merge(in.Vars)
}

// merge puts vars into the state, as JSON would give them back.
func (w *walk) merge(vars map[string]any) error {
	if len(vars) == 0 {
		return nil
	}
	m := make(map[string]any, len(w.s.Vars)+len(vars))
	maps.Copy(m, w.s.Vars)
	for k, v := range vars {
		p, err := plain(v)
		if err != nil {
			return errs.New(errs.Invalid, codeState, "变量 "+k+" 不能保存").Wrap(err)
		}
		m[k] = p
	}
	w.s.Vars = m
	return nil
}

// finish ends the waiting of token i, with an outcome.
func (w *walk) finish(i int, outcome string, vars map[string]any) error {
	n := w.at(i)
	if len(n.Outcomes) > 0 && outcome == "" {
		return errs.New(errs.Invalid, codeOutcome, fmt.Sprintf("“%s”要选定办理结果", n.label()))
	}
	if len(n.Outcomes) == 0 && outcome != "" || len(n.Outcomes) > 0 && !n.outcome(outcome) {
		return errs.New(errs.Invalid, codeOutcome, fmt.Sprintf("“%s”没有办理结果“%s”", n.label(), outcome))
	}
	if err := w.merge(vars); err != nil {
		return err
	}
	if outcome != "" {
		w.s.Tokens[i].Outcome = outcome
	}
	w.s.Tokens[i].Failed = ""
	if w.s.Tokens[i].On != "" {
		w.fire(i, n)
		return nil
	}
	return w.done(i)
}

func (n *node) label() string {
	if n.Name != "" {
		return n.Name
	}
	return n.ID
}

// done ends the activity at token i: an instance is counted, anything else goes on.
func (w *walk) done(i int) error {
	if h := w.loopOf(&w.s.Tokens[i]); h >= 0 {
		return w.instanceDone(i, h)
	}
	w.leave(i)
	return nil
}

// loopOf returns the multi-instance body that t is an instance of, -1 if it is none.
func (w *walk) loopOf(t *Token) int {
	if t.In == "" || t.On != "" {
		return -1
	}
	h := w.find(t.In)
	if h >= 0 && w.s.Tokens[h].Sub != nil && w.s.Tokens[h].Sub.Loop {
		return h
	}
	return -1
}

// leave takes token i off its node, drops the boundary events of it and moves on.
func (w *walk) leave(i int) {
	n, t := w.at(i), w.s.Tokens[i]
	w.drop(i)
	if len(n.bounds) > 0 {
		w.cancel(func(b *Token) bool { return b.On == t.Key }, WhyLeft)
	}
	w.follow(n.out[0], t.In, t.Outcome, t.Tally)
}

func (w *walk) drop(i int) {
	w.s.Tokens = slices.Delete(w.s.Tokens, i, i+1)
}

func (w *walk) follow(f int, in, outcome string, tally map[string]int) {
	w.eff = append(w.eff, w.d.flows[f].took)
	w.moves = append(w.moves, move{node: w.d.flows[f].to, via: f, in: in, outcome: outcome, tally: tally})
}

// fire lets the boundary event at token i happen. An interrupting one takes its
// activity away; a message that does not interrupt may come again.
func (w *walk) fire(i int, n *node) {
	t := w.s.Tokens[i]
	w.drop(i)
	switch {
	case n.Interrupting:
		w.cancel(func(o *Token) bool { return o.Key == t.On || o.On == t.On || w.inside(o, t.On) }, WhyInterrupt)
	case n.timer == nil:
		w.s.Tokens = append(w.s.Tokens, Token{Key: w.key(n), Node: t.Node, In: t.In, On: t.On, Outcome: w.hostOutcome(t.On)})
		w.eff = append(w.eff, w.ask(len(w.s.Tokens)-1))
	}
	w.follow(n.out[0], t.In, t.Outcome, t.Tally)
}

func (w *walk) hostOutcome(key string) string {
	if i := w.find(key); i >= 0 {
		return w.s.Tokens[i].Outcome
	}
	return ""
}

// inside reports whether t is anywhere inside the token key.
func (w *walk) inside(t *Token, key string) bool { return w.within(t.In, key) }

// within reports whether scope in is key or anywhere inside it.
func (w *walk) within(in, key string) bool {
	for n := 0; n <= maxDepth*2; n++ {
		if in == key {
			return true
		}
		if in == "" {
			return false
		}
		i := w.find(in)
		if i < 0 {
			return false
		}
		in = w.s.Tokens[i].In
	}
	return false
}

// cancel takes away all tokens that match and cancels by name what they wait for.
func (w *walk) cancel(match func(*Token) bool, why string) {
	var gone []bool
	for i := range w.s.Tokens {
		if match(&w.s.Tokens[i]) {
			if gone == nil {
				gone = make([]bool, len(w.s.Tokens))
			}
			gone[i] = true
		}
	}
	if gone == nil {
		return
	}
	keep := w.s.Tokens[:0]
	for i := range w.s.Tokens {
		t := &w.s.Tokens[i]
		if !gone[i] {
			keep = append(keep, *t)
			continue
		}
		n := &w.d.nodes[w.d.byID[t.Node]]
		e := Effect{Key: t.Key, Node: t.Node, Name: n.Name, Why: why}
		switch w.d.waitKind(t) {
		case CreateTask:
			e.Kind = CancelTask
		case CallService:
			e.Kind, e.Verb = CancelService, n.Verb
		case AwaitMessage:
			e.Kind, e.Name = CancelMessage, n.Message
		case SetTimer:
			e.Kind = CancelTimer
		default:
			continue
		}
		w.eff = append(w.eff, e)
	}
	clear(w.s.Tokens[len(keep):])
	w.s.Tokens = keep
}

// key makes the next key, at node n.
func (w *walk) key(n *node) string {
	w.s.Seq++
	b := make([]byte, 0, len(n.ID)+8)
	b = append(b, n.ID...)
	b = append(b, '#')
	return string(strconv.AppendInt(b, int64(w.s.Seq), 10))
}
