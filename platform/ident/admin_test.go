package ident_test

import (
	"errors"
	"testing"

	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/ident/identtest"
)

// TestSeparatedAdministrators holds the three administrators（三员）apart.
func TestSeparatedAdministrators(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		sys, sec, aud := w.Official(t, ident.RoleSysAdmin, ""), w.Official(t, ident.RoleSecAdmin, ""), w.Official(t, ident.RoleAuditAdmin, "")
		sec2 := w.Official(t, ident.RoleSecAdmin, "")
		clerk := w.Official(t, ident.RoleWindow, "310115", "registry/transfer")
		citizen := w.Person(t, 1, "李明")
		org := w.Org(t, ident.OrgBureau, "市局", "")
		create := func(a ident.Actor, account string) (out ident.Issued, err error) {
			err = w.DB.Tx(ctx, func(tx *db.Tx) error {
				out, err = w.CreateOfficial(ctx, tx, a, ident.NewUser{Account: account, Name: "新人", OrgID: org})
				return err
			})
			return out, err
		}
		grant := func(a ident.Actor, to ident.UserID, role string) (id ident.PostID, err error) {
			err = w.DB.Tx(ctx, func(tx *db.Tx) error {
				id, err = w.GrantPost(ctx, tx, a, ident.Post{UserID: to, Role: role})
				return err
			})
			return id, err
		}
		do := func(f func(tx *db.Tx) error) error { return w.DB.Tx(ctx, f) }

		fresh, err := create(sys, "New.One")
		if err != nil {
			t.Fatal(err)
		}
		if ident.CheckPassword(fresh.Account, fresh.Password) != nil || fresh.OTPSecret == "" || fresh.OTPURL == "" || fresh.Account != "new.one" {
			t.Errorf("issued %+v", fresh)
		}
		if ps, err := w.Posts(ctx, w.DB.Q(), fresh.UserID); err != nil || len(ps) != 0 {
			t.Errorf("a new account has rights: %v %v", ps, err)
		}
		for what, a := range map[string]ident.Actor{"secadmin": sec, "auditadmin": aud, "clerk": clerk, "citizen": citizen, "nobody": {}} {
			_, err := create(a, "another")
			refused(t, what+" creates an account", err, ident.ErrAdmin)
			refused(t, what+" resets a password", do(func(tx *db.Tx) error {
				_, err := w.ResetPassword(ctx, tx, a, fresh.UserID)
				return err
			}), ident.ErrAdmin)
			refused(t, what+" disables", do(func(tx *db.Tx) error { return w.Disable(ctx, tx, a, fresh.UserID, "") }), ident.ErrAdmin)
			refused(t, what+" unlocks", do(func(tx *db.Tx) error { return w.Unlock(ctx, tx, a, fresh.UserID) }), ident.ErrAdmin)
		}
		for what, a := range map[string]ident.Actor{"sysadmin": sys, "auditadmin": aud, "clerk": clerk, "citizen": citizen, "nobody": {}} {
			_, err := grant(a, fresh.UserID, ident.RoleWindow)
			refused(t, what+" grants", err, ident.ErrAdmin)
			refused(t, what+" ends a post", do(func(tx *db.Tx) error { return w.EndPost(ctx, tx, a, clerk.Posts[0].ID, "") }), ident.ErrAdmin)
			refused(t, what+" resets one-time codes", do(func(tx *db.Tx) error {
				_, err := w.ResetOTP(ctx, tx, a, fresh.UserID)
				return err
			}), ident.ErrAdmin)
		}
		_, err = create(sys, "new.one")
		refused(t, "account taken", err, ident.ErrAccountTaken)
		_, err = create(sys, "1 x")
		refused(t, "bad account", err, ident.ErrUserBad)

		// Not to oneself.
		_, err = grant(sec, sec.ID, ident.RoleSysAdmin)
		refused(t, "secadmin grants to self", err, ident.ErrSelf)
		refused(t, "secadmin ends own post", do(func(tx *db.Tx) error { return w.EndPost(ctx, tx, sec, sec.Posts[0].ID, "") }), ident.ErrSelf)
		refused(t, "sysadmin disables self", do(func(tx *db.Tx) error { return w.Disable(ctx, tx, sys, sys.ID, "") }), ident.ErrSelf)
		refused(t, "sysadmin resets own password", do(func(tx *db.Tx) error {
			_, err := w.ResetPassword(ctx, tx, sys, sys.ID)
			return err
		}), ident.ErrSelf)
		refused(t, "secadmin resets own codes", do(func(tx *db.Tx) error {
			_, err := w.ResetOTP(ctx, tx, sec, sec.ID)
			return err
		}), ident.ErrSelf)

		// No two of the three, and no business with any.
		all := []string{ident.RoleSysAdmin, ident.RoleSecAdmin, ident.RoleAuditAdmin, ident.RoleWindow, ident.RoleSupervisor}
		for _, holder := range []ident.Actor{sys, sec, aud, clerk} {
			for _, role := range all {
				if holder.Posts[0].Role == role || holder.ID == clerk.ID && !ident.IsAdminRole(role) {
					continue
				}
				_, err := grant(sec2, holder.ID, role)
				refused(t, role+" to a "+holder.Posts[0].Role, err, ident.ErrSeparated)
			}
		}
		id, err := grant(sec, fresh.UserID, ident.RoleWindow)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := grant(sec, fresh.UserID, ident.RoleWindow); err != nil || again != id {
			t.Errorf("granted twice: %s %v", again, err)
		}
		if _, err := grant(sec, fresh.UserID, ident.RoleExaminer); err != nil {
			t.Errorf("two business posts: %v", err)
		}
		if err := do(func(tx *db.Tx) error { return w.EndPost(ctx, tx, sec, id, "调岗") }); err != nil {
			t.Fatal(err)
		}
		refused(t, "ended twice", do(func(tx *db.Tx) error { return w.EndPost(ctx, tx, sec, id, "") }), ident.ErrNoPost)
		if ps, err := w.Posts(ctx, w.DB.Q(), fresh.UserID); err != nil || len(ps) != 1 || ps[0].Role != ident.RoleExaminer {
			t.Errorf("%v %v", ps, err)
		}
		for what, p := range map[string]ident.Post{
			"role":              {Role: "king"},
			"district":          {Role: ident.RoleWindow, District: "310199"},
			"star":              {Role: ident.RoleWindow, Office: "*"},
			"admin of district": {Role: ident.RoleSysAdmin, District: "310115"},
		} {
			p.UserID = fresh.UserID
			refused(t, what, do(func(tx *db.Tx) error {
				_, err := w.GrantPost(ctx, tx, sec, p)
				return err
			}), ident.ErrPostBad)
		}
		_, err = grant(sec, "nobody", ident.RoleWindow)
		refused(t, "to nobody", err, ident.ErrNoUser)
	})
}

