// Package pay simulates the city's payment platform 公共支付平台: orders, a cash
// desk where a browser can pay, news of what was paid, and the day's bills. No
// money is ever taken.
package pay

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"haoban/links/pay/wire"
	"haoban/outside/simkit"
	"haoban/platform/clock"
)

// New returns the simulator. Its cash desk is at /cashier/{order}; POST
// /cashier/{order}/pay (form value channel) pays.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "公共支付平台", o)
	p := &platform{sim: s, byPayment: make(map[string]*order), byOrder: make(map[string]*order)}
	s.Handle("POST "+wire.PathOrders, p.create)
	s.Handle("GET "+wire.PathOrders, p.state)
	s.Handle("POST "+wire.PathClose, p.close)
	s.Handle("GET "+wire.PathBills, p.bills)
	s.Page("GET /cashier/{order}", p.desk)
	s.Page("POST /cashier/{order}/pay", p.pay)
	return s
}

type order struct {
	wire.State
	subject, returnURL string
	expires            time.Time
	answer             wire.Ordered
}

type platform struct {
	sim       *simkit.Sim
	byPayment map[string]*order // both under sim.Lock
	byOrder   map[string]*order
}

func stamp(t time.Time) string { return t.In(clock.Shanghai()).Format(time.RFC3339) }

func (p *platform) create(q *simkit.Request) (any, error) {
	var in wire.Order
	if err := q.Decode(&in); err != nil {
		return nil, err
	}
	var sum int64
	for _, i := range in.Items {
		sum += i.Amount
	}
	if in.PaymentNo == "" || in.Amount <= 0 || sum != in.Amount || in.Minutes <= 0 {
		return nil, simkit.Bad("缴款编码、金额或有效期不正确，明细之和应等于总额")
	}
	for _, f := range []string{in.Payer.NameEnc, in.Payer.IDEnc} {
		if v, err := p.sim.Open(f); err != nil || v == "" {
			return nil, simkit.Bad("缴款人信息未按约定加密")
		}
	}
	now := p.sim.Now()
	var out wire.Ordered
	var err error
	fresh := false
	p.sim.Lock(func() {
		if had := p.byPayment[in.PaymentNo]; had != nil {
			out = had.answer
			if had.Amount != in.Amount {
				err = simkit.Refuse(wire.CodeDiffers, "该缴款编码已按其他金额下单")
			}
			return
		}
		no := fmt.Sprintf("SIM-PAY-%08d", len(p.byOrder)+1)
		out = wire.Ordered{OrderNo: no, PayURL: "http://" + q.Host + "/" + wire.System + "/cashier/" + no, QR: "SIM:PAY:" + no,
			ExpireAt: stamp(now.Add(time.Duration(in.Minutes) * time.Minute))}
		o := &order{State: wire.State{OrderNo: no, PaymentNo: in.PaymentNo, Status: wire.Unpaid, Amount: in.Amount},
			subject: in.Subject, returnURL: in.ReturnURL, expires: now.Add(time.Duration(in.Minutes) * time.Minute), answer: out}
		p.byPayment[in.PaymentNo], p.byOrder[no], fresh = o, o, true
	})
	if err != nil {
		return nil, err
	}
	if fresh {
		p.sim.Effect("order", in.PaymentNo)
	}
	return out, nil
}

// look returns an order as it stands now; an unpaid one beyond its time is
// closed.
func (p *platform) look(find func() *order) (order, bool) {
	now := p.sim.Now()
	var out order
	expired, ok := false, false
	p.sim.Lock(func() {
		o := find()
		if o == nil {
			return
		}
		if o.Status == wire.Unpaid && now.After(o.expires) {
			o.Status, expired = wire.Closed, true
		}
		out, ok = *o, true
	})
	if expired {
		p.sim.Tell(wire.EventClosed, out.PaymentNo, 1, out.State)
	}
	return out, ok
}

