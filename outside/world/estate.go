package world

import (
	"fmt"
	"strings"
)

// A development is ten buildings of twelve floors with two rooms each. Every
// third is sold before it is built, every third long ago, every third now.
const (
	unitsPerDev = 240
	perBuilding = 24
)

// Stage is how far a development has come.
type Stage int

// The stages, by index modulo three.
const (
	Presale  Stage = iota // 预售
	Stock                 // 存量: registered owners
	NewBuilt              // 新建: 大产证 done, being handed over
)

// Development is a 楼盘.
type Development struct {
	Index     int
	Name      string
	Address   string // 测试路1弄
	Stage     Stage
	Developer string // USCC
	Parcel    string // 19 digits
	// Permit is the number of the presale permit, "" unless Stage is Presale.
	Permit string
	// MotherTitle is the 大产证, "" unless Stage is NewBuilt.
	MotherTitle string
	Project     string // project code
}

// Developments returns the number of developments.
func (w *World) Developments() int { return w.devs }

// Development returns the p-th development.
func (w *World) Development(p int) Development {
	d := Development{
		Index: p, Name: fmt.Sprintf("测试家园第%d期", p+1), Address: fmt.Sprintf("测试路%d弄", p+1), Stage: Stage(p % 3),
		Developer: w.Org(w.developer(p / 3)).USCC, Parcel: parcelCode(p), Project: projectCode(p % w.plans),
	}
	switch d.Stage {
	case Presale:
		d.Permit = permitNo(p)
	case NewBuilt:
		d.MotherTitle = titleNo(p, 999)
	case Stock:
	}
	return d
}

func parcelCode(p int) string { return fmt.Sprintf("%s001001GB%05d", Area, p+1) }

// Parcel is a piece of land and where it lies, in longitude and latitude
// (CGCS2000), as a closed ring.
type Parcel struct {
	Code    string
	Address string
	AreaM2  int64
	Ring    [][2]float64
}

// Parcel returns the parcel with a 19-digit code.
func (w *World) Parcel(code string) (Parcel, bool) {
	n, ok := number(strings.TrimPrefix(code, Area+"001001GB"))
	if !ok || n < 1 || n > w.devs || parcelCode(n-1) != code {
		return Parcel{}, false
	}
	p := n - 1
	x, y := 121.20+float64(p%100)*0.004, 30.95+float64(p/100%100)*0.004
	const dx, dy = 0.003, 0.0025 // about 285 m by 277 m
	return Parcel{Code: code, Address: fmt.Sprintf("测试路%d弄", p+1), AreaM2: 79000,
		Ring: [][2]float64{{x, y}, {x + dx, y}, {x + dx, y + dy}, {x, y + dy}, {x, y}}}, true
}

// Burden is a mortgage or a seizure on a unit.
type Burden struct {
	Proof  string // 登记证明号, or the court's document
	By     string // bank or court
	ByID   string // USCC of a bank, "" for a court
	Amount int64  // 分, of a mortgage
	From   string
	To     string
}

// Unit is a 不动产单元 with what the register says of it.
type Unit struct {
	Code     string // 28 digits
	Dev      int
	Building int
	Floor    int
	Room     int
	Address  string // 测试路1弄8号802室
	AreaCM   int64  // building area in 1/100 m²
	Usage    string // 成套住宅
	Owners   []Holder
	Manner   Manner
	TitleNo  string // "" while nothing is registered
	Since    string
	Mortgage *Burden
	Seizure  *Burden
	Version  int64 // of the opening facts
}

// RoomNo returns "802".
func (u Unit) RoomNo() string { return fmt.Sprintf("%d%02d", u.Floor, u.Room) }

// place takes apart the index of a unit in its development.
func place(u int) (building, floor, room int) {
	return u/perBuilding + 1, u%perBuilding/2 + 1, u%2 + 1
}

// unitAt is the index of a room in its development.
func unitAt(building, floor, room int) int {
	return (building-1)*perBuilding + (floor-1)*2 + room - 1
}

// Units returns the number of units.
func (w *World) Units() int { return w.devs * unitsPerDev }

// UnitAt returns the i-th unit, 0 ≤ i < Units.
func (w *World) UnitAt(i int) Unit { return w.unit(i/unitsPerDev, i%unitsPerDev) }

// Unit returns the unit with a 28-digit code.
func (w *World) Unit(code string) (Unit, bool) {
	if len(code) != 28 || code[:14] != Area+"001001GB" || code[19] != 'F' {
		return Unit{}, false
	}
	p, ok1 := number(code[14:19])
	b, ok2 := number(code[20:24])
	r, ok3 := number(code[24:28])
	if !ok1 || !ok2 || !ok3 || p < 1 || p > w.devs || b < 1 || b > 10 || r/100 < 1 || r/100 > 12 || r%100 < 1 || r%100 > 2 {
		return Unit{}, false
	}
	return w.unit(p-1, unitAt(b, r/100, r%100)), true
}