// TestTamperedRights changes each row that carries rights and looks for the
// refusal.
func TestTamperedRights(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		for what, sql := range map[string]string{
			"another role":     `UPDATE ident_post SET role = 'leader' WHERE user_id = $1`,
			"all districts":    `UPDATE ident_post SET district = '' WHERE user_id = $1`,
			"more matters":     `UPDATE ident_post SET matters = '[]' WHERE user_id = $1`,
			"a known password": `UPDATE ident_user SET pw_hash = '$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAA' WHERE id = $1`,
			"no change needed": `UPDATE ident_user SET must_change = TRUE WHERE id = $1`,
			"another account":  `UPDATE ident_user SET account = 'leader' WHERE id = $1`,
		} {
			a := w.Official(t, ident.RoleWindow, "310115", "registry/transfer")
			s := w.LogIn(t, a)
			exec(t, w, sql, a.ID)
			_, err := w.OfficialActor(ctx, w.DB.Q(), a.ID)
			refused(t, what, err, ident.ErrTampered)
			_, err = w.Sessions().Lookup(ctx, ident.Staff, s.Token)
			refused(t, what+", logged in", err, ident.ErrTampered)
			if errs.KindOf(err) != errs.Internal {
				t.Errorf("%s: kind %v", what, errs.KindOf(err))
			}
			if what == "another account" {
				exec(t, w, `UPDATE ident_user SET account = $2 WHERE id = $1`, a.ID, "gone-"+a.ID)
			}
		}
		// A post copied to another official does not hold there.
		a, b := w.Official(t, ident.RoleWindow, "310115"), w.Official(t, ident.RoleLeader, "")
		exec(t, w, `UPDATE ident_post SET user_id = $1 WHERE user_id = $2`, a.ID, b.ID)
		_, err := w.OfficialActor(ctx, w.DB.Q(), a.ID)
		refused(t, "copied post", err, ident.ErrTampered)
	})
}

