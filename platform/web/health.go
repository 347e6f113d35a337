package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is something /readyz asks before it says yes. Func is given two seconds.
type Check struct {
	Name string
	Func func(context.Context) error
}

// health adds /healthz (the process lives), /readyz (it can work) and, for
// callers on this machine only, /metrics.
func (s *Server) health() {
	s.mux.HandleFunc("GET /healthz", s.alive)
	s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { s.ready(w, r, false) })
	s.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !addr(r.RemoteAddr).IsLoopback() || r.Header.Get("X-Forwarded-For") != "" {
			s.writeProblem(w, r, noRoute())
			return
		}
		s.metrics.handler.ServeHTTP(w, r)
	})
}

// Admin returns the handler of the operators' own address: /healthz, /readyz
// with the reasons, /metrics.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.alive)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { s.ready(w, r, true) })
	mux.Handle("GET /metrics", s.metrics.handler)
	return mux
}

func (s *Server) alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // a caller that is gone does not matter
}

// ready asks all checks at once. Strangers learn which check fails, not why.
func (s *Server) ready(w http.ResponseWriter, r *http.Request, reasons bool) {
	answer := struct {
		Ready  bool              `json:"ready"`
		Checks map[string]string `json:"checks"`
	}{true, map[string]string{}}
	select {
	case <-s.stopping:
		answer.Ready, answer.Checks["server"] = false, "stopping"
	default:
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, c := range s.o.Ready {
		wg.Go(func() {
			text := "ok"
			if err := c.Func(ctx); err != nil {
				if text = "failed"; reasons {
					text = err.Error()
				}
				s.o.Log.WarnContext(ctx, "not ready", "check", c.Name, "err", err)
			}
			mu.Lock()
			defer mu.Unlock()
			answer.Checks[c.Name] = text
			answer.Ready = answer.Ready && text == "ok"
		})
	}
	wg.Wait()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	if !answer.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.o.Log.DebugContext(ctx, "readiness not delivered", "err", err)
	}
}

// metrics are what the edge counts.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	limited  *prometheus.CounterVec
	streams  prometheus.Gauge
	handler  http.Handler
}

func newMetrics(reg *prometheus.Registry) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haoban_http_requests_total", Help: "Requests answered."}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "haoban_http_request_seconds", Help: "Time to answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .2, .5, 1, 2, 5, 10}}, []string{"route", "method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "haoban_http_in_flight", Help: "Requests under way."}),
		limited:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haoban_http_limited_total", Help: "Requests refused by a rate limit."}, []string{"class"}),
		streams:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "haoban_http_streams", Help: "Event streams open."}),
		handler:  promhttp.HandlerFor(reg, promhttp.HandlerOpts{}),
	}
	reg.MustRegister(m.requests, m.seconds, m.inFlight, m.limited, m.streams)
	return m
}

func (m *metrics) seen(route, method string, status int, took time.Duration) {
	switch method { // a stranger cannot make new series
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		method = "other"
	}
	m.requests.WithLabelValues(route, method, statusText(status)).Inc()
	m.seconds.WithLabelValues(route, method).Observe(took.Seconds())
}
