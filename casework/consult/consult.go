// Package consult asks other departments for their opinion on a case (征询,
// 行政协助). The clock does not stop for it: 行政许可法第四十五条 does not name
// consultation among what stops it. A department that wants more opens exactly
// one place of the resource tree for the applicant, until it closes.
package consult

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haoban/casework"
	"haoban/casework/material"
	"haoban/platform/calendar"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/job"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix con_.
func Migrations() db.Line { return db.Line{Room: "con", FS: migrations} }

// The kinds of job of this room.
const (
	JobStart      = "consult.start"
	JobSupplement = "consult.supplement"
)

// Target is the partner's name, for its breaker.
const Target = "assist"

// Replied is the message the process waits for: every department asked has
// answered.
const Replied = "consulted"

// The states of one consultation.
const (
	Asked      = "asked"
	Supplement = "supplement"
	Answered   = "replied"
	Closed     = "closed"
)

// Item is one paper a department asks for.
type Item struct {
	Name string `json:"name"`
	Node string `json:"node"`
	Mat  string `json:"mat"`
}

// Consultation is one department's part.
type Consultation struct {
	ID, Case, Dept, DeptName, Level, Content, State string
	AssistNo                                        string
	Asked, RepliedAt                                int64
	ReplyBy, Opinion, Text                          string
	SupplementID                                    string
	Items                                           []Item
	Until                                           int64
}

// Dept is a department that can be consulted.
type Dept struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Level string `json:"level"` // 市, 区
	Item  string `json:"item"`  // number of the assistance item
}

// File is one file handed to the platform.
type File struct {
	ID, Name, SM3 string
	Size          int64
}

// Request is what the assistance platform is asked.
type Request struct {
	ID       string // idempotency: our consultation
	CaseNo   string
	Project  string
	Approval string // 统一审批编码
	Matter   string
	Dept     Dept
	Content  string
	Days     int
	Files    []File
}

// Platform is the 行政协助平台. Package links/assist is the real one. Its calls
// may be repeated for one id and have one effect.
type Platform interface {
	// Depts lists the departments for a matter and district.
	Depts(ctx context.Context, matter, district string) ([]Dept, error)
	// Start hands a request over and returns the platform's number.
	Start(ctx context.Context, r Request) (assistNo string, err error)
	// Supplement hands the papers asked for over.
	Supplement(ctx context.Context, assistNo, supplementID string, items []Item, files []File) error
}

// Room is the face of this package.
type Room struct {
	platform Platform
	queue    *job.Queue
}

// New returns the room.
func New(p Platform, q *job.Queue) *Room { return &Room{platform: p, queue: q} }

// Depts lists who can be consulted about a case.
func (r *Room) Depts(ctx context.Context, snap *casework.Snapshot) ([]Dept, error) {
	return r.platform.Depts(ctx, snap.Matter, snap.District)
}

// Commands are the commands of this room.
func (r *Room) Commands() map[string]casework.Handler {
	return map[string]casework.Handler{
		"consult.start":        {Audit: "consult.start", Prepare: r.prepare, Apply: r.start},
		"consult.supplemented": {Audit: "consult.supplement", Apply: r.supplemented},
		"consult.close":        {Audit: "consult.close", Apply: r.close},
	}
}

