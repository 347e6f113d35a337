// Package api is the HTTP face of casework: the same generic routes for every
// matter, for applicants (public) and officials (staff). No rule lives here: a
// handler decodes, calls a command or a read, and encodes. Every read goes
// through the visibility filter of casework.
package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"haoban/casework"
	"haoban/casework/consult"
	"haoban/casework/party"
	"haoban/casework/result"
	"haoban/platform/audit"
	"haoban/platform/blob"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/web"
)

// Faces answers face checks. Package links/will is the real one.
type Faces interface {
	// Check compares a picture with the person's own on record. Silence is an
	// error of kind errs.Unavailable, never a failed check.
	Check(ctx context.Context, person string, jpeg []byte) (ok bool, score float64, ref string, err error)
}

// Seals tells whether an organisation has a seal to sign with, and seals a
// digest with it. Package links/seal is the real one.
type Seals interface {
	Seal(ctx context.Context, org, digest string) (ref string, err error)
}

// Login is one way a citizen or company logs in. Package links/ywtb and
// links/fryzt are the real ones.
type Login interface {
	ID() string
	Name() string
	// Begin returns where to send the browser, and what that browser must bring
	// back; to is a local path to come back to.
	Begin(ctx context.Context, to string) (url, browser string, err error)
	// Finish takes the browser's return.
	Finish(ctx context.Context, q url.Values, browser string) (Landed, error)
}

// Landed is somebody a login provider vouched for.
type Landed struct {
	Person ident.Claims
	Org    *ident.OrgClaims // nil: for themselves
	To     string
}

// Holdings answers what a person or company holds. An office fills it.
type Holdings interface {
	// Properties returns what the person or company with this number holds now.
	Properties(ctx context.Context, q db.Querier, id string) ([]Property, error)
	// Statements returns published statements of loss, newest first.
	Statements(ctx context.Context, q db.Querier, before int64, limit int) ([]Statement, error)
	// Lost tells whether a certificate number was declared lost.
	Lost(ctx context.Context, q db.Querier, no string) (since int64, lost bool, err error)
}

// Property is one thing held.
type Property struct {
	Unit      string      `json:"unit"`
	Address   string      `json:"address"`
	Ownership string      `json:"ownership"`
	Area      string      `json:"area"`
	Status    string      `json:"status"`
	CertNo    string      `json:"certNo"`
	Can       []MatterRef `json:"can"`
}

// Statement is one published statement.
type Statement struct {
	ID          string `json:"id"`
	No          string `json:"no"`
	CertNo      string `json:"certNo"`
	Body        string `json:"body"`
	PublishedAt string `json:"publishedAt"`
	At          int64  `json:"-"`
}

// Options are the parts the routes work with.
type Options struct {
	Service  *casework.Service
	Parties  *party.Room
	Results  *result.Room
	Consults *consult.Room
	Blobs    blob.Store
	Uploads  *blob.Uploads
	Faces    Faces
	Seals    Seals
	People   *ident.Directory
	Audit    *audit.Log
	Log      *slog.Logger
	Setting  func(key string) string
	// GrantScope refuses a grant outside what the organisation may file for: its
	// own 大产证 or 预售许可 (R1.4a). nil lets every scope pass.
	GrantScope func(ctx context.Context, orgID, unit string) error
	Logins     []Login
	// Ticket vouches for who comes from a host application with a one-time ticket
	// (随申办); nil if no host is connected.
	Ticket   func(ctx context.Context, ticket string) (ident.Claims, error)
	Holdings Holdings
	Site     string
	Demo     bool
}

// Routes registers the routes of this package.
type Routes struct{ Options }

// New returns the routes over o.
func New(o Options) *Routes { return &Routes{o} }

// Register puts every route on the server.
func (r *Routes) Register(s *web.Server) {
	r.public(s)
	r.account(s)
	r.home(s)
	r.filing(s)
	r.consents(s)
	r.files(s)
	r.staff(s)
	r.events(s)
}

// op describes one route. path begins with the audience, which the server puts
// there itself.
func op(id, method, path, summary string) huma.Operation {
	for _, a := range []string{"/public", "/staff"} {
		path = strings.TrimPrefix(path, a)
	}
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary}
}

type sessionKey struct{}

// WithSession puts the session of a request into its context; app's
// authentication calls it.
func WithSession(ctx context.Context, s ident.Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// SessionOf returns the session of a request, the zero value for a stranger.
func SessionOf(ctx context.Context) ident.Session {
	s, _ := ctx.Value(sessionKey{}).(ident.Session)
	return s
}

// actor is who asks. A session in the middle of logging in is nobody yet.
func actor(ctx context.Context) ident.Actor {
	s := SessionOf(ctx)
	if s.Step != ident.StepDone {
		return ident.Actor{}
	}
	return s.Actor
}

// person refuses who is not logged in on the portal.
func person(ctx context.Context) (ident.Actor, error) {
	a := actor(ctx)
	if a.Kind != ident.KindPerson {
		return a, errs.New(errs.Unauthenticated, "login.required", "请先登录")
	}
	return a, nil
}

func official(ctx context.Context) (ident.Actor, error) {
	a := actor(ctx)
	if a.Kind != ident.KindOfficial {
		return a, errs.New(errs.Unauthenticated, "login.required", "请先登录工作台")
	}
	return a, nil
}

// do sends one command with the request's idempotency key.
func (r *Routes) do(ctx context.Context, a ident.Actor, kind, caseID string, version int, data any) (casework.Reply, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return casework.Reply{}, err
	}
	return r.Service.Do(ctx, a, casework.Command{
		Key: web.IdempotencyKey(ctx), Kind: kind, Case: caseID, Version: version, Data: raw,
	})
}

// Out wraps an answer.
type Out[T any] struct{ Body T }

func out[T any](v T, err error) (*Out[T], error) {
	if err != nil {
		return nil, err
	}
	return &Out[T]{Body: v}, nil
}

// stamp is a moment as the API writes it.
func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return db.Time(ms).In(shanghai).Format(time.RFC3339)
}

// List is a page of anything.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
)
