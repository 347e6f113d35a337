// Package simkit is what every simulated outside system has in common: it
// takes signed requests and signs its answers, gives each Idempotency-Key its
// effect once, counts effects, calls back, keeps a journal, and has bad
// weather on demand. A simulator in outside/<system> adds only its messages
// and its behaviour over the shared world.
//
// It says everywhere that it is a simulation: a header on every answer and a
// sentence on every page.
package simkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"haoban/links/linkkit/wire"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/errs"
)

// Header is on every answer of the outside, and Notice on every page.
const (
	Header = "X-Simulation"
	Notice = "本页为模拟环境，人员、企业、房屋和证号均为虚构，不具任何效力。"
)

// Options is what every simulator is made with.
type Options struct {
	World *world.World
	Clock clock.Clock // wall time: signatures, weather
	// Business tells the day to what a simulator decides by date; nil is Clock.
	Business clock.Clock
	// Secret returns the key shared with haoban for a system.
	Secret func(system string) wire.Secret
	// Haoban is the base address for callbacks, without a path; "" and nobody
	// is called back.
	Haoban string
	Client *http.Client // for callbacks; nil for one of our own
	Log    *slog.Logger
	// Retry is the pause before a callback is tried again, doubled each time
	// up to thirty times; 0 is one second.
	Retry time.Duration
}

// CallbackPath is where haoban takes the events of a system.
func CallbackPath(system string) string { return "/api/v1/partner/callbacks/" + system }

// Func answers one signed request with data for the envelope. An error of
// Refuse, NotReady or Bad becomes its code; any other becomes 5001.
type Func func(r *Request) (any, error)

// Request is a verified request.
type Request struct {
	*http.Request
	App  string
	Key  string // Idempotency-Key, "" if none
	Body []byte
	day  string
}

// Today returns the simulator's business day, 2006-01-02 in Shanghai.
func (r *Request) Today() string { return r.day }

// Decode reads the body as JSON into v. It returns Bad for anything else.
func (r *Request) Decode(v any) error {
	if err := json.Unmarshal(r.Body, v); err != nil {
		return Bad("报文不是约定的 JSON：" + err.Error())
	}
	return nil
}

// Answer is an error that becomes an envelope.
type Answer struct {
	Code, Message string
	Status        int
}

// asAnswer makes an answer of any error: 5001 unless it says otherwise.
func asAnswer(err error) *Answer {
	var a *Answer
	if errors.As(err, &a) {
		return a
	}
	return &Answer{Code: wire.CodeFault, Message: err.Error(), Status: http.StatusInternalServerError}
}

// Error gives code and sentence.
func (a *Answer) Error() string { return a.Code + " " + a.Message }

// Refuse returns a business refusal; code is 3xxx.
func Refuse(code, message string) error {
	return &Answer{Code: code, Message: message, Status: http.StatusOK}
}

// NotReady returns "still at work" (4001).
func NotReady(message string) error {
	return &Answer{Code: wire.CodeNotReady, Message: message, Status: http.StatusOK}
}

// Bad returns "the message cannot be right" (1001).
func Bad(message string) error {
	return &Answer{Code: wire.CodeInvalid, Message: message, Status: http.StatusBadRequest}
}

// File is an answer that is a file and no envelope.
type File struct {
	Mime string
	Body []byte
}

// Sim is one simulated system. Its zero value is of no use; see New.
type Sim struct {
	System, Name string
	World        *world.World

	o     Options
	key   wire.Secret
	mux   *http.ServeMux
	pages *http.ServeMux

	acts    sync.Mutex // one request with a key at a time
	mu      sync.Mutex
	nonces  wire.MemoryNonces
	replies map[string]reply          // by path and Idempotency-Key
	effects map[string]map[string]int // kind, key → times
	journal []Entry
	seq     int64 // of the journal
	ticks   int64
	weather Weather
	until   time.Time
	drops   int64 // counts requests under weather, for Rate

	calls sync.WaitGroup
	stop  context.Context //nolint:containedctx // the life of callbacks under way, ended by Close
	end   context.CancelFunc
}

