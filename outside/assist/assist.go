// Package assist simulates 行政协助平台 over the shared world.
package assist

import (
	"fmt"
	"net/http"
	"sort"
	"strings"

	"haoban/links/assist/wire"
	"haoban/outside/simkit"
	"haoban/platform/clock"
	"haoban/platform/codes"
)

// New returns the simulator. A request is answered by the tester: POST
// /desk/{assistNo}/reply (opinion, text) and /desk/{assistNo}/want (items,
// days), or by the page at /desk.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "行政协助平台", o)
	p := &platform{s: s, asked: map[string]*asked{}}
	s.Handle("GET "+wire.PathItems, p.items)
	s.Handle("POST "+wire.PathRequests, p.start)
	s.Handle("POST "+wire.PathSupplements, p.supplement)
	s.Page("GET /desk", p.desk)
	s.Page("POST /desk/{no}/reply", p.reply)
	s.Page("POST /desk/{no}/want", p.want)
	return s
}

type asked struct {
	No, Biz, CaseNo, Dept, Content, State string
	versions                              int64
}

type platform struct {
	s     *simkit.Sim
	asked map[string]*asked // under Lock
}

func (p *platform) items(r *simkit.Request) (any, error) {
	code := r.URL.Query().Get("district")
	name := ""
	if d, ok := codes.DistrictByCode(code); ok {
		name = d.Name
	}
	out := wire.Items{Items: []wire.Item{}}
	for _, d := range p.s.World.Departments(code, name) {
		out.Items = append(out.Items, wire.Item{ID: "XZ-" + d.Code, Name: d.Subject, Dept: d.Code, DeptName: d.Name, Level: d.Level,
			Materials: []wire.Material{}, NeedDoubleExempt: true, SupplementSupported: true})
	}
	return out, nil
}

func (p *platform) start(r *simkit.Request) (any, error) {
	var in wire.Request
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if in.BizNo == "" || len(in.To) != 1 || in.Approval == "" {
		return nil, simkit.Bad("业务编号、统一审批编码、被征询部门不能为空")
	}
	a := &asked{Biz: in.BizNo, CaseNo: in.CaseNo, Dept: in.To[0].Dept, Content: in.Content, State: "SUBMITTED"}
	p.s.Lock(func() {
		a.No = fmt.Sprintf("SIM-XZ-%06d", len(p.asked)+1)
		p.asked[a.No] = a
	})
	p.s.Effect("start", in.BizNo)
	return wire.Started{AssistNo: a.No, State: a.State}, nil
}

func (p *platform) supplement(r *simkit.Request) (any, error) {
	var in wire.Supplement
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var ok bool
	p.s.Lock(func() {
		if a := p.asked[in.AssistNo]; a != nil {
			ok, a.State = true, "SUPPLEMENTED"
		}
	})
	if !ok {
		return nil, simkit.Bad("没有这个协助编号")
	}
	p.s.Effect("supplement", in.SupplementID)
	return struct{}{}, nil
}

func (p *platform) desk(w http.ResponseWriter, r *http.Request) {
	var all []asked
	p.s.Lock(func() {
		for _, a := range p.asked {
			all = append(all, *a)
		}
	})
	sort.Slice(all, func(i, j int) bool { return all[i].No < all[j].No })
	if r.URL.Query().Get("format") == "json" {
		simkit.WriteJSON(w, http.StatusOK, all)
		return
	}
	simkit.WritePage(w, "行政协助", `{{range .}}<section><h3>{{.Dept}} · {{.No}} · {{.State}}</h3><p>办件 {{.CaseNo}}：{{.Content}}</p>
<form method="post" action="desk/{{.No}}/reply"><input name="text" value="同意"><button name="opinion" value="AGREE">同意</button><button name="opinion" value="CONDITIONAL">有条件同意</button><button name="opinion" value="DISAGREE">不同意</button></form>
<form method="post" action="desk/{{.No}}/want"><input name="items" value="交通影响说明"><button>要求补充</button></form></section>{{else}}<p>没有征询</p>{{end}}`, all)
}

func (p *platform) next(no string, state string) (*asked, int64) {
	var a *asked
	var v int64
	p.s.Lock(func() {
		if a = p.asked[no]; a != nil {
			a.versions++
			v, a.State = a.versions, state
		}
	})
	return a, v
}

func (p *platform) reply(w http.ResponseWriter, r *http.Request) {
	a, v := p.next(r.PathValue("no"), "REPLIED")
	if a == nil {
		http.NotFound(w, r)
		return
	}
	p.s.Tell(wire.EventReplied, a.Biz, v, wire.Replied{AssistNo: a.No, Dept: a.Dept, Opinion: r.FormValue("opinion"), Text: r.FormValue("text")})
	back(w)
}

func (p *platform) want(w http.ResponseWriter, r *http.Request) {
	a, v := p.next(r.PathValue("no"), "SUPPLEMENT_REQUIRED")
	if a == nil {
		http.NotFound(w, r)
		return
	}
	p.s.Tell(wire.EventSupplement, a.Biz, v, wire.Wants{AssistNo: a.No, Dept: a.Dept, SupplementID: fmt.Sprintf("BZ-%s-%d", a.No, v),
		Deadline: p.s.Now().In(clock.Shanghai()).AddDate(0, 0, 5).Format("2006-01-02"), Items: strings.Split(r.FormValue("items"), "、")})
	back(w)
}

// back sends the browser to the desk. The address stays relative, because the
// prefix this system is mounted under is stripped before it gets here.
func back(w http.ResponseWriter) {
	w.Header().Set("Location", "../../desk")
	w.WriteHeader(http.StatusSeeOther)
}
