package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"haoban/casework"
	"haoban/casework/consult"
	"haoban/casework/fee"
	"haoban/casework/form"
	"haoban/casework/matter"
	"haoban/casework/party"
	"haoban/casework/result"
	"haoban/platform/calendar"
	"haoban/platform/clock"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

var shanghai = clock.Shanghai() // a constant in all but syntax

// MatterRef names a matter.
type MatterRef struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Clock is a legal clock with its reasons.
type Clock struct {
	Light     string        `json:"light"`
	DueDay    string        `json:"dueDay"`
	Remaining int           `json:"remaining"`
	Paused    bool          `json:"paused"`
	Text      string        `json:"text"`
	Basis     string        `json:"basis"`
	Explain   []ExplainLine `json:"explain"`
}

// ExplainLine says whether one day counted, and why.
type ExplainLine struct {
	Day     string `json:"day"`
	Text    string `json:"text"`
	Counted bool   `json:"counted"`
}

// Step is one of the steps an applicant sees.
type Step struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// CaseRow is a case in a list.
type CaseRow struct {
	ID          string    `json:"id"`
	No          string    `json:"no"`
	Matter      MatterRef `json:"matter"`
	Title       string    `json:"title"`
	Phase       string    `json:"phase"`
	PhaseText   string    `json:"phaseText"`
	District    string    `json:"district"`
	Tags        []string  `json:"tags"`
	Clock       *Clock    `json:"clock"`
	OpenedAt    string    `json:"openedAt"`
	SubmittedAt string    `json:"submittedAt"`
	ClosedAt    string    `json:"closedAt"`
	Parties     []string  `json:"parties"`
	BundleID    string    `json:"bundleId"`
	BundleSize  int       `json:"bundleSize"`
	NextText    string    `json:"nextText"`
	Steps       []Step    `json:"steps"`
}

// FactView is a prefilled value with its source.
type FactView struct {
	Path       string `json:"path"`
	Label      string `json:"label"`
	Value      string `json:"value"`
	Masked     bool   `json:"masked"`
	Source     string `json:"source"`
	SourceText string `json:"sourceText"`
	At         string `json:"at"`
	Locked     bool   `json:"locked"`
	State      string `json:"state"`
	Msg        string `json:"msg,omitempty"`
}

// FormView is the form with what is known of it.
type FormView struct {
	Schema   json.RawMessage `json:"schema"`
	UI       json.RawMessage `json:"ui"`
	Data     map[string]any  `json:"data"`
	Facts    []FactView      `json:"facts"`
	Errors   []errs.Field    `json:"errors"`
	Complete map[string]bool `json:"complete"`
}

// VersionView is one version of a paper.
type VersionView struct {
	N    int    `json:"n"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mime string `json:"mime"`
	SM3  string `json:"sm3"`
	At   string `json:"at"`
	By   string `json:"by"`
}

// MaterialView is one paper.
type MaterialView struct {
	ID           string        `json:"id"`
	Node         string        `json:"node"`
	Name         string        `json:"name"`
	Group        string        `json:"group"`
	Required     bool          `json:"required"`
	Origin       string        `json:"origin"`
	OriginText   string        `json:"originText"`
	State        string        `json:"state"`
	Versions     []VersionView `json:"versions"`
	CanWrite     bool          `json:"canWrite"`
	CanRead      bool          `json:"canRead"`
	ExemptReason string        `json:"exemptReason,omitempty"`
	Hint         string        `json:"hint,omitempty"`
	Until        string        `json:"until,omitempty"`
	Mimes        []string      `json:"mimes,omitempty"`
}

// NeedView is one thing a party still has to do.
type NeedView struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
	Done bool   `json:"done"`
}

// PartyView is one party.
type PartyView struct {
	ID        string     `json:"id"`
	Role      string     `json:"role"`
	RoleText  string     `json:"roleText"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Me        bool       `json:"me"`
	Needs     []NeedView `json:"needs"`
	State     string     `json:"state"`
	At        string     `json:"at"`
	ExpiresAt string     `json:"expiresAt"`
	Order     int        `json:"order"`
	Reason    string     `json:"reason,omitempty"`
}