func unitCode(p, u int) string {
	b, f, r := place(u)
	return fmt.Sprintf("%sF%04d%04d", parcelCode(p), b, f*100+r)
}

func (w *World) unit(p, u int) Unit {
	b, f, r := place(u)
	i := p*unitsPerDev + u
	out := Unit{
		Code: unitCode(p, u), Dev: p, Building: b, Floor: f, Room: r, Usage: "成套住宅", Version: 1,
		Address: fmt.Sprintf("测试路%d弄%d号%d%02d室", p+1, b, f, r),
		AreaCM:  7000 + int64(w.roll(kUnit, i, 8000)),
	}
	switch Stage(p % 3) {
	case Presale:
		return out
	case NewBuilt:
		dev := w.Org(w.developer(p / 3))
		out.Owners = []Holder{{Name: dev.Name, ID: dev.USCC, Org: true, Share: Share{1, 1}}}
		out.TitleNo, out.Since = titleNo(p, 999), "2026-03-16"
		return out
	case Stock:
	}
	own := w.owner(p, u)
	out.Manner, out.TitleNo = own.manner, titleNo(p, u)
	out.Since = iso(day(2008, w.roll(kUnit, i+MaxSize, 5800)))
	out.Owners = w.holders(own)
	if own.org || i/unitsPerDev%3 != 1 {
		return out
	}
	mortgaged, seized := w.roll(kBurden, i, 5) == 0, w.roll(kBurden, i+MaxSize, 50) == 0
	if c, ok := w.cast.units[[2]int{p, u}]; ok {
		mortgaged, seized = c.mortgaged, c.seized
	}
	if mortgaged {
		bank := w.Org(orgBranch + w.roll(kBurden, i+2*MaxSize, 7))
		if _, ok := w.cast.units[[2]int{p, u}]; ok {
			bank = w.Org(orgBranch)
		}
		out.Mortgage = &Burden{Proof: proofNo(p, u), By: bank.Name, ByID: bank.USCC, Amount: out.AreaCM * 3_000_000 / 100 * 100,
			From: "2020-06-01", To: "2050-05-31"}
	}
	if seized {
		out.Seizure = &Burden{Proof: fmt.Sprintf("（2026）测0199执保%d号", i), By: "测试区人民法院", From: "2026-02-01", To: "2029-01-31"}
	}
	return out
}

// owning says who owns a unit, by index.
type owning struct {
	org    bool
	who    []int
	shares []Share // nil unless by shares
	manner Manner
}

func (w *World) holders(o owning) []Holder {
	out := make([]Holder, len(o.who))
	for k, i := range o.who {
		h := Holder{Share: Share{1, 1}}
		if o.org {
			org := w.Org(i)
			h.Name, h.ID, h.Org = org.Name, org.USCC, true
		} else {
			p := w.Person(i)
			h.Name, h.ID = p.Name, p.ID
		}
		if o.shares != nil {
			h.Share = o.shares[k]
		}
		out[k] = h
	}
	return out
}

// owner returns who owns unit u of a stock development p: two units to a
// block of persons while there are blocks, then companies.
func (w *World) owner(p, u int) owning {
	if c, ok := w.cast.units[[2]int{p, u}]; ok {
		return c.owning
	}
	s := p/3*unitsPerDev + u
	b := castBlocks + s/2
	if b >= w.blocks {
		return owning{org: true, who: []int{w.companyOf(s - 2*(w.blocks-castBlocks))}}
	}
	at, half := b*blockSize, []Share{{1, 2}, {1, 2}}
	switch k := w.roll(kOwner, b, 4); {
	case s%2 == 0 && k == 0:
		return owning{who: []int{at, at + 1}, manner: Joint}
	case s%2 == 0 && k == 1:
		return owning{who: []int{at}}
	case s%2 == 0 && k == 2:
		return owning{who: []int{at, at + 1}, shares: half, manner: Shares}
	case s%2 == 0:
		return owning{who: []int{at, at + 1, at + 2}, shares: []Share{{1, 3}, {1, 3}, {1, 3}}, manner: Shares}
	case k == 0:
		return owning{who: []int{at + 8}}
	case k == 1:
		return owning{who: []int{at + 5}}
	case k == 2:
		return owning{who: []int{at + 6, at + 7}, manner: Joint}
	default:
		return owning{who: []int{at + 8, at + 9}, shares: half, manner: Shares}
	}
}

