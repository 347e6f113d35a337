package ident

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"haoban/platform/db"
	"haoban/platform/gm"
)

const (
	stepLife   = 10 * time.Minute // a log-in must be finished in
	touchEvery = time.Minute
	keepEnded  = 30 * 24 * time.Hour
)

// Why a session ended.
const (
	endLogout  = "logout"
	endRevoked = "revoked"
	endLocked  = "locked"
	endLimit   = "limit"
)

// Sessions opens, finds and ends sessions. A session's token is random, given
// out once and kept only as its SM3.
type Sessions struct{ d *Directory }

// Sessions returns the sessions of the directory's people.
func (d *Directory) Sessions() *Sessions { return &Sessions{d} }

// Started is a session with the token that opens it, for the cookie.
type Started struct {
	Token   string
	Session Session
}

// PublicLogin is a person whom a login provider has vouched for.
type PublicLogin struct {
	PersonID PersonID
	OrgID    OrgID  // acting at once for this organisation; empty: for themselves
	Method   string // the provider's id
	Device   string
	IP       string
}

// sessionRow is a row of ident_session.
type sessionRow struct {
	id, hash, audience, step, person, user, org, method, device, ip string
	created, last, expires, revoked                                 int64
}

const sessionColumns = `id, token_hash, audience, step, person_id, user_id, org_id, method, device, ip, created_at, last_at, expires_at, revoked_at`

func scanSession(scan func(...any) error) (sessionRow, error) {
	var r sessionRow
	err := scan(&r.id, &r.hash, &r.audience, &r.step, &r.person, &r.user, &r.org, &r.method, &r.device, &r.ip,
		&r.created, &r.last, &r.expires, &r.revoked)
	if errors.Is(err, db.ErrNoRows) {
		return r, ErrNoSession
	}
	if err != nil {
		return r, fmt.Errorf("session: %w", err)
	}
	return r, nil
}

func newToken() (token, hash string, err error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", "", fmt.Errorf("token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, gm.SM3([]byte(token)), nil
}

func (d *Directory) idle(audience string) time.Duration {
	if audience == Staff {
		return d.opt.StaffIdle
	}
	return d.opt.PublicIdle
}

func (d *Directory) live(r sessionRow) bool {
	now := db.MS(d.wall())
	return r.revoked == 0 && now < r.expires && now < r.last+d.idle(r.audience).Milliseconds()
}

// Lookup returns the session of a token. It returns ErrNoSession for a token
// that is unknown, of another audience, ended, idle for too long or too old,
// whose account was disabled, or whose person may no longer act for the
// organisation; a revocation therefore holds from the next request on. Before
// StepDone the actor has no posts. It notes at most once a minute that the
// session is in use, so it must not be called inside a transaction.
func (s *Sessions) Lookup(ctx context.Context, audience, token string) (Session, error) {
	if token == "" || len(token) > 128 {
		return Session{}, ErrNoSession
	}
	var out Session
	var last int64
	err := s.d.opt.DB.Read(ctx, func(q db.Querier) error {
		r, err := scanSession(q.QueryRow(ctx, `SELECT `+sessionColumns+` FROM ident_session WHERE token_hash = $1`, gm.SM3([]byte(token))).Scan)
		if err != nil {
			return err
		}
		if r.audience != audience || !s.d.live(r) {
			return ErrNoSession
		}
		last = r.last
		out, err = s.d.session(ctx, q, r)
		return err
	})
	if err != nil {
		s.d.Report(ctx, err)
		return Session{}, err
	}
	if now := db.MS(s.d.wall()); now >= last+touchEvery.Milliseconds() {
		if err := s.touch(ctx, out.ID, now); err != nil {
			slog.WarnContext(ctx, "touch session", "session", out.ID, "err", err)
		}
	}
	return out, nil
}