// TimelineItem is one event as people read it.
type TimelineItem struct {
	At     string `json:"at"`
	Actor  string `json:"actor"`
	Text   string `json:"text"`
	Kind   string `json:"kind"`
	Reason string `json:"reason,omitempty"`
}

// CheckView is one finding.
type CheckView struct {
	Rule    string `json:"rule"`
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Text    string `json:"text"`
	Basis   string `json:"basis"`
	At      string `json:"at"`
}

// FeeView is what a case costs.
type FeeView struct {
	State     string `json:"state"`
	Amount    int64  `json:"amount"`
	Text      string `json:"text"`
	Rule      string `json:"rule"`
	Basis     string `json:"basis"`
	OrderNo   string `json:"orderNo,omitempty"`
	QR        string `json:"qr,omitempty"`
	PayURL    string `json:"payUrl,omitempty"`
	ExpiresAt string `json:"expiresAt,omitempty"`
	PaidAt    string `json:"paidAt,omitempty"`
}

// ConsultationView is one department's part.
type ConsultationView struct {
	ID         string             `json:"id"`
	DeptName   string             `json:"deptName"`
	Level      string             `json:"level"`
	State      string             `json:"state"`
	AskedAt    string             `json:"askedAt"`
	ReplyBy    string             `json:"replyBy"`
	Opinion    string             `json:"opinion,omitempty"`
	Text       string             `json:"text,omitempty"`
	Content    string             `json:"content"`
	Supplement *SupplementRequest `json:"supplement,omitempty"`
}

// SupplementRequest is what a department asked for.
type SupplementRequest struct {
	ID    string         `json:"id"`
	Items []consult.Item `json:"items"`
	Until string         `json:"until"`
	Done  bool           `json:"done"`
}

// BundlePart is one case of a bundle.
type BundlePart struct {
	CaseID     string `json:"caseId"`
	MatterName string `json:"matterName"`
	Mine       bool   `json:"mine"`
}

// CaseView is a case with all the asker may know of it.
type CaseView struct {
	CaseRow
	Version       int                `json:"version"`
	Form          FormView           `json:"form"`
	Materials     []MaterialView     `json:"materials"`
	PartyList     []PartyView        `json:"partyList"`
	Timeline      []TimelineItem     `json:"timeline"`
	Verbs         []VerbView         `json:"verbs"`
	Checks        []CheckView        `json:"checks"`
	Fee           *FeeView           `json:"fee"`
	Results       []ResultView       `json:"results"`
	Consultations []ConsultationView `json:"consultations"`
	Bundle        []BundlePart       `json:"bundle"`
	Applicant     bool               `json:"applicant"`
	NeedsConsent  bool               `json:"needsConsent"`
	DecisionText  string             `json:"decisionText,omitempty"`
}

// masked reports whether the asker sees sensitive leaves masked: everybody but
// who fills the form in.
func masked(a ident.Actor, c *casework.Case) bool { return !mine(a, c) }

func mine(a ident.Actor, c *casework.Case) bool {
	if c.Org != "" {
		return a.OrgID == c.Org
	}
	return a.Kind == ident.KindPerson && a.PersonID == c.Opener && a.OrgID == ""
}

func (r *Routes) row(c *casework.Case, m *matter.Matter) CaseRow {
	v := CaseRow{
		ID: c.ID, No: c.No, Matter: MatterRef{Slug: c.Matter, Name: m.Name}, Title: c.Title, Phase: string(c.Phase), PhaseText: c.Phase.Text(),
		District: c.District, Tags: []string{}, OpenedAt: stamp(c.Opened), SubmittedAt: stamp(c.Submitted), ClosedAt: stamp(c.Closed),
		Parties: []string{}, BundleID: c.Bundle, Steps: steps(c, m), NextText: nextText(c),
	}
	if d, ok := codes.DistrictByCode(c.District); ok {
		v.District = d.Name
	}
	if c.Phase == casework.Closed || c.Phase == casework.Stopped {
		v.PhaseText = c.Outcome
		if c.Phase == casework.Closed {
			v.PhaseText = "已办结"
		}
	}
	v.Clock = r.shortClock(c)
	return v
}

