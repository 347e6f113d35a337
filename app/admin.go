package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"haoban/casework"
	"haoban/casework/api"
	"haoban/platform/audit"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/job"
	"haoban/platform/web"
)

// What the three administrators (系统、安全、审计) and nobody else may do. Each
// sees only the part of the house that is theirs, and no business.

type adminOut[T any] struct{ Body T }

type adminList[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// FailedJob is a job that needs a person.
type FailedJob struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	Target  string          `json:"target"`
	Key     string          `json:"key"`
	Attempt int             `json:"attempt"`
	Code    string          `json:"code"`
	Error   string          `json:"error"`
	Failed  string          `json:"failed"`
	Args    json.RawMessage `json:"args"`
}

// AuditRow is one line of the audit log.
type AuditRow struct {
	ID        string            `json:"id"`
	At        string            `json:"at"`
	Type      string            `json:"type"`
	Meaning   string            `json:"meaning"`
	Actor     string            `json:"actor"`
	ActorKind string            `json:"actorKind"`
	Subject   string            `json:"subject"`
	Case      string            `json:"case"`
	Outcome   string            `json:"outcome"`
	Code      string            `json:"code"`
	Detail    map[string]string `json:"detail"`
	IP        string            `json:"ip"`
	Sealed    bool              `json:"sealed"`
}

// AdminUser is an official's account as administrators see it.
type AdminUser struct {
	ID         string `json:"id"`
	Account    string `json:"account"`
	Name       string `json:"name"`
	OrgID      string `json:"orgId"`
	State      string `json:"state"`
	MustChange bool   `json:"mustChange"`
	CreatedAt  string `json:"createdAt"`
}

// Handed is what is shown once after an account was made or reset.
type Handed struct {
	ID       string `json:"id"`
	Account  string `json:"account"`
	Password string `json:"password,omitempty"`
	OTPURL   string `json:"otpUrl,omitempty"`
}

// SettingView is a setting with every version it had.
type SettingView struct {
	Key     string           `json:"key"`
	Name    string           `json:"name"`
	Value   string           `json:"value"`
	Version int              `json:"version"`
	Default string           `json:"default"`
	Follows string           `json:"follows,omitempty"`
	Values  []string         `json:"values"`
	Max     int64            `json:"max,omitempty"`
	History []SettingVersion `json:"history"`
}

// SettingVersion is one version of a setting.
type SettingVersion struct {
	Version int    `json:"version"`
	Value   string `json:"value"`
	By      string `json:"by"`
	At      string `json:"at"`
}

// admin answers whether the caller holds one of the administrators' posts.
func admin(ctx context.Context, roles ...string) (ident.Actor, error) {
	a := api.SessionOf(ctx).Actor
	if a.Kind != ident.KindOfficial {
		return a, errs.New(errs.Unauthenticated, "login.required", "请先登录工作台")
	}
	if !a.HasAnyRole(roles...) {
		return a, ident.ErrAdmin
	}
	return a, nil
}

// adminRoute registers a route for holders of one of roles.
func adminRoute[I, O any](a *App, roles []string, id, method, path, summary string, h func(context.Context, ident.Actor, *I) (O, error)) {
	op := huma.Operation{OperationID: id, Method: method, Path: "/admin" + path, Summary: summary}
	web.Register(a.Server, web.Staff, op, func(ctx context.Context, in *I) (*adminOut[O], error) {
		by, err := admin(ctx, roles...)
		if err != nil {
			return nil, err
		}
		v, err := h(ctx, by, in)
		if err != nil {
			a.People.Report(ctx, err)
			return nil, err
		}
		return &adminOut[O]{Body: v}, nil
	})
}

// adminRoutes registers everything in this file.
func (a *App) adminRoutes() {
	a.adminJobs()
	a.adminAudit()
	a.adminUsers()
	a.adminPosts()
	a.adminSettings()
}

func when(t time.Time) string {
	if t.IsZero() || t.UnixMilli() == 0 {
		return ""
	}
	return t.In(clock.Shanghai()).Format(time.RFC3339)
}

