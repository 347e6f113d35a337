// Package fryzt simulates the log-in of 法人一证通 over the shared world: a page
// that lets a person be any holder of any organisation's certificate.
package fryzt

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"haoban/links/fryzt/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

const (
	ticketLife = time.Minute
	callback   = "/api/v1/public/callback/" + wire.System
	validTo    = "2036-12-31"
)

// New returns the simulator. GET /login?…&login_hint=credit code logs the first
// agent of that organisation in at once; "credit code/identity number" another
// of its people.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "法人一证通", o)
	p := &platform{s: s, wall: o.Clock.Now, tickets: map[string]ticket{}}
	s.Page("GET "+wire.PathLogin, p.login)
	s.Page("POST "+wire.PathLogin, p.choose)
	s.Handle("POST "+wire.PathVerify, p.verify)
	return s
}

type ticket struct {
	org, person int
	nonce       string
	until       time.Time
}

type platform struct {
	s       *simkit.Sim
	wall    func() time.Time
	tickets map[string]ticket // under Lock
}

// asked are the parameters of /login that a choice brings back.
type asked struct{ Client, Redirect, State, Nonce string }

func read(v url.Values) (asked, string) {
	a := asked{v.Get("client_id"), v.Get("redirect_uri"), v.Get("state"), v.Get("nonce")}
	u, err := url.Parse(a.Redirect)
	switch {
	case a.Client == "" || a.State == "" || a.Nonce == "":
		return a, "缺少 client_id、state 或 nonce"
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != callback || u.RawQuery != "" || u.Fragment != "":
		return a, "redirect_uri 没有登记"
	}
	return a, ""
}

// holder is somebody with a certificate of an organisation.
type holder struct {
	world.Person
	Role string
	Text string
}

func holders(o world.Org) []holder {
	var out []holder
	for _, p := range o.Agents {
		out = append(out, holder{p, wire.Agent, "办事人员"})
	}
	return append(out, holder{o.LegalRep, wire.Legal, "法定代表人"})
}

type row struct {
	world.Org
	Part    string
	Holders []holder
}

type view struct {
	Asked       asked
	Q           string
	Found, Cast []row
}

const kept = `<input type="hidden" name="client_id" value="{{.Asked.Client}}"><input type="hidden" name="redirect_uri" value="{{.Asked.Redirect}}"><input type="hidden" name="state" value="{{.Asked.State}}"><input type="hidden" name="nonce" value="{{.Asked.Nonce}}">`

const rows = `<table>{{range .}}{{$o := .}}<tr><td>{{.Name}}<br><small>{{.USCC}}</small>{{with .Part}}<br>{{.}}{{end}}</td><td>{{range .Holders}}<p><button name="who" value="{{$o.Index}}/{{.Index}}">{{.Name}}</button> {{.Text}}</p>{{end}}</td></tr>{{end}}</table>`

const body = `<p>选择用哪家单位的证书、以谁的身份登录“好办”。这里没有证书介质和密码。</p>
<form method="get" action="login">` + kept + `<input name="q" value="{{.Q}}" placeholder="单位名称、统一社会信用代码或序号" aria-label="查找"> <button>查找</button></form>
{{if .Q}}<h2>找到 {{len .Found}} 家</h2><form method="post" action="login">` + kept + `{{with .Found}}` + rows + `{{end}}</form>{{end}}
<h2>演示单位</h2><form method="post" action="login">` + kept + `{{with .Cast}}` + rows + `{{end}}
<p><button name="who" value="">不登录，返回</button></p></form>`

