package calendar

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"haoban/platform/errs"
)

func day(t *testing.T, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The twelve vectors of the State Council's notices for 2025 and 2026.
func TestAdd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from string
		n    int
		want string
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
		{"2026-10-01", 0, "2026-10-01"},
	} {
		got, err := Default().Add(day(t, tt.from), tt.n)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != tt.want {
			t.Errorf("Add(%s, %d) = %s, want %s", tt.from, tt.n, got, tt.want)
		}
		back, err := Default().Between(day(t, tt.from), got)
		if err != nil || back != tt.n {
			t.Errorf("Between(%s, %s) = %d, %v, want %d", tt.from, got, back, err, tt.n)
		}
		back, err = Default().Between(got, day(t, tt.from))
		if err != nil || back != -tt.n {
			t.Errorf("Between(%s, %s) = %d, %v, want %d", got, tt.from, back, err, -tt.n)
		}
	}
	if _, err := Default().Add(day(t, "2026-01-01"), -1); errs.CodeOf(err) != "calendar.count" {
		t.Errorf("negative count: %v", err)
	}
}

func TestMonthlyCounts(t *testing.T) {
	t.Parallel()
	for year, want := range map[int][12]int{
		2025: {19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23},
		2026: {21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23},
	} {
		sum := 0
		for m := range 12 {
			n := 0
			for d := NewDate(year, time.Month(m+1), 1); d.Month() == time.Month(m+1); d = d.AddDays(1) {
				is, _, err := Default().IsWorkday(d)
				if err != nil {
					t.Fatal(err)
				}
				if is {
					n++
				}
			}
			if n != want[m] {
				t.Errorf("%d-%02d: %d working days, want %d", year, m+1, n, want[m])
			}
			sum += n
		}
		if sum != 248 {
			t.Errorf("%d: %d working days, want 248", year, sum)
		}
	}
}

func TestIsWorkday(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		day string
		is  bool
		why string
	}{
		{"2026-11-23", true, "工作日"},
		{"2026-11-22", false, "周末"},
		{"2026-10-01", false, "法定节假日（国庆节）"},
		{"2026-10-04", false, "法定节假日（国庆节）"}, // a Sunday inside the holiday
		{"2026-10-10", true, "补班日"},
	} {
		is, why, err := Default().IsWorkday(day(t, tt.day))
		if err != nil || is != tt.is || why != tt.why {
			t.Errorf("IsWorkday(%s) = %v, %s, %v", tt.day, is, why, err)
		}
	}
}

func TestYearNotLoaded(t *testing.T) {
	t.Parallel()
	_, _, err := Default().IsWorkday(day(t, "2027-01-04"))
	if errs.CodeOf(err) != "calendar.year" || errs.KindOf(err) != errs.Invalid {
		t.Fatalf("2027: %v", err)
	}
	e, _ := errs.As(err)
	if !strings.Contains(e.Msg, "2027 年的工作日历还没有录入") {
		t.Errorf("message %q", e.Msg)
	}
	if _, err := Default().Add(day(t, "2026-12-10"), 20); errs.CodeOf(err) != "calendar.year" {
		t.Errorf("into 2027: %v", err)
	}
	if _, err := Default().Between(day(t, "2026-12-30"), day(t, "2027-01-02")); errs.CodeOf(err) != "calendar.year" {
		t.Errorf("between into 2027: %v", err)
	}
	next, err := Load([]byte(`{"2027":{"off":["2027-01-01"],"work":["2027-01-02"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Default().Merge(next).Add(day(t, "2026-12-31"), 1)
	if err != nil || got.String() != "2027-01-02" {
		t.Errorf("merged: %s, %v", got, err)
	}
	if len(Default().Years()) != 2 {
		t.Error("Merge changed the default calendar")
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"unknown key":     `{"2026":{"free":[]}}`,
		"other year":      `{"2026":{"off":["2025-01-01"]}}`,
		"twice":           `{"2026":{"off":["2026-01-01"],"work":["2026-01-01"]}}`,
		"weekday made up": `{"2026":{"work":["2026-11-23"]}}`,
		"no such day":     `{"2026":{"off":["2026-02-30"]}}`,
		"bad year":        `{"026":{}}`,
		"name reversed":   `{"2026":{"names":[{"from":"2026-01-03","to":"2026-01-01","name":"元旦"}]}}`,
		"trailing":        `{} {}`,
		"not json":        `2026`,
	} {
		if _, err := Load([]byte(in)); errs.CodeOf(err) != "calendar.load" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(Default())
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(b)
	if err != nil {
		t.Fatal(err)
	}
	for d := NewDate(2025, 1, 1); d.Year() < 2027; d = d.AddDays(1) {
		is1, why1, err1 := Default().IsWorkday(d)
		is2, why2, err2 := c.IsWorkday(d)
		if is1 != is2 || why1 != why2 || err1 != nil || err2 != nil {
			t.Fatalf("%s differs after a round trip", d)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	d := day(t, "2026-11-23")
	if got := d.Chinese(); got != "2026年11月23日（周一）" {
		t.Error(got)
	}
	if got := d.AddDays(3).Short(); got != "11月26日" {
		t.Error(got)
	}
	if got := d.Long(); got != "2026年11月23日" {
		t.Error(got)
	}
	// 2026-11-22T16:00Z is already the 23rd in Shanghai.
	if got := DateOf(time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)); got != d {
		t.Error(got)
	}
	if got := DateOf(d.End().Add(-time.Nanosecond)); got != d {
		t.Error(got)
	}
	if got := DateOf(d.Start()); got != d {
		t.Error(got)
	}
	if !DateOf(time.Time{}).IsZero() || (Date{}).String() != "" || (Date{}).Chinese() != "" {
		t.Error("the zero time is no date")
	}
	if got := day(t, "2026-01-31").AddMonths(1).String(); got != "2026-02-28" {
		t.Error(got)
	}
	if got := day(t, "2026-11-30").AddMonths(3).String(); got != "2027-02-28" {
		t.Error(got)
	}
	if got := day(t, "2026-03-31").AddMonths(-1).String(); got != "2026-02-28" {
		t.Error(got)
	}
	if got := day(t, "2026-03-01").Sub(day(t, "2026-02-01")); got != 28 {
		t.Error(got)
	}
	if got := day(t, "1880-01-01").AddDays(-1).String(); got != "1879-12-31" {
		t.Error(got)
	}
	var x struct{ A, B Date }
	if err := json.Unmarshal([]byte(`{"A":"2026-11-23","B":""}`), &x); err != nil || x.A != d || !x.B.IsZero() {
		t.Error(x, err)
	}
	if err := json.Unmarshal([]byte(`{"A":"2026-2-3"}`), &x); err == nil {
		t.Error("loose date read")
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-11-23", "2026-02-30", "", "0001-01-01", "9999-12-31", "２０２６-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err != nil {
			return
		}
		if d.String() != s {
			t.Errorf("%q became %q", s, d)
		}
		if d.AddDays(1).Sub(d) != 1 || DateOf(d.Start()) != d {
			t.Errorf("%q does not count", s)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(embedded)
	f.Add([]byte(`{"2027":{"off":["2027-01-01"],"work":["2027-01-02"]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Load(b)
		if err != nil {
			return
		}
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Load(out); err != nil {
			t.Fatalf("does not read its own writing: %v", err)
		}
	})
}
