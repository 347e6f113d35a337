package app

import (
	"context"

	"haoban/casework"
	"haoban/platform/ident"
)

// What the cases of a demonstration are: how many of which matter get how far,
// and on which working day before now they were filed. A registration is
// promised within five working days and a planning opinion within ten, so what
// was filed longer ago and is not over is red, what is near is yellow.

// spread deals k into the numbers from lo to hi.
func spread(k, lo, hi int) int { return lo + k%(hi-lo+1) }

func (s *seeder) plan(n int) []planned {
	var out []planned
	homes := min(n/4, len(s.w.Homes))
	for i, h := range s.w.Homes[:homes] {
		stage, back := reissueStage(i)
		out = append(out, planned{back, func(ctx context.Context) error { return s.reissue(ctx, h, stage) }})
	}
	sales := min(n/4, len(s.w.Sales))
	for i, k := range s.w.Sales[:sales] {
		stage, back := presaleStage(i)
		out = append(out, planned{back, func(ctx context.Context) error { return s.presale(ctx, k, stage) }})
	}
	if len(s.w.Projects) > 0 {
		for i := range n / 4 {
			stage, back := opinionStage(i)
			p := s.w.Projects[i%len(s.w.Projects)]
			out = append(out, planned{back, func(ctx context.Context) error { return s.opinion(ctx, p, stage) }})
		}
	}
	if len(s.w.People) > 0 {
		for i := range n - len(out) {
			p := s.w.People[i%len(s.w.People)]
			back, stage := spread(i, 0, seedDays), "closed"
			if i%6 == 5 {
				stage = "draft"
			}
			out = append(out, planned{back, func(ctx context.Context) error { return s.query(ctx, p, stage, i) }})
		}
	}
	return out
}

// dealt is a stage with the days it may have been filed on.
type dealt struct {
	stage  string
	lo, hi int
}

func deal(all []dealt, i int) (string, int) {
	d := all[i%len(all)]
	return d.stage, spread(i/len(all)*5+i, d.lo, d.hi)
}

// What waits for acceptance was filed today: the day after it would count as
// accepted.
func reissueStage(i int) (string, int) {
	return deal([]dealt{
		{"draft", 0, 9}, {"consent", 0, 3}, {"submitted", 0, 0}, {"examine", 0, 6}, {"paying", 0, 5}, {"book", 1, 6}, {"closed", 2, seedDays},
		{"examine", 3, 8}, {"closed", 5, seedDays}, {"withdrawn", 0, 8}, {"refused", 2, 10}, {"rejected", 1, 9}, {"submitted", 0, 0}, {"closed", 0, 4},
	}, i)
}

func presaleStage(i int) (string, int) {
	return deal([]dealt{
		{"draft", 0, 7}, {"consent", 0, 3}, {"submitted", 0, 0}, {"examine", 0, 7}, {"supplement", 0, 4}, {"book", 1, 6}, {"closed", 3, seedDays},
		{"book", 4, 8}, {"closed", 1, seedDays}, {"examine", 2, 5}, {"withdrawn", 1, 8}, {"submitted", 0, 0}, {"refused", 3, 9},
	}, i)
}

func opinionStage(i int) (string, int) {
	return deal([]dealt{
		{"draft", 0, 9}, {"submitted", 0, 3}, {"prereview", 1, 6}, {"review", 2, 12}, {"level1", 3, 12}, {"level2", 6, 13}, {"level3", 8, seedDays},
		{"print", 7, 11}, {"dispatch", 8, 12}, {"closed", 6, seedDays}, {"supplement", 1, 6}, {"paused", 4, 9}, {"refused", 5, 12}, {"rejected", 2, 9},
		{"withdrawn", 3, 9}, {"review", 9, seedDays}, {"closed", 9, seedDays},
	}, i)
}

func (s *seeder) query(ctx context.Context, p SeedPerson, stage string, i int) error {
	me, err := s.person(ctx, p)
	if err != nil {
		return err
	}
	purpose := []string{"school", "loan", "tax", "household"}[i%4]
	id, err := s.draft(ctx, me, "registry/query-certificate", map[string]any{"mode": "mode1", "purpose": purpose, "agree": true})
	if err != nil || stage == "draft" {
		return err
	}
	_, err = s.do(ctx, me, "submit", id, struct{}{})
	return err
}

func (s *seeder) reissue(ctx context.Context, h SeedHome, stage string) error {
	me, err := s.person(ctx, h.Owner)
	if err != nil {
		return err
	}
	id, err := s.draft(ctx, me, "registry/reissue", map[string]any{
		"certNo": h.TitleNo, "lossKind": "lost", "lossText": "搬家时遗失", "medium": "电子", "statement": true,
	})
	if err != nil || stage == "draft" {
		return err
	}
	if _, err := s.do(ctx, me, "ready", id, struct{}{}); err != nil || stage == "consent" {
		return err
	}
	if err := s.consent(ctx, id, map[string]ident.Actor{me.PersonID: me}, 0); err != nil || stage == "submitted" {
		return err
	}
	if done, err := s.registered(ctx, me, id, stage); err != nil || done {
		return err
	}
	if stage == "paying" {
		return nil
	}
	if err := s.pay(ctx, me, id); err != nil || stage == "book" {
		return err
	}
	return s.step(ctx, "lidong", id, "book", "pass", "")
}

