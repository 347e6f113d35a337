package ident_test

import (
	"sync"
	"testing"
	"time"

	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/ident"
	"haoban/platform/ident/identtest"
)

func TestLoginOrg(t *testing.T) {
	t.Parallel()
	dbtest.EachClock(t, identtest.Lines(), func(t *testing.T, d *db.DB, c *clock.Movable) {
		ctx := t.Context()
		w := identtest.New(t, d)
		claims := ident.OrgClaims{
			Name: "某某置业有限公司", USCC: identtest.USCC(1), Person: identtest.Claims(1, "李明"), Role: ident.MemberLegal, Source: "fryzt",
		}
		login := func(c ident.OrgClaims) (org ident.OrgID, person ident.PersonID, err error) {
			err = w.DB.Tx(ctx, func(tx *db.Tx) error {
				org, person, err = w.LoginOrg(ctx, tx, c)
				return err
			})
			return org, person, err
		}
		org, person, err := login(claims)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				o, p, err := login(claims)
				if err != nil || o != org || p != person {
					t.Errorf("again: %s %s %v", o, p, err)
				}
				c := claims
				c.USCC = identtest.USCC(2)
				if _, _, err := login(c); err != nil {
					t.Errorf("second company: %v", err)
				}
			})
		}
		wg.Wait()
		o, err := w.OrgByUSCC(ctx, w.DB.Q(), claims.USCC)
		if err != nil || o.ID != org || o.Kind != ident.OrgCompany || o.Name != claims.Name {
			t.Errorf("%+v %v", o, err)
		}
		ms, err := w.Memberships(ctx, w.DB.Q(), person)
		if err != nil || len(ms) != 2 || ms[0].Role != ident.MemberLegal {
			t.Errorf("%+v %v", ms, err)
		}
		for what, bad := range map[string]func(*ident.OrgClaims){
			"no code":   func(c *ident.OrgClaims) { c.USCC = "" },
			"bad code":  func(c *ident.OrgClaims) { c.USCC = "91310000000000000X" },
			"no name":   func(c *ident.OrgClaims) { c.Name = "" },
			"no role":   func(c *ident.OrgClaims) { c.Role = "" },
			"no person": func(c *ident.OrgClaims) { c.Person = ident.Claims{} },
		} {
			c := claims
			c.Person = identtest.Claims(3, "王芳")
			bad(&c)
			_, _, err := login(c)
			refused(t, what, err, ident.ErrClaims)
		}

		// What the organisation ended stays ended, whatever the certificate says.
		legal := ident.Actor{Kind: ident.KindPerson, ID: person, PersonID: person, OrgID: org, OrgRole: ident.MemberLegal}
		agent := claims
		agent.Person, agent.Role = identtest.Claims(4, "张伟"), ident.MemberAgent
		_, clerk, err := login(agent)
		if err != nil {
			t.Fatal(err)
		}
		w.Tx(t, func(tx *db.Tx) error { return w.EndMember(ctx, tx, legal, org, clerk) })
		_, _, err = login(agent)
		refused(t, "ended by the company", err, ident.ErrNotMember)
		w.Tx(t, func(tx *db.Tx) error {
			return w.PutMember(ctx, tx, legal, ident.Member{OrgID: org, PersonID: clerk, Role: ident.MemberClerk, Matters: []string{"registry/transfer"}})
		})
		if _, _, err = login(agent); err != nil {
			t.Fatal(err)
		}
		all, err := w.Members(ctx, w.DB.Q(), org)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if m.PersonID == clerk && (m.Role != ident.MemberClerk || len(m.Matters) != 1) {
				t.Errorf("the certificate widened what the company gave: %+v", m)
			}
		}

		// A closed organisation does not log in.
		w.Tx(t, func(tx *db.Tx) error {
			o.ValidTo = tx.Now().Add(time.Hour)
			_, err := w.PutOrg(ctx, tx, ident.System("test"), o)
			return err
		})
		c.Advance(2 * time.Hour)
		_, _, err = login(claims)
		refused(t, "closed", err, ident.ErrNoOrg)
	})
}

