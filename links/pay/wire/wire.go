// Package wire is what the city's payment platform 公共支付平台 (E-26) and this
// house say to each other.
package wire

// System is the partner's short name.
const System = "pay"

// Paths of the contract.
const (
	PathOrders = "/api/v1/pay/orders" // POST makes, GET ?payment_no= tells
	PathClose  = "/api/v1/pay/orders/close"
	PathBills  = "/api/v1/pay/bills" // ?date=2006-01-02
)

// Refusals of the platform.
const (
	CodeUnknown = "3301" // no order for this payment number
	CodeDiffers = "3302" // the payment number came with another amount
	CodePaid    = "3303" // paid already: cannot be closed
)

// The events the platform tells; their business number is the payment number.
const (
	EventPaid   = "pay.paid"
	EventClosed = "pay.closed" // expired or closed, nothing was paid
)

// The states of an order.
const (
	Unpaid = "UNPAID"
	Paid   = "PAID"
	Closed = "CLOSED"
)

// Order asks for money. Amount is in 分.
type Order struct {
	PaymentNo string `json:"payment_no"` // 缴款书编码 or our own number; one order each
	Amount    int64  `json:"amount"`
	Subject   string `json:"subject"`
	Items     []Item `json:"items"`
	Payer     Payer  `json:"payer"`
	Minutes   int    `json:"expire_minutes"`
	ReturnURL string `json:"return_url,omitempty"` // where the payer's browser goes afterwards
}

// Item is one charge of an order.
type Item struct {
	ChargeCode string `json:"charge_code"`
	Name       string `json:"name"`
	Amount     int64  `json:"amount"` // 分, for all of Qty
	Qty        int    `json:"qty"`
}

// Payer is who pays; both are sealed.
type Payer struct {
	NameEnc string `json:"name_enc"`
	IDEnc   string `json:"id_enc"`
}

// Ordered is the answer to an order.
type Ordered struct {
	OrderNo  string `json:"order_no"`
	PayURL   string `json:"pay_url"`
	QR       string `json:"qr"` // text of the code that 随申办 scans
	ExpireAt string `json:"expire_at"`
}

// State is how an order stands; it is also the payload of both events, and a
// line of the bills.
type State struct {
	OrderNo   string `json:"order_no"`
	PaymentNo string `json:"payment_no"`
	Status    string `json:"status"`
	Amount    int64  `json:"amount"`
	PaidAt    string `json:"paid_at,omitempty"` // RFC 3339
	Channel   string `json:"channel,omitempty"` // WECHAT ALIPAY UNIONPAY ECNY
}

// Close takes an unpaid order back.
type Close struct {
	PaymentNo string `json:"payment_no"`
	Reason    string `json:"reason"`
}

// Bills is what was paid on a day.
type Bills struct {
	Date  string  `json:"date"`
	Count int     `json:"count"`
	Total int64   `json:"total"`
	Items []State `json:"items"`
}
