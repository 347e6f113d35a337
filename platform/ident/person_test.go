package ident_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/ident/identtest"
)

// refused fails the test unless err is want.
func refused(t *testing.T, what string, err error, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func each(t *testing.T, f func(t *testing.T, w identtest.World)) {
	t.Parallel()
	dbtest.Each(t, identtest.Lines(), func(t *testing.T, d *db.DB) { f(t, identtest.New(t, d)) })
}

func TestUpsertPerson(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		upsert := func(c ident.Claims) (id ident.PersonID, err error) {
			err = w.DB.Tx(ctx, func(tx *db.Tx) error {
				id, err = w.UpsertPerson(ctx, tx, c)
				return err
			})
			return id, err
		}
		c := identtest.Claims(1, "李明")
		id, err := upsert(c)
		if err != nil {
			t.Fatal(err)
		}
		before, err := w.Directory.Person(ctx, w.DB.Q(), id)
		if err != nil {
			t.Fatal(err)
		}
		if before.Name() != "李明" || before.Phone() != c.Mobile || before.Claims[ident.FieldName].Source != "ywtb" || before.Level != 3 {
			t.Errorf("person %+v", before)
		}
		if kind, no := before.IDNo(); kind != ident.IDResident || no != c.IDNo {
			t.Errorf("id number %s %s", kind, no)
		}

		// The same again, and at once from many, is the same person.
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if got, err := upsert(c); err != nil || got != id {
					t.Errorf("again: %s %v, want %s", got, err, id)
				}
				if _, err := upsert(identtest.Claims(2, "王芳")); err != nil {
					t.Errorf("second person: %v", err)
				}
			})
		}
		wg.Wait()
		after, err := w.Directory.Person(ctx, w.DB.Q(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !after.Claims[ident.FieldName].At.Equal(before.Claims[ident.FieldName].At) {
			t.Error("an unchanged claim was written again")
		}

		// A lower level fills gaps and changes nothing; a higher one changes.
		low := c
		low.Name, low.Level, low.Source = "李鬼", 0, "applicant"
		if _, err := upsert(low); err != nil {
			t.Fatal(err)
		}
		if p, err := w.Directory.Person(ctx, w.DB.Q(), id); err != nil || p.Name() != "李明" {
			t.Errorf("a lower level changed the name: %v %v", p.Name(), err)
		}
		high := c
		high.Name, high.Level = "李明明", 4
		if _, err := upsert(high); err != nil {
			t.Fatal(err)
		}
		if p, err := w.Directory.Person(ctx, w.DB.Q(), id); err != nil || p.Name() != "李明明" || p.Level != 4 {
			t.Errorf("a higher level did not: %v %v", p, err)
		}

		if got, err := w.FindPerson(ctx, w.DB.Q(), "", c.IDNo); err != nil || got != id {
			t.Errorf("find: %s %v", got, err)
		}
		if got, err := w.FindByMobile(ctx, w.DB.Q(), c.Mobile); err != nil || len(got) != 1 || got[0] != id {
			t.Errorf("find by mobile: %s %v", got, err)
		}
		_, err = w.FindPerson(ctx, w.DB.Q(), "", identtest.IDNo(9))
		refused(t, "unknown number", err, ident.ErrNoPerson)
		_, err = w.Directory.Person(ctx, w.DB.Q(), "nobody")
		refused(t, "unknown id", err, ident.ErrNoPerson)
		for what, bad := range map[string]ident.Claims{
			"no name":       {IDNo: c.IDNo, Source: "x"},
			"bad number":    {Name: "某", IDNo: c.IDNo[:17] + "?", Source: "x"},
			"bad mobile":    {Name: "某", IDNo: c.IDNo, Mobile: "12", Source: "x"},
			"no source":     {Name: "某", IDNo: c.IDNo},
			"empty foreign": {Name: "某", IDKind: "passport", Source: "x"},
		} {
			_, err := upsert(bad)
			refused(t, what, err, ident.ErrClaims)
		}
		if _, err := upsert(ident.Claims{Name: "John", IDKind: "passport", IDNo: "e1234567", Source: "x"}); err != nil {
			t.Error(err)
		}
		if got, err := w.FindPerson(ctx, w.DB.Q(), "passport", "E1234567"); err != nil || got == id {
			t.Errorf("passport: %v %v", got, err)
		}
	})
}

// TestPersonAtRest looks for the claims in the rows: nothing may be readable,
// and a sealed value does not open in another row or field.
func TestPersonAtRest(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		a, b := w.Person(t, 1, "李明"), w.Person(t, 2, "王芳")
		rows, err := w.DB.Q().Query(ctx, `SELECT sealed FROM ident_claim`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				t.Error(err)
			}
		}()
		for rows.Next() {
			var v sql.RawBytes
			if err := rows.Scan(&v); err != nil {
				t.Fatal(err)
			}
			for _, plain := range []string{"李明", identtest.IDNo(1), identtest.Mobile(1)} {
				if bytes.Contains(v, []byte(plain)) {
					t.Errorf("%s is readable", plain)
				}
			}
		}
		exec(t, w, `UPDATE ident_claim SET sealed = (SELECT c.sealed FROM ident_claim c WHERE c.person_id = $1 AND c.field = 'name')
			WHERE person_id = $2 AND field = 'name'`, a.ID, b.ID)
		if p, err := w.Directory.Person(ctx, w.DB.Q(), b.ID); err == nil {
			t.Errorf("another person's name opened: %s", p.Name())
		}
	})
}

func exec(t *testing.T, w identtest.World, sql string, args ...any) {
	t.Helper()
	w.Tx(t, func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), sql, args...)
		return err
	})
}

