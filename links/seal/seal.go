// Package seal connects to CA 我的签章. 查询签章状态；对摘要签章。
package seal

import (
	"context"

	"haoban/links/linkkit"
	"haoban/links/seal/wire"
	"haoban/platform/gm"
)

// Name is what people call the partner.
const Name = "CA 我的签章"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

// State returns the state of a subject's seal.
func (c *Client) State(ctx context.Context, subject string) (wire.Seal, error) {
	var s wire.Seal
	enc, err := c.c.Seal(subject)
	if err != nil {
		return s, err
	}
	_, err = c.c.Do(ctx, linkkit.Call{API: "seal.state", Path: wire.PathSeals, In: wire.Query{SubjectEnc: enc}}, &s)
	return s, err
}

// Sign seals a digest for a subject, once for the two of them, and returns the
// CA's number of it. It returns a linkkit.Refusal with wire.CodeNoSeal for who
// has no seal.
func (c *Client) Sign(ctx context.Context, subject, digest string) (string, error) {
	enc, err := c.c.Seal(subject)
	if err != nil {
		return "", err
	}
	var d wire.Done
	_, err = c.c.Do(ctx, linkkit.Call{API: "seal.sign", Path: wire.PathSign, Key: gm.SM3([]byte(enc + "\n" + digest)), Biz: digest, In: wire.Task{SubjectEnc: enc, Digest: digest}}, &d)
	return d.TaskID, err
}