// shortClock is the clock of a list row: from the stored due day, without the
// day-by-day reasons.
func (r *Routes) shortClock(c *casework.Case) *Clock {
	if c.Accepted == 0 || c.Phase.Over() {
		return nil
	}
	if c.Paused {
		return &Clock{Light: "none", Paused: true, Text: "停止计时", Explain: []ExplainLine{}}
	}
	if c.Due == casework.NoDue {
		return nil
	}
	now := r.Service.DB().Clock().Now()
	day, today := calendar.DateOf(db.Time(c.Due)), calendar.DateOf(now)
	k := &Clock{DueDay: day.String(), Light: "green", Explain: []ExplainLine{}}
	cal := r.Service.Calendar()
	if today.After(day) {
		n, err := cal.Between(day, today)
		if err == nil {
			k.Remaining = -n
		}
		k.Light, k.Text = "red", fmt.Sprintf("超期 %d 个工作日", -k.Remaining)
		return k
	}
	n, err := cal.Between(today, day)
	if err != nil {
		return nil
	}
	k.Remaining, k.Text = n, fmt.Sprintf("还剩 %d 个工作日（%s止）", n, day.Short())
	if n <= 2 {
		k.Light = "yellow"
	}
	if n == 0 {
		k.Text = "今天到期"
	}
	return k
}

func steps(c *casework.Case, m *matter.Matter) []Step {
	at := map[casework.Phase]int{casework.Draft: 0, casework.Consent: 1, casework.Submitted: 2, casework.Supplement: 2, casework.Handling: 3, casework.Paying: 3, casework.Closed: 99, casework.Stopped: 0}[c.Phase]
	if len(m.Parties) == 0 && at > 0 && at < 99 {
		at--
	}
	out := make([]Step, len(m.Steps))
	for i, s := range m.Steps {
		st := "todo"
		if i < at {
			st = "done"
		} else if i == min(at, len(m.Steps)-1) {
			st = "now"
		}
		out[i] = Step{Name: s, State: st}
	}
	return out
}

func nextText(c *casework.Case) string {
	return map[casework.Phase]string{
		casework.Draft: "填完后提交", casework.Consent: "各方都确认后自动提交", casework.Submitted: "等待受理；没有一次告知要补什么的，视为受理",
		casework.Handling: "正在办理", casework.Supplement: "请按要求补正后重新提交", casework.Paying: "缴费后继续办理", casework.Closed: "结果在“我的证照”里", casework.Stopped: c.Outcome,
	}[c.Phase]
}

// view reads one case for a, who must be able to see it.
func (r *Routes) view(ctx context.Context, a ident.Actor, id string) (CaseView, error) {
	var v CaseView
	err := r.Service.DB().Read(ctx, func(q db.Querier) error {
		snap, err := r.Service.See(ctx, q, a, id)
		if err != nil {
			return err
		}
		v, err = r.build(ctx, q, a, snap)
		return err
	})
	return v, err
}

