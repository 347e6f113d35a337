// Package fee works out what a case costs, asks for it once and takes it once.
// The payment platform's callback, our own question after it and a second
// callback all end in the same one payment: what is paid stays paid, and the
// process is told exactly once.
package fee

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"haoban/casework"
	"haoban/casework/matter"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix fee_.
func Migrations() db.Line { return db.Line{Room: "fee", FS: migrations} }

// Paid is the message the process waits for.
const Paid = "paid"

// orderLife is how long one payment code is good for; a new one can be made
// after it.
const orderLife = 24 * time.Hour

// Item is one line of a fee, in 分.
type Item struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Amount int64  `json:"amount"`
}

// Fee is what one case costs.
type Fee struct {
	ID, Case string
	Amount   int64 // 分
	Items    []Item
	State    string // free, due, ordered, paid
	Order    string
	PayURL   string
	Expires  int64
	PaidAt   int64
	Channel  string
}

// Office is the payment platform. Package links/pay is the real one.
//
// Open and Ask may be called many times for one order. Both return an error of
// kind errs.Unavailable when the platform does not answer, and nobody may take
// that for "not paid".
type Office interface {
	// Open makes the order known and returns the address a payer's phone opens.
	Open(ctx context.Context, order string, amount int64, subject string, expires time.Time) (payURL string, err error)
	// Ask returns whether the order is paid, when and by which channel.
	Ask(ctx context.Context, order string) (Answer, error)
}

// Answer is what the platform says of an order.
type Answer struct {
	Paid    bool
	At      time.Time
	Channel string
	TradeNo string
	Amount  int64
}

// Room is the face of this package.
type Room struct {
	office  Office
	setting func(key string) string
}

// New returns the room. The setting "fee.<code>" is the standard of an item in
// 分 where the bureau has fixed one; "" keeps what the matter says, and a nil
// setting keeps it for all.
func New(office Office, setting func(key string) string) *Room {
	if setting == nil {
		setting = func(string) string { return "" }
	}
	return &Room{office: office, setting: setting}
}

// Verbs are what processes may call: fee.demand works the fee out and asks for
// it; its variable owed says whether the process has to wait for the message
// "paid".
func (r *Room) Verbs() map[string]casework.Verb {
	return map[string]casework.Verb{"fee.demand": {Do: r.demand}}
}

// Commands are the commands of this room.
func (r *Room) Commands() map[string]casework.Handler {
	return map[string]casework.Handler{
		"fee.order": {Audit: "fee.order", Prepare: r.prepareOrder, Apply: r.order},
	}
}

// Reckon works the fee out by the matter's rule (民法典第二百二十三条: by the
// piece, never by area or price), at the standards the bureau has set.
func (r *Room) Reckon(m *matter.Matter, env matter.Env) ([]Item, int64, error) {
	var items []Item
	var sum int64
	for _, f := range m.Fee.Items {
		amount := f.Amount
		if set := r.setting("fee." + f.Code); set != "" {
			amount = set
		}
		v, err := matter.Eval(amount, env)
		if err != nil {
			return nil, 0, err
		}
		var n int64
		switch x := v.(type) {
		case int:
			n = int64(x)
		case int64:
			n = x
		case float64:
			n = int64(x)
		default:
			return nil, 0, fmt.Errorf("fee %s: not an amount: %v", f.Code, v)
		}
		if n < 0 {
			return nil, 0, fmt.Errorf("fee %s: negative", f.Code)
		}
		if n > 0 {
			items = append(items, Item{Code: f.Code, Name: f.Name, Amount: n})
			sum += n
		}
	}
	return items, sum, nil
}

// Yuan writes an amount of 分 as people read it: 80.00 元.
func Yuan(fen int64) string { return fmt.Sprintf("%d.%02d 元", fen/100, fen%100) }

