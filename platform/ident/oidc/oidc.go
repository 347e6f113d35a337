// Package oidc logs a person in at an outside provider by the OpenID Connect
// code flow: state, nonce and PKCE (S256), all kept on this side.
//
// It knows no provider. A link gives the endpoints and makes identity claims of
// what the provider says about the user.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

const (
	life    = 10 * time.Minute
	maxBody = 1 << 20
	keyUse  = "ident"
)

// The refusals.
var (
	// ErrState: the answer belongs to no log-in begun here, to one already
	// finished or older than ten minutes, or to another browser.
	ErrState = errs.New(errs.Invalid, "oidc.state", "登录已超时，请重新登录")
	// ErrTo: the page to return to is not a path of this site.
	ErrTo = errs.New(errs.Invalid, "oidc.to", "要返回的页面地址不正确")
	// ErrDenied: the provider says that the person did not log in.
	ErrDenied = errs.New(errs.Unauthenticated, "oidc.denied", "没有完成登录，请重新登录")
	// ErrAnswer: the provider's answer cannot be right: signature, nonce,
	// issuer, audience or form.
	ErrAnswer = errs.New(errs.Unauthenticated, "oidc.answer", "登录平台的答复未通过校验，请重新登录")
	// ErrDown: the provider does not answer.
	ErrDown = errs.New(errs.Unavailable, "oidc.down", "登录平台暂时没有应答，请稍后再试")
)

// Config is one provider and what it knows this site as.
type Config struct {
	Name         string // of the provider, as in the callback's path
	Issuer       string // what ID tokens say in iss; needed with JWKS
	AuthURL      string
	TokenURL     string
	UserInfoURL  string // empty: the ID token says all
	JWKS         string // empty: ID tokens are neither wanted nor believed
	EndURL       string // empty: the provider knows no logging out
	ClientID     string
	ClientSecret string
	RedirectURL  string            // this site's callback, absolute
	Scopes       []string          // empty: openid profile
	Params       map[string]string // added to the log-in page's address, as acr_values
	HTTP         *http.Client      // nil: one with ten seconds of patience; redirects are never followed
	Wall         clock.Clock       // nil: the machine's
}

// Client is a configured provider, safe for concurrent use.
type Client struct {
	c    Config
	d    *db.DB
	keys gm.Keys
	set  zoidc.KeySet // nil without JWKS
}

// New returns a client that keeps log-ins under way in ident_login (the line
// ident.Migrations) and seals what it keeps.
func New(d *db.DB, keys gm.Keys, c Config) (*Client, error) {
	for _, u := range []string{c.AuthURL, c.TokenURL, c.RedirectURL} {
		if v, err := url.Parse(u); err != nil || !v.IsAbs() || v.Host == "" {
			return nil, fmt.Errorf("oidc %s: %q is no absolute address", c.Name, u)
		}
	}
	switch {
	case c.Name == "" || c.ClientID == "":
		return nil, errors.New("oidc: name and client id are needed")
	case c.UserInfoURL == "" && c.JWKS == "":
		return nil, fmt.Errorf("oidc %s: neither user info nor keys for ID tokens", c.Name)
	case c.JWKS != "" && c.Issuer == "":
		return nil, fmt.Errorf("oidc %s: ID tokens without an issuer", c.Name)
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile"}
	}
	if c.Wall == nil {
		c.Wall = clock.Wall{}
	}
	h := http.Client{Timeout: 10 * time.Second}
	if c.HTTP != nil {
		h = *c.HTTP
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.HTTP = &h
	out := &Client{c: c, d: d, keys: keys}
	if c.JWKS != "" {
		out.set = newKeySet(h, c.JWKS)
	}
	return out, nil
}

// Begun is a log-in under way. URL is where the browser goes; Browser is kept
// by that browser in a short-lived HttpOnly cookie and given to Finish, so that
// nobody can be logged in by somebody else's callback.
type Begun struct {
	URL     string
	Browser string
}

// Callback is what comes back to the redirect address.
type Callback struct {
	Code    string
	State   string
	Error   string // the provider's error, if any
	Browser string // the cookie of Begun
}

// User is what the provider said about who logged in.
type User struct {
	Subject string
	Info    json.RawMessage // user info, else the ID token's claims
	IDToken string          // empty without JWKS
}

// kept is what waits for the callback.
type kept struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Browser  string `json:"browser"`
}