// companyOf returns the company that owns the k-th unit no person owns.
func (w *World) companyOf(k int) int { return orgTech + k%(w.orgs-orgTech) }

// UnitsOf returns the units a person or organisation owns, by identity number
// or credit code. A developer's unsold rooms are not listed one by one: they
// stand on its mother title.
func (w *World) UnitsOf(id string) []Unit {
	var out []Unit
	add := func(p, u int) {
		if p >= w.devs || p%3 != int(Stock) {
			return
		}
		unit := w.unit(p, u)
		for _, h := range unit.Owners {
			if h.ID == id {
				out = append(out, unit)
				return
			}
		}
	}
	if p, ok := w.PersonByID(id); ok {
		for _, k := range w.cast.owns[p.Index] {
			add(k[0], k[1])
		}
		if s := 2 * (p.Index/blockSize - castBlocks); s >= 0 {
			for _, s := range []int{s, s + 1} {
				add(s/unitsPerDev*3+int(Stock), s%unitsPerDev)
			}
		}
		return out
	}
	o, ok := w.OrgByUSCC(id)
	if !ok || o.Index < orgTech {
		return nil
	}
	step := w.orgs - orgTech
	for s := 2*(w.blocks-castBlocks) + o.Index - orgTech; s/unitsPerDev*3+int(Stock) < w.devs; s += step {
		add(s/unitsPerDev*3+int(Stock), s%unitsPerDev)
	}
	return out
}

// Numbers of certificates: they begin with 测 and lie in 虚, a district there
// is not, so that nobody takes them for real ones.
func titleNo(p, u int) string {
	return fmt.Sprintf("测(2021)虚字不动产权第%08d号", (p+1)*1000+u)
}
func proofNo(p, u int) string {
	return fmt.Sprintf("测(2020)虚字不动产证明第%08d号", (p+1)*1000+u)
}
func permitNo(p int) string { return fmt.Sprintf("测虚房管(2026)预字%07d号", p+1) }

// between returns the number between two strings of s.
func between(s, pre, post string) (int, bool) {
	s, ok1 := strings.CutPrefix(s, pre)
	s, ok2 := strings.CutSuffix(s, post)
	if !ok1 || !ok2 {
		return 0, false
	}
	return number(s)
}

// Title returns what a certificate number stands for: one unit of a stock
// development. A mother title stands for a development, see MotherTitle.
func (w *World) Title(no string) (Unit, bool) {
	n, ok := between(narrow(no), "测(2021)虚字不动产权第", "号")
	if !ok {
		return Unit{}, false
	}
	p, u := n/1000-1, n%1000
	if p < 0 || p >= w.devs || u >= unitsPerDev || p%3 != int(Stock) {
		return Unit{}, false
	}
	return w.unit(p, u), true
}

// MotherTitle returns the development of a 大产证.
func (w *World) MotherTitle(no string) (Development, bool) {
	n, ok := between(narrow(no), "测(2021)虚字不动产权第", "号")
	if !ok || n%1000 != 999 || n/1000 < 1 || n/1000 > w.devs || (n/1000-1)%3 != int(NewBuilt) {
		return Development{}, false
	}
	return w.Development(n/1000 - 1), true
}

// narrow makes full-width brackets half-width: both are written.
func narrow(s string) string { return strings.NewReplacer("（", "(", "）", ")").Replace(s) }

// Permit is a presale permit 预售许可证.
type Permit struct {
	No        string
	Developer string // USCC
	Dev       int
	Issued    string
	Buildings []int // those it covers, whole
}

// Permit returns the presale permit with a number. That of the first
// development leaves building 10 out.
func (w *World) Permit(no string) (Permit, bool) {
	n, ok := between(narrow(no), "测虚房管(2026)预字", "号")
	if !ok || n < 1 || n > w.devs || (n-1)%3 != int(Presale) {
		return Permit{}, false
	}
	p := Permit{No: permitNo(n - 1), Dev: n - 1, Developer: w.Development(n - 1).Developer, Issued: "2026-01-20",
		Buildings: []int{1, 2, 3, 4, 5, 6, 7, 8, 9}}
	if n > 1 {
		p.Buildings = append(p.Buildings, 10)
	}
	return p, true
}

// Covers reports whether a unit is in the permit.
func (p Permit) Covers(u Unit) bool {
	if u.Dev != p.Dev {
		return false
	}
	for _, b := range p.Buildings {
		if b == u.Building {
			return true
		}
	}
	return false
}

// Rooms returns the codes of all units in the permit.
func (p Permit) Rooms() []string {
	var out []string
	for _, b := range p.Buildings {
		for k := range perBuilding {
			out = append(out, unitCode(p.Dev, (b-1)*perBuilding+k))
		}
	}
	return out
}