// StartInput asks departments.
type StartInput struct {
	Depts   []string `json:"depts"`
	Content string   `json:"content"`
	Days    int      `json:"days"`
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

func (r *Room) prepare(ctx context.Context, s *casework.Service, a ident.Actor, c casework.Command) (any, error) {
	in, err := decode[StartInput](c)
	if err != nil {
		return nil, err
	}
	snap, err := s.See(ctx, s.DB().Q(), a, c.Case)
	if err != nil {
		return nil, err
	}
	all, err := r.Depts(ctx, snap)
	if err != nil {
		return nil, err
	}
	var out []Dept
	for _, code := range in.Depts {
		i := slices.IndexFunc(all, func(d Dept) bool { return d.Code == code })
		if i < 0 {
			return nil, errs.New(errs.Invalid, "consult.dept", "不能征询这个部门："+code).With("depts", "one_of", "请从列出的部门里选")
		}
		out = append(out, all[i])
	}
	if len(out) == 0 {
		return nil, errs.New(errs.Invalid, "consult.depts", "请选择要征询的部门").With("depts", "required", "至少选一个部门")
	}
	return out, nil
}

func (r *Room) start(ctx context.Context, w *casework.Work, c casework.Command, prepared any) (any, error) {
	depts, ok := prepared.([]Dept)
	if !ok {
		return nil, errors.New("consultation without departments")
	}
	in, err := decode[StartInput](c)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Content) == "" {
		return nil, errs.New(errs.Invalid, "consult.content", "请写明要征询什么").With("content", "required", "对方部门会看到这段话")
	}
	if err := w.Handles(ctx); err != nil {
		return nil, err
	}
	if in.Days <= 0 {
		in.Days = 5
	}
	by, err := w.Service().Calendar().Add(calendar.DateOf(w.Now()), in.Days)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(depts))
	for i, d := range depts {
		var n int
		if err := w.Tx.QueryRow(ctx, `SELECT count(*) FROM con_consult WHERE case_id = $1 AND dept = $2 AND state IN ('asked','supplement')`,
			w.ID, d.Code).Scan(&n); err != nil {
			return nil, fmt.Errorf("consult: %w", err)
		}
		if n > 0 {
			return nil, errs.New(errs.Conflict, "consult.twice", d.Name+"还没有答复上一次征询").With("depts", "unique", "请去掉"+d.Name)
		}
		id := db.NewID()
		names[i] = d.Name
		if _, err := w.Tx.Exec(ctx, `INSERT INTO con_consult (id, case_id, dept, dept_name, level, content, state, assist_no, asked_at, reply_by,
			replied_at, opinion, text, supplement_id, supplement_items, supplement_until, sent_files)
			VALUES ($1,$2,$3,$4,$5,$6,$7,'',$8,$9,0,'','','','[]',0,'[]')`,
			id, w.ID, d.Code, d.Name, d.Level, in.Content, Asked, w.Tx.NowMS(), by.String()); err != nil {
			return nil, fmt.Errorf("consult: %w", err)
		}
		if err := r.queue.Enqueue(ctx, w.Tx, job.New{Kind: JobStart, Target: Target, Key: id,
			Args: startJob{ID: id, Item: d.Item, Days: in.Days}}); err != nil {
			return nil, err
		}
	}
	w.Emit("consult_asked", "征询 "+strings.Join(names, "、")+" 的意见（计时不停）", in.Content, map[string]any{"until": by.String()})
	return nil, nil
}

type startJob struct {
	ID   string `json:"id"`
	Item string `json:"item"`
	Days int    `json:"days"`
}

const columns = `id, case_id, dept, dept_name, level, content, state, assist_no, asked_at, reply_by, replied_at, opinion, text, supplement_id, supplement_items, supplement_until`

func scan(row interface{ Scan(...any) error }) (Consultation, error) {
	var c Consultation
	var items string
	err := row.Scan(&c.ID, &c.Case, &c.Dept, &c.DeptName, &c.Level, &c.Content, &c.State, &c.AssistNo, &c.Asked, &c.ReplyBy,
		&c.RepliedAt, &c.Opinion, &c.Text, &c.SupplementID, &items, &c.Until)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(items), &c.Items); err != nil {
		return c, fmt.Errorf("consult: %w", err)
	}
	return c, nil
}

// Of returns the consultations of a case, for a caller who has passed the
// visibility filter.
func Of(ctx context.Context, q db.Querier, caseID string) (out []Consultation, err error) {
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM con_consult WHERE case_id = $1 ORDER BY asked_at, id`, caseID)
	if err != nil {
		return nil, fmt.Errorf("consult: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Start is the job that hands a consultation to the platform. Repeating it is
// safe: the platform knows our id.
func (r *Room) Start(ctx context.Context, s *casework.Service, j job.Job) error {
	var a startJob
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return fmt.Errorf("consult: %w", err)
	}
	q := s.DB().Q()
	c, err := scan(q.QueryRow(ctx, `SELECT `+columns+` FROM con_consult WHERE id = $1`, a.ID))
	if err != nil {
		return fmt.Errorf("consult: %w", err)
	}
	if c.AssistNo != "" {
		return nil
	}
	snap, err := s.Snapshot(ctx, c.Case)
	if err != nil {
		return err
	}
	files, err := caseFiles(ctx, q, c.Case)
	if err != nil {
		return err
	}
	project, _ := snap.M.Form.Get(snap.Form(), "projectCode")
	no, err := r.platform.Start(ctx, Request{
		ID: c.ID, CaseNo: snap.No, Project: fmt.Sprint(project), Approval: "SP" + snap.No, Matter: snap.Matter,
		Dept: Dept{Code: c.Dept, Name: c.DeptName, Level: c.Level, Item: a.Item}, Content: c.Content, Days: a.Days, Files: files,
	})
	if err != nil {
		return err
	}
	return s.DB().Group(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE con_consult SET assist_no = $1 WHERE id = $2`, no, c.ID)
		return err
	})
}