// registered brings a registration from its acceptance to the end of its
// examination, and reports whether it stays where the stage says.
func (s *seeder) registered(ctx context.Context, me ident.Actor, id, stage string) (bool, error) {
	switch stage {
	case "withdrawn":
		_, err := s.do(ctx, me, "withdraw", id, casework.VerbInput{Reason: "暂时不办了"})
		return true, err
	case "rejected":
		return true, s.step(ctx, "zhaomin", id, "receive", "reject", "申请的事项不属于本机构办理")
	}
	if err := s.step(ctx, "zhaomin", id, "receive", "accept", ""); err != nil {
		return true, err
	}
	switch stage {
	case "examine":
		return true, nil
	case "refused":
		return true, s.step(ctx, "wanghui", id, "examine", "refuse", "申请材料与登记簿记载不一致")
	case "supplement":
		return true, s.askMore(ctx, "wanghui", id, "examine", "other", "请补充说明材料")
	}
	return false, s.step(ctx, "wanghui", id, "examine", "pass", "材料齐全，与登记簿一致")
}

// askMore has an official take the task of a node and ask for 补正.
func (s *seeder) askMore(ctx context.Context, account, id, node, item, reason string) error {
	if err := s.take(ctx, account, id, node); err != nil {
		return err
	}
	_, err := s.do(ctx, s.staff[account], "supplement", id, casework.VerbInput{Reason: reason, Items: []casework.AskInput{{Node: item}}})
	return err
}

func (s *seeder) take(ctx context.Context, account, id, node string) error {
	ts, err := s.a.Service.Tasks(ctx, s.a.DB.Q(), id)
	if err != nil {
		return err
	}
	for _, t := range ts {
		if t.Node == node && t.State == "open" {
			_, err := s.do(ctx, s.staff[account], "claim", id, casework.TaskInput{Task: t.ID})
			return err
		}
	}
	return nil
}

func (s *seeder) presale(ctx context.Context, k SeedSale, stage string) error {
	as := map[string]ident.Actor{}
	seller, err := s.agent(ctx, k.Seller)
	if err != nil {
		return err
	}
	as[seller.OrgID] = seller
	var me ident.Actor
	for i, b := range k.Buyers {
		p, err := s.person(ctx, b)
		if err != nil {
			return err
		}
		as[p.PersonID] = p
		if i == 0 {
			me = p
		}
	}
	id, err := s.draft(ctx, me, "registry/presale-notice", map[string]any{"contractNo": k.No, "medium": "电子", "promise": true})
	if err != nil || stage == "draft" {
		return err
	}
	if _, err := s.do(ctx, me, "ready", id, struct{}{}); err != nil {
		return err
	}
	leave := 0
	if stage == "consent" {
		leave = 1
	}
	if err := s.consent(ctx, id, as, leave); err != nil || stage == "consent" || stage == "submitted" {
		return err
	}
	if done, err := s.registered(ctx, me, id, stage); err != nil || done || stage == "book" {
		return err
	}
	return s.step(ctx, "lidong", id, "book", "pass", "")
}

func (s *seeder) opinion(ctx context.Context, p SeedProject, stage string) error {
	me, err := s.agent(ctx, p.Builder)
	if err != nil {
		return err
	}
	id, err := s.draft(ctx, me, "permit/land-opinion", map[string]any{
		"projectCode": p.Code, "scale": "建筑面积约 1 万平方米", "reason": "符合控制性详细规划", "farmland": "否", "promise": true,
	})
	if err != nil || stage == "draft" {
		return err
	}
	if err := s.attach(ctx, me, id, "range", "拟用地范围图.pdf"); err != nil {
		return err
	}
	if _, err := s.do(ctx, me, "ready", id, struct{}{}); err != nil {
		return err
	}
	switch stage {
	case "submitted":
		return nil
	case "withdrawn":
		_, err := s.do(ctx, me, "withdraw", id, casework.VerbInput{Reason: "选址调整，重新申报"})
		return err
	case "rejected":
		return s.step(ctx, "qianyu", id, "receive", "reject", "项目不属于划拨用地")
	}
	for _, x := range []struct{ account, node, opinion string }{
		{"qianyu", "receive", ""}, {"zhougang", "prereview", "材料齐全"}, {"zhougang", "review", "符合规划"}, {"zhougang", "level1", "同意"},
		{"wufang", "level2", "同意"}, {"zhengju", "level3", "同意"}, {"fengwen", "print", ""}, {"chenfa", "dispatch", ""},
	} {
		switch {
		case stage == x.node:
			return nil
		case stage == "supplement" && x.node == "prereview":
			return s.askMore(ctx, x.account, id, x.node, "survey", "请补充土地权属调查报告")
		case stage == "refused" && x.node == "review":
			return s.step(ctx, x.account, id, x.node, "refuse", "不符合控制性详细规划")
		case stage == "paused" && x.node == "review":
			if err := s.take(ctx, x.account, id, x.node); err != nil {
				return err
			}
			_, err := s.do(ctx, s.staff[x.account], "suspend", id, casework.VerbInput{Code: "expert", Days: 10, Reason: "组织专家评审"})
			return err
		}
		outcome := "pass"
		if x.node == "receive" {
			outcome = "accept"
		}
		if err := s.step(ctx, x.account, id, x.node, outcome, x.opinion); err != nil {
			return err
		}
	}
	return nil
}