func (p *platform) login(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, wrong := read(q)
	if wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	if code, id, _ := strings.Cut(q.Get("login_hint"), "/"); code != "" {
		if o, ok := p.s.World.OrgByUSCC(code); ok {
			for _, h := range holders(o) {
				if id == "" || h.ID == id {
					p.back(w, r, a, o, h)
					return
				}
			}
		}
		http.Error(w, "没有这家单位或这个人", http.StatusBadRequest)
		return
	}
	v := view{Asked: a, Q: strings.TrimSpace(q.Get("q"))}
	for _, o := range p.s.World.FindOrgs(v.Q, 20) {
		v.Found = append(v.Found, row{o, "", holders(o)})
	}
	for _, o := range p.s.World.Troupes() {
		v.Cast = append(v.Cast, row{o.Org, o.Part, holders(o.Org)})
	}
	simkit.WritePage(w, "法人一证通登录", body, v)
}

func (p *platform) choose(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "表单无法识别", http.StatusBadRequest)
		return
	}
	a, wrong := read(r.PostForm)
	if wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	who := r.PostForm.Get("who")
	if who == "" {
		http.Redirect(w, r, a.Redirect+"?"+url.Values{"error": {"access_denied"}, "state": {a.State}}.Encode(), http.StatusSeeOther)
		return
	}
	org, person, _ := strings.Cut(who, "/")
	i, err1 := strconv.Atoi(org)
	k, err2 := strconv.Atoi(person)
	if err1 == nil && err2 == nil && i >= 0 && i < p.s.World.Orgs() {
		o := p.s.World.Org(i)
		for _, h := range holders(o) {
			if h.Index == k {
				p.back(w, r, a, o, h)
				return
			}
		}
	}
	http.Error(w, "没有这家单位或这个人", http.StatusBadRequest)
}

// back sends the browser back with a ticket.
func (p *platform) back(w http.ResponseWriter, r *http.Request, a asked, o world.Org, h holder) {
	t, now := "SIM-T-"+simkit.Random(), p.wall()
	p.s.Lock(func() {
		for k, old := range p.tickets {
			if !now.Before(old.until) {
				delete(p.tickets, k)
			}
		}
		p.tickets[t] = ticket{o.Index, h.Index, a.Nonce, now.Add(ticketLife)}
	})
	http.Redirect(w, r, a.Redirect+"?"+url.Values{"ticket": {t}, "state": {a.State}}.Encode(), http.StatusSeeOther)
}

func (p *platform) verify(r *simkit.Request) (any, error) {
	var v wire.Verify
	if err := r.Decode(&v); err != nil {
		return nil, err
	}
	var t ticket
	var ok bool
	p.s.Lock(func() { // a ticket is spent by the first who shows it
		t, ok = p.tickets[v.Ticket]
		delete(p.tickets, v.Ticket)
	})
	if !ok || t.nonce != v.Nonce || !p.wall().Before(t.until) {
		return nil, simkit.Refuse(wire.CodeTicket, "登录凭证无效、已用过或不属于这次登录")
	}
	o := p.s.World.Org(t.org)
	if o.State != "存续" {
		return nil, simkit.Refuse(wire.CodeCert, "单位已注销，证书已失效")
	}
	out := wire.Verified{USCC: o.USCC, Name: o.Name, Kind: kindOf(o.Kind), CertSN: fmt.Sprintf("SIM-CERT-%d-%d", o.Index, t.person), ValidTo: validTo}
	for _, h := range holders(o) {
		if h.Index != t.person {
			continue
		}
		out.Role = h.Role
		for _, f := range []struct {
			plain string
			into  *string
		}{{h.Name, &out.Agent.NameEnc}, {h.ID, &out.Agent.IDEnc}, {h.Mobile, &out.Agent.MobileEnc}} {
			var err error
			if *f.into, err = p.s.Seal(f.plain); err != nil {
				return nil, err
			}
		}
		break
	}
	p.s.Effect("verify", r.Key)
	return out, nil
}

func kindOf(k world.OrgKind) string {
	switch k {
	case world.Bank, world.Branch:
		return "bank"
	case world.Agency:
		return "agency"
	case world.Notary:
		return "notary"
	case world.Company, world.Developer, world.Authority, world.Institute:
	}
	return "company"
}
