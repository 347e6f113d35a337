// Package calendar knows working days 工作日: which days the State Council's
// yearly notice gives off and which weekends it makes working days, and counts
// with them. A year whose notice is not loaded is an error, never a guess.
package calendar

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"haoban/platform/errs"
)

// Calendar holds the notices of some years. It is immutable and safe for
// concurrent use.
type Calendar struct {
	years map[int]*year
}

// year is one notice as loaded, and each day of the year looked up.
type year struct {
	raw  notice
	day  [367]kind // by YearDay
	name map[Date]string
}

type notice struct {
	Off   []Date  `json:"off"`
	Work  []Date  `json:"work"`
	Names []named `json:"names,omitempty"`
}

type named struct {
	From Date   `json:"from"`
	To   Date   `json:"to"`
	Name string `json:"name"`
}

type kind uint8

const (
	workday kind = iota
	weekend
	holiday
	makeup
)

// The words IsWorkday gives for a day.
const (
	WhyWorkday = "工作日"
	WhyWeekend = "周末"
	WhyHoliday = "法定节假日"
	WhyMakeup  = "补班日"
)

// maxDays bounds a count of working days, so that a slip of the keyboard does
// not become a long walk.
const maxDays = 10000

//go:embed calendar.json
var embedded []byte

var standard = sync.OnceValue(func() *Calendar {
	c, err := Load(embedded)
	if err != nil {
		panic(fmt.Sprintf("calendar: embedded years: %v", err)) // the package's own test loads them
	}
	return c
})

// Default returns the calendar of the years that come with the program: 2025
// and 2026.
func Default() *Calendar { return standard() }

