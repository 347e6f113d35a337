package codes

import (
	"fmt"

	"haoban/platform/calendar"
)

// SyntheticArea is an area code that no district has. Made-up people, bodies
// and parcels carry it, so that no real one is ever named.
const SyntheticArea = "310199"

// BodyKind is the first two characters of a credit code.
type BodyKind string

// Kinds of bodies that tests and the simulated world make up.
const (
	Office      BodyKind = "11" // 机关
	Institution BodyKind = "12" // 事业单位
	Notary      BodyKind = "32" // 公证处
	Association BodyKind = "51" // 社会团体
	Foundation  BodyKind = "53" // 基金会
	Company     BodyKind = "91" // 企业
	Trader      BodyKind = "92" // 个体工商户
	Cooperative BodyKind = "93" // 农民专业合作社
)

// SyntheticResidentID makes up an identity number with a right check digit
// under SyntheticArea. seq is taken modulo 1000; odd is a man, even a woman.
func SyntheticResidentID(birth calendar.Date, seq int) ResidentID {
	s := fmt.Sprintf("%s%04d%02d%02d%03d", SyntheticArea, birth.Year(), int(birth.Month()), birth.Day(), mod(seq, 1000))
	return ResidentID{num{s + string(residentCheck(s))}}
}

// SyntheticUSCC makes up a credit code with right check characters under
// SyntheticArea, on the stem TEAT. A kind of other characters than a credit
// code's is taken for Company; codes repeat after 210,000.
func SyntheticUSCC(kind BodyKind, seq int) USCC {
	const fourth = "TUWXYABCDEFGHJKLMNPQR"
	seq = mod(seq, len(fourth)*10000)
	body := fmt.Sprintf("TEA%c%04d", fourth[seq/10000], seq%10000)
	s := string(kind) + SyntheticArea + body + string(orgCheck(body))
	if !reUSCC.MatchString(s + "0") {
		s = string(Company) + s[len(kind):]
	}
	return USCC{num{s + string(usccCheck(s))}}
}

// SyntheticMobile makes up a mobile number 1990000xxxx; seq is taken modulo
// 10000.
func SyntheticMobile(seq int) Mobile {
	return Mobile{num{fmt.Sprintf("1990000%04d", mod(seq, 10000))}}
}

// SyntheticUnitCode makes up the code of a flat under SyntheticArea: parcel
// from 1 to 99999, building and unit from 1 to 9999; larger numbers wrap.
func SyntheticUnitCode(parcel, building, unit int) UnitCode {
	return UnitCode{num{fmt.Sprintf("%s001001GB%05dF%04d%04d", SyntheticArea,
		1+mod(parcel-1, 99999), mod(building, 10000), mod(unit, 10000))}}
}

// SyntheticParcelCode makes up a parcel code under SyntheticArea.
func SyntheticParcelCode(parcel int) ParcelCode {
	return SyntheticUnitCode(parcel, 0, 0).Parcel()
}

// SyntheticTitleNo makes up a title certificate's number that begins with 模,
// which is no province. seq is taken modulo 1,000,000.
func SyntheticTitleNo(year, seq int) TitleNo {
	return TitleNo{num{fmt.Sprintf("%s(%04d)拟字不动产权第%06d号", syntheticProvince, mod(year, 10000), mod(seq, 1000000))}}
}

// SyntheticProofNo makes up a registration proof's number that begins with 模,
// which is no province. seq is taken modulo 1,000,000.
func SyntheticProofNo(year, seq int) ProofNo {
	return ProofNo{num{fmt.Sprintf("%s(%04d)拟字不动产证明第%06d号", syntheticProvince, mod(year, 10000), mod(seq, 1000000))}}
}

// SyntheticSupervisionNo makes up a supervision number that begins with SIM
// and so never looks like the ministry's.
func SyntheticSupervisionNo(district string, day calendar.Date, seq int) SupervisionNo {
	return SupervisionNo{num{fmt.Sprintf("SIM%s%04d%02d%02d%04d", Normalise(district), day.Year(), int(day.Month()), day.Day(), mod(seq, 10000))}}
}

func mod(n, m int) int { return (n%m + m) % m }