// Begin begins a log-in that shall end at the local path to; an empty one is
// "/". It returns ErrTo for anything that might lead off this site.
func (c *Client) Begin(ctx context.Context, to string) (Begun, error) {
	to, err := LocalPath(to)
	if err != nil {
		return Begun{}, err
	}
	state := secret()
	k := kept{Nonce: secret(), Verifier: secret(), Browser: secret()}
	plain, err := json.Marshal(k)
	if err != nil {
		return Begun{}, fmt.Errorf("log-in: %w", err)
	}
	hash := gm.SM3([]byte(state))
	sealed, err := c.keys.Seal(ctx, keyUse, plain, []byte("login:"+hash))
	if err != nil {
		return Begun{}, fmt.Errorf("log-in: %w", err)
	}
	err = c.d.Group(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ident_login (state_hash, provider, sealed, to_path, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			hash, c.c.Name, sealed, to, db.MS(c.c.Wall.Now().Add(life)))
		return err
	})
	if err != nil {
		return Begun{}, fmt.Errorf("log-in: %w", err)
	}
	sum := sha256.Sum256([]byte(k.Verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.c.ClientID}, "redirect_uri": {c.c.RedirectURL},
		"scope": {strings.Join(c.c.Scopes, " ")}, "state": {state}, "nonce": {k.Nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for name, v := range c.c.Params {
		q.Set(name, v)
	}
	return Begun{URL: join(c.c.AuthURL, q), Browser: k.Browser}, nil
}

// secret returns 256 random bits as text.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

func join(base string, q url.Values) string {
	if strings.Contains(base, "?") {
		return base + "&" + q.Encode()
	}
	return base + "?" + q.Encode()
}

// LocalPath returns to if it is a path of this site, "/" if it is empty, and
// ErrTo if a browser might take it for another site.
func LocalPath(to string) (string, error) {
	if to == "" {
		return "/", nil
	}
	odd := func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }
	if len(to) > 1000 || to[0] != '/' || strings.HasPrefix(to, "//") || strings.ContainsFunc(to, odd) {
		return "", ErrTo
	}
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(u.Path, odd) {
		return "", ErrTo
	}
	return to, nil
}

// Finish ends a log-in: it spends the state, changes the code for tokens, and
// returns who the provider says it is and the path to go on to. It talks to
// the provider and must not be called inside a transaction. It returns
// ErrState, ErrDenied, ErrAnswer or ErrDown.
func (c *Client) Finish(ctx context.Context, cb Callback) (User, string, error) {
	k, to, err := c.take(ctx, cb)
	if err != nil {
		return User{}, "", err
	}
	if cb.Error != "" || cb.Code == "" {
		return User{}, to, ErrDenied.Wrap(fmt.Errorf("provider says %.100q", cb.Error))
	}
	access, idToken, err := c.exchange(ctx, cb.Code, k.Verifier)
	if err != nil {
		return User{}, to, err
	}
	var out User
	if c.set != nil {
		if out, err = c.idToken(ctx, idToken, access, k.Nonce); err != nil {
			return User{}, to, err
		}
	}
	if c.c.UserInfoURL != "" {
		info, sub, err := c.userInfo(ctx, access)
		if err != nil {
			return User{}, to, err
		}
		if out.Subject != "" && out.Subject != sub {
			return User{}, to, ErrAnswer.Wrap(errors.New("user info is about another subject than the ID token"))
		}
		out.Subject, out.Info = sub, info
	}
	if out.Subject == "" {
		return User{}, to, ErrAnswer.Wrap(errors.New("no subject"))
	}
	return out, to, nil
}

// take spends a state, whatever comes of it.
func (c *Client) take(ctx context.Context, cb Callback) (kept, string, error) {
	hash := gm.SM3([]byte(cb.State))
	var sealed []byte
	var to string
	var until int64
	err := c.d.Tx(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `DELETE FROM ident_login WHERE state_hash = $1 AND provider = $2 RETURNING sealed, to_path, expires_at`,
			hash, c.c.Name).Scan(&sealed, &to, &until)
	})
	if errors.Is(err, db.ErrNoRows) {
		return kept{}, "", ErrState
	}
	if err != nil {
		return kept{}, "", fmt.Errorf("log-in: %w", err)
	}
	plain, err := c.keys.Open(ctx, keyUse, sealed, []byte("login:"+hash))
	if err != nil {
		return kept{}, "", fmt.Errorf("log-in: %w", err)
	}
	var k kept
	if err := json.Unmarshal(plain, &k); err != nil {
		return kept{}, "", fmt.Errorf("log-in: %w", err)
	}
	if db.MS(c.c.Wall.Now()) >= until || subtle.ConstantTimeCompare([]byte(k.Browser), []byte(cb.Browser)) != 1 {
		return kept{}, "", ErrState
	}
	return k, to, nil
}

