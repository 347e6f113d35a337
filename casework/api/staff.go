package api

import (
	"context"
	"io"
	"slices"
	"sort"

	"github.com/danielgtaylor/huma/v2"

	"haoban/casework"
	"haoban/casework/consult"
	"haoban/casework/form"
	"haoban/casework/party"
	"haoban/platform/audit"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/doc"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/web"
)

// TaskRow is one task in an inbox.
type TaskRow struct {
	ID       string    `json:"id"`
	CaseID   string    `json:"caseId"`
	No       string    `json:"no"`
	Matter   MatterRef `json:"matter"`
	Title    string    `json:"title"`
	Node     string    `json:"node"`
	NodeText string    `json:"nodeText"`
	Clock    *Clock    `json:"clock"`
	At       string    `json:"at"`
	Parties  []string  `json:"parties"`
	Tags     []string  `json:"tags"`
	State    string    `json:"state"`
	Assignee string    `json:"assignee"`
	IsNew    bool      `json:"isNew"`
}

// TaskView is a task of the case the asker may do.
type TaskView struct {
	ID       string        `json:"id"`
	Node     string        `json:"node"`
	Name     string        `json:"name"`
	Assignee string        `json:"assignee"`
	Mine     bool          `json:"mine"`
	State    string        `json:"state"`
	Kind     string        `json:"kind"`
	Outcomes []OutcomeView `json:"outcomes"`
}

// OutcomeView is one answer a task can be completed with.
type OutcomeView struct {
	ID     string `json:"id"`
	Text   string `json:"text"`
	Effect string `json:"effect"`
	Danger bool   `json:"danger"`
}

// TreeNode is one thing in the resource tree.
type TreeNode struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Origin      string `json:"origin"`
	OriginText  string `json:"originText"`
	Tag         string `json:"tag"`
	Tone        string `json:"tone"`
	Kind        string `json:"kind"`
	MaterialID  string `json:"materialId,omitempty"`
	RecordingID string `json:"recordingId,omitempty"`
}

// TreeGroup is a heading of the resource tree.
type TreeGroup struct {
	Group string     `json:"group"`
	Nodes []TreeNode `json:"nodes"`
}

// ProcessView is the diagram with where the case stands.
type ProcessView struct {
	XML    string   `json:"xml"`
	Active []string `json:"active"`
	Done   []string `json:"done"`
}

// CompareRow sets what was claimed, fetched and on the register side by side.
type CompareRow struct {
	Label  string         `json:"label"`
	Values []CompareValue `json:"values"`
}

// CompareValue is one source's word.
type CompareValue struct {
	Source string `json:"source"`
	Value  string `json:"value"`
	Same   bool   `json:"same"`
}

// RecordingView is a recording with its integrity.
type RecordingView struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Mime         string         `json:"mime"`
	DurationMS   int64          `json:"durationMs"`
	Chunks       []party.Chunk  `json:"chunks"`
	Questions    []party.Answer `json:"questions"`
	Integrity    VerifyCheck    `json:"integrity"`
	Review       string         `json:"review"`
	ReviewReason string         `json:"reviewReason"`
}

// DeskView is a case as an official works on it.
type DeskView struct {
	CaseView
	Tree       []TreeGroup     `json:"tree"`
	Tasks      []TaskView      `json:"tasks"`
	Process    ProcessView     `json:"process"`
	Compare    []CompareRow    `json:"compare"`
	Recordings []RecordingView `json:"recordings"`
	Guard      string          `json:"guard,omitempty"`
	Lines      []Line          `json:"lines"`
}

type inboxIn struct {
	View   string `query:"view" enum:"all,overdue,soon,claimable,mine" default:"all"`
	Matter string `query:"matter" maxLength:"80"`
	Node   string `query:"node" maxLength:"80"`
	Cursor string `query:"cursor" maxLength:"200"`
}

type casesIn struct {
	Q        string `query:"q" maxLength:"80"`
	Matter   string `query:"matter" maxLength:"80"`
	Phase    string `query:"phase" maxLength:"20"`
	District string `query:"district" maxLength:"6"`
	Over     bool   `query:"over"`
	Sort     string `query:"sort" enum:"due,opened" default:"due"`
	Cursor   string `query:"cursor" maxLength:"200"`
}

