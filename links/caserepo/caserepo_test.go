package caserepo_test

import (
	"context"
	"net/http"
	"testing"

	"haoban/links/caserepo"
	"haoban/links/caserepo/wire"
	"haoban/links/linkkit"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/caserepo"
	"haoban/outside/simkit"
)

const (
	id   = "310199199001010018"
	name = "测试甲"
)

func TestBadDay(t *testing.T) {
	t.Parallel()
	push := wire.Push{Version: 1, Case: wire.Case{
		CaseUID: "HB-1", ItemCode: "YG-01", ItemName: "预购商品房预告登记", AcceptNo: "1", ApplyTime: "2026-11-23T09:00:00+08:00",
		Applicant: wire.Applicant{Type: "PERSON", Name: name},
	}, Steps: []wire.Step{{Seq: 1, Node: "收件", State: "done"}}}
	linktest.Exercise(t, linktest.Case[*caserepo.Repo]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(nil, secret))
			t.Cleanup(s.Close)
			return s
		},
		New:     caserepo.New,
		Private: []string{id, name},
		Probes: []linktest.Probe[*caserepo.Repo]{{
			Name:    "push",
			Call:    func(ctx context.Context, c *caserepo.Repo) error { _, err := c.Push(ctx, push, id); return err },
			Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("push"); return n },
		}},
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	c, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim {
		return sim.New(simkit.Alone(nil, secret))
	})
	defer s.Close()
	r, ctx := caserepo.New(c), t.Context()
	erratum := wire.Erratum{CaseUID: "HB-2", ErratumNo: "KW-1", Reason: "坐落有误"}
	refused := func(err error, code string) {
		t.Helper()
		if f, ok := linkkit.Refused(err); !ok || f.Code != code {
			t.Errorf("got %v, want refusal %s", err, code)
		}
	}
	refused(r.Correct(ctx, erratum), wire.CodeUnknownCase)
	p := wire.Push{Version: 2, Case: wire.Case{CaseUID: "HB-2", ItemCode: "x", ApplyTime: "2026-11-23T09:00:00+08:00", Applicant: wire.Applicant{Name: name}},
		Steps: []wire.Step{{Seq: 1}}, Result: &wire.Result{Type: "准予"}}
	no, err := r.Push(ctx, p, id)
	if err != nil || no == "" {
		t.Fatal(no, err)
	}
	if err := r.Correct(ctx, erratum); err != nil {
		t.Error(err)
	}
	old := p
	old.Version = 1
	_, err = r.Push(ctx, old, id)
	refused(err, wire.CodeOutOfOrder)
	open := p
	open.Version, open.Result = 3, nil
	_, err = r.Push(ctx, open, id)
	refused(err, wire.CodeClosed)
	k, err := r.Kept(ctx, "HB-2")
	if err != nil || k.RepoNo != no || len(k.Errata) != 1 || k.Push.Case.Applicant.IDEnc != "" {
		t.Errorf("kept %+v, %v", k, err)
	}
	_, err = r.Kept(ctx, "HB-9")
	refused(err, wire.CodeUnknownCase)
}
