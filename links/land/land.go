// Package land connects to 大土地子系统. 项目用地：地块、面积、用途。
package land

import (
	"context"

	"haoban/links/land/wire"
	"haoban/links/linkkit"
)

// Name is what people call the partner.
const Name = "大土地子系统"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Parcel returns the land of a project, nil if there is none.
func (c *Client) Parcel(ctx context.Context, code string) (*wire.Parcel, error) {
	var p wire.Parcel
	_, err := c.c.Do(ctx, linkkit.Call{API: "land.parcel", Path: wire.PathParcel, Biz: code, In: wire.Query{Code: code}}, &p)
	if r, ok := linkkit.Refused(err); ok && r.Code == wire.CodeUnknown {
		return nil, nil
	}
	return &p, err
}
