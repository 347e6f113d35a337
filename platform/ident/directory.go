package ident

import (
	"context"
	"embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"haoban/platform/audit"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/gm"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the line of this room's tables.
func Migrations() db.Line { return db.Line{Room: "ident", FS: migrations} }

// The purposes of the keys used here.
const (
	keySeal = "ident"   // sealing of claims, blind indexes, MAC of codes sent by SMS
	keyOTP  = "otp"     // sealing of one-time code secrets
	keyRow  = "grant"   // MAC over rows that carry rights
	keyCSRF = "session" // MAC that is a session's CSRF token
)

// CodeSender sends a confirmation code to a mobile. It is called inside the
// transaction that records the code, so it must only enqueue; the message goes
// out after commit.
type CodeSender func(ctx context.Context, tx *db.Tx, mobile, code string) error

// Options are what a Directory is built from. DB and Keys are needed; every
// zero value of the rest has a meaning.
type Options struct {
	DB       *db.DB
	Keys     gm.Keys
	Audit    *audit.Log  // where tampering is reported; nil: only the log
	Wall     clock.Clock // sessions, log-ins and codes; nil: the machine's
	SendCode CodeSender  // nil: codes cannot be sent, and RequestPhoneCode says so
	Argon    Argon       // zero: 19 MiB, 2 passes
	// PasswordDays is after how many days a password must be changed; 0: 90.
	PasswordDays int
	// StaffSessions is how many sessions an official may have at once; one more
	// ends the oldest. 0: 2.
	StaffSessions int
	// PublicIdle and StaffIdle end a session nobody uses; 0: 30 minutes.
	PublicIdle, StaffIdle time.Duration
	// PublicLife and StaffLife end any session; 0: 12 hours.
	PublicLife, StaffLife time.Duration
}

// Directory is the house's knowledge of persons, organisations, officials and
// what they may do. It is safe for concurrent use.
type Directory struct {
	opt   Options
	argon chan struct{} // bounds how many password hashes are reckoned at once
	dummy string        // hash checked for unknown accounts
}

// New returns a directory over the tables of Migrations.
func New(opt Options) (*Directory, error) {
	if opt.DB == nil || opt.Keys == nil {
		return nil, fmt.Errorf("ident: database and keys are needed")
	}
	if opt.Wall == nil {
		opt.Wall = clock.Wall{}
	}
	opt.Argon = opt.Argon.orDefault()
	orInt(&opt.PasswordDays, 90)
	orInt(&opt.StaffSessions, 2)
	orDur(&opt.PublicIdle, 30*time.Minute)
	orDur(&opt.StaffIdle, 30*time.Minute)
	orDur(&opt.PublicLife, 12*time.Hour)
	orDur(&opt.StaffLife, 12*time.Hour)
	dummy, err := opt.Argon.hash("no account has this password")
	if err != nil {
		return nil, err
	}
	return &Directory{opt: opt, argon: make(chan struct{}, 4), dummy: dummy}, nil
}

func orInt(p *int, v int) {
	if *p == 0 {
		*p = v
	}
}

func orDur(p *time.Duration, v time.Duration) {
	if *p == 0 {
		*p = v
	}
}

func (d *Directory) wall() time.Time { return d.opt.Wall.Now() }

// seal and open keep a value so that it can only be read back as the same
// field of the same row.
func (d *Directory) seal(ctx context.Context, row, field, value string) ([]byte, error) {
	b, err := d.opt.Keys.Seal(ctx, keySeal, []byte(value), frame(row, field))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", field, err)
	}
	return b, nil
}

func (d *Directory) open(ctx context.Context, row, field string, sealed []byte) (string, error) {
	b, err := d.opt.Keys.Open(ctx, keySeal, sealed, frame(row, field))
	if err != nil {
		return "", fmt.Errorf("open %s: %w", field, err)
	}
	return string(b), nil
}

