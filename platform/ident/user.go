package ident

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"haoban/platform/db"
)

// The states of an official's account.
const (
	UserActive   = "active"
	UserDisabled = "disabled"
)

// User is an official's account, without its secrets.
type User struct {
	ID         UserID
	Account    string // lower case
	Name       string
	OrgID      OrgID
	State      string // UserActive or UserDisabled
	MustChange bool   // the password must be changed at the next log-in
	PasswordAt time.Time
	CreatedAt  time.Time
	CreatedBy  string
}

// userRow is the whole row.
type userRow struct {
	User
	hash string
	otp  []byte
	step int64
	mac  []byte
}

// NewUser is an account to be made. Password and OTPSecret are made up when
// empty; a given password must follow the rules.
type NewUser struct {
	Account   string
	Name      string
	OrgID     OrgID
	Password  string
	OTPSecret string // base32
	// Keep leaves the given password in force, as for seeding; otherwise the
	// official changes it at the first log-in.
	Keep bool
}

// Issued is what an administrator hands over once; it is not kept in clear.
type Issued struct {
	UserID    UserID
	Account   string
	Password  string // empty if it did not change
	OTPSecret string // empty if it did not change
	OTPURL    string // otpauth://, for a QR code
}

var reAccount = regexp.MustCompile(`^[a-z][a-z0-9._-]{2,31}$`)

