// Package wire is what 短信网关（E-22）and this house say to each other. 模板短信；同一编号只发一次。
package wire

// System is the partner's short name.
const System = "sms"

// PathSend is the one call.
const PathSend = "/api/v1/sms"

// Message is one short message; the number is sealed.
type Message struct {
	BizNo     string `json:"biz_no"`
	MobileEnc string `json:"mobile_enc"`
	Sign      string `json:"sign"`
	Text      string `json:"text"`
}

// Sent is the gateway's receipt.
type Sent struct {
	MsgID string `json:"msg_id"`
}
