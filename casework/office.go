package casework

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"haoban/casework/process"
	"haoban/platform/calendar"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

// VerbInput is the data of the verbs on a case that BPMN does not draw.
type VerbInput struct {
	Reason string     `json:"reason,omitempty"`
	Days   int        `json:"days,omitempty"`
	Code   string     `json:"code,omitempty"` // code of a lawful pause
	Items  []AskInput `json:"items,omitempty"`
	Text   string     `json:"text,omitempty"`
}

// AskInput names one material the applicant has to bring or replace.
type AskInput struct {
	Node string `json:"node"`
	Name string `json:"name"`
}

// coreCommands are the commands casework itself knows.
func coreCommands() map[string]Handler {
	return map[string]Handler{
		"open":         {Audit: "case.open", Opens: true, Apply: open},
		"save":         {Audit: "case.save", Apply: save},
		"submit":       {Audit: "case.submit", Apply: submit},
		"claim":        {Audit: "case.claim", Apply: claim},
		"release":      {Audit: "case.release", Apply: release},
		"complete":     {Audit: "case.complete", Apply: complete},
		"transfer":     {Audit: "case.transfer", Apply: transfer},
		"cosign":       {Audit: "case.cosign", Apply: extra("cosign", "加签")},
		"jointsign":    {Audit: "case.jointsign", Apply: extra("jointsign", "会签")},
		"return":       {Audit: "case.return", Apply: giveBack},
		"takeback":     {Audit: "case.takeback", Apply: takeBack},
		"supplement":   {Audit: "case.supplement", Apply: supplement},
		"supplemented": {Audit: "case.supplemented", Apply: supplemented},
		"unsupplement": {Audit: "case.supplement", Apply: unsupplement},
		"withdraw":     {Audit: "case.withdraw", Apply: withdraw},
		"discard":      {Audit: "case.cancel", Apply: discard},
		"urge":         {Audit: "case.urge", Apply: urge},
		"suspend":      {Audit: "case.suspend", Apply: suspend},
		"resume":       {Audit: "case.resume", Apply: resume},
		"extend":       {Audit: "case.extend", Apply: extend},
		"reject":       {Audit: "case.reject", Apply: reject},
	}
}

// handling reports whether the actor has a task of this case in hand, which is
// what entitles an official to the verbs beside the process.
func (w *Work) handling(ctx context.Context) (Task, error) {
	tasks, err := w.s.Tasks(ctx, w.Tx, w.ID)
	if err != nil {
		return Task{}, err
	}
	for _, t := range tasks {
		if t.State != taskOpen && t.State != taskClaimed && t.State != taskHeld || t.Kind != "process" {
			continue
		}
		if MayDo(w.Actor, t) && (t.Assignee == "" || t.Assignee == w.Actor.ID) {
			return t, nil
		}
	}
	return Task{}, ErrNotYours
}

// supplement is 补正: what is missing is told once, at once and in writing
// (许可法第三十二条; 沪登21 第12条). Only one may be outstanding; a second one
// after it needs its reason on record like the first.
func supplement(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if err := needReason(in.Reason); err != nil {
		return nil, err
	}
	if len(in.Items) == 0 {
		return nil, errs.New(errs.Invalid, "supplement.items", "请一次写全要补正的材料").With("items", "required", "至少选一项材料，要补的请一次告知")
	}
	if w.Phase == Supplement {
		return nil, errs.New(errs.Conflict, "supplement.open", "已经有一次补正没有完成，不能再发；可以先撤回那一次")
	}
	if w.Phase != Submitted && w.Phase != Handling {
		return nil, ErrPhase
	}
	t, err := w.handling(ctx)
	if err != nil {
		return nil, err
	}
	days := w.M.Limit.Supplement
	if in.Days > 0 {
		days = in.Days
	}
	day, err := w.s.Calendar().Add(calendar.DateOf(w.Now()), days)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(in.Items))
	for i, it := range in.Items {
		m, ok := w.M.MaterialAt(it.Node)
		if !ok {
			return nil, errs.New(errs.Invalid, "supplement.node", "这个事项没有这项材料："+it.Node).With("items", "one_of", "请从材料清单里选")
		}
		if it.Name == "" {
			it.Name = m.Name
		}
		names[i] = it.Name
		if err := w.OpenRight(ctx, it.Node, it.Name, "applicant", "supplement", endOf(day)); err != nil {
			return nil, err
		}
	}
	before := w.Phase
	w.SetPhase(Supplement)
	w.Emit("supplement", "要求补正："+strings.Join(names, "、"), in.Reason, map[string]any{
		"until": day.String(), "task": t.ID, "before": string(before),
	})
	if before == Handling && w.M.Limit.PauseOnSupplement {
		w.Emit(evPaused, "补正期间停止计时", "补正", map[string]any{"basis": w.M.Limit.Basis, "supplement": true})
	}
	return nil, nil
}

