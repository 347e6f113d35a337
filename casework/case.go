// Package casework does once what every matter needs: a case (办件) is opened,
// filled, consented to, submitted, accepted, walked through officials' tasks
// against a legal clock, and closed. It knows no matter by name, no office and
// no outside system; those plug in as verbs, sources and subscribers.
//
// One command is one transaction: load (with version) → guard → the pure walker
// of casework/process → save → effects as tasks, timers and jobs. Every change
// is an event with actor, time and reason, numbered under the case's row lock.
package casework

import (
	"embed"
	"encoding/json"
	"strconv"
	"time"

	"haoban/casework/matter"
	"haoban/casework/process"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of casework, prefix cw_.
func Migrations() db.Line { return db.Line{Room: "cw", FS: migrations} }

// Phase is where a case stands, the same eight values for all matters. It is
// separate from where the tokens of its process stand.
type Phase string

// The phases.
const (
	Draft      Phase = "draft"      // 填报
	Consent    Phase = "consent"    // 各方确认
	Submitted  Phase = "submitted"  // 待受理
	Handling   Phase = "handling"   // 办理中
	Supplement Phase = "supplement" // 待补正
	Paying     Phase = "paying"     // 待缴费
	Closed     Phase = "closed"     // 办结
	Stopped    Phase = "stopped"    // 终止
)

// Text is the phase as people read it.
func (p Phase) Text() string {
	return map[Phase]string{
		Draft: "填报中", Consent: "等各方确认", Submitted: "待受理", Handling: "办理中",
		Supplement: "待补正", Paying: "待缴费", Closed: "已办结", Stopped: "已终止",
	}[p]
}

// Over reports whether nothing more happens by itself.
func (p Phase) Over() bool { return p == Closed || p == Stopped }

// HomeNet is the net a case lives on. One net is the default; commands run only
// at home.
const HomeNet = "one"

// NoDue stands in the due column while no clock runs, so that such cases sort
// last.
const NoDue int64 = 253402300799000

// FactMeta says where a prefilled value came from.
type FactMeta struct {
	Source string `json:"source"` // prefill id
	Text   string `json:"text"`   // 人口库
	At     int64  `json:"at"`
	State  string `json:"state"` // ok, down, empty, pending
	Lock   bool   `json:"lock"`
	Msg    string `json:"msg,omitempty"`
}

// Case is one case as stored, without its sensitive leaves.
type Case struct {
	ID        string
	No        string // empty until submitted
	Matter    string // slug
	Digest    string // definition it keeps
	Bundle    string // id of its bundle; a single case is a bundle of one
	BundleSeq int
	Phase     Phase
	District  string
	Title     string
	Channel   string // web, app, window, partner
	Opener    string // person id
	Org       string // organisation acted for, or ""
	Opened    int64
	Submitted int64
	Accepted  int64
	Closed    int64
	Due       int64 // end of the last day, or NoDue
	Paused    bool
	Outcome   string
	Version   int
	Seq       int
	State     process.State
	Facts     map[string]FactMeta
	Settings  map[string]int // settings versions frozen at acceptance
}

// Event is one change of a case.
type Event struct {
	Case      string
	Seq       int
	At        int64
	Kind      string
	Actor     string
	ActorKind string
	ActorName string // shown to people; masked for persons
	Text      string
	Reason    string
	Data      map[string]any
}

// The errors every command may return.
var (
	ErrNotFound = errs.New(errs.NotFound, "case.not_found", "没有这件办件，或者您无权查看")
	ErrVersion  = errs.New(errs.Conflict, "case.version", "这件办件刚刚有变化，请刷新后再试；您填的内容没有丢")
	ErrPhase    = errs.New(errs.Conflict, "case.phase", "办件现在的状态不能这样办")
	ErrNotYours = errs.New(errs.Forbidden, "case.forbidden", "您可以查看这件办件，但不能这样办")
)

// Work is one case inside one transaction, with what may be done to it. Verbs
// and commands receive it; it is not safe for concurrent use and dies with the
// transaction.
type Work struct {
	*Case
	M     *matter.Matter
	Actor ident.Actor
	Tx    *db.Tx

	s        *Service
	form     map[string]any
	stored   map[string]string // secrets as stored, path → plain, to write only what changed
	fresh    bool
	formSet  bool
	events   []Event
	mates    []*Work
	scopes   []string
	scopeSet bool
	reclock  bool
	depth    int
}

// Form returns the whole form, sensitive leaves included. The caller may not
// change it; use SetForm.
func (w *Work) Form() map[string]any { return w.form }

// SetForm replaces the form. It is validated by the caller.
func (w *Work) SetForm(f map[string]any) { w.form, w.formSet = f, true }

// Service returns the service the work belongs to.
func (w *Work) Service() *Service { return w.s }

// Now is the business time of the transaction.
func (w *Work) Now() time.Time { return w.Tx.Now() }

// Mates returns the cases of the bundle in order, this one included.
func (w *Work) Mates() []*Work {
	if len(w.mates) == 0 {
		return []*Work{w}
	}
	return w.mates
}

// Env is what expressions of the matter read.
func (w *Work) Env() matter.Env {
	facts := map[string]any{}
	for k, f := range w.Facts {
		facts[k] = map[string]any{"state": f.State, "at": f.At}
	}
	return matter.Env{
		Form:  w.form,
		Facts: facts,
		Actor: map[string]any{"kind": w.Actor.Kind, "id": w.Actor.PersonID, "org": w.Actor.OrgID, "name": w.Actor.Name},
		Case: map[string]any{
			"no": w.No, "district": w.District, "matter": w.Matter, "phase": string(w.Phase), "bundle": w.Bundle, "follows": w.BundleSeq > 0,
			"outcome": w.Outcome, "channel": w.Channel, "levels": w.levels(),
			"org": w.Org, // who filed, whoever acts now
		},
	}
}

// levels is how many levels of approval the matter needs (三级审批: 经办, 处室,
// 局领导), by setting.
func (w *Work) levels() int {
	if w.s == nil || w.s.o.Setting == nil {
		return 3
	}
	for _, key := range []string{"approval.levels." + w.Matter, "approval.levels"} {
		if n, err := strconv.Atoi(w.s.o.Setting(key)); err == nil {
			return n
		}
	}
	return 3
}

// Emit records an event of this case. Text is what a person reads in the
// timeline; it must carry no personal data beyond masked names.
func (w *Work) Emit(kind, text, reason string, data map[string]any) {
	w.Seq++
	w.events = append(w.events, Event{
		Case: w.ID, Seq: w.Seq, At: w.Tx.NowMS(), Kind: kind,
		Actor: w.Actor.ID, ActorKind: w.Actor.Kind, ActorName: ActorName(w.Actor),
		Text: text, Reason: reason, Data: data,
	})
	switch kind {
	case evAccepted, evPaused, evResumed, evExtended, evClosed, evStopped:
		w.reclock = true
	}
}

// SetPhase moves the case to phase p.
func (w *Work) SetPhase(p Phase) {
	w.Phase = p
	w.scopeSet = true
}

// Today is the civil day in Shanghai.
func Today(t time.Time) string { return t.In(clock.Shanghai()).Format("2006-01-02") }

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		// Only values of our own plain types come here.
		panic(err)
	}
	return string(b)
}