func (r *Routes) build(ctx context.Context, q db.Querier, a ident.Actor, snap *casework.Snapshot) (CaseView, error) {
	v := CaseView{CaseRow: r.row(snap.Case, snap.M), Version: snap.Version, Applicant: mine(a, snap.Case)}
	events, err := r.Service.Events(ctx, q, snap.ID)
	if err != nil {
		return v, err
	}
	if v.Clock, err = r.clock(snap, events); err != nil {
		return v, err
	}
	v.Timeline, v.Checks = timeline(events), checks(events)
	for _, p := range snap.M.Parties {
		v.NeedsConsent = v.NeedsConsent || len(p.Needs) > 0
	}
	v.Form = formView(a, snap)
	parties, err := r.Parties.Of(ctx, q, snap.Bundle)
	if err != nil {
		return v, err
	}
	v.PartyList = []PartyView{}
	for _, p := range parties {
		if !p.InCase(snap.ID) {
			continue
		}
		pv := partyView(a, snap, p)
		v.PartyList = append(v.PartyList, pv)
		v.Parties = append(v.Parties, pv.Name)
	}
	if v.Materials, err = r.materials(ctx, q, a, snap); err != nil {
		return v, err
	}
	if f, ok, err := fee.Of(ctx, q, snap.ID); err != nil {
		return v, err
	} else if ok {
		v.Fee = feeView(f, snap.M)
	} else if snap.M.Fee.Free {
		v.Fee = &FeeView{State: "free", Text: snap.M.Fee.Text, Basis: snap.M.Fee.Basis}
	}
	rs, err := r.Results.Of(ctx, q, snap.ID)
	if err != nil {
		return v, err
	}
	v.Results = []ResultView{}
	for _, x := range rs {
		v.Results = append(v.Results, r.resultView(x))
	}
	cs, err := consult.Of(ctx, q, snap.ID)
	if err != nil {
		return v, err
	}
	v.Consultations = []ConsultationView{}
	for _, c := range cs {
		v.Consultations = append(v.Consultations, consultView(c))
	}
	if err := r.bundle(ctx, q, a, snap, &v); err != nil {
		return v, err
	}
	v.Verbs = r.verbs(ctx, q, a, snap)
	return v, nil
}

