// Package audit keeps who did what to which thing, when, from where and with
// what outcome (安全审计).
//
// Success is written in the transaction that did it, refusal and failure in one
// of their own after the roll-back. The sorts of event are a closed catalogue.
// Rows carry ids, never personal data: an identity or mobile number that slips
// into a detail is masked. Rows are only added (the database refuses anything
// else) and each is sealed with a MAC that Check proves.
package audit

import (
	"context"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"haoban/platform/clock"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the line of this room.
func Migrations() db.Line { return db.Line{Room: "audit", FS: migrations} }

// Purpose names the keys that seal rows.
const Purpose = "audit"

// The outcomes.
const (
	OK      = "ok"      // it was done
	Refused = "refused" // the house said no: Code says why
	Failed  = "failed"  // the house could not: Code says where
)

// Event is one thing that somebody did or tried.
type Event struct {
	Type      string            // of the catalogue
	Actor     string            // id of who; "" for nobody known
	ActorKind string            // person, official, partner, system
	Subject   string            // id of what it was done to
	Case      string            // id of the case, if any
	Outcome   string            // OK, Refused, Failed; empty is OK
	Code      string            // of the refusal or failure
	Detail    map[string]string // what else matters, as ids and words; no personal data
	IP        string            // where from
}

// ErrType says that an event is not in the catalogue, which is the fault of
// whoever wrote it.
var ErrType = errs.New(errs.Internal, "audit.type", "审计事件类型没有登记")

// ErrEvent says that an event cannot be written as it is.
var ErrEvent = errs.New(errs.Internal, "audit.event", "审计事件内容不正确")

// A detail longer than this is cut; more keys than this are an error.
const (
	maxText = 500
	maxKeys = 30
)

// Row is an event as it stands in the log.
type Row struct {
	Event
	ID     string
	At     time.Time // business time
	WallAt time.Time // wall time
	Sealed bool
}

// Write adds an event inside tx: it is in the log if and only if tx commits. It
// returns ErrType for an event that is not in the catalogue. The row is sealed
// by the next Log.Seal, since a key service may not be asked inside a
// transaction.
func Write(ctx context.Context, tx *db.Tx, e Event) error {
	r, err := newRow(e, tx.NowMS())
	if err != nil {
		return err
	}
	return r.insert(ctx, tx, "")
}

// Log writes what cannot be written in the transaction that did it, seals rows
// and proves them.
type Log struct {
	db   *db.DB
	keys gm.Keys
}

// New returns the log. Without keys (tests) rows stay unsealed.
func New(d *db.DB, keys gm.Keys) *Log { return &Log{db: d, keys: keys} }

// Failed writes an event in a transaction of its own, sealed; it is for what was
// refused or failed, after the roll-back. It outlives the end of ctx, so that a
// visitor who hangs up leaves a trace. Inside a transaction it returns
// db.ErrNested, or waits for a writer that is not free: call it after.
func (l *Log) Failed(ctx context.Context, e Event) error {
	r, err := newRow(e, db.MS(l.db.Clock().Now()))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	mac, err := l.mac(ctx, r)
	if errs.KindOf(err) == errs.Unavailable {
		mac, err = "", nil // better unsealed for now than not at all
	}
	if err != nil {
		return err
	}
	return l.db.Group(ctx, func(tx *db.Tx) error { return r.insert(ctx, tx, mac) })
}

// sealBatch is how many rows one Seal takes.
const sealBatch = 500

// Seal seals rows that have no MAC yet, the oldest first, and returns how many
// it sealed; a full batch means that there may be more. It does nothing without
// keys. A timer calls it every few seconds.
func (l *Log) Seal(ctx context.Context) (int, error) {
	if l.keys == nil {
		return 0, nil
	}
	rows, err := query(ctx, l.db.Q(), "WHERE mac = '' ORDER BY id LIMIT $1", sealBatch)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	macs := make([]string, len(rows))
	for i, r := range rows {
		if macs[i], err = l.mac(ctx, r); err != nil {
			return 0, err
		}
	}
	err = l.db.Group(ctx, func(tx *db.Tx) error {
		for i, r := range rows {
			// Another node may have been first: then the row is left alone.
			if _, err := tx.Exec(ctx, `UPDATE audit_event SET mac = $2 WHERE id = $1 AND mac = ''`, r.id, macs[i]); err != nil {
				return fmt.Errorf("audit: %w", err)
			}
		}
		return nil
	})
	return len(rows), err
}

// Finding is what Check has to say about one stretch of the log.
type Finding struct {
	Rows     int      // how many were looked at
	Unsealed int      // how many of them have no MAC yet
	Broken   []string // ids of rows that are not as they were written
	Next     string   // where to go on; empty at the end
}

// Check proves up to limit rows after the one named (empty: from the first), the
// oldest first.
func (l *Log) Check(ctx context.Context, after string, limit int) (Finding, error) {
	var f Finding
	rows, err := query(ctx, l.db.Q(), "WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
	if err != nil {
		return f, err
	}
	for _, r := range rows {
		f.Rows++
		if r.mac == "" {
			f.Unsealed++
			continue
		}
		if l.keys == nil {
			continue
		}
		mac, err := hex.DecodeString(r.mac)
		if err == nil {
			err = l.keys.CheckMAC(ctx, Purpose, r.bytes(), mac)
		}
		if errs.KindOf(err) == errs.Unavailable {
			return f, err
		}
		if err != nil {
			f.Broken = append(f.Broken, r.id)
		}
	}
	if len(rows) == limit && limit > 0 {
		f.Next = rows[len(rows)-1].id
	}
	return f, nil
}

func (l *Log) mac(ctx context.Context, r row) (string, error) {
	if l.keys == nil {
		return "", nil
	}
	b, err := l.keys.MAC(ctx, Purpose, r.bytes())
	if err != nil {
		return "", fmt.Errorf("audit: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// row is the stored form. What Check proves is what the table holds, byte for
// byte, so the detail stays text.
type row struct {
	id, typ, outcome, actor, actorKind, subject, caseID, code, ip, detail, mac string
	at, wallAt                                                                 int64
}

func newRow(e Event, at int64) (row, error) {
	if _, ok := known()[e.Type]; !ok {
		return row{}, ErrType.Wrap(fmt.Errorf("%q", e.Type))
	}
	if e.Outcome == "" {
		e.Outcome = OK
	}
	if e.Outcome != OK && e.Outcome != Refused && e.Outcome != Failed {
		return row{}, ErrEvent.Wrap(fmt.Errorf("outcome %q", e.Outcome))
	}
	if len(e.Detail) > maxKeys {
		return row{}, ErrEvent.Wrap(fmt.Errorf("%d details", len(e.Detail)))
	}
	detail := map[string]string{}
	for k, v := range e.Detail {
		detail[tidy(k)] = tidy(v)
	}
	text, err := json.Marshal(detail) // sorts the keys
	if err != nil {
		return row{}, ErrEvent.Wrap(err)
	}
	return row{
		id: db.NewID(), at: at, wallAt: db.MS(clock.Wall{}.Now()), typ: e.Type, outcome: e.Outcome,
		actor: tidy(e.Actor), actorKind: tidy(e.ActorKind), subject: tidy(e.Subject), caseID: tidy(e.Case),
		code: tidy(e.Code), ip: host(e.IP), detail: string(text),
	}, nil
}

func (r row) insert(ctx context.Context, tx *db.Tx, mac string) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit_event (id, at, wall_at, type, outcome, actor, actor_kind, subject, case_id, code, ip, detail, prev, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', $13)`,
		r.id, r.at, r.wallAt, r.typ, r.outcome, r.actor, r.actorKind, r.subject, r.caseID, r.code, r.ip, r.detail, mac)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// bytes is what the MAC covers: every column with its length before it.
func (r row) bytes() []byte {
	var b []byte
	text := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // columns are short
		b = append(b, s...)
	}
	text("haoban audit 1")
	text(r.id)
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))     //nolint:gosec // the bits, not the number
	b = binary.BigEndian.AppendUint64(b, uint64(r.wallAt)) //nolint:gosec // the bits, not the number
	for _, s := range []string{r.typ, r.outcome, r.actor, r.actorKind, r.subject, r.caseID, r.code, r.ip, r.detail} {
		text(s)
	}
	return b
}

func (r row) public() (Row, error) {
	out := Row{
		ID: r.id, At: db.Time(r.at), WallAt: db.Time(r.wallAt), Sealed: r.mac != "",
		Event: Event{
			Type: r.typ, Actor: r.actor, ActorKind: r.actorKind, Subject: r.subject, Case: r.caseID,
			Outcome: r.outcome, Code: r.code, IP: r.ip,
		},
	}
	if r.detail != "{}" {
		if err := json.Unmarshal([]byte(r.detail), &out.Detail); err != nil {
			return out, fmt.Errorf("audit %s: %w", r.id, err)
		}
	}
	return out, nil
}

const columns = `SELECT id, at, wall_at, type, outcome, actor, actor_kind, subject, case_id, code, ip, detail, mac FROM audit_event `

func query(ctx context.Context, q db.Querier, where string, args ...any) (list []row, err error) {
	rows, err := q.Query(ctx, columns+where, args...)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.at, &r.wallAt, &r.typ, &r.outcome, &r.actor, &r.actorKind, &r.subject, &r.caseID,
			&r.code, &r.ip, &r.detail, &r.mac); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// tidy makes s fit for the log: text, no longer than may be, and identity and
// mobile numbers masked.
func tidy(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
	if utf8.RuneCountInString(s) > maxText {
		s = string([]rune(s)[:maxText-1]) + "…"
	}
	var out strings.Builder
	for start := 0; start < len(s); {
		end := start
		for end < len(s) && wordByte(s[end]) {
			end++
		}
		if end == start {
			out.WriteByte(s[start])
			start++
			continue
		}
		out.WriteString(masked(s[start:end]))
		start = end
	}
	return out.String()
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func masked(word string) string {
	switch len(word) {
	case 18:
		if id, err := codes.ParseResidentID(word); err == nil {
			return id.Masked()
		}
	case 11:
		if m, err := codes.ParseMobile(word); err == nil {
			return m.Masked()
		}
	}
	return word
}

// host takes the port off an address.
func host(ip string) string {
	if a, err := netip.ParseAddrPort(ip); err == nil {
		return a.Addr().Unmap().String()
	}
	return tidy(ip)
}