type failedIn struct {
	Kind   string `query:"kind" maxLength:"60"`
	Target string `query:"target" maxLength:"60"`
	Cursor string `query:"cursor" maxLength:"64"`
}

type jobIn struct {
	ID   string `path:"id" maxLength:"64"`
	Verb string `path:"verb" enum:"retry,discard"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (a *App) adminJobs() {
	sys := []string{ident.RoleSysAdmin}
	adminRoute(a, sys, "failedJobs", http.MethodGet, "/jobs/failed", "没有办成的后台任务", func(ctx context.Context, _ ident.Actor, in *failedIn) (adminList[FailedJob], error) {
		out := adminList[FailedJob]{Items: []FailedJob{}}
		fs, err := a.Queue.Failed(ctx, job.Page{Kind: in.Kind, Target: in.Target, After: in.Cursor, Limit: 50})
		for _, f := range fs {
			out.Items = append(out.Items, FailedJob{
				ID: f.ID, Kind: f.Kind, Target: f.Target, Key: f.Key, Attempt: f.Attempt, Code: f.Code, Error: f.Error, Failed: when(f.Failed), Args: f.Args,
			})
		}
		if len(fs) == 50 {
			out.Next = fs[49].ID
		}
		return out, err
	})
	adminRoute(a, sys, "mendJob", http.MethodPost, "/jobs/{id}/{verb}", "重试或放弃一条任务", func(ctx context.Context, by ident.Actor, in *jobIn) (map[string]bool, error) {
		if in.Verb == "discard" && strings.TrimSpace(in.Body.Reason) == "" {
			return nil, errReason()
		}
		err := a.DB.Tx(ctx, func(tx *db.Tx) error {
			if in.Verb == "discard" {
				if err := a.Queue.Discard(ctx, tx, in.ID, in.Body.Reason); err != nil {
					return err
				}
				return note(ctx, tx, by, "job.discard", in.ID, map[string]string{"reason": in.Body.Reason})
			}
			if err := a.Queue.Retry(ctx, tx, in.ID); err != nil {
				return err
			}
			return note(ctx, tx, by, "job.retry", in.ID, nil)
		})
		return map[string]bool{"ok": err == nil}, err
	})
}

func errReason() error {
	return errs.New(errs.Invalid, "reason.missing", "请写明理由").With("reason", "required", "理由会记入审计日志")
}

// note writes what an administrator did into the audit log of the transaction.
func note(ctx context.Context, tx *db.Tx, by ident.Actor, typ, subject string, detail map[string]string) error {
	return audit.Write(ctx, tx, audit.Event{Type: typ, Actor: by.ID, ActorKind: by.Kind, Subject: subject, Detail: detail, IP: by.IP})
}

type auditIn struct {
	Type    string `query:"type" maxLength:"60" doc:"类型，或以点结尾的一组"`
	Actor   string `query:"actor" maxLength:"64"`
	Subject string `query:"subject" maxLength:"120"`
	Case    string `query:"case" maxLength:"64"`
	Outcome string `query:"outcome" enum:"ok,refused,failed," maxLength:"10"`
	IP      string `query:"ip" maxLength:"60"`
	From    string `query:"from" maxLength:"10" doc:"起始日，如 2026-03-02"`
	To      string `query:"to" maxLength:"10" doc:"截止日，含当日"`
	Cursor  string `query:"cursor" maxLength:"200"`
}

func (in auditIn) filter() (audit.Filter, error) {
	f := audit.Filter{Actor: in.Actor, Subject: in.Subject, Case: in.Case, Outcome: in.Outcome, IP: in.IP}
	if in.Type != "" {
		f.Types = []string{in.Type}
	}
	var err error
	if in.From != "" {
		if f.From, err = time.ParseInLocation(time.DateOnly, in.From, clock.Shanghai()); err != nil {
			return f, audit.ErrFilter
		}
	}
	if in.To != "" {
		if f.To, err = time.ParseInLocation(time.DateOnly, in.To, clock.Shanghai()); err != nil {
			return f, audit.ErrFilter
		}
		f.To = f.To.AddDate(0, 0, 1)
	}
	return f, nil
}

func (a *App) adminAudit() {
	adminRoute(a, []string{ident.RoleAuditAdmin}, "auditLog", http.MethodGet, "/audit", "审计日志", func(ctx context.Context, by ident.Actor, in *auditIn) (adminList[AuditRow], error) {
		out := adminList[AuditRow]{Items: []AuditRow{}}
		f, err := in.filter()
		if err != nil {
			return out, err
		}
		page, err := audit.Query(ctx, a.DB.Q(), f, in.Cursor)
		if err != nil {
			return out, err
		}
		for _, r := range page.Rows {
			if r.Detail == nil {
				r.Detail = map[string]string{}
			}
			out.Items = append(out.Items, AuditRow{
				ID: r.ID, At: when(r.At), Type: r.Type, Meaning: audit.Meaning(r.Type), Actor: r.Actor, ActorKind: r.ActorKind, Subject: r.Subject,
				Case: r.Case, Outcome: r.Outcome, Code: r.Code, Detail: r.Detail, IP: r.IP, Sealed: r.Sealed,
			})
		}
		out.Next = page.Next
		return out, a.DB.Group(ctx, func(tx *db.Tx) error {
			return note(ctx, tx, by, "audit.read", in.Type, map[string]string{"count": strconv.Itoa(len(out.Items))})
		})
	})
}

type settingPut struct {
	SettingKey
	Body struct {
		Value   string `json:"value" maxLength:"200"`
		Version *int   `json:"version,omitempty" doc:"改的是哪一版；没有设过是 0，不填不核对"`
	}
}

// SettingKey names a setting in the path. It is exported because only then its
// field is read when it is embedded.
type SettingKey struct {
	Key string `path:"key" maxLength:"120"`
}

func (a *App) adminSettings() {
	sys := []string{ident.RoleSysAdmin}
	adminRoute(a, sys, "listSettings", http.MethodGet, "/settings", "运行中可以改的设置", func(_ context.Context, _ ident.Actor, _ *struct{}) (adminList[SettingView], error) {
		out := adminList[SettingView]{Items: []SettingView{}}
		for _, s := range a.SettingSpecs() {
			out.Items = append(out.Items, a.settingView(s, nil))
		}
		return out, nil
	})
	adminRoute(a, sys, "getSetting", http.MethodGet, "/settings/{key}", "一项设置和它的历次修改", func(ctx context.Context, _ ident.Actor, in *SettingKey) (SettingView, error) {
		return a.readSetting(ctx, in.Key)
	})
	adminRoute(a, sys, "putSetting", http.MethodPut, "/settings/{key}", "修改一项设置", func(ctx context.Context, by ident.Actor, in *settingPut) (SettingView, error) {
		version := -1
		if in.Body.Version != nil {
			version = max(0, *in.Body.Version)
		}
		if _, err := a.SetSetting(ctx, by, in.Key, in.Body.Value, version); err != nil {
			return SettingView{}, err
		}
		return a.readSetting(ctx, in.Key)
	})
}

func (a *App) readSetting(ctx context.Context, key string) (SettingView, error) {
	spec, ok := a.board.specs[key]
	if !ok {
		return SettingView{}, errSetting
	}
	all, err := casework.SettingHistory(ctx, a.DB.Q(), key)
	return a.settingView(spec, all), err
}

func (a *App) settingView(s SettingSpec, all []casework.Setting) SettingView {
	v := SettingView{
		Key: s.Key, Name: s.Name, Value: a.Setting(s.Key), Version: a.board.get(s.Key).Version, Default: s.Default, Follows: s.Of,
		Values: s.Values, Max: s.Max, History: []SettingVersion{},
	}
	if v.Values == nil {
		v.Values = []string{}
	}
	for _, x := range all {
		v.History = append(v.History, SettingVersion{Version: x.Version, Value: x.Value, By: x.ChangedBy, At: when(db.Time(x.ChangedAt))})
	}
	return v
}
