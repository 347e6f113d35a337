package deadline

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/calendar"
	"haoban/platform/errs"
)

// at gives ten in the morning of a day in Shanghai; with "15:04" another hour.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	day, hour, _ := strings.Cut(s, " ")
	d, err := calendar.ParseDate(day)
	if err != nil {
		t.Fatal(err)
	}
	if hour == "" {
		hour = "10:00"
	}
	h, err := time.Parse("15:04", hour)
	if err != nil {
		t.Fatal(err)
	}
	return d.Start().Add(time.Duration(h.Hour())*time.Hour + time.Duration(h.Minute())*time.Minute)
}

// events reads "start 2026-11-20; pause 2026-11-23 专家评审 许可法第四十五条".
func events(t testing.TB, s string) []Event {
	t.Helper()
	var out []Event
	for one := range strings.SplitSeq(s, ";") {
		f := strings.Fields(one)
		if len(f) < 2 {
			continue
		}
		e := Event{Kind: Kind(f[0]), At: at(t, f[1])}
		if len(f) > 2 {
			if _, err := fmt.Sscanf(f[2], "%d", &e.Days); err != nil {
				e.Reason = f[2]
			}
		}
		if len(f) > 3 {
			e.Basis = f[3]
		}
		out = append(out, e)
	}
	return out
}