type reply struct {
	digest string
	status int
	mime   string
	body   []byte
}

// New returns a simulator named system (its path and breaker) and name (what
// people call it). Close ends its callbacks.
func New(system, name string, o Options) *Sim {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if o.Retry == 0 {
		o.Retry = time.Second
	}
	if o.Business == nil {
		o.Business = o.Clock
	}
	s := &Sim{
		System: system, Name: name, World: o.World, o: o, key: o.Secret(system),
		mux: http.NewServeMux(), pages: http.NewServeMux(),
		replies: make(map[string]reply), effects: make(map[string]map[string]int),
	}
	s.stop, s.end = context.WithCancel(context.Background())
	return s
}

// Close ends callbacks under way and waits for them.
func (s *Sim) Close() {
	s.end()
	s.calls.Wait()
}

// Now returns the business time in this simulated world.
func (s *Sim) Now() time.Time { return s.o.Business.Now() }

func (s *Sim) wall() time.Time { return s.o.Clock.Now() }

// Open opens a sealed field of a message. It returns Bad if it is not sealed
// with our key.
func (s *Sim) Open(sealed string) (string, error) {
	plain, err := s.key.Open(sealed)
	if err != nil {
		return "", Bad("加密字段无法解开")
	}
	return plain, nil
}

// Seal seals a field of an answer.
func (s *Sim) Seal(plain string) (string, error) { return s.key.Seal(plain) }

// Lock runs f alone: simulators keep their state in plain maps under it. f
// must not call Effect, Tell or Lock.
func (s *Sim) Lock(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Handle answers signed requests for a pattern of http.ServeMux without the
// system's own prefix: "POST /api/v1/case-repo/push".
func (s *Sim) Handle(pattern string, f Func) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.signed(w, r, f) })
}

// Page serves unsigned requests, those of a person's browser, for a pattern.
func (s *Sim) Page(pattern string, f http.HandlerFunc) { s.pages.HandleFunc(pattern, f) }

// Effect counts that key of kind took effect, and returns how many times it
// now has. Once is right; the journal shows the rest.
func (s *Sim) Effect(kind, key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.effects[kind] == nil {
		s.effects[kind] = make(map[string]int)
	}
	s.effects[kind][key]++
	return s.effects[kind][key]
}

// Effects returns how many different keys of kind took effect, and how many
// times in all.
func (s *Sim) Effects(kind string) (keys, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.effects[kind] {
		times += n
	}
	return len(s.effects[kind]), times
}

