package web

import (
	"fmt"
	"hash/maphash"
	"maps"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"haoban/platform/errs"
)

// Limit is how often one caller may ask: Burst at once, refilled at Burst per
// Per.
type Limit struct {
	Burst int
	Per   time.Duration
}

// The rate limits every server has. A route counts under Common and, when it is
// registered with Class, under that class too.
const (
	Common = "common" // every route, by address and by session
	Login  = "login"  // passwords, one-time codes
	SMS    = "sms"    // whatever sends a message
	Verify = "verify" // checking a QR code or certificate without a login
	Heavy  = "heavy"  // exports, archives, searches over everything
)

// DefaultLimits returns the limits that Options.Limits overrides. Many people
// may share one address, so the common one is wide.
func DefaultLimits() map[string]Limit {
	return map[string]Limit{
		Common: {600, time.Minute},
		Login:  {30, 10 * time.Minute},
		SMS:    {10, 10 * time.Minute},
		Verify: {120, time.Minute},
		Heavy:  {20, time.Minute},
	}
}

const (
	limitShards = 64
	perShard    = 4096 // callers remembered per shard before idle ones are dropped
)

// limiter keeps a bucket for each class and caller.
type limiter struct {
	classes map[string]Limit
	seed    maphash.Seed
	shards  [limitShards]limitShard
}

type limitShard struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	*rate.Limiter
	full time.Time // when the bucket will be full again and may be forgotten
}

func newLimiter(over map[string]Limit) *limiter {
	l := &limiter{classes: DefaultLimits(), seed: maphash.MakeSeed()}
	maps.Copy(l.classes, over)
	for name, c := range l.classes {
		if c.Burst < 1 || c.Per <= 0 {
			panic(fmt.Sprintf("web: rate limit %q lets nobody in", name))
		}
	}
	for i := range l.shards {
		l.shards[i].buckets = map[string]*bucket{}
	}
	return l
}

func (l *limiter) has(class string) bool {
	_, ok := l.classes[class]
	return ok
}

// take counts one request and returns how long to wait if it is too many.
func (l *limiter) take(class, who string, now time.Time) (wait time.Duration) {
	c := l.classes[class]
	key := class + "|" + who
	sh := &l.shards[maphash.String(l.seed, key)%limitShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	b := sh.buckets[key]
	if b == nil {
		if len(sh.buckets) >= perShard {
			sh.forget(now)
		}
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(float64(c.Burst)/c.Per.Seconds()), c.Burst)}
		sh.buckets[key] = b
	}
	b.full = now.Add(c.Per)
	if b.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - b.TokensAt(now)) / float64(b.Limit()) * float64(time.Second))
}

// forget drops callers whose bucket is full again and, under a flood of
// addresses, half of the rest, so that memory stays bounded.
func (sh *limitShard) forget(now time.Time) {
	for k, b := range sh.buckets {
		if !b.full.After(now) {
			delete(sh.buckets, k)
		}
	}
	for k := range sh.buckets {
		if len(sh.buckets) <= perShard/2 {
			return
		}
		delete(sh.buckets, k)
	}
}

// ipKey counts an IPv6 caller by its network, since it owns all of it.
func ipKey(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// allow counts a request under the common limit and the route's own.
func (s *Server) allow(rt *route, who string) error {
	classes := []string{Common}
	if rt.class != "" {
		classes = append(classes, rt.class)
	}
	for _, c := range classes {
		if wait := s.limits.take(c, who, s.o.Clock.Now()); wait > 0 {
			s.metrics.limited.WithLabelValues(c).Inc()
			return errs.New(errs.TooMany, "request.too_many", "操作太频繁了，请"+waitText(wait)+"后再试").Wrap(retryAfter{wait})
		}
	}
	return nil
}

func waitText(d time.Duration) string {
	if d <= time.Minute {
		return fmt.Sprintf(" %d 秒", max(1, int((d+time.Second-1)/time.Second)))
	}
	return fmt.Sprintf(" %d 分钟", int((d+time.Minute-1)/time.Minute))
}
