package app

import (
	"context"
	"net/url"

	"haoban/casework/api"
	"haoban/links/fryzt"
	"haoban/links/ssb"
	"haoban/links/ywtb"
	"haoban/platform/config"
	"haoban/platform/ident"
	"haoban/platform/ident/oidc"
)

// logins are the ways citizens and companies log in: those that are configured.
func (a *App) logins() ([]api.Login, error) {
	var out []api.Login
	back := func(id string) string { return a.Config.Server.PublicURL + "/api/v1/public/callback/" + id }
	if c := a.Config.Link("ywtb"); c.Enabled {
		secret, err := config.ReadSecret(c.SecretFile)
		if err != nil {
			return nil, err
		}
		l, err := ywtb.New(a.DB, a.Keys, ywtb.Config{URL: c.URL, ClientID: orDefault(c.AppID, "haoban"), Secret: secret, RedirectURL: back("ywtb"), Wall: a.o.Wall})
		if err != nil {
			return nil, err
		}
		out = append(out, citizens{l})
	}
	if c := a.Config.Link("fryzt"); c.Enabled {
		client, err := a.client("fryzt", fryzt.Name)
		if err != nil {
			return nil, err
		}
		l, err := fryzt.New(a.DB, client, fryzt.Config{URL: c.URL, ClientID: orDefault(c.AppID, "haoban"), RedirectURL: back("fryzt"), Wall: a.o.Wall})
		if err != nil {
			return nil, err
		}
		out = append(out, companies{l})
	}
	return out, nil
}

// ticket is how 随申办 hands a citizen over; nil if it is not configured.
func (a *App) ticket() (func(context.Context, string) (ident.Claims, error), error) {
	if !a.Config.Link("ssb").Enabled {
		return nil, nil
	}
	c, err := a.client("ssb", ssb.Name)
	if err != nil {
		return nil, err
	}
	return ssb.New(c).Person, nil
}

type citizens struct{ l *ywtb.Login }

func (c citizens) ID() string   { return c.l.ID() }
func (c citizens) Name() string { return c.l.Name() }

func (c citizens) Begin(ctx context.Context, to string) (string, string, error) {
	b, err := c.l.Begin(ctx, to)
	return b.URL, b.Browser, err
}

func (c citizens) Finish(ctx context.Context, q url.Values, browser string) (api.Landed, error) {
	p, to, err := c.l.Finish(ctx, oidc.Callback{Code: q.Get("code"), State: q.Get("state"), Error: q.Get("error"), Browser: browser})
	return api.Landed{Person: p, To: to}, err
}

type companies struct{ l *fryzt.Login }

func (c companies) ID() string   { return c.l.ID() }
func (c companies) Name() string { return c.l.Name() }

func (c companies) Begin(ctx context.Context, to string) (string, string, error) {
	b, err := c.l.Begin(ctx, to)
	return b.URL, b.Browser, err
}

func (c companies) Finish(ctx context.Context, q url.Values, browser string) (api.Landed, error) {
	o, to, err := c.l.Finish(ctx, q.Get("state"), q.Get("ticket"), browser)
	return api.Landed{Org: &o, To: to}, err
}
