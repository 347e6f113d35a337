package codes

import (
	"regexp"
)

var reProjectCode = regexp.MustCompile(`^\d{4}-\d{6}-\d{2}-\d{2}-\d{6}$`)

// ProjectCode is an investment project code 投资项目代码 (GB/T 40058), of 24
// characters. Whether it was really given is for the approval platform to say:
// the rule of its check digit is not published.
type ProjectCode struct{ num }

// ProjectStyle says which of the two codings of the same shape a code is in.
type ProjectStyle string

// The styles. 2011 and 2012 at the start may be a year or a month.
const (
	ProjectNew    ProjectStyle = "new"    // since 2020-11: YYMM-区划-部门-类型-随机
	ProjectOld    ProjectStyle = "old"    // before: YYYY-区划-行业-类型-流水
	ProjectEither ProjectStyle = "either" // cannot be told
)

// ParseProjectCode reads a project code. Missing dashes are put in.
func ParseProjectCode(s string) (ProjectCode, error) {
	s = Normalise(s)
	if len(s) == 20 && digits(s) {
		s = s[:4] + "-" + s[4:10] + "-" + s[10:12] + "-" + s[12:14] + "-" + s[14:]
	}
	if !reProjectCode.MatchString(s) {
		return ProjectCode{}, refuse("project_code", "项目代码", "应为 20 位数字，写成“2011-310115-04-01-123456”的样子")
	}
	c := ProjectCode{num{s}}
	if c.Style() == "" {
		return ProjectCode{}, refuse("project_code", "项目代码", "的前四位既不是年月也不是 2020 年以前的年份，请核对")
	}
	return c, nil
}

// UnmarshalText reads a code as ParseProjectCode does; empty text is no code.
func (p *ProjectCode) UnmarshalText(b []byte) error { return unmarshal(p, b, ParseProjectCode) }

// Style tells the new coding from the old where it can be told.
func (p ProjectCode) Style() ProjectStyle {
	if p.s == "" {
		return ""
	}
	n := atoi(p.s[:4])
	isNew := n >= 2011 && n%100 >= 1 && n%100 <= 12
	isOld := n >= 1900 && n <= 2020
	switch {
	case isNew && isOld:
		return ProjectEither
	case isNew:
		return ProjectNew
	case isOld:
		return ProjectOld
	}
	return ""
}

// District returns the six digits of the district.
func (p ProjectCode) District() string {
	if p.s == "" {
		return ""
	}
	return p.s[5:11]
}

// Masked gives the code itself: project codes are public.
func (p ProjectCode) Masked() string { return p.s }
