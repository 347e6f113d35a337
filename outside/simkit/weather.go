package simkit

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"haoban/links/linkkit/wire"
)

// Kind is a sort of bad weather.
type Kind string

// The sorts. Before the system hears: Down, Slow, Refusing, Faulty, Garbage,
// Skewed, Unready. After it has acted: Lost, BadSign, GBK, Huge, Truncated. On
// callbacks: Twice, Late, BadCall. Flaky is Down for some requests.
const (
	Fair      Kind = ""
	Down      Kind = "down"      // the connection is cut without an answer
	Slow      Kind = "slow"      // no answer within a minute
	Refusing  Kind = "refuse"    // 3999
	Faulty    Kind = "fault"     // HTTP 503 and 5001
	Garbage   Kind = "garbage"   // a page of HTML
	Skewed    Kind = "skew"      // 2002, as if our clock were wrong
	Unready   Kind = "notready"  // 4001
	Lost      Kind = "lost"      // the effect happens, the answer is lost
	BadSign   Kind = "badsign"   // the answer's signature is wrong
	GBK       Kind = "gbk"       // the answer is in GBK
	Huge      Kind = "huge"      // the answer is endless
	Truncated Kind = "truncated" // the answer breaks off
	Twice     Kind = "twice"     // every callback comes twice
	Late      Kind = "late"      // callbacks wait ten seconds
	BadCall   Kind = "badcall"   // callbacks carry a wrong signature
	Flaky     Kind = "flaky"     // Down, for Rate of the requests
)

// Weather is a sort of bad weather and how much of it.
type Weather struct {
	Mode Kind    `json:"mode"`
	For  string  `json:"for,omitempty"`  // "60s"; "" is until changed
	Rate float64 `json:"rate,omitempty"` // share of requests it strikes; 0 is all, or 0.3 when flaky
}

func (k Kind) known() bool {
	switch k {
	case Fair, Down, Slow, Refusing, Faulty, Garbage, Skewed, Unready, Lost, BadSign, GBK, Huge, Truncated, Twice, Late, BadCall, Flaky:
		return true
	}
	return false
}

