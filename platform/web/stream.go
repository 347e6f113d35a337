package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"haoban/platform/errs"
)

// Event is one server-sent event.
type Event struct {
	ID   string // what the browser sends back as Last-Event-ID; may be empty
	Name string // what the page listens for
	Data any    // written as JSON
}

// Stream is an open event stream. Send may be called from several goroutines.
type Stream struct {
	LastID string // Last-Event-ID of the request, empty at first

	mu   sync.Mutex
	w    http.ResponseWriter
	rc   *http.ResponseController
	soon func(time.Duration) time.Time
}

// Send writes an event and flushes it. An error means that the client is gone;
// the handler should return.
func (st *Stream) Send(e Event) error {
	var b bytes.Buffer
	if strings.ContainsAny(e.ID+e.Name, "\r\n\x00") {
		return fmt.Errorf("web: event %q has a line break in its name or id", e.Name)
	}
	if e.ID != "" {
		b.WriteString("id: " + e.ID + "\n")
	}
	if e.Name != "" {
		b.WriteString("event: " + e.Name + "\n")
	}
	data, err := json.Marshal(notNull(e.Data)) // JSON has no line breaks of its own
	if err != nil {
		return fmt.Errorf("web: event %q: %w", e.Name, err)
	}
	b.WriteString("data: ")
	b.Write(data)
	b.WriteString("\n\n")
	return st.write(b.Bytes())
}

func (st *Stream) write(b []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	_ = st.rc.SetWriteDeadline(st.soon(15 * time.Second)) // not every writer can
	if _, err := st.w.Write(b); err != nil {
		return fmt.Errorf("web: stream: %w", err)
	}
	if err := st.rc.Flush(); err != nil {
		return fmt.Errorf("web: stream: %w", err)
	}
	return nil
}

// RegisterStream adds a route that answers with server-sent events. The context
// h is given ends when the client goes or the server begins to stop; h returns
// then. Signs of life are sent in between. An error that h returns before its
// first event is too late to be a problem and is only logged.
func RegisterStream[I any](s *Server, a Audience, op huma.Operation, h func(context.Context, *I, *Stream) error, opts ...Option) {
	op.Method = http.MethodGet
	op.Responses = map[string]*huma.Response{"200": {Description: "Events", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	Register(s, a, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		if n := s.streams.Add(1); n > int64(s.o.MaxStreams) {
			s.streams.Add(-1)
			return nil, errs.New(errs.TooMany, "request.streams", "在线人数太多，实时提醒暂时连不上，页面仍可使用").Wrap(retryAfter{time.Minute})
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer s.streams.Add(-1)
			r, w := humago.Unwrap(hc)
			s.stream(ctx, w, r, func(ctx context.Context, st *Stream) error { return h(ctx, in, st) })
		}}, nil
	}, append(opts, func(r *route) { r.stream = true })...)
}

// stream runs h between the head of the answer and its end.
func (s *Server) stream(ctx context.Context, w http.ResponseWriter, r *http.Request, h func(context.Context, *Stream) error) {
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Accel-Buffering", "no") // a proxy must not hold events back
	w.WriteHeader(http.StatusOK)
	st := &Stream{LastID: clip(r.Header.Get("Last-Event-ID"), 128), w: w, rc: http.NewResponseController(w), soon: s.soon}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := st.write([]byte("retry: 3000\n\n")); err != nil {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(s.o.Heartbeat)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.stopping:
				cancel()
				return
			case <-t.C:
				if st.write([]byte(": ok\n\n")) != nil {
					cancel()
					return
				}
			}
		}
	})
	err := h(ctx, st)
	if err != nil && ctx.Err() == nil {
		_ = s.problem(ctx, err) // it is told in the log; the answer has begun
	}
	cancel()
	wg.Wait()
}