func (s *Sessions) touch(ctx context.Context, id string, now int64) error {
	return s.d.opt.DB.Group(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ident_session SET last_at = $2 WHERE id = $1 AND last_at < $2`, id, now)
		return err
	})
}

// session fills in who is logged in.
func (d *Directory) session(ctx context.Context, q db.Querier, r sessionRow) (Session, error) {
	out := Session{
		ID: r.id, Audience: r.audience, Step: r.step, Method: r.method, Device: r.device, IP: r.ip,
		CreatedAt: db.Time(r.created), LastAt: db.Time(r.last), ExpiresAt: db.Time(r.expires), hash: r.hash,
	}
	var err error
	switch r.audience {
	case Staff:
		var u userRow
		if u, err = d.user(ctx, q, r.user); err != nil {
			break
		}
		if u.State != UserActive {
			err = ErrNoSession
			break
		}
		if r.step != StepDone {
			out.Actor = Actor{Kind: KindOfficial, ID: u.ID, Name: u.Name}
			break
		}
		out.Actor, err = d.official(ctx, q, u)
	default:
		if out.Actor, err = d.PersonActor(ctx, q, r.person); err == nil && r.org != "" {
			out.Actor, err = d.acting(ctx, q, out.Actor, r.org)
		}
	}
	switch {
	case errors.Is(err, ErrNoUser), errors.Is(err, ErrNoPerson), errors.Is(err, ErrNotMember), errors.Is(err, ErrNoOrg):
		return Session{}, ErrNoSession.Wrap(err)
	case err != nil:
		return Session{}, err
	}
	out.Actor.SessionID, out.Actor.IP = r.id, r.ip
	if out.CSRF, err = d.csrf(ctx, out); err != nil {
		return Session{}, err
	}
	return out, nil
}

func (d *Directory) csrf(ctx context.Context, s Session) (string, error) {
	m, err := d.opt.Keys.MAC(ctx, keyCSRF, frame("csrf", s.ID, s.hash))
	if err != nil {
		return "", fmt.Errorf("csrf: %w", err)
	}
	return hex.EncodeToString(m), nil
}

// CheckCSRF returns ErrCSRF when got is not the session's CSRF token.
func (s *Sessions) CheckCSRF(ctx context.Context, sess Session, got string) error {
	m, err := hex.DecodeString(got)
	if err != nil || sess.hash == "" {
		return ErrCSRF
	}
	err = s.d.opt.Keys.CheckMAC(ctx, keyCSRF, frame("csrf", sess.ID, sess.hash), m)
	if errors.Is(err, gm.ErrMAC) {
		return ErrCSRF
	}
	return err
}

// Done returns ErrStep unless the session has finished logging in.
func (s Session) Done() error {
	if s.Step != StepDone {
		return ErrStep
	}
	return nil
}

// insert makes a row, with a fresh token.
func (s *Sessions) insert(ctx context.Context, tx *db.Tx, r sessionRow, life time.Duration) (string, sessionRow, error) {
	token, hash, err := newToken()
	if err != nil {
		return "", r, err
	}
	now := s.d.wall()
	r.id, r.hash = db.NewID(), hash
	r.created, r.last, r.expires = db.MS(now), db.MS(now), db.MS(now.Add(life))
	r.device, r.ip = clean(r.device, 200), clean(r.ip, 64)
	_, err = tx.Exec(ctx, `INSERT INTO ident_session (`+sessionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)`,
		r.id, r.hash, r.audience, r.step, r.person, r.user, r.org, r.method, r.device, r.ip, r.created, r.last, r.expires)
	if err != nil {
		return "", r, fmt.Errorf("open session: %w", err)
	}
	return token, r, nil
}

// clean makes a text that came with a request fit to store.
func clean(s string, n int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// Open begins a session of a person, in the transaction that recorded who they
// are. It returns ErrNoPerson, or ErrNotMember if they may not act for OrgID.
func (s *Sessions) Open(ctx context.Context, tx *db.Tx, l PublicLogin) (Started, error) {
	r := sessionRow{
		audience: Public, step: StepDone, person: l.PersonID, org: l.OrgID, method: l.Method, device: l.Device, ip: l.IP,
	}
	a, err := s.d.PersonActor(ctx, tx, l.PersonID)
	if err != nil {
		return Started{}, err
	}
	if l.OrgID != "" {
		if _, err := s.d.acting(ctx, tx, a, l.OrgID); err != nil {
			return Started{}, err
		}
	}
	token, r, err := s.insert(ctx, tx, r, s.d.opt.PublicLife)
	if err != nil {
		return Started{}, err
	}
	sess, err := s.d.session(ctx, tx, r)
	if err != nil {
		return Started{}, err
	}
	return Started{token, sess}, record(ctx, tx, "ident.login", sess.Actor, r.id, map[string]string{"method": l.Method, "org": l.OrgID})
}

// ActAs makes the session act for an organisation from the next request on, or
// for the person themselves when org is empty. It returns ErrNotMember when the
// person has no valid place in it.
func (s *Sessions) ActAs(ctx context.Context, tx *db.Tx, sess Session, org OrgID) error {
	if sess.Audience != Public {
		return ErrNotMember
	}
	if org != "" {
		if _, err := s.d.acting(ctx, tx, sess.Actor, org); err != nil {
			if errors.Is(err, ErrNoOrg) {
				return ErrNotMember
			}
			return err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE ident_session SET org_id = $2 WHERE id = $1`, sess.ID, org); err != nil {
		return fmt.Errorf("act as: %w", err)
	}
	return record(ctx, tx, "ident.session.act-as", sess.Actor, sess.ID, map[string]string{"org": org})
}

// Logout ends the session. It may be called again.
func (s *Sessions) Logout(ctx context.Context, tx *db.Tx, sess Session) error {
	return s.end(ctx, tx, sess.Actor, sess.ID, endLogout)
}

// Revoke ends a session by its id: anybody their own, sysadmin and secadmin
// any. An unknown session and one of somebody else give ErrSessionUnknown.
func (s *Sessions) Revoke(ctx context.Context, tx *db.Tx, a Actor, id string) error {
	r, err := scanSession(tx.QueryRow(ctx, `SELECT `+sessionColumns+` FROM ident_session WHERE id = $1`, id).Scan)
	if errors.Is(err, ErrNoSession) {
		return ErrSessionUnknown
	}
	if err != nil {
		return err
	}
	own := a.Kind == KindPerson && r.audience == Public && r.person == a.PersonID ||
		a.Kind == KindOfficial && r.audience == Staff && r.user == a.ID
	if !own && !mayAdmin(a, RoleSysAdmin, RoleSecAdmin) {
		return ErrSessionUnknown
	}
	return s.end(ctx, tx, a, id, endRevoked)
}

func (s *Sessions) end(ctx context.Context, tx *db.Tx, a Actor, id, why string) error {
	res, err := tx.Exec(ctx, `UPDATE ident_session SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0`, id, db.MS(s.d.wall()))
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	switch why {
	case endLogout:
		return record(ctx, tx, "ident.logout", a, id, nil)
	case endRevoked:
		return record(ctx, tx, "ident.session.revoke", a, id, nil)
	default:
		return record(ctx, tx, "ident.session.end", a, id, map[string]string{"why": why})
	}
}

// endUserSessions ends an official's sessions, all but one.
func (d *Directory) endUserSessions(ctx context.Context, tx *db.Tx, user UserID, but string) error {
	_, err := tx.Exec(ctx, `UPDATE ident_session SET revoked_at = $2 WHERE user_id = $1 AND revoked_at = 0 AND id <> $3`,
		user, db.MS(d.wall()), but)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// List returns the live sessions of the actor, newest first, for their own
// screen.
func (s *Sessions) List(ctx context.Context, q db.Querier, a Actor) ([]SessionInfo, error) {
	switch a.Kind {
	case KindPerson:
		return s.list(ctx, q, `audience = 'public' AND person_id = $1`, a.PersonID, a.SessionID)
	case KindOfficial:
		return s.list(ctx, q, `audience = 'staff' AND user_id = $1`, a.ID, a.SessionID)
	default:
		return nil, nil
	}
}

// OfUser returns the live sessions of an official; sysadmin and secadmin may
// ask. It returns ErrAdmin to others.
func (s *Sessions) OfUser(ctx context.Context, q db.Querier, a Actor, user UserID) ([]SessionInfo, error) {
	if !mayAdmin(a, RoleSysAdmin, RoleSecAdmin) {
		return nil, ErrAdmin
	}
	return s.list(ctx, q, `audience = 'staff' AND user_id = $1`, user, a.SessionID)
}

func (s *Sessions) list(ctx context.Context, q db.Querier, cond, owner, current string) (_ []SessionInfo, err error) {
	rows, err := q.Query(ctx, `SELECT `+sessionColumns+` FROM ident_session WHERE `+cond+
		` AND revoked_at = 0 AND step = 'done' ORDER BY created_at DESC, id DESC`, owner)
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []SessionInfo
	for rows.Next() {
		r, err := scanSession(rows.Scan)
		if err != nil {
			return nil, err
		}
		if s.d.live(r) {
			out = append(out, SessionInfo{
				ID: r.id, Audience: r.audience, Device: r.device, IP: r.ip,
				At: db.Time(r.created), LastAt: db.Time(r.last), Current: r.id == current,
			})
		}
	}
	return out, rows.Err()
}

// Sweep deletes sessions that ended a month ago, log-ins never finished and
// counts of wrong tries that no longer matter. A timer calls it; it may be
// called at any time.
func (s *Sessions) Sweep(ctx context.Context, tx *db.Tx) error {
	now := s.d.wall()
	for _, stmt := range []struct {
		sql    string
		before time.Time
	}{
		{`DELETE FROM ident_session WHERE expires_at < $1`, now.Add(-keepEnded)},
		{`DELETE FROM ident_login WHERE expires_at < $1`, now},
		{`DELETE FROM ident_lock WHERE first_at < $1 AND locked_until < $1`, now.Add(-lockWindow)},
	} {
		if _, err := tx.Exec(ctx, stmt.sql, db.MS(stmt.before)); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}
