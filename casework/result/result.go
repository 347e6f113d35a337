// Package result makes what a case ends with: a numbered paper with a QR that a
// stranger can check (R1.10). The number is taken once, the paper is drawn
// outside any transaction, and the case goes on when both are there. A checker
// sees the state now and only what the holder released.
package result

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"haoban/casework"
	"haoban/casework/material"
	"haoban/casework/matter"
	"haoban/casework/party"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/job"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix res_.
func Migrations() db.Line { return db.Line{Room: "res", FS: migrations} }

// The states of a result.
const (
	Making     = "making"
	Valid      = "valid"
	Superseded = "superseded"
	Lost       = "lost"
	Voided     = "voided"
	Frozen     = "frozen"
)

// StateText is a state as people read it.
func StateText(s string) string {
	return map[string]string{
		Making: "制作中", Valid: "有效", Superseded: "已被新的证书取代", Lost: "已声明遗失，不再有效", Voided: "已作废", Frozen: "已冻结",
	}[s]
}

// Fact is one thing a checker may see.
type Fact struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Value string `json:"value"`
	Mask  string `json:"mask"`
	On    bool   `json:"on"`
}

// Result is one numbered paper.
type Result struct {
	ID, Case, Kind, Name, No, State, Reason string
	Material                                string
	Version                                 int
	Facts                                   []Fact
	Issued                                  int64
	Token                                   string
	QR                                      bool
	QRUntil                                 int64
	QRFields                                []string
	Next                                    string
}

// Renderer draws a result's paper and stores its bytes durably.
type Renderer interface {
	Paper(ctx context.Context, snap *casework.Snapshot, name string, extra map[string]any) (material.In, error)
}

// Room is the face of this package.
type Room struct {
	render  Renderer
	numbers casework.Numberer
	parties *party.Room
	keys    gm.Keys
	site    string
}

// New returns the room; site is the public address a QR leads to.
func New(r Renderer, n casework.Numberer, parties *party.Room, keys gm.Keys, site string) *Room {
	return &Room{render: r, numbers: n, parties: parties, keys: keys, site: site}
}

// Verbs are what processes may call: result.make:<kind> makes the result of
// that kind.
func (r *Room) Verbs() map[string]casework.Verb {
	return map[string]casework.Verb{"result.make": {Async: r.make}}
}

// Commands are the commands of this room.
func (r *Room) Commands() map[string]casework.Handler {
	return map[string]casework.Handler{
		"result.qr": {Audit: "result.qr", Apply: r.qr},
	}
}

// make reserves the number first, in a transaction of its own and only once per
// case and kind, then draws, then hands in.
func (r *Room) make(ctx context.Context, s *casework.Service, snap *casework.Snapshot, c casework.Call) (func(context.Context, *casework.Work) (map[string]any, error), error) {
	def, ok := snap.M.ResultOf(c.Args)
	if !ok {
		return nil, fmt.Errorf("%s has no result %q", snap.Matter, c.Args)
	}
	res, err := r.reserve(ctx, s, snap, def, c.Key)
	if err != nil {
		return nil, err
	}
	extra := map[string]any{
		"no": res.No, "name": def.Name, "issued": s.DB().Clock().Now(), "verifyURL": r.URL(res.Token), "token": res.Token,
	}
	in, err := r.render.Paper(ctx, snap, def.Paper, extra)
	if err != nil {
		return nil, err
	}
	in.Node, in.Name, in.Group, in.Origin, in.Source = "result/"+def.Kind, def.Name, "结果文书", material.Made, "系统制作"
	return func(ctx context.Context, w *casework.Work) (map[string]any, error) {
		id, err := material.Put(ctx, w, in)
		if err != nil {
			return nil, err
		}
		if _, err := w.Tx.Exec(ctx, `UPDATE res_result SET state = $1, material = $2, issued_at = $3 WHERE id = $4 AND state = $5`,
			Valid, id, w.Tx.NowMS(), res.ID, Making); err != nil {
			return nil, fmt.Errorf("result: %w", err)
		}
		w.Emit("issued", "制作 "+def.Name+" "+res.No, "", map[string]any{"result": res.ID, "kind": def.Kind, "no": res.No})
		return map[string]any{"resultNo": res.No}, nil
	}, nil
}

