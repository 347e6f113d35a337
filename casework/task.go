package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"haoban/casework/process"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

// The states of a task (待办).
const (
	taskOpen      = "open"    // anybody of the role may claim it
	taskClaimed   = "claimed" // somebody has it
	taskHeld      = "held"    // waits for 加签 or 会签
	taskDone      = "done"
	taskCancelled = "cancelled"
)

// Task is one thing an official has to do.
type Task struct {
	ID, Case, Key, Node, Name string
	Kind                      string // process, cosign (加签), jointsign (会签)
	Role, Office, District    string
	Matter                    string
	State, Assignee, Parent   string
	Due, Created, Done        int64
	DoneBy, Outcome, Opinion  string
}

const taskColumns = `id, case_id, tkey, node, name, kind, role, office, matter, district, state, assignee, parent, due, created_at, done_at, done_by, outcome, opinion`

func scanTask(r scanner) (Task, error) {
	var t Task
	err := r.Scan(&t.ID, &t.Case, &t.Key, &t.Node, &t.Name, &t.Kind, &t.Role, &t.Office, &t.Matter, &t.District, &t.State,
		&t.Assignee, &t.Parent, &t.Due, &t.Created, &t.Done, &t.DoneBy, &t.Outcome, &t.Opinion)
	return t, err
}

// Errors of task verbs.
var (
	ErrNoTask    = errs.New(errs.NotFound, "task.not_found", "没有这项待办，或者不归您办")
	ErrTaskTaken = errs.New(errs.Conflict, "task.taken", "这项待办已由同事领取")
	ErrTaskOver  = errs.New(errs.Conflict, "task.over", "这项待办已经办完或取消")
	ErrTaskHeld  = errs.New(errs.TooSoon, "task.held", "还在等加签或会签的意见，收齐后再办")
)

func (w *Work) createTask(ctx context.Context, e process.Effect) error {
	district := w.District
	if e.Org != "" {
		district = e.Org
	}
	t := Task{
		ID: db.NewID(), Case: w.ID, Key: e.Key, Node: e.Node, Name: e.Name, Kind: "process", Role: e.Role, Office: w.M.Office,
		Matter: w.Matter, District: district, State: taskOpen, Assignee: e.Assignee, Due: w.Due, Created: w.Tx.NowMS(),
	}
	if t.Assignee != "" {
		t.State = taskClaimed
	}
	return w.insertTask(ctx, t)
}

