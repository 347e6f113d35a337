// Package app puts the house together: it is the only package that knows every
// room. Everything is wired by hand, top to bottom; two apps in one process do
// not know of each other.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"haoban/bureau/permit"
	"haoban/bureau/registry"
	"haoban/casework"
	"haoban/casework/consult"
	"haoban/casework/fee"
	"haoban/casework/material"
	"haoban/casework/notice"
	"haoban/casework/number"
	"haoban/casework/party"
	"haoban/casework/result"
	"haoban/casework/source"
	"haoban/links/fryzt"
	"haoban/links/linkkit"
	"haoban/matters"
	"haoban/platform/audit"
	"haoban/platform/blob"
	"haoban/platform/calendar"
	"haoban/platform/clock"
	"haoban/platform/config"
	"haoban/platform/db"
	"haoban/platform/doc"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/job"
	"haoban/platform/web"
)

// Options are what an App is made from besides its settings.
type Options struct {
	Config *config.Config
	Log    *slog.Logger
	Wall   clock.Clock // sessions, leases, signatures; nil: the machine's
	Clock  clock.Clock // business time; nil: Wall
	Fonts  string      // folder of the fonts papers are set in
	Trace  func(slug, flow string)
	// Poll is how often the queue looks for work of other processes; 0: a second.
	Poll time.Duration
	// Break is how long a partner that did not answer is left alone at first; 0:
	// as the queue has it.
	Break time.Duration
	// Failpoint is told the named points at which a test ends the process; nil in
	// every program.
	Failpoint func(name string)
	Demo      bool // says so on the page; opens no door
	// Settings are what the bureau has set, by key; see Setting for the others.
	Settings map[string]string
}

// App is the whole house.
type App struct {
	o        Options
	Config   *config.Config
	DB       *db.DB
	Keys     *gm.Soft
	Queue    *job.Queue
	Service  *casework.Service
	People   *ident.Directory
	Parties  *party.Room
	Results  *result.Room
	Consults *consult.Room
	Fees     *fee.Room
	Office   *registry.Office
	Blobs    blob.Store
	Uploads  *blob.Uploads
	Server   *web.Server

	notices   *notice.Room
	links     *links
	receivers []*linkkit.Receiver
	runner    *job.Runner
	fonts     *doc.Fonts
	book      *linkkit.Book
	audit     *audit.Log
	face      *http.ServeMux
	board     board
}

// Lines are the migrations of every room, in the order they are applied.
func Lines() []db.Line {
	return []db.Line{
		job.Migrations(), blob.Migrations(), audit.Migrations(), ident.Migrations(), linkkit.Migrations(),
		fryzt.Migrations(), casework.Migrations(), number.Migrations(), material.Migrations(), party.Migrations(), fee.Migrations(),
		notice.Migrations(), consult.Migrations(), result.Migrations(), source.Migrations(), registry.Migrations(),
	}
}

// New opens everything and wires it; it starts nothing. Without keys it refuses.
func New(ctx context.Context, o Options) (_ *App, err error) {
	if o.Wall == nil {
		o.Wall = clock.Wall{}
	}
	if o.Clock == nil {
		o.Clock = o.Wall
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	a := &App{o: o, Config: o.Config}
	secret, err := config.ReadSecret(o.Config.Keys.SecretFile)
	if err != nil {
		return nil, err
	}
	if a.Keys, err = gm.OpenSoft(o.Config.Keys.File, secret); err != nil {
		return nil, err
	}
	o.Log.WarnContext(ctx, a.Keys.Notice())
	dsn, err := o.Config.DB.Connection()
	if err != nil {
		return nil, err
	}
	a.DB, err = db.Open(ctx, db.Config{
		Engine: db.Engine(o.Config.DB.Engine), DSN: dsn, Clock: o.Clock, MaxConns: o.Config.DB.MaxConns, Relaxed: !o.Config.DB.Full,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.DB.Close())
		}
	}()
	if err := a.DB.Migrate(ctx, Lines()); err != nil {
		return nil, err
	}
	if a.fonts, err = doc.LoadFonts(o.Fonts); err != nil {
		return nil, err
	}
	return a, a.wire(ctx)
}

