package api

import (
	"context"

	"haoban/casework"
	"haoban/casework/consult"
	"haoban/casework/fee"
	"haoban/casework/material"
	"haoban/casework/matter"
	"haoban/platform/calendar"
	"haoban/platform/db"
	"haoban/platform/ident"
)

func (r *Routes) materials(ctx context.Context, q db.Querier, a ident.Actor, snap *casework.Snapshot) ([]MaterialView, error) {
	have, err := material.Of(ctx, q, snap.ID)
	if err != nil {
		return nil, err
	}
	rights, err := r.Service.Rights(ctx, q, snap.ID)
	if err != nil {
		return nil, err
	}
	applicant := mine(a, snap.Case)
	open := map[string]string{}
	for _, x := range rights {
		open[x.Node] = calendar.DateOf(db.Time(x.Until)).Chinese()
	}
	out := []MaterialView{}
	seen := map[string]bool{}
	for _, d := range snap.M.Materials {
		if yes, err := matter.True(d.When, snap.Env()); err == nil && !yes {
			continue
		}
		v := MaterialView{
			Node: d.Node, Name: d.Name, Group: d.Group, Required: d.Required, Origin: map[string]string{"made": material.Made, "fetched": material.Partner, "upload": material.Upload}[d.Origin],
			State: "missing", Versions: []VersionView{}, ExemptReason: d.Exempt, Hint: d.Hint, CanRead: true, Mimes: d.Mimes,
			CanWrite: applicant && (d.Origin == "upload" && snap.Phase == casework.Draft || open[d.Node] != ""), Until: open[d.Node],
		}
		if d.Origin == "fetched" {
			if meta, ok := snap.Facts[d.Source]; ok && meta.State == "ok" {
				v.State, v.OriginText = "exempt", "取自"+meta.Text+"，"+when(meta.At)
			} else {
				v.State = "fetching"
			}
		}
		for _, m := range have {
			if m.Node == d.Node {
				fillVersions(&v, m)
			}
		}
		seen[d.Node] = true
		out = append(out, v)
	}
	for _, m := range have {
		if seen[m.Node] || !material.MayRead(a, m) {
			continue
		}
		v := MaterialView{Node: m.Node, Name: m.Name, Group: m.Group, Origin: m.Origin, CanRead: true, CanWrite: applicant && open[m.Node] != "", Until: open[m.Node]}
		if v.Group == "" {
			v.Group = "征询补充"
		}
		fillVersions(&v, m)
		seen[m.Node] = true
		out = append(out, v)
	}
	for _, x := range rights {
		if !seen[x.Node] && x.Scope == "applicant" {
			seen[x.Node] = true
			out = append(out, MaterialView{Node: x.Node, Name: x.Name, Group: "征询补充", Origin: material.Upload, State: "missing", Required: true, Versions: []VersionView{}, CanRead: true, CanWrite: applicant, Until: open[x.Node]})
		}
	}
	return out, nil
}

func fillVersions(v *MaterialView, m material.Material) {
	v.ID, v.State, v.Origin, v.Versions = m.ID, m.State, m.Origin, []VersionView{}
	v.OriginText = map[string]string{
		material.Upload: "申请人上传", material.Made: "系统生成", material.Scan: "窗口扫描", material.Partner: "取自" + m.Source, material.Inherited: "沿用前案",
	}[m.Origin] + "，" + when(m.At)
	for _, x := range m.Versions {
		v.Versions = append(v.Versions, VersionView{N: x.N, Name: x.Name, Size: x.Size, Mime: x.Mime, SM3: x.SM3, At: stamp(x.At), By: x.ByName})
	}
}

func feeView(f fee.Fee, m *matter.Matter) *FeeView {
	v := &FeeView{State: f.State, Amount: f.Amount, Text: fee.Yuan(f.Amount), Rule: m.Fee.Text, Basis: m.Fee.Basis, OrderNo: f.Order, PayURL: f.PayURL, ExpiresAt: stamp(f.Expires), PaidAt: stamp(f.PaidAt)}
	if f.State == "free" {
		v.Text = m.Fee.Text
	}
	return v
}

func consultView(c consult.Consultation) ConsultationView {
	v := ConsultationView{
		ID: c.ID, DeptName: c.DeptName, Level: c.Level, State: c.State, AskedAt: stamp(c.Asked), ReplyBy: c.ReplyBy, Text: c.Text, Content: c.Content,
		Opinion: map[string]string{"AGREE": "同意", "DISAGREE": "不同意", "CONDITIONAL": "有条件同意", "NO_COMMENT": "无意见"}[c.Opinion],
	}
	if c.SupplementID != "" {
		v.Supplement = &SupplementRequest{ID: c.SupplementID, Items: c.Items, Until: calendar.DateOf(db.Time(c.Until)).String(), Done: c.State != consult.Supplement}
	}
	return v
}
