package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/ident/oidc"
	"haoban/platform/web"
)

// Who is a person or organisation as shown to itself.
type Who struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// SessionView is who is logged in on the portal.
type SessionView struct {
	Person  *Who     `json:"person"`
	Org     *Who     `json:"org"`
	Orgs    []Who    `json:"orgs"`
	CSRF    string   `json:"csrf"`
	Methods []Choice `json:"methods"`
	Now     string   `json:"now"`
	Demo    bool     `json:"demo"`
}

// StaffSession is who is logged in at the desk.
type StaffSession struct {
	User *StaffUser `json:"user"`
	Step string     `json:"step"`
	CSRF string     `json:"csrf"`
	Now  string     `json:"now"`
	Demo bool       `json:"demo"`
}

// StaffUser is an official.
type StaffUser struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Org      string   `json:"org"`
	Roles    []string `json:"roles"`
	District string   `json:"district"`
}

// Redirect sends a browser elsewhere, perhaps with a cookie.
type Redirect struct {
	Status    int
	Location  string      `header:"Location"`
	SetCookie http.Cookie `header:"Set-Cookie"`
}

// Cookied is an answer with a cookie.
type Cookied[T any] struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      T
}

// loginCookie binds a login under way to the browser that began it.
const loginCookie = "hb_login"

func (r *Routes) account(s *web.Server) {
	web.Register(s, web.Public, op("session", get, "/public/session", "登录状态"), func(ctx context.Context, _ *struct{}) (*Out[SessionView], error) {
		return out(r.session(ctx))
	}, web.Anonymous)
	for _, l := range r.Logins {
		web.Register(s, web.Public, op("login_"+l.ID(), get, "/public/login/"+l.ID(), "用"+l.Name()+"登录"), func(ctx context.Context, in *struct {
			To string `query:"to" maxLength:"300"`
		}) (*Redirect, error) {
			to, browser, err := l.Begin(ctx, in.To)
			if err != nil {
				return nil, err
			}
			c := s.Cookie(web.Public, browser)
			c.Name, c.MaxAge = loginCookie, 600
			return &Redirect{Status: http.StatusFound, Location: to, SetCookie: *c}, nil
		}, web.Anonymous)
		web.Register(s, web.Public, op("callback_"+l.ID(), get, "/public/callback/"+l.ID(), "登录返回"), func(ctx context.Context, in *struct {
			Cookie string `cookie:"hb_login"`
			Code   string `query:"code" maxLength:"500"`
			State  string `query:"state" maxLength:"500"`
			Error  string `query:"error" maxLength:"100"`
			Ticket string `query:"ticket" maxLength:"500"`
			Iss    string `query:"iss" maxLength:"300"`
		}) (*Redirect, error) {
			return r.land(ctx, s, l, url.Values{"code": {in.Code}, "state": {in.State}, "error": {in.Error}, "ticket": {in.Ticket}, "iss": {in.Iss}}, in.Cookie)
		}, web.Anonymous)
	}
	if r.Ticket != nil {
		web.Register(s, web.Public, op("ssb", get, "/public/ssb", "从随申办进入"), func(ctx context.Context, in *struct {
			Ticket string `query:"ticket" maxLength:"500"`
			To     string `query:"to" maxLength:"300"`
		}) (*Redirect, error) {
			c, err := r.Ticket(ctx, in.Ticket)
			if err != nil {
				return nil, err
			}
			to, err := oidc.LocalPath(in.To)
			if err != nil {
				return nil, err
			}
			return r.enter(ctx, s, "ssb", Landed{Person: c, To: to})
		}, web.Anonymous, web.Class(web.Login))
	}
	web.Register(s, web.Public, op("logout", post, "/public/logout", "退出"), func(ctx context.Context, _ *struct{}) (*Out[map[string]bool], error) {
		return out(r.logout(ctx))
	})
	web.Register(s, web.Public, op("actAs", post, "/public/act-as", "换成单位身份"), func(ctx context.Context, in *struct {
		Body struct {
			OrgID string `json:"orgId" maxLength:"64"`
		}
	}) (*Out[map[string]bool], error) {
		if _, err := person(ctx); err != nil {
			return nil, err
		}
		err := r.Service.DB().Group(ctx, func(tx *db.Tx) error {
			return r.People.Sessions().ActAs(ctx, tx, SessionOf(ctx), in.Body.OrgID)
		})
		return out(map[string]bool{"ok": err == nil}, err)
	})
	r.me(s)
	r.grants(s)
	r.staffAccount(s)
}

