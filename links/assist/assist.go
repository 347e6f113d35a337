// Package assist connects to 行政协助平台. 征询其他部门：可请求事项、发起、补正材料上传；回调要求补正和答复。
package assist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"haoban/casework"
	"haoban/casework/consult"
	"haoban/links/assist/wire"
	"haoban/links/linkkit"
	kit "haoban/links/linkkit/wire"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
)

// Name is what people call the partner.
const Name = "行政协助平台"

// Client is the connector. It is safe for concurrent use; its errors are those
// of linkkit's Client.Do.
type Client struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Client { return &Client{c} }

var _ consult.Platform = (*Client)(nil)

// Depts lists who can be asked about a matter in a district.
func (c *Client) Depts(ctx context.Context, matter, district string) ([]consult.Dept, error) {
	var a wire.Items
	_, err := c.c.Do(ctx, linkkit.Call{API: "assist.items", Path: wire.PathItems, Query: url.Values{"item_code": {matter}, "district": {district}}}, &a)
	out := make([]consult.Dept, 0, len(a.Items))
	for _, i := range a.Items {
		out = append(out, consult.Dept{Code: i.Dept, Name: i.DeptName, Level: i.Level, Item: i.ID})
	}
	return out, err
}

// Start hands a request over, once per id.
func (c *Client) Start(ctx context.Context, r consult.Request) (string, error) {
	in := wire.Request{Mode: "SUBMIT", Approval: r.Approval, BizNo: r.ID, CaseNo: r.CaseNo, Project: r.Project, Matter: r.Matter,
		To: []wire.ToDept{{Dept: r.Dept.Code, Item: r.Dept.Item}}, Content: r.Content, Days: r.Days, MaterialIDs: []string{}, Files: files(r.Files)}
	for _, f := range in.Files {
		in.MaterialIDs = append(in.MaterialIDs, f.Material)
	}
	var s wire.Started
	_, err := c.c.Do(ctx, linkkit.Call{API: "assist.start", Path: wire.PathRequests, Key: r.ID, Biz: r.ID, In: in}, &s)
	return s.AssistNo, err
}

func files(fs []consult.File) []wire.File {
	out := []wire.File{}
	for _, f := range fs {
		out = append(out, wire.File{ID: f.ID, Material: f.ID, Name: f.Name, SM3: f.SM3, Size: f.Size})
	}
	return out
}

// Supplement hands the papers asked for over, once per supplement id.
func (c *Client) Supplement(ctx context.Context, assistNo, supplementID string, items []consult.Item, fs []consult.File) error {
	in := wire.Supplement{AssistNo: assistNo, SupplementID: supplementID, Operator: "建设单位"}
	for i, it := range items {
		x := wire.SupplementItem{Name: it.Name, Material: it.Mat, Files: []wire.File{}}
		if i < len(fs) {
			x.Files = files(fs[i : i+1])
		}
		in.Items = append(in.Items, x)
	}
	_, err := c.c.Do(ctx, linkkit.Call{API: "assist.supplement", Path: wire.PathSupplements, Key: supplementID, Biz: assistNo, In: in}, nil)
	return err
}

// Desk takes what the platform calls back with. Errors are answered to the
// platform; linkkit.ErrEarly keeps the event.
type Desk interface {
	// Wants: a department asks for papers, until a moment.
	Wants(ctx context.Context, tx *db.Tx, assistNo, biz, supplementID string, names []string, until time.Time) error
	// Reply: a department has answered.
	Reply(ctx context.Context, tx *db.Tx, assistNo, biz, opinion, text string) error
}

// Handlers are the callbacks of the platform, into room and service.
func Handlers(room *consult.Room, s *casework.Service) map[string]linkkit.Handler {
	return Receive(desk{room, s})
}

type desk struct {
	room *consult.Room
	s    *casework.Service
}

func (d desk) Wants(ctx context.Context, tx *db.Tx, assistNo, biz, supplementID string, names []string, until time.Time) error {
	return d.room.Wants(ctx, d.s, tx, assistNo, biz, supplementID, names, until)
}

func (d desk) Reply(ctx context.Context, tx *db.Tx, assistNo, biz, opinion, text string) error {
	return d.room.Reply(ctx, d.s, tx, assistNo, biz, opinion, text)
}

// Receive are the callbacks of the platform, to a desk.
func Receive(d Desk) map[string]linkkit.Handler {
	return map[string]linkkit.Handler{
		wire.EventSupplement: func(ctx context.Context, tx *db.Tx, e kit.Event) error {
			var w wire.Wants
			if err := json.Unmarshal(e.Payload, &w); err != nil {
				return bad(err)
			}
			day, err := time.ParseInLocation(time.DateOnly, w.Deadline, clock.Shanghai())
			if err != nil {
				return bad(err)
			}
			if w.AssistNo == "" || w.SupplementID == "" || len(w.Items) == 0 {
				return bad(errors.New("number, supplement or items are missing"))
			}
			return d.Wants(ctx, tx, w.AssistNo, e.BizNo, w.SupplementID, w.Items, day.AddDate(0, 0, 1).Add(-time.Millisecond))
		},
		wire.EventReplied: func(ctx context.Context, tx *db.Tx, e kit.Event) error {
			var r wire.Replied
			if err := json.Unmarshal(e.Payload, &r); err != nil {
				return bad(err)
			}
			if r.AssistNo == "" || r.Opinion == "" {
				return bad(errors.New("number or opinion is missing"))
			}
			return d.Reply(ctx, tx, r.AssistNo, e.BizNo, r.Opinion, r.Text)
		},
	}
}

func bad(err error) error {
	return errs.New(errs.Invalid, "assist.payload", "回调内容不合约定").Wrap(fmt.Errorf("assist: %w", err))
}
