package ident_test

import (
	"sync"
	"testing"
	"time"

	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/ident/identtest"
)

func TestStaffLogin(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		s := w.Sessions()
		a := w.Official(t, ident.RoleWindow, "310115", "registry/transfer")
		login := func(account, password string) (ident.Started, error) {
			return s.Login(ctx, ident.StaffLogin{Account: account, Password: password, Device: "Firefox\x00", IP: "10.0.0.1"})
		}
		account := w.Account(t, a)
		st, err := login(" "+account+" ", identtest.Password)
		if err != nil {
			t.Fatal(err)
		}
		if st.Session.Step != ident.StepOTP || len(st.Session.Actor.Posts) != 0 {
			t.Errorf("after the password: %+v", st.Session)
		}
		half, err := s.Lookup(ctx, ident.Staff, st.Token)
		if err != nil || len(half.Actor.Scopes()) != 0 {
			t.Errorf("half logged in: %+v %v", half, err)
		}
		refused(t, "half logged in", half.Done(), ident.ErrStep)
		_, err = s.OTP(ctx, st.Token, "000000")
		refused(t, "wrong code", err, ident.ErrOTP)
		_, err = s.ChangePassword(ctx, st.Token, identtest.Password, "Other#Password-77")
		refused(t, "new password before the code", err, ident.ErrStep)
		done, err := s.OTP(ctx, st.Token, w.Code(t))
		if err != nil {
			t.Fatal(err)
		}
		if done.Session.Done() != nil || done.Token == st.Token || len(done.Session.Actor.Posts) != 1 {
			t.Errorf("logged in: %+v", done.Session)
		}
		_, err = s.Lookup(ctx, ident.Staff, st.Token)
		refused(t, "the token from before the code", err, ident.ErrNoSession)
		got, err := s.Lookup(ctx, ident.Staff, done.Token)
		if err != nil || got.Actor.ID != a.ID || !got.Actor.HasRole(ident.RoleWindow, "310115", "registry/transfer") || got.Device != "Firefox" {
			t.Errorf("%+v %v", got, err)
		}
		_, err = s.OTP(ctx, done.Token, w.Code(t))
		refused(t, "code once logged in", err, ident.ErrStep)

		// The same code does not open a second session; the next one does.
		st, err = login(account, identtest.Password)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.OTP(ctx, st.Token, w.Code(t))
		refused(t, "code used again", err, ident.ErrOTP)
		w.Wall.Advance(30 * time.Second)
		code := w.Code(t)
		w.Wall.Advance(30 * time.Second) // one step late is fine
		if _, err = s.OTP(ctx, st.Token, code); err != nil {
			t.Fatal(err)
		}
		w.Wall.Advance(90 * time.Second)
		st, err = login(account, identtest.Password)
		if err != nil {
			t.Fatal(err)
		}
		late, err := ident.TOTPCode(identtest.OTPSecret, w.Wall.Now().Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.OTP(ctx, st.Token, late)
		refused(t, "two steps late", err, ident.ErrOTP)

		// Wrong, unknown and disabled answer alike.
		sys := w.Official(t, ident.RoleSysAdmin, "")
		b := w.Official(t, ident.RoleWindow, "310115")
		gone := w.Account(t, b)
		bs := w.LogIn(t, b)
		w.Tx(t, func(tx *db.Tx) error { return w.Disable(ctx, tx, sys, b.ID, "离职") })
		_, err = s.Lookup(ctx, ident.Staff, bs.Token)
		refused(t, "disabled while logged in", err, ident.ErrNoSession)
		for what, l := range map[string][2]string{
			"wrong":    {account, "Wrong#Password-1"},
			"unknown":  {"nobody", identtest.Password},
			"disabled": {gone, identtest.Password},
			"empty":    {"", ""},
			"nul":      {"a\x00b", identtest.Password},
		} {
			_, err := login(l[0], l[1])
			refused(t, what, err, ident.ErrLogin)
			if err.Error() != ident.ErrLogin.Error() {
				t.Errorf("%s tells more: %v", what, err)
			}
		}
		w.Tx(t, func(tx *db.Tx) error { return w.Enable(ctx, tx, sys, b.ID, "返聘") })
		if _, err := login(gone, identtest.Password); err != nil {
			t.Errorf("enabled again: %v", err)
		}
	})
}

