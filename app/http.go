package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"haoban/casework/api"
	"haoban/platform/audit"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/web"
	pages "haoban/web"
)

// serveRoutes builds the HTTP edge and puts every route on it.
func (a *App) serveRoutes(auditLog *audit.Log) error {
	var proxies []netip.Prefix
	for _, p := range a.Config.Server.TrustedProxies {
		x, err := netip.ParsePrefix(p)
		if err != nil {
			return fmt.Errorf("trusted proxy %s: %w", p, err)
		}
		proxies = append(proxies, x)
	}
	a.Server = web.New(web.Options{
		Title: "haoban 好办", Version: "1", Log: a.o.Log, Clock: a.o.Wall,
		Authenticate: a.authenticate, CSRF: a.csrf,
		Session:        func(ctx context.Context) string { return api.SessionOf(ctx).ID },
		HTTPS:          strings.HasPrefix(a.Config.Server.PublicURL, "https://"),
		TrustedProxies: proxies, MaxBody: int64(a.Config.Limits.Body), Shutdown: time.Duration(a.Config.Server.ShutdownTimeout),
		Ready:  []web.Check{{Name: "database", Func: a.ready}},
		Limits: a.limits(),
	})
	logins, err := a.logins()
	if err != nil {
		return err
	}
	ticket, err := a.ticket()
	if err != nil {
		return err
	}
	api.New(api.Options{
		Service: a.Service, Parties: a.Parties, Results: a.Results, Consults: a.Consults, Blobs: a.Blobs, Uploads: a.Uploads,
		Faces: faces{a}, Seals: seals{a}, People: a.People, Audit: auditLog, Log: a.o.Log, Setting: a.Setting, Logins: logins, Ticket: ticket,
		Holdings: holdings{a}, GrantScope: a.grantScope, Site: a.Config.Server.PublicURL, Demo: a.o.Demo,
	}).Register(a.Server)
	a.adminRoutes()
	if err := a.callbacks(); err != nil {
		return err
	}
	if p := pages.Desk(); p != nil {
		if err := a.Server.Pages("/desk/", p); err != nil {
			return err
		}
	}
	if p := pages.Portal(); p != nil {
		if err := a.Server.Pages("/", p); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) limits() map[string]web.Limit {
	n := a.Config.Limits.PerMinute
	return map[string]web.Limit{web.Common: {Burst: n, Per: time.Minute}}
}

func (a *App) ready(ctx context.Context) error {
	var one int
	return a.DB.Q().QueryRow(ctx, `SELECT 1`).Scan(&one)
}

// authenticate finds the session of a request by its audience's own cookie; a
// cookie of the other audience is nothing here.
func (a *App) authenticate(ctx context.Context, aud web.Audience, r *http.Request) (context.Context, error) {
	c, err := r.Cookie(web.CookieName(aud))
	if err != nil {
		return ctx, errs.New(errs.Unauthenticated, "login.required", "请先登录")
	}
	s, err := a.People.Sessions().Lookup(ctx, string(aud), c.Value)
	if err != nil {
		return ctx, err
	}
	s.Actor.IP = web.MetaOf(ctx).IP.String()
	return api.WithSession(ctx, s), nil
}

// csrf checks the token of the session. A session that is not logged in yet has
// no page to take it from.
func (a *App) csrf(ctx context.Context, _ web.Audience, r *http.Request) error {
	s := api.SessionOf(ctx)
	if s.Step != ident.StepDone {
		return nil
	}
	return a.People.Sessions().CheckCSRF(ctx, s, r.Header.Get("X-CSRF"))
}

// grantScope refuses a grant for a unit that is not within the organisation's
// own 大产证 or 预售许可 (R1.4a).
func (a *App) grantScope(ctx context.Context, orgID, unit string) error {
	o, err := a.People.Org(ctx, a.DB.Q(), orgID)
	if err != nil {
		return err
	}
	if unit == "" {
		return errs.New(errs.Invalid, "grant.unit", "请写明授权代办哪一处房屋").With("unit", "required", "填不动产单元号，在预售合同里")
	}
	ok, err := a.links.housing.Covers(ctx, o.USCC, unit)
	if err != nil {
		return err
	}
	if !ok {
		return errs.New(errs.Invalid, "grant.scope", "这处房屋不在"+o.Name+"的大产证或预售许可范围内，不能授权给它").With("unit", "scope", "请核对单元号和开发企业")
	}
	return nil
}
