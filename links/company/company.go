// Package company connects to 企业登记信息库. 企业名称、法定代表人、状态、名称变更史。
package company

import (
	"context"

	"haoban/links/company/wire"
	"haoban/links/linkkit"
)

// Name is what people call the partner.
const Name = "企业登记信息库"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Company is a company as the register knows it.
type Company struct {
	wire.Answer
	LegalRep string
}

// Get returns a company, nil if the register has none of that code.
func (c *Client) Get(ctx context.Context, uscc string) (*Company, error) {
	var a Company
	_, err := c.c.Do(ctx, linkkit.Call{API: "company.get", Path: wire.PathCompany, Biz: uscc, In: wire.Query{USCC: uscc}}, &a.Answer)
	if r, ok := linkkit.Refused(err); ok && r.Code == wire.CodeUnknown {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.LegalRep, err = c.c.Open(a.LegalRepEnc)
	return &a, err
}
