package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"haoban/casework/fee"
	"haoban/links/assist"
	"haoban/links/bigreg"
	"haoban/links/caserepo"
	"haoban/links/company"
	"haoban/links/housing"
	"haoban/links/invest"
	"haoban/links/land"
	"haoban/links/licence"
	"haoban/links/linkkit"
	"haoban/links/linkkit/wire"
	"haoban/links/marriage"
	"haoban/links/pay"
	paywire "haoban/links/pay/wire"
	"haoban/links/population"
	"haoban/links/seal"
	"haoban/links/sms"
	"haoban/links/will"
	"haoban/platform/clock"
	"haoban/platform/config"
	"haoban/platform/db"
	"haoban/platform/errs"
)

// links are the connectors, one a partner.
type links struct {
	assist     *assist.Client
	bigreg     *bigreg.Client
	caserepo   *caserepo.Repo
	company    *company.Client
	housing    *housing.Client
	invest     *invest.Client
	land       *land.Client
	licence    *licence.Client
	marriage   *marriage.Client
	pay        *pay.Platform
	population *population.Register
	seal       *seal.Client
	sms        *sms.Client
	will       *will.Client
}

// openLinks builds the connectors from [links.*] of the settings. A partner
// that is not configured gets a connector that answers errs.Unavailable, so
// that what depends on it says so in words.
func (a *App) openLinks() (*links, error) {
	var l links
	for _, x := range []struct {
		system, name string
		set          func(c *linkkit.Client)
	}{
		{"assist", assist.Name, func(c *linkkit.Client) { l.assist = assist.New(c) }},
		{"bigreg", bigreg.Name, func(c *linkkit.Client) { l.bigreg = bigreg.New(c) }},
		{"caserepo", caserepo.Name, func(c *linkkit.Client) { l.caserepo = caserepo.New(c) }},
		{"company", company.Name, func(c *linkkit.Client) { l.company = company.New(c) }},
		{"housing", housing.Name, func(c *linkkit.Client) { l.housing = housing.New(c) }},
		{"invest", invest.Name, func(c *linkkit.Client) { l.invest = invest.New(c) }},
		{"land", land.Name, func(c *linkkit.Client) { l.land = land.New(c) }},
		{"licence", licence.Name, func(c *linkkit.Client) { l.licence = licence.New(c) }},
		{"marriage", marriage.Name, func(c *linkkit.Client) { l.marriage = marriage.New(c) }},
		{"pay", pay.Name, func(c *linkkit.Client) { l.pay = pay.New(c) }},
		{"population", "市人口库", func(c *linkkit.Client) { l.population = population.New(c) }},
		{"seal", seal.Name, func(c *linkkit.Client) { l.seal = seal.New(c) }},
		{"sms", sms.Name, func(c *linkkit.Client) { l.sms = sms.New(c) }},
		{"will", will.Name, func(c *linkkit.Client) { l.will = will.New(c) }},
	} {
		c, err := a.client(x.system, x.name)
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", x.system, err)
		}
		x.set(c)
	}
	return &l, nil
}

// client builds the signed client of one partner.
func (a *App) client(system, name string) (*linkkit.Client, error) {
	cfg := a.Config.Link(system)
	base := cfg.URL
	key := []byte("a partner that is not configured")
	if !cfg.Enabled || base == "" {
		base = "http://127.0.0.1:1" // nobody listens: every call is "no answer"
	} else {
		var err error
		if key, err = config.ReadSecret(cfg.SecretFile); err != nil {
			return nil, err
		}
	}
	secret, err := wire.NewSecret(key)
	if err != nil {
		return nil, err
	}
	return linkkit.New(linkkit.Config{
		System: system, Name: name, BaseURL: base, AppID: orDefault(cfg.AppID, "haoban"), Signer: secret, Peer: secret, Cipher: secret,
		Timeout: time.Duration(cfg.Timeout), Clock: a.o.Wall, Recorder: a.book, Log: a.o.Log,
	})
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// receiverConfig is what every receiver of callbacks shares.
func (a *App) receiverConfig(system string) (linkkit.ReceiverConfig, bool, error) {
	cfg := a.Config.Link(system)
	if !cfg.Enabled {
		return linkkit.ReceiverConfig{}, false, nil
	}
	b, err := config.ReadSecret(cfg.SecretFile)
	if err != nil {
		return linkkit.ReceiverConfig{}, false, err
	}
	secret, err := wire.NewSecret(b)
	if err != nil {
		return linkkit.ReceiverConfig{}, false, err
	}
	return linkkit.ReceiverConfig{
		System: system, AppID: system, Peer: secret, Signer: secret, DB: a.DB, Keys: a.Keys, Clock: a.o.Wall, Recorder: a.book, Log: a.o.Log,
	}, true, nil
}

// callbacks mounts what partners tell us.
func (a *App) callbacks() error {
	cfg, on, err := a.receiverConfig("pay")
	if err != nil {
		return err
	}
	if on {
		r, err := pay.NewReceiver(cfg, func(ctx context.Context, tx *db.Tx, s pay.State) error {
			err := a.Fees.TakeTx(ctx, a.Service, tx, s.PaymentNo, answerOf(s))
			if errs.KindOf(err) == errs.NotFound {
				return linkkit.ErrEarly
			}
			if err == nil {
				a.fail(FailCallback)
			}
			return err
		})
		if err != nil {
			return err
		}
		a.receivers = append(a.receivers, r)
	}
	if cfg, on, err = a.receiverConfig("assist"); err != nil {
		return err
	}
	if on {
		cfg.Name, cfg.Handle = assist.Name, assist.Handlers(a.Consults, a.Service)
		r, err := linkkit.NewReceiver(cfg)
		if err != nil {
			return err
		}
		a.receivers = append(a.receivers, r)
	}
	// A receiver checks signature, window and nonce itself, over the path as it
	// was called; it stands before the server's own routes.
	a.face = http.NewServeMux()
	for _, r := range a.receivers {
		a.face.Handle("POST /api/v1/partner/callbacks/"+r.System(), r)
	}
	a.face.Handle("/", a.Server)
	return nil
}

// payments is the payment platform as casework/fee asks for it.
type payments struct {
	p     *pay.Platform
	clock clock.Clock
}

func (p payments) Open(ctx context.Context, order string, amount int64, subject string, expires time.Time) (string, error) {
	minutes := max(1, int(expires.Sub(p.clock.Now()).Minutes()))
	o, err := p.p.Order(ctx, pay.Order{
		PaymentNo: order, Subject: subject, PayerName: "缴款人", PayerID: order, Minutes: min(minutes, 24*60),
		Items: []paywire.Item{{ChargeCode: "GB", Name: subject, Amount: amount, Qty: 1}},
	})
	return o.PayURL, err
}

func (p payments) Ask(ctx context.Context, order string) (fee.Answer, error) {
	s, err := p.p.State(ctx, order)
	if r, ok := linkkit.Refused(err); ok && r.Code == paywire.CodeUnknown {
		return fee.Answer{}, nil
	}
	return answerOf(s), err
}

func answerOf(s pay.State) fee.Answer {
	return fee.Answer{Paid: s.Status == paywire.Paid, At: s.At, Channel: s.Channel, TradeNo: s.OrderNo, Amount: s.Amount}
}
