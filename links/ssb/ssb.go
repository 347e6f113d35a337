// Package ssb connects to 随申办: who came over from the app with a ticket, and
// the card 我的不动产 in the app.
package ssb

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"haoban/links/linkkit"
	"haoban/links/ssb/wire"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

// Name is what people call the partner.
const Name = "随申办"

// The refusals.
var (
	// ErrTicket: the app does not know the ticket, or it was used.
	ErrTicket = errs.New(errs.Unauthenticated, "ssb.ticket", "进入凭证已失效，请回到随申办重新进入")
	// ErrLevel: the app has not checked who the person is.
	ErrLevel = errs.New(errs.Forbidden, "ssb.level", "账号还没有实名认证，请先在随申办完成实名认证")
)

// App is the connector. It is safe for concurrent use.
type App struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *App { return &App{c} }

// Person asks who came over with a ticket, which is spent by asking: it is not
// to be asked again after an answer was lost. It returns ErrTicket, ErrLevel or
// the errors of linkkit's Client.Do.
func (a *App) Person(ctx context.Context, ticket string) (ident.Claims, error) {
	if ticket == "" {
		return ident.Claims{}, ErrTicket
	}
	var s wire.Session
	_, err := a.c.Do(ctx, linkkit.Call{API: "ssb.session", Path: wire.PathSession, Query: url.Values{"ticket": {ticket}}}, &s)
	if r, ok := linkkit.Refused(err); ok && r.Code == wire.CodeTicket {
		return ident.Claims{}, ErrTicket.Wrap(err)
	}
	if err != nil {
		return ident.Claims{}, err
	}
	level, err := levelOf(s.AuthLevel)
	if err != nil {
		return ident.Claims{}, err
	}
	c := ident.Claims{Level: level, Source: wire.System}
	for _, f := range []struct {
		enc  string
		into *string
	}{{s.NameEnc, &c.Name}, {s.IDEnc, &c.IDNo}, {s.MobileEnc, &c.Mobile}} {
		if *f.into, err = a.c.Open(f.enc); err != nil {
			return ident.Claims{}, err
		}
	}
	return c, nil
}

func levelOf(s string) (int, error) {
	if s == "" || s == "L0" {
		return 0, ErrLevel
	}
	if len(s) != 2 || s[0] != 'L' || s[1] < '1' || s[1] > '4' {
		return 0, errs.New(errs.Unavailable, linkkit.CodeGarbage, Name+"返回的内容无法识别").Wrap(fmt.Errorf("level %.20q", s))
	}
	return int(s[1] - '0'), nil
}

// Card puts a card into the space of who has the identity number holder, or
// replaces it by a newer version. The same (card, version) has its effect once.
// It returns a linkkit.Refusal with one of the codes of package wire.
func (a *App) Card(ctx context.Context, c wire.Card, holder string) error {
	var err error
	if c.HolderEnc, err = a.c.Seal(holder); err != nil {
		return err
	}
	if c.Lines == nil {
		c.Lines = []wire.Line{}
	}
	_, err = a.c.Do(ctx, linkkit.Call{API: "ssb.card", Path: wire.PathCard, Key: c.ID + "/" + strconv.FormatInt(c.Version, 10), Biz: c.ID, In: c}, nil)
	return err
}