func (d *Directory) index(ctx context.Context, kind, value string) (string, error) {
	s, err := d.opt.Keys.Index(ctx, keySeal, kind+":"+value)
	if err != nil {
		return "", fmt.Errorf("index %s: %w", kind, err)
	}
	return s, nil
}

// mac returns the MAC over a row's fields under its table's name.
func (d *Directory) mac(ctx context.Context, table string, fields ...string) ([]byte, error) {
	m, err := d.opt.Keys.MAC(ctx, keyRow, frame(append([]string{table}, fields...)...))
	if err != nil {
		return nil, fmt.Errorf("mac %s: %w", table, err)
	}
	return m, nil
}

// check compares a row with its MAC. It returns ErrTampered, which names the
// table and the id in its cause.
func (d *Directory) check(ctx context.Context, stored []byte, table string, fields ...string) error {
	err := d.opt.Keys.CheckMAC(ctx, keyRow, frame(append([]string{table}, fields...)...), stored)
	switch {
	case errors.Is(err, gm.ErrMAC):
		return ErrTampered.Wrap(&tampered{table, fields[0]})
	case err != nil:
		return fmt.Errorf("check %s: %w", table, err)
	}
	return nil
}

type tampered struct{ table, id string }

func (t *tampered) Error() string { return t.table + " " + t.id + " does not match its MAC" }

// frame joins fields so that no two lists of fields give the same bytes.
func frame(fields ...string) []byte {
	var b []byte
	for _, f := range fields {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f))) //nolint:gosec // fields are short
		b = append(b, f...)
	}
	return b
}

func num(v int64) string { return strconv.FormatInt(v, 10) }

// list writes a list as JSON, the empty one as "[]".
func list(v []string) (string, error) {
	if v == nil {
		v = []string{}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("list: %w", err)
	}
	return string(b), nil
}

func unlist(s string) ([]string, error) {
	var v []string
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return nil, fmt.Errorf("list %q: %w", s, err)
	}
	if len(v) == 0 {
		return nil, nil
	}
	return v, nil
}

// record writes one audit event about something that was done.
func record(ctx context.Context, tx *db.Tx, typ string, a Actor, subject string, detail map[string]string) error {
	return write(ctx, tx, typ, a, subject, "ok", "", detail)
}

// refuse writes one audit event about something that was refused, in a
// transaction that commits.
func refuse(ctx context.Context, tx *db.Tx, typ string, a Actor, subject, code string) error {
	return write(ctx, tx, typ, a, subject, "refused", code, nil)
}

func write(ctx context.Context, tx *db.Tx, typ string, a Actor, subject, outcome, code string, detail map[string]string) error {
	err := audit.Write(ctx, tx, audit.Event{
		Type: typ, Actor: a.ID, ActorKind: a.Kind, Subject: subject,
		Outcome: outcome, Code: code, Detail: detail, IP: a.IP,
	})
	if err != nil {
		return fmt.Errorf("audit %s: %w", typ, err)
	}
	return nil
}

// Report writes an audit event if err is ErrTampered, and does nothing else.
// The verbs that open their own transaction call it themselves; whoever gets
// ErrTampered from a verb that was given a transaction or querier calls it
// after that has ended. It may be called for any error.
func (d *Directory) Report(ctx context.Context, err error) {
	var t *tampered
	if !errors.As(err, &t) {
		return
	}
	slog.ErrorContext(ctx, "row does not match its MAC", "table", t.table, "id", t.id)
	if d.opt.Audit == nil {
		return
	}
	if err := d.opt.Audit.Failed(ctx, audit.Event{
		Type: "ident.tampered", Actor: "system", ActorKind: KindSystem,
		Subject: t.id, Outcome: "failed", Code: ErrTampered.Code, Detail: map[string]string{"table": t.table},
	}); err != nil {
		slog.ErrorContext(ctx, "audit of tampering", "err", err)
	}
}
