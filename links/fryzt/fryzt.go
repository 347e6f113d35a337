// Package fryzt logs organisations in with their certificate 法人一证通: the
// platform's page checks it and sends the browser back with a ticket, and this
// house asks who stands behind the ticket.
package fryzt

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"haoban/links/fryzt/wire"
	"haoban/links/linkkit"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/ident/oidc"
)

// Name is what people call the partner.
const Name = "法人一证通"

const life = 10 * time.Minute

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix fry_.
func Migrations() db.Line { return db.Line{Room: "fry", FS: migrations} }

// The refusals. A log-in that is not under way is oidc.ErrState, one that was
// broken off oidc.ErrDenied.
var (
	// ErrTicket: the platform does not know the ticket, or it was used.
	ErrTicket = errs.New(errs.Unauthenticated, "fryzt.ticket", "登录凭证已失效，请重新登录")
	// ErrCert: the certificate has lapsed or was revoked.
	ErrCert = errs.New(errs.Forbidden, "fryzt.cert", "法人一证通证书已过期或已注销，请先更新证书")
)

// Config is how this house is known there.
type Config struct {
	URL         string // the platform's address for browsers
	ClientID    string
	RedirectURL string      // this site's callback, absolute
	Wall        clock.Clock // nil: the machine's
}

// Login is the connector. It is safe for concurrent use.
type Login struct {
	d   *db.DB
	c   *linkkit.Client
	cfg Config
}

// New returns a connector that keeps log-ins under way in d and asks about
// tickets over c. It returns an error for settings that cannot work.
func New(d *db.DB, c *linkkit.Client, cfg Config) (*Login, error) {
	for _, a := range []string{cfg.URL, cfg.RedirectURL} {
		if u, err := url.Parse(a); err != nil || !u.IsAbs() || u.Host == "" {
			return nil, fmt.Errorf("fryzt: %q is no absolute address", a)
		}
	}
	if cfg.ClientID == "" {
		return nil, errors.New("fryzt: a client id is needed")
	}
	if cfg.Wall == nil {
		cfg.Wall = clock.Wall{}
	}
	cfg.URL = strings.TrimSuffix(cfg.URL, "/")
	return &Login{d, c, cfg}, nil
}

// ID is the provider's short name, as in the callback's path.
func (*Login) ID() string { return wire.System }

// Name is what people call the provider.
func (*Login) Name() string { return Name }

// Begin begins a log-in that shall end at the local path to, within ten
// minutes. It returns oidc.ErrTo for anything that might lead off this site.
func (l *Login) Begin(ctx context.Context, to string) (oidc.Begun, error) {
	to, err := oidc.LocalPath(to)
	if err != nil {
		return oidc.Begun{}, err
	}
	state, browser := secret(), secret()
	now := l.cfg.Wall.Now()
	err = l.d.Group(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM fry_login WHERE expires_at < $1`, db.MS(now)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO fry_login (state_hash, browser_hash, to_path, expires_at) VALUES ($1, $2, $3, $4)`,
			hash(state), hash(browser), to, db.MS(now.Add(life)))
		return err
	})
	if err != nil {
		return oidc.Begun{}, fmt.Errorf("fryzt: %w", err)
	}
	q := url.Values{"client_id": {l.cfg.ClientID}, "redirect_uri": {l.cfg.RedirectURL}, "state": {state}, "nonce": {nonceOf(state)}}
	return oidc.Begun{URL: l.cfg.URL + wire.PathLogin + "?" + q.Encode(), Browser: browser}, nil
}

// Finish ends a log-in: it spends the state, asks who stands behind the ticket,
// and returns that and the path to go on to. It talks to the platform and must
// not be called inside a transaction. It returns oidc.ErrState, oidc.ErrDenied
// for a missing ticket, and the errors of Verify.
func (l *Login) Finish(ctx context.Context, state, ticket, browser string) (ident.OrgClaims, string, error) {
	to, err := l.take(ctx, state, browser)
	if err != nil {
		return ident.OrgClaims{}, "", err
	}
	if ticket == "" {
		return ident.OrgClaims{}, to, oidc.ErrDenied
	}
	c, err := l.Verify(ctx, ticket, nonceOf(state))
	return c, to, err
}

