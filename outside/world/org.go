package world

import (
	"fmt"
	"strings"
)

// OrgKind is a sort of organisation.
type OrgKind string

// The sorts.
const (
	Company   OrgKind = "company"
	Developer OrgKind = "developer"
	Bank      OrgKind = "bank"   // a head office
	Branch    OrgKind = "branch" // of a bank
	Notary    OrgKind = "notary"
	Agency    OrgKind = "agency" // 经纪机构
	Authority OrgKind = "authority"
	Institute OrgKind = "institute" // 事业单位
)

// Where the fixed organisations stand.
const (
	orgBuilder   = 0  // 测试建设集团有限公司
	orgDeveloper = 1  // 测试置业有限公司
	orgBank      = 2  // 测试银行, branches follow
	orgBranch    = 3  // 测试银行浦东支行
	orgBank2     = 10 // 测试第二银行, branches follow
	orgNotary    = 17 // three of them
	orgAgency    = 20 // three of them
	orgTech      = 23 // 测试科技有限公司
	orgFixed     = 32 // from here on by rule; the first is a developer
	devEvery     = 25 // every so manieth is a developer
)

// Org is an organisation as the market register knows it.
type Org struct {
	Index    int
	Kind     OrgKind
	Name     string
	Formers  []NameChange
	USCC     string
	Parent   string // USCC of a branch's bank
	LegalRep Person
	Agents   []Person // 办事人员, who may act for it
	Micro    bool     // 小微企业
	State    string   // 存续 or 注销
	Founded  string
	Address  string
}

// NameChange is a former name and the day it ended.
type NameChange struct{ Name, Until string }

// Position is what a person is in an organisation.
type Position struct {
	Org  Org
	Role string // LEGAL (法定代表人) or AGENT (办事人员)
}

// fixedOrg returns what is fixed of the first organisations.
func fixedOrg(i int) (name string, kind OrgKind, prefix string) {
	names := [orgFixed]string{
		"测试建设集团有限公司", "测试置业有限公司", "测试银行股份有限公司", "测试银行浦东支行", "测试银行黄浦支行", "测试银行徐汇支行",
		"测试银行静安支行", "测试银行闵行支行", "测试银行宝山支行", "测试银行临港支行", "测试第二银行股份有限公司", "测试第二银行浦东支行",
		"测试第二银行杨浦支行", "测试第二银行普陀支行", "测试第二银行长宁支行", "测试第二银行松江支行", "测试公积金管理中心", "测试东方公证处",
		"测试南方公证处", "测试北方公证处", "测试安家房地产经纪有限公司", "测试乐居房地产经纪有限公司", "测试好房房地产经纪有限公司",
		"测试科技有限公司", "测试建筑设计院有限公司", "测试测绘院", "测试管线工程有限公司", "测试轨道交通建设有限公司",
		"测试区规划和自然资源局", "测试区土地储备中心", "测试机场集团有限公司", "测试学校",
	}
	name, kind, prefix = names[i], Company, "91"
	switch {
	case i == orgDeveloper:
		kind = Developer
	case i == orgBank || i == orgBank2:
		kind = Bank
	case i >= orgBranch && i < 16:
		kind = Branch
	case i >= orgNotary && i < orgAgency:
		kind, prefix = Notary, "32"
	case i >= orgAgency && i < orgTech:
		kind = Agency
	case i == 28:
		kind, prefix = Authority, "11"
	case i == 16 || i == 25 || i == 29 || i == 31:
		kind, prefix = Institute, "12"
	}
	return name, kind, prefix
}

// Orgs returns the number of organisations.
func (w *World) Orgs() int { return w.orgs }

