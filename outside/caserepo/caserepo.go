// Package caserepo simulates the city's case repository 市办件库: it keeps every
// case it is told, takes a package once, steps in order, and errata only of
// cases it has.
package caserepo

import (
	"fmt"
	"net/http"

	"haoban/links/caserepo/wire"
	"haoban/outside/simkit"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "市办件库", o)
	r := &repo{sim: s, cases: make(map[string]*wire.Kept)}
	s.Handle("POST "+wire.PathPush, r.push)
	s.Handle("POST "+wire.PathErratum, r.erratum)
	s.Handle("GET "+wire.PathCases, r.get)
	s.Page("GET /{$}", r.page)
	return s
}

type repo struct {
	sim   *simkit.Sim
	cases map[string]*wire.Kept // under sim.Lock
}

func (r *repo) push(q *simkit.Request) (any, error) {
	var p wire.Push
	if err := q.Decode(&p); err != nil {
		return nil, err
	}
	if p.Case.CaseUID == "" || p.Case.ItemCode == "" || p.Case.Applicant.Name == "" || p.Case.ApplyTime == "" {
		return nil, simkit.Bad("办件编号、事项编码、申请人、申请时间不能为空")
	}
	if q.Key != p.Key() {
		return nil, simkit.Bad("幂等键应为 办件编号/步骤序号/版本")
	}
	if id, err := r.sim.Open(p.Case.Applicant.IDEnc); err != nil || len(id) != 18 {
		return nil, simkit.Bad("申请人证件号未按约定加密")
	}
	for i, st := range p.Steps {
		if st.Seq != i+1 {
			return nil, simkit.Refuse(wire.CodeOutOfOrder, "办理过程的步骤序号应从 1 起连续")
		}
	}
	p.Case.Applicant.IDEnc = ""
	var ack wire.Ack
	var err error
	r.sim.Lock(func() {
		k := r.cases[p.Case.CaseUID]
		switch {
		case k == nil:
			k = &wire.Kept{RepoNo: fmt.Sprintf("SIM-BJK-%08d", len(r.cases)+1)}
			r.cases[p.Case.CaseUID] = k
		case p.Version < k.Push.Version:
			err = simkit.Refuse(wire.CodeOutOfOrder, "已收到过更新的版本")
			return
		case k.Push.Result != nil && p.Result == nil:
			err = simkit.Refuse(wire.CodeClosed, "该办件已办结，如有更正请报勘误")
			return
		}
		k.Push = p
		ack.RepoNo = k.RepoNo
	})
	if err != nil {
		return nil, err
	}
	r.sim.Effect("push", q.Key)
	return ack, nil
}

func (r *repo) erratum(q *simkit.Request) (any, error) {
	var e wire.Erratum
	if err := q.Decode(&e); err != nil {
		return nil, err
	}
	if e.ErratumNo == "" || e.Reason == "" {
		return nil, simkit.Bad("勘误编号和原因不能为空")
	}
	var ack wire.Ack
	r.sim.Lock(func() {
		if k := r.cases[e.CaseUID]; k != nil {
			k.Errata = append(k.Errata, e)
			ack.RepoNo = k.RepoNo
		}
	})
	if ack.RepoNo == "" {
		return nil, simkit.Refuse(wire.CodeUnknownCase, "办件库没有这件办件")
	}
	r.sim.Effect("erratum", q.Key)
	return ack, nil
}

func (r *repo) get(q *simkit.Request) (any, error) {
	var out wire.Kept
	r.sim.Lock(func() {
		if k := r.cases[q.URL.Query().Get("case_uid")]; k != nil {
			out = *k
		}
	})
	if out.RepoNo == "" {
		return nil, simkit.Refuse(wire.CodeUnknownCase, "办件库没有这件办件")
	}
	return out, nil
}

func (r *repo) page(w http.ResponseWriter, _ *http.Request) {
	var list []wire.Kept
	r.sim.Lock(func() {
		for _, k := range r.cases {
			list = append(list, *k)
		}
	})
	simkit.WritePage(w, "市办件库", `<p>已收到 {{len .}} 件办件。</p><table><tr><th>库内编号</th><th>办件编号</th><th>事项</th><th>步骤</th><th>结果</th><th>勘误</th></tr>
{{range .}}<tr><td>{{.RepoNo}}</td><td>{{.Push.Case.CaseUID}}</td><td>{{.Push.Case.ItemName}}</td><td>{{len .Push.Steps}}</td><td>{{with .Push.Result}}{{.Type}}{{end}}</td><td>{{len .Errata}}</td></tr>{{end}}</table>`, list)
}