func normalAccount(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// CreateOfficial makes an account without any rights; sysadmin（系统管理员）and
// the system may. It returns ErrAdmin, ErrUserBad or ErrPassword naming fields,
// ErrNoOrg, or ErrAccountTaken.
func (d *Directory) CreateOfficial(ctx context.Context, tx *db.Tx, a Actor, n NewUser) (Issued, error) {
	if !mayAdmin(a, RoleSysAdmin) {
		return Issued{}, ErrAdmin
	}
	n.Account, n.Name = normalAccount(n.Account), strings.TrimSpace(n.Name)
	bad := ErrUserBad
	if !reAccount.MatchString(n.Account) {
		bad = bad.With("account", "pattern", "账号为 3 到 32 位小写字母、数字、点、横线，以字母开头")
	}
	if n.Name == "" || utf8.RuneCountInString(n.Name) > 32 {
		bad = bad.With("name", "required", "请填写姓名")
	}
	if len(bad.Fields) > 0 {
		return Issued{}, bad
	}
	org, err := d.Org(ctx, tx, n.OrgID)
	if err != nil {
		return Issued{}, err
	}
	if n.Password == "" {
		if n.Password, err = newPassword(); err != nil {
			return Issued{}, err
		}
	} else if err := CheckPassword(n.Account, n.Password); err != nil {
		return Issued{}, err
	}
	out := Issued{UserID: db.NewID(), Account: n.Account, Password: n.Password}
	if out.OTPSecret, out.OTPURL, err = newSecret(n.Account, n.OTPSecret); err != nil {
		return Issued{}, err
	}
	u := userRow{User: User{
		ID: out.UserID, Account: n.Account, Name: n.Name, OrgID: org.ID, State: UserActive, MustChange: !n.Keep,
		PasswordAt: d.wall(), CreatedAt: tx.Now(), CreatedBy: a.ID,
	}}
	if u.hash, err = d.hash(ctx, n.Password); err != nil {
		return Issued{}, err
	}
	if u.otp, err = d.sealOTP(ctx, u.ID, out.OTPSecret); err != nil {
		return Issued{}, err
	}
	mac, err := d.mac(ctx, "user", u.fields()...)
	if err != nil {
		return Issued{}, err
	}
	res, err := tx.Exec(ctx, `INSERT INTO ident_user
			(id, account, name, org_id, pw_hash, pw_at, must_change, state, otp, otp_step, created_at, created_by, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12) ON CONFLICT (account) DO NOTHING`,
		u.ID, u.Account, u.Name, u.OrgID, u.hash, db.MS(u.PasswordAt), u.MustChange, u.State, u.otp, db.MS(u.CreatedAt), u.CreatedBy, mac)
	if err != nil {
		return Issued{}, fmt.Errorf("make user: %w", err)
	}
	if c, err := res.RowsAffected(); err != nil {
		return Issued{}, fmt.Errorf("make user: %w", err)
	} else if c == 0 {
		return Issued{}, ErrAccountTaken
	}
	if err := d.keepHistory(ctx, tx, u.ID, u.hash); err != nil {
		return Issued{}, err
	}
	return out, record(ctx, tx, "ident.user.new", a, u.ID, map[string]string{"account": u.Account, "org": u.OrgID})
}

func newSecret(account, given string) (secret, url string, err error) {
	secret, url, err = NewTOTP(account)
	if err != nil || given == "" {
		return secret, url, err
	}
	if _, err := TOTPCode(given, time.Unix(0, 0)); err != nil {
		return "", "", ErrUserBad.With("otpSecret", "base32", "动态口令密钥格式不正确").Wrap(err)
	}
	return given, strings.Replace(url, secret, given, 1), nil
}

// fields are what the MAC covers: all that gives or takes a right. The last
// one-time step and the history are left out because they only ever take.
func (u userRow) fields() []string {
	return []string{
		u.ID, u.Account, u.Name, u.OrgID, u.hash, num(db.MS(u.PasswordAt)), fmt.Sprint(u.MustChange), u.State,
		string(u.otp), num(db.MS(u.CreatedAt)), u.CreatedBy,
	}
}

const userColumns = `id, account, name, org_id, pw_hash, pw_at, must_change, state, otp, otp_step, created_at, created_by, mac`

func (d *Directory) scanUser(ctx context.Context, scan func(...any) error) (userRow, error) {
	var u userRow
	var pwAt, created int64
	err := scan(&u.ID, &u.Account, &u.Name, &u.OrgID, &u.hash, &pwAt, &u.MustChange, &u.State, &u.otp, &u.step, &created, &u.CreatedBy, &u.mac)
	if errors.Is(err, db.ErrNoRows) {
		return userRow{}, ErrNoUser
	}
	if err != nil {
		return userRow{}, fmt.Errorf("user: %w", err)
	}
	u.PasswordAt, u.CreatedAt = db.Time(pwAt), db.Time(created)
	if err := d.check(ctx, u.mac, "user", u.fields()...); err != nil {
		return userRow{}, err
	}
	return u, nil
}

func (d *Directory) user(ctx context.Context, q db.Querier, id UserID) (userRow, error) {
	return d.scanUser(ctx, q.QueryRow(ctx, `SELECT `+userColumns+` FROM ident_user WHERE id = $1`, id).Scan)
}

func (d *Directory) lockUser(ctx context.Context, tx *db.Tx, id UserID) (userRow, error) {
	return d.scanUser(ctx, tx.QueryRow(ctx, `SELECT `+userColumns+` FROM ident_user WHERE id = $1`+tx.Dialect().ForUpdate(), id).Scan)
}

// saveUser writes a changed row with its new MAC.
func (d *Directory) saveUser(ctx context.Context, tx *db.Tx, u userRow) error {
	mac, err := d.mac(ctx, "user", u.fields()...)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE ident_user SET name = $2, org_id = $3, pw_hash = $4, pw_at = $5, must_change = $6,
		state = $7, otp = $8, otp_step = $9, mac = $10 WHERE id = $1`,
		u.ID, u.Name, u.OrgID, u.hash, db.MS(u.PasswordAt), u.MustChange, u.State, u.otp, u.step, mac)
	if err != nil {
		return fmt.Errorf("save user: %w", err)
	}
	return nil
}

// User returns an account. It returns ErrNoUser.
func (d *Directory) User(ctx context.Context, q db.Querier, id UserID) (User, error) {
	u, err := d.user(ctx, q, id)
	return u.User, err
}

// UserByAccount returns the account of a log-in name. It returns ErrNoUser.
func (d *Directory) UserByAccount(ctx context.Context, q db.Querier, account string) (User, error) {
	u, err := d.scanUser(ctx, q.QueryRow(ctx, `SELECT `+userColumns+` FROM ident_user WHERE account = $1`, normalAccount(account)).Scan)
	return u.User, err
}

// UserFilter chooses accounts; an empty part does not choose.
type UserFilter struct {
	Text  string // part of the name or account
	OrgID OrgID
	State string
	Role  string // holders of this role
	After UserID // keyset: the last id of the page before
	Limit int    // 0: 50, at most 200
}

// Users returns accounts in the order of their ids.
func (d *Directory) Users(ctx context.Context, q db.Querier, f UserFilter) (_ []User, err error) {
	w := where{}
	w.eq("org_id", f.OrgID)
	w.eq("state", f.State)
	if f.Text != "" {
		di := d.opt.DB.Dialect()
		w.add("("+di.Contains("name", "$?")+" OR "+di.Contains("account", "$?")+")", f.Text)
	}
	if f.Role != "" {
		w.add("EXISTS (SELECT 1 FROM ident_post p WHERE p.user_id = ident_user.id AND p.ended_at = 0 AND p.role = $?)", f.Role)
	}
	if f.After != "" {
		w.add("id > $?", f.After)
	}
	rows, err := q.Query(ctx, `SELECT `+userColumns+` FROM ident_user`+w.sql()+` ORDER BY id LIMIT `+num(int64(limit(f.Limit))), w.args...)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []User
	for rows.Next() {
		u, err := d.scanUser(ctx, rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, u.User)
	}
	return out, rows.Err()
}

// ResetPassword gives an account a new password that must be changed at the
// next log-in, and ends its sessions; sysadmin may, not for themselves. The
// other half of a recovery, ResetOTP, belongs to secadmin, so that neither can
// take over an account alone.
func (d *Directory) ResetPassword(ctx context.Context, tx *db.Tx, a Actor, id UserID) (Issued, error) {
	u, err := d.administer(ctx, tx, a, id, RoleSysAdmin)
	if err != nil {
		return Issued{}, err
	}
	pw, err := newPassword()
	if err != nil {
		return Issued{}, err
	}
	if u.hash, err = d.hash(ctx, pw); err != nil {
		return Issued{}, err
	}
	u.MustChange, u.PasswordAt = true, d.wall()
	if err := d.saveUser(ctx, tx, u); err != nil {
		return Issued{}, err
	}
	if err := d.keepHistory(ctx, tx, id, u.hash); err != nil {
		return Issued{}, err
	}
	if err := d.endUserSessions(ctx, tx, id, ""); err != nil {
		return Issued{}, err
	}
	return Issued{UserID: id, Account: u.Account, Password: pw}, record(ctx, tx, "ident.user.password.reset", a, id, nil)
}

// ResetOTP gives an account a new secret for one-time codes and ends its
// sessions; secadmin may, not for themselves.
func (d *Directory) ResetOTP(ctx context.Context, tx *db.Tx, a Actor, id UserID) (Issued, error) {
	u, err := d.administer(ctx, tx, a, id, RoleSecAdmin)
	if err != nil {
		return Issued{}, err
	}
	out := Issued{UserID: id, Account: u.Account}
	if out.OTPSecret, out.OTPURL, err = NewTOTP(u.Account); err != nil {
		return Issued{}, err
	}
	if u.otp, err = d.sealOTP(ctx, id, out.OTPSecret); err != nil {
		return Issued{}, err
	}
	u.step = 0
	if err := d.saveUser(ctx, tx, u); err != nil {
		return Issued{}, err
	}
	if err := d.endUserSessions(ctx, tx, id, ""); err != nil {
		return Issued{}, err
	}
	return out, record(ctx, tx, "ident.user.otp.reset", a, id, nil)
}

// Disable closes an account and ends its sessions; sysadmin may, not for
// themselves. It may be called again.
func (d *Directory) Disable(ctx context.Context, tx *db.Tx, a Actor, id UserID, reason string) error {
	if err := d.setState(ctx, tx, a, id, UserDisabled, reason); err != nil {
		return err
	}
	return d.endUserSessions(ctx, tx, id, "")
}

// Enable opens a closed account again; sysadmin may, not for themselves.
func (d *Directory) Enable(ctx context.Context, tx *db.Tx, a Actor, id UserID, reason string) error {
	return d.setState(ctx, tx, a, id, UserActive, reason)
}

func (d *Directory) setState(ctx context.Context, tx *db.Tx, a Actor, id UserID, state, reason string) error {
	u, err := d.administer(ctx, tx, a, id, RoleSysAdmin)
	if err != nil || u.State == state {
		return err
	}
	u.State = state
	if err := d.saveUser(ctx, tx, u); err != nil {
		return err
	}
	return record(ctx, tx, "ident.user.state", a, id, map[string]string{"state": state, "reason": reason})
}

// Unlock ends a lock-out before its time; sysadmin may, not for themselves.
func (d *Directory) Unlock(ctx context.Context, tx *db.Tx, a Actor, id UserID) error {
	u, err := d.administer(ctx, tx, a, id, RoleSysAdmin)
	if err != nil {
		return err
	}
	if err := d.clearFails(ctx, tx, u.Account); err != nil {
		return err
	}
	return record(ctx, tx, "ident.user.unlock", a, id, nil)
}

// administer checks that a may change the account of somebody else, and locks
// its row.
func (d *Directory) administer(ctx context.Context, tx *db.Tx, a Actor, id UserID, role string) (userRow, error) {
	if !mayAdmin(a, role) {
		return userRow{}, ErrAdmin
	}
	if a.ID == id {
		return userRow{}, ErrSelf
	}
	return d.lockUser(ctx, tx, id)
}

func (d *Directory) sealOTP(ctx context.Context, id UserID, secret string) ([]byte, error) {
	b, err := d.opt.Keys.Seal(ctx, keyOTP, []byte(secret), frame("user", id))
	if err != nil {
		return nil, fmt.Errorf("seal otp: %w", err)
	}
	return b, nil
}

func (d *Directory) openOTP(ctx context.Context, u userRow) (string, error) {
	b, err := d.opt.Keys.Open(ctx, keyOTP, u.otp, frame("user", u.ID))
	if err != nil {
		return "", fmt.Errorf("open otp: %w", err)
	}
	return string(b), nil
}

// historyLen is how many passwords, the present one among them, may not be
// used again.
const historyLen = 5

func (d *Directory) keepHistory(ctx context.Context, tx *db.Tx, id UserID, hash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ident_pw_history (id, user_id, at, hash) VALUES ($1, $2, $3, $4)`,
		db.NewID(), id, db.MS(d.wall()), hash)
	if err != nil {
		return fmt.Errorf("password history: %w", err)
	}
	_, err = tx.Exec(ctx, `DELETE FROM ident_pw_history WHERE user_id = $1 AND id NOT IN
		(SELECT id FROM ident_pw_history WHERE user_id = $1 ORDER BY id DESC LIMIT `+num(historyLen)+`)`, id)
	if err != nil {
		return fmt.Errorf("password history: %w", err)
	}
	return nil
}

// hash and verify bound how many hashes are reckoned at once, so that a burst
// of log-ins cannot take all memory.
func (d *Directory) hash(ctx context.Context, password string) (string, error) {
	if err := d.enter(ctx); err != nil {
		return "", err
	}
	defer d.leave()
	return d.opt.Argon.hash(password)
}

func (d *Directory) verify(ctx context.Context, hash, password string) (bool, error) {
	if err := d.enter(ctx); err != nil {
		return false, err
	}
	defer d.leave()
	return d.opt.Argon.verify(hash, password), nil
}

func (d *Directory) enter(ctx context.Context) error {
	select {
	case d.argon <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("password: %w", ctx.Err())
	}
}

func (d *Directory) leave() { <-d.argon }