func (a *App) wire(ctx context.Context) error {
	if err := a.openBlobs(ctx); err != nil {
		return err
	}
	a.Queue = job.NewQueue(a.DB)
	a.book = linkkit.NewBook(a.DB, a.Keys)
	auditLog := audit.New(a.DB, a.Keys)
	a.audit = auditLog
	var err error
	if a.links, err = a.openLinks(); err != nil {
		return err
	}
	cfg := a.Config.Session
	a.People, err = ident.New(ident.Options{
		DB: a.DB, Keys: a.Keys, Audit: auditLog, Wall: a.o.Wall, SendCode: a.sendCode, PasswordDays: cfg.PasswordDays, StaffSessions: cfg.StaffAtOnce,
		PublicIdle: time.Duration(cfg.PublicIdle), StaffIdle: time.Duration(cfg.StaffIdle), PublicLife: time.Duration(cfg.PublicMax), StaffLife: time.Duration(cfg.StaffMax),
	})
	if err != nil {
		return err
	}
	book, err := number.New(numberRules())
	if err != nil {
		return err
	}
	ms, err := matters.Load()
	if err != nil {
		return err
	}
	site := a.Config.Server.PublicURL
	draw := &papers{blobs: a.Blobs, fonts: a.fonts, clock: a.o.Clock}
	a.Parties = party.New(people{a.People}, draw, a.Keys)
	a.Results = result.New(draw, book, a.Parties, a.Keys, site)
	a.Fees = fee.New(payments{a.links.pay, a.o.Clock}, a.Setting)
	a.Consults = consult.New(a.links.assist, a.Queue)
	a.Office = registry.NewOffice(registry.New(a.Keys), a.links.bigreg, a.Queue, a.Results, a.DB)
	a.notices = notice.New(a.links.sms, phones{a.People, a.DB}, a.Parties, a.Queue, site)
	prefill := source.New(a.sources(), a.Keys)
	for _, m := range ms {
		for _, p := range m.Prefill {
			if !prefill.Has(p.Source) {
				return fmt.Errorf("app: %s asks the source %s, which nobody gives", m.Slug, p.Source)
			}
		}
	}
	a.Service, err = casework.New(casework.Options{
		DB: a.DB, Keys: a.Keys, Queue: a.Queue, Audit: auditLog, Calendar: calendar.Default, Matters: ms, Numbers: book, Colleagues: a.People,
		Verbs:    join(a.Fees.Verbs(), a.Results.Verbs(), a.Office.Verbs(), permit.Verbs(a.Setting)),
		Commands: join(a.Parties.Commands(), a.Fees.Commands(), a.Consults.Commands(), a.Results.Commands(), prefill.Commands(), material.Commands()),
		Checks:   join(a.Office.Checks(), map[string]casework.CheckFunc{"grant.covers": a.grantCovers}),
		Subscribers: []casework.Subscriber{
			a.Office.Issued, a.Office.Ended, a.notices.On, a.push,
		},
		Setting: a.Setting, Log: a.o.Log, Trace: a.o.Trace, Failpoint: a.o.Failpoint,
	})
	if err != nil {
		return err
	}
	if err := a.Service.Publish(ctx); err != nil {
		return err
	}
	if err := a.openSettings(ctx); err != nil {
		return err
	}
	a.runner = job.NewRunner(a.Queue, a.failing(a.jobs()), job.Options{
		Workers: a.Config.Jobs.Workers, Lease: time.Duration(a.Config.Jobs.Lease), Poll: a.o.Poll, Break: a.o.Break, Every: a.timers(),
	})
	return a.serveRoutes(auditLog)
}

// join makes one map of several; a key given twice is caught by who takes it.
func join[T any](all ...map[string]T) map[string]T {
	out := map[string]T{}
	for _, m := range all {
		for k, v := range m {
			if _, twice := out[k]; twice {
				panic("app: " + k + " given twice")
			}
			out[k] = v
		}
	}
	return out
}

