// Package sms connects to 短信网关. 模板短信；同一编号只发一次。
package sms

import (
	"context"

	"haoban/links/linkkit"
	"haoban/links/sms/wire"
)

// Name is what people call the partner.
const Name = "短信网关"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Sign is put before every text.
const Sign = "自然资源登记"

// Send sends a message, once per id.
func (c *Client) Send(ctx context.Context, id, mobile, text string) (string, error) {
	m := wire.Message{BizNo: id, Sign: Sign, Text: text}
	var err error
	if m.MobileEnc, err = c.c.Seal(mobile); err != nil {
		return "", err
	}
	var s wire.Sent
	_, err = c.c.Do(ctx, linkkit.Call{API: "sms.send", Path: wire.PathSend, Key: id, Biz: id, In: m}, &s)
	return s.MsgID, err
}