// The calendar's own vectors, as limits.
func TestWorkdayVectors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		start string
		days  int
		want  string
	}{
		{"2025-01-24", 5, "2025-02-07"},
		{"2025-09-26", 5, "2025-10-10"},
		{"2026-01-01", 5, "2026-01-08"},
		{"2026-02-12", 5, "2026-02-26"},
		{"2026-02-13", 20, "2026-03-19"},
		{"2026-02-14", 1, "2026-02-24"},
		{"2026-04-30", 5, "2026-05-11"},
		{"2026-05-08", 1, "2026-05-09"},
		{"2026-06-18", 1, "2026-06-22"},
		{"2026-08-10", 20, "2026-09-07"},
		{"2026-09-18", 5, "2026-09-24"},
		{"2026-09-30", 20, "2026-11-03"},
	} {
		start := events(t, "start "+tt.start)
		d, err := Compute(calendar.Default(), Rule{Unit: Workday, Days: tt.days}, start, start[0].At)
		if err != nil || d.Day.String() != tt.want || d.Remaining != tt.days || d.Used != 0 {
			t.Errorf("%s + %d: %s, %d left, %v", tt.start, tt.days, d.Day, d.Remaining, err)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	five := Rule{Unit: Workday, Days: 5, HardMax: 20}
	review := "; pause 2026-11-23 专家评审 行政许可法第四十五条"
	for _, tt := range []struct {
		name, events, now string
		rule              Rule
		day, text         string
		light             Light
		left, used        int
	}{
		{"not started", "", "2026-11-23", five, "", "尚未开始计时", None, 0, 0},
		{"not started yet", "start 2026-11-24", "2026-11-23", five, "", "尚未开始计时", None, 0, 0},
		{"three left", "start 2026-11-19", "2026-11-23", five, "2026-11-26", "还剩 3 个工作日（11月26日止）", Green, 3, 2},
		{"two left", "start 2026-11-19", "2026-11-24", five, "2026-11-26", "还剩 2 个工作日（11月26日止）", Yellow, 2, 3},
		{"last day, last minute", "start 2026-11-19", "2026-11-26 23:59", five, "2026-11-26", "今天到期", Yellow, 0, 5},
		{"over", "start 2026-11-19", "2026-11-27 00:00", five, "2026-11-26", "超期 1 个工作日", Red, -1, 6},
		{"weekend does not make it later", "start 2026-11-19", "2026-11-29", five, "2026-11-26", "超期 1 个工作日", Red, -1, 6},
		{"standing", "start 2026-11-19" + review, "2026-11-25", five, "2026-11-27", "等专家评审，不计时", None, 3, 2},
		{"standing since today", "start 2026-11-19" + review, "2026-11-23", five, "2026-11-26", "等专家评审，不计时", None, 3, 2},
		{"went on", "start 2026-11-19" + review + "; resume 2026-11-26", "2026-11-26", five, "2026-11-30", "还剩 2 个工作日（11月30日止）", Yellow, 2, 3},
		{"stood within one day", "start 2026-11-19" + review + "; resume 2026-11-23", "2026-11-23", five, "2026-11-26", "还剩 3 个工作日（11月26日止）", Green, 3, 2},
		{"stood overnight", "start 2026-11-19" + review + "; resume 2026-11-24", "2026-11-24", five, "2026-11-26", "还剩 2 个工作日（11月26日止）", Yellow, 2, 3},
		{"extended", "start 2026-11-19; extend 2026-11-26 10 行政许可法第四十二条", "2026-11-26", five, "2026-12-10", "还剩 10 个工作日（12月10日止）", Green, 10, 5},
		{"done", "start 2026-11-19; stop 2026-11-23", "2026-12-31", five, "2026-11-26", "按期办结，用了 2 个工作日", None, 3, 2},
		{"done the same day", "start 2026-11-19; stop 2026-11-19", "2026-11-23", five, "2026-11-26", "当天办结", None, 5, 0},
		{"done late", "start 2026-11-19; stop 2026-11-30", "2026-12-31", five, "2026-11-26", "办结时超期 2 个工作日", None, -2, 7},
		{"done while standing", "start 2026-11-19" + review + "; stop 2026-11-26", "2026-12-31", five, "2026-11-30", "按期办结，用了 3 个工作日", None, 2, 3},
		{"begun anew", "start 2026-11-02; stop 2026-11-05; start 2026-11-19", "2026-11-23", five, "2026-11-26", "还剩 3 个工作日（11月26日止）", Green, 3, 2},
		{"returned and begun anew", "start 2026-11-02" + strings.ReplaceAll(review, "23", "04") + "; start 2026-11-19", "2026-11-23", five, "2026-11-26", "还剩 3 个工作日（11月26日止）", Green, 3, 2},
		{"on the spot", "start 2026-11-23", "2026-11-23", Rule{Unit: Workday}, "2026-11-23", "今天到期", Yellow, 0, 0},
		{"on the spot, a day late", "start 2026-11-23", "2026-11-24", Rule{Unit: Workday}, "2026-11-23", "超期 1 个工作日", Red, -1, 1},
		{"on the spot, on a Saturday", "start 2026-11-21", "2026-11-21", Rule{Unit: Workday}, "2026-11-23", "还剩 1 个工作日（11月23日止）", Yellow, 1, 0},
		{"from the day itself", "start 2026-11-19", "2026-11-19", Rule{Unit: Workday, Days: 5, FromStart: true}, "2026-11-25", "还剩 4 个工作日（11月25日止）", Green, 4, 1},
		{"one day from the day itself", "start 2026-11-19", "2026-11-19", Rule{Unit: Workday, Days: 1, FromStart: true}, "2026-11-19", "今天到期", Yellow, 0, 1},
		{"natural days", "start 2026-09-20", "2026-09-21", Rule{Unit: Natural, Days: 15}, "2026-10-05", "还剩 14 天（10月5日止）", Green, 14, 1},
		{"natural days, end moved", "start 2026-09-20", "2026-09-21", Rule{Unit: Natural, Days: 15, MoveEnd: true}, "2026-10-08", "还剩 17 天（10月8日止）", Green, 17, 1},
		{"natural days, late", "start 2026-11-01", "2026-11-13", Rule{Unit: Natural, Days: 10}, "2026-11-11", "超期 2 天", Red, -2, 12},
		{"natural days, stood", "start 2026-11-01; pause 2026-11-03 公示 沪规条第三十七条; resume 2026-11-07", "2026-11-07", Rule{Unit: Natural, Days: 10}, "2026-11-14", "还剩 7 天（11月14日止）", Green, 7, 3},
		{"months", "start 2026-08-31", "2026-09-01", Rule{Unit: Month, Days: 1}, "2026-09-30", "还剩 29 天（9月30日止）", Green, 29, 1},
		{"months, end moved", "start 2026-07-01", "2026-09-30", Rule{Unit: Month, Days: 3, MoveEnd: true}, "2026-10-08", "还剩 8 天（10月8日止）", Green, 8, 91},
		{"months, stood", "start 2026-08-31; pause 2026-09-01 公示 沪规条第三十七条; resume 2026-09-05", "2026-09-05", Rule{Unit: Month, Days: 1}, "2026-10-03", "还剩 28 天（10月3日止）", Green, 28, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := Compute(calendar.Default(), tt.rule, events(t, tt.events), at(t, tt.now))
			if err != nil {
				t.Fatal(err)
			}
			if d.Day.String() != tt.day || d.Text() != tt.text || d.Light(0) != tt.light || d.Remaining != tt.left || d.Used != tt.used {
				t.Errorf("%s, %s, %s, %d left, %d used; want %s, %s, %s, %d, %d", d.Day, d.Text(), d.Light(0), d.Remaining, d.Used,
					tt.day, tt.text, tt.light, tt.left, tt.used)
			}
		})
	}
}