// Org returns the i-th organisation, 0 ≤ i < Orgs.
func (w *World) Org(i int) Org {
	o := Org{Index: i, State: "存续", Founded: iso(day(1998, w.roll(kOrg, i, 8000))), Address: fmt.Sprintf("测试路%d号", 1+i)}
	prefix := "91"
	switch {
	case i < orgFixed:
		o.Name, o.Kind, prefix = fixedOrg(i)
		if o.Kind == Branch {
			parent := orgBank
			if i > orgBank2 {
				parent = orgBank2
			}
			o.Parent = uscc("91", parent)
		}
		o.Micro = i == orgTech
	case (i-orgFixed)%devEvery == 0:
		o.Kind, o.Name = Developer, fmt.Sprintf("测试第%d置业有限公司", (i-orgFixed)/devEvery+2)
	default:
		o.Kind = Company
		o.Name = fmt.Sprintf("测试%s%d号有限公司", []string{"商贸", "制造", "物流", "餐饮", "信息"}[w.roll(kOrg, i+MaxSize, 5)], i)
		o.Micro = w.roll(kOrg, i+2*MaxSize, 3) == 0
		if w.roll(kOrg, i+3*MaxSize, 40) == 0 {
			o.State = "注销"
		}
		if w.roll(kOrg, i+4*MaxSize, 12) == 0 {
			o.Formers = []NameChange{{fmt.Sprintf("测试旧名%d号有限公司", i), "2023-05-31"}}
		}
	}
	o.USCC = uscc(prefix, i)
	b := castBlocks + i
	o.LegalRep = w.Person(b*blockSize + 9)
	if agents, ok := w.cast.agents[i]; ok {
		for _, a := range agents {
			o.Agents = append(o.Agents, w.Person(a))
		}
	}
	o.Agents = append(o.Agents, w.Person(b*blockSize+5), w.Person(b*blockSize+6))
	return o
}

// OrgByUSCC returns the organisation with a unified social credit code.
func (w *World) OrgByUSCC(code string) (Org, bool) {
	if len(code) != 18 || code[2:8] != Area || code[8:12] != "TEAT" {
		return Org{}, false
	}
	i := 0
	for _, c := range code[12:16] {
		d := strings.IndexRune(usccAlphabet, c)
		if d < 0 {
			return Org{}, false
		}
		i = i*31 + d
	}
	if i >= w.orgs {
		return Org{}, false
	}
	o := w.Org(i)
	return o, o.USCC == code
}

// Company returns the organisation with a unified social credit code; it is
// OrgByUSCC by the name people look for.
func (w *World) Company(code string) (Org, bool) { return w.OrgByUSCC(code) }

// Positions returns what a person is in which organisations.
func (w *World) Positions(id string) []Position {
	p, ok := w.PersonByID(id)
	if !ok {
		return nil
	}
	var out []Position
	if i := p.Index/blockSize - castBlocks; i >= 0 && i < w.orgs {
		switch p.Index % blockSize {
		case 9:
			out = append(out, Position{w.Org(i), "LEGAL"})
		case 5, 6:
			out = append(out, Position{w.Org(i), "AGENT"})
		}
	}
	for i := range orgFixed {
		for _, a := range w.cast.agents[i] {
			if a == p.Index {
				out = append(out, Position{w.Org(i), "AGENT"})
			}
		}
	}
	return out
}

// Banks returns the banks' head offices.
func (w *World) Banks() []Org { return []Org{w.Org(orgBank), w.Org(orgBank2)} }

// Branches returns the branches of a bank.
func (w *World) Branches(bank string) []Org {
	var out []Org
	for i := orgBank; i < 16; i++ {
		if o := w.Org(i); o.Kind == Branch && o.Parent == bank {
			out = append(out, o)
		}
	}
	return out
}

// developers returns the number of developers.
func (w *World) developers() int { return 1 + (w.orgs-orgFixed+devEvery-1)/devEvery }

// developer returns the organisation index of the k-th developer.
func (w *World) developer(k int) int {
	k %= w.developers()
	if k == 0 {
		return orgDeveloper
	}
	return orgFixed + (k-1)*devEvery
}

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// uscc returns a unified social credit code (GB 32100) that nobody has.
func uscc(prefix string, i int) string {
	body := []byte("TEAT0000")
	for k := 7; k >= 4; k-- {
		body[k] = usccAlphabet[i%31]
		i /= 31
	}
	code := prefix + Area + string(body) + string(orgCheck(string(body)))
	weights := [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	sum := 0
	for k := range 17 {
		sum += strings.IndexByte(usccAlphabet, code[k]) * weights[k]
	}
	return code + string(usccAlphabet[(31-sum%31)%31])
}

// orgCheck returns the check character of GB 11714.
func orgCheck(body string) byte {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for k := range 8 {
		v := int(body[k] - '0')
		if body[k] >= 'A' {
			v = int(body[k]-'A') + 10
		}
		sum += v * weights[k]
	}
	switch c := 11 - sum%11; c {
	case 10:
		return 'X'
	case 11:
		return '0'
	default:
		return byte('0' + c)
	}
}