func (c *Client) exchange(ctx context.Context, code, verifier string) (access, idToken string, err error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.c.RedirectURL},
		"client_id": {c.c.ClientID}, "client_secret": {c.c.ClientSecret}, "code_verifier": {verifier},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", fmt.Errorf("token: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := c.do(req)
	if err != nil {
		return "", "", err
	}
	var t struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
		ID     string `json:"id_token"`
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return "", "", ErrAnswer.Wrap(err)
	}
	if t.Access == "" || !strings.EqualFold(t.Type, "bearer") {
		return "", "", ErrAnswer.Wrap(fmt.Errorf("token of type %.20q", t.Type))
	}
	return t.Access, t.ID, nil
}

func (c *Client) idToken(ctx context.Context, token, access, nonce string) (User, error) {
	if token == "" {
		return User{}, ErrAnswer.Wrap(errors.New("no ID token"))
	}
	set := &watched{KeySet: c.set}
	v := rp.NewIDTokenVerifier(c.c.Issuer, c.c.ClientID, set,
		rp.WithNonce(func(context.Context) string { return nonce }),
		rp.WithSupportedSigningAlgorithms("RS256", "ES256", "PS256"))
	claims, err := rp.VerifyTokens[*zoidc.IDTokenClaims](ctx, access, token, v)
	if set.down {
		return User{}, ErrDown.Wrap(err)
	}
	if err != nil {
		return User{}, ErrAnswer.Wrap(err)
	}
	if claims.Nonce != nonce {
		return User{}, ErrAnswer.Wrap(zoidc.ErrNonceInvalid)
	}
	info, err := json.Marshal(claims)
	if err != nil {
		return User{}, fmt.Errorf("ID token: %w", err)
	}
	return User{Subject: claims.Subject, Info: info, IDToken: token}, nil
}

func (c *Client) userInfo(ctx context.Context, access string) (json.RawMessage, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.c.UserInfoURL, nil)
	if err != nil {
		return nil, "", fmt.Errorf("user info: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+access)
	body, err := c.do(req)
	if err != nil {
		return nil, "", err
	}
	var u struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(body, &u); err != nil {
		return nil, "", ErrAnswer.Wrap(err)
	}
	if u.Subject == "" {
		return nil, "", ErrAnswer.Wrap(errors.New("user info without subject"))
	}
	return body, u.Subject, nil
}

// do sends a request. No answer and 5xx are ErrDown; other answers than 200
// with JSON are ErrAnswer.
func (c *Client) do(req *http.Request) (_ []byte, err error) {
	req.Header.Set("Accept", "application/json")
	res, err := c.c.HTTP.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address may carry secrets
		}
		return nil, ErrDown.Wrap(err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, ErrDown.Wrap(err)
	case res.StatusCode >= 500 || slices.Contains([]int{http.StatusTooManyRequests, http.StatusRequestTimeout}, res.StatusCode):
		return nil, ErrDown.Wrap(fmt.Errorf("status %d", res.StatusCode))
	case res.StatusCode != http.StatusOK:
		return nil, ErrAnswer.Wrap(fmt.Errorf("status %d", res.StatusCode))
	case len(body) > maxBody:
		return nil, ErrAnswer.Wrap(errors.New("answer too long"))
	}
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, ErrAnswer.Wrap(fmt.Errorf("content type %.50q", res.Header.Get("Content-Type")))
	}
	return body, nil
}

// EndURL returns where a browser logs out at the provider, and false if it
// cannot. back is an absolute address of this site.
func (c *Client) EndURL(idToken, back string) (string, bool) {
	if c.c.EndURL == "" {
		return "", false
	}
	q := url.Values{"client_id": {c.c.ClientID}, "post_logout_redirect_uri": {back}}
	if idToken != "" {
		q.Set("id_token_hint", idToken)
	}
	return join(c.c.EndURL, q), true
}
