// Package invest connects to 投资项目在线审批监管平台. 项目代码核验和立项信息；审批结果回传。
package invest

import (
	"context"

	"haoban/links/invest/wire"
	"haoban/links/linkkit"
)

// Name is what people call the partner.
const Name = "投资项目在线审批监管平台"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Project returns a verified project, nil if the platform has none of that
// code.
func (c *Client) Project(ctx context.Context, code string) (*wire.Project, error) {
	var p wire.Project
	_, err := c.c.Do(ctx, linkkit.Call{API: "invest.project", Path: wire.PathProject, Biz: code, In: wire.Query{Code: code}}, &p)
	if r, ok := linkkit.Refused(err); ok && r.Code == wire.CodeUnknown {
		return nil, nil
	}
	return &p, err
}

// Tell hands a result back; once per case and state.
func (c *Client) Tell(ctx context.Context, r wire.Result) error {
	_, err := c.c.Do(ctx, linkkit.Call{API: "invest.result", Path: wire.PathResult, Key: r.CaseNo + "/" + r.State, Biz: r.CaseNo, In: r}, nil)
	return err
}
