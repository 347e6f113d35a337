package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"haoban/casework/form"
	"haoban/casework/matter"
	"haoban/casework/process"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
)

// OpenInput opens a draft, alone or as a bundle (一并申请) of several matters in
// the given order.
type OpenInput struct {
	Matter  string         `json:"matter"`
	With    []string       `json:"with,omitempty"`
	Channel string         `json:"channel,omitempty"`
	Form    map[string]any `json:"form,omitempty"` // values to begin with, dotted paths
}

// open makes the draft. Who may apply is checked here and again at submission,
// because a membership may end in between.
func open(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[OpenInput](c)
	if err != nil {
		return nil, err
	}
	slugs := append([]string{in.Matter}, in.With...)
	bundle := db.NewID()
	works := make([]*Work, 0, len(slugs))
	for i, slug := range slugs {
		m, ok := w.s.Matter(slug)
		if !ok {
			return nil, errs.New(errs.NotFound, "matter.unknown", "没有这个事项")
		}
		if err := MayApply(w.Actor, m); err != nil {
			return nil, err
		}
		if i > 0 && !slices.Contains(works[i-1].M.With, slug) {
			return nil, errs.New(errs.Invalid, "bundle.with", works[i-1].M.Name+"不能和"+m.Name+"一并申请").With("with", "one_of", "请选可以一并申请的事项")
		}
		x := w
		if i > 0 {
			x = &Work{Case: &Case{}, s: w.s, Tx: w.Tx, Actor: w.Actor}
		}
		x.M, x.fresh = m, true
		channel := in.Channel
		if channel == "" {
			channel = "web"
		}
		*x.Case = Case{
			ID: db.NewID(), Matter: slug, Digest: m.Digest(), Bundle: bundle, BundleSeq: i, Phase: Draft,
			Channel: channel, Opener: w.Actor.PersonID, Org: w.Actor.OrgID, Opened: w.Tx.NowMS(), Due: NoDue,
			Facts: map[string]FactMeta{}, Settings: map[string]int{}, Title: m.Name,
		}
		x.SetForm(map[string]any{})
		works = append(works, x)
		x.Emit("opened", "开始填报 "+m.Name, "", nil)
	}
	for _, x := range works {
		x.mates = works
	}
	if len(in.Form) > 0 {
		if err := w.patch(in.Form); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// MayApply refuses who is not in the matter's audience or may not file it for
// the organisation.
func MayApply(a ident.Actor, m *matter.Matter) error {
	if a.Kind != ident.KindPerson {
		return errs.New(errs.Forbidden, "apply.official", "工作人员请用窗口受理，不能以申请人身份申报")
	}
	kind := "person"
	if a.OrgID != "" {
		kind = a.OrgKind
	}
	if !slices.Contains(m.Audience, kind) {
		return errs.New(errs.Forbidden, "apply.audience", "这个事项"+m.Who+"；请换用相应的身份登录")
	}
	if !a.MayFile(m.Slug) {
		return errs.New(errs.Forbidden, "apply.member", "您所在的单位没有授权您申报这个事项，请找本单位管理员")
	}
	return nil
}

// SaveInput changes form fields by dotted path; null clears.
type SaveInput struct {
	Data map[string]any `json:"data"`
}

func (w *Work) patch(data map[string]any) error {
	for p := range data {
		for _, pre := range w.M.Prefill {
			if _, ours := pre.Into[p]; ours && pre.Lock && w.Facts[pre.ID].State == "ok" {
				return errs.New(errs.Invalid, "form.locked", "来自"+pre.Text+"的内容不能改").
					With(p, "locked", "这一项取自"+pre.Text+"；如果不对，请在来源处更正后再刷新")
			}
		}
	}
	f, bad := w.M.Form.Patch(w.form, data, form.Applicant)
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "form.invalid", "有内容需要改").WithFields(bad)
	}
	w.SetForm(f)
	return w.carry()
}

// Fill places values from a source into the form, past the lock that keeps
// people from overtyping them.
func (w *Work) Fill(data map[string]any) error {
	f, bad := w.M.Form.Patch(w.form, data)
	if len(bad) > 0 {
		return fmt.Errorf("fill %s: %w", w.Matter, errs.New(errs.Internal, "form.fill", "预填的内容与表单不合").WithFields(bad))
	}
	w.SetForm(f)
	return w.carry()
}

// carry hands what was filled here to the next case of the bundle, whose
// definition names the fields it inherits.
func (w *Work) carry() error {
	mates := w.Mates()
	for i := 1; i < len(mates); i++ {
		from, to := mates[i-1], mates[i]
		if from != w && to.Phase != Draft {
			continue
		}
		data := map[string]any{}
		for _, c := range to.M.Inherit {
			if v, ok := from.M.Form.Get(from.form, c.From); ok {
				data[c.To] = v
			}
		}
		if len(data) == 0 {
			continue
		}
		f, bad := to.M.Form.Patch(to.form, data)
		if len(bad) > 0 {
			return fmt.Errorf("carry into %s: %w", to.Matter, errs.New(errs.Internal, "form.carry", "前一件的内容与后一件的表单不合").WithFields(bad))
		}
		to.SetForm(f)
	}
	return nil
}

