package ident_test

import (
	"fmt"
	"strings"
	"testing"

	"haoban/platform/audit"
	"haoban/platform/db"
	"haoban/platform/ident"
	"haoban/platform/ident/identtest"
)

// TestAudited follows what persons and officials did and were refused into the
// log, and looks there for what must not be in it.
func TestAudited(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		a := w.Person(t, 1, "李明")
		agency := w.Org(t, ident.OrgAgency, "某中介", "")
		mobile := identtest.Mobile(5)
		if _, err := w.RequestPhoneCode(ctx, a, mobile); err != nil {
			t.Fatal(err)
		}
		refused(t, "wrong code", w.ConfirmPhone(ctx, a, mobile, "wrong!"), ident.ErrCode)
		if err := w.ConfirmPhone(ctx, a, mobile, (*w.Sent)[0].Code); err != nil {
			t.Fatal(err)
		}
		address := "北京西路99号"
		w.Tx(t, func(tx *db.Tx) error {
			if err := w.SetContact(ctx, tx, a, ident.Contact{Address: &address}); err != nil {
				return err
			}
			g, err := w.OpenGrant(ctx, tx, a, ident.NewGrant{To: agency, Matters: []string{"m/a"}, Until: tx.Now().AddDate(0, 1, 0)})
			if err != nil {
				return err
			}
			return w.RevokeGrant(ctx, tx, a, g.ID)
		})
		o := w.Official(t, ident.RoleWindow, "310115")
		_, err := w.Sessions().Login(ctx, ident.StaffLogin{Account: w.Account(t, o), Password: "Wrong#Password-1", IP: "10.0.0.9"})
		refused(t, "wrong password", err, ident.ErrLogin)
		st := w.LogIn(t, o)
		exec(t, w, `UPDATE ident_post SET role = 'leader' WHERE user_id = $1`, o.ID)
		_, err = w.Sessions().Lookup(ctx, ident.Staff, st.Token)
		refused(t, "tampered", err, ident.ErrTampered)

		es, err := audit.Query(ctx, w.DB.Q(), audit.Filter{Limit: 200}, "")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, e := range es.Rows {
			got[e.Type+" "+e.Outcome+" "+e.Code]++
			for _, plain := range []string{"李明", identtest.IDNo(1), identtest.Mobile(1), mobile, address, (*w.Sent)[0].Code, "Password"} {
				if strings.Contains(fmt.Sprintf("%+v", e), plain) {
					t.Errorf("%s tells %s: %+v", e.Type, plain, e)
				}
			}
			if e.Type == "ident.login" && e.Outcome == audit.Refused && (e.Actor != o.ID || e.IP != "10.0.0.9") {
				t.Errorf("refused log-in: %+v", e)
			}
		}
		for _, want := range []string{
			"ident.person.new ok ", "ident.person.claim ok ", "ident.org.new ok ", "ident.phone.code ok ",
			"ident.phone.confirm refused ident.code", "ident.grant.open ok ", "ident.grant.revoke ok ", "ident.user.new ok ",
			"ident.post.grant ok ", "ident.login refused ident.login", "ident.login ok ", "ident.tampered failed ident.tampered",
		} {
			if got[want] == 0 {
				t.Errorf("no %q in %v", want, got)
			}
		}
	})
}
