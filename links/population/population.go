// Package population connects to the city's population services: is this name
// and number one person, what are two persons to each other, who is a minor's
// guardian.
package population

import (
	"context"
	"fmt"

	"haoban/links/linkkit"
	"haoban/links/population/wire"
	"haoban/platform/errs"
)

// Name is what people call the partner.
const Name = "市人口库"

// Register is the connector. It is safe for concurrent use.
type Register struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Register { return &Register{c} }

// Purpose says why and for which case a person is asked about; the register
// keeps it, and so does our evidence.
type Purpose = wire.Purpose

// Who is a person as a form names them.
type Who struct{ Name, ID string }

// Person is what the register says of a person who is who they say.
type Person struct {
	Dead    bool
	Sex     string
	Birth   string
	Former  string // 曾用名
	Address string // 户籍地址
	Source  linkkit.Receipt
}

// ErrMismatch and ErrNoRecord are the register's two ways to say no to a
// person. Both are of kind errs.Conflict.
var (
	ErrMismatch = errs.New(errs.Conflict, "population.mismatch", "姓名与证件号码不一致，请核对后重新填写")
	ErrNoRecord = errs.New(errs.Conflict, "population.none", "人口库中没有这一证件号码，请核对；持其他证件的请到窗口办理")
)

// Verify asks whether name and number belong together, and returns what the
// register knows. It returns ErrMismatch, ErrNoRecord, or an error of
// linkkit's Client.Do, of which only a refusal is a no.
func (r *Register) Verify(ctx context.Context, p Purpose, who Who) (Person, error) {
	var q wire.PersonQuery
	var a wire.Person
	q.Purpose = p
	if err := r.seal([]string{who.Name, who.ID}, &q.NameEnc, &q.IDEnc); err != nil {
		return Person{}, err
	}
	rec, err := r.c.Do(ctx, linkkit.Call{API: "verify.person", Path: wire.PathPerson, Biz: p.CaseNo, In: q}, &a)
	if err != nil {
		return Person{}, err
	}
	if err := verdict(a.Result); err != nil {
		return Person{}, err
	}
	out := Person{Dead: a.State == "DECEASED", Sex: a.Sex, Birth: a.Birth, Source: rec}
	if out.Former, err = r.open(a.FormerEnc); err != nil {
		return Person{}, err
	}
	if out.Address, err = r.open(a.AddressEnc); err != nil {
		return Person{}, err
	}
	return out, nil
}

// Relation asks what b is to a: 配偶 父 母 子 女, "" when the register shows no
// relation, which proves nothing. It returns the errors of Verify.
func (r *Register) Relation(ctx context.Context, p Purpose, a, b Who) (relation string, sameBook bool, err error) {
	var q wire.HouseholdQuery
	var out wire.Household
	q.Purpose = p
	if err := r.seal([]string{a.ID, a.Name, b.ID, b.Name}, &q.IDAEnc, &q.NameAEnc, &q.IDBEnc, &q.NameBEnc); err != nil {
		return "", false, err
	}
	if _, err := r.c.Do(ctx, linkkit.Call{API: "verify.household", Path: wire.PathHousehold, Biz: p.CaseNo, In: q}, &out); err != nil {
		return "", false, err
	}
	return out.Relation, out.SameBook, verdict(out.Result)
}

// Guardian asks whether guardian is the guardian of minor, and on what basis,
// or why not.
func (r *Register) Guardian(ctx context.Context, p Purpose, minor, guardian Who) (ok bool, basis string, err error) {
	var q wire.GuardianQuery
	var out wire.Guardian
	q.Purpose = p
	if err := r.seal([]string{minor.ID, minor.Name, guardian.ID, guardian.Name}, &q.MinorIDEnc, &q.MinorNameEnc, &q.GuardianIDEnc, &q.GuardianNameEnc); err != nil {
		return false, "", err
	}
	_, err = r.c.Do(ctx, linkkit.Call{API: "verify.guardian", Path: wire.PathGuardian, Biz: p.CaseNo, In: q}, &out)
	return out.Match, out.Basis, err
}

// verdict turns the register's verdict into an error. An unknown one is no
// answer.
func verdict(result string) error {
	switch result {
	case wire.Match:
		return nil
	case wire.Mismatch:
		return ErrMismatch
	case wire.NoRecord:
		return ErrNoRecord
	default:
		return errs.New(errs.Unavailable, linkkit.CodeGarbage, Name+"返回的结论无法识别").Wrap(fmt.Errorf("result %q", result))
	}
}

// seal seals each of plain into its place.
func (r *Register) seal(plain []string, to ...*string) error {
	for i, p := range plain {
		s, err := r.c.Seal(p)
		if err != nil {
			return err
		}
		*to[i] = s
	}
	return nil
}

// open opens a sealed field of an answer, "" for an empty one. An answer whose
// fields do not open is no answer.
func (r *Register) open(sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	return r.c.Open(sealed)
}
