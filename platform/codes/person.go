package codes

import (
	"log/slog"
	"regexp"
	"strings"

	"haoban/platform/calendar"
)

// ResidentID is a resident identity number 居民身份证号 (GB 11643), of 18
// characters; residence permits of 港澳台 residents and the new permanent
// residence cards of foreigners have the same form.
type ResidentID struct{ num }

var (
	reResidentID = regexp.MustCompile(`^[1-9]\d{5}(18|19|20)\d{2}\d{4}\d{3}[\dX]$`)
	reOldID      = regexp.MustCompile(`^[1-9]\d{14}$`)
	reMobile     = regexp.MustCompile(`^1[3-9]\d{9}$`)
)

// provinces are the two-digit codes an identity number may begin with. Codes
// below the province are not looked at: districts merge, old numbers stay.
const provinces = " 11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 "

// ParseResidentID reads an identity number and checks its province, its date
// of birth and its check digit. Numbers of 15 digits are refused, not
// completed.
func ParseResidentID(s string) (ResidentID, error) {
	const noun = "身份证号"
	bad := func(because string) (ResidentID, error) {
		return ResidentID{}, refuse("resident_id", noun, because)
	}
	s = Normalise(s)
	switch {
	case reOldID.MatchString(s):
		return bad("是已停用的 15 位旧号码，请填现在的 18 位号码")
	case !reResidentID.MatchString(s):
		return bad("应为 18 位，前 17 位是数字，最后一位是数字或 X")
	case s[0] != '9' && !strings.Contains(provinces, " "+s[:2]+" "):
		return bad("的前两位不是省份代码，请核对")
	}
	if _, err := calendar.ParseDate(s[6:10] + "-" + s[10:12] + "-" + s[12:14]); err != nil {
		return bad("里的出生日期不存在，请核对")
	}
	if residentCheck(s[:17]) != s[17] {
		return bad("的校验位不对，请核对有没有输错")
	}
	return ResidentID{num{s}}, nil
}

// residentCheck is MOD 11-2 over seventeen digits.
func residentCheck(s17 string) byte {
	weight := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weight {
		sum += int(s17[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// UnmarshalText reads a number as ParseResidentID does; empty text is no
// number.
func (r *ResidentID) UnmarshalText(b []byte) error { return unmarshal(r, b, ParseResidentID) }

// Birth returns the date of birth.
func (r ResidentID) Birth() calendar.Date {
	if r.s == "" {
		return calendar.Date{}
	}
	d, err := calendar.ParseDate(r.s[6:10] + "-" + r.s[10:12] + "-" + r.s[12:14])
	if err != nil {
		return calendar.Date{}
	}
	return d
}

// Sex returns 男 or 女, from the seventeenth digit.
func (r ResidentID) Sex() string {
	if r.s == "" {
		return ""
	}
	if (r.s[16]-'0')%2 == 1 {
		return "男"
	}
	return "女"
}

// Age returns the full years 周岁 reached on the given day.
func (r ResidentID) Age(on calendar.Date) int {
	b := r.Birth()
	n := on.Year() - b.Year()
	if on.Month() < b.Month() || on.Month() == b.Month() && on.Day() < b.Day() {
		n--
	}
	return n
}

// Masked gives 310***********0019.
func (r ResidentID) Masked() string { return MaskID(r.s) }

// LogValue keeps the number out of logs.
func (r ResidentID) LogValue() slog.Value { return slog.StringValue(r.Masked()) }

// Mobile is a mobile phone number 手机号 of the mainland.
type Mobile struct{ num }

// ParseMobile reads a mobile number, with or without +86 and dashes.
func ParseMobile(s string) (Mobile, error) {
	s = strings.ReplaceAll(Normalise(s), "-", "")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+86"), "0086")
	if !reMobile.MatchString(s) {
		if len(s) == 11 && digits(s) {
			return Mobile{}, refuse("mobile", "手机号", "应以 13 到 19 开头，请核对")
		}
		return Mobile{}, refuse("mobile", "手机号", "应为 11 位数字")
	}
	return Mobile{num{s}}, nil
}

// UnmarshalText reads a number as ParseMobile does; empty text is no number.
func (m *Mobile) UnmarshalText(b []byte) error { return unmarshal(m, b, ParseMobile) }

// Masked gives 199****0001.
func (m Mobile) Masked() string { return MaskMobile(m.s) }

// LogValue keeps the number out of logs.
func (m Mobile) LogValue() slog.Value { return slog.StringValue(m.Masked()) }

func unmarshal[T any](to *T, b []byte, parse func(string) (T, error)) error {
	if len(b) == 0 {
		var none T
		*to = none
		return nil
	}
	v, err := parse(string(b))
	if err != nil {
		return err
	}
	*to = v
	return nil
}
