package codes

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	reTitle       = regexp.MustCompile(`^(\p{Han})\((\d{4})\)(\p{Han}{1,10}?)(字)?不动产(权|证明)第(\d{6,8})号$`)
	reTitleLegacy = regexp.MustCompile(`^(沪)房地(\p{Han}{1,2})字\((\d{4})\)第(\d{6})号$`)
	reDocNo       = regexp.MustCompile(`^(\p{Han}{2,30})〔(\d{4})〕([1-9]\d{0,5})号$`)
	rePermit      = regexp.MustCompile(`^(用|地|建|乡)字第(\d{6})(\d{4})(\d{5})号$`)
	rePermitOld   = regexp.MustCompile(`^沪\p{Han}{0,4}[地建]\((\d{4})\)(E[A-Z]\d{6,16})$`)
	reLandSupv    = regexp.MustCompile(`^\d{6}\d{4}[A-Z]\d{5}(-\d+)?$`)
	reSupervision = regexp.MustCompile(`^[0-9A-Z-]{15,64}$`)
)

// syntheticProvince stands where a real number has the province: nobody's
// certificate begins with it.
const syntheticProvince = "模"

// PaperParts are the parts of a certificate's number.
type PaperParts struct {
	Province string // 沪; 模 in a made-up number
	Year     int
	Area     string // 徐, 市, 余杭区
	Serial   string // with its leading zeros
	Legacy   bool   // 上海市房地产权证, before 不动产
}

// TitleNo is the number of a title certificate 不动产权证书号, of Shanghai, of
// another province, or of the older 房地产权证. It is stored with half-width
// brackets.
type TitleNo struct{ num }

// ParseTitleNo reads a title certificate's number. Shanghai's must name one of
// its 16 districts or 市 and have six digits.
func ParseTitleNo(s string) (TitleNo, error) {
	s = Normalise(s)
	if reTitleLegacy.MatchString(s) {
		return TitleNo{num{s}}, nil
	}
	if err := paper(s, "权", "title_no", "不动产权证号", "沪(2026)徐字不动产权第000001号"); err != nil {
		return TitleNo{}, err
	}
	return TitleNo{num{s}}, nil
}

// UnmarshalText reads a number as ParseTitleNo does; empty text is no number.
func (t *TitleNo) UnmarshalText(b []byte) error { return unmarshal(t, b, ParseTitleNo) }

// Parts returns the parts.
func (t TitleNo) Parts() PaperParts { return paperParts(t.s) }

// Masked gives the number with its serial hidden.
func (t TitleNo) Masked() string { return maskSerial(t.s) }

// ProofNo is the number of a registration proof 不动产登记证明号.
type ProofNo struct{ num }

// ParseProofNo reads a registration proof's number.
func ParseProofNo(s string) (ProofNo, error) {
	s = Normalise(s)
	if err := paper(s, "证明", "proof_no", "不动产登记证明号", "沪(2026)徐字不动产证明第000001号"); err != nil {
		return ProofNo{}, err
	}
	return ProofNo{num{s}}, nil
}

// UnmarshalText reads a number as ParseProofNo does; empty text is no number.
func (p *ProofNo) UnmarshalText(b []byte) error { return unmarshal(p, b, ParseProofNo) }

// Parts returns the parts.
func (p ProofNo) Parts() PaperParts { return paperParts(p.s) }

// Masked gives the number with its serial hidden.
func (p ProofNo) Masked() string { return maskSerial(p.s) }

func paper(s, kind, code, noun, like string) error {
	m := reTitle.FindStringSubmatch(s)
	switch {
	case m == nil:
		return refuse(code, noun, "应写成“"+like+"”的样子")
	case m[5] != kind && kind == "权":
		return refuse(code, noun, "写的是登记证明的号，请填不动产权证书上的号")
	case m[5] != kind:
		return refuse(code, noun, "写的是不动产权证书的号，请填登记证明上的号")
	case m[1] == "沪" && (m[4] == "" || len(m[6]) != 6):
		return refuse(code, noun, "应写成“"+like+"”的样子")
	case m[1] == "沪" && m[3] != "市":
		if _, ok := DistrictByShort(m[3]); !ok {
			return refuse(code, noun, "里的“"+m[3]+"”不是本市任何一个区的简称")
		}
	}
	return nil
}

func paperParts(s string) PaperParts {
	if m := reTitleLegacy.FindStringSubmatch(s); m != nil {
		return PaperParts{Province: m[1], Area: m[2], Year: atoi(m[3]), Serial: m[4], Legacy: true}
	}
	if m := reTitle.FindStringSubmatch(s); m != nil {
		return PaperParts{Province: m[1], Year: atoi(m[2]), Area: m[3], Serial: m[6]}
	}
	return PaperParts{}
}

