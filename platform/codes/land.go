package codes

import (
	"regexp"
	"strings"
)

var (
	reParcelCode = regexp.MustCompile(`^\d{12}[GJZ][A-Z]\d{5}$`)
	reUnitCode   = regexp.MustCompile(`^\d{12}[GJZ][A-Z]\d{5}[FLQW]\d{8}$`)
)

// ParcelCode is a parcel code 宗地代码 (GB/T 37346), of 19 characters.
type ParcelCode struct{ num }

// ParseParcelCode reads a parcel code, with or without the blanks or dashes it
// is shown with. It has no check digit.
func ParseParcelCode(s string) (ParcelCode, error) {
	s = strings.ReplaceAll(Normalise(s), "-", "")
	if err := parcel(s, "parcel_code", "宗地代码"); err != nil {
		return ParcelCode{}, err
	}
	return ParcelCode{num{s}}, nil
}

func parcel(s, code, noun string) error {
	switch {
	case len(s) != 19:
		return refuse(code, noun, "应为 19 位")
	case !reParcelCode.MatchString(s):
		return refuse(code, noun, "应为 12 位数字、特征码两个字母（第一个是 G、J 或 Z）和 5 位顺序号")
	case s[14:] == "00000":
		return refuse(code, noun, "的宗地顺序号不能是 00000")
	}
	return nil
}

// UnmarshalText reads a code as ParseParcelCode does; empty text is no code.
func (p *ParcelCode) UnmarshalText(b []byte) error { return unmarshal(p, b, ParseParcelCode) }

// District returns the six digits of the district.
func (p ParcelCode) District() string {
	if p.s == "" {
		return ""
	}
	return p.s[:6]
}

// Masked gives the code itself.
func (p ParcelCode) Masked() string { return p.s }

// UnitCode is a real estate unit code 不动产单元代码 (GB/T 37346), of 28
// characters.
type UnitCode struct{ num }

// UnitParts are the segments of a unit code.
type UnitParts struct {
	District    string `json:"district"`         // 县级行政区划, 6
	Zone        string `json:"cadastralZone"`    // 地籍区, 3
	Subzone     string `json:"cadastralSubzone"` // 地籍子区, 3
	Owner       string `json:"ownerCode"`        // G 国家, J 集体, Z 未定
	ParcelType  string `json:"parcelType"`       // A … Y
	ParcelSeq   string `json:"parcelSeq"`        // 宗地顺序号, 5
	Parcel      string `json:"parcelCode"`       // all of the above, 19
	FixtureType string `json:"fixtureType"`      // F 房屋, L 林木, Q 其他, W 无
	Building    string `json:"building"`         // 幢号, 4
	Unit        string `json:"unit"`             // 户号, 4
}

// ParseUnitCode reads a unit code, with or without the blanks or dashes it is
// shown with. It has no check digit; a unit without fixtures（W）must end in
// eight zeros.
func ParseUnitCode(s string) (UnitCode, error) {
	const code, noun = "unit_code", "不动产单元代码"
	s = strings.ReplaceAll(Normalise(s), "-", "")
	switch {
	case len(s) != 28:
		return UnitCode{}, refuse(code, noun, "应为 28 位")
	case !reUnitCode.MatchString(s):
		return UnitCode{}, refuse(code, noun, "应为 19 位宗地代码、一个定着物特征码（F、L、Q 或 W）和 8 位数字")
	case s[14:19] == "00000":
		return UnitCode{}, refuse(code, noun, "的宗地顺序号不能是 00000")
	case s[19] == 'W' && s[20:] != "00000000":
		return UnitCode{}, refuse(code, noun, "是无定着物的单元（W），最后 8 位应为 0")
	}
	return UnitCode{num{s}}, nil
}

// UnmarshalText reads a code as ParseUnitCode does; empty text is no code.
func (u *UnitCode) UnmarshalText(b []byte) error { return unmarshal(u, b, ParseUnitCode) }

// Parts returns the segments.
func (u UnitCode) Parts() UnitParts {
	s := u.s
	if s == "" {
		return UnitParts{}
	}
	return UnitParts{
		District: s[:6], Zone: s[6:9], Subzone: s[9:12],
		Owner: s[12:13], ParcelType: s[13:14], ParcelSeq: s[14:19], Parcel: s[:19],
		FixtureType: s[19:20], Building: s[20:24], Unit: s[24:],
	}
}

// District returns the six digits of the district.
func (u UnitCode) District() string {
	if u.s == "" {
		return ""
	}
	return u.s[:6]
}

// Parcel returns the code of the unit's parcel.
func (u UnitCode) Parcel() ParcelCode {
	if u.s == "" {
		return ParcelCode{}
	}
	return ParcelCode{num{u.s[:19]}}
}

// Spaced gives the code with the blanks people read it by.
func (u UnitCode) Spaced() string {
	s := u.s
	if s == "" {
		return ""
	}
	return strings.Join([]string{s[:6], s[6:12], s[12:14], s[14:19], s[19:20], s[20:24], s[24:]}, " ")
}

// Masked gives the code itself.
func (u UnitCode) Masked() string { return u.s }
