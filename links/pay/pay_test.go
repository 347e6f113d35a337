package pay_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"haoban/links/linkkit"
	kit "haoban/links/linkkit/wire"
	"haoban/links/linktest"
	"haoban/links/pay"
	"haoban/links/pay/wire"
	sim "haoban/outside/pay"
	"haoban/outside/simkit"
	"haoban/platform/clock"
	"haoban/platform/db"
)

const (
	name = "测试甲"
	id   = "310199199001010018"
)

func order(no string, amount int64) pay.Order {
	return pay.Order{PaymentNo: no, Subject: "工本费", PayerName: name, PayerID: id, Minutes: 30,
		Items: []wire.Item{{ChargeCode: "CH-1", Name: "工本费", Amount: amount, Qty: 1}}}
}

func TestBadDay(t *testing.T) {
	t.Parallel()
	payload := func(status, at string) json.RawMessage {
		b, err := json.Marshal(wire.State{OrderNo: "SIM-PAY-1", PaymentNo: "P-1", Status: status, Amount: 1000, PaidAt: at, Channel: "ECNY"})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	linktest.Exercise(t, linktest.Case[*pay.Platform]{
		System: wire.System,
		Sim: func(t *testing.T, key kit.Secret) http.Handler {
			s := sim.New(simkit.Alone(nil, key))
			t.Cleanup(s.Close)
			return s
		},
		New:     pay.New,
		Private: []string{name, id},
		Probes: []linktest.Probe[*pay.Platform]{
			{Name: "order", Call: func(ctx context.Context, p *pay.Platform) error {
				_, err := p.Order(ctx, order("P-1", 1000))
				return err
			}, Effects: func(h http.Handler) int { _, n := h.(*simkit.Sim).Effects("order"); return n }},
			{Name: "bills", Call: func(ctx context.Context, p *pay.Platform) error { _, err := p.Bills(ctx, "2026-11-23"); return err }},
		},
		Inbound: &linktest.Inbound{
			Receiver: func(cfg linkkit.ReceiverConfig, hit linkkit.Handler) (*linkkit.Receiver, error) {
				return pay.NewReceiver(cfg, func(ctx context.Context, tx *db.Tx, s pay.State) error {
					b, err := json.Marshal(wire.State{OrderNo: s.OrderNo, PaymentNo: s.PaymentNo, Status: s.Status, Amount: s.Amount,
						PaidAt: paidAt(s), Channel: s.Channel})
					if err != nil {
						return err
					}
					return hit(ctx, tx, kit.Event{BizNo: s.PaymentNo, Version: 1, Payload: b})
				})
			},
			Events: []kit.Event{
				{ID: "e1", Type: wire.EventPaid, BizNo: "P-1", Version: 1, Payload: payload(wire.Paid, "2026-11-23T10:00:00+08:00")},
				{ID: "e2", Type: wire.EventClosed, BizNo: "P-1", Version: 1, Payload: payload(wire.Closed, "")},
			},
		},
	})
}

func paidAt(s pay.State) string {
	if s.At.IsZero() {
		return ""
	}
	return s.At.Format("2006-01-02T15:04:05Z07:00")
}

func TestCashDesk(t *testing.T) {
	t.Parallel()
	c, s := linktest.Fair(t, wire.System, func(key kit.Secret) *simkit.Sim { return sim.New(simkit.Alone(nil, key)) })
	defer s.Close()
	p, ctx := pay.New(c), t.Context()
	refused := func(err error, code string) {
		t.Helper()
		if f, ok := linkkit.Refused(err); !ok || f.Code != code {
			t.Errorf("got %v, want refusal %s", err, code)
		}
	}
	_, err := p.State(ctx, "P-1")
	refused(err, wire.CodeUnknown)
	refused(p.Close(ctx, "P-1", "x"), wire.CodeUnknown)
	o, err := p.Order(ctx, order("P-1", 1000))
	if err != nil || !strings.HasPrefix(o.OrderNo, "SIM-") || o.PayURL == "" || o.Expires.Before(clock.Wall{}.Now()) {
		t.Fatal(o, err)
	}
	_, err = p.Order(ctx, order("P-1", 2000))
	refused(err, kit.CodeDiffers)
	if st, err := p.State(ctx, "P-1"); err != nil || st.Status != wire.Unpaid {
		t.Errorf("unpaid: %+v %v", st, err)
	}
	browse := func(method, target string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, method, target, nil))
		return rec
	}
	desk := "/pay/cashier/" + path.Base(o.PayURL)
	if body := browse("GET", desk).Body.String(); !strings.Contains(body, "10.00") || !strings.Contains(body, simkit.Notice) {
		t.Errorf("cash desk: %s", body)
	}
	for range 2 {
		if rec := browse("POST", desk+"/pay?channel=ECNY"); rec.Code != http.StatusSeeOther {
			t.Errorf("pay: %d", rec.Code)
		}
	}
	if keys, times := s.Effects("paid"); keys != 1 || times != 1 {
		t.Errorf("paid %d times", times)
	}
	st, err := p.State(ctx, "P-1")
	if err != nil || st.Status != wire.Paid || st.Channel != "ECNY" || st.Amount != 1000 || st.At.IsZero() {
		t.Errorf("paid: %+v %v", st, err)
	}
	refused(p.Close(ctx, "P-1", "撤件"), wire.CodePaid)
	if bills, err := p.Bills(ctx, st.At.Format("2006-01-02")); err != nil || len(bills) != 1 || bills[0].PaymentNo != "P-1" {
		t.Errorf("bills %+v %v", bills, err)
	}
	if _, err := p.Order(ctx, order("P-2", 1000)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Close(ctx, "P-2", "撤件"); err != nil {
			t.Error(err)
		}
	}
	if st, err := p.State(ctx, "P-2"); err != nil || st.Status != wire.Closed {
		t.Errorf("closed: %+v %v", st, err)
	}
	if rec := browse("GET", "/pay/cashier/nobody"); rec.Code != http.StatusNotFound {
		t.Errorf("no such order: %d", rec.Code)
	}
}
