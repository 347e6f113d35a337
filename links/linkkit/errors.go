package linkkit

import (
	"errors"

	"haoban/platform/errs"
)

// Codes of the errors of this package. All but the last three are of kind
// errs.Unavailable: a partner that is silent, slow, unreadable or not to be
// believed has not said "no".
const (
	CodeDown      = "link.down"      // no connection, cut off, or too slow
	CodeGarbage   = "link.garbage"   // an answer nobody can read
	CodeHuge      = "link.huge"      // an answer beyond the limit
	CodeSignature = "link.signature" // an answer whose signature is missing or wrong
	CodeFault     = "link.fault"     // the partner says 5xxx
	CodeNotReady  = "link.not_ready" // the partner says 4xxx: ask again later
	CodeOpen      = "link.open"      // not asked: it failed repeatedly a moment ago
	CodeInvalid   = "link.invalid"   // the partner says 1xxx, kind errs.Invalid
	CodeAuth      = "link.auth"      // the partner says 2xxx, kind errs.Internal: our keys or clock
	CodeRefused   = "link.refused"   // the partner says 3xxx, kind errs.Conflict, see Refusal
)

// Refusal is a partner's business "no" (3xxx), with their own sentence. It is
// of kind errs.Conflict.
type Refusal struct {
	System   string // "caserepo"
	API      string // "case-repo.push"
	Code     string // "3102"
	Sentence string // as they said it
	err      *errs.Error
}

// Error names the system, its code and its sentence.
func (r *Refusal) Error() string { return r.err.Error() }

// Unwrap returns the classified error, so that errs.KindOf sees Conflict.
func (r *Refusal) Unwrap() error { return r.err }

// Refused returns the refusal in err's chain, if it is one.
func Refused(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}

// NotReady reports whether err says that the partner is alive and still at
// work (4xxx): a job waits then, it has not failed.
func NotReady(err error) bool { return errs.CodeOf(err) == CodeNotReady }

// ErrEarly is what the handler of an event returns when it does not know the
// business number yet: the event overtook the answer that would have told it.
// The event is kept and handed over later.
var ErrEarly = errs.New(errs.TooSoon, "link.early", "业务号尚未登记，事件先行保存")