// bundle lists the cases of the bundle the asker may see; others are not named.
func (r *Routes) bundle(ctx context.Context, q db.Querier, a ident.Actor, snap *casework.Snapshot, v *CaseView) error {
	v.Bundle = []BundlePart{}
	ids, err := r.Service.BundleIDs(ctx, q, snap.Bundle)
	if err != nil {
		return err
	}
	v.BundleSize = len(ids)
	if len(ids) < 2 {
		return nil
	}
	for _, id := range ids {
		ok, err := r.Service.Visible(ctx, q, a, id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		other, err := r.Service.See(ctx, q, a, id)
		if err != nil {
			return err
		}
		v.Bundle = append(v.Bundle, BundlePart{CaseID: id, MatterName: other.M.Name, Mine: id == snap.ID})
	}
	return nil
}

func (r *Routes) clock(snap *casework.Snapshot, events []casework.Event) (*Clock, error) {
	if snap.Accepted == 0 {
		return nil, nil
	}
	d, err := r.Service.Due(snap, events)
	if err != nil {
		return nil, err
	}
	k := &Clock{
		Light: string(d.Light(snap.M.Limit.Warn)), DueDay: d.Day.String(), Remaining: d.Remaining, Paused: d.Paused, Text: d.Text(),
		Basis: snap.M.Limit.Basis, Explain: []ExplainLine{},
	}
	for _, l := range d.Explain {
		k.Explain = append(k.Explain, ExplainLine{Day: l.Day.String(), Text: l.Text, Counted: l.Counted})
	}
	return k, nil
}

func timeline(events []casework.Event) []TimelineItem {
	out := []TimelineItem{}
	for _, e := range slices.Backward(events) {
		if e.Kind == "checked" {
			continue
		}
		out = append(out, TimelineItem{At: stamp(e.At), Actor: e.ActorName, Text: e.Text, Kind: e.Kind, Reason: e.Reason})
	}
	return out
}

// checks are the findings of the last time each rule was run.
func checks(events []casework.Event) []CheckView {
	last := map[string]CheckView{}
	var order []string
	for _, e := range events {
		if e.Kind != "checked" {
			continue
		}
		list, _ := e.Data["findings"].([]any)
		for _, x := range list {
			m, _ := x.(map[string]any)
			c := CheckView{Rule: form.Str(m["rule"]), Name: form.Str(m["name"]), Verdict: form.Str(m["verdict"]), Text: form.Str(m["text"]), Basis: form.Str(m["basis"]), At: stamp(e.At)}
			if _, have := last[c.Rule]; !have {
				order = append(order, c.Rule)
			}
			last[c.Rule] = c
		}
	}
	out := []CheckView{}
	for _, k := range order {
		out = append(out, last[k])
	}
	return out
}

func formView(a ident.Actor, snap *casework.Snapshot) FormView {
	f := FormView{
		Schema: snap.M.Form.Schema(), UI: snap.M.Form.UI(), Data: snap.Form(), Facts: []FactView{}, Errors: []errs.Field{},
		Complete: snap.M.Form.Complete(snap.Form(), form.Applicant),
	}
	hide := masked(a, snap.Case)
	if hide {
		f.Data = maskedCopy(snap.M.Form, snap.Form())
	}
	if mine(a, snap.Case) {
		f.Errors = append(f.Errors, snap.M.Form.Validate(snap.Form(), true, form.Applicant)...)
	}
	for _, p := range snap.M.Prefill {
		meta, asked := snap.Facts[p.ID]
		if !asked {
			continue
		}
		paths := make([]string, 0, len(p.Into))
		for path := range p.Into {
			paths = append(paths, path)
		}
		sort.Strings(paths)
		for _, path := range paths {
			leaf, isLeaf := snap.M.Form.Leaf(path)
			fv := FactView{
				Path: path, Label: snap.M.Form.TitleAt(path), Source: p.ID, At: stamp(meta.At), Locked: meta.Lock && meta.State == "ok", State: meta.State, Msg: meta.Msg,
				SourceText: "来自" + meta.Text + "，" + when(meta.At),
			}
			if isLeaf {
				raw, _ := snap.M.Form.Get(snap.Form(), path)
				fv.Value = snap.M.Form.Show(snap.Form(), path, form.Plain)
				if leaf.Sensitive {
					fv.Value, fv.Masked = leaf.Masked(form.Str(raw)), true
				}
			}
			f.Facts = append(f.Facts, fv)
		}
		if len(paths) == 0 {
			f.Facts = append(f.Facts, FactView{Path: "", Label: meta.Text, Source: p.ID, State: meta.State, At: stamp(meta.At), SourceText: "来自" + meta.Text + "，" + when(meta.At), Msg: meta.Msg})
		}
	}
	return f
}

// when writes a moment the way people say it.
func when(ms int64) string {
	t := db.Time(ms).In(shanghai)
	return calendar.DateOf(t).Short() + " " + t.Format("15:04")
}

func partyView(a ident.Actor, snap *casework.Snapshot, p party.Party) PartyView {
	v := PartyView{
		ID: p.ID, Kind: p.Kind, Me: p.Mine(a), State: p.State, At: stamp(p.At), ExpiresAt: stamp(p.Expires), Order: p.Order, Name: p.Name, Needs: []NeedView{},
		Reason: p.Reason,
	}
	if p.Kind == "person" {
		v.Name = codes.MaskName(p.Name)
	}
	var names []string
	for _, role := range p.Roles {
		if role.Case != snap.ID {
			continue
		}
		v.Role = role.Role
		if def, ok := snap.M.PartyOf(role.Role); ok {
			names = append(names, def.Name)
		}
	}
	v.RoleText = strings.Join(names, "、")
	for _, n := range p.Needs {
		v.Needs = append(v.Needs, NeedView{Kind: n, Text: party.NeedText(n), Done: slices.Contains(p.Done, n)})
	}
	return v
}

// ResultView is one numbered paper.
type ResultView struct {
	ID        string  `json:"id"`
	Kind      string  `json:"kind"`
	KindText  string  `json:"kindText"`
	No        string  `json:"no"`
	State     string  `json:"state"`
	StateText string  `json:"stateText"`
	IssuedAt  string  `json:"issuedAt"`
	FileURL   string  `json:"fileUrl"`
	CaseID    string  `json:"caseId"`
	QR        *QRView `json:"qr,omitempty"`
}

// QRView is the state of a result's QR.
type QRView struct {
	On        bool          `json:"on"`
	ExpiresAt string        `json:"expiresAt"`
	URL       string        `json:"url"`
	Image     string        `json:"image"`
	Fields    []string      `json:"fields"`
	All       []result.Fact `json:"all"`
}

func (r *Routes) resultView(x result.Result) ResultView {
	return ResultView{
		ID: x.ID, Kind: x.Kind, KindText: x.Name, No: x.No, State: x.State, StateText: result.StateText(x.State), IssuedAt: stamp(x.Issued),
		FileURL: "/api/v1/public/results/" + x.ID + "/file", CaseID: x.Case,
	}
}
