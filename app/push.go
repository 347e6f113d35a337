package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"haoban/casework"
	"haoban/casework/form"
	"haoban/casework/material"
	"haoban/links/caserepo/wire"
	housingwire "haoban/links/housing/wire"
	investwire "haoban/links/invest/wire"
	licencewire "haoban/links/licence/wire"
	"haoban/links/linkkit"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/job"
)

// jobPush is the kind of job that tells a partner of an event.
const jobPush = "case.push"

type pushJob struct {
	Case string `json:"case"`
	Seq  int    `json:"seq"`
	On   string `json:"on"`
	To   string `json:"to"`
}

// push is the subscriber that enqueues what the matter pushes at an event, once
// per case, event and partner.
func (a *App) push(ctx context.Context, w *casework.Work, e casework.Event) error {
	for _, p := range w.M.Pushes {
		if p.On != e.Kind {
			continue
		}
		if err := a.Queue.Enqueue(ctx, w.Tx, job.New{
			Kind: jobPush, Target: p.To, Key: fmt.Sprintf("%s/%d/%s", w.ID, e.Seq, p.To), Args: pushJob{Case: w.ID, Seq: e.Seq, On: e.Kind, To: p.To},
		}); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) workPush(ctx context.Context, j job.Job) error {
	var p pushJob
	if err := json.Unmarshal(j.Args, &p); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	snap, err := a.Service.Snapshot(ctx, p.Case)
	if err != nil {
		return err
	}
	switch p.To {
	case "caserepo":
		return a.pushRepo(ctx, snap, p)
	case "licence":
		return a.pushLicence(ctx, snap)
	case "housing":
		contract, _ := snap.M.Form.Get(snap.Form(), "contractNo")
		unit, _ := snap.M.Form.Get(snap.Form(), "unit")
		at, err := a.eventTime(ctx, p)
		if err != nil {
			return err
		}
		return a.links.housing.Tell(ctx, housingwire.Registered{Contract: form.Str(contract), Unit: form.Str(unit), CaseNo: snap.No, At: at})
	case "invest":
		code, _ := snap.M.Form.Get(snap.Form(), "projectCode")
		rs, err := a.Results.Of(ctx, a.DB.Q(), snap.ID)
		if err != nil {
			return err
		}
		r := investwire.Result{Code: form.Str(code), CaseNo: snap.No, Matter: snap.M.Code, State: snap.Outcome}
		if len(rs) > 0 {
			r.DocNo = rs[0].No
		}
		return a.links.invest.Tell(ctx, r)
	}
	return job.Stop(fmt.Errorf("push: nobody is called %s", p.To))
}

// eventTime is when the event happened that p tells of: a message told again must
// be the same message.
func (a *App) eventTime(ctx context.Context, p pushJob) (string, error) {
	events, err := a.Service.Events(ctx, a.DB.Q(), p.Case)
	if err != nil {
		return "", err
	}
	for _, e := range events {
		if e.Seq == p.Seq {
			return stamp(e.At), nil
		}
	}
	return "", fmt.Errorf("push: case %s has no event %d", p.Case, p.Seq)
}

func rfc(t time.Time) string { return t.In(clock.Shanghai()).Format(time.RFC3339) }

func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return rfc(db.Time(ms))
}

// pushRepo tells 市办件库 the case as it stood at the event, steps from one on.
func (a *App) pushRepo(ctx context.Context, snap *casework.Snapshot, p pushJob) error {
	events, err := a.Service.Events(ctx, a.DB.Q(), snap.ID)
	if err != nil {
		return err
	}
	name, id, kind, err := a.applicant(ctx, snap)
	if err != nil {
		return err
	}
	w := wire.Push{Version: int64(p.Seq), Case: wire.Case{
		CaseUID: "HB" + snap.ID, ItemCode: snap.M.Code, ItemName: snap.M.Name, DeptCode: snap.M.Office, District: snap.District,
		Applicant: wire.Applicant{Type: kind, Name: name}, AcceptNo: snap.No, ApplyTime: stamp(snap.Submitted), AcceptTime: stamp(snap.Accepted),
		PromisedDays: snap.M.Limit.Promised, LegalDays: snap.M.Limit.Legal, Channel: "ONLINE_PC",
	}}
	for _, e := range events {
		if e.Seq > p.Seq {
			break
		}
		node := map[string]string{"submitted": "收件", "accepted": "收件", "completed": "审理", "entered": "审定", "decided": "审定", "issued": "文印", "closed": "办结"}[e.Kind]
		if node == "" {
			continue
		}
		w.Steps = append(w.Steps, wire.Step{Seq: len(w.Steps) + 1, Node: node, State: "done", Handler: e.ActorName, Begin: stamp(e.At), End: stamp(e.At), Opinion: e.Reason})
	}
	if p.On == "closed" {
		w.Result = &wire.Result{Type: "准予"}
		rs, err := a.Results.Of(ctx, a.DB.Q(), snap.ID)
		if err != nil {
			return err
		}
		if len(rs) > 0 {
			w.Result.DocNo = rs[0].No
		}
	}
	_, err = a.links.caserepo.Push(ctx, w, id)
	if r, ok := linkkit.Refused(err); ok && (r.Code == wire.CodeOutOfOrder || r.Code == wire.CodeClosed) {
		return nil // after an outage the newer news was quicker; it tells this too
	}
	return err
}

func (a *App) applicant(ctx context.Context, snap *casework.Snapshot) (name, id, kind string, err error) {
	q := a.DB.Q()
	if snap.Org != "" {
		o, err := a.People.Org(ctx, q, snap.Org)
		return o.Name, o.USCC, "LEGAL", err
	}
	p, err := a.People.Person(ctx, q, snap.Opener)
	return p.Name(), idNo(p), "PERSON", err
}

// pushLicence files every result of the case in the licence store, once per
// number.
func (a *App) pushLicence(ctx context.Context, snap *casework.Snapshot) error {
	rs, err := a.Results.Of(ctx, a.DB.Q(), snap.ID)
	if err != nil {
		return err
	}
	ms, err := material.Of(ctx, a.DB.Q(), snap.ID)
	if err != nil {
		return err
	}
	_, id, _, err := a.applicant(ctx, snap)
	if err != nil {
		return err
	}
	for _, r := range rs {
		def, ok := snap.M.ResultOf(r.Kind)
		if !ok || def.Licence == "" {
			continue
		}
		l := licencewire.Licence{No: r.No, Type: def.Licence, IssuedAt: stamp(r.Issued)}
		for _, m := range ms {
			if v, ok := m.Latest(); ok && m.ID == r.Material {
				l.SM3 = v.SM3
			}
		}
		if _, err := a.links.licence.Issue(ctx, l, id); err != nil {
			return err
		}
	}
	return nil
}
