package api

import (
	"context"

	"haoban/casework"
	"haoban/casework/matter"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/web"
)

// CaseIn names a case in the path. It is exported because only then its field
// is read when it is embedded.
type CaseIn struct {
	ID string `path:"id" maxLength:"64"`
}

type openIn struct {
	Body struct {
		Matter string   `json:"matter" maxLength:"80"`
		With   []string `json:"with,omitempty" maxItems:"8"`
	}
}

type saveIn struct {
	CaseIn
	Body struct {
		Version int            `json:"version"`
		Data    map[string]any `json:"data"`
	}
}

// SaveOut answers a save: what is still wrong is told, not refused.
type SaveOut struct {
	Version  int             `json:"version"`
	SavedAt  string          `json:"savedAt"`
	Errors   []errs.Field    `json:"errors"`
	Complete map[string]bool `json:"complete"`
}

type versionIn struct {
	CaseIn
	Body struct {
		Version int `json:"version,omitempty"`
	}
}

type listIn struct {
	State  string `query:"state" enum:"open,done," default:"open"`
	Cursor string `query:"cursor" maxLength:"200"`
	Q      string `query:"q" maxLength:"80"`
}

type verbIn struct {
	CaseIn
	Verb string `path:"verb" maxLength:"40"`
	Body map[string]any
}

