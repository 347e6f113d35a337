// Package ywtb logs citizens in at 一网通办: OpenID Connect's code flow with
// PKCE, and the platform's unified user model.
package ywtb

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	kit "haoban/links/linkkit/wire"
	"haoban/links/ywtb/wire"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/ident/oidc"
)

// Name is what people call the partner.
const Name = "一网通办"

// The refusals.
var (
	// ErrKind: an organisation logged in where a citizen was meant to.
	ErrKind = errs.New(errs.Forbidden, "ywtb.kind", "这是单位账号，请用法人一证通登录")
	// ErrLevel: the platform has not checked who the person is.
	ErrLevel = errs.New(errs.Forbidden, "ywtb.level", "账号还没有实名认证，请先在一网通办完成实名认证")
)

// Config is how this house is known there.
type Config struct {
	URL         string // the platform's address, where browsers and this house both find it
	ClientID    string
	Secret      []byte       // the client secret; fields of the user model are sealed with it
	RedirectURL string       // this site's callback, absolute
	HTTP        *http.Client // nil: one with ten seconds of patience
	Wall        clock.Clock  // nil: the machine's
}

// Login is the connector. It is safe for concurrent use.
type Login struct {
	c      *oidc.Client
	cipher kit.Secret
}

// New returns a connector that keeps log-ins under way in d (the line
// ident.Migrations), sealed with keys. It returns an error for settings that
// cannot work.
func New(d *db.DB, keys gm.Keys, cfg Config) (*Login, error) {
	cipher, err := kit.NewSecret(cfg.Secret)
	if err != nil {
		return nil, fmt.Errorf("ywtb: %w", err)
	}
	base := strings.TrimSuffix(cfg.URL, "/")
	c, err := oidc.New(d, keys, oidc.Config{
		Name: wire.System, AuthURL: base + wire.PathAuthorize, TokenURL: base + wire.PathToken, UserInfoURL: base + wire.PathUserInfo,
		ClientID: cfg.ClientID, ClientSecret: string(cfg.Secret), RedirectURL: cfg.RedirectURL, HTTP: cfg.HTTP, Wall: cfg.Wall,
	})
	if err != nil {
		return nil, err
	}
	return &Login{c, cipher}, nil
}

// ID is the provider's short name, as in the callback's path.
func (*Login) ID() string { return wire.System }

// Name is what people call the provider.
func (*Login) Name() string { return Name }

// Begin begins a log-in that shall end at the local path to. It returns
// oidc.ErrTo for anything that might lead off this site.
func (l *Login) Begin(ctx context.Context, to string) (oidc.Begun, error) { return l.c.Begin(ctx, to) }

// Finish ends a log-in and returns who the platform says it is and the path to
// go on to. It talks to the platform and must not be called inside a
// transaction. Its errors are ErrKind, ErrLevel and those of oidc.Client.Finish.
func (l *Login) Finish(ctx context.Context, cb oidc.Callback) (ident.Claims, string, error) {
	u, to, err := l.c.Finish(ctx, cb)
	if err != nil {
		return ident.Claims{}, to, err
	}
	c, err := l.claims(u.Info)
	return c, to, err
}

func (l *Login) claims(info json.RawMessage) (ident.Claims, error) {
	var u wire.User
	if err := json.Unmarshal(info, &u); err != nil {
		return ident.Claims{}, oidc.ErrAnswer.Wrap(err)
	}
	if u.Type != wire.Person {
		return ident.Claims{}, ErrKind
	}
	level := levelOf(u.AuthLevel)
	if u.RealNameStatus != 1 || level == 0 {
		return ident.Claims{}, ErrLevel
	}
	id, err := l.cipher.Open(u.IDCardNo)
	if err != nil {
		return ident.Claims{}, oidc.ErrAnswer.Wrap(err)
	}
	return ident.Claims{Name: u.Username, IDNo: id, Mobile: u.Mobile, Level: level, Source: wire.System}, nil
}

// levelOf reads L1 to L4; 0 is none of them.
func levelOf(s string) int {
	if len(s) == 2 && s[0] == 'L' && s[1] >= '1' && s[1] <= '4' {
		return int(s[1] - '0')
	}
	return 0
}
