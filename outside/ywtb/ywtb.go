// Package ywtb simulates the log-in of 一网通办 over the shared world: an OpenID
// provider whose page lets a person be whoever they choose.
package ywtb

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"haoban/links/ywtb/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

const (
	codeLife  = time.Minute
	tokenLife = 5 * time.Minute
	callback  = "/api/v1/public/callback/" + wire.System
)

// New returns the simulator. GET /authorize?…&login_hint=identity number logs
// that person in at once.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "一网通办统一身份认证", o)
	p := &provider{s: s, wall: o.Clock.Now, codes: map[string]grant{}, tokens: map[string]grant{}}
	s.Page("GET "+wire.PathAuthorize, p.authorize)
	s.Page("POST "+wire.PathAuthorize, p.choose)
	s.Page("POST "+wire.PathToken, p.token)
	s.Page("GET "+wire.PathUserInfo, p.userInfo)
	return s
}

// grant is what a code or token stands for.
type grant struct {
	person                      int
	client, redirect, challenge string
	until                       time.Time
}

type provider struct {
	s      *simkit.Sim
	wall   func() time.Time
	codes  map[string]grant // under Lock, like tokens
	tokens map[string]grant
}

// asked are the parameters of /authorize that a choice brings back.
type asked struct{ Client, Redirect, State, Challenge string }

func read(v url.Values) (asked, string) {
	a := asked{v.Get("client_id"), v.Get("redirect_uri"), v.Get("state"), v.Get("code_challenge")}
	u, err := url.Parse(a.Redirect)
	switch {
	case v.Get("response_type") != "code":
		return a, "response_type 应为 code"
	case a.Client == "":
		return a, "缺少 client_id"
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != callback || u.RawQuery != "" || u.Fragment != "":
		return a, "redirect_uri 没有登记"
	case a.State == "":
		return a, "缺少 state"
	case v.Get("code_challenge_method") != "S256" || len(a.Challenge) != 43:
		return a, "code_challenge 应为 S256"
	}
	return a, ""
}

const kept = `<input type="hidden" name="response_type" value="code"><input type="hidden" name="client_id" value="{{.Asked.Client}}"><input type="hidden" name="redirect_uri" value="{{.Asked.Redirect}}"><input type="hidden" name="state" value="{{.Asked.State}}"><input type="hidden" name="code_challenge" value="{{.Asked.Challenge}}"><input type="hidden" name="code_challenge_method" value="S256">`

const body = `<p>选择要以谁的身份登录“好办”。这里没有密码。</p>
<form method="get" action="authorize">` + kept + `<input name="q" value="{{.Q}}" placeholder="姓名、序号、证件号或手机号" aria-label="查找"> <button>查找</button></form>
{{if .Q}}<h2>找到 {{len .Found}} 人</h2><form method="post" action="authorize">` + kept + `<table>
{{range .Found}}<tr><td><button name="person" value="{{.Index}}">{{.Name}}</button></td><td>第 {{.Index}} 人，{{.Born}} 出生，{{.Mobile}}</td></tr>{{end}}</table></form>{{end}}
<h2>演示人物</h2><form method="post" action="authorize">` + kept + `<table>
{{range .Players}}<tr><td><button name="person" value="{{.Index}}">{{.Name}}</button></td><td>{{.Part}}</td></tr>{{end}}</table>
<p><button name="person" value="">不登录，返回</button></p></form>`

type view struct {
	Asked   asked
	Q       string
	Found   []world.Person
	Players []world.Player
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	a, wrong := read(v)
	if wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	if hint := v.Get("login_hint"); hint != "" {
		person, ok := p.s.World.PersonByID(hint)
		if !ok {
			http.Error(w, "没有这个人", http.StatusBadRequest)
			return
		}
		p.back(w, r, a, person)
		return
	}
	q := strings.TrimSpace(v.Get("q"))
	simkit.WritePage(w, "一网通办登录", body,
		view{a, q, p.s.World.FindPersons(q, 20), p.s.World.Players()})
}

func (p *provider) choose(w http.ResponseWriter, r *http.Request) {
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
	chosen := r.PostForm.Get("person")
	if chosen == "" {
		http.Redirect(w, r, a.Redirect+"?"+url.Values{"error": {"access_denied"}, "state": {a.State}}.Encode(), http.StatusSeeOther)
		return
	}
	i, err := strconv.Atoi(chosen)
	if err != nil || i < 0 || i >= p.s.World.Size() || p.s.World.Person(i).Died != "" {
		http.Error(w, "没有这个人", http.StatusBadRequest)
		return
	}
	p.back(w, r, a, p.s.World.Person(i))
}

// back sends the browser back with a code.
func (p *provider) back(w http.ResponseWriter, r *http.Request, a asked, who world.Person) {
	code, now := simkit.Random(), p.wall()
	p.s.Lock(func() {
		for k, g := range p.codes {
			if !now.Before(g.until) {
				delete(p.codes, k)
			}
		}
		p.codes[code] = grant{who.Index, a.Client, a.Redirect, a.Challenge, now.Add(codeLife)}
	})
	http.Redirect(w, r, a.Redirect+"?"+url.Values{"code": {code}, "state": {a.State}}.Encode(), http.StatusSeeOther)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	fault := func(status int, code, text string) {
		simkit.WriteJSON(w, status, wire.Fault{Error: code, Text: text})
	}
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "authorization_code" {
		fault(http.StatusBadRequest, "unsupported_grant_type", "")
		return
	}
	f := r.PostForm
	if !p.s.Shares(f.Get("client_secret")) {
		fault(http.StatusUnauthorized, "invalid_client", "")
		return
	}
	var g grant
	var known bool
	p.s.Lock(func() { // a code is spent by the first who shows it
		g, known = p.codes[f.Get("code")]
		delete(p.codes, f.Get("code"))
	})
	sum := sha256.Sum256([]byte(f.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	now := p.wall()
	if !known || !now.Before(g.until) || g.client != f.Get("client_id") || g.redirect != f.Get("redirect_uri") ||
		subtle.ConstantTimeCompare([]byte(challenge), []byte(g.challenge)) != 1 {
		fault(http.StatusBadRequest, "invalid_grant", "授权码无效、已用过或不属于这次登录")
		return
	}
	token := simkit.Random()
	g.until = now.Add(tokenLife)
	p.s.Lock(func() {
		for k, old := range p.tokens {
			if !now.Before(old.until) {
				delete(p.tokens, k)
			}
		}
		p.tokens[token] = g
	})
	p.s.Effect("login", strconv.Itoa(g.person))
	w.Header().Set("Cache-Control", "no-store")
	simkit.WriteJSON(w, http.StatusOK, wire.Token{Access: token, Type: "Bearer", Expires: int(tokenLife.Seconds())})
}

func (p *provider) userInfo(w http.ResponseWriter, r *http.Request) {
	var g grant
	var known bool
	p.s.Lock(func() { g, known = p.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] })
	if !known || !p.wall().Before(g.until) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		simkit.WriteJSON(w, http.StatusUnauthorized, wire.Fault{Error: "invalid_token"})
		return
	}
	who := p.s.World.Person(g.person)
	id, err := p.s.Seal(who.ID)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	simkit.WriteJSON(w, http.StatusOK, wire.User{
		Sub: fmt.Sprintf("SIM-U-%d", who.Index), Type: wire.Person, Account: fmt.Sprintf("u%d", who.Index), Username: who.Name,
		IDCardNo: id, Mobile: who.Mobile, RealNameStatus: 1, AuthLevel: "L3",
	})
}