func (r *Routes) session(ctx context.Context) (SessionView, error) {
	v := SessionView{Orgs: []Who{}, Methods: []Choice{}, Now: r.Service.DB().Clock().Now().In(shanghai).Format(time.RFC3339), Demo: r.Demo}
	for _, l := range r.Logins {
		v.Methods = append(v.Methods, Choice{ID: l.ID(), Name: l.Name()})
	}
	a := actor(ctx)
	if a.Kind != ident.KindPerson {
		return v, nil
	}
	v.CSRF = SessionOf(ctx).CSRF
	v.Person = &Who{ID: a.PersonID, Name: codes.MaskName(a.Name), Kind: "person"}
	if a.OrgID != "" {
		v.Org = &Who{ID: a.OrgID, Name: a.OrgName, Kind: a.OrgKind}
	}
	orgs, err := r.People.OrgsOf(ctx, r.Service.DB().Q(), a.PersonID)
	for _, o := range orgs {
		v.Orgs = append(v.Orgs, Who{ID: o.ID, Name: o.Name, Kind: o.Kind})
	}
	return v, err
}

// land turns a vouched-for person into a session.
func (r *Routes) land(ctx context.Context, s *web.Server, l Login, q url.Values, browser string) (*Redirect, error) {
	got, err := l.Finish(ctx, q, browser)
	if err != nil {
		return nil, err
	}
	return r.enter(ctx, s, l.ID(), got)
}

// enter opens the session of somebody a provider vouched for.
func (r *Routes) enter(ctx context.Context, s *web.Server, method string, got Landed) (*Redirect, error) {
	var started ident.Started
	err := r.Service.DB().Tx(ctx, func(tx *db.Tx) error {
		pl := ident.PublicLogin{Method: method, Device: web.MetaOf(ctx).UserAgent, IP: web.MetaOf(ctx).IP.String()}
		var err error
		if got.Org != nil {
			pl.OrgID, pl.PersonID, err = r.People.LoginOrg(ctx, tx, *got.Org)
		} else {
			pl.PersonID, err = r.People.UpsertPerson(ctx, tx, got.Person)
		}
		if err != nil {
			return err
		}
		started, err = r.People.Sessions().Open(ctx, tx, pl)
		return err
	})
	if err != nil {
		return nil, err
	}
	to := got.To
	if to == "" {
		to = "/"
	}
	return &Redirect{Status: http.StatusFound, Location: to, SetCookie: *s.Cookie(web.Public, started.Token)}, nil
}

func (r *Routes) logout(ctx context.Context) (map[string]bool, error) {
	err := r.Service.DB().Group(ctx, func(tx *db.Tx) error { return r.People.Sessions().Logout(ctx, tx, SessionOf(ctx)) })
	return map[string]bool{"ok": err == nil}, err
}

// MeView is the 个人中心: each fact with its source.
type MeView struct {
	Facts   []FactView  `json:"facts"`
	Contact ContactView `json:"contact"`
	Phone   PhoneView   `json:"phone"`
	Orgs    []Who       `json:"orgs"`
}

// ContactView is what a person may change about themselves.
type ContactView struct {
	Address string `json:"address"`
	Email   string `json:"email"`
}

// PhoneView is the confirmed phone.
type PhoneView struct {
	Masked      string `json:"masked"`
	ConfirmedAt string `json:"confirmedAt"`
}

