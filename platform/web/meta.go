package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Meta is what the edge knows about a request.
type Meta struct {
	RequestID string
	IP        netip.Addr // of the caller, behind trusted proxies
	UserAgent string
	Audience  Audience // empty outside the API
	Operation string   // operation id, empty outside the API
	Key       string   // Idempotency-Key, empty when none was sent

	mu    sync.Mutex
	notes []slog.Attr
}

type metaKey struct{}

// MetaOf returns what the edge knows about the request of ctx, an empty Meta
// outside a request. It must not be changed.
func MetaOf(ctx context.Context) *Meta { return metaOf(ctx) }

func metaOf(ctx context.Context) *Meta {
	if m, ok := ctx.Value(metaKey{}).(*Meta); ok {
		return m
	}
	return &Meta{}
}

// IdempotencyKey returns the Idempotency-Key of the request, empty when none
// was sent. It is 8 to 128 letters, digits, - and _.
func IdempotencyKey(ctx context.Context) string { return metaOf(ctx).Key }

// Note adds an attribute to the request's line in the access log. Names,
// numbers of persons and other personal data do not belong there.
func Note(ctx context.Context, a slog.Attr) {
	m := metaOf(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes = append(m.notes, a)
}

func (m *Meta) taken() []slog.Attr {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes
}

// newMeta reads a request's head.
func (s *Server) newMeta(r *http.Request) *Meta {
	m := &Meta{UserAgent: clip(r.UserAgent(), 256)}
	peer := addr(r.RemoteAddr)
	m.IP = peer
	if s.trusted(peer) {
		m.IP = s.forwarded(r, peer)
		if id := r.Header.Get("X-Request-Id"); validKey(id) {
			m.RequestID = id
		}
	}
	if m.RequestID == "" {
		if id, err := uuid.NewV7(); err == nil {
			m.RequestID = id.String()
		}
	}
	return m
}

func addr(hostport string) netip.Addr {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.o.TrustedProxies {
		if a.IsValid() && p.Contains(a) {
			return true
		}
	}
	return false
}

// forwarded walks X-Forwarded-For from our own side and stops at the first
// address that is not a proxy of ours: what stands left of it may be invented.
func (s *Server) forwarded(r *http.Request, peer netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a := addr(strings.TrimSpace(hops[i]))
		if !a.IsValid() {
			return peer
		}
		if peer = a; !s.trusted(a) {
			return a
		}
	}
	return peer
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