func maskSerial(s string) string {
	at := strings.LastIndex(s, "第")
	if at < 0 {
		return s
	}
	n := paperParts(s).Serial
	return s[:at] + "第" + stars(max(len(n)-2, 0)) + n[max(len(n)-2, 0):] + "号"
}

// atoi is for digits a regular expression has already matched.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// DocNo is the number of an official document 发文文号, such as
// 沪规划资源建〔2021〕437号.
type DocNo struct{ num }

// ParseDocNo reads a document number; the year stands in hexagonal brackets.
func ParseDocNo(s string) (DocNo, error) {
	s = Normalise(s)
	if !reDocNo.MatchString(s) {
		if strings.ContainsAny(s, "()[]【】") {
			return DocNo{}, refuse("doc_no", "文号", "的年份应写在六角括号〔〕里")
		}
		return DocNo{}, refuse("doc_no", "文号", "应写成“沪规划资源建〔2026〕1号”的样子")
	}
	return DocNo{num{s}}, nil
}

// UnmarshalText reads a number as ParseDocNo does; empty text is no number.
func (d *DocNo) UnmarshalText(b []byte) error { return unmarshal(d, b, ParseDocNo) }

// Parts returns the issuing word 代字, the year and the serial.
func (d DocNo) Parts() (word string, year, serial int) {
	m := reDocNo.FindStringSubmatch(d.s)
	if m == nil {
		return "", 0, 0
	}
	return m[1], atoi(m[2]), atoi(m[3])
}

// Masked gives the number itself: document numbers are public.
func (d DocNo) Masked() string { return d.s }

// PermitNo is the number of a planning permit 一书三证证号: 用字第, 地字第, 建字第
// or 乡字第 with 15 digits, or Shanghai's older form.
type PermitNo struct{ num }

// ParsePermitNo reads a permit's number.
func ParsePermitNo(s string) (PermitNo, error) {
	s = Normalise(s)
	if !rePermit.MatchString(s) && !rePermitOld.MatchString(s) {
		return PermitNo{}, refuse("permit_no", "证号", "应写成“建字第”加 15 位数字加“号”的样子")
	}
	return PermitNo{num{s}}, nil
}

// UnmarshalText reads a number as ParsePermitNo does; empty text is no number.
func (p *PermitNo) UnmarshalText(b []byte) error { return unmarshal(p, b, ParsePermitNo) }

// Kind returns 用, 地, 建 or 乡; nothing for the older form.
func (p PermitNo) Kind() string {
	if m := rePermit.FindStringSubmatch(p.s); m != nil {
		return m[1]
	}
	return ""
}

// Masked gives the number itself: permits are public.
func (p PermitNo) Masked() string { return p.s }

// SupervisionNo is an electronic supervision number 电子监管号 of the ministry's
// use-control system. Only the ministry gives it; a simulation's begins with
// SIM.
type SupervisionNo struct{ num }

// ParseSupervisionNo reads a supervision number. Its build is not published,
// so only characters and length are checked.
func ParseSupervisionNo(s string) (SupervisionNo, error) {
	s = Normalise(s)
	if !reSupervision.MatchString(s) {
		return SupervisionNo{}, refuse("supervision_no", "电子监管号", "应为 15 到 64 位数字、大写字母或短横")
	}
	return SupervisionNo{num{s}}, nil
}

// UnmarshalText reads a number as ParseSupervisionNo does; empty text is no
// number.
func (n *SupervisionNo) UnmarshalText(b []byte) error { return unmarshal(n, b, ParseSupervisionNo) }

// Simulated reports whether a simulation gave the number.
func (n SupervisionNo) Simulated() bool { return strings.HasPrefix(n.s, "SIM") }

// Masked gives the number itself.
func (n SupervisionNo) Masked() string { return n.s }

// LandSupervisionNo is the electronic supervision number of a land contract
// 土地合同电子监管号; it is another thing than a SupervisionNo.
type LandSupervisionNo struct{ num }

// ParseLandSupervisionNo reads a land contract's supervision number, such as
// 3101152024B00123. A simulation's number (SIM…) passes too.
func ParseLandSupervisionNo(s string) (LandSupervisionNo, error) {
	s = Normalise(s)
	sim := strings.HasPrefix(s, "SIM") && reSupervision.MatchString(s)
	if !sim && !reLandSupv.MatchString(s) {
		return LandSupervisionNo{}, refuse("land_supervision_no", "土地合同电子监管号",
			"应为 6 位区划、4 位年份、1 个字母和 5 位流水号")
	}
	return LandSupervisionNo{num{s}}, nil
}

// UnmarshalText reads a number as ParseLandSupervisionNo does; empty text is
// no number.
func (n *LandSupervisionNo) UnmarshalText(b []byte) error {
	return unmarshal(n, b, ParseLandSupervisionNo)
}

// Masked gives the number itself.
func (n LandSupervisionNo) Masked() string { return n.s }