func (a *App) openBlobs(ctx context.Context) error {
	c := a.Config.Blob
	disk, err := blob.OpenDisk(c.Dir)
	if err != nil {
		return err
	}
	a.Blobs = disk
	var stage blob.Staging = disk
	if c.Kind == "s3" {
		key, err := config.ReadSecret(c.S3.SecretKeyFile)
		if err != nil {
			return err
		}
		s, err := blob.OpenS3(ctx, blob.S3Config{
			Endpoint: c.S3.Endpoint, Region: c.S3.Region, Bucket: c.S3.Bucket, Prefix: c.S3.Prefix, AccessKey: c.S3.AccessKey, SecretKey: string(key), TLS: c.S3.TLS,
		})
		if err != nil {
			return err
		}
		a.Blobs, stage = s, s
	}
	if a.o.Failpoint != nil {
		stage = failingStage{stage, a}
	}
	l := a.Config.Limits
	a.Uploads = blob.NewUploads(a.DB, a.Blobs, stage, blob.Limits{
		File: int64(l.Upload), Recording: int64(l.Recording), Chunk: int64(l.Chunk), Zip: blob.DefaultZip(), Clock: a.o.Wall,
	})
	return nil
}

// numberRules are the shapes of numbers until the bureau fixes them; numbers
// that only an authority gives begin with 测 so that none looks real.
func numberRules() map[string]number.Rule {
	return map[string]number.Rule{
		"online":  {Template: "网 {year} {seq:6}", Reset: "year"},
		"project": {Template: "规 {year} {seq:6}", Reset: "year"},
		"query":   {Template: "测查 {year} {seq:6}", Reset: "year"},
		"proof":   {Template: "测({year}){short}字不动产证明第{seq:6}号", Reset: "year", PerDistrict: true},
		"title":   {Template: "测({year}){short}字不动产权第{seq:6}号", Reset: "year", PerDistrict: true},
		"opinion": {Template: "测规划资源许选〔{year}〕{seq}号", Reset: "year"},
	}
}

// Setting is what a bureau sets. Every key has a default.
func (a *App) Setting(key string) string {
	if v, ok := a.o.Settings[key]; ok {
		return v
	}
	return a.board.value(key)
}

// Run works jobs and timers until ctx ends.
func (a *App) Run(ctx context.Context) error {
	go a.keepSettings(ctx)
	return a.runner.Run(ctx)
}

// Handler is the whole HTTP face.
func (a *App) Handler() http.Handler { return a.face }

// Close ends the database; call it when Run has returned and nobody asks.
func (a *App) Close() error { return a.DB.Close() }

func (a *App) jobs() map[string]job.Handler {
	return map[string]job.Handler{
		casework.JobVerb:      a.Service.WorkVerb,
		notice.JobSend:        func(ctx context.Context, j job.Job) error { return a.notices.Send(ctx, a.DB, j) },
		consult.JobStart:      func(ctx context.Context, j job.Job) error { return a.Consults.Start(ctx, a.Service, j) },
		consult.JobSupplement: func(ctx context.Context, j job.Job) error { return a.Consults.HandOver(ctx, a.Service, j) },
		registry.JobTell:      a.Office.Tell,
		jobPush:               a.workPush,
		jobCode:               a.workCode,
	}
}

func (a *App) timers() []job.Timer {
	count := func(f func(context.Context) (int, error)) func(context.Context) error {
		return func(ctx context.Context) error { _, err := f(ctx); return err }
	}
	out := []job.Timer{
		{Name: "case-timers", Every: time.Second, Run: count(a.Service.FireTimers)},
		{Name: "consents-expire", Every: 10 * time.Second, Run: count(func(ctx context.Context) (int, error) { return a.Parties.Expire(ctx, a.Service) })},
		{Name: "fee-sweep", Every: 15 * time.Second, Run: count(func(ctx context.Context) (int, error) { return a.Fees.Sweep(ctx, a.Service) })},
		{Name: "audit-seal", Every: 5 * time.Second, Run: count(a.audit.Seal)},
		{Name: "uploads-sweep", Every: time.Hour, Run: count(func(ctx context.Context) (int, error) { return a.Uploads.Sweep(ctx, 48*time.Hour) })},
		{Name: "sessions-sweep", Every: time.Hour, Run: func(ctx context.Context) error {
			return a.DB.Tx(ctx, func(tx *db.Tx) error { return a.People.Sessions().Sweep(ctx, tx) })
		}},
		{Name: "exchanges-purge", Every: 24 * time.Hour, Run: func(ctx context.Context) error {
			_, err := a.book.Purge(ctx, a.o.Wall.Now(), 180*24*time.Hour)
			return err
		}},
	}
	return append(out, job.Timer{Name: "callbacks-sweep", Every: time.Minute, Run: func(ctx context.Context) error {
		for _, r := range a.receivers {
			if _, err := r.Sweep(ctx); err != nil {
				return err
			}
		}
		return nil
	}})
}
