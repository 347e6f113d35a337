package process

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// timer is what a timer event waits for: a span, a moment, or an expression
// that gives one of the two.
type timer struct {
	span     span
	at       string
	expr     *expression
	date     bool // timeDate, as opposed to timeDuration
	workDays bool
}

// span is a duration: whole days, or hours and less.
type span struct {
	days  int
	clock time.Duration
}

const maxDays = 36500

// parseSpan reads PnD, PnW or PTnHnMnS. Months and years are refused, because
// limits of the law that this house keeps are counted in days.
func parseSpan(s string) (span, error) {
	var sp span
	m := regexp.MustCompile(`^P(?:(\d{1,6})([DW])|T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)$`).FindStringSubmatch(s)
	if m == nil || s == "PT" {
		return sp, fmt.Errorf("“%s”不是时长，请写成 P5D（5 天）、P2W（2 周）或 PT4H（4 小时），不用月和年", s)
	}
	num := func(t string) int {
		n, err := strconv.Atoi(t)
		if err != nil {
			return 0 // an absent part
		}
		return n
	}
	sp.days = num(m[1])
	if m[2] == "W" {
		sp.days *= 7
	}
	if sp.days > maxDays {
		return sp, fmt.Errorf("时长“%s”太长", s)
	}
	sp.clock = time.Duration(num(m[3]))*time.Hour + time.Duration(num(m[4]))*time.Minute + time.Duration(num(m[5]))*time.Second
	return sp, nil
}

// checkMoment accepts a day or an RFC 3339 moment.
func checkMoment(s string) error {
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return nil
	}
	return fmt.Errorf("“%s”不是日期，请写成 2026-11-26 或 2026-11-26T09:00:00+08:00", s)
}
