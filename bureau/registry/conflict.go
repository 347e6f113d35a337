package registry

import (
	"context"
	"errors"
	"fmt"

	"haoban/casework"
	"haoban/casework/matter"
	"haoban/platform/db"
)

// rule is one cell of the matrix of rights conflicts (权利对抗检查): what a state
// of the book means for a matter.
type rule struct {
	verdict casework.Verdict
	text    string
	basis   string
}

// matrix is the part of the handbook's table for the matters that are open, by
// slug and by state of the book. What is not named has no bearing. Cells with a
// basis are law; the others are the bureau's default and may change by
// configuration of the matter's checks.
func matrix() map[string]map[string]rule {
	block := func(text, basis string) rule { return rule{casework.Block, text, basis} }
	person := func(text string) rule { return rule{casework.Manual, text, ""} }
	warn := func(text string) rule { return rule{casework.Warn, text, ""} }
	correction := block("这处不动产正在更正，更正完成前不能办", "《上海市不动产登记若干规定》第三十一条")
	expropriation := block("这处不动产已有征收或收回决定，不能办", "")
	return map[string]map[string]rule{
		"registry/presale-notice": {
			Seizure:           block("这处房屋已被查封，不能办预告登记", ""),
			WaitingSeizure:    block("这处房屋有轮候查封，不能办预告登记", ""),
			PreSeizure:        block("这处房屋已被预查封，不能办预告登记", ""),
			Objection:         {casework.RiskAck, "这处房屋有异议登记，要书面承诺知晓并自担风险", "《不动产登记暂行条例实施细则》"},
			Mortgage:          {casework.Consent3, "土地或房屋已抵押，要抵押权人同意", ""},
			ConstructionPawn:  {casework.Consent3, "在建工程已抵押，要抵押权人同意预售", ""},
			PresaleNotice:     block("这处房屋已经办过预告登记，不能重复办", ""),
			Correction:        correction,
			Illegal:           warn("这处房屋附有违法建筑注记"),
			Expropriation:     expropriation,
			PolicyRestriction: person("这处房屋有政策限制，转人工核对"),
		},
		"registry/presale-mortgage-notice": {
			Seizure:           block("这处房屋已被查封，不能办抵押预告", ""),
			WaitingSeizure:    block("这处房屋有轮候查封，不能办抵押预告", ""),
			PreSeizure:        block("这处房屋已被预查封，不能办抵押预告", ""),
			Objection:         {casework.RiskAck, "这处房屋有异议登记，要书面承诺知晓并自担风险", ""},
			ConstructionPawn:  {casework.Consent3, "在建工程已抵押，要抵押权人同意", ""},
			MortgageNotice:    warn("已有抵押预告，本次顺位在后"),
			Correction:        correction,
			Illegal:           person("这处房屋附有违法建筑注记，转人工核对"),
			Expropriation:     expropriation,
			ResidenceRight:    warn("这处房屋设有居住权"),
			PolicyRestriction: person("这处房屋有政策限制，转人工核对"),
		},
		"registry/reissue": {
			Seizure:           person("这处房屋被查封，补证转人工核对"),
			WaitingSeizure:    person("这处房屋有轮候查封，补证转人工核对"),
			Objection:         warn("这处房屋有异议登记"),
			Mortgage:          warn("这处房屋已抵押，补证不影响抵押权"),
			PresaleNotice:     warn("这处房屋有预告登记"),
			Correction:        person("这处不动产正在更正，补证转人工核对"),
			Expropriation:     warn("这处不动产已有征收或收回决定"),
			PolicyRestriction: warn("这处房屋有政策限制"),
		},
	}
}

