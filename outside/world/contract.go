package world

import "fmt"

// ContractState is the state of a contract at the housing office.
type ContractState string

// The states.
const (
	Valid     ContractState = "VALID"
	Cancelled ContractState = "CANCELLED"
)

// Contract is a sale at the housing office: of a room to be built (预售), of a
// new one (出售), or of one that has an owner (存量网签).
type Contract struct {
	No       string
	Stage    Stage
	State    ContractState
	Unit     string // code
	Address  string
	Seller   []Holder
	Buyers   []Holder
	Manner   Manner
	Price    int64 // 分
	AreaCM   int64 // as contracted, 1/100 m²
	Signed   string
	Filed    string // 备案
	Permit   string // 预售
	Handover string // 交接书 number, 新建
	Handed   string // its date
	Measured int64  // area as measured, 新建
	Agency   string // USCC of an 经纪机构, 存量; "" if the parties found each other
}

// Loan is a purchase loan with its mortgage contract.
type Loan struct {
	No         string // 借款合同
	MortgageNo string // 抵押合同
	Contract   string // the sale
	Unit       string
	Bank       string // USCC of the branch
	BankName   string
	Borrowers  []Holder
	Amount     int64 // 分
	From, To   string
	Signed     string
	// NoTransfer: 是否存在禁止或限制转让抵押不动产的约定.
	NoTransfer bool
}

// contractNo and loanNo hold kind, development and unit.
func contractNo(p, u int) string {
	return "测" + [3]string{"预售", "网签", "出售"}[p%3] + fmt.Sprintf("%05d%03d", p+1, u)
}

func loanNo(p, u int) string { return fmt.Sprintf("测贷%05d%03d", p+1, u) }

func (w *World) parts(no string, pre string) (p, u int, ok bool) {
	n, ok := between(no, pre, "")
	p, u = n/1000-1, n%1000
	return p, u, ok && len(no) == len(pre)+8 && p >= 0 && p < w.devs && u < unitsPerDev
}

// Contract returns the contract with a number, of any sort.
func (w *World) Contract(no string) (Contract, bool) {
	for stage, pre := range [3]string{"测预售", "测网签", "测出售"} {
		if p, u, ok := w.parts(no, pre); ok && p%3 == stage {
			return w.contract(p, u)
		}
	}
	return Contract{}, false
}

// PresaleContract returns the 预售合同 with a number.
func (w *World) PresaleContract(no string) (Contract, bool) {
	c, ok := w.Contract(no)
	return c, ok && c.Stage == Presale
}

// ContractOf returns the contract on a unit.
func (w *World) ContractOf(unit string) (Contract, bool) {
	u, ok := w.Unit(unit)
	if !ok {
		return Contract{}, false
	}
	return w.contract(u.Dev, unitAt(u.Building, u.Floor, u.Room))
}

func (w *World) contract(p, u int) (Contract, bool) {
	b, ok := w.buyer(p, u)
	if !ok {
		return Contract{}, false
	}
	i := p*unitsPerDev + u
	unit, dev := w.unit(p, u), w.Development(p)
	signed := day(2026, 30+w.roll(kContract, i, 120))
	c := Contract{
		No: contractNo(p, u), Stage: dev.Stage, State: Valid, Unit: unit.Code, Address: unit.Address,
		Buyers: w.holders(b), Manner: b.manner, AreaCM: unit.AreaCM,
		Price:  unit.AreaCM * int64(60000+w.roll(kContract, i+MaxSize, 40000)) / 100 * 100,
		Signed: iso(signed), Filed: iso(signed.AddDate(0, 0, 1)), Permit: dev.Permit,
	}
	if w.roll(kContract, i+2*MaxSize, 33) == 0 {
		c.State = Cancelled
	}
	if s, ok := w.cast.sales[[2]int{p, u}]; ok {
		c.State = Valid
		if s.cancelled {
			c.State = Cancelled
		}
	}
	switch dev.Stage {
	case NewBuilt:
		c.Handover, c.Handed = fmt.Sprintf("测交%05d%03d", p+1, u), iso(signed.AddDate(0, 1, 0))
		c.Measured = c.AreaCM + int64(w.roll(kContract, i+3*MaxSize, 60)) - 30
	case Stock:
		c.Seller = unit.Owners
		if w.roll(kContract, i+4*MaxSize, 2) == 0 {
			c.Agency = w.Org(orgAgency).USCC
		}
		return c, true
	case Presale:
	}
	seller := w.Org(w.developer(p / 3))
	c.Seller = []Holder{{Name: seller.Name, ID: seller.USCC, Org: true, Share: Share{1, 1}}}
	return c, true
}