func (p *platform) state(q *simkit.Request) (any, error) {
	no := q.URL.Query().Get("payment_no")
	o, ok := p.look(func() *order { return p.byPayment[no] })
	if !ok {
		return nil, simkit.Refuse(wire.CodeUnknown, "没有这笔缴款")
	}
	return o.State, nil
}

func (p *platform) close(q *simkit.Request) (any, error) {
	var in wire.Close
	if err := q.Decode(&in); err != nil {
		return nil, err
	}
	var err error
	closed := false
	p.sim.Lock(func() {
		switch o := p.byPayment[in.PaymentNo]; {
		case o == nil:
			err = simkit.Refuse(wire.CodeUnknown, "没有这笔缴款")
		case o.Status == wire.Paid:
			err = simkit.Refuse(wire.CodePaid, "该笔缴款已支付，不能关闭")
		default:
			closed = o.Status == wire.Unpaid
			o.Status = wire.Closed
		}
	})
	if err != nil {
		return nil, err
	}
	if closed {
		p.sim.Effect("close", in.PaymentNo)
	}
	return nil, nil
}

func (p *platform) bills(q *simkit.Request) (any, error) {
	date := q.URL.Query().Get("date")
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return nil, simkit.Bad("日期格式应为 2006-01-02")
	}
	out := wire.Bills{Date: date, Items: []wire.State{}}
	p.sim.Lock(func() {
		for _, o := range p.byOrder {
			if o.Status == wire.Paid && strings.HasPrefix(o.PaidAt, date) {
				out.Items = append(out.Items, o.State)
				out.Total += o.Amount
			}
		}
	})
	out.Count = len(out.Items)
	slices.SortFunc(out.Items, func(a, b wire.State) int { return cmp.Compare(a.OrderNo, b.OrderNo) })
	return out, nil
}

func (p *platform) desk(w http.ResponseWriter, r *http.Request) {
	no := r.PathValue("order")
	o, ok := p.look(func() *order { return p.byOrder[no] })
	if !ok {
		http.NotFound(w, r)
		return
	}
	simkit.WritePage(w, "公共支付平台收银台", `<p>{{.Subject}}</p><p>应付 <strong>{{.Yuan}}</strong> 元（模拟，不会扣款）</p>
{{if eq .Status "UNPAID"}}<form method="post" action="{{.OrderNo}}/pay">
<p><label>支付方式 <select name="channel"><option value="WECHAT">微信</option><option value="ALIPAY">支付宝</option><option value="UNIONPAY">银联</option><option value="ECNY">数字人民币</option></select></label></p>
<button>模拟支付</button></form>{{else if eq .Status "PAID"}}<p>已支付（{{.PaidAt}}）</p>{{else}}<p>订单已关闭</p>{{end}}
{{with .Return}}<p><a href="{{.}}">返回办事页面</a></p>{{end}}`, struct {
		wire.State
		Subject, Yuan, Return string
	}{o.State, o.subject, fmt.Sprintf("%d.%02d", o.Amount/100, o.Amount%100), o.returnURL})
}

func (p *platform) pay(w http.ResponseWriter, r *http.Request) {
	no := r.PathValue("order")
	o, ok := p.look(func() *order { return p.byOrder[no] })
	if !ok {
		http.NotFound(w, r)
		return
	}
	channel := r.FormValue("channel")
	if channel == "" {
		channel = "WECHAT"
	}
	now, paid := p.sim.Now(), false
	p.sim.Lock(func() {
		at := p.byOrder[no]
		if at.Status == wire.Unpaid {
			at.Status, at.PaidAt, at.Channel, paid = wire.Paid, stamp(now), channel, true
		}
		o = *at
	})
	if paid {
		p.sim.Effect("paid", o.PaymentNo)
		p.sim.Tell(wire.EventPaid, o.PaymentNo, 1, o.State)
	}
	// Relative as it stands: the prefix this system is mounted under is stripped
	// before it gets here.
	w.Header().Set("Location", "../"+o.OrderNo)
	w.WriteHeader(http.StatusSeeOther)
}