// SetWeather changes the weather from now on. It returns an error for a mode,
// duration or rate that does not exist.
func (s *Sim) SetWeather(w Weather) error {
	if w.Mode == "fair" || w.Mode == "up" {
		w.Mode = Fair
	}
	if !w.Mode.known() || w.Rate < 0 || w.Rate > 1 {
		return errors.New("mode 或 rate 不认识")
	}
	var until time.Time
	if w.For != "" {
		d, err := time.ParseDuration(w.For)
		if err != nil {
			return err
		}
		until = s.wall().Add(d)
	}
	if w.Rate == 0 {
		w.Rate = 1
		if w.Mode == Flaky {
			w.Rate = 0.3
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather, s.until, s.drops = w, until, 0
	return nil
}

// now returns the weather that strikes this request. Which requests it strikes
// is evenly spread and the same every time.
func (s *Sim) now() Kind {
	now := s.wall()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weather.Mode == Fair || (!s.until.IsZero() && now.After(s.until)) {
		return Fair
	}
	s.drops++
	const golden = 0.6180339887498949
	x := float64(s.drops) * golden
	if x-float64(int64(x)) >= s.weather.Rate {
		return Fair
	}
	if s.weather.Mode == Flaky {
		return Down
	}
	return s.weather.Mode
}

// send lets the answer out into the weather.
func (s *Sim) send(w http.ResponseWriter, r *http.Request, kind Kind, rec *recorder) {
	switch kind {
	case Down, Lost:
		cut(w)
		return
	case Slow:
		select {
		case <-r.Context().Done():
		case <-s.stop.Done():
		case <-time.After(time.Minute):
		}
		cut(w)
		return
	case Refusing:
		s.write(rec, r, 0, nil, Refuse("3999", "模拟：本次不予办理"))
	case Faulty:
		s.write(rec, r, 0, nil, &Answer{Code: wire.CodeFault, Message: "模拟：系统故障", Status: http.StatusServiceUnavailable})
	case Unready:
		s.write(rec, r, 0, nil, NotReady("模拟：正在处理"))
	case Skewed:
		s.write(rec, r, 0, nil, &Answer{Code: wire.CodeClock, Message: wire.ErrClock.Msg, Status: http.StatusUnauthorized})
	case Garbage:
		rec.header.Set("Content-Type", "text/html")
		rec.body.Reset()
		rec.body.WriteString("<html><body>系统维护中</body></html>")
	case BadSign:
		rec.header.Set(wire.HeaderSign, base64.StdEncoding.EncodeToString([]byte("no signature of ours, 32 bytes..")))
	case GBK:
		if strings.HasPrefix(rec.header.Get("Content-Type"), "application/json") {
			if b, err := simplifiedchinese.GBK.NewEncoder().Bytes(rec.body.Bytes()); err == nil {
				s.sign(rec, r, rec.status, "application/json; charset=GBK", b)
			}
		}
	case Huge:
		copyHeader(w, rec)
		w.WriteHeader(rec.status)
		chunk := []byte(strings.Repeat(" ", 1<<16))
		for range 1 << 10 { // 64 MiB
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
		return
	case Truncated:
		copyHeader(w, rec)
		w.Header().Set("Content-Length", strconv.Itoa(rec.body.Len()+100))
		w.WriteHeader(rec.status)
		_, _ = w.Write(rec.body.Bytes()[:rec.body.Len()/2])
		return
	}
	copyHeader(w, rec)
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes())
}

func copyHeader(w http.ResponseWriter, rec *recorder) {
	for k, v := range rec.header {
		w.Header()[k] = v
	}
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler) // what net/http offers where there is no hijacking
}

// Entry is one line of a journal.
type Entry struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Out     bool      `json:"out,omitempty"` // a callback of ours
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Key     string    `json:"key,omitempty"`
	Trace   string    `json:"trace,omitempty"`
	SM3     string    `json:"sm3"`
	Status  int       `json:"status"`
	Code    string    `json:"code"`
	Weather string    `json:"weather,omitempty"`
	Repeat  bool      `json:"repeat,omitempty"` // answered from an earlier request with the same key
}

// Journal is what a simulator can tell about itself.
type Journal struct {
	System   string                    `json:"system"`
	Name     string                    `json:"name"`
	Weather  Weather                   `json:"weather"`
	Requests int64                     `json:"requests"`
	Effects  map[string]map[string]int `json:"effects"` // kind, key → times
	Doubles  []string                  `json:"doubles"` // "kind key" with more than one effect
	Entries  []Entry                   `json:"entries"` // the newest thousand
}

const journalKept = 1000

func (s *Sim) note(e Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	e.Seq = s.seq
	if len(s.journal) >= 2*journalKept {
		s.journal = append(s.journal[:0], s.journal[journalKept:]...)
	}
	s.journal = append(s.journal, e)
}

// Journal returns a copy of the simulator's journal.
func (s *Sim) Journal() Journal {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := Journal{System: s.System, Name: s.Name, Weather: s.weather, Requests: s.seq,
		Effects: make(map[string]map[string]int), Doubles: []string{}}
	for kind, keys := range s.effects {
		j.Effects[kind] = make(map[string]int, len(keys))
		for k, n := range keys {
			j.Effects[kind][k] = n
			if n > 1 {
				j.Doubles = append(j.Doubles, kind+" "+k)
			}
		}
	}
	j.Entries = append(j.Entries, s.journal[max(0, len(s.journal)-journalKept):]...)
	return j
}

// ServeControl serves the tester's side of the simulator: POST weather, GET
// journal.
func (s *Sim) ServeControl(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(Header, "simulated; no authority stands behind this")
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/weather"):
		var in Weather
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := s.SetWeather(in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/journal"):
		WriteJSON(w, http.StatusOK, s.Journal())
	default:
		http.NotFound(w, r)
	}
}

// WriteJSON writes v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
