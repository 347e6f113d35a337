package party

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"haoban/casework"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
)

const columns = `id, bundle, kind, person, org, name_sealed, mobile_sealed, roles, needs, done, ord, state, digest, asked_at, expires_at, done_at, reason`

func (r *Room) scan(ctx context.Context, row interface{ Scan(...any) error }) (Party, error) {
	var p Party
	var name, mobile, roles, needs, done string
	if err := row.Scan(&p.ID, &p.Bundle, &p.Kind, &p.Person, &p.Org, &name, &mobile, &roles, &needs, &done, &p.Order, &p.State,
		&p.Digest, &p.Asked, &p.Expires, &p.At, &p.Reason); err != nil {
		return p, err
	}
	for _, x := range []struct {
		text string
		into any
	}{{roles, &p.Roles}, {needs, &p.Needs}, {done, &p.Done}} {
		if err := json.Unmarshal([]byte(x.text), x.into); err != nil {
			return p, fmt.Errorf("party %s: %w", p.ID, err)
		}
	}
	var err error
	if p.Name, err = r.open(ctx, p.ID, "name", name); err != nil {
		return p, err
	}
	p.Mobile, err = r.open(ctx, p.ID, "mobile", mobile)
	return p, err
}

func (r *Room) list(ctx context.Context, q db.Querier, where string, args ...any) (out []Party, err error) {
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM pty_party WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("parties: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		p, err := r.scan(ctx, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Of returns the parties of a bundle in order. The caller has passed the
// visibility filter and masks the names.
func (r *Room) Of(ctx context.Context, q db.Querier, bundle string) ([]Party, error) {
	return r.list(ctx, q, `bundle = $1 AND state <> 'withdrawn' ORDER BY ord, id`, bundle)
}

// Box is the task box of a person or organisation: what waits for them.
func (r *Room) Box(ctx context.Context, q db.Querier, a ident.Actor) ([]Party, error) {
	if a.OrgID != "" {
		return r.list(ctx, q, `org = $1 AND kind = 'org' AND state = $2 ORDER BY asked_at`, a.OrgID, Waiting)
	}
	return r.list(ctx, q, `person = $1 AND kind = 'person' AND state = $2 ORDER BY asked_at`, a.PersonID, Waiting)
}

// Get returns one party to whom it is addressed; anybody else gets ErrNone, as
// if there were none.
func (r *Room) Get(ctx context.Context, q db.Querier, a ident.Actor, id string) (Party, error) {
	p, err := r.scan(ctx, q.QueryRow(ctx, `SELECT `+columns+` FROM pty_party WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNone
	}
	if err != nil {
		return p, fmt.Errorf("party: %w", err)
	}
	if !p.Mine(a) {
		return Party{}, ErrNone
	}
	return p, nil
}

// Resolve finds the party a handed-over link is for. A link is one-time until
// used up by the consent, dies with its party, and works only for that person:
// forwarded to another it answers ErrNone.
func (r *Room) Resolve(ctx context.Context, q db.Querier, a ident.Actor, token string, now int64) (Party, error) {
	ps, err := r.list(ctx, q, `token_hash = $1`, gm.SM3([]byte(token)))
	if err != nil {
		return Party{}, err
	}
	if len(ps) != 1 || !ps[0].Mine(a) {
		return Party{}, ErrNone
	}
	if ps[0].State == Expired || ps[0].Expires < now {
		return Party{}, ErrExpired
	}
	return ps[0], nil
}

// act loads the party a command is about and checks that the actor may do need
// now.
func (r *Room) act(ctx context.Context, w *casework.Work, id, need string) (Party, error) {
	p, err := r.Get(ctx, w.Tx, w.Actor, id)
	if err != nil {
		return p, err
	}
	if p.Bundle != w.Bundle {
		return p, ErrNone
	}
	switch {
	case p.State == Expired || p.State == Waiting && p.Expires < w.Tx.NowMS():
		return p, ErrExpired
	case p.State != Waiting:
		return p, ErrOver
	}
	if err := w.LoadMates(ctx); err != nil {
		return p, err
	}
	now, err := digest(ctx, w, p)
	if err != nil {
		return p, err
	}
	if now != p.Digest {
		return p, ErrChanged
	}
	all, err := r.Of(ctx, w.Tx, p.Bundle)
	if err != nil {
		return p, err
	}
	for _, o := range all {
		if o.Order < p.Order && o.Order > 0 && o.State != Done {
			return p, ErrTurn
		}
	}
	if need == "recording" && p.Owes("face") {
		return p, errs.New(errs.TooSoon, "consent.face_first", "请先完成人脸核验")
	}
	return p, nil
}

func (r *Room) mark(ctx context.Context, w *casework.Work, p *Party, need string) error {
	if !slices.Contains(p.Done, need) {
		p.Done = append(p.Done, need)
	}
	_, err := w.Tx.Exec(ctx, `UPDATE pty_party SET done = $1 WHERE id = $2`, js(p.Done), p.ID)
	if err != nil {
		return fmt.Errorf("party: %w", err)
	}
	return nil
}

func (r *Room) evidence(ctx context.Context, w *casework.Work, p Party, kind, sm3 string, detail any) error {
	_, err := w.Tx.Exec(ctx, `INSERT INTO pty_evidence (id, party, kind, digest, sm3, detail, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		db.NewID(), p.ID, kind, p.Digest, sm3, js(detail), w.Tx.NowMS())
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

func decode[T any](c casework.Command) (T, error) {
	var in T
	d := json.NewDecoder(strings.NewReader(string(c.Data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, errs.New(errs.Invalid, "command.data", "提交的内容格式不对，请刷新页面再试").Wrap(err)
	}
	return in, nil
}

// FaceInput is the outcome of a face check as its partner told it; the route
// asks the partner before the command.
type FaceInput struct {
	Party string  `json:"party"`
	OK    bool    `json:"ok"`
	Score float64 `json:"score"`
	Ref   string  `json:"ref"` // the partner's number of the check
	SM3   string  `json:"sm3"` // of the picture that was compared
}

func (r *Room) face(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[FaceInput](c)
	if err != nil {
		return nil, err
	}
	p, err := r.act(ctx, w, in.Party, "face")
	if err != nil {
		return nil, err
	}
	if err := r.evidence(ctx, w, p, "face", in.SM3, map[string]any{"ok": in.OK, "score": in.Score, "ref": in.Ref}); err != nil {
		return nil, err
	}
	if !in.OK {
		return map[string]any{"ok": false}, nil
	}
	return map[string]any{"ok": true}, r.mark(ctx, w, &p, "face")
}

// SignInput is a hand-drawn or typed signature; its picture is already stored.
type SignInput struct {
	Party   string `json:"party"`
	SM3     string `json:"sm3"`
	Method  string `json:"method"` // draw, type, ca, seal
	Strokes int    `json:"strokes"`
	Ref     string `json:"ref,omitempty"` // CA or seal: the partner's number
}

func (r *Room) sign(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[SignInput](c)
	if err != nil {
		return nil, err
	}
	need := "signature"
	if in.Method == "seal" {
		need = "seal"
	}
	p, err := r.act(ctx, w, in.Party, need)
	if err != nil {
		return nil, err
	}
	if in.Method == "draw" && in.Strokes < 2 {
		return nil, errs.New(errs.Invalid, "signature.empty", "请写上您的名字再确认").With("image", "strokes", "签名太短，请完整写出姓名")
	}
	if p.Owes("recording") {
		return nil, errs.New(errs.TooSoon, "consent.recording_first", "请先完成意愿录像")
	}
	if err := r.evidence(ctx, w, p, need, in.SM3, in); err != nil {
		return nil, err
	}
	return nil, r.mark(ctx, w, &p, need)
}

// ConfirmInput is the last word of a party about exactly what was shown.
type ConfirmInput struct {
	Party  string `json:"party"`
	Digest string `json:"digest"`
	Agree  bool   `json:"agree"`
	Reason string `json:"reason,omitempty"`
}

// confirm records consent or refusal. The last consent submits the bundle in
// the same transaction.
func (r *Room) confirm(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[ConfirmInput](c)
	if err != nil {
		return nil, err
	}
	p, err := r.act(ctx, w, in.Party, "agree")
	if err != nil {
		return nil, err
	}
	if in.Digest != p.Digest {
		return nil, ErrChanged
	}
	if !in.Agree {
		return nil, r.refuse(ctx, w, p, in.Reason)
	}
	for _, n := range p.Needs {
		if n != "agree" && p.Owes(n) {
			return nil, errs.New(errs.TooSoon, "consent.needs", "还有步骤没有完成："+NeedText(n))
		}
	}
	if err := r.mark(ctx, w, &p, "agree"); err != nil {
		return nil, err
	}
	if err := r.evidence(ctx, w, p, "agree", p.Digest, map[string]any{"digest": p.Digest}); err != nil {
		return nil, err
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE pty_party SET state = $1, done_at = $2, token_hash = $3 WHERE id = $4`, Done, w.Tx.NowMS(), "", p.ID); err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	for _, m := range w.Mates() {
		if p.InCase(m.ID) {
			m.Emit("consented", shownName(p)+" 已确认", "", map[string]any{"party": p.ID})
		}
	}
	all, err := r.Of(ctx, w.Tx, p.Bundle)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if o.State != Done {
			return nil, nil
		}
	}
	for _, m := range w.Mates() {
		if err := m.Submit(ctx); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func shownName(p Party) string {
	if p.Kind == "org" {
		return p.Name
	}
	return codes.MaskName(p.Name)
}

// NeedText names a need to people.
func NeedText(n string) string {
	return map[string]string{
		"face": "人脸核验", "recording": "意愿录像", "signature": "手写签名", "seal": "单位盖章", "agree": "阅读并同意",
	}[n]
}

func (r *Room) refuse(ctx context.Context, w *casework.Work, p Party, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errs.New(errs.Invalid, "reason.missing", "请写明不同意的理由").With("reason", "required", "发起人会看到您的理由")
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE pty_party SET state = $1, done_at = $2, reason = $3 WHERE id = $4`, Refused, w.Tx.NowMS(), reason, p.ID); err != nil {
		return fmt.Errorf("party: %w", err)
	}
	for _, m := range w.Mates() {
		m.SetPhase(casework.Draft)
		m.Emit("consent_refused", shownName(p)+" 不同意，退回修改", reason, nil)
	}
	return r.void(ctx, w)
}

// void ends every consent of the bundle: what they agreed to is no longer what
// stands there.
func (r *Room) void(ctx context.Context, w *casework.Work) error {
	_, err := w.Tx.Exec(ctx, `UPDATE pty_party SET state = $1, token_hash = $2 WHERE bundle = $3 AND state IN ('waiting', 'done')`, Withdrawn, "", w.Bundle)
	if err != nil {
		return fmt.Errorf("party: %w", err)
	}
	return nil
}

// reopen brings the filing back to the draft; all consents are void.
func (r *Room) reopen(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	if !w.Applicant() {
		return nil, casework.ErrNotYours
	}
	if w.Phase != casework.Consent {
		return nil, casework.ErrPhase
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	for _, m := range w.Mates() {
		m.SetPhase(casework.Draft)
		m.Emit("reopened", "发起人修改申报内容，之前的确认作废", "", nil)
	}
	return nil, r.void(ctx, w)
}

// LinkOutput is a fresh link to hand to a party; the earlier one dies.
type LinkOutput struct {
	Token   string `json:"token"`
	Expires int64  `json:"expires"`
}

type partyInput struct {
	Party string `json:"party"`
}

func (r *Room) link(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[partyInput](c)
	if err != nil {
		return nil, err
	}
	if !w.Applicant() {
		return nil, casework.ErrNotYours
	}
	token, hash := newToken()
	res, err := w.Tx.Exec(ctx, `UPDATE pty_party SET token_hash = $1 WHERE id = $2 AND bundle = $3 AND state = $4`, hash, in.Party, w.Bundle, Waiting)
	if err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return nil, ErrOver
	}
	var exp int64
	if err := w.Tx.QueryRow(ctx, `SELECT expires_at FROM pty_party WHERE id = $1`, in.Party).Scan(&exp); err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	return LinkOutput{Token: token, Expires: exp}, nil
}

// remind sends the message again, at most once an hour.
func (r *Room) remind(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[partyInput](c)
	if err != nil {
		return nil, err
	}
	if !w.Applicant() {
		return nil, casework.ErrNotYours
	}
	res, err := w.Tx.Exec(ctx, `UPDATE pty_party SET reminded_at = $1 WHERE id = $2 AND bundle = $3 AND state = $4 AND reminded_at < $5`,
		w.Tx.NowMS(), in.Party, w.Bundle, Waiting, w.Tx.NowMS()-3600_000)
	if err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return nil, errs.New(errs.TooMany, "party.reminded", "一小时内已经提醒过，或者对方已经确认")
	}
	w.Emit("party_reminded", "提醒一方确认", "", map[string]any{"party": in.Party})
	return nil, nil
}

// Expire ends invitations that ran out, each with its filing back in the
// draft, and returns how many.
func (r *Room) Expire(ctx context.Context, s *casework.Service) (int, error) {
	now := db.MS(s.DB().Clock().Now())
	ps, err := r.list(ctx, s.DB().Q(), `state = 'waiting' AND expires_at < $1 ORDER BY expires_at LIMIT 200`, now)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, p := range ps {
		err := s.System(ctx, p.Roles[0].Case, func(ctx context.Context, w *casework.Work) error {
			res, err := w.Tx.Exec(ctx, `UPDATE pty_party SET state = $1, token_hash = $2 WHERE id = $3 AND state = $4`, Expired, "", p.ID, Waiting)
			if err != nil {
				return fmt.Errorf("party: %w", err)
			}
			if k, err := res.RowsAffected(); err != nil || k == 0 {
				return err
			}
			if w.Phase != casework.Consent {
				return nil
			}
			if err := w.LoadMates(ctx); err != nil {
				return err
			}
			for _, m := range w.Mates() {
				m.SetPhase(casework.Draft)
				m.Emit("consent_expired", shownName(p)+" 没有在期限内确认，退回填报", "", nil)
			}
			return r.void(ctx, w)
		})
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
