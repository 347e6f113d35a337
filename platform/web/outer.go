package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"haoban/platform/clock"
)

// DefaultCSP lets pages use nothing but what this server sends. Style attributes
// are allowed, style elements and scripts in a page are not.
const DefaultCSP = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; " +
	"img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; " +
	"frame-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// secure sets the headers every answer carries.
func (s *Server) secure(h http.Header) {
	h.Set("Content-Security-Policy", s.o.CSP)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(self), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if s.o.HTTPS {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// soon returns the wall time d from now, for deadlines of connections.
func (s *Server) soon(d time.Duration) time.Time { return clock.Wall{}.Now().Add(d) }

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets http.ResponseController find the real writer.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(code int) {
	if w.status == 0 && code >= 200 {
		w.status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// outer is what every request passes, whatever answers it.
func (s *Server) outer(next http.Handler) http.Handler {
	propagator := propagation.TraceContext{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := s.o.Clock.Now()
		m := s.newMeta(r)
		ctx := context.WithValue(r.Context(), metaKey{}, m)
		ctx = propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
		ctx, span := s.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
		r = r.WithContext(ctx)
		rec := &recorder{ResponseWriter: w}
		s.secure(w.Header())
		w.Header().Set("X-Request-Id", m.RequestID)
		if strings.HasPrefix(r.URL.Path, "/api/") {
			w.Header().Set("Cache-Control", "no-store")
		}
		s.metrics.inFlight.Inc()
		var aborted any
		defer func() {
			s.metrics.inFlight.Dec()
			took := s.o.Clock.Now().Sub(begin)
			route := routeOf(r)
			s.metrics.seen(route, r.Method, rec.status, took)
			span.SetName(r.Method + " " + route)
			span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", route),
				attribute.Int("http.response.status_code", rec.status), attribute.String("haoban.request_id", m.RequestID))
			if rec.status >= 500 {
				span.SetStatus(codes.Error, http.StatusText(rec.status))
			}
			span.End()
			s.access(r, m, rec, route, took)
			if aborted != nil {
				panic(aborted)
			}
		}()
		defer func() {
			if p := recover(); p != nil {
				aborted = s.recovered(rec, r, p)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// recovered answers a panic with a problem. When the answer has already begun
// the connection is cut, so that half an answer is not taken for a whole one.
func (s *Server) recovered(w *recorder, r *http.Request, p any) any {
	if p == http.ErrAbortHandler { //nolint:errorlint // a panic value is compared as it is
		return p
	}
	err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	if w.status != 0 {
		_ = s.problem(r.Context(), err) // it is told in the log; the answer has begun
		return http.ErrAbortHandler
	}
	s.writeProblem(w, r, err)
	return nil
}

// routeOf names the route by its pattern: a path may hold a ticket.
func routeOf(r *http.Request) string {
	_, path, ok := strings.Cut(r.Pattern, " ")
	if !ok {
		path = r.Pattern
	}
	if path == "" {
		return "none"
	}
	return path
}

// secretSegments are path parameters that open something by themselves.
var secretSegments = []string{"token", "ticket", "code", "secret"}

// access writes one line for a request: never a body, never the value of a query
// or of a secret path segment.
func (s *Server) access(r *http.Request, m *Meta, rec *recorder, route string, took time.Duration) {
	level := slog.LevelInfo
	if !strings.HasPrefix(route, "/api/") && rec.status < 400 {
		level = slog.LevelDebug
	}
	path := r.URL.Path
	for _, name := range secretSegments {
		if v := r.PathValue(name); v != "" {
			path = route
		}
	}
	attrs := []slog.Attr{slog.String("request", m.RequestID), slog.String("method", r.Method), slog.String("path", clip(path, 256)),
		slog.String("route", route), slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes),
		slog.Duration("took", took), slog.String("ip", m.IP.String())}
	if m.Audience != "" {
		attrs = append(attrs, slog.String("audience", string(m.Audience)))
	}
	if q := r.URL.Query(); len(q) > 0 {
		names := make([]string, 0, len(q))
		for k := range q {
			names = append(names, clip(k, 32))
		}
		slices.Sort(names)
		attrs = append(attrs, slog.String("query", strings.Join(names[:min(len(names), 20)], ",")))
	}
	if id := trace.SpanContextFromContext(r.Context()); id.IsValid() {
		attrs = append(attrs, slog.String("trace", id.TraceID().String()))
	}
	s.o.Log.LogAttrs(r.Context(), level, "request", append(attrs, m.taken()...)...)
}

func statusText(code int) string {
	if code == 0 {
		return "none"
	}
	return strconv.Itoa(code)
}
