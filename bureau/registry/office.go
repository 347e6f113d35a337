package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"haoban/casework"
	"haoban/casework/form"
	"haoban/casework/result"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/job"
)

// BigRegister is the 大登记 subsystem. Package links/bigreg is the real one.
//
// Facts returns nil without an error when it has no such unit, and an error of
// kind errs.Unavailable when it does not answer. Told may be called many times
// for one entry and has one effect; it returns the version 大登记 stands at.
type BigRegister interface {
	Facts(ctx context.Context, unit string) (*Unit, error)
	Told(ctx context.Context, e EntryTold) (version int64, err error)
}

// EntryTold is an entry as 大登记 is told it. It carries no personal data but
// the kinds of right; 大登记 fetches the rest under its own authority.
type EntryTold struct {
	No     int64     `json:"no"`
	Unit   string    `json:"unit"`
	Case   string    `json:"case"`
	Kind   string    `json:"kind"`
	At     time.Time `json:"at"`
	Digest string    `json:"digest"`
}

// JobTell is the kind of job that tells 大登记 of an entry.
const JobTell = "registry.tell"

// TargetBig is the partner's name, for its breaker.
const TargetBig = "bigreg"

// Office is the register at work: its verbs, sources and jobs.
type Office struct {
	*Register
	big     BigRegister
	queue   *job.Queue
	results *result.Room
	d       *db.DB
}

// NewOffice returns the office.
func NewOffice(r *Register, big BigRegister, q *job.Queue, results *result.Room, d *db.DB) *Office {
	return &Office{Register: r, big: big, queue: q, results: results, d: d}
}

// Verbs are what processes may call.
func (o *Office) Verbs() map[string]casework.Verb {
	return map[string]casework.Verb{
		"registry.query":   {Do: o.query},
		"registry.publish": {Do: o.publish},
		"registry.refresh": {Async: o.refresh, Target: TargetBig},
		"registry.enter":   {Do: o.enter, Final: true},
		"registry.reissue": {Do: o.reissue, Final: true},
	}
}

// Checks are the checks matters may use.
func (o *Office) Checks() map[string]casework.CheckFunc {
	return map[string]casework.CheckFunc{
		"registry.conflict":     o.Conflicts,
		"registry.current_cert": o.IsCurrentCert,
	}
}

// query answers R1.9: what the applicant holds, as the register says now, put
// into the form for the paper. "No property" is an answer too.
func (o *Office) query(ctx context.Context, w *casework.Work, _ casework.Call) (map[string]any, error) {
	id := form.Str(get(w, "applicant.idNo"))
	units, err := o.Held(ctx, w.Tx, id, Ownership)
	if err != nil {
		return nil, err
	}
	found := make([]any, 0, len(units))
	for _, u := range units {
		for _, x := range u.Rights {
			if x.Kind != Ownership || !slices.ContainsFunc(x.Holders, func(h Holder) bool { return h.ID == id }) {
				continue
			}
			found = append(found, map[string]any{
				"unit": u.Code, "address": u.Address, "area": Area(u.Area), "use": u.Use, "common": x.Common, "certNo": x.No,
				"status": Status(u),
			})
		}
	}
	if err := w.Fill(map[string]any{"found": found, "count": len(found)}); err != nil {
		return nil, err
	}
	w.Emit("queried", fmt.Sprintf("查询登记簿：名下 %d 处", len(found)), "", nil)
	return map[string]any{"count": len(found)}, nil
}

// Area writes hundredths of a square metre as people read them.
func Area(n int64) string { return fmt.Sprintf("%d.%02d ㎡", n/100, n%100) }

// Status says in words what lies on a unit.
func Status(u Unit) string {
	out := ""
	for _, x := range u.Rights {
		if x.Kind == Ownership {
			continue
		}
		if out != "" {
			out += "、"
		}
		out += "有" + KindText(x.Kind)
	}
	if out == "" {
		return "无抵押、无查封"
	}
	return out
}

func get(w *casework.Work, path string) any {
	v, _ := w.M.Form.Get(w.Form(), path)
	return v
}

