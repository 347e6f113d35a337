// Package housing connects to 房管局网签与预售系统. 预售合同、贷款合同、预售许可范围；登记结果回写合同状态。
package housing

import (
	"context"
	"fmt"
	"strings"

	"haoban/links/housing/wire"
	"haoban/links/linkkit"
)

// Name is what people call the partner.
const Name = "房管局网签与预售系统"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Buyer is one buyer in clear.
type Buyer struct{ Name, ID, Mobile, Share string }

// Contract is a presale contract in clear.
type Contract struct {
	wire.Contract
	Address string
	People  []Buyer
}

// Contract returns a presale contract, nil if there is none of that number.
func (c *Client) Contract(ctx context.Context, no string) (*Contract, error) {
	var k Contract
	_, err := c.c.Do(ctx, linkkit.Call{API: "housing.contract", Path: wire.PathContract, Biz: no, In: wire.Query{No: no}}, &k.Contract)
	if r, ok := linkkit.Refused(err); ok && r.Code == wire.CodeUnknown {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if k.Address, err = c.c.Open(k.AddressEnc); err != nil {
		return nil, err
	}
	for _, b := range k.Buyers {
		var p Buyer
		p.Share = strings.TrimSpace(b.Share)
		for _, f := range []struct {
			enc  string
			into *string
		}{{b.NameEnc, &p.Name}, {b.IDEnc, &p.ID}, {b.MobileEnc, &p.Mobile}} {
			if *f.into, err = c.c.Open(f.enc); err != nil {
				return nil, err
			}
		}
		k.People = append(k.People, p)
	}
	return &k, nil
}

// Loan returns a loan contract, nil if there is none of that number.
func (c *Client) Loan(ctx context.Context, no string) (*wire.Loan, error) {
	var l wire.Loan
	_, err := c.c.Do(ctx, linkkit.Call{API: "housing.loan", Path: wire.PathLoan, Biz: no, In: wire.Query{No: no}}, &l)
	if r, ok := linkkit.Refused(err); ok && r.Code == wire.CodeUnknown {
		return nil, nil
	}
	return &l, err
}

// Covers tells whether a developer's 大产证 or 预售许可 covers a unit.
func (c *Client) Covers(ctx context.Context, uscc, unit string) (bool, error) {
	var a wire.Covered
	_, err := c.c.Do(ctx, linkkit.Call{API: "housing.covers", Path: wire.PathPermit, Biz: unit, In: wire.PermitQuery{USCC: uscc, Unit: unit}}, &a)
	return a.Covered, err
}

// Tell writes a registered notice back, once per case.
func (c *Client) Tell(ctx context.Context, r wire.Registered) error {
	_, err := c.c.Do(ctx, linkkit.Call{API: "housing.registered", Path: wire.PathRegistered, Key: r.CaseNo, Biz: r.CaseNo, In: r}, nil)
	return err
}

// Area writes hundredths of a square metre as people read them.
func Area(n int64) string { return fmt.Sprintf("%d.%02d ㎡", n/100, n%100) }