// URL is where the QR of token leads.
func (r *Room) URL(token string) string { return r.site + "/verify/" + token }

func (r *Room) reserve(ctx context.Context, s *casework.Service, snap *casework.Snapshot, def matter.Result, key string) (Result, error) {
	var out Result
	err := s.System(ctx, snap.ID, func(ctx context.Context, w *casework.Work) error {
		if !w.M.Flow.Awaits(w.State, key) {
			return job.Wait(time.Second) // another process was quicker; the next look finds nothing to do
		}
		have, err := r.list(ctx, w.Tx, `case_id = $1 AND kind = $2 AND state = 'making'`, w.ID, def.Kind)
		if err != nil {
			return err
		}
		if len(have) > 0 {
			out = have[0]
			return nil
		}
		var version int
		if err := w.Tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) + 1 FROM res_result WHERE case_id = $1 AND kind = $2`, w.ID, def.Kind).Scan(&version); err != nil {
			return fmt.Errorf("result: %w", err)
		}
		no, err := r.numbers.Take(ctx, w.Tx, def.Number, map[string]string{"day": casework.Today(w.Now()), "district": w.District})
		if err != nil {
			return err
		}
		facts, released, err := factsOf(def, w.Env())
		if err != nil {
			return err
		}
		id, token := db.NewID(), newToken()
		sealed, err := r.seal(ctx, id, facts)
		if err != nil {
			return err
		}
		until := db.MS(w.Now().AddDate(0, 0, 90))
		if _, err := w.Tx.Exec(ctx, `INSERT INTO res_result (id, case_id, kind, name, no, state, reason, subject, version, material,
			facts_sealed, reserved_at, issued_at, qr_token, qr_on, qr_until, qr_fields, next)
			VALUES ($1,$2,$3,$4,$5,$6,'',$7,$8,'',$9,$10,0,$11,$12,$13,$14,'')`,
			id, w.ID, def.Kind, def.Name, no, Making, w.ID, version, sealed, w.Tx.NowMS(), token, def.QR, until, js(released)); err != nil {
			return fmt.Errorf("result: %w", err)
		}
		holders, err := r.holders(ctx, w, def)
		if err != nil {
			return err
		}
		for _, h := range holders {
			if _, err := w.Tx.Exec(ctx, `INSERT INTO res_holder (scope, result) VALUES ($1,$2) ON CONFLICT DO NOTHING`, h, id); err != nil {
				return fmt.Errorf("result: %w", err)
			}
		}
		out = Result{ID: id, Case: w.ID, Kind: def.Kind, Name: def.Name, No: no, Token: token}
		return nil
	})
	return out, err
}

// holders are who holds the result: the applicant, or the parties of the role
// the matter names.
func (r *Room) holders(ctx context.Context, w *casework.Work, def matter.Result) ([]string, error) {
	if def.Holder == "" {
		if w.Org != "" {
			return []string{ident.OrgScope(w.Org)}, nil
		}
		return []string{ident.PersonScope(w.Opener)}, nil
	}
	ps, err := r.parties.Of(ctx, w.Tx, w.Bundle)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range ps {
		for _, role := range p.Roles {
			if role.Case != w.ID || role.Role != def.Holder {
				continue
			}
			if p.Kind == "org" {
				out = append(out, ident.OrgScope(p.Org))
			} else {
				out = append(out, ident.PersonScope(p.Person))
			}
		}
	}
	return out, nil
}

func factsOf(def matter.Result, env matter.Env) ([]Fact, []string, error) {
	var facts []Fact
	released := []string{}
	for _, f := range def.Releases {
		v, err := matter.Text(f.Expr, env)
		if err != nil {
			return nil, nil, err
		}
		facts = append(facts, Fact{ID: f.ID, Label: f.Label, Value: v, Mask: f.Mask, On: f.On})
		if f.On {
			released = append(released, f.ID)
		}
	}
	return facts, released, nil
}

func (r *Room) seal(ctx context.Context, id string, facts []Fact) (string, error) {
	b, err := r.keys.Seal(ctx, "case", []byte(js(facts)), []byte(id+"\x00facts"))
	if err != nil {
		return "", fmt.Errorf("result: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(b), nil
}

func newToken() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

const columns = `id, case_id, kind, name, no, state, reason, version, material, facts_sealed, issued_at, qr_token, qr_on, qr_until, qr_fields, next`

func (r *Room) list(ctx context.Context, q db.Querier, where string, args ...any) (out []Result, err error) {
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM res_result WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var x Result
		var sealed, fields string
		if err := rows.Scan(&x.ID, &x.Case, &x.Kind, &x.Name, &x.No, &x.State, &x.Reason, &x.Version, &x.Material,
			&sealed, &x.Issued, &x.Token, &x.QR, &x.QRUntil, &fields, &x.Next); err != nil {
			return nil, err
		}
		raw, err := base64.RawStdEncoding.DecodeString(sealed)
		if err != nil {
			return nil, fmt.Errorf("result %s: %w", x.ID, err)
		}
		plain, err := r.keys.Open(ctx, "case", raw, []byte(x.ID+"\x00facts"))
		if err != nil {
			return nil, fmt.Errorf("result %s: %w", x.ID, err)
		}
		if err := errors.Join(json.Unmarshal(plain, &x.Facts), json.Unmarshal([]byte(fields), &x.QRFields)); err != nil {
			return nil, fmt.Errorf("result %s: %w", x.ID, err)
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

// Of returns the results of a case, for a caller who has passed the visibility
// filter.
func (r *Room) Of(ctx context.Context, q db.Querier, caseID string) ([]Result, error) {
	return r.list(ctx, q, `case_id = $1 AND state <> 'making' ORDER BY version`, caseID)
}

// holding are the scopes under which an actor holds results now: the
// organisation they act for, or themselves.
func holding(a ident.Actor) string {
	if a.OrgID != "" {
		return ident.OrgScope(a.OrgID)
	}
	if a.Kind == ident.KindPerson {
		return ident.PersonScope(a.PersonID)
	}
	return ""
}

// Mine returns the results an actor holds, newest first.
func (r *Room) Mine(ctx context.Context, q db.Querier, a ident.Actor) ([]Result, error) {
	return r.list(ctx, q, `id IN (SELECT result FROM res_holder WHERE scope = $1) AND state <> 'making' ORDER BY issued_at DESC, id LIMIT 200`, holding(a))
}

// errNone answers an unknown result and somebody else's alike.
var errNone = errs.New(errs.NotFound, "result.not_found", "没有这份证照，或者不是您的")

// Held returns one result to its holder.
func (r *Room) Held(ctx context.Context, q db.Querier, a ident.Actor, id string) (Result, error) {
	rs, err := r.list(ctx, q, `id = $1 AND state <> 'making'`, id)
	if err != nil {
		return Result{}, err
	}
	if len(rs) != 1 {
		return Result{}, errNone
	}
	var n int
	if err := q.QueryRow(ctx, `SELECT count(*) FROM res_holder WHERE result = $1 AND scope = $2`, id, holding(a)).Scan(&n); err != nil {
		return Result{}, fmt.Errorf("result: %w", err)
	}
	if n == 0 {
		return Result{}, errNone
	}
	return rs[0], nil
}

// QRInput switches a QR on or off, sets its life and what a checker sees.
type QRInput struct {
	Result string   `json:"result"`
	On     bool     `json:"on"`
	Days   int      `json:"days"`
	Fields []string `json:"fields,omitempty"`
}

func (r *Room) qr(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	var in QRInput
	if err := json.Unmarshal(c.Data, &in); err != nil {
		return nil, errs.New(errs.Invalid, "command.data", "提交的内容格式不对，请刷新页面再试").Wrap(err)
	}
	x, err := r.Held(ctx, w.Tx, w.Actor, in.Result)
	if err != nil {
		return nil, err
	}
	if x.Case != w.ID {
		return nil, errNone
	}
	if in.Days < 1 || in.Days > 365 {
		return nil, errs.New(errs.Invalid, "qr.days", "出示天数应在 1 到 365 天之间").With("days", "range", "请填 1 到 365")
	}
	fields := x.QRFields
	if in.Fields != nil {
		fields = []string{}
		for _, f := range in.Fields {
			if !slices.ContainsFunc(x.Facts, func(k Fact) bool { return k.ID == f }) {
				return nil, errs.New(errs.Invalid, "qr.field", "没有这项内容可以出示："+f).With("fields", "one_of", "请从列出的内容里选")
			}
			fields = append(fields, f)
		}
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE res_result SET qr_on = $1, qr_until = $2, qr_fields = $3 WHERE id = $4`,
		in.On, db.MS(w.Now().AddDate(0, 0, in.Days)), js(fields), x.ID); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	return nil, nil
}

