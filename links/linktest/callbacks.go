package linktest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"haoban/links/linkkit"
	"haoban/links/linkkit/wire"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

func wall() time.Time { return clock.Wall{}.Now() }

const callbackPath = "/api/v1/partner/callbacks/x"

// caller is the partner's side of a callback.
type caller struct {
	t      *testing.T
	h      *house
	r      *linkkit.Receiver
	app    string
	nonces atomic.Int64
	hits   int
	say    error // what the handler returns
	got    []wire.Event
}

func newCaller(t *testing.T, keys gm.Keys, system string, in *Inbound) *caller {
	t.Helper()
	c := &caller{t: t, h: newHouse(t, keys), app: system}
	hit := func(_ context.Context, _ *db.Tx, e wire.Event) error {
		if c.say != nil {
			return c.say
		}
		c.hits++
		c.got = append(c.got, e)
		return nil
	}
	r, err := in.Receiver(linkkit.ReceiverConfig{
		System: system, Name: "对方系统", AppID: system, Peer: c.h.secret, Signer: c.h.secret, DB: c.h.db, Keys: c.h.keys,
		Clock: clock.Wall{}, Recorder: c.h.book, Log: c.h.log, Max: 1 << 16,
	}, hit)
	if err != nil {
		t.Fatal(err)
	}
	c.r = r
	return c
}

// twist changes a signed callback before it arrives.
type twist func(r *http.Request, body []byte) []byte

// call sends e and returns status and code. The answer must be signed for this
// very request.
func (c *caller) call(e wire.Event, at time.Time, nonce string, w twist) (int, string) {
	c.t.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send(body, "application/json; charset=utf-8", at, nonce, w)
}

