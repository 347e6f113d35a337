// Package world is the one population behind every simulated outside system:
// persons and their households and marriages, organisations and who acts for
// them, developments with presale permits and contracts, units and who owns
// them, planning projects, departments. They agree with one another: a
// contract's buyers exist and are married as the civil register tells, its
// room is in the permit.
//
// Nothing is stored. Every thing is reckoned from its index when somebody
// asks, and every number can be turned back into an index, so a world of a
// million people is made in no time and takes no room. Nobody real is in it:
// identity numbers stand under the unused area code 310199, organisation codes
// carry TEAT, certificates begin with 测.
package world

import (
	"fmt"
	"strconv"
	"time"
)

// Area is the unused area code under which everything lies.
const Area = "310199"

// Handling is the district whose offices handle what lies in Area, 浦东新区: no
// office answers for a district there is not.
const Handling = "310115"

// The sizes a world can have, in persons.
const (
	MinSize = 1000
	MaxSize = 1_000_000
)

const (
	blockSize  = 10 // persons are made in blocks of ten, see person.go
	castBlocks = 20 // the first blocks are for the cast and own only what it says
)

// World is one population. It is safe for concurrent use.
type World struct {
	seed   uint64
	n      int // persons
	blocks int
	orgs   int
	devs   int // developments
	plans  int // planning projects
	cast   cast
}

// New returns the world of a seed with n persons; n is brought into
// [MinSize, MaxSize] and rounded down to a multiple of ten. The cast, and all
// numbers, are the same for every seed and size; names, ages of buildings,
// prices and who owns what differ by seed.
func New(seed uint64, n int) *World {
	n = min(max(n, MinSize), MaxSize)
	w := &World{seed: seed, n: n / blockSize * blockSize, blocks: n / blockSize}
	w.orgs = min(max(80, n/20), w.blocks-castBlocks)
	w.devs = max(6, n/400)
	w.plans = max(20, n/100)
	w.cast = newCast()
	return w
}

// Size returns the number of persons.
func (w *World) Size() int { return w.n }

// kinds keep the draws for different things apart.
const (
	kName uint64 = iota + 1
	kFamily
	kLife
	kOrg
	kOwner
	kUnit
	kContract
	kLoan
	kBurden
	kPlan
	kPick
)

// draw returns a number for thing i of a kind, the same every time.
func (w *World) draw(kind uint64, i int) uint64 {
	return mix(w.seed ^ mix(kind<<48^uint64(i))) //nolint:gosec // an index is not negative
}

// roll returns draw below n.
func (w *World) roll(kind uint64, i, n int) int {
	return int(w.draw(kind, i) % uint64(n)) //nolint:gosec // n is a small positive number
}

// Pick returns a number below n for any key, the same every time: simulators
// use it for what the world does not know, so that they too are deterministic.
func (w *World) Pick(key string, n int) int {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return int(mix(w.seed^mix(kPick<<48^h)) % uint64(max(n, 1))) //nolint:gosec // below n
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// day returns the date n days after the first of January of year.
func day(year, n int) time.Time {
	return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n)
}

func iso(t time.Time) string { return t.Format(time.DateOnly) }

// number reads a run of digits; ok is false for anything else.
func number(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// Share is a part of a whole.
type Share struct{ Num, Den int }

// String gives "1/2".
func (s Share) String() string { return fmt.Sprintf("%d/%d", s.Num, s.Den) }

// Holder is a person or organisation as a register names it.
type Holder struct {
	Name  string
	ID    string // identity number or credit code
	Org   bool
	Share Share // 1/1 for the whole of one holder or of joint holders
}

// Manner is the 共有方式 of a unit or contract.
type Manner int

// The manners, as the registration standard numbers them.
const (
	Sole   Manner = 0 // 单独所有
	Joint  Manner = 1 // 共同共有
	Shares Manner = 2 // 按份共有
)

// String gives the Chinese term.
func (m Manner) String() string {
	switch m {
	case Joint:
		return "共同共有"
	case Shares:
		return "按份共有"
	default:
		return "单独所有"
	}
}
