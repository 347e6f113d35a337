package api

import (
	"context"

	"haoban/casework"
	"haoban/casework/consult"
	"haoban/platform/db"
	"haoban/platform/ident"
)

// VerbView is one thing the asker may do to a case now, with its effect in its
// own words.
type VerbView struct {
	ID      string       `json:"id"`
	Label   string       `json:"label"`
	Effect  string       `json:"effect"`
	Danger  bool         `json:"danger"`
	Needs   []string     `json:"needs"`
	Options *VerbOptions `json:"options,omitempty"`
}

// VerbOptions are what a verb lets one choose from.
type VerbOptions struct {
	To        []Choice `json:"to,omitempty"`
	Persons   []Choice `json:"persons,omitempty"`
	Materials []Choice `json:"materials,omitempty"`
	Codes     []Choice `json:"codes,omitempty"`
}

// Choice is one thing to choose.
type Choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func verb(id, label, effect string, danger bool, needs ...string) VerbView {
	if needs == nil {
		needs = []string{}
	}
	return VerbView{ID: id, Label: label, Effect: effect, Danger: danger, Needs: needs}
}

// verbs lists what the asker may do. It is a help for the page; the commands
// check for themselves.
func (r *Routes) verbs(ctx context.Context, q db.Querier, a ident.Actor, snap *casework.Snapshot) []VerbView {
	if mine(a, snap.Case) {
		return r.applicantVerbs(ctx, q, snap)
	}
	if a.Kind == ident.KindOfficial {
		return r.officialVerbs(ctx, q, a, snap)
	}
	return []VerbView{}
}

func (r *Routes) applicantVerbs(ctx context.Context, q db.Querier, snap *casework.Snapshot) []VerbView {
	out := []VerbView{}
	switch snap.Phase {
	case casework.Draft:
		out = append(out, verb("discard", "放弃填报", "删除这份草稿，不能恢复", true))
	case casework.Consent:
		out = append(out, verb("reopen", "修改内容", "退回填报，各方已经做的确认作废，要重新确认", true), verb("withdraw", "不办了", "撤回这次申请", true, "reason"))
	case casework.Submitted, casework.Handling, casework.Paying:
		out = append(out, verb("withdraw", "撤回申请", "撤回后不再办理；登簿或作出决定后不能撤回", true, "reason"))
		if snap.Phase != casework.Paying {
			out = append(out, verb("urge", "催办", "提醒承办人，每天一次", false))
		}
	case casework.Supplement:
		out = append(out, verb("supplemented", "补正完成，重新提交", "补齐后交回承办人，期限接着算", false), verb("withdraw", "撤回申请", "撤回后不再办理", true, "reason"))
	}
	if cs, err := consult.Of(ctx, q, snap.ID); err == nil {
		for _, c := range cs {
			if c.State == consult.Supplement {
				v := verb("consult.supplemented", "提交给"+c.DeptName, "把补充的材料交给"+c.DeptName, false)
				v.Options = &VerbOptions{To: []Choice{{ID: c.ID, Name: c.DeptName}}}
				out = append(out, v)
			}
		}
	}
	return out
}

