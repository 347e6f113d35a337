package ident_test

import (
	"testing"
	"time"

	"haoban/platform/clock"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/ident"
	"haoban/platform/ident/identtest"
)

func TestGrant(t *testing.T) {
	t.Parallel()
	dbtest.EachClock(t, identtest.Lines(), func(t *testing.T, d *db.DB, c *clock.Movable) {
		ctx := t.Context()
		w := identtest.New(t, d)
		agency, other := w.Org(t, ident.OrgAgency, "某中介", ""), w.Org(t, ident.OrgAgency, "他中介", "")
		company := w.Org(t, ident.OrgCompany, "某公司", "")
		owner, stranger := w.Person(t, 1, "李明"), w.Person(t, 2, "王芳")
		agent := w.Member(t, w.Person(t, 3, "张伟"), agency, ident.MemberAgent)
		unit, unit2 := codes.SyntheticUnitCode(1, 1, 1).String(), codes.SyntheticUnitCode(1, 1, 2).String()
		open := func(a ident.Actor, n ident.NewGrant) (g ident.Grant, err error) {
			err = d.Tx(ctx, func(tx *db.Tx) error {
				g, err = w.OpenGrant(ctx, tx, a, n)
				return err
			})
			return g, err
		}
		revoke := func(a ident.Actor, id ident.GrantID) error {
			return d.Tx(ctx, func(tx *db.Tx) error { return w.RevokeGrant(ctx, tx, a, id) })
		}
		find := func(from ident.Principal, to ident.OrgID, matter, unit string) error {
			_, err := w.FindGrant(ctx, d.Q(), from, to, matter, unit, d.Clock().Now())
			return err
		}
		from := owner.Principal()
		good := ident.NewGrant{To: agency, Matters: []string{"registry/transfer", "registry/transfer"}, Unit: unit, Until: d.Clock().Now().Add(48 * time.Hour)}

		refused(t, "before any", find(from, agency, "registry/transfer", unit), ident.ErrNoGrant)
		for what, bad := range map[string]func(*ident.NewGrant){
			"no matters": func(n *ident.NewGrant) { n.Matters = nil },
			"past":       func(n *ident.NewGrant) { n.Until = d.Clock().Now().Add(-time.Second) },
			"no end":     func(n *ident.NewGrant) { n.Until = time.Time{} },
			"unit":       func(n *ident.NewGrant) { n.Unit = "1" },
		} {
			n := good
			bad(&n)
			_, err := open(owner, n)
			refused(t, what, err, ident.ErrGrantBad)
		}
		n := good
		n.To = "nobody"
		_, err := open(owner, n)
		refused(t, "unknown organisation", err, ident.ErrNoOrg)
		_, err = open(w.Official(t, ident.RoleWindow, "310115"), good)
		refused(t, "official", err, ident.ErrGrantFrom)
		clerk := w.Member(t, w.Person(t, 4, "赵六"), company, ident.MemberClerk)
		_, err = open(clerk, good)
		refused(t, "clerk of a company", err, ident.ErrGrantFrom)
		_, err = open(agent, good)
		refused(t, "to oneself", err, ident.ErrGrantBad)

		g, err := open(owner, good)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Matters) != 1 {
			t.Errorf("matters %v", g.Matters)
		}
		if err := find(from, agency, "registry/transfer", unit); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			what         string
			from         ident.Principal
			to           ident.OrgID
			matter, unit string
			want         error
		}{
			{"another organisation", from, other, "registry/transfer", unit, ident.ErrNoGrant},
			{"another principal", stranger.Principal(), agency, "registry/transfer", unit, ident.ErrNoGrant},
			{"an organisation of the same id", ident.OrgPrincipal(owner.ID), agency, "registry/transfer", unit, ident.ErrNoGrant},
			{"another matter", from, agency, "registry/mortgage", unit, ident.ErrGrantMatter},
			{"another unit", from, agency, "registry/transfer", unit2, ident.ErrGrantUnit},
			{"no unit", from, agency, "registry/transfer", "", ident.ErrGrantUnit},
		} {
			refused(t, tt.what, find(tt.from, tt.to, tt.matter, tt.unit), tt.want)
		}
		if _, err := w.Grant(ctx, d.Q(), agent, g.ID); err != nil {
			t.Errorf("the grantee: %v", err)
		}
		_, err = w.Grant(ctx, d.Q(), stranger, g.ID)
		refused(t, "a stranger reads", err, ident.ErrGrantUnknown)
		refused(t, "a stranger revokes", revoke(stranger, g.ID), ident.ErrGrantUnknown)
		refused(t, "the grantee revokes", revoke(agent, g.ID), ident.ErrGrantUnknown)
		acting := w.Member(t, owner, company, ident.MemberLegal)
		refused(t, "the owner, but for a company", revoke(acting, g.ID), ident.ErrGrantUnknown)

		c.Advance(49 * time.Hour)
		refused(t, "ran out", find(from, agency, "registry/transfer", unit), ident.ErrGrantExpired)
		n = good
		n.Unit, n.Until = "", d.Clock().Now().Add(time.Hour)
		wide, err := open(owner, n)
		if err != nil {
			t.Fatal(err)
		}
		if err := find(from, agency, "registry/transfer", unit2); err != nil {
			t.Errorf("for any unit: %v", err)
		}
		if err := find(from, agency, "registry/transfer", ""); err != nil {
			t.Errorf("for no unit: %v", err)
		}
		if err := revoke(owner, wide.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, "revoked", find(from, agency, "registry/transfer", unit), ident.ErrGrantRevoked)
		refused(t, "twice", revoke(owner, wide.ID), ident.ErrGrantDone)
		gs, err := w.GrantsFrom(ctx, d.Q(), from)
		if err != nil || len(gs) != 2 || gs[0].ID != wide.ID {
			t.Errorf("%v %v", gs, err)
		}
		if gs, err := w.GrantsTo(ctx, d.Q(), agency); err != nil || len(gs) != 2 {
			t.Errorf("%v %v", gs, err)
		}

		// Opening it again in the database gives nothing.
		exec(t, w, `UPDATE ident_grant SET state = 'open', revoked_at = 0, revoked_by = '' WHERE id = $1`, wide.ID)
		refused(t, "tampered", find(from, agency, "registry/transfer", unit), ident.ErrTampered)
	})
}

// TestGrantForCompany: a company's agent grants in its name.
func TestGrantForCompany(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		company, agency := w.Org(t, ident.OrgCompany, "某公司", ""), w.Org(t, ident.OrgAgency, "某中介", "")
		agent := w.Member(t, w.Person(t, 1, "李明"), company, ident.MemberAgent)
		w.Tx(t, func(tx *db.Tx) error {
			_, err := w.OpenGrant(ctx, tx, agent, ident.NewGrant{To: agency, Matters: []string{"m/a"}, Until: tx.Now().Add(time.Hour)})
			return err
		})
		g, err := w.FindGrant(ctx, w.DB.Q(), ident.OrgPrincipal(company), agency, "m/a", "", w.DB.Clock().Now())
		if err != nil || g.From != ident.OrgPrincipal(company) || g.OpenedBy != agent.ID {
			t.Errorf("%+v %v", g, err)
		}
		_, err = w.FindGrant(ctx, w.DB.Q(), ident.PersonPrincipal(agent.PersonID), agency, "m/a", "", w.DB.Clock().Now())
		refused(t, "the agent themselves granted nothing", err, ident.ErrNoGrant)
	})
}
