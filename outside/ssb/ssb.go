// Package ssb simulates the app 随申办 over the shared world: a page that opens
// haoban as a chosen citizen, and the cards in their spaces.
package ssb

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"haoban/links/ssb/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

const (
	ticketLife = time.Minute
	callback   = "/api/v1/public/callback/" + wire.System
)

// New returns the simulator. POST /open with person=index, or
// id=identity number, opens haoban as that person.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "随申办", o)
	a := &app{s: s, wall: o.Clock.Now, haoban: o.Haoban, tickets: map[string]ticket{}, cards: map[int][]wire.Card{}}
	s.Handle("GET "+wire.PathSession, a.session)
	s.Handle("POST "+wire.PathCard, a.card)
	s.Page("GET /{$}", a.home)
	s.Page("POST /open", a.open)
	s.Page("GET /space/{person}", a.space)
	return s
}

type ticket struct {
	person int
	until  time.Time
}

type app struct {
	s       *simkit.Sim
	wall    func() time.Time
	haoban  string
	tickets map[string]ticket   // under Lock, like cards
	cards   map[int][]wire.Card // by person
}

func (a *app) session(r *simkit.Request) (any, error) {
	var t ticket
	var ok bool
	a.s.Lock(func() { // a ticket is spent by the first who shows it
		t, ok = a.tickets[r.URL.Query().Get("ticket")]
		delete(a.tickets, r.URL.Query().Get("ticket"))
	})
	if !ok || !a.wall().Before(t.until) {
		return nil, simkit.Refuse(wire.CodeTicket, "进入凭证无效或已用过")
	}
	p := a.s.World.Person(t.person)
	out := wire.Session{UserID: fmt.Sprintf("SIM-S-%d", p.Index), AuthLevel: "L3"}
	for _, f := range []struct {
		plain string
		into  *string
	}{{p.Name, &out.NameEnc}, {p.ID, &out.IDEnc}, {p.Mobile, &out.MobileEnc}} {
		var err error
		if *f.into, err = a.s.Seal(f.plain); err != nil {
			return nil, err
		}
	}
	a.s.Effect("session", out.UserID)
	return out, nil
}

func (a *app) card(r *simkit.Request) (any, error) {
	var c wire.Card
	if err := r.Decode(&c); err != nil {
		return nil, err
	}
	id, err := a.s.Open(c.HolderEnc)
	if err != nil {
		return nil, err
	}
	if c.ID == "" || c.Title == "" || c.Version < 1 || r.Key != c.ID+"/"+strconv.FormatInt(c.Version, 10) {
		return nil, simkit.Bad("卡片编号、标题、版本不能为空，幂等键应为 卡片编号/版本")
	}
	p, ok := a.s.World.PersonByID(id)
	if !ok {
		return nil, simkit.Refuse(wire.CodeHolder, "没有这个用户")
	}
	c.HolderEnc = ""
	a.s.Lock(func() {
		i := slices.IndexFunc(a.cards[p.Index], func(o wire.Card) bool { return o.ID == c.ID })
		switch {
		case i < 0:
			a.cards[p.Index] = append(a.cards[p.Index], c)
		case a.cards[p.Index][i].Version >= c.Version:
			err = simkit.Refuse(wire.CodeOld, "已有更新的卡片")
		default:
			a.cards[p.Index][i] = c
		}
	})
	if err != nil {
		return nil, err
	}
	a.s.Effect("card", r.Key)
	return struct{}{}, nil
}

type view struct {
	Q       string
	Found   []world.Person
	Players []world.Player
}

const home = `<p>选择以谁的身份从随申办进入“好办”。</p>
<form method="get" action="./"><input name="q" value="{{.Q}}" placeholder="姓名、序号、证件号或手机号" aria-label="查找"> <button>查找</button></form>
<form method="post" action="open">{{if .Q}}<h2>找到 {{len .Found}} 人</h2><table>
{{range .Found}}<tr><td><button name="person" value="{{.Index}}">{{.Name}}</button></td><td><a href="space/{{.Index}}">卡片</a></td><td>第 {{.Index}} 人，{{.Born}} 出生，{{.Mobile}}</td></tr>{{end}}</table>{{end}}
<h2>演示人物</h2><table>{{range .Players}}<tr><td><button name="person" value="{{.Index}}">{{.Name}}</button></td><td><a href="space/{{.Index}}">卡片</a></td><td>{{.Part}}</td></tr>{{end}}</table></form>`

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	simkit.WritePage(w, "随申办", home, view{q, a.s.World.FindPersons(q, 20), a.s.World.Players()})
}

func (a *app) open(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	p, ok := a.s.World.PersonByID(r.FormValue("id"))
	if i, err := strconv.Atoi(r.FormValue("person")); !ok && err == nil {
		p, ok = a.person(i)
	}
	if !ok || p.Died != "" {
		http.Error(w, "没有这个人", http.StatusBadRequest)
		return
	}
	t, now := "SIM-S-"+simkit.Random(), a.wall()
	a.s.Lock(func() {
		for k, old := range a.tickets {
			if !now.Before(old.until) {
				delete(a.tickets, k)
			}
		}
		a.tickets[t] = ticket{p.Index, now.Add(ticketLife)}
	})
	http.Redirect(w, r, a.haoban+callback+"?"+url.Values{"ticket": {t}}.Encode(), http.StatusSeeOther)
}

func (a *app) person(i int) (world.Person, bool) {
	if i < 0 || i >= a.s.World.Size() {
		return world.Person{}, false
	}
	return a.s.World.Person(i), true
}

// space shows the cards of a person; ?format=json gives them to a tester.
func (a *app) space(w http.ResponseWriter, r *http.Request) {
	i, err := strconv.Atoi(r.PathValue("person"))
	p, ok := a.person(i)
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	cards := []wire.Card{}
	a.s.Lock(func() { cards = append(cards, a.cards[i]...) })
	if r.URL.Query().Get("format") == "json" {
		simkit.WriteJSON(w, http.StatusOK, cards)
		return
	}
	simkit.WritePage(w, "随申办 · "+p.Name+"的专属空间", `{{range .}}<section><h2><a href="{{.URL}}">{{.Title}}</a></h2><table>{{range .Lines}}<tr><td>{{.Label}}</td><td>{{.Value}}</td></tr>{{end}}</table></section>{{else}}<p>没有卡片</p>{{end}}`, cards)
}
