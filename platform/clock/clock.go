// Package clock is the only place that asks the machine for the time.
//
// Business time (deadlines, dates on papers) comes from a Clock that a demo or
// a test can move; sessions, leases and retries take Wall, which nobody moves.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	// Now returns the present moment.
	Now() time.Time
}

// Wall is the machine's clock.
type Wall struct{}

// Now returns the machine's time.
func (Wall) Now() time.Time { return time.Now() } //nolint:forbidigo // the one place that may ask

// Movable is a clock that runs like its base but can be moved. The zero offset
// is the base's own time.
type Movable struct {
	base   Clock
	offset atomic.Int64
}

// NewMovable returns a clock that starts at base's time.
func NewMovable(base Clock) *Movable { return &Movable{base: base} }

// Now returns the base's time plus the offset.
func (m *Movable) Now() time.Time { return m.base.Now().Add(time.Duration(m.offset.Load())) }

// Advance moves the clock by d; a negative d moves it back.
func (m *Movable) Advance(d time.Duration) { m.offset.Add(int64(d)) }

// Set moves the clock so that Now is t from this moment on.
func (m *Movable) Set(t time.Time) { m.offset.Store(int64(t.Sub(m.base.Now()))) }

// Offset returns how far the clock stands from its base.
func (m *Movable) Offset() time.Duration { return time.Duration(m.offset.Load()) }

// Fixed is a clock that stands still, for tests and for reckoning.
type Fixed time.Time

// Now returns the fixed moment.
func (f Fixed) Now() time.Time { return time.Time(f) }

// Shanghai returns China Standard Time, UTC+8 all year (no daylight saving
// since 1991), without needing the machine's zone files.
func Shanghai() *time.Location { return time.FixedZone("CST", 8*3600) }