func (r *Routes) officialVerbs(ctx context.Context, q db.Querier, a ident.Actor, snap *casework.Snapshot) []VerbView {
	out := []VerbView{}
	tasks, err := r.Service.Tasks(ctx, q, snap.ID)
	if err != nil {
		return out
	}
	for _, t := range tasks {
		if t.Kind != "process" || !casework.MayDo(a, t) || t.State != "open" && t.State != "claimed" && t.State != "held" {
			continue
		}
		if t.Assignee != "" && t.Assignee != a.ID {
			continue
		}
		var mats []Choice
		for _, m := range snap.M.Materials {
			if m.Origin == "upload" {
				mats = append(mats, Choice{ID: m.Node, Name: m.Name})
			}
		}
		if snap.Phase == casework.Supplement {
			out = append(out, verb("unsupplement", "撤回补正要求", "不再要求补正，继续办理", false, "reason"))
		} else if len(mats) > 0 {
			v := verb("supplement", "要求补正", "一次告知申请人要补什么；受理后补正不停止计时", false, "reason", "materials")
			v.Options = &VerbOptions{Materials: mats}
			out = append(out, v)
		}
		if snap.Phase == casework.Submitted {
			out = append(out, verb("reject", "不予受理", "办件终止，申请人收到理由", true, "reason"))
		}
		var to []Choice
		for _, n := range snap.M.Flow.ReturnTargets(snap.State, t.Key) {
			to = append(to, Choice{ID: n.ID, Name: n.Name})
		}
		if len(to) > 0 {
			v := verb("return", "退回", "退回到选定的环节重新办理；期限不重新计算", false, "reason", "to")
			v.Options = &VerbOptions{To: to}
			out = append(out, v)
		}
		people := r.colleagues(ctx, q, a, t)
		if len(people) > 0 {
			x := verb("transfer", "转办", "交给选定的同事办理", false, "person", "reason")
			y := verb("cosign", "加签", "请一位同事先签意见，签完再由您办", false, "person")
			z := verb("jointsign", "会签", "请几位同事同时签意见，收齐再由您办", false, "persons")
			x.Options, y.Options, z.Options = &VerbOptions{Persons: people}, &VerbOptions{Persons: people}, &VerbOptions{Persons: people}
			out = append(out, x, y, z)
		}
		out = append(out, r.clockVerbs(a, snap)...)
		if snap.Phase == casework.Handling && t.Role == ident.RoleHandler {
			out = append(out, verb("consult", "征询部门", "向选定的部门征求意见，计时不停", false, "depts", "reason"))
		}
		break
	}
	if last := lastDone(tasks); last != nil && last.DoneBy == a.ID && !snap.Phase.Over() {
		out = append(out, verb("takeback", "撤回上一步", "后面的同事还没有领取时，可以撤回您刚办的一步", false, "reason"))
	}
	return out
}

func (r *Routes) clockVerbs(a ident.Actor, snap *casework.Snapshot) []VerbView {
	var out []VerbView
	if snap.Phase != casework.Handling {
		return nil
	}
	if snap.Paused {
		return []VerbView{verb("resume", "恢复计时", "从明天起接着算期限", false)}
	}
	if len(snap.M.Limit.Pauses) > 0 {
		v := verb("suspend", "停止计时", "只有列出的情形可以停表，申请人会看到理由和依据", false, "code", "days", "reason")
		v.Options = &VerbOptions{}
		for _, p := range snap.M.Limit.Pauses {
			v.Options.Codes = append(v.Options.Codes, Choice{ID: p.Code, Name: p.Name + "（" + p.Basis + "）"})
		}
		out = append(out, v)
	}
	if snap.M.Limit.Extend > 0 && (a.HasRole(ident.RoleLeader, snap.District, snap.Matter) || a.HasRole(ident.RoleDivision, snap.District, snap.Matter)) {
		out = append(out, verb("extend", "延长期限", "经批准延长一次，申请人会收到理由", true, "reason"))
	}
	return out
}

func (r *Routes) colleagues(ctx context.Context, q db.Querier, a ident.Actor, t casework.Task) []Choice {
	users, err := r.People.Officials(ctx, q, t.Role, t.Office, t.District, t.Matter)
	if err != nil {
		return nil
	}
	var out []Choice
	for _, u := range users {
		if u.ID != a.ID {
			out = append(out, Choice{ID: u.ID, Name: u.Name})
		}
	}
	return out
}

func lastDone(tasks []casework.Task) *casework.Task {
	var last *casework.Task
	for i, t := range tasks {
		if t.Kind == "process" && t.State == "done" && (last == nil || t.Done >= last.Done) {
			last = &tasks[i]
		}
	}
	return last
}