func TestMembers(t *testing.T) {
	t.Parallel()
	dbtest.EachClock(t, identtest.Lines(), func(t *testing.T, d *db.DB, c *clock.Movable) {
		ctx := t.Context()
		w := identtest.New(t, d)
		org, other := w.Org(t, ident.OrgCompany, "甲公司", ""), w.Org(t, ident.OrgCompany, "乙公司", "")
		legal := w.Member(t, w.Person(t, 1, "李明"), org, ident.MemberLegal)
		agent := w.Member(t, w.Person(t, 2, "王芳"), org, ident.MemberAgent)
		third := w.Person(t, 3, "张伟")
		put := func(a ident.Actor, m ident.Member) error {
			return d.Tx(ctx, func(tx *db.Tx) error { return w.PutMember(ctx, tx, a, m) })
		}
		m := ident.Member{OrgID: org, PersonID: third.ID, Role: ident.MemberClerk}
		refused(t, "an agent makes no members", put(agent, m), ident.ErrNotMember)
		refused(t, "a stranger", put(third, m), ident.ErrNotMember)
		m.OrgID = other
		refused(t, "another company's", put(legal, m), ident.ErrNotMember)
		m.OrgID, m.PersonID = org, "nobody"
		refused(t, "nobody", put(legal, m), ident.ErrNoPerson)
		refused(t, "no such company", put(ident.System("x"), ident.Member{OrgID: "none", PersonID: third.ID, Role: "clerk"}), ident.ErrNoOrg)
		refused(t, "role", put(legal, ident.Member{OrgID: org, PersonID: third.ID, Role: "boss"}), ident.ErrClaims)
		if err := put(legal, ident.Member{OrgID: org, PersonID: third.ID, Role: ident.MemberClerk, To: d.Clock().Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		orgs, err := w.OrgsOf(ctx, d.Q(), third.ID)
		if err != nil || len(orgs) != 1 || orgs[0].ID != org {
			t.Errorf("%v %v", orgs, err)
		}
		c.Advance(2 * time.Hour)
		if orgs, err := w.OrgsOf(ctx, d.Q(), third.ID); err != nil || len(orgs) != 0 {
			t.Errorf("place outlived its end: %v %v", orgs, err)
		}
		refused(t, "ended twice", d.Tx(ctx, func(tx *db.Tx) error { return w.EndMember(ctx, tx, legal, org, third.ID) }), ident.ErrNotMember)

		// A row changed behind the house's back gives no right.
		exec(t, w, `UPDATE ident_member SET role = 'legal', valid_to = 0 WHERE person_id = $1`, third.ID)
		_, err = w.OrgsOf(ctx, d.Q(), third.ID)
		refused(t, "tampered", err, ident.ErrTampered)
	})
}

func TestOrgs(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		var ids map[string]ident.OrgID
		for range 2 {
			w.Tx(t, func(tx *db.Tx) (err error) {
				ids, err = w.SeedOrgs(ctx, tx)
				return err
			})
		}
		if len(ids) != 34 {
			t.Errorf("%d orgs", len(ids))
		}
		got, err := w.Orgs(ctx, w.DB.Q(), ident.OrgFilter{Kinds: []string{ident.OrgDistrict}, Text: "浦东"})
		if err != nil || len(got) != 1 || got[0].District != "310115" || got[0].Parent != ids["bureau"] {
			t.Errorf("%+v %v", got, err)
		}
		var n int
		for after := ""; ; n++ {
			page, err := w.Orgs(ctx, w.DB.Q(), ident.OrgFilter{Kinds: []string{ident.OrgDistrict, ident.OrgRegistration}, After: after, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			after = page[0].ID
		}
		if n != 33 {
			t.Errorf("%d orgs over pages of one", n)
		}
		put := func(a ident.Actor, o ident.Org) error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error {
				_, err := w.PutOrg(ctx, tx, a, o)
				return err
			})
		}
		refused(t, "a citizen", put(w.Person(t, 1, "李明"), ident.Org{Kind: ident.OrgBank, Name: "行"}), ident.ErrAdmin)
		refused(t, "kind", put(ident.System("x"), ident.Org{Kind: "club", Name: "会"}), ident.ErrClaims)
		refused(t, "parent", put(ident.System("x"), ident.Org{Kind: ident.OrgBank, Name: "行", Parent: "none"}), ident.ErrNoOrg)
		if err := put(ident.System("x"), ident.Org{Kind: ident.OrgBank, Name: "某银行", Code: "bank-1", USCC: identtest.USCC(1)}); err != nil {
			t.Fatal(err)
		}
		if err := put(ident.System("x"), ident.Org{Kind: ident.OrgBank, Name: "某银行", Code: "bank-2", USCC: identtest.USCC(2)}); err != nil {
			t.Fatal(err)
		}
		refused(t, "credit code of another", put(ident.System("x"), ident.Org{Kind: ident.OrgBank, Name: "某银行", Code: "bank-1", USCC: identtest.USCC(2)}), ident.ErrOrgTaken)
		o, err := w.OrgByCode(ctx, w.DB.Q(), "bank-1")
		if err != nil || o.USCC != identtest.USCC(1) {
			t.Errorf("%+v %v", o, err)
		}
	})
}
