package ident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

const (
	lockAfter  = 5
	lockWindow = 15 * time.Minute
	lockFor    = 15 * time.Minute
)

// StaffLogin is an official's first step of logging in.
type StaffLogin struct {
	Account  string
	Password string
	Device   string
	IP       string
}

// Login checks account and password and begins a session in StepOTP. A wrong
// password, an unknown and a disabled account all give ErrLogin after the same
// work, and count: five in fifteen minutes lock the account name for fifteen
// minutes with ErrLocked, whether there is such an account or not. Every try is
// audited.
func (s *Sessions) Login(ctx context.Context, l StaffLogin) (Started, error) {
	d := s.d
	account := normalAccount(clean(l.Account, 64))
	if len(l.Password) > passwordMax {
		l.Password = "" // no account has it; the work is the same
	}
	u, err := d.scanUser(ctx, d.opt.DB.Q().QueryRow(ctx, `SELECT `+userColumns+` FROM ident_user WHERE account = $1`, account).Scan)
	known := err == nil
	if err != nil && !errors.Is(err, ErrNoUser) {
		d.Report(ctx, err)
		return Started{}, err
	}
	hash := d.dummy
	if known {
		hash = u.hash
	}
	right, err := d.verify(ctx, hash, l.Password)
	if err != nil {
		return Started{}, err
	}
	who := Actor{Kind: KindOfficial, ID: u.ID, IP: clean(l.IP, 64)}
	var out Started
	var refusal error
	err = d.opt.DB.Tx(ctx, func(tx *db.Tx) error {
		refusal, out = nil, Started{}
		locked, err := d.locked(ctx, tx, account)
		if err != nil {
			return err
		}
		if !locked && known && right {
			now, err := d.lockUser(ctx, tx, u.ID)
			if err != nil {
				return err
			}
			if now.State == UserActive && now.hash == u.hash {
				out, err = s.begin(ctx, tx, u.ID, l)
				return err
			}
		}
		refusal = ErrLocked
		if !locked {
			refusal = ErrLogin
			if _, err := d.fail(ctx, tx, account); err != nil {
				return err
			}
		}
		return refuse(ctx, tx, "ident.login", who, u.ID, errs.CodeOf(refusal))
	})
	if err != nil {
		d.Report(ctx, err)
		return Started{}, err
	}
	return out, refusal
}

func (s *Sessions) begin(ctx context.Context, tx *db.Tx, user UserID, l StaffLogin) (Started, error) {
	token, r, err := s.insert(ctx, tx, sessionRow{
		audience: Staff, step: StepOTP, user: user, method: "password", device: l.Device, ip: l.IP,
	}, stepLife)
	if err != nil {
		return Started{}, err
	}
	sess, err := s.d.session(ctx, tx, r)
	if err != nil {
		return Started{}, err
	}
	return Started{token, sess}, nil
}

// staffRow returns and locks a live staff session.
func (s *Sessions) staffRow(ctx context.Context, tx *db.Tx, token string) (sessionRow, error) {
	r, err := scanSession(tx.QueryRow(ctx, `SELECT `+sessionColumns+` FROM ident_session WHERE token_hash = $1`+tx.Dialect().ForUpdate(),
		gm.SM3([]byte(token))).Scan)
	if err != nil {
		return r, err
	}
	if r.audience != Staff || !s.d.live(r) {
		return r, ErrNoSession
	}
	return r, nil
}