// Load reads years from JSON:
//
//	{"2026": {"off": ["2026-01-01", …], "work": ["2026-01-04", …],
//	          "names": [{"from": "2026-01-01", "to": "2026-01-03", "name": "元旦"}]}}
//
// off are the days of the notice's holidays, work the weekends made working
// days, names are optional. It returns errs.Invalid, code calendar.load, for
// unknown keys, days outside their year or given twice, and working days that
// are no weekend.
func Load(b []byte) (*Calendar, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var raw map[string]notice
	if err := dec.Decode(&raw); err != nil {
		return nil, loadErr("工作日历不是正确的 JSON").Wrap(err)
	}
	if dec.More() {
		return nil, loadErr("工作日历的 JSON 后面还有别的内容")
	}
	c := &Calendar{years: map[int]*year{}}
	for k, n := range raw {
		y, err := strconv.Atoi(k)
		if err != nil || y < 1900 || y > 9999 || strconv.Itoa(y) != k {
			return nil, loadErr("工作日历里的年份“" + k + "”不对")
		}
		if c.years[y], err = newYear(y, n); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func loadErr(msg string) *errs.Error { return errs.New(errs.Invalid, "calendar.load", msg) }

func newYear(y int, n notice) (*year, error) {
	out := &year{raw: n, name: map[Date]string{}}
	for d := NewDate(y, time.January, 1); d.Year() == y; d = d.AddDays(1) {
		if wd := d.Weekday(); wd == time.Saturday || wd == time.Sunday {
			out.day[d.utc().YearDay()] = weekend
		}
	}
	seen := map[Date]bool{}
	mark := func(d Date, k kind) error {
		if d.Year() != y {
			return loadErr(fmt.Sprintf("%s 不在 %d 年", d, y))
		}
		if seen[d] {
			return loadErr(d.String() + " 写了两次")
		}
		seen[d] = true
		i := d.utc().YearDay()
		if k == makeup && out.day[i] != weekend {
			return loadErr(d.String() + " 不是周末，不能是补班日")
		}
		out.day[i] = k
		return nil
	}
	for _, d := range n.Off {
		if err := mark(d, holiday); err != nil {
			return nil, err
		}
	}
	for _, d := range n.Work {
		if err := mark(d, makeup); err != nil {
			return nil, err
		}
	}
	for _, r := range n.Names {
		if r.Name == "" || r.From.Year() != y || r.To.Year() != y || r.To.Before(r.From) {
			return nil, loadErr(fmt.Sprintf("%d 年的节日名称“%s”起止不对", y, r.Name))
		}
		for d := r.From; !d.After(r.To); d = d.AddDays(1) {
			out.name[d] = r.Name
		}
	}
	return out, nil
}

// Merge returns a calendar with the years of both; where both have a year,
// other's stands.
func (c *Calendar) Merge(other *Calendar) *Calendar {
	m := &Calendar{years: maps.Clone(c.years)}
	maps.Copy(m.years, other.years)
	return m
}

// Years returns the loaded years in order.
func (c *Calendar) Years() []int { return slices.Sorted(maps.Keys(c.years)) }

// MarshalJSON writes what Load reads, so that a calendar can be kept as a
// setting and frozen into a case.
func (c *Calendar) MarshalJSON() ([]byte, error) {
	raw := map[string]notice{}
	for y, n := range c.years {
		raw[strconv.Itoa(y)] = n.raw
	}
	return json.Marshal(raw)
}

func (c *Calendar) kind(d Date) (kind, *year, error) {
	y := c.years[d.Year()]
	if y == nil {
		return 0, nil, errs.New(errs.Invalid, "calendar.year",
			fmt.Sprintf("%d 年的工作日历还没有录入，算不出期限。请管理员按国务院办公厅放假通知录入后再试", d.Year()))
	}
	return y.day[d.utc().YearDay()], y, nil
}

// IsWorkday reports whether day is a working day and why, in Chinese: 工作日,
// 周末, 法定节假日（国庆节）, 补班日. A year that is not loaded gives
// errs.Invalid, code calendar.year.
func (c *Calendar) IsWorkday(day Date) (is bool, why string, err error) {
	k, y, err := c.kind(day)
	if err != nil {
		return false, "", err
	}
	switch k {
	case weekend:
		return false, WhyWeekend, nil
	case makeup:
		return true, WhyMakeup, nil
	case holiday:
		if n := y.name[day]; n != "" {
			return false, WhyHoliday + "（" + n + "）", nil
		}
		return false, WhyHoliday, nil
	case workday:
	}
	return true, WhyWorkday, nil
}

// Add returns the n-th working day after day; day itself is not counted, and
// n = 0 gives day back. It returns errs.Invalid, code calendar.count, for a
// negative or absurd n, and code calendar.year when the count runs into a year
// that is not loaded.
func (c *Calendar) Add(day Date, n int) (Date, error) {
	if n < 0 || n > maxDays {
		return Date{}, errs.New(errs.Invalid, "calendar.count", "工作日数 "+strconv.Itoa(n)+" 不对")
	}
	for n > 0 {
		day = day.AddDays(1)
		k, _, err := c.kind(day)
		if err != nil {
			return Date{}, err
		}
		if k == workday || k == makeup {
			n--
		}
	}
	return day, nil
}

// Between returns the number of working days after from, up to and including
// to; it is negative when to is earlier than from. A year that is not loaded
// gives errs.Invalid, code calendar.year.
func (c *Calendar) Between(from, to Date) (int, error) {
	sign := 1
	if to.Before(from) {
		from, to, sign = to, from, -1
	}
	n := 0
	for d := from.AddDays(1); !d.After(to); d = d.AddDays(1) {
		k, _, err := c.kind(d)
		if err != nil {
			return 0, err
		}
		if k == workday || k == makeup {
			n++
		}
	}
	return sign * n, nil
}

// OnOrAfter returns day if it is a working day, else the next one. A year that
// is not loaded gives errs.Invalid, code calendar.year.
func (c *Calendar) OnOrAfter(day Date) (Date, error) { return c.Add(day.AddDays(-1), 1) }
