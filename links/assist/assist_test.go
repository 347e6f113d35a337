package assist_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"haoban/casework/consult"
	"haoban/links/assist"
	"haoban/links/assist/wire"
	"haoban/links/linkkit"
	kitwire "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	sim "haoban/outside/assist"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
)

// desk notes what it is told.
type desk struct{ told string }

func (d *desk) Wants(_ context.Context, _ *db.Tx, no, biz, id string, names []string, until time.Time) error {
	d.told = fmt.Sprint("wants ", no, biz, id, names, until.In(clock.Shanghai()).Format("2006-01-02 15:04"))
	return nil
}

func (d *desk) Reply(_ context.Context, _ *db.Tx, no, biz, opinion, text string) error {
	d.told = fmt.Sprint("reply ", no, biz, opinion, text)
	return nil
}

// ask hands one request to the simulator, so that it has a number to give.
func ask(t *testing.T, h http.Handler, key kitwire.Secret) {
	t.Helper()
	body, err := json.Marshal(wire.Request{Mode: "SUBMIT", Approval: "SP0", BizNo: "c0", To: []wire.ToDept{{Dept: "D", Item: "I"}}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, wire.PathRequests, bytes.NewReader(body))
	if err := kitwire.Sign(r, key, "haoban", "n0", clock.Wall{}.Now(), body); err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	if h.ServeHTTP(rec, r); rec.Code != http.StatusOK {
		t.Fatal(rec.Body)
	}
}

func TestBadDay(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	linktest.Exercise(t, linktest.Case[*assist.Client]{
		System: wire.System,
		Sim: func(t *testing.T, secret kitwire.Secret) http.Handler {
			s := sim.New(simkit.Alone(w, secret))
			t.Cleanup(s.Close)
			ask(t, s, secret)
			return s
		},
		New: assist.New,
		Probes: []linktest.Probe[*assist.Client]{{
			Name: "depts",
			Call: func(ctx context.Context, c *assist.Client) error {
				_, err := c.Depts(ctx, "land-opinion", "310115")
				return err
			},
		}, {
			Name: "start",
			Call: func(ctx context.Context, c *assist.Client) error {
				_, err := c.Start(ctx, consult.Request{ID: "c1", CaseNo: "P1", Approval: "SP1", Dept: consult.Dept{Code: "D", Item: "I"}})
				return err
			},
			Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("start"); return n },
		}, {
			Name: "supplement",
			Call: func(ctx context.Context, c *assist.Client) error {
				return c.Supplement(ctx, "SIM-XZ-000001", "BZ-1", []consult.Item{{Name: "说明", Mat: "m"}}, []consult.File{{ID: "f", Name: "说明.pdf"}})
			},
			Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("supplement"); return n },
		}},
		Inbound: &linktest.Inbound{
			Receiver: func(cfg linkkit.ReceiverConfig, hit linkkit.Handler) (*linkkit.Receiver, error) {
				cfg.Name, cfg.Handle = assist.Name, map[string]linkkit.Handler{}
				for kind, h := range assist.Receive(&desk{}) {
					cfg.Handle[kind] = func(ctx context.Context, tx *db.Tx, e kitwire.Event) error {
						if err := h(ctx, tx, e); err != nil {
							return err
						}
						return hit(ctx, tx, e)
					}
				}
				return linkkit.NewReceiver(cfg)
			},
			Events: []kitwire.Event{
				{ID: "e1", Type: wire.EventSupplement, BizNo: "c1", Version: 1, Payload: json.RawMessage(
					`{"assist_no":"SIM-XZ-000001","dept":"D","supplement_id":"BZ-1","deadline":"2026-11-30","items":["交通影响说明"]}`)},
				{ID: "e2", Type: wire.EventReplied, BizNo: "c1", Version: 1, Payload: json.RawMessage(
					`{"assist_no":"SIM-XZ-000001","dept":"D","opinion":"AGREE","text":"同意"}`)},
			},
		},
	})
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, payload, want string }{
		{wire.EventSupplement, `{"assist_no":"N","supplement_id":"B","deadline":"2026-11-30","items":["甲","乙"]}`, "wants Nc1B[甲 乙]2026-11-30 23:59"},
		{wire.EventReplied, `{"assist_no":"N","opinion":"CONDITIONAL","text":"后退"}`, "reply Nc1CONDITIONAL后退"},
		{wire.EventSupplement, `{"assist_no":"N","supplement_id":"B","deadline":"下周","items":["甲"]}`, ""},
		{wire.EventSupplement, `{"assist_no":"N","supplement_id":"B","deadline":"2026-11-30","items":[]}`, ""},
		{wire.EventReplied, `{"assist_no":"N"}`, ""},
		{wire.EventReplied, `[]`, ""},
	} {
		d := &desk{}
		err := assist.Receive(d)[tt.kind](t.Context(), nil, kitwire.Event{BizNo: "c1", Payload: json.RawMessage(tt.payload)})
		if d.told != tt.want || (err == nil) != (tt.want != "") || (err != nil && errs.KindOf(err) != errs.Invalid) {
			t.Errorf("%s: %q %v, want %q", tt.payload, d.told, err, tt.want)
		}
	}
}

func TestDepts(t *testing.T) {
	t.Parallel()
	c, s := linktest.Fair(t, wire.System, func(secret kitwire.Secret) *simkit.Sim {
		return sim.New(simkit.Alone(world.New(1, 1000), secret))
	})
	defer s.Close()
	ds, err := assist.New(c).Depts(t.Context(), "land-opinion", "310115")
	levels := map[string]int{}
	for _, d := range ds {
		levels[d.Level]++
	}
	if err != nil || levels["市"] == 0 || levels["区"] == 0 {
		t.Errorf("%v %v", levels, err)
	}
	if err := assist.New(c).Supplement(t.Context(), "nobody", "BZ", nil, nil); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a supplement for nobody: %v", err)
	}
}
