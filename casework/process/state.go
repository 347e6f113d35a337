package process

import "time"

// Status says how far a walk is.
type Status string

// The statuses. The zero value is a walk that has not begun.
const (
	NotStarted Status = ""
	Running    Status = "running"
	Over       Status = "ended"
	Dropped    Status = "cancelled"
)

// State is where a case stands in its process. It is small, goes through JSON
// without loss, and is a value: Step never changes the state it was given.
type State struct {
	Status  Status         `json:"status,omitempty"`
	Tokens  []Token        `json:"tokens,omitempty"`
	Vars    map[string]any `json:"vars,omitempty"`    // what completions, messages and services left behind
	Visited []string       `json:"visited,omitempty"` // node ids in the order of the first visit since the last 退回
	Seq     int            `json:"seq,omitempty"`     // last number given to a key
	Reason  string         `json:"reason,omitempty"`  // why the walk was cancelled
}

// Token is one place where the walk stands.
type Token struct {
	Key     string         `json:"key"`               // unique in the walk: node id, "#", a number
	Node    string         `json:"node"`              // id of the node it stands at
	In      string         `json:"in,omitempty"`      // key of the token whose inside it is in; empty at the top
	On      string         `json:"on,omitempty"`      // boundary events: key of the activity it sits on
	Via     string         `json:"via,omitempty"`     // at a joining gateway: the flow it came by
	Outcome string         `json:"outcome,omitempty"` // last outcome on its way
	Tally   map[string]int `json:"tally,omitempty"`   // outcomes of the last multi-instance activity on its way
	Index   int            `json:"index,omitempty"`   // which instance, from 0
	Failed  string         `json:"failed,omitempty"`  // why its service failed, until retried
	Sub     *Scope         `json:"sub,omitempty"`     // the inside of a subprocess or multi-instance activity
}

// Scope is what a token keeps about its inside.
type Scope struct {
	Loop  bool           `json:"loop,omitempty"`  // multi-instance body, as opposed to a subprocess
	Items []any          `json:"items,omitempty"` // one per instance
	Next  int            `json:"next,omitempty"`  // instances started
	Done  int            `json:"done,omitempty"`  // instances completed
	Tally map[string]int `json:"tally,omitempty"` // completed instances by outcome
	Seen  []string       `json:"seen,omitempty"`  // user tasks visited in this subprocess, in order
}

// Env is what expressions can read beside the state. All of it is read only.
type Env struct {
	Form    map[string]any
	Case    map[string]any
	Parties []map[string]any
}

// Input is one thing that happens to a walk: Start, Complete, Message, Timer,
// ServiceDone, ServiceFailed, Retry, Return or Cancel.
type Input interface{ input() }

// Start begins the walk at the start event.
type Start struct{ Vars map[string]any }

// Complete finishes a user task. Outcome must be one of the task's outcomes,
// and empty if it has none. Vars are merged into the state.
type Complete struct {
	TaskKey string
	Outcome string
	Vars    map[string]any
}

// Message tells the walk that a message came. Key names the waiting token and
// may be left out if only one waits for Name.
type Message struct {
	Name    string
	Key     string
	Outcome string
	Vars    map[string]any
}

// Timer tells the walk that the timer set under Key is due.
type Timer struct{ Key string }

// ServiceDone tells the walk that the service called under Key has done its work.
type ServiceDone struct {
	Key     string
	Outcome string
	Vars    map[string]any
}

// ServiceFailed tells the walk that the service called under Key failed for
// good. If the task has an outcome "failed" the walk goes on with it, otherwise
// the token stays, marked, until Retry, ServiceDone or Return.
type ServiceFailed struct {
	Key    string
	Reason string
	Vars   map[string]any
}

// Retry calls the service under Key again.
type Retry struct{ Key string }

// Return sends the walk back（退回）to a user task already visited in the same
// or an enclosing scope. Everything else in that scope is cancelled. From is
// the key of the token that returns; it may be empty if To can only mean one
// scope.
type Return struct {
	From string
	To   string
}

// Cancel ends the walk and cancels all that is open.
type Cancel struct{ Reason string }

func (Start) input()         {}
func (Complete) input()      {}
func (Message) input()       {}
func (Timer) input()         {}
func (ServiceDone) input()   {}
func (ServiceFailed) input() {}
func (Retry) input()         {}
func (Return) input()        {}
func (Cancel) input()        {}

// EffectKind says what an Effect asks for or tells.
type EffectKind string

// The effects. The first group asks the caller to do something, the second only
// tells what happened.
const (
	CreateTask    EffectKind = "create-task"
	CancelTask    EffectKind = "cancel-task"
	CallService   EffectKind = "call-service"
	CancelService EffectKind = "cancel-service"
	AwaitMessage  EffectKind = "await-message"
	CancelMessage EffectKind = "cancel-message"
	SetTimer      EffectKind = "set-timer"
	CancelTimer   EffectKind = "cancel-timer"

	Entered   EffectKind = "entered"   // Node was reached
	Took      EffectKind = "took"      // Flow was taken
	Failed    EffectKind = "failed"    // the service at Node failed and waits for Retry
	Returned  EffectKind = "returned"  // the walk went back to Node
	Ended     EffectKind = "ended"     // the walk is over, at end event Node
	Cancelled EffectKind = "cancelled" // the walk was cancelled
)

// Why a Cancel effect was given.
const (
	WhyReturn    = "return"    // 退回 took the token away
	WhyInterrupt = "interrupt" // an interrupting boundary event fired
	WhyTerminate = "terminate" // a terminate end event was reached
	WhyEnough    = "enough"    // the completion condition of a multi-instance activity held
	WhyLeft      = "left"      // boundary events of an activity that is done
	WhyCancel    = "cancel"    // the walk was cancelled
)

// Effect is one thing that Step asks for or tells, in the order in which it
// happened. A key is used for one waiting only: it is answered at most once, or
// cancelled.
type Effect struct {
	Kind EffectKind
	Key  string // token, for all that ask
	Node string // node id
	Name string // tasks and services: the node's name; messages: the message's name
	Flow string // Took: flow id
	Why  string // Cancel effects: one of the Why constants; Failed, Cancelled: the reason

	Role     string // CreateTask: flowable:candidateGroups
	Assignee string // CreateTask: flowable:assignee, evaluated
	Org      string // CreateTask: haoban:org, evaluated
	Verb     string // CallService, CancelService, Failed
	Send     bool   // CallService: a send task

	Days     int           // CreateTask: the limit; SetTimer: whole days
	WorkDays bool          // Days are working days
	Duration time.Duration // SetTimer: hours, minutes and seconds, when Days is 0
	At       string        // SetTimer: a day (2006-01-02) or moment (RFC 3339) instead of a duration

	Index, Of int // CreateTask, CallService: which of how many instances, from 0; Of is 0 outside multi-instance
	Item      any // the element of the collection this instance is for

	Boundary  bool // AwaitMessage, SetTimer: a boundary event
	Terminate bool // Ended: by a terminate end event
}
