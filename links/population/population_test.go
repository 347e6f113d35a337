package population_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"haoban/links/linkkit"
	kit "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/population"
	"haoban/links/population/wire"
	sim "haoban/outside/population"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func who(p world.Person) population.Who { return population.Who{Name: p.Name, ID: p.ID} }

func purpose() population.Purpose {
	return population.Purpose{Item: "CS-YG-01", CaseNo: "R1", Operator: "测试乙"}
}

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	c := w.Cast()
	linktest.Exercise(t, linktest.Case[*population.Register]{
		System: wire.System,
		Sim: func(t *testing.T, key kit.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, key))
			t.Cleanup(s.Close)
			return s
		},
		New:     population.New,
		Private: []string{c.ZhangMing.Name, c.ZhangMing.ID, c.LiTing.Name, c.LiTing.ID},
		Probes: []linktest.Probe[*population.Register]{
			{Name: "verify", Call: func(ctx context.Context, r *population.Register) error {
				_, err := r.Verify(ctx, purpose(), who(c.ZhangMing))
				return err
			}},
			{Name: "relation", Call: func(ctx context.Context, r *population.Register) error {
				_, _, err := r.Relation(ctx, purpose(), who(c.ZhangMing), who(c.LiTing))
				return err
			}},
			{Name: "guardian", Call: func(ctx context.Context, r *population.Register) error {
				_, _, err := r.Guardian(ctx, purpose(), who(c.ShenXiaoCe), who(c.ShenQiang))
				return err
			}},
		},
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	w := world.New(1, 10_000)
	c := w.Cast()
	client, s := linktest.Fair(t, wire.System, func(key kit.Secret) *simkit.Sim { return sim.New(simkit.Alone(w, key)) })
	defer s.Close()
	r, ctx := population.New(client), t.Context()

	p, err := r.Verify(ctx, purpose(), who(c.ZhangMing))
	if err != nil || p.Dead || p.Sex != "男" || p.Birth != c.ZhangMing.Born || p.Address != c.ZhangMing.Address || p.Source.ID == "" {
		t.Errorf("张明: %+v %v", p, err)
	}
	if _, err := r.Verify(ctx, purpose(), population.Who{Name: "张三", ID: c.ZhangMing.ID}); !errors.Is(err, population.ErrMismatch) {
		t.Errorf("another's number: %v", err)
	}
	if _, err := r.Verify(ctx, purpose(), population.Who{Name: "张明", ID: "310101199001010012"}); !errors.Is(err, population.ErrNoRecord) {
		t.Errorf("nobody's number: %v", err)
	}
	if _, err := r.Verify(ctx, population.Purpose{}, who(c.ZhangMing)); err == nil {
		t.Error("asked without purpose")
	} else if f, ok := linkkit.Refused(err); !ok || f.Code != wire.CodeNoPurpose {
		t.Errorf("without purpose: %v", err)
	}
	dead, former := false, false
	for i := range w.Size() {
		q := w.Person(i)
		if (q.Died == "" || dead) && (q.Former == "" || former) {
			continue
		}
		got, err := r.Verify(ctx, purpose(), who(q))
		if err != nil || got.Dead != (q.Died != "") || got.Former != q.Former {
			t.Errorf("person %d: %+v %v", i, got, err)
		}
		dead, former = dead || q.Died != "", former || q.Former != ""
		if dead && former {
			break
		}
	}
	for _, tt := range []struct {
		a, b world.Person
		want string
		same bool
	}{
		{c.ZhangMing, c.LiTing, "配偶", true}, {c.ShenQiang, c.ShenXiaoCe, w.Relation(c.ShenQiang.Index, c.ShenXiaoCe.Index), true},
		{c.ShenXiaoCe, c.HanXue, "母", true}, {c.ZhaoLei, c.SunLi, "", false}, {c.ZhangMing, c.WangQiang, "", false},
	} {
		if got, same, err := r.Relation(ctx, purpose(), who(tt.a), who(tt.b)); err != nil || got != tt.want || same != tt.same {
			t.Errorf("%s and %s: %q %v %v", tt.a.Name, tt.b.Name, got, same, err)
		}
	}
	if _, _, err := r.Relation(ctx, purpose(), who(c.ZhangMing), population.Who{Name: "某人", ID: c.LiTing.ID}); !errors.Is(err, population.ErrMismatch) {
		t.Errorf("relation to a wrong name: %v", err)
	}
	for _, tt := range []struct {
		minor, guardian world.Person
		want            bool
	}{{c.ShenXiaoCe, c.HanXue, true}, {c.ShenXiaoCe, c.ZhangMing, false}, {c.LiTing, c.ZhangMing, false}} {
		if ok, basis, err := r.Guardian(ctx, purpose(), who(tt.minor), who(tt.guardian)); err != nil || ok != tt.want || basis == "" {
			t.Errorf("%s for %s: %v %q %v", tt.guardian.Name, tt.minor.Name, ok, basis, err)
		}
	}
}