func (r *Room) demand(ctx context.Context, w *casework.Work, _ casework.Call) (map[string]any, error) {
	items, sum, err := r.Reckon(w.M, w.Env())
	if err != nil {
		return nil, err
	}
	state := "due"
	if sum == 0 {
		state = "free"
	}
	if _, err := w.Tx.Exec(ctx, `INSERT INTO fee_fee (id, case_id, amount, items, state, order_no, pay_url, expires_at, paid_at, channel, trade_no, demanded_at)
		VALUES ($1,$2,$3,$4,$5,$6,'',0,0,'','',$7) ON CONFLICT (case_id) DO NOTHING`,
		db.NewID(), w.ID, sum, js(items), state, sql.NullString{}, w.Tx.NowMS()); err != nil {
		return nil, fmt.Errorf("fee: %w", err)
	}
	if sum == 0 {
		w.Emit("fee_free", "不收费："+w.M.Fee.Text, "", map[string]any{"basis": w.M.Fee.Basis})
		return map[string]any{"owed": false}, nil
	}
	w.SetPhase(casework.Paying)
	w.Emit("fee_due", "请缴纳 "+Yuan(sum), "", map[string]any{"amount": sum, "basis": w.M.Fee.Basis})
	return map[string]any{"owed": true}, nil
}

// Of returns the fee of a case, false if none was asked for yet.
func Of(ctx context.Context, q db.Querier, caseID string) (Fee, bool, error) {
	return one(ctx, q, `case_id = $1`, caseID)
}

func one(ctx context.Context, q db.Querier, where string, arg any) (Fee, bool, error) {
	var f Fee
	var items string
	var order sql.NullString
	err := q.QueryRow(ctx, `SELECT id, case_id, amount, items, state, order_no, pay_url, expires_at, paid_at, channel FROM fee_fee WHERE `+where, arg).
		Scan(&f.ID, &f.Case, &f.Amount, &items, &f.State, &order, &f.PayURL, &f.Expires, &f.PaidAt, &f.Channel)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("fee: %w", err)
	}
	f.Order = order.String
	if err := json.Unmarshal([]byte(items), &f.Items); err != nil {
		return f, false, fmt.Errorf("fee: %w", err)
	}
	return f, true, nil
}

type opened struct {
	order, url string
	expires    time.Time
}

// prepareOrder asks the platform for a payment code. The number of the order is
// derived from the fee and how many orders it had, so asking twice makes one
// order.
func (r *Room) prepareOrder(ctx context.Context, s *casework.Service, a ident.Actor, c casework.Command) (any, error) {
	snap, err := s.See(ctx, s.DB().Q(), a, c.Case)
	if err != nil {
		return nil, err
	}
	f, ok, err := Of(ctx, s.DB().Q(), c.Case)
	if err != nil {
		return nil, err
	}
	if !ok || f.State == "free" {
		return nil, errs.New(errs.Conflict, "fee.none", "这件办件不用缴费")
	}
	if f.State == "paid" {
		return nil, errs.New(errs.Conflict, "fee.paid", "已经缴过费，不用再缴")
	}
	now := s.DB().Clock().Now()
	if f.State == "ordered" && f.Expires > db.MS(now) {
		return opened{order: f.Order, url: f.PayURL, expires: db.Time(f.Expires)}, nil
	}
	var n int
	if err := s.DB().Q().QueryRow(ctx, `SELECT count(*) FROM fee_order WHERE fee = $1`, f.ID).Scan(&n); err != nil {
		return nil, fmt.Errorf("fee: %w", err)
	}
	if f.Order != "" { // the code before it may have been paid in its last second
		ans, err := r.office.Ask(ctx, f.Order)
		if err != nil {
			return nil, err
		}
		if ans.Paid {
			if err := r.Take(ctx, s, f.Order, ans); err != nil {
				return nil, err
			}
			return nil, errs.New(errs.Conflict, "fee.paid", "已经缴过费，不用再缴")
		}
	}
	order := fmt.Sprintf("%s-%02d", f.ID, n+1)
	exp := now.Add(orderLife)
	url, err := r.office.Open(ctx, order, f.Amount, snap.M.Name, exp)
	if err != nil {
		return nil, err
	}
	return opened{order: order, url: url, expires: exp}, nil
}

