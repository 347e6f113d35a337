package world

import (
	"fmt"
	"math/big"
	"time"
)

// Persons come in blocks of ten who live in five households:
//
//	0 1 2  a couple with a child, who may be grown by now
//	3 4    a young couple
//	5      one who never married
//	6 7    two who are divorced from each other, each alone
//	8 9    a widowed elder with a grown child
//
// An identity number tells its index: the sequence number holds slot and round,
// the date the rest.
const rounds = 50

// stride spreads blocks over dates; a prime that divides no slot's period.
const stride = 104729

type slot struct {
	year  int // of the earliest birth
	days  int // how many days births are spread over
	shift func(r int) int
	male  func(b int) bool
}

func slotOf(s int) slot {
	none := func(int) int { return 0 }
	spouse := func(r int) int { return r*37%1500 - 500 }
	always := func(int) bool { return true }
	never := func(int) bool { return false }
	even := func(b int) bool { return b%2 == 0 }
	half := func(b int) bool { return b/2%2 == 0 }
	switch s {
	case 0, 6:
		return slot{1960, 10957, none, always}
	case 1, 7:
		return slot{1960, 10957, spouse, never}
	case 2:
		return slot{1960, 10957, func(r int) int { return (26 + r%10) * 365 }, even}
	case 3:
		return slot{1985, 5478, none, always}
	case 4:
		return slot{1985, 5478, spouse, never}
	case 5:
		return slot{1970, 12784, none, even}
	case 8:
		return slot{1935, 7305, none, even}
	default:
		return slot{1935, 7305, func(r int) int { return (22 + r%12) * 365 }, half}
	}
}

// Person is a natural person as the population register knows them.
type Person struct {
	Index   int
	Name    string
	Former  string // 曾用名, "" if none
	Male    bool
	Born    string // 2006-01-02
	ID      string
	Mobile  string // 1990000xxxx; two persons ten thousand apart share one
	Address string // where the household is registered
	Died    string // "" while alive

	Veteran   bool // 退役军人
	Dishonest bool // on the list of 失信被执行人
}

// Adult reports whether the person is eighteen or older on a day.
func (p Person) Adult(on string) bool {
	return len(p.Born) == 10 && len(on) == 10 && fmt.Sprintf("%04d%s", atoi(p.Born[:4])+18, p.Born[4:]) <= on
}

// Person returns the i-th person, 0 ≤ i < Size.
func (w *World) Person(i int) Person {
	b, s := i/blockSize, i%blockSize
	spec := slotOf(s)
	born, r := birth(spec, b)
	p := Person{Index: i, Male: spec.male(b), Born: iso(born), Mobile: fmt.Sprintf("1990000%04d", i%10000)}
	sex := 0
	if p.Male {
		sex = 1
	}
	p.ID = withCheck(fmt.Sprintf("%s%s%03d", Area, born.Format("20060102"), (s*rounds+r)*2+sex))
	p.Name = w.name(i)
	p.Address = fmt.Sprintf("测试路%d号%d室", 1000+b, homeOf(s)*100+1)
	if name, ok := w.cast.names[i]; ok {
		p.Name = name
		return p
	}
	if i < castBlocks*blockSize {
		return p
	}
	if w.roll(kLife, i, 40) == 0 {
		p.Former = w.name(i + MaxSize)
	}
	p.Veteran = p.Male && s != 2 && w.roll(kLife, i+MaxSize, 30) == 0
	p.Dishonest = s == 6 && w.roll(kLife, i+2*MaxSize, 25) == 0
	if s == 8 && w.deadElder(b) {
		p.Died = iso(day(2024, w.roll(kLife, i+3*MaxSize, 600)))
	}
	return p
}

func (w *World) deadElder(b int) bool { return b >= castBlocks && w.roll(kFamily, b, 10) == 0 }

// birth returns the date of birth and the round of block b in a slot.
func birth(s slot, b int) (time.Time, int) {
	x := b * stride % (s.days * rounds)
	r := x / s.days
	return day(s.year, x%s.days+s.shift(r)), r
}

// PersonByID returns who has an identity number.
func (w *World) PersonByID(id string) (Person, bool) {
	if len(id) != 18 || id[:6] != Area || withCheck(id[:17]) != id {
		return Person{}, false
	}
	born, err := time.Parse("20060102", id[6:14])
	if err != nil {
		return Person{}, false
	}
	seq, _ := number(id[14:17])
	s, r := seq/2/rounds, seq/2%rounds
	spec := slotOf(s)
	x := int(born.Sub(day(spec.year, 0)).Hours()/24) - spec.shift(r)
	if x < 0 || x >= spec.days {
		return Person{}, false
	}
	period := int64(spec.days * rounds)
	inv := new(big.Int).ModInverse(big.NewInt(stride), big.NewInt(period)).Int64()
	b := int(int64(r*spec.days+x) * inv % period)
	i := b*blockSize + s
	if i >= w.n {
		return Person{}, false
	}
	p := w.Person(i)
	return p, p.ID == id
}

func (w *World) name(i int) string {
	const gan, zhi = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
	g, z := []rune(gan), []rune(zhi)
	d := w.draw(kName, i)
	return "测试" + string(g[d%10]) + string(z[d>>8%12])
}

// homeOf returns the household of a slot, by its first slot.
func homeOf(s int) int {
	switch s {
	case 0, 1, 2:
		return 0
	case 3, 4:
		return 3
	case 8, 9:
		return 8
	default:
		return s
	}
}

// withCheck appends the check digit of GB 11643 to seventeen digits.
func withCheck(s string) string {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i := range 17 {
		sum += int(s[i]-'0') * weights[i]
	}
	return s + string("10X98765432"[sum%11])
}

func atoi(s string) int { n, _ := number(s); return n }