// OTP checks the one-time code of a session in StepOTP and takes it to StepDone,
// or to StepPassword when the password must be changed. The session gets a new
// token. A code is good once, for its own half minute and one more either way;
// a wrong or used one gives ErrOTP and counts as a wrong password does. When it
// locks the account the session ends.
func (s *Sessions) OTP(ctx context.Context, token, code string) (Started, error) {
	d := s.d
	var out Started
	var refusal error
	err := d.opt.DB.Tx(ctx, func(tx *db.Tx) error {
		out, refusal = Started{}, nil
		r, err := s.staffRow(ctx, tx, token)
		if err != nil {
			return err
		}
		if r.step != StepOTP {
			return ErrStep
		}
		u, err := d.user(ctx, tx, r.user)
		if err != nil {
			return err
		}
		locked, err := d.locked(ctx, tx, u.Account)
		if err != nil {
			return err
		}
		if u, err = d.lockUser(ctx, tx, r.user); err != nil {
			return err
		}
		if u.State != UserActive {
			return ErrNoSession
		}
		who := Actor{Kind: KindOfficial, ID: u.ID, IP: r.ip}
		if !locked {
			secret, err := d.openOTP(ctx, u)
			if err != nil {
				return err
			}
			if step, ok := checkTOTP(secret, code, d.wall(), u.step); ok {
				u.step = step
				if err := d.saveUser(ctx, tx, u); err != nil {
					return err
				}
				next := StepDone
				if u.MustChange || d.wall().Sub(u.PasswordAt) > time.Duration(d.opt.PasswordDays)*24*time.Hour {
					next = StepPassword
				}
				if err := d.clearFails(ctx, tx, u.Account); err != nil {
					return err
				}
				out, err = s.advance(ctx, tx, r, next)
				return err
			}
			if locked, err = d.fail(ctx, tx, u.Account); err != nil {
				return err
			}
		}
		refusal = ErrOTP
		if locked {
			refusal = ErrLocked
			if err := s.end(ctx, tx, who, r.id, endLocked); err != nil {
				return err
			}
		}
		return refuse(ctx, tx, "ident.otp", who, u.ID, errs.CodeOf(refusal))
	})
	if err != nil {
		d.Report(ctx, err)
		return Started{}, err
	}
	return out, refusal
}

// advance takes a session to its next step under a new token. At StepDone it
// gets its full life, and the oldest sessions of the official over the limit
// end.
func (s *Sessions) advance(ctx context.Context, tx *db.Tx, r sessionRow, step string) (Started, error) {
	token, hash, err := newToken()
	if err != nil {
		return Started{}, err
	}
	now := s.d.wall()
	fresh := step == StepDone && r.step != StepDone
	r.hash, r.step, r.last = hash, step, db.MS(now)
	if fresh {
		r.expires = db.MS(now.Add(s.d.opt.StaffLife))
	}
	_, err = tx.Exec(ctx, `UPDATE ident_session SET token_hash = $2, step = $3, last_at = $4, expires_at = $5 WHERE id = $1`,
		r.id, r.hash, r.step, r.last, r.expires)
	if err != nil {
		return Started{}, fmt.Errorf("advance session: %w", err)
	}
	sess, err := s.d.session(ctx, tx, r)
	if err != nil {
		return Started{}, err
	}
	if fresh {
		if err := s.bound(ctx, tx, sess); err != nil {
			return Started{}, err
		}
		if err := record(ctx, tx, "ident.login", sess.Actor, r.id, map[string]string{"method": r.method}); err != nil {
			return Started{}, err
		}
	}
	return Started{token, sess}, nil
}

// bound ends the oldest sessions of an official over the limit.
func (s *Sessions) bound(ctx context.Context, tx *db.Tx, sess Session) error {
	have, err := s.List(ctx, tx, sess.Actor)
	if err != nil {
		return err
	}
	have = slices.DeleteFunc(have, func(i SessionInfo) bool { return i.ID == sess.ID })
	for i := s.d.opt.StaffSessions - 1; i < len(have); i++ {
		if err := s.end(ctx, tx, sess.Actor, have[i].ID, endLimit); err != nil {
			return err
		}
	}
	return nil
}

