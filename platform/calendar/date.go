package calendar

import (
	"fmt"
	"time"

	"haoban/platform/clock"
	"haoban/platform/errs"
)

// Date is a civil date 日期 in Shanghai, without a time of day. The zero Date
// is no date at all. Dates are comparable with == and may be map keys.
type Date struct {
	n int32 // days since 0000-12-31, so that 0001-01-01 is 1 and zero is no date
}

// NewDate returns the date of year, month and day; values out of range carry
// over as in time.Date (31 April is 1 May).
func NewDate(year int, month time.Month, day int) Date {
	return of(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf returns the civil date that people in Shanghai write at moment t. The
// zero time gives the zero Date.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	y, m, d := t.In(clock.Shanghai()).Date()
	return NewDate(y, m, d)
}

// ParseDate reads a date written as 2026-11-23. Days that do not exist are
// refused with errs.Invalid, code calendar.date.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return Date{}, errs.New(errs.Invalid, "calendar.date", "“"+s+"”不是一个日期，日期应写成 2026-11-23 的样子")
	}
	return of(t), nil
}

func of(utc time.Time) Date {
	return Date{int32(utc.Unix()/86400) + epoch} //nolint:gosec // days, not seconds: far from the edge
}

// epoch is the day number of 1970-01-01.
const epoch = 719163

func (d Date) utc() time.Time { return time.Unix(int64(d.n-epoch)*86400, 0).UTC() }

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d.n == 0 }

// Year returns the year.
func (d Date) Year() int { return d.utc().Year() }

// Month returns the month.
func (d Date) Month() time.Month { return d.utc().Month() }

// Day returns the day of the month.
func (d Date) Day() int { return d.utc().Day() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// AddDays returns the date n natural days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return Date{d.n + int32(n)} } //nolint:gosec // days are far from the edge

// AddMonths returns the corresponding day n months later; where that month has
// no such day, its last day.
func (d Date) AddMonths(n int) Date {
	y, m, day := d.utc().Date()
	first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(first.Year(), first.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return NewDate(first.Year(), first.Month(), min(day, last))
}

// Sub returns the natural days from e to d: positive when d is later.
func (d Date) Sub(e Date) int { return int(d.n - e.n) }

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.n < e.n }

// After reports whether d is later than e.
func (d Date) After(e Date) bool { return d.n > e.n }

// Compare returns -1, 0 or 1 as d is earlier than, the same as or later than e.
func (d Date) Compare(e Date) int {
	switch {
	case d.n < e.n:
		return -1
	case d.n > e.n:
		return 1
	}
	return 0
}

// Start returns the first moment of the day in Shanghai.
func (d Date) Start() time.Time {
	y, m, day := d.utc().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, clock.Shanghai())
}

// End returns the moment the day is over in Shanghai, 24:00.
func (d Date) End() time.Time { return d.AddDays(1).Start() }

// String gives 2026-11-23, and nothing for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// Chinese gives 2026年11月23日（周一）.
func (d Date) Chinese() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d年%s（%s）", d.Year(), d.Short(), d.WeekdayChinese())
}

// Long gives 2026年11月23日, as papers write it.
func (d Date) Long() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d年%s", d.Year(), d.Short())
}

// Short gives 11月26日.
func (d Date) Short() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d月%d日", int(d.Month()), d.Day())
}

// WeekdayChinese gives 周一 to 周日.
func (d Date) WeekdayChinese() string {
	return [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}[d.Weekday()]
}

// MarshalText writes 2026-11-23, and nothing for the zero Date.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	p, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = p
	return nil
}
