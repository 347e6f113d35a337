package world

import (
	"fmt"
	"time"
)

// Marital is what the civil register says of two persons, or of one.
type Marital string

// The states.
const (
	Married  Marital = "MARRIED"
	Divorced Marital = "DIVORCED"
	Widowed  Marital = "WIDOWED" // of one person only
	Single   Marital = "NONE"
)

// Marriage is an entry of the civil register.
type Marriage struct {
	State   Marital
	A, B    int    // husband and wife
	RegNo   string // 测 and digits
	Date    string // of the marriage
	Ended   string // of the divorce
	RegName string // the office
}

// Marriage returns what the register says of two persons together: State is
// Single if they never were a couple.
func (w *World) Marriage(idA, idB string) Marriage {
	a, okA := w.PersonByID(idA)
	b, okB := w.PersonByID(idB)
	if !okA || !okB {
		return Marriage{State: Single}
	}
	m := w.MarriageOf(a.Index)
	if m.State == Single || m.State == Widowed || (m.A != b.Index && m.B != b.Index) || a.Index == b.Index {
		return Marriage{State: Single}
	}
	return m
}

// MarriageOf returns the last marriage of a person.
func (w *World) MarriageOf(i int) Marriage {
	b, s := i/blockSize, i%blockSize
	first := b * blockSize
	m := Marriage{State: Married, RegName: "测试区婚姻登记处"}
	switch s {
	case 0, 1:
		m.A, m.B = first, first+1
	case 3, 4:
		m.A, m.B = first+3, first+4
	case 6, 7:
		m.A, m.B, m.State = first+6, first+7, Divorced
	case 8:
		return Marriage{State: Widowed, A: i, B: i}
	default:
		return Marriage{State: Single, A: i, B: i}
	}
	h, _ := birth(slotOf(m.A%blockSize), b)
	f, _ := birth(slotOf(m.B%blockSize), b)
	at := h.AddDate(22, 0, 0)
	if t := f.AddDate(20, 0, 0); t.After(at) {
		at = t
	}
	at = at.AddDate(0, 0, w.roll(kFamily, i/blockSize+m.A%blockSize*MaxSize, 700))
	m.Date = iso(at)
	m.RegNo = fmt.Sprintf("测J%s-%d-%06d", Area, at.Year(), m.A)
	if m.State == Divorced {
		m.Ended = iso(at.AddDate(5, 0, w.roll(kFamily, b+9*MaxSize, 2000)))
	}
	return m
}

// Spouse returns the present spouse of a person.
func (w *World) Spouse(i int) (Person, bool) {
	m := w.MarriageOf(i)
	if m.State != Married {
		return Person{}, false
	}
	if m.A == i {
		return w.Person(m.B), true
	}
	return w.Person(m.A), true
}

// Member is a person in a household.
type Member struct {
	Person
	Role string // 户主 配偶 子 女
}

// Household returns all who are registered with a person, the head first.
func (w *World) Household(i int) []Member {
	first, home := i/blockSize*blockSize, homeOf(i%blockSize)
	var out []Member
	for s := range blockSize {
		if homeOf(s) != home {
			continue
		}
		m := Member{Person: w.Person(first + s), Role: "户主"}
		switch {
		case s == 1 || s == 4:
			m.Role = "配偶"
		case (s == 2 || s == 9) && m.Male:
			m.Role = "子"
		case s == 2 || s == 9:
			m.Role = "女"
		}
		out = append(out, m)
	}
	return out
}

// Relation returns what b is to a: 配偶 前配偶 父 母 子 女, or "" if they are
// not of one family.
func (w *World) Relation(a, b int) string {
	if a == b || a/blockSize != b/blockSize || a < 0 || b < 0 || a >= w.n || b >= w.n {
		return ""
	}
	p, s, t := w.Person(b), a%blockSize, b%blockSize
	parent := func(s int) bool { return s == 0 || s == 1 }
	switch {
	case s/2 == 0 && t/2 == 0 && s != t, s == 3 && t == 4, s == 4 && t == 3:
		return "配偶"
	case s == 6 && t == 7, s == 7 && t == 6:
		return "前配偶"
	case s == 2 && parent(t), s == 9 && t == 8:
		if p.Male {
			return "父"
		}
		return "母"
	case parent(s) && t == 2, s == 8 && t == 9:
		if p.Male {
			return "子"
		}
		return "女"
	}
	return ""
}

// Guardians returns the parents of a person who is not yet eighteen on a day,
// and nobody for any other.
func (w *World) Guardians(i int, on string) []Person {
	if i%blockSize != 2 || w.Person(i).Adult(on) {
		return nil
	}
	return []Person{w.Person(i - 2), w.Person(i - 1)}
}

// NotaryCert is a notarised succession 继承权公证书.
type NotaryCert struct {
	No       string
	Code     string // the verification code on it
	Office   string
	Decedent Person
	Heirs    []Holder
	Units    []string // what is inherited
	Issued   string
}

// Succession returns the notarised succession with a number.
func (w *World) Succession(no string) (NotaryCert, bool) {
	const pre, post = "（2026）测证字第", "号"
	if len(no) != len(pre)+8+len(post) || no[:len(pre)] != pre || no[len(pre)+8:] != post {
		return NotaryCert{}, false
	}
	b, ok := number(no[len(pre) : len(pre)+8])
	if !ok || b >= w.blocks || !w.deadElder(b) {
		return NotaryCert{}, false
	}
	c, ok := w.SuccessionOf(b*blockSize + 8)
	return c, ok
}

// SuccessionOf returns the succession to a person who died owning something.
func (w *World) SuccessionOf(i int) (NotaryCert, bool) {
	b := i / blockSize
	if i%blockSize != 8 || !w.deadElder(b) {
		return NotaryCert{}, false
	}
	dead, heir := w.Person(i), w.Person(i+1)
	c := NotaryCert{
		No: fmt.Sprintf("（2026）测证字第%08d号", b), Code: fmt.Sprintf("%06d", w.draw(kFamily, b+5*MaxSize)%1000000),
		Office: w.Org(orgNotary).Name, Decedent: dead,
		Heirs: []Holder{{Name: heir.Name, ID: heir.ID, Share: Share{1, 1}}},
	}
	for _, u := range w.UnitsOf(dead.ID) {
		c.Units = append(c.Units, u.Code)
	}
	if t, err := time.Parse(time.DateOnly, dead.Died); err == nil {
		c.Issued = iso(t.AddDate(0, 3, 0))
	}
	return c, len(c.Units) > 0
}
