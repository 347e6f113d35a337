// Package web is the HTTP edge. A room registers typed routes, each for one
// audience; everything that must be the same for all of them happens here:
// who asks (through a hook), how often they may, cross-site checks, limits,
// problems with a Chinese sentence, the log, metrics, traces, security headers,
// event streams, downloads, the pages, health and an orderly stop.
//
// Routes of an audience live under /api/v1/<audience>. Every route asks for a
// login unless it is registered as Anonymous.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"haoban/platform/clock"
)

// Audience is who a route is for. No login is valid for two.
type Audience string

// The audiences.
const (
	Public  Audience = "public"  // citizens and organisations
	Staff   Audience = "staff"   // officials
	Partner Audience = "partner" // other systems, by signature
)

// Options are what a Server is made of. Only Log is required.
type Options struct {
	Title, Version string // of the OpenAPI document
	Log            *slog.Logger
	Clock          clock.Clock // wall time, for rate limits and durations; nil takes the machine's

	// Serve says which audiences this node answers; nil answers all. The
	// routes of another are not found.
	Serve func(Audience) bool

	// Authenticate finds the session of a request for Public or Staff and puts
	// it into the context. Without a session it returns an error of kind
	// Unauthenticated, which only an Anonymous route forgives.
	Authenticate func(context.Context, Audience, *http.Request) (context.Context, error)
	// CSRF checks the token of an unsafe request with a session. That the
	// request comes from our own pages is checked here, whatever it says.
	CSRF func(context.Context, Audience, *http.Request) error
	// Verify checks the signature of a Partner's request over its body and puts
	// the partner into the context. Without it no partner is let in.
	Verify func(context.Context, *http.Request, []byte) (context.Context, error)
	// Session returns what rate limits count a logged-in caller by; empty
	// counts by address alone. It sees the context of Authenticate or Verify.
	Session func(context.Context) string

	Limits         map[string]Limit // rate limits by class, over DefaultLimits
	MaxBody        int64            // bytes of a request's body unless the operation says otherwise; 0 takes 1 MiB
	TrustedProxies []netip.Prefix   // whose X-Forwarded-For and X-Request-Id are believed
	Origins        []string         // further origins whose pages may call us, such as "https://host"
	HTTPS          bool             // the world sees us by https: secure cookies, HSTS
	CSP            string           // Content-Security-Policy of the pages; empty takes DefaultCSP

	Ready   []Check              // what /readyz asks
	Metrics *prometheus.Registry // nil makes one
	Tracer  trace.TracerProvider // nil traces nothing

	Shutdown   time.Duration // how long Serve waits for requests under way; 0 takes 20 s
	Heartbeat  time.Duration // between signs of life on an event stream; 0 takes 20 s
	MaxStreams int           // event streams at once; 0 takes 20,000
}

// Server answers HTTP. Register all routes before it serves.
type Server struct {
	o       Options
	api     huma.API
	mux     *http.ServeMux
	handler http.Handler
	limits  *limiter
	metrics *metrics
	tracer  trace.Tracer
	cop     *http.CrossOriginProtection
	streams atomic.Int64

	stopOnce sync.Once
	stopping chan struct{} // closed when the server begins to stop
}

// New returns a server without routes. It panics on options that cannot work,
// since that is a mistake in the program.
func New(o Options) *Server {
	if o.Log == nil {
		panic("web: no Log")
	}
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.CSP == "" {
		o.CSP = DefaultCSP
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Tracer == nil {
		o.Tracer = tracenoop.NewTracerProvider()
	}
	if o.Shutdown == 0 {
		o.Shutdown = 20 * time.Second
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 20 * time.Second
	}
	if o.MaxStreams == 0 {
		o.MaxStreams = 20_000
	}
	s := &Server{o: o, mux: http.NewServeMux(), stopping: make(chan struct{}), limits: newLimiter(o.Limits),
		metrics: newMetrics(o.Metrics), tracer: o.Tracer.Tracer("haoban/platform/web"), cop: http.NewCrossOriginProtection()}
	for _, origin := range o.Origins {
		if err := s.cop.AddTrustedOrigin(origin); err != nil {
			panic("web: " + err.Error())
		}
	}
	cfg := huma.DefaultConfig(o.Title, o.Version)
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil
	cfg.Transformers = []huma.Transformer{s.transform}
	s.api = humago.New(s.mux, cfg)
	s.health()
	s.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.writeProblem(w, r, noRoute())
	})
	s.handler = s.outer(s.mux)
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers requests on ln until ctx ends. Then it stops in order: /readyz
// says so, event streams end, requests under way are given Options.Shutdown to
// finish. It returns nil after a stop in order.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		s.stop()
		return fmt.Errorf("web: %w", err)
	case <-ctx.Done():
	}
	s.stop()
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Shutdown)
	defer cancel()
	err := srv.Shutdown(wait)
	if err != nil {
		err = errors.Join(fmt.Errorf("web: stop: %w", err), srv.Close())
	}
	if serveErr := <-done; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

func (s *Server) stop() { s.stopOnce.Do(func() { close(s.stopping) }) }

// Cookie returns the session cookie of an audience. It is sent only to that
// audience's routes, so it can never be valid for another. An empty value
// deletes it.
func (s *Server) Cookie(a Audience, value string) *http.Cookie {
	c := &http.Cookie{Name: CookieName(a), Value: value, Path: Prefix(a), HttpOnly: true, Secure: s.o.HTTPS, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// CookieName returns the name of an audience's session cookie.
func CookieName(a Audience) string { return "hb_" + string(a) }

// Prefix returns the path all routes of an audience begin with.
func Prefix(a Audience) string { return "/api/v1/" + string(a) }