// filing registers what an applicant does to a case.
func (r *Routes) filing(s *web.Server) {
	web.Register(s, web.Public, op("openCase", post, "/public/cases", "开始填报"), func(ctx context.Context, in *openIn) (*Out[CaseView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		rep, err := r.do(ctx, a, "open", "", 0, casework.OpenInput{Matter: in.Body.Matter, With: in.Body.With})
		if err != nil {
			return nil, err
		}
		return out(r.view(ctx, a, rep.Case))
	})
	web.Register(s, web.Public, op("listCases", get, "/public/cases", "我的办件"), func(ctx context.Context, in *listIn) (*Out[List[CaseRow]], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.list(ctx, a, casework.Query{Over: in.State == "done", ByOpened: true, Cursor: in.Cursor, Text: in.Q}))
	})
	web.Register(s, web.Public, op("getCase", get, "/public/cases/{id}", "办件"), func(ctx context.Context, in *CaseIn) (*Out[CaseView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.view(ctx, a, in.ID))
	})
	web.Register(s, web.Public, op("saveForm", put, "/public/cases/{id}/form", "保存填报内容"), func(ctx context.Context, in *saveIn) (*Out[SaveOut], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		rep, err := r.do(ctx, a, "save", in.ID, in.Body.Version, casework.SaveInput{Data: in.Body.Data})
		if err != nil {
			return nil, err
		}
		var f FormView
		err = r.Service.DB().Read(ctx, func(q db.Querier) error {
			snap, err := r.Service.See(ctx, q, a, in.ID)
			if err == nil {
				f = formView(a, snap)
			}
			return err
		})
		return out(SaveOut{Version: rep.Version, SavedAt: stamp(db.MS(r.Service.DB().Clock().Now())), Errors: f.Errors, Complete: f.Complete}, err)
	})
	for _, x := range []struct{ id, path, kind, text string }{
		{"prefillCase", "prefill", "prefill", "从部门数据预填"},
		{"readyCase", "ready", "ready", "填好了，请各方确认"},
		{"submitCase", "submit", "submit", "提交"},
	} {
		web.Register(s, web.Public, op(x.id, post, "/public/cases/{id}/"+x.path, x.text), func(ctx context.Context, in *versionIn) (*Out[CaseView], error) {
			a, err := person(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := r.do(ctx, a, x.kind, in.ID, in.Body.Version, struct{}{}); err != nil {
				return nil, err
			}
			return out(r.view(ctx, a, in.ID))
		})
	}
	web.Register(s, web.Public, op("checkCase", post, "/public/cases/{id}/checks", "核对规则"), func(ctx context.Context, in *CaseIn) (*Out[[]CheckView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.checkNow(ctx, a, in.ID))
	})
	web.Register(s, web.Public, op("applicantVerb", post, "/public/cases/{id}/verbs/{verb}", "对办件的操作"), func(ctx context.Context, in *verbIn) (*Out[CaseView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.verbDo(ctx, a, in, "withdraw", "discard", "urge", "supplemented", "reopen", "consult.supplemented", "party.remind"))
	})
}

// verbDo sends the verb as a command; version in the body is taken out of the
// data.
func (r *Routes) verbDo(ctx context.Context, a ident.Actor, in *verbIn, allowed ...string) (CaseView, error) {
	ok := false
	for _, v := range allowed {
		ok = ok || v == in.Verb
	}
	if !ok {
		return CaseView{}, errs.New(errs.NotFound, "verb.unknown", "没有这个操作")
	}
	version := 0
	if n, is := in.Body["version"].(float64); is {
		version = int(n)
	}
	delete(in.Body, "version")
	if _, err := r.do(ctx, a, in.Verb, in.ID, version, in.Body); err != nil {
		return CaseView{}, err
	}
	return r.view(ctx, a, in.ID)
}

func (r *Routes) checkNow(ctx context.Context, a ident.Actor, id string) ([]CheckView, error) {
	res := []CheckView{}
	err := r.Service.DB().Read(ctx, func(q db.Querier) error {
		snap, err := r.Service.See(ctx, q, a, id)
		if err != nil {
			return err
		}
		found, err := r.Service.Findings(ctx, q, snap.M, snap.Env(), "ready")
		if err != nil {
			return err
		}
		for _, f := range found {
			res = append(res, CheckView{Rule: f.Rule, Name: f.Name, Verdict: string(f.Verdict), Text: f.Text, Basis: f.Basis, At: stamp(db.MS(r.Service.DB().Clock().Now()))})
		}
		return nil
	})
	return res, err
}

func (r *Routes) list(ctx context.Context, a ident.Actor, q casework.Query) (List[CaseRow], error) {
	cs, next, err := r.Service.List(ctx, a, q)
	if err != nil {
		return List[CaseRow]{}, err
	}
	l := List[CaseRow]{Items: []CaseRow{}, Next: next}
	for _, c := range cs {
		m, err := r.Service.Definition(ctx, c.Digest)
		if err != nil {
			return l, err
		}
		l.Items = append(l.Items, r.row(c, m))
	}
	return l, nil
}

// MatterCard is a matter in the list of matters.
type MatterCard struct {
	Slug    string `json:"slug"`
	Name    string `json:"name"`
	Summary string `json:"summary"`
	Who     string `json:"who"`
}

// MatterGroup is a heading with its matters.
type MatterGroup struct {
	Name  string       `json:"name"`
	Items []MatterCard `json:"items"`
}

// MatterPage is the start page of a matter.
type MatterPage struct {
	MatterCard
	Needs    []matter.Need  `json:"needs"`
	Fetched  []FetchedFact  `json:"fetched"`
	Days     DaysText       `json:"days"`
	Fee      FeeText        `json:"fee"`
	Basis    []matter.Basis `json:"basis"`
	Results  []string       `json:"results"`
	Steps    []string       `json:"steps"`
	With     []MatterCard   `json:"with"`
	Eligible Eligible       `json:"eligible"`
}

// FetchedFact is something the house fetches itself, and from whom.
type FetchedFact struct {
	Name string `json:"name"`
	From string `json:"from"`
}

// DaysText is how long a matter may take.
type DaysText struct {
	Legal int    `json:"legal"`
	Text  string `json:"text"`
	Basis string `json:"basis"`
}

// FeeText is what a matter costs, in words.
type FeeText struct {
	Text  string `json:"text"`
	Basis string `json:"basis"`
}

// Eligible says whether the asker may apply, and why not.
type Eligible struct {
	OK      bool     `json:"ok"`
	Reasons []string `json:"reasons"`
}

// MatterList is what can be done here.
type MatterList struct {
	Groups []MatterGroup `json:"groups"`
}

type matterIn struct {
	Office string `path:"office" maxLength:"40"`
	Name   string `path:"name" maxLength:"60"`
}

func card(m *matter.Matter) MatterCard {
	return MatterCard{Slug: m.Slug, Name: m.Name, Summary: m.Summary, Who: m.Who}
}

func (r *Routes) public(s *web.Server) {
	web.Register(s, web.Public, op("listMatters", get, "/public/matters", "能办的事"), func(context.Context, *struct{}) (*Out[MatterList], error) {
		var v MatterList
		at := map[string]int{}
		for _, m := range r.Service.Matters() {
			i, ok := at[m.Group]
			if !ok {
				i = len(v.Groups)
				at[m.Group] = i
				v.Groups = append(v.Groups, MatterGroup{Name: m.Group})
			}
			v.Groups[i].Items = append(v.Groups[i].Items, card(m))
		}
		return out(v, nil)
	}, web.Anonymous)
	web.Register(s, web.Public, op("getMatter", get, "/public/matters/{office}/{name}", "办事说明"), func(ctx context.Context, in *matterIn) (*Out[MatterPage], error) {
		m, ok := r.Service.Matter(in.Office + "/" + in.Name)
		if !ok {
			return nil, errs.New(errs.NotFound, "matter.unknown", "没有这个事项")
		}
		return out(r.matterPage(ctx, m), nil)
	}, web.Anonymous)
}

func (r *Routes) matterPage(ctx context.Context, m *matter.Matter) MatterPage {
	p := MatterPage{MatterCard: card(m), Needs: m.Needs, Basis: m.Basis, Steps: m.Steps, Results: []string{}, With: []MatterCard{}}
	seen := map[string]bool{}
	for _, x := range m.Prefill {
		if !seen[x.Text] {
			seen[x.Text] = true
			var name string
			for path := range x.Into {
				name = m.Form.TitleAt(path)
				break
			}
			p.Fetched = append(p.Fetched, FetchedFact{name, x.Text})
		}
	}
	p.Days.Legal, p.Days.Basis = m.Limit.Legal, m.Limit.Basis
	p.Days.Text = dayText(m.Limit)
	p.Fee.Text, p.Fee.Basis = m.Fee.Text, m.Fee.Basis
	for _, x := range m.Results {
		p.Results = append(p.Results, x.Name)
	}
	for _, slug := range m.With {
		if o, ok := r.Service.Matter(slug); ok {
			p.With = append(p.With, card(o))
		}
	}
	p.Eligible.OK, p.Eligible.Reasons = true, []string{}
	if a := actor(ctx); a.Kind == ident.KindPerson {
		if err := casework.MayApply(a, m); err != nil {
			p.Eligible.OK = false
			if e, ok := errs.As(err); ok {
				p.Eligible.Reasons = append(p.Eligible.Reasons, e.Msg)
			}
		}
	}
	return p
}

func dayText(l matter.Limit) string {
	unit := "个工作日"
	if l.Unit == "natural" {
		unit = "天"
	}
	if l.Promised == 0 {
		return "当场办结"
	}
	return "受理后 " + itoa(l.Promised) + " " + unit + "内办结"
}