// Notice is a published statement.
type Notice struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	No        string `json:"no"`
	CertNo    string `json:"certNo"`
	Body      string `json:"body"`
	Published int64  `json:"publishedAt"`
}

// publish puts the applicant's own statement of loss on the site and locks the
// unit (上海 2024-06-03 起: 刊发声明后即予补发). The statement masks the name.
func (o *Office) publish(ctx context.Context, w *casework.Work, _ casework.Call) (map[string]any, error) {
	no := form.Str(get(w, "certNo"))
	u, x, err := o.ByCert(ctx, w.Tx, no)
	if err != nil {
		return nil, err
	}
	if err := o.Lock(ctx, w.Tx, u.Code, w.ID, w.Bundle); err != nil {
		return nil, err
	}
	name := ""
	for i, h := range x.Holders {
		if i > 0 {
			name += "、"
		}
		name += codes.MaskName(h.Name)
	}
	kind := form.Str(get(w, "lossKind"))
	word := map[string]string{"lost": "遗失", "destroyed": "灭失"}[kind]
	body := fmt.Sprintf("%s 因保管不善，将坐落于 %s 的不动产权证书（证号 %s）%s，现声明该证书作废。", name, codes.MaskAddress(u.Address), no, word)
	if _, err := w.Tx.Exec(ctx, `INSERT INTO reg_notice (id, kind, case_id, cert_no, no, body, published_at) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (case_id) DO NOTHING`, db.NewID(), "loss", w.ID, no, "声明 "+w.No, body, w.Tx.NowMS()); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	w.Emit("loss_published", "刊发"+word+"声明", "", map[string]any{"certNo": no})
	return nil, nil
}

