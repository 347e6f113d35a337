// Package deadline reckons the legal clock 时限 of a case from its events and
// explains it day by day: why this date, which days were not counted. It is
// pure; the calendar and the present moment are handed in.
//
// Reckoning: the day of the start is not counted, the next is the first（次日起
// 算）. A clock of working days counts working days, one of natural days all.
// While the clock stands, whole days are not counted: the day it stopped and the
// day it went on both still count, so that no office gains a day by stopping.
// The law says what may stop a clock（许可法第四十五条、沪规条第三十七条、沪登第
// 十四条）; a stop without a basis is refused, and asking another department is
// none.
package deadline

import (
	"fmt"
	"time"

	"haoban/platform/calendar"
	"haoban/platform/errs"
)

// The units of a limit.
const (
	Workday = "workday" // 工作日
	Natural = "natural" // 自然日
	Month   = "month"   // 月: the corresponding day, the month's last where there is none
)

// Rule is the limit of a matter as frozen into a case.
type Rule struct {
	Unit  string `json:"unit"`
	Days  int    `json:"days"`            // promised; 0 is on the spot 当场; months for Month
	Basis string `json:"basis,omitempty"` // article of law
	// HardMax is the law's own limit: Days beyond it is an error. 0 states none.
	// A lawful extension goes beyond it.
	HardMax int `json:"hardMax,omitempty"`
	// MaxExtend bounds all extensions together; 0 states none.
	MaxExtend int `json:"maxExtend,omitempty"`
	// FromStart counts the day of the start itself as the first.
	FromStart bool `json:"fromStart,omitempty"`
	// MoveEnd moves the end of a clock of natural days or months to the next
	// working day when it falls on a day off（民法典第二百零三条）.
	MoveEnd bool `json:"moveEnd,omitempty"`
}

// Kind is what an event does to the clock.
type Kind string

// The kinds of event.
const (
	Start  Kind = "start"  // begins, or begins anew after a return
	Pause  Kind = "pause"  // stands, for Reason, by Basis
	Resume Kind = "resume" // goes on
	Extend Kind = "extend" // Days more, by Basis
	Stop   Kind = "stop"   // done
)

// Event is one thing that moved the clock. Events are given in their order.
type Event struct {
	Kind   Kind      `json:"kind"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"` // 专家评审
	Basis  string    `json:"basis,omitempty"`  // 行政许可法第四十五条
	Days   int       `json:"days,omitempty"`   // of an extension
}

// Line explains one day.
type Line struct {
	Day     calendar.Date `json:"day"`
	Text    string        `json:"text"` // without the date
	Counted bool          `json:"counted"`
}

// String gives 2026年11月23日（周一）：第 1 个工作日.
func (l Line) String() string { return l.Day.Chinese() + "：" + l.Text }

// Due is where the clock stands.
type Due struct {
	Rule    Rule          `json:"rule"`
	Started bool          `json:"started"`
	Paused  bool          `json:"paused"`
	Stopped bool          `json:"stopped"`
	From    calendar.Date `json:"from"` // day of the start that counts
	// Day is the last day. While the clock stands it is the last day if the
	// clock went on today.
	Day calendar.Date `json:"day"`
	// Remaining is the days left after today (after the day of the stop, once
	// done), in the rule's unit: 0 on the last day, negative when late.
	Remaining int    `json:"remaining"`
	Used      int    `json:"used"`  // days counted up to today, or to the stop
	Total     int    `json:"total"` // days in all, with extensions
	Waiting   string `json:"waiting,omitempty"`
	Explain   []Line `json:"explain"`
}

// Running reports whether the clock runs: started, not standing, not done.
func (d Due) Running() bool { return d.Started && !d.Paused && !d.Stopped }

// Light is the colour officials see 红黄绿灯.
type Light string

// The lights.
const (
	None   Light = "none" // no clock runs
	Green  Light = "green"
	Yellow Light = "yellow" // few days left, or the last day
	Red    Light = "red"    // late
)

// WarnDays is when yellow begins unless a matter says otherwise.
const WarnDays = 2

// Light returns the colour at the moment of the reckoning: red once the last
// day is over, yellow with warn days left or fewer (0: WarnDays). It is None
// while no clock runs.
func (d Due) Light(warn int) Light {
	if warn <= 0 {
		warn = WarnDays
	}
	switch {
	case !d.Running():
		return None
	case d.Remaining < 0:
		return Red
	case d.Remaining <= warn:
		return Yellow
	}
	return Green
}

// Text says where the clock stands as an official would: 还剩 3 个工作日（11月26
// 日止）, 超期 1 个工作日, 等专家评审，不计时.
func (d Due) Text() string {
	unit := d.unit()
	switch {
	case !d.Started:
		return "尚未开始计时"
	case d.Stopped && d.Remaining < 0:
		return fmt.Sprintf("办结时超期 %d %s", -d.Remaining, unit)
	case d.Stopped && d.Used == 0:
		return "当天办结"
	case d.Stopped:
		return fmt.Sprintf("按期办结，用了 %d %s", d.Used, unit)
	case d.Paused && d.Waiting == "":
		return "停止计时"
	case d.Paused:
		return "等" + d.Waiting + "，不计时"
	case d.Remaining < 0:
		return fmt.Sprintf("超期 %d %s", -d.Remaining, unit)
	case d.Remaining == 0:
		return "今天到期"
	}
	return fmt.Sprintf("还剩 %d %s（%s止）", d.Remaining, unit, d.Day.Short())
}

func (d Due) unit() string {
	if d.Rule.Unit == Workday {
		return "个工作日"
	}
	return "天"
}