func (w *Work) insertTask(ctx context.Context, t Task) error {
	_, err := w.Tx.Exec(ctx, `INSERT INTO cw_task (`+taskColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19)`,
		t.ID, t.Case, t.Key, t.Node, t.Name, t.Kind, t.Role, t.Office, t.Matter, t.District, t.State, t.Assignee, t.Parent,
		t.Due, t.Created, t.Done, t.DoneBy, t.Outcome, t.Opinion)
	if err != nil {
		return fmt.Errorf("task: %w", err)
	}
	return nil
}

func (w *Work) cancelTask(ctx context.Context, key string) error {
	_, err := w.Tx.Exec(ctx, `UPDATE cw_task SET state = $1, done_at = $2 WHERE case_id = $3 AND (tkey = $4 OR parent IN
		(SELECT id FROM cw_task WHERE case_id = $3 AND tkey = $4)) AND state IN ('open','claimed','held')`,
		taskCancelled, w.Tx.NowMS(), w.ID, key)
	return err
}

// Tasks returns the tasks of a case, oldest first.
func (s *Service) Tasks(ctx context.Context, q db.Querier, caseID string) (out []Task, err error) {
	rows, err := q.Query(ctx, `SELECT `+taskColumns+` FROM cw_task WHERE case_id = $1 ORDER BY created_at, id`, caseID)
	if err != nil {
		return nil, fmt.Errorf("tasks: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t, err := scanTask(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// MayDo reports whether a may claim or do t.
func MayDo(a ident.Actor, t Task) bool {
	if a.Kind != ident.KindOfficial {
		return false
	}
	return t.Assignee == a.ID || t.Kind == "process" && a.HasPost(t.Role, t.Office, t.District, t.Matter)
}

func (w *Work) task(ctx context.Context, id string) (Task, error) {
	t, err := scanTask(w.Tx.QueryRow(ctx, `SELECT `+taskColumns+` FROM cw_task WHERE id = $1 AND case_id = $2`, id, w.ID))
	if noRows(err) {
		return t, ErrNoTask
	}
	if err != nil {
		return t, fmt.Errorf("task: %w", err)
	}
	if !MayDo(w.Actor, t) {
		return t, ErrNoTask
	}
	if t.State == taskDone || t.State == taskCancelled {
		return t, ErrTaskOver
	}
	return t, nil
}

// TaskInput is the data of the commands about one task.
type TaskInput struct {
	Task    string         `json:"task"`
	Outcome string         `json:"outcome,omitempty"`
	Opinion string         `json:"opinion,omitempty"`
	To      string         `json:"to,omitempty"`      // user id or node
	Persons []string       `json:"persons,omitempty"` // user ids
	Reason  string         `json:"reason,omitempty"`
	Data    map[string]any `json:"data,omitempty"`
	// Together does the same step of every case of the bundle, in order and in
	// one transaction.
	Together bool `json:"together,omitempty"`
}

func input[T any](c Command) (T, error) {
	var in T
	if len(c.Data) == 0 {
		return in, nil
	}
	d := json.NewDecoder(strings.NewReader(string(c.Data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, errs.New(errs.Invalid, "command.data", "提交的内容格式不对，请刷新页面再试").Wrap(err)
	}
	return in, nil
}

func needReason(s string) error {
	if strings.TrimSpace(s) == "" {
		return errs.New(errs.Invalid, "reason.missing", "请写明理由").With("reason", "required", "请写明理由，申请人和后面的同事会看到")
	}
	return nil
}

func claim(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[TaskInput](c)
	if err != nil {
		return nil, err
	}
	t, err := w.task(ctx, in.Task)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Assignee == w.Actor.ID:
		return nil, nil
	case t.State != taskOpen:
		return nil, ErrTaskTaken
	}
	if err := w.setTask(ctx, t.ID, taskClaimed, w.Actor.ID); err != nil {
		return nil, err
	}
	w.Emit("claimed", w.Actor.Name+" 领取 "+t.Name, "", map[string]any{"task": t.ID, "node": t.Node})
	return nil, nil
}

func release(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[TaskInput](c)
	if err != nil {
		return nil, err
	}
	t, err := w.task(ctx, in.Task)
	if err != nil {
		return nil, err
	}
	if t.Assignee != w.Actor.ID || t.State != taskClaimed || t.Kind != "process" {
		return nil, ErrTaskTaken
	}
	if err := w.setTask(ctx, t.ID, taskOpen, ""); err != nil {
		return nil, err
	}
	w.Emit("released", w.Actor.Name+" 放回 "+t.Name, in.Reason, map[string]any{"task": t.ID})
	return nil, nil
}

func (w *Work) setTask(ctx context.Context, id, state, assignee string) error {
	_, err := w.Tx.Exec(ctx, `UPDATE cw_task SET state = $1, assignee = $2 WHERE id = $3`, state, assignee, id)
	if err != nil {
		return fmt.Errorf("task: %w", err)
	}
	return nil
}

// own takes the task for the actor if it is still open, so that doing it
// straight from the list needs no separate claim.
func (w *Work) ownTask(ctx context.Context, id string) (Task, error) {
	t, err := w.task(ctx, id)
	if err != nil {
		return t, err
	}
	if t.State == taskHeld {
		return t, ErrTaskHeld
	}
	if t.Assignee != "" && t.Assignee != w.Actor.ID {
		return t, ErrTaskTaken
	}
	return t, nil
}

func (w *Work) finishTask(ctx context.Context, t Task, in TaskInput) error {
	_, err := w.Tx.Exec(ctx, `UPDATE cw_task SET state = $1, assignee = $2, done_at = $3, done_by = $2, outcome = $4, opinion = $5 WHERE id = $6`,
		taskDone, w.Actor.ID, w.Tx.NowMS(), in.Outcome, in.Opinion, t.ID)
	if err != nil {
		return fmt.Errorf("task: %w", err)
	}
	return nil
}

func complete(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[TaskInput](c)
	if err != nil {
		return nil, err
	}
	t, err := w.ownTask(ctx, in.Task)
	if err != nil {
		return nil, err
	}
	if w.Phase == Supplement {
		return nil, errs.New(errs.TooSoon, "case.supplementing", "申请人还在补正，补齐后再办；也可以先撤回补正要求")
	}
	if t.Kind != "process" {
		return nil, w.completeExtra(ctx, t, in)
	}
	if err := w.completeStep(ctx, t, in); err != nil || !in.Together {
		return nil, err
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	for _, m := range w.Mates() {
		if m == w {
			continue
		}
		open, err := scanTask(w.Tx.QueryRow(ctx, `SELECT `+taskColumns+` FROM cw_task WHERE case_id = $1 AND node = $2 AND kind = 'process'
			AND state IN ('open','claimed')`, m.ID, t.Node))
		if noRows(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("task: %w", err)
		}
		if open, err = m.ownTask(ctx, open.ID); err != nil {
			return nil, err
		}
		if err := m.completeStep(ctx, open, in); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// completeStep finishes one task of the process and lets the case go on.
func (w *Work) completeStep(ctx context.Context, t Task, in TaskInput) error {
	outcomes := w.M.Flow.Outcomes(t.Node)
	text, ok := "", false
	for _, o := range outcomes {
		if o.ID == in.Outcome {
			text, ok = o.Text, true
		}
	}
	if len(outcomes) > 0 && !ok {
		return errs.New(errs.Invalid, "task.outcome", "这一步没有这个处理结果").With("outcome", "one_of", "请选择列出的处理结果")
	}
	if in.Outcome == "refuse" || in.Outcome == "reject" {
		// 不予 is always told with its reason (许可法第三十八条).
		if err := needReason(in.Opinion); err != nil {
			return err
		}
	}
	if err := w.finishTask(ctx, t, in); err != nil {
		return err
	}
	if text == "" {
		text = "办完"
	}
	w.Emit("completed", w.Actor.Name+" "+t.Name+"："+text, in.Opinion, map[string]any{
		"task": t.ID, "node": t.Node, "outcome": in.Outcome,
	})
	return w.Step(ctx, process.Complete{TaskKey: t.Key, Outcome: in.Outcome, Vars: in.Data})
}

// completeExtra finishes a 加签 or 会签 task; the last one frees its parent.
func (w *Work) completeExtra(ctx context.Context, t Task, in TaskInput) error {
	if err := needReason(in.Opinion); err != nil {
		return err
	}
	if err := w.finishTask(ctx, t, in); err != nil {
		return err
	}
	w.Emit("signed", w.Actor.Name+" "+t.Name+"：已签意见", in.Opinion, map[string]any{"task": t.ID})
	var left int
	if err := w.Tx.QueryRow(ctx, `SELECT count(*) FROM cw_task WHERE parent = $1 AND state IN ('open','claimed')`, t.Parent).Scan(&left); err != nil {
		return fmt.Errorf("task: %w", err)
	}
	if left > 0 {
		return nil
	}
	_, err := w.Tx.Exec(ctx, `UPDATE cw_task SET state = $1 WHERE id = $2 AND state = $3`, taskClaimed, t.Parent, taskHeld)
	return err
}

func transfer(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[TaskInput](c)
	if err != nil {
		return nil, err
	}
	if err := needReason(in.Reason); err != nil {
		return nil, err
	}
	t, err := w.ownTask(ctx, in.Task)
	if err != nil {
		return nil, err
	}
	name, err := w.colleague(ctx, in.To, t)
	if err != nil {
		return nil, err
	}
	if err := w.setTask(ctx, t.ID, taskClaimed, in.To); err != nil {
		return nil, err
	}
	w.Emit("transferred", w.Actor.Name+" 转给 "+name+" 办理 "+t.Name, in.Reason, map[string]any{"task": t.ID, "to": in.To})
	return nil, nil
}

// colleague checks that user may do t and returns the name.
func (w *Work) colleague(ctx context.Context, user string, t Task) (string, error) {
	a, err := w.s.o.Colleagues.OfficialActor(ctx, w.Tx, user)
	if err != nil {
		return "", err
	}
	if !a.HasPost(t.Role, t.Office, t.District, t.Matter) {
		return "", errs.New(errs.Invalid, "task.person", "这位同事没有这个岗位，不能转给他").With("to", "role", "请选有相应岗位的同事")
	}
	return a.Name, nil
}

// extra is 加签 (one more opinion) and 会签 (several at once): tasks beside the
// process that the parent waits for.
func extra(kind, label string) func(context.Context, *Work, Command, any) (any, error) {
	return func(ctx context.Context, w *Work, c Command, _ any) (any, error) {
		in, err := input[TaskInput](c)
		if err != nil {
			return nil, err
		}
		t, err := w.ownTask(ctx, in.Task)
		if err != nil {
			return nil, err
		}
		if t.Kind != "process" {
			return nil, ErrPhase
		}
		if in.To != "" {
			in.Persons = append(in.Persons, in.To)
		}
		if len(in.Persons) == 0 || kind == "jointsign" && len(in.Persons) < 2 {
			return nil, errs.New(errs.Invalid, "task.persons", "请选择"+label+"的同事").With("persons", "required", label+"至少要选够人数（加签一位，会签两位以上）")
		}
		if err := w.setTask(ctx, t.ID, taskHeld, w.Actor.ID); err != nil {
			return nil, err
		}
		seen := map[string]bool{w.Actor.ID: true}
		var names []string
		for _, p := range in.Persons {
			if seen[p] {
				return nil, errs.New(errs.Invalid, "task.person", "同一位同事不能选两次，也不能选自己").With("persons", "unique", "请去掉重复的人")
			}
			seen[p] = true
			a, err := w.s.o.Colleagues.OfficialActor(ctx, w.Tx, p)
			if err != nil {
				return nil, err
			}
			names = append(names, a.Name)
			if err := w.insertTask(ctx, Task{
				ID: db.NewID(), Case: w.ID, Key: t.Key + "/" + p, Node: t.Node, Name: t.Name + "（" + label + "）", Kind: kind,
				Role: t.Role, Office: t.Office, Matter: t.Matter, District: t.District, State: taskClaimed, Assignee: p,
				Parent: t.ID, Due: w.Due, Created: w.Tx.NowMS(),
			}); err != nil {
				return nil, err
			}
			w.Grant(userScope(p))
		}
		w.Emit(kind, w.Actor.Name+" 请 "+strings.Join(names, "、")+" "+label, in.Reason, map[string]any{"task": t.ID})
		return nil, nil
	}
}

// giveBack is 退回: the token goes back to an earlier user task of the same or
// an enclosing scope; what else ran there is cancelled by name.
func giveBack(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[TaskInput](c)
	if err != nil {
		return nil, err
	}
	if err := needReason(in.Reason); err != nil {
		return nil, err
	}
	t, err := w.ownTask(ctx, in.Task)
	if err != nil {
		return nil, err
	}
	if w.final() {
		return nil, errs.New(errs.Conflict, "return.final", "已经登簿或作出决定，不能退回，只能更正或勘误")
	}
	legal := false
	name := ""
	for _, n := range w.M.Flow.ReturnTargets(w.State, t.Key) {
		if n.ID == in.To {
			legal, name = true, n.Name
		}
	}
	if !legal {
		return nil, errs.New(errs.Invalid, "return.target", "不能退回到这一步").With("to", "one_of", "只能退回到已经办过、且还没有登簿或发文的环节")
	}
	w.Emit("returned", w.Actor.Name+" 从 "+t.Name+" 退回到 "+name, in.Reason, map[string]any{"task": t.ID, "to": in.To})
	return nil, w.Step(ctx, process.Return{From: t.Key, To: in.To})
}

// takeBack is 撤回: who did the last step takes it back while nobody has taken
// up the next.
func takeBack(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[TaskInput](c)
	if err != nil {
		return nil, err
	}
	if err := needReason(in.Reason); err != nil {
		return nil, err
	}
	if w.final() {
		return nil, errs.New(errs.Conflict, "takeback.final", "已经登簿或作出决定，不能撤回，只能更正或勘误")
	}
	last, err := scanTask(w.Tx.QueryRow(ctx, `SELECT `+taskColumns+` FROM cw_task WHERE case_id = $1 AND kind = 'process' AND state = $2
		ORDER BY done_at DESC, id DESC LIMIT 1`, w.ID, taskDone))
	if noRows(err) {
		return nil, ErrNoTask
	}
	if err != nil {
		return nil, fmt.Errorf("task: %w", err)
	}
	if last.DoneBy != w.Actor.ID {
		return nil, errs.New(errs.Forbidden, "takeback.not_last", "上一步不是您办的，不能撤回")
	}
	open, err := scanTask(w.Tx.QueryRow(ctx, `SELECT `+taskColumns+` FROM cw_task WHERE case_id = $1 AND kind = 'process'
		AND state IN ('open','claimed','held') ORDER BY created_at, id LIMIT 1`, w.ID))
	if noRows(err) {
		return nil, ErrPhase
	}
	if err != nil {
		return nil, fmt.Errorf("task: %w", err)
	}
	if open.State != taskOpen {
		return nil, errs.New(errs.Conflict, "takeback.taken", "后面的同事已经开始办理，不能撤回；可以请他退回")
	}
	for _, n := range w.M.Flow.ReturnTargets(w.State, open.Key) {
		if n.ID == last.Node {
			w.Emit("takenback", w.Actor.Name+" 撤回 "+last.Name, in.Reason, map[string]any{"task": last.ID})
			return nil, w.Step(ctx, process.Return{From: open.Key, To: last.Node})
		}
	}
	return nil, errs.New(errs.Conflict, "takeback.passed", "这一步之后已有不能倒回的动作，不能撤回")
}

// TaskCase returns the case a task belongs to; visibility is decided by the
// command that follows.
func (s *Service) TaskCase(ctx context.Context, q db.Querier, task string) (string, error) {
	var id string
	err := q.QueryRow(ctx, `SELECT case_id FROM cw_task WHERE id = $1`, task).Scan(&id)
	if noRows(err) {
		return "", ErrNoTask
	}
	if err != nil {
		return "", fmt.Errorf("task: %w", err)
	}
	return id, nil
}