// Conflicts is the check "registry.conflict": every state of the book against
// the matter, and whether another case has the unit in hand.
func (r *Register) Conflicts(ctx context.Context, q db.Querier, m *matter.Matter, env matter.Env) ([]casework.Finding, error) {
	code, _ := env.Form["unit"].(string)
	none := casework.Finding{Rule: "conflict", Name: "权利对抗检查", Verdict: casework.Manual, Text: "登记簿上还没有核到这处不动产，转人工核对", Path: "unit"}
	if code == "" {
		return []casework.Finding{none}, nil
	}
	u, err := r.Unit(ctx, q, code)
	if errors.Is(err, ErrNoUnit) {
		return []casework.Finding{none}, nil
	}
	if err != nil {
		return nil, err
	}
	cells := matrix()[m.Slug]
	var out []casework.Finding
	own := Right{}
	for _, x := range u.Rights {
		if x.Kind == PresaleNotice {
			own = x
		}
		c, ok := cells[x.Kind]
		if !ok {
			continue
		}
		out = append(out, casework.Finding{
			Rule: "conflict." + x.Kind, Name: "权利对抗：" + KindText(x.Kind), Verdict: c.verdict, Text: c.text, Basis: c.basis, Path: "unit",
		})
	}
	if m.Slug == "registry/presale-mortgage-notice" {
		out = append(out, r.noticeFirst(env, own))
	}
	by, err := r.LockedBy(ctx, q, code)
	if err != nil {
		return nil, err
	}
	bundle, _ := env.Case["bundle"].(string)
	if by != "" && by != bundle {
		out = append(out, casework.Finding{Rule: "conflict.inproc", Name: "在办案件", Verdict: casework.Block, Text: ErrLocked.Msg, Path: "unit"})
	}
	if len(out) == 0 {
		out = append(out, casework.Finding{Rule: "conflict", Name: "权利对抗检查", Verdict: casework.Pass, Text: "登记簿上没有对抗的权利"})
	}
	return out, nil
}

// noticeFirst holds that a mortgage can be noted only on a noted purchase, by
// the same persons; within one bundle the purchase is entered first.
func (r *Register) noticeFirst(env matter.Env, own Right) casework.Finding {
	f := casework.Finding{Rule: "conflict.notice_first", Name: "先有预告登记", Verdict: casework.Pass, Text: "抵押人就是预告权利人", Path: "unit"}
	if together, _ := env.Case["follows"].(bool); together {
		f.Text = "与预购商品房预告登记一并申请，先登前一件"
		return f
	}
	if own.Kind == "" {
		f.Verdict, f.Text = casework.Block, "还没有办预购商品房预告登记，请先办或一并申请"
	}
	return f
}

// IsCurrentCert is the check "registry.current_cert": the number stands on the
// book now and the applicant holds it.
func (r *Register) IsCurrentCert(ctx context.Context, q db.Querier, _ *matter.Matter, env matter.Env) ([]casework.Finding, error) {
	no, _ := env.Form["certNo"].(string)
	id, _ := env.Form["holderId"].(string)
	f := casework.Finding{Rule: "current_cert", Name: "证书现在有效", Verdict: casework.Pass, Text: "证书是登记簿上现在有效的证书", Path: "certNo"}
	u, x, err := r.ByCert(ctx, q, no)
	if err != nil {
		f.Verdict, f.Text = casework.Block, "登记簿上没有这个现在有效的证号，请核对"
		return []casework.Finding{f}, nil //nolint:nilerr // not found is the finding
	}
	mine := false
	for _, h := range x.Holders {
		mine = mine || h.ID == id
	}
	if !mine {
		f.Verdict, f.Text = casework.Block, "登记簿上没有这个现在有效的证号，请核对"
		return []casework.Finding{f}, nil
	}
	if by, err := r.LockedBy(ctx, q, u.Code); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	} else if bundle, _ := env.Case["bundle"].(string); by != "" && by != bundle {
		return []casework.Finding{f, {Rule: "conflict.inproc", Name: "在办案件", Verdict: casework.Block, Text: ErrLocked.Msg, Path: "certNo"}}, nil
	}
	return []casework.Finding{f}, nil
}
