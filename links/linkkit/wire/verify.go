package wire

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"sync"
	"time"

	"haoban/platform/errs"
)

// Nonces remembers nonces. Implementations are safe for concurrent use.
type Nonces interface {
	// Use marks nonce of app as used at the given time and reports whether it
	// was free. A nonce is remembered for NonceKept.
	Use(ctx context.Context, app, nonce string, at time.Time) (bool, error)
}

// The refusals of Verify, to be matched with errors.Is. All are of kind
// errs.Unauthenticated.
var (
	ErrSignature = errs.New(errs.Unauthenticated, "wire.signature", "签名缺失或不符")
	ErrClock     = errs.New(errs.Unauthenticated, "wire.clock", "时间戳超出允许的偏差（±300 秒），请校准时钟")
	ErrReplay    = errs.New(errs.Unauthenticated, "wire.replay", "该请求已经用过，请换一个随机数重新签名")
)

// CodeFor returns the answer code (2xxx) for an error of Verify, and the code
// of its class for every other classified error.
func CodeFor(err error) string {
	switch errs.CodeOf(err) {
	case ErrSignature.Code:
		return CodeSignature
	case ErrClock.Code:
		return CodeClock
	case ErrReplay.Code:
		return CodeReplay
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.NotFound, errs.TooLarge:
		return CodeInvalid
	case errs.Unauthenticated:
		return CodeSignature
	case errs.Forbidden, errs.Conflict:
		return CodeRefused
	case errs.TooSoon, errs.Unavailable, errs.TooMany:
		return CodeNotReady
	default:
		return CodeFault
	}
}

// Verify checks the signature, the window and, unless nonces is nil, the nonce
// of a received request with the given body. It returns ErrSignature, ErrClock
// or ErrReplay; any other error is that of nonces.
func Verify(ctx context.Context, r *http.Request, v Verifier, nonces Nonces, now time.Time, body []byte) error {
	ts, nonce := r.Header.Get(HeaderTimestamp), r.Header.Get(HeaderNonce)
	if nonce == "" || len(nonce) > 64 || r.Header.Get(HeaderAlg) != string(v.Alg()) {
		return ErrSignature
	}
	sig, err := base64.StdEncoding.DecodeString(r.Header.Get(HeaderSign))
	if err != nil || len(sig) == 0 {
		return ErrSignature
	}
	if !v.Verify(RequestText(r.Method, PathOf(r), r.URL.Query(), ts, nonce, body), sig) {
		return ErrSignature
	}
	if !fresh(ts, now) {
		return ErrClock
	}
	if nonces == nil {
		return nil
	}
	free, err := nonces.Use(ctx, r.Header.Get(HeaderApp), nonce, now)
	if err != nil {
		return err
	}
	if !free {
		return ErrReplay
	}
	return nil
}

// VerifyAnswer checks the signature and window of the answer to a request with
// the given escaped path and nonce. It returns ErrSignature or ErrClock.
func VerifyAnswer(h http.Header, v Verifier, path, nonce string, status int, now time.Time, body []byte) error {
	if h.Get(HeaderNonce) != nonce || h.Get(HeaderAlg) != string(v.Alg()) {
		return ErrSignature
	}
	sig, err := base64.StdEncoding.DecodeString(h.Get(HeaderSign))
	if err != nil || len(sig) == 0 {
		return ErrSignature
	}
	if !v.Verify(AnswerText(path, status, h.Get(HeaderTimestamp), nonce, body), sig) {
		return ErrSignature
	}
	if !fresh(h.Get(HeaderTimestamp), now) {
		return ErrClock
	}
	return nil
}

// fresh reports whether a timestamp in unix milliseconds lies within Window of
// now.
func fresh(ts string, now time.Time) bool {
	ms, err := strconv.ParseInt(ts, 10, 64)
	if err != nil {
		return false
	}
	d := now.Sub(time.UnixMilli(ms))
	return d <= Window && d >= -Window
}

// MemoryNonces remembers nonces in memory, for one process.
type MemoryNonces struct {
	mu   sync.Mutex
	seen map[string]time.Time
	next time.Time // when to sweep again
}

// Use implements Nonces. It never returns an error.
func (m *MemoryNonces) Use(_ context.Context, app, nonce string, at time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make(map[string]time.Time)
	}
	if at.After(m.next) {
		for k, t := range m.seen {
			if at.Sub(t) > NonceKept {
				delete(m.seen, k)
			}
		}
		m.next = at.Add(time.Minute)
	}
	k := app + "\n" + nonce
	if t, ok := m.seen[k]; ok && at.Sub(t) <= NonceKept {
		return false, nil
	}
	m.seen[k] = at
	return true, nil
}