// buyer returns who buys unit u of development p.
func (w *World) buyer(p, u int) (owning, bool) {
	if c, ok := w.cast.sales[[2]int{p, u}]; ok {
		return c.owning, true
	}
	t := p/3*unitsPerDev + u
	b := castBlocks + t/2
	if b >= w.blocks {
		return owning{}, false
	}
	k := w.roll(kContract, p*unitsPerDev+u+5*MaxSize, 10)
	at := b * blockSize
	switch Stage(p % 3) {
	case Presale:
		if k > 5 {
			return owning{}, false
		}
		switch {
		case t%2 == 1 && k%2 == 0:
			return owning{who: []int{at + 5}}, true
		case t%2 == 1:
			return owning{who: []int{at + 9}}, true
		case k%3 == 0:
			return owning{who: []int{at + 3, at + 4}, shares: []Share{{3, 5}, {2, 5}}, manner: Shares}, true
		default:
			return owning{who: []int{at + 3, at + 4}, manner: Joint}, true
		}
	case NewBuilt:
		if k > 7 {
			return owning{}, false
		}
		if t%2 == 1 {
			return owning{who: []int{at + 7}}, true
		}
		return owning{who: []int{at, at + 1}, manner: Joint}, true
	default: // Stock: one in five is for sale, to a company
		if _, ok := w.cast.units[[2]int{p, u}]; ok || k > 1 || w.owner(p, u).org {
			return owning{}, false
		}
		return owning{org: true, who: []int{orgTech + t%(w.orgs-orgTech)}}, true
	}
}

// ContractsOf returns the contracts a person buys by.
func (w *World) ContractsOf(id string) []Contract {
	person, ok := w.PersonByID(id)
	if !ok {
		return nil
	}
	var out []Contract
	add := func(p, u int) {
		if p >= w.devs {
			return
		}
		c, ok := w.contract(p, u)
		for _, b := range c.Buyers {
			if ok && b.ID == id {
				out = append(out, c)
			}
		}
	}
	for _, k := range w.cast.buys[person.Index] {
		add(k[0], k[1])
	}
	if t := 2 * (person.Index/blockSize - castBlocks); t >= 0 {
		for _, t := range []int{t, t + 1} {
			p, u := t/unitsPerDev*3, t%unitsPerDev
			if _, ok := w.cast.sales[[2]int{p, u}]; !ok {
				add(p, u)
			}
			if _, ok := w.cast.sales[[2]int{p + 2, u}]; !ok {
				add(p+2, u)
			}
		}
	}
	return out
}

// ContractsSold returns, from the given one on, at most limit contracts by
// which a developer sells in one development.
func (w *World) ContractsSold(dev, from, limit int) []Contract {
	var out []Contract
	if dev < 0 || dev >= w.devs || dev%3 == int(Stock) {
		return nil
	}
	for u := max(from, 0); u < unitsPerDev && len(out) < limit; u++ {
		if c, ok := w.contract(dev, u); ok {
			out = append(out, c)
		}
	}
	return out
}

// Loan returns the loan with the number of its loan or mortgage contract.
func (w *World) Loan(no string) (Loan, bool) {
	for _, pre := range []string{"测贷", "测押"} {
		if p, u, ok := w.parts(no, pre); ok {
			return w.loan(p, u)
		}
	}
	return Loan{}, false
}

// LoanOf returns the loan for a sale.
func (w *World) LoanOf(contract string) (Loan, bool) {
	c, ok := w.Contract(contract)
	if !ok {
		return Loan{}, false
	}
	u, _ := w.Unit(c.Unit)
	return w.loan(u.Dev, unitAt(u.Building, u.Floor, u.Room))
}

// loan: half of the valid sales by developers are on credit.
func (w *World) loan(p, u int) (Loan, bool) {
	if p%3 == int(Stock) {
		return Loan{}, false
	}
	c, ok := w.contract(p, u)
	i := p*unitsPerDev + u
	s, cast := w.cast.sales[[2]int{p, u}]
	if !ok || c.State != Valid || (cast && !s.loan) || (!cast && w.roll(kLoan, i, 2) == 0) {
		return Loan{}, false
	}
	bank := w.Org(orgBranch + w.roll(kLoan, i+MaxSize, 7))
	if cast {
		bank = w.Org(orgBranch)
	}
	return Loan{
		No: loanNo(p, u), MortgageNo: fmt.Sprintf("测押%05d%03d", p+1, u), Contract: c.No, Unit: c.Unit, Bank: bank.USCC, BankName: bank.Name,
		Borrowers: c.Buyers, Amount: c.Price / 10 * 6 / 100 * 100, Signed: c.Filed, From: c.Filed, To: "2056-05-31",
		NoTransfer: w.roll(kLoan, i+2*MaxSize, 4) == 0,
	}, true
}
