package simkit

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"haoban/links/linkkit/wire"
)

// Tell calls haoban back with an event, and again until it is heard, like a
// partner with an outbox would. It returns at once.
func (s *Sim) Tell(eventType, bizNo string, version int64, payload any) {
	if s.o.Haoban == "" {
		return
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		s.o.Log.Error("callback not told", "system", s.System, "err", err)
		return
	}
	e := wire.Event{
		ID: fmt.Sprintf("%s-%d-%d", s.System, s.wall().UnixMilli(), s.tick()), Type: eventType, OccurredAt: s.Now().UnixMilli(),
		BizNo: bizNo, Version: version, Producer: s.System, Payload: raw,
	}
	times, wait := 1, time.Duration(0)
	switch s.now() {
	case Twice:
		times = 2
	case Late:
		wait = 10 * time.Second
	default:
	}
	for range times {
		s.calls.Add(1)
		go s.tell(e, wait)
	}
}

func (s *Sim) tell(e wire.Event, wait time.Duration) {
	defer s.calls.Done()
	body, err := json.Marshal(e)
	if err != nil {
		return
	}
	pause := s.o.Retry
	for try := range 40 {
		if wait > 0 {
			select {
			case <-s.stop.Done():
				return
			case <-time.After(wait):
			}
		}
		status, code := s.call(e, body, try)
		if status/100 == 2 && code == wire.CodeOK {
			return
		}
		if c := wire.ClassOf(code); c == wire.ClassInvalid || c == wire.ClassRefused {
			s.o.Log.Warn("callback refused", "system", s.System, "event", e.Type, "biz", e.BizNo, "code", code)
			return
		}
		wait = pause
		pause = min(pause*2, 30*s.o.Retry)
	}
}

func (s *Sim) call(e wire.Event, body []byte, try int) (int, string) {
	path := CallbackPath(s.System)
	r, err := http.NewRequestWithContext(s.stop, http.MethodPost, s.o.Haoban+path, bytes.NewReader(body))
	if err != nil {
		return 0, ""
	}
	now := s.wall()
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set(wire.HeaderTrace, e.ID)
	nonce := fmt.Sprintf("%s-%d-%d", e.ID, try, s.tick())
	if err := wire.Sign(r, s.key, s.System, nonce, now, body); err != nil {
		return 0, ""
	}
	if s.now() == BadCall {
		r.Header.Set(wire.HeaderSign, base64.StdEncoding.EncodeToString([]byte("no signature of ours, 32 bytes..")))
	}
	status, code := 0, ""
	resp, err := s.o.Client.Do(r)
	if err == nil {
		status = resp.StatusCode
		var env wire.Envelope
		if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&env) == nil {
			code = env.Code
		}
		_ = resp.Body.Close()
	}
	s.note(Entry{At: now, Out: true, Method: r.Method, Path: path, Key: e.BizNo, Trace: e.ID, SM3: wire.Digest(body), Status: status, Code: code})
	return status, code
}

// tick returns a number never returned before.
func (s *Sim) tick() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticks++
	return s.ticks
}
