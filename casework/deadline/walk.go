package deadline

import (
	"fmt"
	"strings"

	"haoban/platform/calendar"
)

// walk goes from day to day and fills due.
type walk struct {
	cal     *calendar.Calendar
	c       *course
	due     *Due
	today   calendar.Date // or the day of the stop
	counted int
}

// days reckons a clock of working or natural days.
func (w *walk) days() error {
	d := w.due
	if err := w.first(); err != nil {
		return err
	}
	day := w.c.from
	for w.counted < d.Total {
		if d.Paused && day == w.today {
			return w.projected()
		}
		day = day.AddDays(1)
		if err := w.count(day); err != nil {
			return err
		}
	}
	d.Day = day
	if d.Total == 0 || d.Rule.Unit == Natural && d.Rule.MoveEnd {
		if err := w.moved(); err != nil {
			return err
		}
	}
	if d.Paused && !d.Day.Before(w.today) {
		// stopped on or after the last counted day: nothing more to count
		d.Used = w.counted
		return nil
	}
	return w.measure()
}

// first explains the day of the start.
func (w *walk) first() error {
	d, day := w.due, w.c.from
	switch {
	case d.Total == 0:
		w.say(day, "开始计时，当场办结", false)
	case d.Rule.FromStart:
		w.say(day, "开始计时，当日起算", false)
		is, _, err := w.counts(day)
		if err != nil || !is {
			return err
		}
		w.counted = 1
		d.Explain[0].Counted = true
		d.Explain[0].Text = w.with(day, "开始计时，当日起算，"+w.nth(""))
	default:
		w.say(day, "开始计时，次日起算", false)
	}
	return nil
}

// counts reports whether a day counts when the clock runs, and what it is.
func (w *walk) counts(day calendar.Date) (is bool, why string, err error) {
	if w.due.Rule.Unit == Workday {
		return w.cal.IsWorkday(day)
	}
	return true, "", nil
}

func (w *walk) count(day calendar.Date) error {
	is, why, err := w.counts(day)
	if err != nil {
		return err
	}
	standing := w.c.standing(day)
	switch {
	case standing != "" && !is:
		w.say(day, standing+"，"+why+"，不计", false)
	case standing != "":
		w.say(day, standing+"，不计", false)
	case !is:
		w.say(day, why+"，不计", false)
	default:
		w.counted++
		w.say(day, w.nth(why), true)
	}
	return nil
}

// nth words a counted day: 第 1 个工作日, 补班日，第 2 个工作日, 第 3 天.
func (w *walk) nth(why string) string {
	if w.due.Rule.Unit != Workday {
		return fmt.Sprintf("第 %d 天", w.counted)
	}
	text := fmt.Sprintf("第 %d 个工作日", w.counted)
	if why == calendar.WhyMakeup {
		text = why + "，" + text
	}
	return text
}

func (w *walk) say(day calendar.Date, text string, counted bool) {
	w.due.Explain = append(w.due.Explain, Line{Day: day, Text: w.with(day, text), Counted: counted})
}

// with adds what happened on the day.
func (w *walk) with(day calendar.Date, text string) string {
	notes := w.c.notes[day]
	if len(notes) == 0 {
		return text
	}
	return text + "；" + strings.Join(notes, "；")
}

// moved puts the end off to the next working day.
func (w *walk) moved() error {
	d := w.due
	end, err := w.cal.OnOrAfter(d.Day)
	if err != nil {
		return err
	}
	for day := d.Day.AddDays(1); !day.After(end); day = day.AddDays(1) {
		_, why, err := w.cal.IsWorkday(day)
		if err != nil {
			return err
		}
		text := why + "，顺延"
		if day == end {
			text = "顺延到这一天"
		}
		w.say(day, text, false)
	}
	d.Day = end
	return nil
}

// projected fills due for a clock that stands: what is left, and the last day
// if it went on today.
func (w *walk) projected() error {
	d := w.due
	d.Used, d.Remaining = w.counted, d.Total-w.counted
	left := d.Remaining
	if w.c.standing(w.today) != "" { // today would count, were the clock to go on
		is, _, err := w.counts(w.today)
		if err != nil {
			return err
		}
		if is {
			left--
		}
	}
	if d.Rule.Unit == Workday {
		end, err := w.cal.Add(w.today, left)
		if err != nil {
			return err
		}
		d.Day = end
		return nil
	}
	d.Day = w.today.AddDays(left)
	return w.putOff()
}

// putOff is moved without the lines.
func (w *walk) putOff() error {
	if !w.due.Rule.MoveEnd {
		return nil
	}
	end, err := w.cal.OnOrAfter(w.due.Day)
	if err != nil {
		return err
	}
	w.due.Day = end
	return nil
}

// measure fills Remaining and Used from the last day and today.
func (w *walk) measure() error {
	d := w.due
	from, to, sign := w.today, d.Day, 1
	if to.Before(from) {
		from, to, sign = to, from, -1
	}
	n := 0
	for day := from.AddDays(1); !day.After(to); day = day.AddDays(1) {
		is, _, err := w.counts(day)
		if err != nil {
			return err
		}
		if is && w.c.standing(day) == "" {
			n++
		}
	}
	d.Remaining = sign * n
	for _, l := range d.Explain {
		if l.Counted && !l.Day.After(w.today) {
			d.Used++
		}
	}
	if sign < 0 {
		d.Used += n
	}
	return nil
}

// months reckons a clock of months: the corresponding day, later by the whole
// days the clock stood.
func (w *walk) months() error {
	d := w.due
	w.say(w.c.from, "开始计时", false)
	end := w.c.from.AddMonths(d.Rule.Days).AddDays(w.c.extra)
	stood := 0
	for day := w.c.from.AddDays(1); day.Before(w.today) && !day.After(end.AddDays(stood)); day = day.AddDays(1) {
		if why := w.c.standing(day); why != "" {
			w.say(day, why+"，不计", false)
			stood++
		}
	}
	d.Day = end.AddDays(stood)
	text := fmt.Sprintf("%d 个月的对应日", d.Rule.Days)
	if w.c.extra > 0 {
		text += fmt.Sprintf("，延长 %d 天", w.c.extra)
	}
	if stood > 0 {
		text += fmt.Sprintf("，停表 %d 天，顺延到这一天", stood)
	}
	w.say(d.Day, text, false)
	if d.Rule.MoveEnd {
		if err := w.moved(); err != nil {
			return err
		}
	}
	d.Total = d.Day.Sub(w.c.from) - stood
	d.Remaining = d.Day.Sub(w.today)
	d.Used = w.today.Sub(w.c.from) - stood
	return nil
}