func TestContact(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		a := w.Person(t, 1, "李明")
		set := func(a ident.Actor, address, email string) error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error {
				return w.SetContact(ctx, tx, a, ident.Contact{Address: &address, Email: &email})
			})
		}
		if err := set(a, " 北京西路99号 ", "a@example.com"); err != nil {
			t.Fatal(err)
		}
		p, err := w.Directory.Person(ctx, w.DB.Q(), a.ID)
		if err != nil || p.Value(ident.FieldAddress) != "北京西路99号" || p.Claims[ident.FieldEmail].Source != "self" {
			t.Errorf("%+v %v", p, err)
		}
		refused(t, "bad e-mail", set(a, "", "not an address"), ident.ErrContact)
		refused(t, "official", set(ident.Actor{Kind: ident.KindOfficial, ID: "x"}, "", ""), ident.ErrNoPerson)
		if err := set(a, "", ""); err != nil {
			t.Fatal(err)
		}
		if p, err := w.Directory.Person(ctx, w.DB.Q(), a.ID); err != nil || p.Value(ident.FieldAddress) != "" {
			t.Errorf("not cleared: %+v %v", p, err)
		}
	})
}

func TestPhone(t *testing.T) {
	each(t, func(t *testing.T, w identtest.World) {
		ctx := t.Context()
		a, b := w.Person(t, 1, "李明"), w.Person(t, 2, "王芳")
		mobile := identtest.Mobile(77)
		last := func() string { return (*w.Sent)[len(*w.Sent)-1].Code }
		ask := func() error {
			_, err := w.RequestPhoneCode(ctx, a, mobile)
			return err
		}
		wrong := func() string {
			if last() == "000000" {
				return "111111"
			}
			return "000000"
		}
		refused(t, "none sent", w.ConfirmPhone(ctx, a, mobile, "000000"), ident.ErrCode)
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		if s := (*w.Sent)[0]; s.Mobile != mobile || len(s.Code) != 6 {
			t.Errorf("sent %+v", s)
		}
		refused(t, "at once again", ask(), ident.ErrCodeSoon)
		_, err := w.RequestPhoneCode(ctx, b, mobile)
		refused(t, "somebody else to the same mobile", err, ident.ErrCodeSoon)
		_, err = w.RequestPhoneCode(ctx, a, "123")
		refused(t, "no mobile", err, ident.ErrMobile)
		_, err = w.RequestPhoneCode(ctx, ident.Actor{Kind: ident.KindOfficial}, mobile)
		refused(t, "official", err, ident.ErrNoPerson)

		// The code is bound to the mobile and the person.
		refused(t, "another mobile", w.ConfirmPhone(ctx, a, identtest.Mobile(78), last()), ident.ErrCode)
		refused(t, "another person", w.ConfirmPhone(ctx, b, mobile, last()), ident.ErrCode)
		if err := w.ConfirmPhone(ctx, a, mobile, last()); err != nil {
			t.Fatal(err)
		}
		p, err := w.Directory.Person(ctx, w.DB.Q(), a.ID)
		if err != nil || p.Phone() != mobile || p.Claims[ident.FieldPhone].Source != "sms" || p.Value(ident.FieldMobile) != identtest.Mobile(1) {
			t.Errorf("%+v %v", p, err)
		}
		refused(t, "spent", w.ConfirmPhone(ctx, a, mobile, last()), ident.ErrCode)

		// Five minutes.
		w.Wall.Advance(61 * time.Second)
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		w.Wall.Advance(5 * time.Minute)
		refused(t, "late", w.ConfirmPhone(ctx, a, mobile, last()), ident.ErrCode)

		// Five wrong ones lock for half an hour, for the right code too.
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			refused(t, "wrong", w.ConfirmPhone(ctx, a, mobile, wrong()), ident.ErrCode)
		}
		refused(t, "fifth", w.ConfirmPhone(ctx, a, mobile, wrong()), ident.ErrCodeLocked)
		refused(t, "right but locked", w.ConfirmPhone(ctx, a, mobile, last()), ident.ErrCodeLocked)
		w.Wall.Advance(5 * time.Minute)
		refused(t, "new code while locked", ask(), ident.ErrCodeLocked)
		w.Wall.Advance(31 * time.Minute)
		refused(t, "the locked code stays dead", w.ConfirmPhone(ctx, a, mobile, last()), ident.ErrCode)
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		if err := w.ConfirmPhone(ctx, a, mobile, last()); err != nil {
			t.Fatal(err)
		}
		// Ten a day.
		var err2 error
		for range 12 {
			w.Wall.Advance(2 * time.Minute)
			if err2 = ask(); err2 != nil {
				break
			}
		}
		refused(t, "too many a day", err2, ident.ErrCodeSoon)
	})
}

// TestPhoneSendFails: a code that cannot be enqueued is not kept.
func TestPhoneSendFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, identtest.Lines(), func(t *testing.T, d *db.DB) {
		down := errs.New(errs.Unavailable, "sms.down", "短信平台没有应答")
		fails := true
		w := identtest.New(t, d, func(o *ident.Options) {
			o.SendCode = func(context.Context, *db.Tx, string, string) error {
				if fails {
					return down
				}
				return nil
			}
		})
		a := w.Person(t, 1, "李明")
		_, err := w.RequestPhoneCode(t.Context(), a, identtest.Mobile(5))
		refused(t, "down", err, down)
		fails = false
		if _, err := w.RequestPhoneCode(t.Context(), a, identtest.Mobile(5)); err != nil {
			t.Errorf("the failed one was counted: %v", err)
		}
	})
}
