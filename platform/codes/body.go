package codes

import (
	"regexp"
	"strings"
)

// usccAlpha are the 31 characters of a credit code: no I, O, S, V, Z.
const usccAlpha = "0123456789ABCDEFGHJKLMNPQRTUWXY"

var (
	reUSCC    = regexp.MustCompile(`^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$`)
	reOrgCode = regexp.MustCompile(`^[0-9A-Z]{8}[0-9X]$`)
)

// USCC is a unified social credit code 统一社会信用代码 (GB 32100), of 18
// characters.
type USCC struct{ num }

// ParseUSCC reads a credit code and checks its check character (MOD 31).
func ParseUSCC(s string) (USCC, error) {
	const noun = "统一社会信用代码"
	s = strings.ReplaceAll(Normalise(s), "-", "")
	switch {
	case len(s) != 18:
		return USCC{}, refuse("uscc", noun, "应为 18 位")
	case strings.ContainsAny(s, "IOSVZ"):
		return USCC{}, refuse("uscc", noun, "里不会有字母 I、O、S、V、Z，请核对是不是数字 1、0、5、2")
	case !reUSCC.MatchString(s):
		return USCC{}, refuse("uscc", noun, "应由数字和大写字母组成，第 3 到 8 位是行政区划数字")
	case usccCheck(s[:17]) != s[17]:
		return USCC{}, refuse("uscc", noun, "的校验位不对，请核对有没有输错")
	}
	return USCC{num{s}}, nil
}

// usccCheck expects seventeen characters of usccAlpha.
func usccCheck(s17 string) byte {
	sum, w := 0, 1
	for i := range len(s17) {
		sum += strings.IndexByte(usccAlpha, s17[i]) * w
		w = w * 3 % 31
	}
	return usccAlpha[(31-sum%31)%31]
}

// UnmarshalText reads a code as ParseUSCC does; empty text is no code.
func (u *USCC) UnmarshalText(b []byte) error { return unmarshal(u, b, ParseUSCC) }

// Kind returns the first two characters, which hint at what the body is: 91 a
// company 企业, 92 a sole trader 个体工商户, 11 an office 机关 and so on. It is a
// hint, not a finding.
func (u USCC) Kind() string {
	if u.s == "" {
		return ""
	}
	return u.s[:2]
}

// Area returns the six digits of the registering office's district.
func (u USCC) Area() string {
	if u.s == "" {
		return ""
	}
	return u.s[2:8]
}

// Org returns the body's own part, which has the form of an OrgCode.
func (u USCC) Org() string {
	if u.s == "" {
		return ""
	}
	return u.s[8:17]
}

// Masked gives the code itself: bodies' codes are public.
func (u USCC) Masked() string { return u.s }

// OrgCode is an organisation code 组织机构代码 (GB 11714), of 9 characters,
// stored without its dash.
type OrgCode struct{ num }

// ParseOrgCode reads an organisation code and checks its check character.
func ParseOrgCode(s string) (OrgCode, error) {
	s = strings.ReplaceAll(Normalise(s), "-", "")
	if !reOrgCode.MatchString(s) {
		return OrgCode{}, refuse("org_code", "组织机构代码", "应为 9 位数字或大写字母")
	}
	if orgCheck(s[:8]) != s[8] {
		return OrgCode{}, refuse("org_code", "组织机构代码", "的校验位不对，请核对有没有输错")
	}
	return OrgCode{num{s}}, nil
}

// orgCheck expects eight digits or upper-case letters.
func orgCheck(s8 string) byte {
	weight := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weight {
		sum += strings.IndexByte(alpha36, s8[i]) * w
	}
	return "0123456789X0"[11-sum%11]
}

// UnmarshalText reads a code as ParseOrgCode does; empty text is no code.
func (o *OrgCode) UnmarshalText(b []byte) error { return unmarshal(o, b, ParseOrgCode) }

// Dashed gives 12345678-X, as papers write it.
func (o OrgCode) Dashed() string {
	if o.s == "" {
		return ""
	}
	return o.s[:8] + "-" + o.s[8:]
}

// Masked gives the code itself: bodies' codes are public.
func (o OrgCode) Masked() string { return o.s }
