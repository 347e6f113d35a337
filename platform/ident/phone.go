package ident

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"time"

	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
)

const (
	codeLife   = 5 * time.Minute
	codeResend = time.Minute
	codeLock   = 30 * time.Minute
	codeWrong  = 5
	codePerDay = 10
)

var errNoSender = errs.New(errs.Unavailable, "ident.code.sender", "短信暂时发不出去，请稍后再试")

// phoneRow is the code last sent to a person.
type phoneRow struct {
	mobileIX              string
	mac                   []byte
	sent, expires, locked int64
	dayStart              int64
	wrong, dayCount       int
}

// RequestPhoneCode sends a code of six digits to a mobile that the actor says
// is theirs, and returns after how long another may be asked for. An earlier
// code dies. It returns ErrMobile, ErrCodeSoon (less than 60 seconds since the
// last code to this person or this mobile, or ten on one day) or ErrCodeLocked.
func (d *Directory) RequestPhoneCode(ctx context.Context, a Actor, mobile string) (time.Duration, error) {
	if a.Kind != KindPerson || a.PersonID == "" {
		return 0, ErrNoPerson
	}
	if d.opt.SendCode == nil {
		return 0, errNoSender
	}
	m, err := codes.ParseMobile(mobile)
	if err != nil {
		return 0, ErrMobile.Wrap(err)
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return 0, fmt.Errorf("code: %w", err)
	}
	code := fmt.Sprintf("%06d", n.Int64())
	ix, err := d.index(ctx, "mobile", m.String())
	if err != nil {
		return 0, err
	}
	mac, err := d.codeMAC(ctx, a.PersonID, m.String(), code)
	if err != nil {
		return 0, err
	}
	err = d.opt.DB.Tx(ctx, func(tx *db.Tx) error {
		now := d.wall()
		row, _, err := d.phoneRow(ctx, tx, a.PersonID)
		if err != nil {
			return err
		}
		if db.MS(now) < row.locked {
			return ErrCodeLocked
		}
		var last int64
		err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(sent_at), 0) FROM ident_phone_code WHERE person_id = $1 OR mobile_ix = $2`,
			a.PersonID, ix).Scan(&last)
		if err != nil {
			return fmt.Errorf("last code: %w", err)
		}
		if db.MS(now) < last+codeResend.Milliseconds() {
			return ErrCodeSoon
		}
		if db.MS(now) >= row.dayStart+(24*time.Hour).Milliseconds() {
			row.dayStart, row.dayCount = db.MS(now), 0
		}
		if row.dayCount >= codePerDay {
			return ErrCodeSoon
		}
		_, err = tx.Exec(ctx, `INSERT INTO ident_phone_code
				(person_id, mobile_ix, mac, sent_at, expires_at, wrong, locked_until, day_start, day_count)
			VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7)
			ON CONFLICT (person_id) DO UPDATE SET mobile_ix = excluded.mobile_ix, mac = excluded.mac,
				sent_at = excluded.sent_at, expires_at = excluded.expires_at, wrong = 0, locked_until = 0,
				day_start = excluded.day_start, day_count = excluded.day_count`,
			a.PersonID, ix, mac, db.MS(now), db.MS(now.Add(codeLife)), row.dayStart, row.dayCount+1)
		if err != nil {
			return fmt.Errorf("keep code: %w", err)
		}
		if err := record(ctx, tx, "ident.phone.code", a, a.PersonID, nil); err != nil {
			return err
		}
		return d.opt.SendCode(ctx, tx, m.String(), code)
	})
	if err != nil {
		return 0, err
	}
	return codeResend, nil
}

// ConfirmPhone makes a mobile the actor's confirmed phone if the code is the
// one sent to it in the last five minutes. The code is spent by this. It
// returns ErrCode for a wrong or late code and, from the fifth wrong one on,
// ErrCodeLocked for half an hour.
func (d *Directory) ConfirmPhone(ctx context.Context, a Actor, mobile, code string) error {
	if a.Kind != KindPerson || a.PersonID == "" {
		return ErrNoPerson
	}
	m, err := codes.ParseMobile(mobile)
	if err != nil {
		return ErrMobile.Wrap(err)
	}
	var refusal error // what to answer although the count was committed
	err = d.opt.DB.Tx(ctx, func(tx *db.Tx) error {
		refusal = nil
		now := db.MS(d.wall())
		row, ok, err := d.phoneRow(ctx, tx, a.PersonID)
		if err != nil {
			return err
		}
		if !ok {
			return ErrCode
		}
		if now < row.locked {
			return ErrCodeLocked
		}
		right, err := d.codeRight(ctx, row, a.PersonID, m.String(), code)
		if err != nil {
			return err
		}
		if now < row.expires && right {
			if _, err := tx.Exec(ctx, `UPDATE ident_phone_code SET expires_at = 0, wrong = 0 WHERE person_id = $1`, a.PersonID); err != nil {
				return fmt.Errorf("spend code: %w", err)
			}
			return d.putClaim(ctx, tx, a, a.PersonID, FieldPhone, m.String(), "sms", tx.NowMS())
		}
		row.wrong++
		refusal = ErrCode
		if row.wrong >= codeWrong {
			row.wrong, row.locked, row.expires = 0, now+codeLock.Milliseconds(), 0
			refusal = ErrCodeLocked
		}
		_, err = tx.Exec(ctx, `UPDATE ident_phone_code SET wrong = $2, locked_until = $3, expires_at = $4 WHERE person_id = $1`,
			a.PersonID, row.wrong, row.locked, row.expires)
		if err != nil {
			return fmt.Errorf("count wrong code: %w", err)
		}
		return refuse(ctx, tx, "ident.phone.confirm", a, a.PersonID, errs.CodeOf(refusal))
	})
	if err != nil {
		return err
	}
	return refusal
}

// phoneRow reads and locks the person's code; false if none was ever sent.
func (d *Directory) phoneRow(ctx context.Context, tx *db.Tx, id PersonID) (r phoneRow, ok bool, err error) {
	// The person's own row is locked, since at first there is no code's row.
	var one int
	err = tx.QueryRow(ctx, `SELECT 1 FROM ident_person WHERE id = $1`+tx.Dialect().ForUpdate(), id).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return r, false, ErrNoPerson
	}
	if err != nil {
		return r, false, fmt.Errorf("lock person: %w", err)
	}
	err = tx.QueryRow(ctx, `SELECT mobile_ix, mac, sent_at, expires_at, wrong, locked_until, day_start, day_count
		FROM ident_phone_code WHERE person_id = $1`, id).
		Scan(&r.mobileIX, &r.mac, &r.sent, &r.expires, &r.wrong, &r.locked, &r.dayStart, &r.dayCount)
	if errors.Is(err, db.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("code: %w", err)
	}
	return r, true, nil
}

func (d *Directory) codeMAC(ctx context.Context, id PersonID, mobile, code string) ([]byte, error) {
	m, err := d.opt.Keys.MAC(ctx, keySeal, frame("sms-code", id, mobile, code))
	if err != nil {
		return nil, fmt.Errorf("mac code: %w", err)
	}
	return m, nil
}

// codeRight compares in constant time.
func (d *Directory) codeRight(ctx context.Context, r phoneRow, id PersonID, mobile, code string) (bool, error) {
	m, err := d.codeMAC(ctx, id, mobile, code)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(m, r.mac) == 1, nil
}
