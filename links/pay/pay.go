// Package pay connects to the city's payment platform 公共支付平台: an order for
// a fee, the news that it was paid, and the day's bills to reconcile with.
package pay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"haoban/links/linkkit"
	kit "haoban/links/linkkit/wire"
	"haoban/links/pay/wire"
	"haoban/platform/db"
	"haoban/platform/errs"
)

// Name is what people call the partner.
const Name = "公共支付平台"

// Platform is the connector. It is safe for concurrent use.
type Platform struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Platform { return &Platform{c} }

// Order is a fee to be paid. Amounts are in 分.
type Order struct {
	PaymentNo string
	Subject   string
	Items     []wire.Item
	PayerName string
	PayerID   string
	Minutes   int
	ReturnURL string
}

// Ordered is where and until when to pay.
type Ordered struct {
	OrderNo string
	PayURL  string
	QR      string
	Expires time.Time
}

// State is how a payment stands. At and Channel are set once it is paid.
type State struct {
	PaymentNo string
	OrderNo   string
	Status    string // wire.Unpaid, wire.Paid, wire.Closed
	Amount    int64
	At        time.Time
	Channel   string
}

// Order asks the platform to take money. The same payment number makes one
// order, however often it is asked. It returns a linkkit.Refusal with
// wire.CodeDiffers if the number stands for another amount already.
func (p *Platform) Order(ctx context.Context, o Order) (Ordered, error) {
	in := wire.Order{PaymentNo: o.PaymentNo, Subject: o.Subject, Items: o.Items, Minutes: o.Minutes, ReturnURL: o.ReturnURL}
	for _, i := range o.Items {
		in.Amount += i.Amount
	}
	var err error
	if in.Payer.NameEnc, err = p.c.Seal(o.PayerName); err != nil {
		return Ordered{}, err
	}
	if in.Payer.IDEnc, err = p.c.Seal(o.PayerID); err != nil {
		return Ordered{}, err
	}
	var a wire.Ordered
	if _, err := p.c.Do(ctx, linkkit.Call{API: "pay.order", Path: wire.PathOrders, Key: o.PaymentNo, Biz: o.PaymentNo, In: in}, &a); err != nil {
		return Ordered{}, err
	}
	at, err := moment(a.ExpireAt)
	if err != nil || a.OrderNo == "" {
		return Ordered{}, garbage(fmt.Errorf("order %q expires %q", a.OrderNo, a.ExpireAt))
	}
	return Ordered{OrderNo: a.OrderNo, PayURL: a.PayURL, QR: a.QR, Expires: at}, nil
}

// State asks how a payment stands, for when the news of it is late. It returns
// a linkkit.Refusal with wire.CodeUnknown if it was never ordered.
func (p *Platform) State(ctx context.Context, paymentNo string) (State, error) {
	var a wire.State
	_, err := p.c.Do(ctx, linkkit.Call{API: "pay.state", Path: wire.PathOrders, Query: url.Values{"payment_no": {paymentNo}}, Biz: paymentNo}, &a)
	if err != nil {
		return State{}, err
	}
	return stateOf(a)
}

// Close takes an unpaid order back; closing twice is one closing. It returns a
// linkkit.Refusal with wire.CodePaid if somebody was faster.
func (p *Platform) Close(ctx context.Context, paymentNo, reason string) error {
	_, err := p.c.Do(ctx, linkkit.Call{API: "pay.close", Path: wire.PathClose, Key: paymentNo + "/close", Biz: paymentNo,
		In: wire.Close{PaymentNo: paymentNo, Reason: reason}}, nil)
	return err
}

// Bills returns what was paid on a day (2006-01-02), to reconcile with. The
// platform's own count and total must agree with its lines, or it is no answer.
func (p *Platform) Bills(ctx context.Context, day string) ([]State, error) {
	var a wire.Bills
	if _, err := p.c.Do(ctx, linkkit.Call{API: "pay.bills", Path: wire.PathBills, Query: url.Values{"date": {day}}, Biz: day}, &a); err != nil {
		return nil, err
	}
	out := make([]State, 0, len(a.Items))
	var total int64
	for _, i := range a.Items {
		s, err := stateOf(i)
		if err != nil {
			return nil, err
		}
		total += s.Amount
		out = append(out, s)
	}
	if a.Date != day || a.Count != len(out) || a.Total != total {
		return nil, garbage(fmt.Errorf("bills of %s: %d lines of %d, total %d of %d", a.Date, len(out), a.Count, total, a.Total))
	}
	return out, nil
}

// NewReceiver returns the receiver of the platform's news over cfg, whose
// System, Name and Handle it fills in. on is called once for each state told;
// it returns linkkit.ErrEarly for a payment number it does not know yet.
func NewReceiver(cfg linkkit.ReceiverConfig, on func(ctx context.Context, tx *db.Tx, s State) error) (*linkkit.Receiver, error) {
	cfg.System, cfg.Name = wire.System, Name
	handle := func(want string) linkkit.Handler {
		return func(ctx context.Context, tx *db.Tx, e kit.Event) error {
			var in wire.State
			if err := json.Unmarshal(e.Payload, &in); err != nil {
				return errs.New(errs.Invalid, "pay.event", "支付通知内容无法识别").Wrap(err)
			}
			s, err := stateOf(in)
			if err != nil || in.PaymentNo != e.BizNo || in.Status != want {
				return errs.New(errs.Invalid, "pay.event", "支付通知的业务号或状态不一致").Wrap(err)
			}
			return on(ctx, tx, s)
		}
	}
	cfg.Handle = map[string]linkkit.Handler{wire.EventPaid: handle(wire.Paid), wire.EventClosed: handle(wire.Closed)}
	return linkkit.NewReceiver(cfg)
}

func stateOf(a wire.State) (State, error) {
	s := State{PaymentNo: a.PaymentNo, OrderNo: a.OrderNo, Status: a.Status, Amount: a.Amount, Channel: a.Channel}
	switch a.Status {
	case wire.Unpaid, wire.Closed:
		return s, nil
	case wire.Paid:
		at, err := moment(a.PaidAt)
		if err != nil {
			return State{}, garbage(err)
		}
		s.At = at
		return s, nil
	default:
		return State{}, garbage(fmt.Errorf("status %q", a.Status))
	}
}

func moment(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }

func garbage(err error) error {
	return errs.New(errs.Unavailable, linkkit.CodeGarbage, Name+"返回的内容无法识别").Wrap(err)
}