// endSupplement brings the case back to where it was before 补正.
func (w *Work) endSupplement(ctx context.Context, kind, text, reason string) error {
	if w.Phase != Supplement {
		return ErrPhase
	}
	if err := w.CloseRights(ctx, "supplement"); err != nil {
		return err
	}
	back := Submitted
	if w.Accepted != 0 {
		back = Handling
	}
	w.SetPhase(back)
	w.Emit(kind, text, reason, nil)
	if back == Submitted {
		return w.resumeTimers(ctx)
	}
	if back == Handling && w.M.Limit.PauseOnSupplement {
		w.Emit(evResumed, "补正完成，继续计时", "", nil)
	}
	return nil
}

func supplemented(ctx context.Context, w *Work, _ Command, _ any) (any, error) {
	if !w.Applicant() {
		return nil, ErrNotYours
	}
	var left int
	if err := w.Tx.QueryRow(ctx, `SELECT count(*) FROM cw_open_right r WHERE r.case_id = $1 AND r.source = 'supplement' AND r.closed_at = 0
		AND NOT EXISTS (SELECT 1 FROM cw_event e WHERE e.case_id = r.case_id AND e.kind = 'uploaded' AND e.at >= r.opened_at AND e.reason = r.node)`,
		w.ID).Scan(&left); err != nil {
		return nil, fmt.Errorf("supplement: %w", err)
	}
	if left > 0 {
		return nil, errs.New(errs.TooSoon, "supplement.missing", fmt.Sprintf("还有 %d 项材料没有补，补齐后再提交", left))
	}
	if err := w.CheckComplete(); err != nil {
		return nil, err
	}
	return nil, w.endSupplement(ctx, "supplemented", "补正完成，重新提交", "")
}

func unsupplement(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if err := needReason(in.Reason); err != nil {
		return nil, err
	}
	if _, err := w.handling(ctx); err != nil {
		return nil, err
	}
	return nil, w.endSupplement(ctx, "unsupplement", w.Actor.Name+" 撤回补正要求", in.Reason)
}