func TestLockOut(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		s := w.Sessions()
		a := w.Official(t, ident.RoleWindow, "310115")
		sys := w.Official(t, ident.RoleSysAdmin, "")
		account := w.Account(t, a)
		login := func(account, password string) error {
			_, err := s.Login(ctx, ident.StaffLogin{Account: account, Password: password})
			return err
		}
		for _, who := range []string{account, "nobody"} {
			for range 5 {
				refused(t, "wrong", login(who, "Wrong#Password-1"), ident.ErrLogin)
			}
			refused(t, "locked", login(who, identtest.Password), ident.ErrLocked)
		}
		w.Wall.Advance(14 * time.Minute)
		refused(t, "still locked", login(account, identtest.Password), ident.ErrLocked)
		w.Wall.Advance(2 * time.Minute)
		if err := login(account, identtest.Password); err != nil {
			t.Errorf("opens by itself: %v", err)
		}

		// Spread over more than a quarter of an hour they do not lock.
		for range 10 {
			refused(t, "wrong", login(account, "Wrong#Password-1"), ident.ErrLogin)
			w.Wall.Advance(4 * time.Minute)
		}
		w.Wall.Advance(20 * time.Minute)

		// Wrong one-time codes count too, a right password in between does not
		// set them back, and the session ends.
		var st ident.Started
		var err error
		for i := range 5 {
			if st, err = s.Login(ctx, ident.StaffLogin{Account: account, Password: identtest.Password}); err != nil {
				t.Fatal(err)
			}
			want := ident.ErrOTP
			if i == 4 {
				want = ident.ErrLocked
			}
			_, err = s.OTP(ctx, st.Token, "abcdef")
			refused(t, "wrong code", err, want)
		}
		_, err = s.OTP(ctx, st.Token, w.Code(t))
		refused(t, "right code after the lock", err, ident.ErrNoSession)
		refused(t, "locked by codes", login(account, identtest.Password), ident.ErrLocked)
		w.Tx(t, func(tx *db.Tx) error { return w.Unlock(ctx, tx, sys, a.ID) })
		if err := login(account, identtest.Password); err != nil {
			t.Errorf("unlocked: %v", err)
		}

		// Many at once get no more than five tries.
		var wg sync.WaitGroup
		var mu sync.Mutex
		tries := map[string]int{}
		for range 12 {
			wg.Go(func() {
				err := login(account, "Wrong#Password-1")
				mu.Lock()
				defer mu.Unlock()
				tries[errs.CodeOf(err)]++
			})
		}
		wg.Wait()
		if tries[ident.ErrLogin.Code] != 5 || tries[ident.ErrLocked.Code] != 7 {
			t.Errorf("tries at once: %v", tries)
		}
	})
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		s := w.Sessions()
		sys, sec := w.Official(t, ident.RoleSysAdmin, ""), w.Official(t, ident.RoleSecAdmin, "")
		org := w.Org(t, ident.OrgBureau, "市局", "")
		var is ident.Issued
		w.Tx(t, func(tx *db.Tx) (err error) {
			is, err = w.CreateOfficial(ctx, tx, sys, ident.NewUser{Account: "window1", Name: "王慧", OrgID: org, OTPSecret: identtest.OTPSecret})
			return err
		})
		enter := func(password string) (ident.Started, error) {
			w.Wall.Advance(30 * time.Second)
			st, err := s.Login(ctx, ident.StaffLogin{Account: is.Account, Password: password})
			if err != nil {
				return st, err
			}
			return s.OTP(ctx, st.Token, w.Code(t))
		}
		st, err := enter(is.Password)
		if err != nil || st.Session.Step != ident.StepPassword {
			t.Fatalf("first log-in: %+v %v", st.Session, err)
		}
		refused(t, "before the change", st.Session.Done(), ident.ErrStep)
		_, err = s.ChangePassword(ctx, st.Token, "Wrong#Password-1", "Good#Password-000")
		refused(t, "old one wrong", err, ident.ErrOldPassword)
		_, err = s.ChangePassword(ctx, st.Token, is.Password, "window1")
		refused(t, "rules", err, ident.ErrPassword)
		_, err = s.ChangePassword(ctx, st.Token, is.Password, is.Password)
		refused(t, "the same", err, ident.ErrPassword)
		pws := []string{"Good#Secret-000a", "Good#Secret-001b", "Good#Secret-002c", "Good#Secret-003d", "Good#Secret-004e", "Good#Secret-005f"}
		old := is.Password
		for _, p := range pws {
			if st, err = s.ChangePassword(ctx, st.Token, old, p); err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			old = p
		}
		if st.Session.Done() != nil {
			t.Error("not logged in after the change")
		}
		for _, p := range pws[1:] {
			_, err = s.ChangePassword(ctx, st.Token, old, p)
			refused(t, "one of the last five", err, ident.ErrPassword)
		}
		other, err := enter(old)
		if err != nil || other.Session.Done() != nil {
			t.Fatalf("second session: %v", err)
		}
		if _, err = s.ChangePassword(ctx, st.Token, old, pws[0]); err != nil {
			t.Errorf("the sixth before: %v", err)
		}
		_, err = s.Lookup(ctx, ident.Staff, other.Token)
		refused(t, "other sessions", err, ident.ErrNoSession)

		// After ninety days it must be changed.
		w.Wall.Advance(91 * 24 * time.Hour)
		if st, err = enter(pws[0]); err != nil || st.Session.Step != ident.StepPassword {
			t.Errorf("old password: %s %v", st.Session.Step, err)
		}

		// Recovery takes two administrators.
		w.Tx(t, func(tx *db.Tx) (err error) {
			is, err = w.ResetPassword(ctx, tx, sys, is.UserID)
			return err
		})
		_, err = s.Lookup(ctx, ident.Staff, st.Token)
		refused(t, "session after the reset", err, ident.ErrNoSession)
		_, err = enter(pws[0])
		refused(t, "password before the reset", err, ident.ErrLogin)
		var otp ident.Issued
		w.Tx(t, func(tx *db.Tx) (err error) {
			otp, err = w.ResetOTP(ctx, tx, sec, is.UserID)
			return err
		})
		_, err = enter(is.Password)
		refused(t, "codes before the reset", err, ident.ErrOTP)
		st, err = s.Login(ctx, ident.StaffLogin{Account: is.Account, Password: is.Password})
		if err != nil {
			t.Fatal(err)
		}
		code, err := ident.TOTPCode(otp.OTPSecret, w.Wall.Now())
		if err != nil {
			t.Fatal(err)
		}
		if st, err = s.OTP(ctx, st.Token, code); err != nil || st.Session.Step != ident.StepPassword {
			t.Errorf("recovered: %v %v", st.Session.Step, err)
		}
		for range 3 {
			_, err = s.ChangePassword(ctx, st.Token, "Wrong#Password-1", "Good#Password-000")
			refused(t, "guessing", err, ident.ErrOldPassword)
		}
	})
}