func (r *Routes) me(s *web.Server) {
	web.Register(s, web.Public, op("me", get, "/public/me", "个人中心"), func(ctx context.Context, _ *struct{}) (*Out[MeView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.meView(ctx, a))
	})
	web.Register(s, web.Public, op("updateMe", http.MethodPatch, "/public/me", "修改联系方式"), func(ctx context.Context, in *struct {
		Body struct {
			Address *string `json:"address,omitempty" maxLength:"400"`
			Email   *string `json:"email,omitempty" maxLength:"300"`
		}
	}) (*Out[MeView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.Service.DB().Group(ctx, func(tx *db.Tx) error {
			return r.People.SetContact(ctx, tx, a, ident.Contact{Address: in.Body.Address, Email: in.Body.Email})
		}); err != nil {
			return nil, err
		}
		return out(r.meView(ctx, a))
	})
	web.Register(s, web.Public, op("phoneCode", post, "/public/me/phone-code", "发送短信验证码"), func(ctx context.Context, in *struct {
		Body struct {
			Mobile string `json:"mobile" maxLength:"20"`
		}
	}) (*Out[map[string]int], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		wait, err := r.People.RequestPhoneCode(ctx, a, in.Body.Mobile)
		return out(map[string]int{"resendAfterSec": int(wait.Seconds())}, err)
	})
	web.Register(s, web.Public, op("phoneConfirm", post, "/public/me/phone-confirm", "确认手机号"), func(ctx context.Context, in *struct {
		Body struct {
			Mobile string `json:"mobile" maxLength:"20"`
			Code   string `json:"code" maxLength:"10"`
		}
	}) (*Out[MeView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.People.ConfirmPhone(ctx, a, in.Body.Mobile, in.Body.Code); err != nil {
			return nil, err
		}
		return out(r.meView(ctx, a))
	})
	sessions := func(ctx context.Context) ([]sessionRow, error) {
		list, err := r.People.Sessions().List(ctx, r.Service.DB().Q(), SessionOf(ctx).Actor)
		rows := []sessionRow{}
		for _, x := range list {
			rows = append(rows, sessionRow{ID: x.ID, Device: x.Device, IP: x.IP, At: stamp(db.MS(x.At)), LastAt: stamp(db.MS(x.LastAt)), Current: x.Current})
		}
		return rows, err
	}
	for _, aud := range []web.Audience{web.Public, web.Staff} {
		web.Register(s, aud, op("sessions_"+string(aud), get, "/sessions", "我的登录"), func(ctx context.Context, _ *struct{}) (*Out[[]sessionRow], error) {
			return out(sessions(ctx))
		})
		web.Register(s, aud, op("revokeSession_"+string(aud), http.MethodDelete, "/sessions/{id}", "退出这个设备"), func(ctx context.Context, in *OneIn) (*Out[[]sessionRow], error) {
			if err := r.Service.DB().Group(ctx, func(tx *db.Tx) error { return r.People.Sessions().Revoke(ctx, tx, actor(ctx), in.ID) }); err != nil {
				return nil, err
			}
			return out(sessions(ctx))
		})
	}
}

type sessionRow struct {
	ID      string `json:"id"`
	Device  string `json:"device"`
	IP      string `json:"ip"`
	At      string `json:"at"`
	LastAt  string `json:"lastAt"`
	Current bool   `json:"current"`
}

// bare takes the kind of an identity paper off its number.
func bare(v string) string {
	if _, no, ok := strings.Cut(v, ":"); ok {
		return no
	}
	return v
}

func (r *Routes) meView(ctx context.Context, a ident.Actor) (MeView, error) {
	v := MeView{Facts: []FactView{}, Orgs: []Who{}}
	p, err := r.People.Person(ctx, r.Service.DB().Q(), a.PersonID)
	if err != nil {
		return v, err
	}
	source := map[string]string{"ywtb": "一网通办登录信息", "fryzt": "法人一证通", "self": "本人填写", "sms": "短信验证"}
	for _, f := range []struct {
		field, label string
		mask         func(string) string
	}{{ident.FieldName, "姓名", codes.MaskName}, {ident.FieldIDNo, "证件号", codes.MaskID}, {ident.FieldMobile, "手机", codes.MaskMobile}} {
		c, ok := p.Claims[f.field]
		if !ok {
			continue
		}
		name := source[c.Source]
		if name == "" {
			name = "登录信息"
		}
		v.Facts = append(v.Facts, FactView{Path: f.field, Label: f.label, Value: f.mask(bare(c.Value)), Masked: true, Source: c.Source, SourceText: "来自" + name + "，" + when(db.MS(c.At)), At: stamp(db.MS(c.At)), Locked: f.field != ident.FieldMobile, State: "ok"})
	}
	v.Contact.Address, v.Contact.Email = p.Value(ident.FieldAddress), p.Value(ident.FieldEmail)
	v.Phone.Masked = codes.MaskMobile(p.Phone())
	if c, ok := p.Claims[ident.FieldPhone]; ok {
		v.Phone.ConfirmedAt = stamp(db.MS(c.At))
	}
	orgs, err := r.People.OrgsOf(ctx, r.Service.DB().Q(), a.PersonID)
	for _, o := range orgs {
		v.Orgs = append(v.Orgs, Who{ID: o.ID, Name: o.Name, Kind: o.Kind})
	}
	return v, err
}

// GrantView is one grant to act for another (R1.4a).
type GrantView struct {
	ID      string      `json:"id"`
	OrgName string      `json:"orgName"`
	Matters []MatterRef `json:"matters"`
	Unit    string      `json:"unit"`
	Until   string      `json:"until"`
	State   string      `json:"state"`
	At      string      `json:"at"`
}

func (r *Routes) grants(s *web.Server) {
	web.Register(s, web.Public, op("grants", get, "/public/grants", "我的授权"), func(ctx context.Context, _ *struct{}) (*Out[List[GrantView]], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.grantList(ctx, a))
	})
	web.Register(s, web.Public, op("developers", get, "/public/grants/developers", "可以授权的开发企业"), func(ctx context.Context, in *struct {
		Q string `query:"q" maxLength:"60"`
	}) (*Out[[]Who], error) {
		if _, err := person(ctx); err != nil {
			return nil, err
		}
		orgs, err := r.People.Orgs(ctx, r.Service.DB().Q(), ident.OrgFilter{Kinds: []string{ident.OrgCompany}, Text: in.Q, Limit: 20})
		rows := []Who{}
		for _, o := range orgs {
			rows = append(rows, Who{ID: o.ID, Name: o.Name, Kind: o.Kind})
		}
		return out(rows, err)
	})
	web.Register(s, web.Public, op("openGrant", post, "/public/grants", "授权开发企业代办"), func(ctx context.Context, in *struct {
		Body struct {
			OrgID   string   `json:"orgId" maxLength:"64"`
			Matters []string `json:"matters" maxItems:"20"`
			Unit    string   `json:"unit" maxLength:"40"`
			Until   string   `json:"until" maxLength:"10"`
		}
	}) (*Out[List[GrantView]], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		until, err := time.ParseInLocation("2006-01-02", in.Body.Until, shanghai)
		if err != nil {
			return nil, errs.New(errs.Invalid, "grant.until", "请填授权到哪一天").With("until", "date", "写成 2026-12-31 这样")
		}
		if r.GrantScope != nil {
			if err := r.GrantScope(ctx, in.Body.OrgID, in.Body.Unit); err != nil {
				return nil, err
			}
		}
		err = r.Service.DB().Group(ctx, func(tx *db.Tx) error {
			_, err := r.People.OpenGrant(ctx, tx, a, ident.NewGrant{To: in.Body.OrgID, Matters: in.Body.Matters, Unit: in.Body.Unit, Until: until.AddDate(0, 0, 1)})
			return err
		})
		if err != nil {
			return nil, err
		}
		return out(r.grantList(ctx, a))
	})
	web.Register(s, web.Public, op("revokeGrant", http.MethodDelete, "/public/grants/{id}", "收回授权"), func(ctx context.Context, in *OneIn) (*Out[List[GrantView]], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.Service.DB().Group(ctx, func(tx *db.Tx) error { return r.People.RevokeGrant(ctx, tx, a, in.ID) }); err != nil {
			return nil, err
		}
		return out(r.grantList(ctx, a))
	})
}

func (r *Routes) grantList(ctx context.Context, a ident.Actor) (List[GrantView], error) {
	l := List[GrantView]{Items: []GrantView{}}
	gs, err := r.People.GrantsFrom(ctx, r.Service.DB().Q(), a.Principal())
	if err != nil {
		return l, err
	}
	now := r.Service.DB().Clock().Now()
	for _, g := range gs {
		v := GrantView{ID: g.ID, Unit: g.Unit, Until: g.Until.In(shanghai).AddDate(0, 0, -1).Format("2006-01-02"), State: g.State, At: stamp(db.MS(g.OpenedAt)), Matters: []MatterRef{}}
		if g.State == ident.GrantOpen && !g.Until.After(now) {
			v.State = "expired"
		}
		if o, err := r.People.Org(ctx, r.Service.DB().Q(), g.To); err == nil {
			v.OrgName = o.Name
		}
		for _, slug := range g.Matters {
			ref := MatterRef{Slug: slug, Name: slug}
			if m, ok := r.Service.Matter(slug); ok {
				ref.Name = m.Name
			}
			v.Matters = append(v.Matters, ref)
		}
		l.Items = append(l.Items, v)
	}
	return l, nil
}

type stepView struct {
	Step string `json:"step"`
}

func (r *Routes) staffAccount(s *web.Server) {
	web.Register(s, web.Staff, op("staffLogin", post, "/staff/login", "登录"), func(ctx context.Context, in *struct {
		Body struct {
			Account  string `json:"account" maxLength:"64"`
			Password string `json:"password" maxLength:"200"`
		}
	}) (*Cookied[stepView], error) {
		st, err := r.People.Sessions().Login(ctx, ident.StaffLogin{Account: in.Body.Account, Password: in.Body.Password, Device: web.MetaOf(ctx).UserAgent, IP: web.MetaOf(ctx).IP.String()})
		if err != nil {
			return nil, err
		}
		return &Cookied[stepView]{SetCookie: *s.Cookie(web.Staff, st.Token), Body: stepView{st.Session.Step}}, nil
	}, web.Anonymous)
	web.Register(s, web.Staff, op("staffOTP", post, "/staff/login/otp", "动态口令"), func(ctx context.Context, in *struct {
		Cookie string `cookie:"hb_staff"`
		Body   struct {
			Code string `json:"code" maxLength:"10"`
		}
	}) (*Cookied[stepView], error) {
		st, err := r.People.Sessions().OTP(ctx, in.Cookie, in.Body.Code)
		if err != nil {
			return nil, err
		}
		return &Cookied[stepView]{SetCookie: *s.Cookie(web.Staff, st.Token), Body: stepView{st.Session.Step}}, nil
	}, web.Anonymous)
	web.Register(s, web.Staff, op("staffPassword", post, "/staff/password", "改密码"), func(ctx context.Context, in *struct {
		Cookie string `cookie:"hb_staff"`
		Body   struct {
			Old string `json:"old" maxLength:"200"`
			New string `json:"new" maxLength:"200"`
		}
	}) (*Cookied[stepView], error) {
		st, err := r.People.Sessions().ChangePassword(ctx, in.Cookie, in.Body.Old, in.Body.New)
		if err != nil {
			return nil, err
		}
		return &Cookied[stepView]{SetCookie: *s.Cookie(web.Staff, st.Token), Body: stepView{st.Session.Step}}, nil
	}, web.Anonymous)
	web.Register(s, web.Staff, op("staffLogout", post, "/staff/logout", "退出"), func(ctx context.Context, _ *struct{}) (*Out[map[string]bool], error) {
		return out(r.logout(ctx))
	})
	web.Register(s, web.Staff, op("staffSession", get, "/staff/session", "登录状态"), func(ctx context.Context, _ *struct{}) (*Out[StaffSession], error) {
		v := StaffSession{Now: r.Service.DB().Clock().Now().In(shanghai).Format(time.RFC3339), Demo: r.Demo, Step: SessionOf(ctx).Step}
		a := actor(ctx)
		if a.Kind == ident.KindOfficial {
			v.CSRF = SessionOf(ctx).CSRF
			u := StaffUser{ID: a.ID, Name: a.Name, Org: a.OrgName, Roles: []string{}}
			for _, role := range a.Roles() {
				u.Roles = append(u.Roles, ident.RoleName(role))
			}
			for _, p := range a.Posts {
				if d, ok := codes.DistrictByCode(p.District); ok {
					u.District = d.Name
				}
			}
			v.User = &u
		}
		return out(v, nil)
	}, web.Anonymous)
}