func save(ctx context.Context, w *Work, c Command, _ any) (any, error) {
	in, err := input[SaveInput](c)
	if err != nil {
		return nil, err
	}
	if !w.Applicant() {
		return nil, ErrNotYours
	}
	if w.Phase != Draft && w.Phase != Supplement {
		return nil, errs.New(errs.Conflict, "case.not_draft", "已经提交的内容不能直接改；需要改请先撤回")
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	return nil, w.patch(in.Data)
}

// CheckComplete validates the whole form and returns a refusal that names every
// field, or nil.
func (w *Work) CheckComplete() error {
	if bad := w.M.Form.Validate(w.form, false); len(bad) > 0 {
		return errs.New(errs.Invalid, "form.incomplete", fmt.Sprintf("还有 %d 处需要填写或修改", len(bad))).WithFields(bad)
	}
	return nil
}

// Submit hands the case in: number, district, process. It is called by the
// submit command, or by consent when the last party has agreed. It is idempotent
// in that a case that is no longer a draft is refused.
func (w *Work) Submit(ctx context.Context) error {
	if w.Phase != Draft && w.Phase != Consent {
		return errs.New(errs.Conflict, "case.submitted", "这件办件已经提交过了")
	}
	if err := w.CheckComplete(); err != nil {
		return err
	}
	if err := w.Check(ctx, "submit"); err != nil {
		return err
	}
	district, err := matter.Text(w.M.District, w.Env())
	if err != nil {
		return err
	}
	if district == "" {
		return errs.New(errs.Invalid, "case.district", "还不能确定由哪个区办理，请先补全坐落或项目所在地")
	}
	w.District = district
	if w.Title, err = matter.Text(w.M.Title, w.Env()); err != nil {
		return err
	}
	if w.Title == "" {
		w.Title = w.M.Name
	}
	now := w.Now()
	if w.No, err = w.s.o.Numbers.Take(ctx, w.Tx, w.M.Number, map[string]string{
		"district": district, "day": Today(now), "year": Today(now)[:4],
	}); err != nil {
		return err
	}
	w.Submitted = w.Tx.NowMS()
	w.SetPhase(Submitted)
	w.Emit("submitted", "提交申请，编号 "+w.No, "", nil)
	return w.Step(ctx, process.Start{})
}

// submit is the applicant's command. A matter with parties who must consent is
// submitted by the last consent instead.
func submit(ctx context.Context, w *Work, _ Command, _ any) (any, error) {
	if !w.Applicant() {
		return nil, ErrNotYours
	}
	if w.Phase != Draft {
		return nil, errs.New(errs.Conflict, "case.submitted", "这件办件已经提交过了")
	}
	if err := MayApply(w.Actor, w.M); err != nil {
		return nil, err
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	for _, m := range w.Mates() {
		if len(m.M.Parties) > 0 && m.needsConsent() {
			return nil, errs.New(errs.TooSoon, "case.consent_owed", "还要各方确认后才能提交")
		}
	}
	for _, m := range w.Mates() {
		if err := m.Submit(ctx); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (w *Work) needsConsent() bool {
	for _, p := range w.M.Parties {
		if len(p.Needs) > 0 {
			return true
		}
	}
	return false
}

// Accept is 受理: the legal clock starts and the limits in force are frozen.
func (w *Work) Accept(text string) {
	w.Accepted = w.Tx.NowMS()
	w.SetPhase(Handling)
	w.Emit(evAccepted, text, "", nil)
}

func coreVerbs() map[string]Verb {
	do := func(fn func(ctx context.Context, w *Work, c Call) error) Verb {
		return Verb{Do: func(ctx context.Context, w *Work, c Call) (map[string]any, error) { return nil, fn(ctx, w, c) }}
	}
	return map[string]Verb{
		// case.accept: 受理. case.deem: 视为受理, because nobody said in time and in
		// writing what was missing (沪登21 第12条; 许可法第32条).
		"case.accept": do(func(ctx context.Context, w *Work, _ Call) error {
			if err := w.Check(ctx, "accept"); err != nil {
				return err
			}
			w.Accept("受理")
			return nil
		}),
		"case.deem": do(func(_ context.Context, w *Work, _ Call) error {
			w.Accept("视为受理：没有在期限内一次告知要补什么")
			return nil
		}),
		"case.reject": do(func(_ context.Context, w *Work, _ Call) error {
			w.end(Stopped, "不予受理", evStopped)
			return nil
		}),
		"case.refuse": do(func(_ context.Context, w *Work, _ Call) error {
			w.end(Stopped, "不予许可或登记", evStopped)
			return nil
		}),
		"case.decide": do(func(_ context.Context, w *Work, c Call) error {
			w.Outcome = c.Args
			w.Emit("decided", "作出决定", "", map[string]any{"outcome": c.Args})
			return nil
		}),
		"case.close": do(func(_ context.Context, w *Work, _ Call) error {
			w.end(Closed, "办结", evClosed)
			return nil
		}),
		"case.event": do(func(_ context.Context, w *Work, c Call) error {
			kind, text, _ := strings.Cut(c.Args, ":")
			w.Emit(kind, text, "", nil)
			return nil
		}),
	}
}

func (w *Work) end(p Phase, text, kind string) {
	w.Closed = w.Tx.NowMS()
	if w.Outcome == "" {
		w.Outcome = text
	}
	w.SetPhase(p)
	w.Emit(kind, text, "", map[string]any{"outcome": w.Outcome})
}

// digestOf binds a consent to what was shown.
func digestOf(v any) string { return gm.SM3([]byte(toJSON(v))) }

// FormDigest binds a party's consent to the form of the case: when a leaf changes,
// the digest changes and earlier consents no longer hold.
func (w *Work) FormDigest() string { return digestOf(w.form) }