func (c *caller) send(body []byte, mime string, at time.Time, nonce string, w twist) (int, string) {
	c.t.Helper()
	if nonce == "" {
		nonce = "n-" + strconv.FormatInt(c.nonces.Add(1), 10)
	}
	r := httptest.NewRequestWithContext(c.t.Context(), http.MethodPost, callbackPath, bytes.NewReader(body))
	r.Header.Set("Content-Type", mime)
	if err := wire.Sign(r, c.h.secret, c.app, nonce, at, body); err != nil {
		c.t.Fatal(err)
	}
	if w != nil {
		body = w(r, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	rec := httptest.NewRecorder()
	c.r.ServeHTTP(rec, r)
	var env wire.Envelope
	if err := json.Unmarshal(rec.Body.Bytes(), &env); err != nil {
		c.t.Fatalf("answer to a callback: %v: %s", err, rec.Body)
	}
	if err := wire.VerifyAnswer(rec.Header(), c.h.secret, callbackPath, r.Header.Get(wire.HeaderNonce), rec.Code, wall(), rec.Body.Bytes()); err != nil {
		c.t.Errorf("answer to a callback: %v", err)
	}
	return rec.Code, env.Code
}

func (c *caller) want(what string, status int, code string, wantStatus int, wantCode string, hits int) {
	c.t.Helper()
	if status != wantStatus || code != wantCode || c.hits != hits {
		c.t.Errorf("%s: %d %s with %d effects, want %d %s with %d", what, status, code, c.hits, wantStatus, wantCode, hits)
	}
}

func callbacks(t *testing.T, keys gm.Keys, system string, in *Inbound, private []string) {
	if len(in.Events) == 0 {
		t.Fatal("callbacks without samples")
	}
	for _, e := range in.Events {
		t.Run(e.Type, func(t *testing.T) {
			t.Parallel()
			t.Run("twice", func(t *testing.T) { t.Parallel(); twice(newCaller(t, keys, system, in), e, private) })
			t.Run("early", func(t *testing.T) { t.Parallel(); early(newCaller(t, keys, system, in), e, private) })
			t.Run("not to be believed", func(t *testing.T) { t.Parallel(); forged(newCaller(t, keys, system, in), e, private) })
			t.Run("we fail", func(t *testing.T) { t.Parallel(); failing(newCaller(t, keys, system, in), e, private) })
			t.Run("GBK", func(t *testing.T) { t.Parallel(); inGBK(newCaller(t, keys, system, in), e) })
		})
	}
}

// twice: the same event has its effect once, its next version once more, the
// same version with another content never.
func twice(c *caller, e wire.Event, private []string) {
	now := wall()
	s, code := c.call(e, now, "", nil)
	c.want("first", s, code, 200, "0", 1)
	c.h.evidence(c.t, 1, linkkit.In, "", linkkit.SignatureOK)
	for range 2 {
		s, code = c.call(e, now, "", nil)
		c.want("again", s, code, 200, "0", 1)
	}
	other := e
	other.Payload = json.RawMessage(`{"changed":true}`)
	s, code = c.call(other, now, "", nil)
	c.want("same version, another content", s, code, 409, "3001", 1)
	c.h.evidence(c.t, 4, linkkit.In, "link.differs", linkkit.SignatureOK)
	e.Version++
	s, code = c.call(e, now, "", nil)
	c.want("next version", s, code, 200, "0", 2)
	c.h.quiet(c.t, private)
}

// early: the event comes before the answer that names its business number.
func early(c *caller, e wire.Event, private []string) {
	c.say = linkkit.ErrEarly
	now := wall()
	for range 2 {
		s, code := c.call(e, now, "", nil)
		c.want("early", s, code, 200, "0", 0)
	}
	c.h.evidence(c.t, 2, linkkit.In, "", linkkit.SignatureOK)
	if n, err := c.r.Sweep(c.t.Context()); n != 0 || err != nil {
		c.t.Errorf("sweep while still early: %d, %v", n, err)
	}
	deliver := func(biz string) {
		c.t.Helper()
		if err := c.h.db.Tx(c.t.Context(), func(tx *db.Tx) error { return c.r.Deliver(c.t.Context(), tx, biz) }); err != nil {
			c.t.Fatal(err)
		}
	}
	c.say = nil
	deliver("another number")
	if c.hits != 0 {
		c.t.Error("delivered to another business number")
	}
	deliver(e.BizNo)
	deliver(e.BizNo)
	if c.hits != 1 {
		c.t.Errorf("delivered %d times, want once", c.hits)
	}
	s, code := c.call(e, now, "", nil)
	c.want("after delivery", s, code, 200, "0", 1)
	if len(c.got) == 1 && (c.got[0].BizNo != e.BizNo || c.got[0].Version != e.Version || !sameJSON(c.got[0].Payload, e.Payload)) {
		c.t.Errorf("delivered %+v, want %+v", c.got[0], e)
	}
	c.say = linkkit.ErrEarly
	e.Version += 5
	s, code = c.call(e, now, "", nil)
	c.want("early again", s, code, 200, "0", 1)
	c.say = nil
	if n, err := c.r.Sweep(c.t.Context()); n != 1 || err != nil || c.hits != 2 {
		c.t.Errorf("sweep: %d, %v, %d effects", n, err, c.hits)
	}
	c.h.quiet(c.t, private)
}

// forged: nothing unsigned, altered, stale or replayed has an effect.
func forged(c *caller, e wire.Event, private []string) {
	now := wall()
	same := func(_ *http.Request, b []byte) []byte { return b }
	rows := 0
	for _, tt := range []struct {
		name string
		at   time.Time
		w    twist
		code string
		sig  linkkit.Seen
	}{
		{"wrong signature", now, func(r *http.Request, b []byte) []byte { r.Header.Set(wire.HeaderSign, "AAAA"); return b }, "2001", linkkit.SignatureBad},
		{"no signature", now, func(r *http.Request, b []byte) []byte { r.Header.Del(wire.HeaderSign); return b }, "2001", linkkit.SignatureNone},
		{"changed on its way", now, func(_ *http.Request, b []byte) []byte { return append(b, ' ') }, "2001", linkkit.SignatureBad},
		{"another system's", now, func(r *http.Request, b []byte) []byte { r.Header.Set(wire.HeaderApp, "other"); return b }, "2001", linkkit.SignatureNone},
		{"clock ahead", now.Add(10 * time.Minute), same, "2002", linkkit.SignatureOK},
		{"clock behind", now.Add(-10 * time.Minute), same, "2002", linkkit.SignatureOK},
	} {
		s, code := c.call(e, tt.at, "", tt.w)
		c.want(tt.name, s, code, 401, tt.code, 0)
		rows++
		failure := map[string]string{"2001": wire.ErrSignature.Code, "2002": wire.ErrClock.Code}[tt.code]
		c.h.evidence(c.t, rows, linkkit.In, failure, tt.sig)
	}
	s, code := c.call(e, now, "the-nonce", nil)
	c.want("right", s, code, 200, "0", 1)
	s, code = c.call(e, now, "the-nonce", nil)
	c.want("replayed", s, code, 401, "2003", 1)
	unknown := e
	unknown.Type = "no.such.event"
	s, code = c.call(unknown, now, "", nil)
	c.want("unknown event", s, code, 400, "1001", 1)
	s, code = c.send([]byte("<xml/>"), "text/xml", now, "", nil)
	c.want("garbage", s, code, 400, "1001", 1)
	s, code = c.send(bytes.Repeat([]byte(" "), 1<<17), "application/json", now, "", nil)
	c.want("huge", s, code, 400, "1001", 1)
	c.h.quiet(c.t, private)
}

// failing: our own fault asks the partner to repeat; a refusal of ours does not.
func failing(c *caller, e wire.Event, private []string) {
	now := wall()
	c.say = errs.New(errs.Internal, "test.broken", "坏了")
	s, code := c.call(e, now, "", nil)
	c.want("our fault", s, code, 503, "5001", 0)
	c.h.evidence(c.t, 1, linkkit.In, "test.broken", linkkit.SignatureOK)
	c.say = errs.New(errs.Conflict, "test.refused", "已退款")
	s, code = c.call(e, now, "", nil)
	c.want("our refusal", s, code, 409, "3001", 0)
	c.say = nil
	s, code = c.call(e, now, "", nil)
	c.want("afterwards", s, code, 200, "0", 1)
	c.h.quiet(c.t, private)
}

func inGBK(c *caller, e wire.Event) {
	body, err := json.Marshal(e)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes(body)
	if err != nil {
		c.t.Fatal(err)
	}
	s, code := c.send(b, "application/json; charset=GBK", wall(), "", nil)
	c.want("GBK", s, code, 200, "0", 1)
	if len(c.got) == 1 && !sameJSON(c.got[0].Payload, e.Payload) {
		c.t.Errorf("GBK payload read as %s", c.got[0].Payload)
	}
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	p, errA := json.Marshal(x)
	q, errB := json.Marshal(y)
	return errA == nil && errB == nil && bytes.Equal(p, q)
}
