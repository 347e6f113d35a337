// Package bigreg connects to 大登记子系统. 不动产单元的簿面事实和版本；每条登簿告知一次。
package bigreg

import (
	"context"
	"fmt"
	"time"

	"haoban/bureau/registry"
	"haoban/links/bigreg/wire"
	"haoban/links/linkkit"
)

// Name is what people call the partner.
const Name = "大登记子系统"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

var _ registry.BigRegister = (*Client)(nil)

// Facts returns the facts of a unit, nil if there is none of that code.
func (c *Client) Facts(ctx context.Context, unit string) (*registry.Unit, error) {
	var f wire.Facts
	_, err := c.c.Do(ctx, linkkit.Call{API: "bigreg.facts", Path: wire.PathFacts, Biz: unit, In: wire.Query{Unit: unit}}, &f)
	if r, ok := linkkit.Refused(err); ok && r.Code == wire.CodeUnknown {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.unit(f)
}

// List returns units from place from on, for the first filling of the book.
func (c *Client) List(ctx context.Context, from, limit int) ([]registry.Unit, error) {
	var fs []wire.Facts
	if _, err := c.c.Do(ctx, linkkit.Call{API: "bigreg.list", Path: wire.PathList, In: wire.ListQuery{From: from, Limit: limit}}, &fs); err != nil {
		return nil, err
	}
	out := make([]registry.Unit, 0, len(fs))
	for _, f := range fs {
		u, err := c.unit(f)
		if err != nil {
			return nil, err
		}
		out = append(out, *u)
	}
	return out, nil
}

func (c *Client) unit(f wire.Facts) (*registry.Unit, error) {
	u := registry.Unit{Code: f.Unit, District: f.District, Area: f.AreaCM, Use: f.Use, Residential: f.Residential, Building: f.Building, Outside: f.Version}
	var err error
	if u.Address, err = c.c.Open(f.AddressEnc); err != nil {
		return nil, err
	}
	for _, r := range f.Rights {
		x := registry.Right{Kind: r.Kind, No: r.No, Common: r.Common, Amount: r.Amount, Note: r.Note}
		for _, h := range r.Holders {
			name, err := c.c.Open(h.NameEnc)
			if err != nil {
				return nil, err
			}
			id, err := c.c.Open(h.IDEnc)
			if err != nil {
				return nil, err
			}
			x.Holders = append(x.Holders, registry.Holder{Name: name, ID: id, Share: h.Share})
		}
		u.Rights = append(u.Rights, x)
	}
	return &u, nil
}

// Told tells an entry, once in effect, and returns the version after it.
func (c *Client) Told(ctx context.Context, e registry.EntryTold) (int64, error) {
	var a wire.Ack
	_, err := c.c.Do(ctx, linkkit.Call{API: "bigreg.entry", Path: wire.PathEntry, Key: fmt.Sprint(e.No), Biz: e.Case,
		In: wire.Entry{No: e.No, Unit: e.Unit, Case: e.Case, Kind: e.Kind, At: e.At.Format(time.RFC3339), Digest: e.Digest}}, &a)
	return a.Version, err
}
