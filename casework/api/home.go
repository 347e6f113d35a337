package api

import (
	"context"
	"fmt"

	"haoban/casework"
	"haoban/casework/party"
	"haoban/casework/result"
	"haoban/platform/calendar"
	"haoban/platform/db"
	"haoban/platform/doc"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/web"
)

// Todo is something the person has to do.
type Todo struct {
	Kind      string `json:"kind"`
	CaseID    string `json:"caseId"`
	ConsentID string `json:"consentId,omitempty"`
	Title     string `json:"title"`
	Text      string `json:"text"`
	DueText   string `json:"dueText"`
	Label     string `json:"label"`
	To        string `json:"to"`
}

// HomeView is the first page after login.
type HomeView struct {
	Todos []Todo    `json:"todos"`
	Open  []CaseRow `json:"open"`
	Done  []CaseRow `json:"done"`
}

func (r *Routes) home(s *web.Server) {
	web.Register(s, web.Public, op("home", get, "/public/home", "我的"), func(ctx context.Context, _ *struct{}) (*Out[HomeView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.homeView(ctx, a))
	})
	web.Register(s, web.Public, op("properties", get, "/public/properties", "我的不动产"), func(ctx context.Context, _ *struct{}) (*Out[PropertyList], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		var v PropertyList
		id, err := r.idOf(ctx, a)
		if err != nil {
			return nil, err
		}
		v.State, v.At = "ok", stamp(db.MS(r.Service.DB().Clock().Now()))
		v.Items, err = r.Holdings.Properties(ctx, r.Service.DB().Q(), id)
		return out(v, err)
	})
	r.results(s)
	r.notices(s)
	r.fees(s)
}

// idOf is the number an actor's rights are registered under.
func (r *Routes) idOf(ctx context.Context, a ident.Actor) (string, error) {
	if a.OrgID != "" {
		o, err := r.People.Org(ctx, r.Service.DB().Q(), a.OrgID)
		return o.USCC, err
	}
	p, err := r.People.Person(ctx, r.Service.DB().Q(), a.PersonID)
	return idNo(p), err
}

func (r *Routes) homeView(ctx context.Context, a ident.Actor) (HomeView, error) {
	v := HomeView{Todos: []Todo{}, Open: []CaseRow{}, Done: []CaseRow{}}
	box, err := r.Parties.Box(ctx, r.Service.DB().Q(), a)
	if err != nil {
		return v, err
	}
	for _, p := range box {
		t, err := r.consentTodo(ctx, p)
		if err != nil {
			return v, err
		}
		v.Todos = append(v.Todos, t)
	}
	open, err := r.list(ctx, a, casework.Query{ByOpened: true, Limit: 20})
	if err != nil {
		return v, err
	}
	for _, c := range open.Items {
		switch casework.Phase(c.Phase) {
		case casework.Draft:
			v.Todos = append(v.Todos, Todo{Kind: "draft", CaseID: c.ID, Title: "接着填 " + c.Matter.Name, Text: "已保存，随时可以接着填", Label: "接着填", To: "/cases/" + c.ID})
		case casework.Supplement:
			v.Todos = append(v.Todos, Todo{Kind: "supplement", CaseID: c.ID, Title: "补正材料", Text: c.Matter.Name + " " + c.No, Label: "去补正", To: "/cases/" + c.ID})
		case casework.Paying:
			v.Todos = append(v.Todos, Todo{Kind: "pay", CaseID: c.ID, Title: "缴费", Text: c.Matter.Name + " " + c.No, Label: "去缴费", To: "/cases/" + c.ID})
		case casework.Consent, casework.Submitted, casework.Handling, casework.Closed, casework.Stopped:
		}
		if casework.Phase(c.Phase) != casework.Draft {
			v.Open = append(v.Open, c)
		}
	}
	done, err := r.list(ctx, a, casework.Query{Over: true, Limit: 5})
	v.Done = append(v.Done, done.Items...)
	return v, err
}

