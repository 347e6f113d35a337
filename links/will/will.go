// Package will connects to 人脸与双录服务. 人脸比对；没有应答不当作不通过。
package will

import (
	"context"

	"haoban/links/linkkit"
	"haoban/links/will/wire"
	"haoban/platform/gm"
)

// Name is what people call the partner.
const Name = "人脸与双录服务"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// Face compares a picture with the person on record.
func (c *Client) Face(ctx context.Context, name, id string, jpeg []byte) (wire.Verdict, error) {
	var v wire.Verdict
	f := wire.Face{SM3: gm.SM3(jpeg), Image: jpeg}
	var err error
	if f.NameEnc, err = c.c.Seal(name); err != nil {
		return v, err
	}
	if f.IDEnc, err = c.c.Seal(id); err != nil {
		return v, err
	}
	_, err = c.c.Do(ctx, linkkit.Call{API: "will.face", Path: wire.PathFace, In: f}, &v)
	return v, err
}