// Check is what a stranger learns of a QR.
type Check struct {
	Verdict string // valid, superseded, lost, voided, frozen, off, expired, unknown
	At      time.Time
	Name    string
	No      string
	Issued  int64
	Until   int64
	Facts   []Fact
	ID      string
	Case    string
}

// Verify answers a token from a QR. An unknown token, one that is switched off
// and one that ran out tell nothing of the paper but that.
func (r *Room) Verify(ctx context.Context, d *db.DB, token string) (Check, error) {
	now := d.Clock().Now()
	c := Check{Verdict: "unknown", At: now}
	rs, err := r.list(ctx, d.Q(), `qr_token = $1 AND state <> 'making'`, token)
	if err != nil {
		return c, err
	}
	if len(rs) != 1 {
		return c, nil
	}
	x := rs[0]
	switch {
	case !x.QR:
		c.Verdict = "off"
		return c, nil
	case x.QRUntil < db.MS(now):
		c.Verdict = "expired"
		return c, nil
	}
	c.Verdict, c.Name, c.No, c.Issued, c.Until, c.ID, c.Case = x.State, x.Name, x.No, x.Issued, x.QRUntil, x.ID, x.Case
	for _, f := range x.Facts {
		if !slices.Contains(x.QRFields, f.ID) {
			continue
		}
		switch f.Mask {
		case "name":
			f.Value = codes.MaskName(f.Value)
		case "id":
			f.Value = codes.MaskID(f.Value)
		case "address":
			f.Value = codes.MaskAddress(f.Value)
		}
		c.Facts = append(c.Facts, f)
	}
	return c, nil
}

// SetState changes what a checker is told about number no: lost, voided,
// superseded, frozen. It returns an error of kind errs.NotFound if there is no
// such result.
func SetState(ctx context.Context, tx *db.Tx, no, state, reason string) error {
	res, err := tx.Exec(ctx, `UPDATE res_result SET state = $1, reason = $2 WHERE no = $3`, state, reason, no)
	if err != nil {
		return fmt.Errorf("result: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("result: %w", err)
	}
	if n == 0 {
		return errNone
	}
	return nil
}

// ByNo returns a result by its number, for offices; false if there is none.
func (r *Room) ByNo(ctx context.Context, q db.Querier, no string) (Result, bool, error) {
	rs, err := r.list(ctx, q, `no = $1`, no)
	if err != nil || len(rs) == 0 {
		return Result{}, false, err
	}
	return rs[0], true, nil
}

func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain values of our own only
	}
	return string(b)
}
