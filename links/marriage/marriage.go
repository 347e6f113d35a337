// Package marriage connects to 全国婚姻库. 双方婚姻状态核验。没有记录不等于未婚，对方没有应答更不是。
package marriage

import (
	"context"

	"haoban/links/linkkit"
	"haoban/links/marriage/wire"
)

// Name is what people call the partner.
const Name = "全国婚姻库"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Between asks whether two persons are married to each other. NONE means that
// the register has no record, not that they are unmarried.
func (c *Client) Between(ctx context.Context, nameA, idA, nameB, idB string) (wire.Answer, error) {
	var q wire.Query
	var a wire.Answer
	for _, f := range []struct {
		plain string
		into  *string
	}{{nameA, &q.NameAEnc}, {idA, &q.IDAEnc}, {nameB, &q.NameBEnc}, {idB, &q.IDBEnc}} {
		s, err := c.c.Seal(f.plain)
		if err != nil {
			return a, err
		}
		*f.into = s
	}
	_, err := c.c.Do(ctx, linkkit.Call{API: "marriage.verify", Path: wire.PathMarriage, In: q}, &a)
	return a, err
}