// Notices lists published statements, newest first, keyset by time and id.
func Notices(ctx context.Context, q db.Querier, kind string, before int64, limit int) (out []Notice, err error) {
	if before == 0 {
		before = casework.NoDue
	}
	rows, err := q.Query(ctx, `SELECT id, kind, no, cert_no, body, published_at FROM reg_notice WHERE kind = $1 AND published_at < $2
		ORDER BY published_at DESC, id LIMIT $3`, kind, before, limit)
	if err != nil {
		return nil, fmt.Errorf("statements: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n Notice
		if err := rows.Scan(&n.ID, &n.Kind, &n.No, &n.CertNo, &n.Body, &n.Published); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// refresh asks 大登记, outside any transaction, whether the unit moved since we
// took its facts. If it did, the facts are taken over and the process sends the
// case back to review: the entry is refused before 登簿. In a bundle the cases
// are entered in order, so a later one waits for the one before it; and it waits
// until 大登记 has answered to our own entries on the unit, whose movement is
// none.
func (o *Office) refresh(ctx context.Context, s *casework.Service, snap *casework.Snapshot, _ casework.Call) (func(context.Context, *casework.Work) (map[string]any, error), error) {
	if snap.BundleSeq > 0 {
		ids, err := s.BundleIDs(ctx, s.DB().Q(), snap.Bundle)
		if err != nil {
			return nil, err
		}
		before, err := s.Snapshot(ctx, ids[snap.BundleSeq-1])
		if err != nil {
			return nil, err
		}
		if !before.Phase.Over() {
			var n int
			if err := s.DB().Q().QueryRow(ctx, `SELECT count(*) FROM reg_entry WHERE case_id = $1`, before.ID).Scan(&n); err != nil {
				return nil, fmt.Errorf("register: %w", err)
			}
			if n == 0 {
				return nil, job.Wait(2 * time.Second)
			}
		}
	}
	code, _ := snap.M.Form.Get(snap.Form(), "unit")
	var untold int
	if err := s.DB().Q().QueryRow(ctx, `SELECT count(*) FROM reg_entry WHERE unit = $1 AND told = $2`, form.Str(code), false).Scan(&untold); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	if untold > 0 { // what moved over there may be our own entry
		return nil, job.Wait(time.Second)
	}
	facts, err := o.big.Facts(ctx, form.Str(code))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, w *casework.Work) (map[string]any, error) {
		if facts == nil {
			return map[string]any{"moved": false}, nil
		}
		have, err := o.Unit(ctx, w.Tx, facts.Code)
		if errors.Is(err, ErrNoUnit) {
			return map[string]any{"moved": false}, o.Open(ctx, w.Tx, *facts)
		}
		if err != nil {
			return nil, err
		}
		if facts.Outside <= have.Outside {
			return map[string]any{"moved": false}, nil
		}
		if err := o.Open(ctx, w.Tx, *facts); err != nil {
			return nil, err
		}
		w.Emit("register_moved", "大登记簿面有变化，退回重新审核", "", nil)
		return map[string]any{"moved": true}, nil
	}, nil
}

// enter is 登簿 of a notice (预告登记) or of a mortgage's notice. The check at
// "enter" is the last one and rules: a seizure in between stops the entry.
func (o *Office) enter(ctx context.Context, w *casework.Work, _ casework.Call) (map[string]any, error) {
	if err := w.Check(ctx, "enter"); err != nil {
		return nil, err
	}
	unit := form.Str(get(w, "unit"))
	e := Entry{Unit: unit, Case: w.ID, Registrar: w.Actor.ID}
	switch w.Matter {
	case "registry/presale-notice":
		e.Kind = PresaleNotice
		e.Begin = []Right{{Kind: PresaleNotice, Common: form.Str(get(w, "common")), Holders: holders(get(w, "buyers"))}}
	case "registry/presale-mortgage-notice":
		e.Kind = MortgageNotice
		amount, _ := get(w, "loan.amount").(float64)
		e.Begin = []Right{{
			Kind: MortgageNotice, Amount: int64(amount), Note: form.Str(get(w, "loan.restrict")),
			Holders: []Holder{{Name: form.Str(get(w, "bank.name")), ID: form.Str(get(w, "bank.uscc"))}},
		}}
	default:
		return nil, fmt.Errorf("the register has no entry for %s", w.Matter)
	}
	return o.entered(ctx, w, e)
}

func (o *Office) entered(ctx context.Context, w *casework.Work, e Entry) (map[string]any, error) {
	if err := o.Lock(ctx, w.Tx, e.Unit, w.ID, w.Bundle); err != nil {
		return nil, err
	}
	no, err := o.Enter(ctx, w.Tx, e)
	if err != nil {
		return nil, err
	}
	if err := o.Unlock(ctx, w.Tx, w.ID); err != nil {
		return nil, err
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE reg_entry SET told = $1 WHERE no = $2`, false, no); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	w.Emit("entered", fmt.Sprintf("登簿，登记簿第 %d 条", no), "", map[string]any{"entry": no, "unit": e.Unit})
	err = o.queue.Enqueue(ctx, w.Tx, job.New{Kind: JobTell, Target: TargetBig, Key: fmt.Sprint(no), Args: map[string]int64{"no": no}})
	return map[string]any{"entry": no}, err
}

func holders(v any) []Holder {
	list, _ := v.([]any)
	var out []Holder
	for _, x := range list {
		m, _ := x.(map[string]any)
		out = append(out, Holder{Name: form.Str(m["name"]), ID: form.Str(m["idNo"]), Share: form.Str(m["share"])})
	}
	return out
}

// reissue is 登簿 of 补证: the right goes on under the new number, marked 补发;
// the old number counts as lost from this moment.
func (o *Office) reissue(ctx context.Context, w *casework.Work, _ casework.Call) (map[string]any, error) {
	old := form.Str(get(w, "certNo"))
	u, x, err := o.ByCert(ctx, w.Tx, old)
	if err != nil {
		return nil, err
	}
	begin := x
	begin.Note = "补发"
	begin.No = "待制证 " + w.No
	vars, err := o.entered(ctx, w, Entry{Unit: u.Code, Case: w.ID, Kind: "reissue", Registrar: w.Actor.ID, End: []string{x.RID}, Begin: []Right{begin}})
	if err != nil {
		return nil, err
	}
	if _, err := w.Tx.Exec(ctx, `INSERT INTO reg_lost (cert_no, case_id, at, next) VALUES ($1,$2,$3,'') ON CONFLICT (cert_no) DO NOTHING`,
		old, w.ID, w.Tx.NowMS()); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	if err := result.SetState(ctx, w.Tx, old, result.Lost, "已声明遗失并补发"); err != nil && errs.KindOf(err) != errs.NotFound {
		return nil, err
	}
	return vars, nil
}

// Issued is a subscriber: when the new certificate has its number, the right on
// the book carries it.
func (o *Office) Issued(ctx context.Context, w *casework.Work, e casework.Event) error {
	if e.Kind != "issued" || w.Matter != "registry/reissue" {
		return nil
	}
	no := form.Str(e.Data["no"])
	if _, err := w.Tx.Exec(ctx, `UPDATE reg_right SET no = $1 WHERE no = $2 AND state = 'current'`, no, "待制证 "+w.No); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	_, err := w.Tx.Exec(ctx, `UPDATE reg_lost SET next = $1 WHERE case_id = $2`, no, w.ID)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return nil
}

// Ended is a subscriber: a case that is over holds no unit.
func (o *Office) Ended(ctx context.Context, w *casework.Work, e casework.Event) error {
	if e.Kind != "closed" && e.Kind != "stopped" {
		return nil
	}
	return o.Unlock(ctx, w.Tx, w.ID)
}

// LostCert reports whether a certificate number was declared lost, since when.
func (o *Office) LostCert(ctx context.Context, q db.Querier, no string) (since int64, lost bool, err error) {
	var n int
	if err := q.QueryRow(ctx, `SELECT count(*), coalesce(max(at), 0) FROM reg_lost WHERE cert_no = $1`, no).Scan(&n, &since); err != nil {
		return 0, false, fmt.Errorf("register: %w", err)
	}
	return since, n > 0, nil
}

// Tell is the job that tells 大登记 of an entry.
func (o *Office) Tell(ctx context.Context, j job.Job) error {
	var a struct {
		No int64 `json:"no"`
	}
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return fmt.Errorf("tell: %w", err)
	}
	e := EntryTold{No: a.No}
	var at int64
	if err := o.d.Q().QueryRow(ctx, `SELECT unit, case_id, kind, at, digest FROM reg_entry WHERE no = $1`, a.No).
		Scan(&e.Unit, &e.Case, &e.Kind, &at, &e.Digest); err != nil {
		return fmt.Errorf("tell: %w", err)
	}
	e.At = db.Time(at)
	v, err := o.big.Told(ctx, e)
	if err != nil {
		return err
	}
	return o.d.Group(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE reg_entry SET told = $1 WHERE no = $2`, true, a.No); err != nil {
			return fmt.Errorf("tell: %w", err)
		}
		return o.Moved(ctx, tx, e.Unit, v)
	})
}