// ChangePassword sets an official's own password, in StepPassword or StepDone,
// and takes the session to StepDone under a new token; the official's other
// sessions end. It returns ErrOldPassword, which counts as a wrong log-in does,
// or ErrPassword naming the rules broken, one of which is that none of the last
// five passwords comes again.
func (s *Sessions) ChangePassword(ctx context.Context, token, old, password string) (Started, error) {
	d := s.d
	sess, err := s.Lookup(ctx, Staff, token)
	if err != nil {
		return Started{}, err
	}
	if sess.Step == StepOTP {
		return Started{}, ErrStep
	}
	u, err := d.user(ctx, d.opt.DB.Q(), sess.Actor.ID)
	if err != nil {
		d.Report(ctx, err)
		return Started{}, err
	}
	if len(old) > passwordMax {
		old = ""
	}
	right, err := d.verify(ctx, u.hash, old)
	if err != nil {
		return Started{}, err
	}
	var hash string
	if right {
		if hash, err = d.fresh(ctx, u, password); err != nil {
			return Started{}, err
		}
	}
	var out Started
	var refusal error
	err = d.opt.DB.Tx(ctx, func(tx *db.Tx) error {
		out, refusal = Started{}, nil
		r, err := s.staffRow(ctx, tx, token)
		if err != nil {
			return err
		}
		locked, err := d.locked(ctx, tx, u.Account)
		if err != nil {
			return err
		}
		now, err := d.lockUser(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		if locked || !right || now.hash != u.hash {
			refusal = ErrOldPassword
			if !locked {
				if locked, err = d.fail(ctx, tx, u.Account); err != nil {
					return err
				}
			}
			if locked {
				refusal = ErrLocked
				if err := s.end(ctx, tx, sess.Actor, r.id, endLocked); err != nil {
					return err
				}
			}
			return refuse(ctx, tx, "ident.user.password", sess.Actor, u.ID, errs.CodeOf(refusal))
		}
		now.hash, now.PasswordAt, now.MustChange = hash, d.wall(), false
		if err := d.saveUser(ctx, tx, now); err != nil {
			return err
		}
		if err := d.keepHistory(ctx, tx, u.ID, hash); err != nil {
			return err
		}
		if err := d.endUserSessions(ctx, tx, u.ID, r.id); err != nil {
			return err
		}
		if err := record(ctx, tx, "ident.user.password", sess.Actor, u.ID, nil); err != nil {
			return err
		}
		out, err = s.advance(ctx, tx, r, StepDone)
		return err
	})
	if err != nil {
		d.Report(ctx, err)
		return Started{}, err
	}
	return out, refusal
}

// fresh checks a new password by all rules and returns its hash.
func (d *Directory) fresh(ctx context.Context, u userRow, password string) (string, error) {
	if err := CheckPassword(u.Account, password); err != nil {
		return "", err
	}
	used, err := texts(ctx, d.opt.DB.Q(), `SELECT hash FROM ident_pw_history WHERE user_id = $1 ORDER BY id DESC LIMIT `+num(historyLen), u.ID)
	if err != nil {
		return "", err
	}
	for _, h := range append(used, u.hash) {
		same, err := d.verify(ctx, h, password)
		if err != nil {
			return "", err
		}
		if same {
			return "", ErrPassword.With("password", "history", "不能与最近五次用过的口令相同")
		}
	}
	return d.hash(ctx, password)
}

// locked tells whether an account name is locked now, and keeps others who
// count its wrong tries waiting until the transaction ends.
func (d *Directory) locked(ctx context.Context, tx *db.Tx, account string) (bool, error) {
	ix, err := d.index(ctx, "account", account)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ident_lock (account_ix, fails, first_at, locked_until) VALUES ($1, 0, $2, 0)
		ON CONFLICT (account_ix) DO NOTHING`, ix, db.MS(d.wall()))
	if err != nil {
		return false, fmt.Errorf("lock row: %w", err)
	}
	var until int64
	err = tx.QueryRow(ctx, `SELECT locked_until FROM ident_lock WHERE account_ix = $1`+tx.Dialect().ForUpdate(), ix).Scan(&until)
	if err != nil {
		return false, fmt.Errorf("locked: %w", err)
	}
	return db.MS(d.wall()) < until, nil
}

// fail counts a wrong try and tells whether it locked the account name.
func (d *Directory) fail(ctx context.Context, tx *db.Tx, account string) (bool, error) {
	ix, err := d.index(ctx, "account", account)
	if err != nil {
		return false, err
	}
	now := db.MS(d.wall())
	var fails int
	var first, until int64
	err = tx.QueryRow(ctx, `SELECT fails, first_at FROM ident_lock WHERE account_ix = $1`, ix).Scan(&fails, &first)
	if err != nil {
		return false, fmt.Errorf("count: %w", err)
	}
	if fails == 0 || now >= first+lockWindow.Milliseconds() {
		fails, first = 0, now
	}
	fails++
	if fails >= lockAfter {
		fails, until = 0, now+lockFor.Milliseconds()
	}
	_, err = tx.Exec(ctx, `UPDATE ident_lock SET fails = $2, first_at = $3, locked_until = $4 WHERE account_ix = $1`, ix, fails, first, until)
	if err != nil {
		return false, fmt.Errorf("count: %w", err)
	}
	return until > 0, nil
}

func (d *Directory) clearFails(ctx context.Context, tx *db.Tx, account string) error {
	ix, err := d.index(ctx, "account", account)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM ident_lock WHERE account_ix = $1`, ix); err != nil {
		return fmt.Errorf("clear count: %w", err)
	}
	return nil
}
