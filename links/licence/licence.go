// Package licence connects to 市电子证照库. 发证后归集，作废时注销；同一证照只归集一次。
package licence

import (
	"context"

	"haoban/links/licence/wire"
	"haoban/links/linkkit"
)

// Name is what people call the partner.
const Name = "市电子证照库"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Issue files a licence, once per number.
func (c *Client) Issue(ctx context.Context, l wire.Licence, holder string) (string, error) {
	var err error
	if l.HolderEnc, err = c.c.Seal(holder); err != nil {
		return "", err
	}
	var f wire.Filed
	_, err = c.c.Do(ctx, linkkit.Call{API: "licence.issue", Path: wire.PathIssue, Key: l.No, Biz: l.No, In: l}, &f)
	return f.Identifier, err
}

// Revoke ends a licence, once per number.
func (c *Client) Revoke(ctx context.Context, no, reason string) error {
	_, err := c.c.Do(ctx, linkkit.Call{API: "licence.revoke", Path: wire.PathRevoke, Key: "revoke/" + no, Biz: no, In: wire.Revocation{No: no, Reason: reason}}, nil)
	return err
}