// ServeHTTP serves the system below its own prefix, which a mux may have
// stripped already.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(Header, "simulated; no authority stands behind this")
	if p, ok := strings.CutPrefix(r.URL.Path, "/"+s.System+"/"); ok {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = "/"+p, ""
	}
	if _, pattern := s.pages.Handler(r); pattern != "" {
		s.page(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
	if err != nil {
		http.Error(w, "body", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	began := s.wall()
	kind := s.now()
	rec := &recorder{header: make(http.Header), status: http.StatusOK}
	switch kind {
	case Down, Slow, Refusing, Faulty, Garbage, Skewed, Unready:
		// The request never reaches the system.
	default:
		if _, pattern := s.mux.Handler(r); pattern == "" {
			s.write(rec, r, http.StatusNotFound, nil, &Answer{Code: wire.CodeNotFound, Message: "模拟系统没有这个接口", Status: http.StatusNotFound})
		} else {
			s.mux.ServeHTTP(rec, r)
		}
	}
	s.send(w, r, kind, rec)
	s.note(Entry{
		At: began, Method: r.Method, Path: r.URL.Path, Key: r.Header.Get(wire.HeaderKey), Trace: r.Header.Get(wire.HeaderTrace),
		SM3: wire.Digest(body), Status: rec.status, Code: rec.code, Weather: string(kind), Repeat: rec.repeat,
	})
}

// page serves a person's browser. Of the weather it only feels what a browser
// would.
func (s *Sim) page(w http.ResponseWriter, r *http.Request) {
	switch kind := s.now(); kind {
	case Down, Slow:
		s.send(w, r, kind, nil)
	case Faulty, Garbage:
		http.Error(w, "系统维护中（模拟）", http.StatusServiceUnavailable)
	default:
		s.pages.ServeHTTP(w, r)
	}
}

type recorder struct {
	header http.Header
	status int
	code   string
	repeat bool
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(status int)      { r.status = status }

// signed verifies r, answers a repeated key like the first time, and else
// asks f.
func (s *Sim) signed(w http.ResponseWriter, r *http.Request, f Func) {
	rec, _ := w.(*recorder)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.write(rec, r, 0, nil, Bad("报文未能完整接收"))
		return
	}
	if err := wire.Verify(r.Context(), r, s.key, &s.nonces, s.wall(), body); err != nil {
		msg := ""
		if e, ok := errs.As(err); ok {
			msg = e.Msg
		}
		s.write(rec, r, 0, nil, &Answer{Code: wire.CodeFor(err), Message: msg, Status: http.StatusUnauthorized})
		return
	}
	key := r.Header.Get(wire.HeaderKey)
	slot := r.Method + " " + r.URL.Path + "\n" + key
	if key != "" {
		s.acts.Lock()
		defer s.acts.Unlock()
		s.mu.Lock()
		had, ok := s.replies[slot]
		s.mu.Unlock()
		if ok && had.digest != wire.Digest(body) {
			s.write(rec, r, 0, nil, Refuse(wire.CodeDiffers, "同一幂等键已提交过不同内容"))
			return
		}
		if ok {
			rec.repeat, rec.code = true, wire.CodeOK
			s.sign(rec, r, had.status, had.mime, had.body)
			return
		}
	}
	data, err := f(&Request{Request: r, App: r.Header.Get(wire.HeaderApp), Key: key, Body: body, day: s.Now().In(clock.Shanghai()).Format(time.DateOnly)})
	s.write(rec, r, http.StatusOK, data, err)
	if key != "" && err == nil {
		s.mu.Lock()
		s.replies[slot] = reply{wire.Digest(body), rec.status, rec.header.Get("Content-Type"), bytes.Clone(rec.body.Bytes())}
		s.mu.Unlock()
	}
}

// write puts an envelope, or a file, into rec.
func (s *Sim) write(rec *recorder, r *http.Request, status int, data any, err error) {
	if f, ok := data.(File); ok && err == nil {
		rec.code = wire.CodeOK
		s.sign(rec, r, status, f.Mime, f.Body)
		return
	}
	env := wire.Envelope{Code: wire.CodeOK, Message: "ok", TraceID: r.Header.Get(wire.HeaderTrace)}
	if err != nil {
		a := asAnswer(err)
		env.Code, env.Message = a.Code, a.Message
		if status = a.Status; status == 0 {
			status = http.StatusOK
		}
	} else {
		if data == nil {
			data = struct{}{}
		}
		raw, merr := json.Marshal(data)
		if merr != nil {
			env.Code, env.Message, status = wire.CodeFault, merr.Error(), http.StatusInternalServerError
		}
		env.Data = raw
	}
	body, merr := json.Marshal(env)
	if merr != nil {
		body = []byte(`{"code":"5001","message":"envelope"}`)
	}
	rec.code = env.Code
	s.sign(rec, r, status, "application/json; charset=utf-8", body)
}

func (s *Sim) sign(rec *recorder, r *http.Request, status int, mime string, body []byte) {
	rec.header.Set("Content-Type", mime)
	if err := wire.SignAnswer(rec.header, s.key, r, status, s.wall(), body); err != nil {
		s.o.Log.Error("answer not signed", "system", s.System, "err", err)
	}
	rec.status = status
	rec.body.Reset()
	rec.body.Write(body)
}