func TestStaffSessionsBounded(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		a := w.Official(t, ident.RoleWindow, "310115")
		first, second := w.LogIn(t, a), w.LogIn(t, a)
		third := w.LogIn(t, a)
		_, err := w.Sessions().Lookup(ctx, ident.Staff, first.Token)
		refused(t, "the oldest of three", err, ident.ErrNoSession)
		for _, s := range []ident.Started{second, third} {
			if _, err := w.Sessions().Lookup(ctx, ident.Staff, s.Token); err != nil {
				t.Error(err)
			}
		}
		if l, err := w.Sessions().List(ctx, w.DB.Q(), third.Session.Actor); err != nil || len(l) != 2 || !l[0].Current {
			t.Errorf("%+v %v", l, err)
		}
	})
}

func TestPublicSession(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		s := w.Sessions()
		org, other := w.Org(t, ident.OrgCompany, "某公司", ""), w.Org(t, ident.OrgCompany, "他公司", "")
		a, stranger := w.Person(t, 1, "李明"), w.Person(t, 2, "王芳")
		legal := w.Member(t, a, org, ident.MemberLegal, "registry/transfer")
		open := func(l ident.PublicLogin) (st ident.Started, err error) {
			err = w.DB.Tx(ctx, func(tx *db.Tx) error {
				st, err = s.Open(ctx, tx, l)
				return err
			})
			return st, err
		}
		_, err := open(ident.PublicLogin{PersonID: a.ID, OrgID: other})
		refused(t, "for a company not theirs", err, ident.ErrNotMember)
		_, err = open(ident.PublicLogin{PersonID: "nobody"})
		refused(t, "nobody", err, ident.ErrNoPerson)
		st, err := open(ident.PublicLogin{PersonID: a.ID, Method: "ywtb", Device: "手机", IP: "10.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Lookup(ctx, ident.Public, st.Token)
		if err != nil || got.Actor.Name != "李明" || got.Actor.OrgID != "" || got.Done() != nil || got.Method != "ywtb" {
			t.Errorf("%+v %v", got, err)
		}
		for what, f := range map[string]func() error{
			"public token at the desk": func() error { _, err := s.Lookup(ctx, ident.Staff, st.Token); return err },
			"empty token":              func() error { _, err := s.Lookup(ctx, ident.Public, ""); return err },
			"unknown token":            func() error { _, err := s.Lookup(ctx, ident.Public, st.Token+"x"); return err },
			"public token for a code":  func() error { _, err := s.OTP(ctx, st.Token, "000000"); return err },
			"the id as a token":        func() error { _, err := s.Lookup(ctx, ident.Public, got.ID); return err },
		} {
			refused(t, what, f(), ident.ErrNoSession)
		}
		desk := w.LogIn(t, w.Official(t, ident.RoleWindow, "310115"))
		_, err = s.Lookup(ctx, ident.Public, desk.Token)
		refused(t, "staff token on the portal", err, ident.ErrNoSession)

		// CSRF tokens belong to one session.
		if err := s.CheckCSRF(ctx, got, st.Session.CSRF); err != nil {
			t.Error(err)
		}
		for _, bad := range []string{"", "zz", desk.Session.CSRF, "00000000"} {
			refused(t, "CSRF "+bad, s.CheckCSRF(ctx, got, bad), ident.ErrCSRF)
		}
		refused(t, "no session at all", s.CheckCSRF(ctx, ident.Session{}, st.Session.CSRF), ident.ErrCSRF)

		// Acting for a company, from the next request on, while the place lasts.
		act := func(sess ident.Session, org ident.OrgID) error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error { return s.ActAs(ctx, tx, sess, org) })
		}
		refused(t, "act for another's company", act(got, other), ident.ErrNotMember)
		refused(t, "act for none such", act(got, "none"), ident.ErrNotMember)
		refused(t, "an official acts", act(desk.Session, org), ident.ErrNotMember)
		if err := act(got, org); err != nil {
			t.Fatal(err)
		}
		if got, err = s.Lookup(ctx, ident.Public, st.Token); err != nil || got.Actor.OrgID != org || got.Actor.OrgRole != ident.MemberLegal || got.Actor.MayFile("registry/mortgage") {
			t.Errorf("%+v %v", got.Actor, err)
		}
		if err := act(got, ""); err != nil {
			t.Fatal(err)
		}
		if got, err = s.Lookup(ctx, ident.Public, st.Token); err != nil || got.Actor.OrgID != "" || !got.Actor.MayFile("registry/mortgage") {
			t.Errorf("%+v %v", got.Actor, err)
		}
		if err := act(got, org); err != nil {
			t.Fatal(err)
		}
		w.Tx(t, func(tx *db.Tx) error { return w.EndMember(ctx, tx, legal, org, a.ID) })
		_, err = s.Lookup(ctx, ident.Public, st.Token)
		refused(t, "place ended", err, ident.ErrNoSession)

		// Lists and revocation.
		one, err := open(ident.PublicLogin{PersonID: a.ID, Method: "ywtb"})
		if err != nil {
			t.Fatal(err)
		}
		two, err := open(ident.PublicLogin{PersonID: a.ID, Method: "ywtb"})
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.List(ctx, w.DB.Q(), one.Session.Actor)
		if err != nil || len(l) != 3 {
			t.Errorf("%+v %v", l, err)
		}
		if l, err := s.List(ctx, w.DB.Q(), stranger); err != nil || len(l) != 0 {
			t.Errorf("a stranger's list: %+v %v", l, err)
		}
		revoke := func(a ident.Actor, id string) error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error { return s.Revoke(ctx, tx, a, id) })
		}
		refused(t, "a stranger's", revoke(stranger, two.Session.ID), ident.ErrSessionUnknown)
		refused(t, "a clerk's", revoke(desk.Session.Actor, two.Session.ID), ident.ErrSessionUnknown)
		refused(t, "none such", revoke(a, "none"), ident.ErrSessionUnknown)
		if err := revoke(one.Session.Actor, two.Session.ID); err != nil {
			t.Fatal(err)
		}
		_, err = s.Lookup(ctx, ident.Public, two.Token)
		refused(t, "revoked", err, ident.ErrNoSession)
		if err := revoke(w.Official(t, ident.RoleSecAdmin, ""), desk.Session.ID); err != nil {
			t.Fatal(err)
		}
		_, err = s.Lookup(ctx, ident.Staff, desk.Token)
		refused(t, "revoked by secadmin", err, ident.ErrNoSession)
		w.Tx(t, func(tx *db.Tx) error { return s.Logout(ctx, tx, one.Session) })
		_, err = s.Lookup(ctx, ident.Public, one.Token)
		refused(t, "logged out", err, ident.ErrNoSession)
	})
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, identtest.Lines(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := identtest.New(t, d, func(o *ident.Options) { o.PublicIdle, o.PublicLife = 10*time.Minute, time.Hour })
		s := w.Sessions()
		a := w.Person(t, 1, "李明")
		open := func() (st ident.Started) {
			w.Tx(t, func(tx *db.Tx) (err error) {
				st, err = s.Open(ctx, tx, ident.PublicLogin{PersonID: a.ID})
				return err
			})
			return st
		}
		lookup := func(st ident.Started) error {
			_, err := s.Lookup(ctx, ident.Public, st.Token)
			return err
		}
		last := func(st ident.Started) (v int64) {
			if err := d.Q().QueryRow(ctx, `SELECT last_at FROM ident_session WHERE id = $1`, st.Session.ID).Scan(&v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		st := open()
		began := last(st)
		w.Wall.Advance(59 * time.Second)
		if err := lookup(st); err != nil || last(st) != began {
			t.Errorf("touched within a minute: %v", err)
		}
		w.Wall.Advance(time.Second)
		if err := lookup(st); err != nil || last(st) != began+60_000 {
			t.Errorf("not touched after a minute: %v", err)
		}
		for range 7 {
			w.Wall.Advance(8 * time.Minute)
			if err := lookup(st); err != nil {
				t.Fatal(err)
			}
		}
		w.Wall.Advance(8 * time.Minute)
		refused(t, "too old although used", lookup(st), ident.ErrNoSession)
		st = open()
		w.Wall.Advance(10 * time.Minute)
		refused(t, "idle", lookup(st), ident.ErrNoSession)

		w.Wall.Advance(31 * 24 * time.Hour)
		w.Tx(t, func(tx *db.Tx) error { return s.Sweep(ctx, tx) })
		var n int
		if err := d.Q().QueryRow(ctx, `SELECT COUNT(*) FROM ident_session`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d sessions after the sweep: %v", n, err)
		}
	})
}