func (in casesIn) query() casework.Query {
	return casework.Query{Text: in.Q, Matter: in.Matter, Phase: casework.Phase(in.Phase), District: in.District, Over: in.Over, ByOpened: in.Sort == "opened", Cursor: in.Cursor}
}

type completeIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Outcome  string         `json:"outcome"`
		Opinion  string         `json:"opinion,omitempty" maxLength:"2000"`
		Version  int            `json:"version,omitempty"`
		Data     map[string]any `json:"data,omitempty"`
		Together bool           `json:"together,omitempty"`
	}
}

func (r *Routes) staff(s *web.Server) {
	web.Register(s, web.Staff, op("inbox", get, "/staff/inbox", "待办"), func(ctx context.Context, in *inboxIn) (*Out[List[TaskRow]], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.inbox(ctx, a, casework.TaskQuery{View: in.View, Matter: in.Matter, Node: in.Node, Cursor: in.Cursor}))
	})
	web.Register(s, web.Staff, op("inboxCounts", get, "/staff/inbox/counts", "待办数"), func(ctx context.Context, _ *struct{}) (*Out[casework.Counts], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.Service.InboxCounts(ctx, a))
	})
	web.Register(s, web.Staff, op("claimNext", post, "/staff/inbox/next", "领取下一件"), func(ctx context.Context, _ *struct{}) (*Out[TaskRow], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.claimNext(ctx, a))
	})
	web.Register(s, web.Staff, op("staffCases", get, "/staff/cases", "查询办件"), func(ctx context.Context, in *casesIn) (*Out[List[CaseRow]], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.list(ctx, a, in.query()))
	})
	web.Register(s, web.Staff, op("staffCase", get, "/staff/cases/{id}", "办件"), func(ctx context.Context, in *CaseIn) (*Out[DeskView], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.desk(ctx, a, in.ID))
	})
	for _, k := range []struct{ kind, text string }{{"claim", "领取"}, {"release", "放回"}} {
		web.Register(s, web.Staff, op(k.kind+"Task", post, "/staff/tasks/{id}/"+k.kind, k.text), func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"64"`
		}) (*Out[DeskView], error) {
			a, err := official(ctx)
			if err != nil {
				return nil, err
			}
			return out(r.taskDo(ctx, a, k.kind, in.ID, 0, casework.TaskInput{}))
		})
	}
	web.Register(s, web.Staff, op("completeTask", post, "/staff/tasks/{id}/complete", "办理"), func(ctx context.Context, in *completeIn) (*Out[DeskView], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		b := in.Body
		return out(r.taskDo(ctx, a, "complete", in.ID, b.Version, casework.TaskInput{Outcome: b.Outcome, Opinion: b.Opinion, Data: b.Data, Together: b.Together}))
	})
	web.Register(s, web.Staff, op("staffVerb", post, "/staff/cases/{id}/verbs/{verb}", "对办件的操作"), func(ctx context.Context, in *verbIn) (*Out[DeskView], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := r.verbDo(ctx, a, in, "return", "supplement", "unsupplement", "transfer", "cosign", "jointsign", "takeback", "urge", "suspend", "resume", "extend", "reject", "consult.close"); err != nil {
			return nil, err
		}
		return out(r.desk(ctx, a, in.ID))
	})
	r.staffConsult(s)
	r.staffMore(s)
}

func (r *Routes) staffConsult(s *web.Server) {
	web.Register(s, web.Staff, op("departments", get, "/staff/departments", "可以征询的部门"), func(ctx context.Context, in *struct {
		CaseID string `query:"caseId" maxLength:"64"`
	}) (*Out[[]consult.Dept], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		snap, err := r.Service.See(ctx, r.Service.DB().Q(), a, in.CaseID)
		if err != nil {
			return nil, err
		}
		return out(r.Consults.Depts(ctx, snap))
	})
	web.Register(s, web.Staff, op("consult", post, "/staff/cases/{id}/consultations", "征询部门"), func(ctx context.Context, in *struct {
		CaseIn
		Body consult.StartInput
	}) (*Out[DeskView], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := r.do(ctx, a, "consult.start", in.ID, 0, in.Body); err != nil {
			return nil, err
		}
		return out(r.desk(ctx, a, in.ID))
	})
}

func (r *Routes) staffMore(s *web.Server) {
	web.Register(s, web.Staff, op("unmask", post, "/staff/cases/{id}/unmask", "看全部内容"), func(ctx context.Context, in *struct {
		CaseIn
		Body struct {
			Path   string `json:"path" maxLength:"120"`
			Reason string `json:"reason" maxLength:"200"`
		}
	}) (*Out[map[string]string], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.unmask(ctx, a, in.ID, in.Body.Path, in.Body.Reason))
	})
	web.Register(s, web.Staff, op("getRecording", get, "/staff/recordings/{id}", "意愿录像"), func(ctx context.Context, in *OneIn) (*Out[RecordingView], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		rec, err := r.Parties.SeeRecording(ctx, r.Service, r.Service.DB().Q(), a, in.ID)
		if err != nil {
			return nil, err
		}
		return out(r.recordingView(ctx, rec), nil)
	})
	web.Register(s, web.Staff, op("reviewRecording", post, "/staff/recordings/{id}/review", "审核意愿录像"), func(ctx context.Context, in *struct {
		OneIn
		Body struct {
			Result string `json:"result" enum:"pass,redo"`
			Reason string `json:"reason,omitempty" maxLength:"300"`
		}
	}) (*Out[RecordingView], error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		rec, err := r.Parties.SeeRecording(ctx, r.Service, r.Service.DB().Q(), a, in.ID)
		if err != nil {
			return nil, err
		}
		if _, err := r.do(ctx, a, "recording.review", rec.Case, 0, party.ReviewInput{Recording: in.ID, Result: in.Body.Result, Reason: in.Body.Reason}); err != nil {
			return nil, err
		}
		if rec, err = r.Parties.SeeRecording(ctx, r.Service, r.Service.DB().Q(), a, in.ID); err != nil {
			return nil, err
		}
		return out(r.recordingView(ctx, rec), nil)
	})
	web.Register(s, web.Staff, op("exportCases", get, "/staff/cases/export.xlsx", "导出"), func(ctx context.Context, in *casesIn) (*huma.StreamResponse, error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.note(ctx, a, "case.export", "", in.Matter); err != nil {
			return nil, err
		}
		return s.Send(web.File{Name: "办件.xlsx", Mime: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Write: func(w io.Writer) error {
			return doc.Sheet(w, "办件", []doc.Column{
				{Title: "编号", Width: 22}, {Title: "事项", Width: 30}, {Title: "状态", Width: 12}, {Title: "区", Width: 12}, {Title: "提交", Width: 26}, {Title: "期限", Width: 28}, {Title: "标题", Width: 40},
			}, r.exportRows(ctx, a, in.query()))
		}}), nil
	}, web.Class(web.Heavy))
}

func (r *Routes) unmask(ctx context.Context, a ident.Actor, id, path, reason string) (map[string]string, error) {
	if reason == "" {
		return nil, errs.New(errs.Invalid, "reason.missing", "请写明为什么要看").With("reason", "required", "查看记录会留存备查")
	}
	var v map[string]string
	err := r.Service.DB().Group(ctx, func(tx *db.Tx) error {
		snap, err := r.Service.See(ctx, tx, a, id)
		if err != nil {
			return err
		}
		if !a.HasRole(ident.RoleExaminer, snap.District, snap.Matter) && !a.HasRole(ident.RoleRegistrar, snap.District, snap.Matter) &&
			!a.HasRole(ident.RoleHandler, snap.District, snap.Matter) && !a.HasRole(ident.RoleWindow, snap.District, snap.Matter) {
			return errs.New(errs.Forbidden, "unmask.role", "您的岗位不需要看这项内容")
		}
		raw, ok := snap.M.Form.Get(snap.Form(), path)
		if !ok {
			return errs.New(errs.NotFound, "unmask.path", "没有这项内容")
		}
		v = map[string]string{"value": form.Str(raw)}
		return audit.Write(ctx, tx, audit.Event{Type: "ident.unmask", Actor: a.ID, ActorKind: a.Kind, Case: id, Subject: path, Outcome: "ok", IP: a.IP, Detail: map[string]string{"reason": reason}})
	})
	return v, err
}

func (r *Routes) inbox(ctx context.Context, a ident.Actor, q casework.TaskQuery) (List[TaskRow], error) {
	ts, next, err := r.Service.Inbox(ctx, a, q)
	if err != nil {
		return List[TaskRow]{}, err
	}
	l := List[TaskRow]{Items: []TaskRow{}, Next: next}
	ids := make([]string, len(ts))
	for i, t := range ts {
		ids[i] = t.Case
	}
	cs, err := r.Service.Cases(ctx, ids)
	if err != nil {
		return l, err
	}
	for _, t := range ts {
		c := cs[t.Case]
		if c == nil {
			continue
		}
		m, err := r.Service.Definition(ctx, c.Digest)
		if err != nil {
			return l, err
		}
		row := TaskRow{
			ID: t.ID, CaseID: t.Case, No: c.No, Matter: MatterRef{Slug: c.Matter, Name: m.Name}, Title: c.Title, Node: t.Node, NodeText: t.Name,
			Clock: r.shortClock(c), At: when(t.Created), Parties: []string{}, Tags: []string{}, State: t.State, Assignee: t.Assignee, IsNew: t.State == "open",
		}
		if c.Phase == casework.Supplement {
			row.Tags = append(row.Tags, "等补正")
		}
		if c.Paused {
			row.Tags = append(row.Tags, "停表")
		}
		if d, ok := codes.DistrictByCode(c.District); ok {
			row.Parties = append(row.Parties, d.Name)
		}
		l.Items = append(l.Items, row)
	}
	return l, nil
}

func (r *Routes) claimNext(ctx context.Context, a ident.Actor) (TaskRow, error) {
	l, err := r.inbox(ctx, a, casework.TaskQuery{View: "claimable", Limit: 10})
	if err != nil {
		return TaskRow{}, err
	}
	for _, t := range l.Items {
		if t.State != "open" {
			continue
		}
		_, err := r.do(ctx, a, "claim", t.CaseID, 0, casework.TaskInput{Task: t.ID})
		if errs.CodeOf(err) == casework.ErrTaskTaken.Code {
			continue
		}
		t.State, t.Assignee = "claimed", a.ID
		return t, err
	}
	return TaskRow{}, errs.New(errs.NotFound, "inbox.empty", "现在没有可以领取的待办")
}

func (r *Routes) taskDo(ctx context.Context, a ident.Actor, kind, task string, version int, in casework.TaskInput) (DeskView, error) {
	id, err := r.Service.TaskCase(ctx, r.Service.DB().Q(), task)
	if err != nil {
		return DeskView{}, err
	}
	in.Task = task
	_, err = r.do(ctx, a, kind, id, version, in)
	if errs.CodeOf(err) == casework.ErrNotFound.Code {
		return DeskView{}, casework.ErrNoTask // a task of a case they may not see is no task
	}
	if err != nil {
		return DeskView{}, err
	}
	return r.desk(ctx, a, id)
}

// desk reads a case with everything an official works with.
func (r *Routes) desk(ctx context.Context, a ident.Actor, id string) (DeskView, error) {
	var v DeskView
	err := r.Service.DB().Read(ctx, func(q db.Querier) error {
		snap, err := r.Service.See(ctx, q, a, id)
		if err != nil {
			return err
		}
		if v.CaseView, err = r.build(ctx, q, a, snap); err != nil {
			return err
		}
		tasks, err := r.Service.Tasks(ctx, q, id)
		if err != nil {
			return err
		}
		v.Tasks = taskViews(a, snap, tasks)
		v.Process = ProcessView{XML: string(snap.M.Flow.XML()), Active: snap.M.Flow.Active(snap.State), Done: snap.M.Flow.Visited(snap.State)}
		recs, err := r.Parties.Recordings(ctx, q, snap.Bundle)
		if err != nil {
			return err
		}
		v.Recordings = []RecordingView{}
		names := map[string]string{}
		for _, p := range v.PartyList {
			names[p.ID] = p.Name
		}
		for _, rec := range recs {
			if rec.State != "done" || names[rec.Party] == "" {
				continue
			}
			rv := r.recordingView(ctx, rec)
			rv.Name = names[rec.Party] + " 意愿录像"
			v.Recordings = append(v.Recordings, rv)
		}
		v.Compare = compare(snap)
		v.Lines = lines(snap.M.Form, snap.Form(), form.Masked)
		v.Tree = tree(v)
		if snap.M.Guard != nil {
			v.Guard = snap.M.Guard.Name + "：" + r.Setting(snap.M.Guard.Setting)
		}
		return nil
	})
	return v, err
}

func taskViews(a ident.Actor, snap *casework.Snapshot, tasks []casework.Task) []TaskView {
	out := []TaskView{}
	for _, t := range tasks {
		if t.State != "open" && t.State != "claimed" && t.State != "held" {
			continue
		}
		tv := TaskView{ID: t.ID, Node: t.Node, Name: t.Name, Assignee: t.Assignee, State: t.State, Kind: t.Kind, Mine: casework.MayDo(a, t) && (t.Assignee == "" || t.Assignee == a.ID), Outcomes: []OutcomeView{}}
		if t.Kind == "process" {
			for _, o := range snap.M.Flow.Outcomes(t.Node) {
				danger := o.ID == "refuse" || o.ID == "reject"
				eff := o.Text
				if danger {
					eff += "：办件终止，申请人收到理由"
				}
				tv.Outcomes = append(tv.Outcomes, OutcomeView{ID: o.ID, Text: o.Text, Effect: eff, Danger: danger})
			}
		} else {
			tv.Outcomes = append(tv.Outcomes, OutcomeView{ID: "", Text: "签署意见", Effect: "意见交给主办人"})
		}
		out = append(out, tv)
	}
	return out
}

// compare sets every prefilled leaf beside what stands in the form now.
func compare(snap *casework.Snapshot) []CompareRow {
	out := []CompareRow{}
	for _, p := range snap.M.Prefill {
		meta, ok := snap.Facts[p.ID]
		if !ok || meta.State != "ok" {
			continue
		}
		paths := make([]string, 0, len(p.Into))
		for path := range p.Into {
			paths = append(paths, path)
		}
		sort.Strings(paths)
		for _, path := range paths {
			if _, isLeaf := snap.M.Form.Leaf(path); !isLeaf {
				continue
			}
			v := snap.M.Form.Show(snap.Form(), path, form.Masked)
			out = append(out, CompareRow{Label: snap.M.Form.TitleAt(path), Values: []CompareValue{
				{Source: "申报", Value: v, Same: true}, {Source: meta.Text + " " + when(meta.At), Value: v, Same: true},
			}})
		}
	}
	return out
}

func tree(v DeskView) []TreeGroup {
	groups := []TreeGroup{{Group: "申请", Nodes: []TreeNode{{ID: "form", Name: "申请内容", Kind: "form", Tag: "已提交", Tone: "good"}, {ID: "facts", Name: "核验对照", Kind: "facts"}}}}
	add := func(group string, n TreeNode) {
		i := slices.IndexFunc(groups, func(g TreeGroup) bool { return g.Group == group })
		if i < 0 {
			groups = append(groups, TreeGroup{Group: group})
			i = len(groups) - 1
		}
		groups[i].Nodes = append(groups[i].Nodes, n)
	}
	for _, rec := range v.Recordings {
		n := TreeNode{ID: rec.ID, Name: rec.Name, Kind: "recording", RecordingID: rec.ID, Tag: "未审"}
		switch rec.Review {
		case "pass":
			n.Tag, n.Tone = "已审", "good"
		case "redo":
			n.Tag, n.Tone = "要重录", "stop"
		}
		add("各方意愿", n)
	}
	for _, m := range v.Materials {
		n := TreeNode{ID: m.Node, Name: m.Name, Kind: "file", Origin: m.Origin, OriginText: m.OriginText, MaterialID: m.ID}
		switch {
		case m.State == "exempt":
			n.Tag, n.Tone, n.Kind = "免交", "good", "facts"
		case m.State != "present":
			n.Tag, n.Tone = "未提交", "soon"
		case m.Origin == "upload":
			n.Tag = "人工上传"
		case m.Origin == "made":
			n.Tag, n.Tone = "系统生成", "good"
		default:
			n.Tag = "部门数据"
		}
		add(m.Group, n)
	}
	for _, c := range v.Consultations {
		n := TreeNode{ID: c.ID, Name: c.DeptName, Kind: "consult", Tag: map[string]string{"asked": "待答复", "supplement": "要求补充", "replied": c.Opinion, "closed": "已结束"}[c.State]}
		if c.State == "replied" {
			n.Tone = "good"
		}
		add("征询", n)
	}
	return groups
}