// limits bound what a walk over days may cost.
const (
	maxDays   = 1000
	maxMonths = 120
)

// ErrRule and ErrEvents are what Compute refuses, to be told with errors.Is.
var (
	ErrRule   = errs.New(errs.Invalid, "deadline.rule", "时限规则不对")
	ErrEvents = errs.New(errs.Invalid, "deadline.events", "计时记录前后不符")
)

func (r Rule) check() error {
	most := maxDays
	if r.Unit == Month {
		most = maxMonths
	}
	bad := func(msg string) error { return errs.New(errs.Invalid, ErrRule.Code, msg) }
	switch {
	case r.Unit != Workday && r.Unit != Natural && r.Unit != Month:
		return bad("时限的单位应为工作日、自然日或月")
	case r.Days < 0 || r.Days > most || r.HardMax < 0 || r.MaxExtend < 0:
		return bad(fmt.Sprintf("时限 %d 不对", r.Days))
	case r.HardMax > 0 && r.Days > r.HardMax:
		return bad(fmt.Sprintf("承诺时限 %d 长于法定时限 %d", r.Days, r.HardMax))
	}
	return nil
}

// Compute reckons the clock at now from its events; later ones are not looked
// at yet. It returns ErrRule for a limit longer than the law's or of no known
// unit, ErrEvents when the events do not follow from one another (a pause while
// standing, anything before the start) or a pause or extension lacks its basis,
// and errs.Invalid with code calendar.year when the count runs into a year
// whose calendar is not loaded.
func Compute(cal *calendar.Calendar, r Rule, events []Event, now time.Time) (Due, error) {
	if err := r.check(); err != nil {
		return Due{}, err
	}
	c, err := replay(r, events, now)
	if err != nil {
		return Due{}, err
	}
	d := Due{
		Rule: r, Started: c.started, Paused: c.open, Stopped: !c.stop.IsZero(), From: c.from,
		Total: r.Days + c.extra, Waiting: c.waiting, Explain: []Line{},
	}
	if !c.started {
		return d, nil
	}
	w := &walk{cal: cal, c: c, due: &d, today: calendar.DateOf(now)}
	if d.Stopped {
		w.today = c.stop
	}
	if r.Unit == Month {
		return d, w.months()
	}
	return d, w.days()
}

// course is what the events come to.
type course struct {
	started bool
	from    calendar.Date
	extra   int
	pauses  []span
	open    bool
	waiting string
	stop    calendar.Date
	notes   map[calendar.Date][]string
}

// span is a time the clock stood; a zero to is not over.
type span struct {
	from, to calendar.Date
	why      string
}

func replay(r Rule, events []Event, now time.Time) (*course, error) {
	c := &course{}
	bad := func(msg string) error { return errs.New(errs.Invalid, ErrEvents.Code, msg) }
	var last time.Time
	for _, e := range events {
		if e.At.After(now) {
			break
		}
		day := calendar.DateOf(e.At)
		if e.At.Before(last) {
			return nil, bad("计时记录的先后不对")
		}
		last = e.At
		if e.Kind != Start {
			switch {
			case !c.started:
				return nil, bad("还没有开始计时")
			case !c.stop.IsZero():
				return nil, bad("计时已经结束")
			}
		}
		switch e.Kind {
		case Start:
			c = &course{started: true, from: day, notes: map[calendar.Date][]string{}}
		case Pause:
			switch {
			case c.open:
				return nil, bad("已经在停表，不能再停")
			case e.Basis == "":
				return nil, bad("停表要写明法律依据")
			}
			c.open, c.waiting = true, e.Reason
			c.pauses = append(c.pauses, span{from: day, why: because(e.Reason, e.Basis)})
			c.note(day, because(e.Reason, e.Basis)+"，次日起停表")
		case Resume:
			if !c.open {
				return nil, bad("没有停表，不用恢复")
			}
			c.open, c.waiting = false, ""
			c.pauses[len(c.pauses)-1].to = day
			c.note(day, "恢复计时")
		case Extend:
			switch {
			case e.Days < 1 || e.Days > maxDays:
				return nil, bad("延长的天数不对")
			case e.Basis == "" && e.Reason == "":
				return nil, bad("延长时限要写明依据或理由")
			case r.MaxExtend > 0 && c.extra+e.Days > r.MaxExtend:
				return nil, bad(fmt.Sprintf("一共只能延长 %d 日", r.MaxExtend))
			}
			c.extra += e.Days
			c.note(day, fmt.Sprintf("延长 %d %s（%s）", e.Days, Due{Rule: r}.unit(), first(e.Basis, e.Reason)))
		case Stop:
			c.stop = day
			if c.open { // done while standing: the clock stood to the end
				c.pauses[len(c.pauses)-1].to = day
				c.open, c.waiting = false, ""
			}
			c.note(day, first(e.Reason, "办结"))
		default:
			return nil, bad("没有“" + string(e.Kind) + "”这种计时记录")
		}
	}
	return c, nil
}

func (c *course) note(day calendar.Date, text string) { c.notes[day] = append(c.notes[day], text) }

// standing returns why the clock stands for the whole of the day, "" if it
// does not.
func (c *course) standing(day calendar.Date) string {
	for _, p := range c.pauses {
		if day.After(p.from) && (p.to.IsZero() || day.Before(p.to)) {
			return p.why
		}
	}
	return ""
}

// because gives 专家评审停表（行政许可法第四十五条）.
func because(reason, basis string) string {
	if reason == "" {
		return "停表（" + basis + "）"
	}
	return reason + "停表（" + basis + "）"
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