// take spends a state, whatever comes of it.
func (l *Login) take(ctx context.Context, state, browser string) (string, error) {
	var kept, to string
	var until int64
	err := l.d.Tx(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `DELETE FROM fry_login WHERE state_hash = $1 RETURNING browser_hash, to_path, expires_at`, hash(state)).
			Scan(&kept, &to, &until)
	})
	if errors.Is(err, db.ErrNoRows) {
		return "", oidc.ErrState
	}
	if err != nil {
		return "", fmt.Errorf("fryzt: %w", err)
	}
	if db.MS(l.cfg.Wall.Now()) >= until || subtle.ConstantTimeCompare([]byte(kept), []byte(hash(browser))) != 1 {
		return "", oidc.ErrState
	}
	return to, nil
}

// Verify asks who stands behind a ticket of the log-in with a nonce; asked
// again, the answer is the same. It returns ErrTicket, ErrCert or the errors of
// linkkit's Client.Do.
func (l *Login) Verify(ctx context.Context, ticket, nonce string) (ident.OrgClaims, error) {
	var v wire.Verified
	_, err := l.c.Do(ctx, linkkit.Call{API: "fryzt.verify", Path: wire.PathVerify, Key: nonce, In: wire.Verify{Ticket: ticket, Nonce: nonce}}, &v)
	if r, ok := linkkit.Refused(err); ok {
		switch r.Code {
		case wire.CodeTicket:
			return ident.OrgClaims{}, ErrTicket.Wrap(err)
		case wire.CodeCert:
			return ident.OrgClaims{}, ErrCert.Wrap(err)
		}
	}
	if err != nil {
		return ident.OrgClaims{}, err
	}
	return l.claims(v)
}

func (l *Login) claims(v wire.Verified) (ident.OrgClaims, error) {
	out := ident.OrgClaims{Name: v.Name, USCC: v.USCC, Kind: kindOf(v.Kind), Source: wire.System}
	switch v.Role {
	case wire.Legal:
		out.Role = ident.MemberLegal
	case wire.Agent:
		out.Role = ident.MemberAgent
	case wire.Clerk:
		out.Role = ident.MemberClerk
	default:
		return ident.OrgClaims{}, garbage(fmt.Errorf("role %.20q", v.Role))
	}
	last, err := time.ParseInLocation(time.DateOnly, v.ValidTo, clock.Shanghai())
	if err != nil {
		return ident.OrgClaims{}, garbage(err)
	}
	if out.Until = last.AddDate(0, 0, 1); !l.cfg.Wall.Now().Before(out.Until) {
		return ident.OrgClaims{}, ErrCert
	}
	out.Person = ident.Claims{Level: 3, Source: wire.System}
	for _, f := range []struct {
		enc  string
		into *string
	}{{v.Agent.NameEnc, &out.Person.Name}, {v.Agent.IDEnc, &out.Person.IDNo}, {v.Agent.MobileEnc, &out.Person.Mobile}} {
		if *f.into, err = l.c.Open(f.enc); err != nil {
			return ident.OrgClaims{}, err
		}
	}
	return out, nil
}

func kindOf(s string) string {
	switch s {
	case ident.OrgBank, ident.OrgAgency, ident.OrgNotary:
		return s
	default:
		return ident.OrgCompany
	}
}

func garbage(err error) error {
	return errs.New(errs.Unavailable, linkkit.CodeGarbage, Name+"返回的内容无法识别").Wrap(err)
}

// secret returns 256 random bits as text.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

func hash(s string) string { return gm.SM3([]byte(s)) }

// nonceOf is what binds a ticket to a log-in; it says nothing about the state.
func nonceOf(state string) string { return hash("fryzt nonce\n" + state) }
