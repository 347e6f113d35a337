package codes

import (
	_ "embed"
	"strings"
)

// District is one of Shanghai's 16 districts 区.
type District struct {
	Code  string `json:"code"`  // 310104
	Name  string `json:"name"`  // 徐汇区
	Short string `json:"short"` // 徐, as certificates write it
}

// City is the code of the city itself 市本级.
const City = "310000"

// Districts returns the 16 districts in the order of their codes.
func Districts() []District {
	return []District{
		{"310101", "黄浦区", "黄"},
		{"310104", "徐汇区", "徐"},
		{"310105", "长宁区", "长"},
		{"310106", "静安区", "静"},
		{"310107", "普陀区", "普"},
		{"310109", "虹口区", "虹"},
		{"310110", "杨浦区", "杨"},
		{"310112", "闵行区", "闵"},
		{"310113", "宝山区", "宝"},
		{"310114", "嘉定区", "嘉"},
		{"310115", "浦东新区", "浦"},
		{"310116", "金山区", "金"},
		{"310117", "松江区", "松"},
		{"310118", "青浦区", "青"},
		{"310120", "奉贤区", "奉"},
		{"310151", "崇明区", "崇"},
	}
}

// ParseDistrict reads a district's code, its name with or without 区, or its
// short. Codes of districts that were merged are refused; see Merged.
func ParseDistrict(s string) (District, error) {
	s = Normalise(s)
	for _, d := range Districts() {
		if s == d.Code || s == d.Name || s == d.Short || s+"区" == d.Name || s+"新区" == d.Name {
			return d, nil
		}
	}
	if to, name, ok := Merged(s); ok {
		return District{}, refuse("district", "区", "“"+name+"”已并入"+to.Name+"，请改选"+to.Name)
	}
	return District{}, refuse("district", "区", "应为本市 16 个区之一")
}

// DistrictByCode returns the district with the six-digit code.
func DistrictByCode(code string) (District, bool) {
	return find(func(d District) bool { return d.Code == code })
}

// DistrictByShort returns the district with the one-character short.
func DistrictByShort(short string) (District, bool) {
	return find(func(d District) bool { return d.Short == short })
}

// DistrictOf returns the district that a longer code begins with: a unit,
// parcel, town or village code.
func DistrictOf(code string) (District, bool) {
	if len(code) < 6 {
		return District{}, false
	}
	return DistrictByCode(code[:6])
}

func find(is func(District) bool) (District, bool) {
	for _, d := range Districts() {
		if is(d) {
			return d, true
		}
	}
	return District{}, false
}

// Merged tells of a code that old records still carry: the district's old name
// and the district it became part of.
func Merged(code string) (to District, name string, ok bool) {
	switch code {
	case "310103":
		to, ok = DistrictByCode("310101")
		return to, "卢湾区", ok
	case "310108":
		to, ok = DistrictByCode("310106")
		return to, "闸北区", ok
	case "310119":
		to, ok = DistrictByCode("310115")
		return to, "南汇区", ok
	case "310230":
		to, ok = DistrictByCode("310151")
		return to, "崇明县", ok
	}
	return District{}, "", false
}

// Town is a street office, town or township 街镇 with its nine-digit code.
type Town struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

//go:embed towns.txt
var towns string

// Towns returns the 234 towns of 2023-06-30 in the order of their codes, or
// only those of one district if a district's code is given.
func Towns(district string) []Town {
	var out []Town
	for line := range strings.Lines(towns) {
		code, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(code, district) {
			out = append(out, Town{Code: code, Name: name})
		}
	}
	return out
}

// ParseTown reads a town's nine-digit code.
func ParseTown(s string) (Town, error) {
	s = Normalise(s)
	if len(s) == 9 {
		for _, t := range Towns(s[:6]) {
			if t.Code == s {
				return t, nil
			}
		}
	}
	return Town{}, refuse("town", "街镇", "应为本市的街道、镇或乡")
}