func (r *Routes) consentTodo(ctx context.Context, p party.Party) (Todo, error) {
	snap, err := r.Service.Snapshot(ctx, p.Roles[0].Case)
	if err != nil {
		return Todo{}, err
	}
	t := Todo{Kind: "consent", CaseID: snap.ID, ConsentID: p.ID, Title: "确认：" + snap.M.Name, Label: "开始确认", To: "/consents/" + p.ID}
	if len(p.Roles) > 1 {
		t.Title += fmt.Sprintf("等 %d 件", len(p.Roles))
	}
	t.Text = "请看过内容后确认"
	if p.Owes("recording") {
		t.Text = "录一段约 2 分钟的视频并签名，请在手机上办"
	}
	t.DueText = calendar.DateOf(db.Time(p.Expires)).Short() + "前有效"
	return t, nil
}

func (r *Routes) results(s *web.Server) {
	web.Register(s, web.Public, op("results", get, "/public/results", "我的证照"), func(ctx context.Context, _ *struct{}) (*Out[List[ResultView]], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		rs, err := r.Results.Mine(ctx, r.Service.DB().Q(), a)
		l := List[ResultView]{Items: []ResultView{}}
		for _, x := range rs {
			l.Items = append(l.Items, r.resultView(x))
		}
		return out(l, err)
	})
	web.Register(s, web.Public, op("result", get, "/public/results/{id}", "证照"), func(ctx context.Context, in *OneIn) (*Out[ResultView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.heldResult(ctx, a, in.ID))
	})
	web.Register(s, web.Public, op("setQR", put, "/public/results/{id}/qr", "出示二维码"), func(ctx context.Context, in *struct {
		OneIn
		Body struct {
			On     bool     `json:"on"`
			Days   int      `json:"days"`
			Fields []string `json:"fields,omitempty" maxItems:"20"`
		}
	}) (*Out[ResultView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		x, err := r.Results.Held(ctx, r.Service.DB().Q(), a, in.ID)
		if err != nil {
			return nil, err
		}
		if _, err := r.do(ctx, a, "result.qr", x.Case, 0, result.QRInput{Result: in.ID, On: in.Body.On, Days: in.Body.Days, Fields: in.Body.Fields}); err != nil {
			return nil, err
		}
		return out(r.heldResult(ctx, a, in.ID))
	})
	web.Register(s, web.Public, op("verify", get, "/public/verify/{token}", "核验证照"), func(ctx context.Context, in *struct {
		Token string `path:"token" maxLength:"80"`
	}) (*Out[VerifyView], error) {
		return out(r.verify(ctx, in.Token))
	}, web.Anonymous, web.Class(web.Verify))
}

func (r *Routes) heldResult(ctx context.Context, a ident.Actor, id string) (ResultView, error) {
	x, err := r.Results.Held(ctx, r.Service.DB().Q(), a, id)
	if err != nil {
		return ResultView{}, err
	}
	v := r.resultView(x)
	png, err := doc.QR(r.Results.URL(x.Token), 320)
	if err != nil {
		return v, err
	}
	v.QR = &QRView{On: x.QR, ExpiresAt: stamp(x.QRUntil), URL: r.Results.URL(x.Token), Image: dataURL("image/png", png), Fields: x.QRFields, All: x.Facts}
	return v, nil
}

// VerifyCheck is one thing that was checked.
type VerifyCheck struct {
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// PropertyList is what the person holds, and since when that is known.
type PropertyList struct {
	Items []Property `json:"items"`
	State string     `json:"state"`
	At    string     `json:"at"`
}

// VerifyView is what a stranger learns from a QR.
type VerifyView struct {
	Verdict string        `json:"verdict"`
	Text    string        `json:"text"`
	At      string        `json:"at"`
	Facts   []Line        `json:"facts"`
	Checks  []VerifyCheck `json:"checks"`
	FileURL string        `json:"fileUrl,omitempty"`
}

func (r *Routes) verify(ctx context.Context, token string) (VerifyView, error) {
	c, err := r.Results.Verify(ctx, r.Service.DB(), token)
	if err != nil {
		return VerifyView{}, err
	}
	v := VerifyView{Verdict: c.Verdict, At: stamp(db.MS(c.At)), Facts: []Line{}}
	v.Text = map[string]string{
		result.Valid: "真实，现在有效", result.Superseded: "真实，但已被新的证书取代", result.Lost: "已声明遗失，不再有效", result.Voided: "已作废", result.Frozen: "已冻结，暂不能使用",
		"off": "持有人没有开放出示", "expired": "出示已过期，请向持有人要新的二维码", "unknown": "没有查到这份证照",
	}[c.Verdict]
	if c.Name == "" {
		return v, nil
	}
	v.Facts = append(v.Facts, Line{"文书", c.Name}, Line{"编号", c.No}, Line{"出具", calendar.DateOf(db.Time(c.Issued)).Long()})
	for _, f := range c.Facts {
		v.Facts = append(v.Facts, Line{f.Label, f.Value})
	}
	v.Facts = append(v.Facts, Line{"出示到", calendar.DateOf(db.Time(c.Until)).Long()})
	check := func(ok bool, text string) {
		v.Checks = append(v.Checks, VerifyCheck{ok, text})
	}
	check(true, "编号和内容与登记机构的记录一致")
	check(c.Verdict == result.Valid, map[bool]string{true: "没有作废、遗失、冻结或被取代", false: v.Text}[c.Verdict == result.Valid])
	return v, nil
}

func (r *Routes) notices(s *web.Server) {
	web.Register(s, web.Public, op("notices", get, "/public/notices", "遗失声明"), func(ctx context.Context, in *struct {
		Before int64 `query:"before"`
	}) (*Out[List[Statement]], error) {
		ss, err := r.Holdings.Statements(ctx, r.Service.DB().Q(), in.Before, 50)
		l := List[Statement]{Items: []Statement{}}
		for _, x := range ss {
			x.PublishedAt = stamp(x.At)
			l.Items = append(l.Items, x)
		}
		if len(ss) == 50 {
			l.Next = fmt.Sprint(ss[49].At)
		}
		return out(l, err)
	}, web.Anonymous)
	web.Register(s, web.Public, op("verifyNo", get, "/public/verify-no", "按证号核验"), func(ctx context.Context, in *struct {
		No string `query:"no" maxLength:"60"`
	}) (*Out[VerifyView], error) {
		since, lost, err := r.Holdings.Lost(ctx, r.Service.DB().Q(), in.No)
		if err != nil {
			return nil, err
		}
		v := VerifyView{Verdict: "unknown", Text: "没有这个证号的遗失记录；要核对是否有效，请扫证书上的二维码", At: stamp(db.MS(r.Service.DB().Clock().Now())), Facts: []Line{}}
		if lost {
			v.Verdict, v.Text = result.Lost, "已声明遗失，不再有效"
			v.Facts = append(v.Facts, Line{"证号", in.No}, Line{"声明日期", calendar.DateOf(db.Time(since)).Long()})
		}
		return out(v, nil)
	}, web.Anonymous, web.Class(web.Verify))
}

func (r *Routes) fees(s *web.Server) {
	web.Register(s, web.Public, op("orderFee", post, "/public/cases/{id}/fee/order", "去缴费"), func(ctx context.Context, in *CaseIn) (*Out[FeeView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := r.do(ctx, a, "fee.order", in.ID, 0, struct{}{}); err != nil {
			return nil, err
		}
		return out(r.feeOf(ctx, a, in.ID))
	})
	web.Register(s, web.Public, op("fee", get, "/public/cases/{id}/fee", "费用"), func(ctx context.Context, in *CaseIn) (*Out[FeeView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.feeOf(ctx, a, in.ID))
	})
}

func (r *Routes) feeOf(ctx context.Context, a ident.Actor, id string) (FeeView, error) {
	v, err := r.view(ctx, a, id)
	if err != nil {
		return FeeView{}, err
	}
	if v.Fee == nil {
		return FeeView{}, errs.New(errs.NotFound, "fee.none", "这件办件现在没有费用")
	}
	f := *v.Fee
	if f.PayURL != "" && f.State == "ordered" {
		png, err := doc.QR(f.PayURL, 280)
		if err != nil {
			return f, err
		}
		f.QR = dataURL("image/png", png)
	}
	return f, nil
}

// idNo is the number of a person's identity paper.
func idNo(p ident.Person) string {
	_, no := p.IDNo()
	return no
}