func caseFiles(ctx context.Context, q db.Querier, caseID string) ([]File, error) {
	ms, err := material.Of(ctx, q, caseID)
	if err != nil {
		return nil, err
	}
	var out []File
	for _, m := range ms {
		if v, ok := m.Latest(); ok && !strings.HasPrefix(m.Node, "office/") && !strings.HasPrefix(m.Node, "consult/") {
			out = append(out, File{ID: m.ID, Name: v.Name, SM3: v.SM3, Size: v.Size})
		}
	}
	return out, nil
}

func byAssist(ctx context.Context, tx *db.Tx, assistNo, biz string) (Consultation, error) {
	c, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM con_consult WHERE id = $1 OR (assist_no = $2 AND assist_no <> '')`, biz, assistNo))
	if errors.Is(err, sql.ErrNoRows) {
		return c, errs.New(errs.NotFound, "consult.unknown", "没有这项征询")
	}
	if err != nil {
		return c, fmt.Errorf("consult: %w", err)
	}
	return c, nil
}

// Wants is a callback: the department asks the applicant for more. The place in
// the resource tree opens for exactly these papers, until the moment given.
func (r *Room) Wants(ctx context.Context, s *casework.Service, tx *db.Tx, assistNo, biz, supplementID string, names []string, until time.Time) error {
	c, err := byAssist(ctx, tx, assistNo, biz)
	if err != nil {
		return err
	}
	if c.State == Answered || c.State == Closed {
		return errs.New(errs.Conflict, "consult.over", "这项征询已经答复或结束")
	}
	if c.SupplementID == supplementID {
		return nil
	}
	items := make([]Item, len(names))
	for i, n := range names {
		items[i] = Item{Name: n, Node: fmt.Sprintf("consult/%s/%s/%d", c.ID, supplementID, i+1)}
	}
	if _, err := tx.Exec(ctx, `UPDATE con_consult SET state = $1, supplement_id = $2, supplement_items = $3, supplement_until = $4, assist_no = $5 WHERE id = $6`,
		Supplement, supplementID, js(items), db.MS(until), assistNo, c.ID); err != nil {
		return fmt.Errorf("consult: %w", err)
	}
	return s.SystemTx(ctx, tx, c.Case, func(ctx context.Context, w *casework.Work) error {
		for _, it := range items {
			if err := w.OpenRight(ctx, it.Node, it.Name, "applicant", "consult/"+c.ID, until); err != nil {
				return err
			}
		}
		w.Emit("consult_wants", c.DeptName+" 要求补充："+strings.Join(names, "、"), "", map[string]any{
			"consult": c.ID, "until": calendar.DateOf(until).String(),
		})
		return nil
	})
}

type consultInput struct {
	Consult string `json:"consult"`
}

// supplemented is the applicant's word that the papers are there.
func (r *Room) supplemented(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[consultInput](c)
	if err != nil {
		return nil, err
	}
	if !w.Applicant() {
		return nil, casework.ErrNotYours
	}
	x, err := scan(w.Tx.QueryRow(ctx, `SELECT `+columns+` FROM con_consult WHERE id = $1 AND case_id = $2`, in.Consult, w.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errs.New(errs.NotFound, "consult.unknown", "没有这项征询")
	}
	if err != nil {
		return nil, fmt.Errorf("consult: %w", err)
	}
	if x.State != Supplement {
		return nil, errs.New(errs.Conflict, "consult.no_supplement", "这个部门现在没有要求补充材料")
	}
	have, err := material.Of(ctx, w.Tx, w.ID)
	if err != nil {
		return nil, err
	}
	for _, it := range x.Items {
		if !slices.ContainsFunc(have, func(m material.Material) bool { return m.Node == it.Node }) {
			return nil, errs.New(errs.TooSoon, "consult.missing", "还没有上传："+it.Name).With("material."+it.Node, "required", "请上传"+it.Name)
		}
	}
	if err := w.CloseRights(ctx, "consult/"+x.ID); err != nil {
		return nil, err
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE con_consult SET state = $1 WHERE id = $2`, Asked, x.ID); err != nil {
		return nil, fmt.Errorf("consult: %w", err)
	}
	w.Emit("consult_supplemented", "已向 "+x.DeptName+" 补充材料", "", map[string]any{"consult": x.ID})
	return nil, r.queue.Enqueue(ctx, w.Tx, job.New{Kind: JobSupplement, Target: Target, Key: x.ID + "/" + x.SupplementID,
		Args: map[string]string{"id": x.ID}})
}