func (r *Room) order(ctx context.Context, w *casework.Work, _ casework.Command, prepared any) (any, error) {
	o, ok := prepared.(opened)
	if !ok {
		return nil, errors.New("order without a code")
	}
	f, found, err := Of(ctx, w.Tx, w.ID)
	if err != nil {
		return nil, err
	}
	if !found || f.State == "paid" || f.State == "free" {
		return nil, errs.New(errs.Conflict, "fee.paid", "已经缴过费，不用再缴")
	}
	if _, err := w.Tx.Exec(ctx, `INSERT INTO fee_order (order_no, fee, at, state) VALUES ($1,$2,$3,'open') ON CONFLICT (order_no) DO NOTHING`,
		o.order, f.ID, w.Tx.NowMS()); err != nil {
		return nil, fmt.Errorf("fee: %w", err)
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE fee_fee SET state = 'ordered', order_no = $1, pay_url = $2, expires_at = $3 WHERE id = $4`,
		o.order, o.url, db.MS(o.expires), f.ID); err != nil {
		return nil, fmt.Errorf("fee: %w", err)
	}
	return map[string]string{"order": o.order}, nil
}

// Take records that an order is paid, in a transaction of its own. It may be
// called many times, by callbacks and by the sweep; the case is told once.
func (r *Room) Take(ctx context.Context, s *casework.Service, order string, a Answer) error {
	return s.DB().Group(ctx, func(tx *db.Tx) error { return r.TakeTx(ctx, s, tx, order, a) })
}

// TakeTx is Take inside the transaction of a callback's inbox. It returns an
// error of kind errs.NotFound for an order we do not know, and errs.Conflict if
// the sum differs from what was asked.
func (r *Room) TakeTx(ctx context.Context, s *casework.Service, tx *db.Tx, order string, a Answer) error {
	if !a.Paid {
		return nil
	}
	var feeID string
	err := tx.QueryRow(ctx, `SELECT fee FROM fee_order WHERE order_no = $1`, order).Scan(&feeID)
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.NotFound, "fee.order", "没有这个缴款订单")
	}
	if err != nil {
		return fmt.Errorf("fee: %w", err)
	}
	f, _, err := one(ctx, tx, `id = $1`, feeID)
	if err != nil {
		return err
	}
	if a.Amount != f.Amount {
		return errs.New(errs.Conflict, "fee.amount", "实缴金额和应缴金额不一致")
	}
	res, err := tx.Exec(ctx, `UPDATE fee_fee SET state = 'paid', paid_at = $1, channel = $2, trade_no = $3, order_no = $4 WHERE id = $5 AND state <> 'paid'`,
		db.MS(a.At), a.Channel, a.TradeNo, order, feeID)
	if err != nil {
		return fmt.Errorf("fee: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE fee_order SET state = 'paid' WHERE order_no = $1`, order); err != nil {
		return fmt.Errorf("fee: %w", err)
	}
	return s.SystemTx(ctx, tx, f.Case, func(ctx context.Context, w *casework.Work) error {
		w.SetPhase(casework.Handling)
		w.Emit("fee_paid", "已缴费 "+Yuan(f.Amount), "", map[string]any{"amount": f.Amount, "channel": a.Channel})
		return w.Tell(ctx, Paid, nil)
	})
}

// Sweep asks the platform about every open order, because callbacks get lost,
// and returns how many it found paid.
func (r *Room) Sweep(ctx context.Context, s *casework.Service) (int, error) {
	orders, err := openOrders(ctx, s.DB().Q())
	if err != nil {
		return 0, err
	}
	n := 0
	for _, o := range orders {
		a, err := r.office.Ask(ctx, o)
		if err != nil {
			return n, err
		}
		if !a.Paid {
			continue
		}
		if err := r.Take(ctx, s, o, a); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func openOrders(ctx context.Context, q db.Querier) (out []string, err error) {
	rows, err := q.Query(ctx, `SELECT order_no FROM fee_fee WHERE state = 'ordered' ORDER BY expires_at LIMIT 200`)
	if err != nil {
		return nil, fmt.Errorf("fee: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var o string
		if err := rows.Scan(&o); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain values of our own only
	}
	return string(b)
}