func TestUsers(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		a := w.Official(t, ident.RoleWindow, "310115", "registry/transfer")
		b := w.Official(t, ident.RoleWindow, "310104")
		sys := w.Official(t, ident.RoleSysAdmin, "")
		ids := func(us []ident.User, err error) []string {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, u := range us {
				out = append(out, u.ID)
			}
			return out
		}
		if got := ids(w.Officials(ctx, w.DB.Q(), ident.RoleWindow, "registry", "310115", "registry/transfer")); len(got) != 1 || got[0] != a.ID {
			t.Errorf("officials %v", got)
		}
		if got := ids(w.Officials(ctx, w.DB.Q(), ident.RoleWindow, "permit", "310104", "permit/build")); len(got) != 1 || got[0] != b.ID {
			t.Errorf("officials %v", got)
		}
		if got := ids(w.Users(ctx, w.DB.Q(), ident.UserFilter{Role: ident.RoleWindow, Text: "王"})); len(got) != 2 {
			t.Errorf("users %v", got)
		}
		w.Tx(t, func(tx *db.Tx) error { return w.Disable(ctx, tx, sys, b.ID, "离职") })
		if got := ids(w.Officials(ctx, w.DB.Q(), ident.RoleWindow, "permit", "310104", "permit/build")); len(got) != 0 {
			t.Errorf("a disabled official is offered: %v", got)
		}
		if got := ids(w.Users(ctx, w.DB.Q(), ident.UserFilter{State: ident.UserActive, Limit: 1, After: a.ID})); len(got) != 1 || got[0] != sys.ID {
			t.Errorf("users %v", got)
		}
		_, err := w.OfficialActor(ctx, w.DB.Q(), b.ID)
		refused(t, "disabled", err, ident.ErrNoUser)
	})
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ password, rule string }{
		{"Zhongguo#Tudi-2026", ""},
		{"zhongguotudi-2026", ""},
		{"Short#1aaaa", "length"},
		{"alllowercaseletters", "classes"},
		{"lowercase1234567", "classes"},
		{"Window1-is-my-name", "account"},
		{"xx-WINDOW1-2026-yy", "account"},
		{"Password123456", "common"},
		{"P@ssw0rd123456", "common"},
		{"Admin@123456789", "common"},
		{"1qaz@WSX3edc4rfv", "common"},
		{"Aa1Aa1Aa1Aa1Aa1", "common"},
		{"Shanghai#20262026", "common"},
	} {
		err := ident.CheckPassword("window1", tt.password)
		if tt.rule == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.password, err)
			}
			continue
		}
		e, ok := errs.As(err)
		if !ok || !errors.Is(err, ident.ErrPassword) || len(e.Fields) != 1 || e.Fields[0].Rule != tt.rule {
			t.Errorf("%s: %v, want rule %s", tt.password, err, tt.rule)
		}
	}
}