func explain(d Due) string {
	var b strings.Builder
	for _, l := range d.Explain {
		mark := " "
		if l.Counted {
			mark = "+"
		}
		b.WriteString(mark + l.String() + "\n")
	}
	return b.String()
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, events, now string
		rule              Rule
		want              string
	}{
		{
			"through a holiday", "start 2026-09-30; extend 2026-10-08 1 行政许可法第四十二条", "2026-10-08",
			Rule{Unit: Workday, Days: 2}, `
 2026年9月30日（周三）：开始计时，次日起算
 2026年10月1日（周四）：法定节假日（国庆节），不计
 2026年10月2日（周五）：法定节假日（国庆节），不计
 2026年10月3日（周六）：法定节假日（国庆节），不计
 2026年10月4日（周日）：法定节假日（国庆节），不计
 2026年10月5日（周一）：法定节假日（国庆节），不计
 2026年10月6日（周二）：法定节假日（国庆节），不计
 2026年10月7日（周三）：法定节假日（国庆节），不计
+2026年10月8日（周四）：第 1 个工作日；延长 1 个工作日（行政许可法第四十二条）
+2026年10月9日（周五）：第 2 个工作日
+2026年10月10日（周六）：补班日，第 3 个工作日
`,
		},
		{
			"stood for a review",
			"start 2026-11-18; pause 2026-11-19 专家评审 许可法第四十五条; resume 2026-11-24", "2026-11-24",
			Rule{Unit: Workday, Days: 3}, `
 2026年11月18日（周三）：开始计时，次日起算
+2026年11月19日（周四）：第 1 个工作日；专家评审停表（许可法第四十五条），次日起停表
 2026年11月20日（周五）：专家评审停表（许可法第四十五条），不计
 2026年11月21日（周六）：专家评审停表（许可法第四十五条），周末，不计
 2026年11月22日（周日）：专家评审停表（许可法第四十五条），周末，不计
 2026年11月23日（周一）：专家评审停表（许可法第四十五条），不计
+2026年11月24日（周二）：第 2 个工作日；恢复计时
+2026年11月25日（周三）：第 3 个工作日
`,
		},
		{
			"still standing", "start 2026-11-18; pause 2026-11-19 专家评审 许可法第四十五条", "2026-11-20",
			Rule{Unit: Workday, Days: 3}, `
 2026年11月18日（周三）：开始计时，次日起算
+2026年11月19日（周四）：第 1 个工作日；专家评审停表（许可法第四十五条），次日起停表
 2026年11月20日（周五）：专家评审停表（许可法第四十五条），不计
`,
		},
		{
			"natural days moved", "start 2026-11-19", "2026-11-19", Rule{Unit: Natural, Days: 2, MoveEnd: true}, `
 2026年11月19日（周四）：开始计时，次日起算
+2026年11月20日（周五）：第 1 天
+2026年11月21日（周六）：第 2 天
 2026年11月22日（周日）：周末，顺延
 2026年11月23日（周一）：顺延到这一天
`,
		},
		{
			"on the spot", "start 2026-11-23; stop 2026-11-23", "2026-11-23", Rule{Unit: Workday}, `
 2026年11月23日（周一）：开始计时，当场办结；办结
`,
		},
		{
			"from the day itself", "start 2026-11-23", "2026-11-23", Rule{Unit: Workday, Days: 2, FromStart: true}, `
+2026年11月23日（周一）：开始计时，当日起算，第 1 个工作日
+2026年11月24日（周二）：第 2 个工作日
`,
		},
		{
			"months", "start 2026-07-03; extend 2026-07-04 1 第一条", "2026-07-04", Rule{Unit: Month, Days: 1, MoveEnd: true}, `
 2026年7月3日（周五）：开始计时
 2026年8月4日（周二）：1 个月的对应日，延长 1 天
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := Compute(calendar.Default(), tt.rule, events(t, tt.events), at(t, tt.now))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), explain(d)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	five := Rule{Unit: Workday, Days: 5}
	pause := "pause 2026-11-20 专家评审 许可法第四十五条"
	for _, tt := range []struct {
		name, events string
		rule         Rule
		want, msg    string
	}{
		{"unit", "", Rule{Unit: "hour"}, "deadline.rule", "单位"},
		{"longer than the law's", "", Rule{Unit: Workday, Days: 21, HardMax: 20}, "deadline.rule", "长于法定时限"},
		{"negative", "", Rule{Unit: Workday, Days: -1}, "deadline.rule", "不对"},
		{"pause first", pause, five, "deadline.events", "还没有开始"},
		{"pause twice", "start 2026-11-19;" + pause + ";" + pause, five, "deadline.events", "已经在停表"},
		{"pause without a basis", "start 2026-11-19; pause 2026-11-20 征询", five, "deadline.events", "法律依据"},
		{"resume", "start 2026-11-19; resume 2026-11-20", five, "deadline.events", "没有停表"},
		{"after the end", "start 2026-11-19; stop 2026-11-20;" + pause, five, "deadline.events", "已经结束"},
		{"backwards", "start 2026-11-20; stop 2026-11-19", five, "deadline.events", "先后"},
		{"extend nothing", "start 2026-11-19; extend 2026-11-20 0 某条", five, "deadline.events", "天数"},
		{"extend for no reason", "start 2026-11-19; extend 2026-11-20 3", five, "deadline.events", "依据"},
		{"extend too far", "start 2026-11-19; extend 2026-11-20 11 某条", Rule{Unit: Workday, Days: 5, MaxExtend: 10}, "deadline.events", "只能延长 10"},
		{"unknown", "start 2026-11-19; wait 2026-11-20", five, "deadline.events", "wait"},
		{"next year", "start 2026-12-10", Rule{Unit: Workday, Days: 20}, "calendar.year", "2027 年的工作日历还没有录入"},
		{"next year, natural, moved", "start 2026-12-20", Rule{Unit: Natural, Days: 20, MoveEnd: true}, "calendar.year", "2027 年的工作日历还没有录入"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compute(calendar.Default(), tt.rule, events(t, tt.events), at(t, "2026-12-31"))
			e, ok := errs.As(err)
			if !ok || e.Kind != errs.Invalid || e.Code != tt.want || !strings.Contains(e.Msg, tt.msg) {
				t.Errorf("got %v, want %s %s", err, tt.want, tt.msg)
			}
		})
	}
	if _, err := Compute(calendar.Default(), Rule{}, nil, at(t, "2026-11-23")); !errors.Is(err, ErrRule) {
		t.Error(err)
	}
	d, err := Compute(calendar.Default(), Rule{Unit: Natural, Days: 20}, events(t, "start 2026-12-20"), at(t, "2026-12-20"))
	if err != nil || d.Day.String() != "2027-01-09" {
		t.Error("natural days need no calendar", d.Day, err)
	}
}

// Standing over k whole working days moves the last day by exactly k working
// days, wherever it falls, and asking at different moments never changes a last
// day once the clock runs again.
func TestPauseShifts(t *testing.T) {
	t.Parallel()
	cal := calendar.Default()
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a repeatable test
	for range 3000 {
		start := calendar.NewDate(2025, 1, 1).AddDays(rng.IntN(500))
		rule := Rule{Unit: Workday, Days: 1 + rng.IntN(30)}
		evs := []Event{{Kind: Start, At: start.Start().Add(9 * time.Hour)}}
		plain, err := Compute(cal, rule, evs, evs[0].At)
		if err != nil {
			t.Fatal(err)
		}
		from := start.AddDays(rng.IntN(plain.Day.Sub(start) + 1))
		to := from.AddDays(rng.IntN(40))
		k, err := cal.Between(from, to)
		if err != nil {
			t.Fatal(err)
		}
		if is, _, err := cal.IsWorkday(to); err != nil {
			t.Fatal(err)
		} else if is && to != from {
			k-- // the day it went on counts
		}
		if from == plain.Day {
			k = 0 // nothing was left to shift
		}
		evs = append(evs,
			Event{Kind: Pause, At: from.Start().Add(10 * time.Hour), Basis: "某条"},
			Event{Kind: Resume, At: to.Start().Add(11 * time.Hour)})
		want, err := cal.Add(plain.Day, k)
		if err != nil {
			t.Fatal(err)
		}
		for _, later := range []int{0, 1, 17} {
			got, err := Compute(cal, rule, evs, to.AddDays(later).End().Add(-1))
			if err != nil {
				t.Fatal(err)
			}
			if got.Day != want {
				t.Fatalf("start %s, %d days, stood %s to %s (%d working days): %s, want %s", start, rule.Days, from, to, k, got.Day, want)
			}
		}
	}
}

// The explanation adds up, lists each day once and in order, and what is left
// and used agree with it.
func TestExplainAddsUp(t *testing.T) {
	t.Parallel()
	cal := calendar.Default()
	rng := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a repeatable test
	for range 3000 {
		start := calendar.NewDate(2025, 1, 1).AddDays(rng.IntN(400))
		rule := Rule{Unit: []string{Workday, Natural}[rng.IntN(2)], Days: rng.IntN(25), FromStart: rng.IntN(4) == 0, MoveEnd: rng.IntN(2) == 0}
		evs := []Event{{Kind: Start, At: start.Start()}}
		day := start
		for range rng.IntN(3) {
			day = day.AddDays(rng.IntN(5))
			evs = append(evs, Event{Kind: Pause, At: day.Start(), Basis: "某条"})
			day = day.AddDays(rng.IntN(6))
			evs = append(evs, Event{Kind: Resume, At: day.Start()})
		}
		if rng.IntN(3) == 0 {
			evs = append(evs, Event{Kind: Extend, At: day.Start(), Days: 1 + rng.IntN(9), Basis: "某条"})
		}
		now := day.AddDays(rng.IntN(30))
		d, err := Compute(cal, rule, evs, now.Start())
		if err != nil {
			t.Fatal(err)
		}
		counted, used := 0, 0
		for i, l := range d.Explain {
			if l.Text == "" || i > 0 && l.Day != d.Explain[i-1].Day.AddDays(1) {
				t.Fatalf("days are not one after the other:\n%s", explain(d))
			}
			if l.Counted {
				counted++
				if !l.Day.After(now) {
					used++
				}
			}
		}
		if len(d.Explain) == 0 || d.Explain[len(d.Explain)-1].Day != d.Day || counted != d.Total {
			t.Fatalf("%d of %d counted up to %s:\n%s", counted, d.Total, d.Day, explain(d))
		}
		if d.Remaining >= 0 && d.Used != used {
			t.Fatalf("%d used, %d lines:\n%s", d.Used, used, explain(d))
		}
		if rule.Unit == Workday && d.Total > 0 && d.Remaining >= 0 && d.Used+d.Remaining != d.Total {
			t.Fatalf("%d used and %d left of %d:\n%s", d.Used, d.Remaining, d.Total, explain(d))
		}
		if (d.Remaining < 0) != now.After(d.Day) && rule.Unit == Natural {
			t.Fatalf("%d left on %s of %s", d.Remaining, now, d.Day)
		}
	}
}

// No order of events makes Compute panic or run on.
func FuzzCompute(f *testing.F) {
	f.Add("workday", 5, []byte{0, 1, 1, 3, 2, 4, 4, 9})
	f.Add("natural", 15, []byte{0, 0, 3, 200, 1, 9, 2, 1})
	f.Add("month", 3, []byte{0, 30, 1, 1})
	f.Fuzz(func(t *testing.T, unit string, days int, raw []byte) {
		kinds := []Kind{Start, Pause, Resume, Extend, Stop}
		at := calendar.NewDate(2025, 3, 1).Start()
		var evs []Event
		for i := 0; i+1 < len(raw) && i < 40; i += 2 {
			at = at.Add(time.Duration(raw[i+1]) * 5 * time.Hour)
			evs = append(evs, Event{Kind: kinds[int(raw[i])%len(kinds)], At: at, Basis: "某条", Days: int(raw[i+1])})
		}
		d, err := Compute(calendar.Default(), Rule{Unit: unit, Days: days, MoveEnd: len(raw)%2 == 0}, evs, at.AddDate(0, 0, 3))
		if err != nil {
			if errs.CodeOf(err) == "internal" {
				t.Fatal(err)
			}
			return
		}
		if d.Text() == "" || d.Started == d.Day.IsZero() {
			t.Fatalf("%+v", d)
		}
	})
}
