// Package identtest makes directories, persons, organisations and officials
// for tests.
package identtest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"haoban/platform/audit"
	"haoban/platform/calendar"
	"haoban/platform/clock"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/gm"
	"haoban/platform/ident"
)

// Password is the password of every official made here.
const Password = "Zhongguo#Tudi-2026" //nolint:gosec // of made-up people

// OTPSecret is the secret of one-time codes of every official made here.
const OTPSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" //nolint:gosec // of made-up people

// Lines are the migrations a directory needs.
func Lines() []db.Line { return []db.Line{audit.Migrations(), ident.Migrations()} }

// Sent is a code that was sent.
type Sent struct{ Mobile, Code string }

// World is a directory with wall time that the test moves and codes that the
// test can read.
type World struct {
	*ident.Directory
	DB   *db.DB
	Keys gm.Keys
	Wall *clock.Movable
	Sent *[]Sent
}

// New returns a directory over d with keys of its own and cheap password
// hashes; change may alter its options first.
func New(t testing.TB, d *db.DB, change ...func(*ident.Options)) World {
	t.Helper()
	keys, err := gm.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	w := World{DB: d, Keys: keys, Wall: clock.NewMovable(clock.Fixed(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))), Sent: &[]Sent{}}
	opt := ident.Options{
		DB: d, Keys: keys, Audit: audit.New(d, keys), Wall: w.Wall, Argon: ident.Argon{KiB: 64, Passes: 1, Lanes: 1},
		SendCode: func(_ context.Context, _ *db.Tx, mobile, code string) error {
			*w.Sent = append(*w.Sent, Sent{mobile, code})
			return nil
		},
	}
	for _, f := range change {
		f(&opt)
	}
	if w.Directory, err = ident.New(opt); err != nil {
		t.Fatal(err)
	}
	return w
}

// Tx runs f in a transaction and fails the test if it fails.
func (w World) Tx(t testing.TB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := w.DB.Tx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// Org makes an organisation of a kind, with a name that may be used again.
func (w World) Org(t testing.TB, kind, name, district string) ident.OrgID {
	t.Helper()
	var id ident.OrgID
	w.Tx(t, func(tx *db.Tx) (err error) {
		id, err = w.PutOrg(t.Context(), tx, ident.System("test"), ident.Org{
			Kind: kind, Code: kind + "-" + name + "-" + district, Name: name, District: district,
		})
		return err
	})
	return id
}

// Person makes the n-th person: the same n is the same person.
func (w World) Person(t testing.TB, n int, name string) ident.Actor {
	t.Helper()
	var a ident.Actor
	w.Tx(t, func(tx *db.Tx) error {
		id, err := w.UpsertPerson(t.Context(), tx, Claims(n, name))
		if err != nil {
			return err
		}
		a, err = w.PersonActor(t.Context(), tx, id)
		return err
	})
	return a
}

// Claims are what the login provider says about the n-th person.
func Claims(n int, name string) ident.Claims {
	return ident.Claims{Name: name, IDNo: IDNo(n), Mobile: Mobile(n), Level: 3, Source: "ywtb"}
}

// Member gives a person a place in an organisation and returns them acting for
// it.
func (w World) Member(t testing.TB, a ident.Actor, org ident.OrgID, role string, matters ...string) ident.Actor {
	t.Helper()
	w.Tx(t, func(tx *db.Tx) error {
		if err := w.PutMember(t.Context(), tx, ident.System("test"), ident.Member{OrgID: org, PersonID: a.PersonID, Role: role, Matters: matters}); err != nil {
			return err
		}
		o, err := w.Directory.Org(t.Context(), tx, org)
		if err != nil {
			return err
		}
		a.OrgID, a.OrgName, a.OrgKind, a.OrgRole, a.OrgMatter = o.ID, o.Name, o.Kind, role, matters
		return nil
	})
	return a
}

// Official makes an official with one post and returns them as an actor. The
// office is the office of the first matter, and every office if there is none.
func (w World) Official(t testing.TB, role, district string, matters ...string) ident.Actor {
	t.Helper()
	office := ""
	if len(matters) > 0 {
		office = ident.OfficeOf(matters[0])
	}
	return w.OfficialOf(t, ident.Post{Role: role, Office: office, District: district, Matters: matters})
}

// OfficialOf makes an official with these posts and returns them as an actor.
func (w World) OfficialOf(t testing.TB, posts ...ident.Post) ident.Actor {
	t.Helper()
	org := w.Org(t, ident.OrgBureau, "市局", "")
	var a ident.Actor
	w.Tx(t, func(tx *db.Tx) error {
		out, err := w.Seed(t.Context(), tx, ident.SeedUser{
			Account: "u" + strings.ReplaceAll(db.NewID(), "-", "")[4:], Name: "王慧", Org: org,
			Password: Password, OTPSecret: OTPSecret, Posts: posts,
		})
		if err != nil {
			return err
		}
		a, err = w.OfficialActor(t.Context(), tx, out.UserID)
		return err
	})
	return a
}

// Account returns the log-in name of an official.
func (w World) Account(t testing.TB, a ident.Actor) string {
	t.Helper()
	u, err := w.User(t.Context(), w.DB.Q(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	return u.Account
}

// Code returns the one-time code that shows now.
func (w World) Code(t testing.TB) string {
	t.Helper()
	c, err := ident.TOTPCode(OTPSecret, w.Wall.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// LogIn logs an official in, half a minute later than now so that the code is
// a fresh one.
func (w World) LogIn(t testing.TB, a ident.Actor) ident.Started {
	t.Helper()
	w.Wall.Advance(30 * time.Second)
	s, err := w.Sessions().Login(t.Context(), ident.StaffLogin{Account: w.Account(t, a), Password: Password, Device: "test", IP: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = w.Sessions().OTP(t.Context(), s.Token, w.Code(t)); err != nil {
		t.Fatal(err)
	}
	return s
}

// IDNo returns the n-th made-up identity number; they repeat after 40,000.
func IDNo(n int) string {
	day, err := calendar.ParseDate(fmt.Sprintf("%04d-01-01", 1960+n/1000%40))
	if err != nil {
		return ""
	}
	return codes.SyntheticResidentID(day, n).String()
}

// Mobile returns the n-th made-up mobile; they repeat after 10,000.
func Mobile(n int) string { return codes.SyntheticMobile(n).String() }

// USCC returns the n-th made-up credit code of a company.
func USCC(n int) string { return codes.SyntheticUSCC(codes.Company, n).String() }