// HandOver is the job that hands the papers asked for to the platform.
func (r *Room) HandOver(ctx context.Context, s *casework.Service, j job.Job) error {
	var a struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return fmt.Errorf("consult: %w", err)
	}
	q := s.DB().Q()
	c, err := scan(q.QueryRow(ctx, `SELECT `+columns+` FROM con_consult WHERE id = $1`, a.ID))
	if err != nil {
		return fmt.Errorf("consult: %w", err)
	}
	ms, err := material.Of(ctx, q, c.Case)
	if err != nil {
		return err
	}
	var files []File
	for _, it := range c.Items {
		for _, m := range ms {
			if v, ok := m.Latest(); ok && m.Node == it.Node {
				files = append(files, File{ID: m.ID, Name: v.Name, SM3: v.SM3, Size: v.Size})
			}
		}
	}
	return r.platform.Supplement(ctx, c.AssistNo, c.SupplementID, c.Items, files)
}

// Opinions a department may give, as the platform writes them.
func opinionText(o string) string {
	return map[string]string{"AGREE": "同意", "DISAGREE": "不同意", "CONDITIONAL": "有条件同意", "NO_COMMENT": "无意见"}[o]
}

// Reply is a callback: the department's opinion. When the last one is there the
// process is told. A second reply with the same content has no effect.
func (r *Room) Reply(ctx context.Context, s *casework.Service, tx *db.Tx, assistNo, biz, opinion, text string) error {
	c, err := byAssist(ctx, tx, assistNo, biz)
	if err != nil {
		return err
	}
	if opinionText(opinion) == "" {
		return errs.New(errs.Invalid, "consult.opinion", "不认识的征询意见："+opinion)
	}
	if c.State == Answered || c.State == Closed {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE con_consult SET state = $1, opinion = $2, text = $3, replied_at = $4, assist_no = $5 WHERE id = $6`,
		Answered, opinion, text, tx.NowMS(), assistNo, c.ID); err != nil {
		return fmt.Errorf("consult: %w", err)
	}
	return s.SystemTx(ctx, tx, c.Case, func(ctx context.Context, w *casework.Work) error {
		if err := w.CloseRights(ctx, "consult/"+c.ID); err != nil {
			return err
		}
		w.Emit("consult_replied", c.DeptName+" 答复："+opinionText(opinion), text, map[string]any{"consult": c.ID, "opinion": opinion})
		return r.allIn(ctx, w)
	})
}

func (r *Room) allIn(ctx context.Context, w *casework.Work) error {
	var open, bad int
	if err := w.Tx.QueryRow(ctx, `SELECT coalesce(sum(CASE WHEN state IN ('asked','supplement') THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN opinion = 'DISAGREE' THEN 1 ELSE 0 END), 0) FROM con_consult WHERE case_id = $1`, w.ID).Scan(&open, &bad); err != nil {
		return fmt.Errorf("consult: %w", err)
	}
	if open > 0 {
		return nil
	}
	return w.Tell(ctx, Replied, map[string]any{"disagree": bad})
}

// close ends a consultation that nobody answers, with the reason on record.
func (r *Room) close(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	var in struct {
		Consult string `json:"consult"`
		Reason  string `json:"reason"`
	}
	if err := json.Unmarshal(c.Data, &in); err != nil {
		return nil, errs.New(errs.Invalid, "command.data", "提交的内容格式不对，请刷新页面再试").Wrap(err)
	}
	if strings.TrimSpace(in.Reason) == "" {
		return nil, errs.New(errs.Invalid, "reason.missing", "请写明理由").With("reason", "required", "没有答复就结束征询，要写明理由")
	}
	if err := w.Handles(ctx); err != nil {
		return nil, err
	}
	res, err := w.Tx.Exec(ctx, `UPDATE con_consult SET state = $1, text = $2 WHERE id = $3 AND case_id = $4 AND state IN ('asked','supplement')`,
		Closed, in.Reason, in.Consult, w.ID)
	if err != nil {
		return nil, fmt.Errorf("consult: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return nil, errs.New(errs.Conflict, "consult.over", "这项征询已经答复或结束")
	}
	if err := w.CloseRights(ctx, "consult/"+in.Consult); err != nil {
		return nil, err
	}
	w.Emit("consult_closed", "结束一项征询", in.Reason, map[string]any{"consult": in.Consult})
	return nil, r.allIn(ctx, w)
}

func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain values of our own only
	}
	return string(b)
}