// withdraw is 撤件 (撤回申请) by who filed, until the register is entered or the
// decision made (登条例第十五条).
func withdraw(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if !w.Applicant() {
		return nil, ErrNotYours
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	for _, m := range w.Mates() {
		if m.Phase.Over() {
			return nil, errs.New(errs.Conflict, "withdraw.over", "办件已经结束，不能撤回")
		}
		if m.final() {
			return nil, errs.New(errs.Conflict, "withdraw.final", "已经登簿或作出决定，不能撤回；确有错误请申请更正或勘误")
		}
	}
	for _, m := range w.Mates() {
		if m.Submitted != 0 {
			if err := m.Step(ctx, process.Cancel{Reason: "申请人撤回"}); err != nil {
				return nil, err
			}
		}
		m.Outcome = "申请人撤回"
		m.end(Stopped, "申请人撤回", evStopped)
		m.events[len(m.events)-1].Reason = in.Reason
	}
	return nil, nil
}

// discard throws a draft away.
func discard(ctx context.Context, w *Work, _ Command, _ any) (any, error) {
	if !w.Applicant() {
		return nil, ErrNotYours
	}
	if w.Phase != Draft {
		return nil, ErrPhase
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	for _, m := range w.Mates() {
		m.Outcome = "放弃填报"
		m.end(Stopped, "放弃填报", "discarded")
	}
	return nil, nil
}

// final reports whether a verb that cannot be undone has run.
func (w *Work) final() bool {
	for _, id := range w.M.Flow.Visited(w.State) {
		n, ok := w.M.Flow.Node(id)
		if !ok || n.Verb == "" {
			continue
		}
		v, _ := splitVerb(n.Verb)
		if v == "case.decide" || w.s.o.Verbs[v].Final {
			return true
		}
	}
	return false
}

// urge is 催办, by the applicant or a supervisor, once a day.
func urge(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if !w.Applicant() && !w.Official(ident.RoleSupervisor) {
		return nil, ErrNotYours
	}
	if w.Phase != Submitted && w.Phase != Handling {
		return nil, ErrPhase
	}
	var last int64
	if err := w.Tx.QueryRow(ctx, `SELECT coalesce(max(at), 0) FROM cw_event WHERE case_id = $1 AND kind = 'urged'`, w.ID).Scan(&last); err != nil {
		return nil, fmt.Errorf("urge: %w", err)
	}
	if last > 0 && Today(db.Time(last)) == Today(w.Now()) {
		return nil, errs.New(errs.TooMany, "urge.today", "今天已经催办过，承办人已收到提醒")
	}
	w.Emit("urged", ActorName(w.Actor)+" 催办", in.Reason, nil)
	return nil, nil
}

// suspend is 挂起: the clock stops only for a reason the matter names with its
// basis (许可法第四十五条: 听证、招标、拍卖、检验、检测、检疫、鉴定、专家评审);
// consultation of other departments is not among them.
func suspend(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if w.Phase != Handling || w.Paused {
		return nil, ErrPhase
	}
	if _, err := w.handling(ctx); err != nil {
		return nil, err
	}
	for _, p := range w.M.Limit.Pauses {
		if p.Code != in.Code {
			continue
		}
		if p.Max > 0 && in.Days > p.Max {
			return nil, errs.New(errs.Invalid, "pause.days", fmt.Sprintf("%s最多 %d 个工作日", p.Name, p.Max)).With("days", "max", "请改短")
		}
		w.Emit(evPaused, p.Name+"，停止计时", in.Reason, map[string]any{"basis": p.Basis, "code": p.Code, "name": p.Name, "days": in.Days})
		return nil, nil
	}
	return nil, errs.New(errs.Invalid, "pause.code", "这个理由不能停止计时").With("code", "one_of", "只有法律写明的情形可以停表，征求其他部门意见不在其中")
}

func resume(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if !w.Paused {
		return nil, errs.New(errs.Conflict, "resume.running", "计时没有停，不用恢复")
	}
	if _, err := w.handling(ctx); err != nil {
		return nil, err
	}
	w.Emit(evResumed, "恢复计时", in.Reason, nil)
	return nil, nil
}

// extend lengthens the limit once (许可法第四十二条: ten working days, approved
// by the head, the applicant told why).
func extend(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if err := needReason(in.Reason); err != nil {
		return nil, err
	}
	if !w.Official(ident.RoleLeader) && !w.Official(ident.RoleDivision) {
		return nil, errs.New(errs.Forbidden, "extend.head", "延长期限要由负责人批准")
	}
	if w.M.Limit.Extend == 0 || w.Phase != Handling || w.final() {
		return nil, errs.New(errs.Conflict, "extend.none", "这个事项不能延长期限")
	}
	var n int
	if err := w.Tx.QueryRow(ctx, `SELECT count(*) FROM cw_event WHERE case_id = $1 AND kind = $2`, w.ID, evExtended).Scan(&n); err != nil {
		return nil, fmt.Errorf("extend: %w", err)
	}
	if n > 0 {
		return nil, errs.New(errs.Conflict, "extend.once", "已经延长过一次，不能再延")
	}
	w.Emit(evExtended, fmt.Sprintf("经批准延长 %d 个工作日", w.M.Limit.Extend), in.Reason, map[string]any{
		"days": w.M.Limit.Extend, "basis": "行政许可法第四十二条",
	})
	return nil, nil
}

// reject is 不予受理, only before acceptance.
func reject(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[VerbInput](c)
	if err != nil {
		return nil, err
	}
	if err := needReason(in.Reason); err != nil {
		return nil, err
	}
	if w.Phase != Submitted {
		return nil, errs.New(errs.Conflict, "reject.accepted", "已经受理，不能再作不予受理")
	}
	if _, err := w.handling(ctx); err != nil {
		return nil, err
	}
	if err := w.Step(ctx, process.Cancel{Reason: "不予受理"}); err != nil {
		return nil, err
	}
	w.Outcome = "不予受理"
	w.end(Stopped, "不予受理", evStopped)
	w.events[len(w.events)-1].Reason = in.Reason
	return nil, nil
}

// OpenRight opens a place in the resource tree for writing until a moment:
// 补正 and the requests of consulted departments use it. Scope is "applicant".
func (w *Work) OpenRight(ctx context.Context, node, name, scope, source string, until time.Time) error {
	_, err := w.Tx.Exec(ctx, `INSERT INTO cw_open_right (id, case_id, node, name, scope, source, opened_at, until_at, closed_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,0)`, db.NewID(), w.ID, node, name, scope, source, w.Tx.NowMS(), db.MS(until))
	if err != nil {
		return fmt.Errorf("open right: %w", err)
	}
	return nil
}

// CloseRights closes what source opened.
func (w *Work) CloseRights(ctx context.Context, source string) error {
	_, err := w.Tx.Exec(ctx, `UPDATE cw_open_right SET closed_at = $1 WHERE case_id = $2 AND source = $3 AND closed_at = 0`,
		w.Tx.NowMS(), w.ID, source)
	if err != nil {
		return fmt.Errorf("close right: %w", err)
	}
	return nil
}

// Right is one open place to write.
type Right struct {
	Node, Name, Scope, Source string
	Opened, Until             int64
}

// Rights returns the places of a case that are open for writing now.
func (s *Service) Rights(ctx context.Context, q db.Querier, id string) (out []Right, err error) {
	rows, err := q.Query(ctx, `SELECT node, name, scope, source, opened_at, until_at FROM cw_open_right
		WHERE case_id = $1 AND closed_at = 0 AND until_at >= $2 ORDER BY opened_at, node`, id, db.MS(s.o.DB.Clock().Now()))
	if err != nil {
		return nil, fmt.Errorf("rights: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r Right
		if err := rows.Scan(&r.Node, &r.Name, &r.Scope, &r.Source, &r.Opened, &r.Until); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Handles refuses an actor who has no task of this case in hand.
func (w *Work) Handles(ctx context.Context) error {
	_, err := w.handling(ctx)
	return err
}