// Fetch is the source "registry.unit": it asks 大登记 for a unit, opens it here
// and answers what the form needs. No unit is an answer.
func (o *Office) Fetch(ctx context.Context, _ ident.Actor, args map[string]any) (map[string]any, error) {
	facts, err := o.big.Facts(ctx, form.Str(args["unit"]))
	if err != nil || facts == nil {
		return nil, err
	}
	if err := o.d.Group(ctx, func(tx *db.Tx) error { return o.Open(ctx, tx, *facts) }); err != nil {
		return nil, err
	}
	return map[string]any{"unit": facts.Code, "address": facts.Address, "area": Area(facts.Area), "use": facts.Use, "status": Status(*facts)}, nil
}

// FetchCert is the source "registry.cert": the unit and holders behind a
// certificate number of our own book, for the holder only.
func (o *Office) FetchCert(ctx context.Context, _ ident.Actor, args map[string]any) (map[string]any, error) {
	u, x, err := o.ByCert(ctx, o.d.Q(), form.Str(args["certNo"]))
	if err != nil {
		return nil, err
	}
	id := form.Str(args["holderId"])
	for _, h := range x.Holders {
		if h.ID == id {
			return map[string]any{"unit": u.Code, "address": u.Address, "area": Area(u.Area), "common": x.Common, "district": u.District}, nil
		}
	}
	return nil, nil
}
