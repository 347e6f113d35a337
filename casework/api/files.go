package api

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"haoban/casework"
	"haoban/casework/material"
	"haoban/platform/audit"
	"haoban/platform/blob"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/web"
)

func blobHash(s string) blob.Hash { return blob.Hash(s) }

// UploadView is how far an upload is.
type UploadView struct {
	ID        string `json:"id"`
	Offset    int64  `json:"offset"`
	Size      int64  `json:"size"`
	ChunkSize int64  `json:"chunkSize"`
}

const chunkSize = 1 << 20

type fileIn struct {
	CaseIn
	MID string `path:"mid" maxLength:"64"`
	V   int    `query:"v"`
}

type pieceIn struct {
	ID      string `path:"id" maxLength:"64"`
	Offset  int64  `query:"offset" minimum:"0"`
	SM3     string `header:"X-Chunk-SM3"`
	RawBody []byte
}

// files registers uploads and downloads. An upload remembers the case and node
// it is for in its owner, so that nobody can go on with another's.
func (r *Routes) files(s *web.Server) {
	web.Register(s, web.Public, op("beginUpload", post, "/public/uploads", "开始上传"), func(ctx context.Context, in *struct {
		Body struct {
			CaseID string `json:"caseId" maxLength:"64"`
			Node   string `json:"node" maxLength:"160"`
			Name   string `json:"name" maxLength:"200"`
			Size   int64  `json:"size" minimum:"1"`
			Mime   string `json:"mime,omitempty" maxLength:"120"`
			SM3    string `json:"sm3,omitempty" maxLength:"64"`
		}
	}) (*Out[UploadView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		b := in.Body
		var v UploadView
		err = r.Service.With(ctx, a, b.CaseID, func(ctx context.Context, w *casework.Work) error {
			if _, _, err := material.MayWrite(ctx, w, b.Node); err != nil {
				return err
			}
			if def, ok := w.M.MaterialAt(b.Node); ok && def.MaxMB > 0 && b.Size > int64(def.MaxMB)<<20 {
				return errs.New(errs.TooLarge, "upload.size", fmt.Sprintf("这项材料最大 %d MB", def.MaxMB)).With("size", "max", "请压缩后再传")
			}
			u, err := r.Uploads.Begin(ctx, w.Tx, blob.New{Owner: owner(a, b.CaseID, b.Node, b.Name), Name: b.Name, MIME: b.Mime, Size: b.Size, SM3: blob.Hash(b.SM3)})
			v = UploadView{ID: u.ID, Offset: 0, Size: b.Size, ChunkSize: chunkSize}
			return err
		})
		return out(v, err)
	})
	web.Register(s, web.Public, op("getUpload", get, "/public/uploads/{id}", "上传进度"), func(ctx context.Context, in *OneIn) (*Out[UploadView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		u, _, err := r.upload(ctx, a, in.ID)
		return out(UploadView{ID: u.ID, Offset: u.Received, Size: u.Size, ChunkSize: chunkSize}, err)
	})
	piece := op("putUpload", put, "/public/uploads/{id}", "上传一段")
	piece.MaxBodyBytes = 9 << 20
	web.Register(s, web.Public, piece, func(ctx context.Context, in *pieceIn) (*Out[UploadView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		u, _, err := r.upload(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		next, err := r.Uploads.Append(ctx, in.ID, in.Offset, in.RawBody, blob.Hash(strings.ToLower(in.SM3)))
		return out(UploadView{ID: u.ID, Offset: next, Size: u.Size, ChunkSize: chunkSize}, err)
	})
	web.Register(s, web.Public, op("finishUpload", post, "/public/uploads/{id}/finish", "上传完成"), func(ctx context.Context, in *OneIn) (*Out[CaseView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.finish(ctx, a, in.ID))
	})
	for _, aud := range []web.Audience{web.Public, web.Staff} {
		web.Register(s, aud, op("file_"+string(aud), get, "/cases/{id}/materials/{mid}/file", "看材料"), func(ctx context.Context, in *fileIn) (*huma.StreamResponse, error) {
			return r.file(ctx, s, actor(ctx), in)
		})
		web.Register(s, aud, op("archive_"+string(aud), get, "/cases/{id}/archive.zip", "打包下载"), func(ctx context.Context, in *CaseIn) (*huma.StreamResponse, error) {
			return r.archive(ctx, s, actor(ctx), in.ID)
		})
	}
	web.Register(s, web.Public, op("resultFile", get, "/public/results/{id}/file", "证照原件"), func(ctx context.Context, in *OneIn) (*huma.StreamResponse, error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		q := r.Service.DB().Q()
		x, err := r.Results.Held(ctx, q, a, in.ID)
		if err != nil {
			return nil, err
		}
		ms, err := material.Of(ctx, q, x.Case)
		if err != nil {
			return nil, err
		}
		for _, m := range ms {
			if m.ID != x.Material {
				continue
			}
			if v, ok := m.Latest(); ok {
				return r.send(ctx, s, v)
			}
		}
		return nil, errs.New(errs.NotFound, "result.file", "原件还没有制作好，请稍后再看")
	})
	web.Register(s, web.Staff, op("recordingChunk", get, "/recordings/{id}/chunks/{n}", "一段意愿录像"), func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
		N  int    `path:"n"`
	}) (*huma.StreamResponse, error) {
		a, err := official(ctx)
		if err != nil {
			return nil, err
		}
		rec, err := r.Parties.SeeRecording(ctx, r.Service, r.Service.DB().Q(), a, in.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range rec.Chunks {
			if c.N == in.N {
				f, _, err := r.Blobs.Open(ctx, blob.Hash(c.SM3))
				if err != nil {
					return nil, err
				}
				return s.Send(web.File{Name: fmt.Sprintf("%d.webm", c.N), Mime: "video/webm", Inline: true, Content: f, ETag: c.SM3}), nil
			}
		}
		return nil, errs.New(errs.NotFound, "recording.chunk", "没有这一段")
	})
}

// owner binds an upload to who, which case, which node and under which name.
func owner(a ident.Actor, caseID, node, name string) string {
	b, err := json.Marshal([]string{a.ID, caseID, node, name})
	if err != nil {
		return ""
	}
	return string(b)
}

func (r *Routes) upload(ctx context.Context, a ident.Actor, id string) (blob.Upload, []string, error) {
	// Not there and not yours answer alike.
	none := errs.New(errs.NotFound, "upload.unknown", "没有这次上传，请重新选择文件")
	u, err := r.Uploads.Get(ctx, id)
	if errs.KindOf(err) == errs.NotFound {
		return u, nil, none
	}
	if err != nil {
		return u, nil, err
	}
	var parts []string
	if json.Unmarshal([]byte(u.Owner), &parts) != nil || len(parts) != 4 || parts[0] != a.ID {
		return blob.Upload{}, nil, none
	}
	return u, parts, nil
}

// finish puts the file together and hangs it into the case.
func (r *Routes) finish(ctx context.Context, a ident.Actor, id string) (CaseView, error) {
	_, parts, err := r.upload(ctx, a, id)
	if err != nil {
		return CaseView{}, err
	}
	h, err := r.Uploads.Finish(ctx, id)
	if err != nil {
		return CaseView{}, err
	}
	u, err := r.Uploads.Get(ctx, id)
	if err != nil {
		return CaseView{}, err
	}
	caseID, node, name := parts[1], parts[2], parts[3]
	size := u.Size
	if size == 0 {
		size = u.Received
	}
	if _, err := r.do(ctx, a, "material.attach", caseID, 0, material.AttachInput{Node: node, File: name, Mime: u.MIME, SM3: string(h), Size: size}); err != nil {
		return CaseView{}, err
	}
	return r.view(ctx, a, caseID)
}

func (r *Routes) send(ctx context.Context, s *web.Server, v material.Version) (*huma.StreamResponse, error) {
	f, _, err := r.Blobs.Open(ctx, blob.Hash(v.SM3))
	if err != nil {
		return nil, err
	}
	return s.Send(web.File{Name: v.Name, Mime: v.Mime, Inline: true, Content: f, ETag: v.SM3}), nil
}

func (r *Routes) file(ctx context.Context, s *web.Server, a ident.Actor, in *fileIn) (*huma.StreamResponse, error) {
	m, err := material.See(ctx, r.Service, r.Service.DB().Q(), a, in.ID, in.MID)
	if err != nil {
		return nil, err
	}
	v, ok := m.Latest()
	for _, x := range m.Versions {
		if in.V != 0 && x.N == in.V {
			v = x
		}
	}
	if !ok {
		return nil, errs.New(errs.NotFound, "material.not_found", "没有这份材料，或者您无权查看")
	}
	if err := r.note(ctx, a, "material.read", in.ID, m.Node); err != nil {
		return nil, err
	}
	return r.send(ctx, s, v)
}

func (r *Routes) note(ctx context.Context, a ident.Actor, kind, caseID, subject string) error {
	return r.Service.DB().Group(ctx, func(tx *db.Tx) error {
		return audit.Write(ctx, tx, audit.Event{Type: kind, Actor: a.ID, ActorKind: a.Kind, Case: caseID, Subject: subject, Outcome: "ok", IP: a.IP})
	})
}

// archive packs every paper of a case the asker may read, with a list of what is
// in it (P1.4).
func (r *Routes) archive(ctx context.Context, s *web.Server, a ident.Actor, id string) (*huma.StreamResponse, error) {
	q := r.Service.DB().Q()
	snap, err := r.Service.See(ctx, q, a, id)
	if err != nil {
		return nil, err
	}
	ms, err := material.Of(ctx, q, id)
	if err != nil {
		return nil, err
	}
	if err := r.note(ctx, a, "archive.read", id, snap.Matter); err != nil {
		return nil, err
	}
	name := snap.No
	if name == "" {
		name = snap.ID
	}
	return s.Send(web.File{Name: name + ".zip", Mime: "application/zip", Write: func(w io.Writer) error {
		z := zip.NewWriter(w)
		var list strings.Builder
		list.WriteString("\ufeff目录,名称,来源,大小,SM3\r\n")
		for _, m := range ms {
			v, ok := m.Latest()
			if !ok || !material.MayRead(a, m) {
				continue
			}
			path := clean(m.Group) + "/" + clean(m.Name) + "_" + clean(v.Name)
			f, err := z.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Deflate, Modified: db.Time(v.At).In(shanghai)})
			if err != nil {
				return err
			}
			b, _, err := r.Blobs.Open(ctx, blob.Hash(v.SM3))
			if err != nil {
				return err
			}
			if _, err := io.Copy(f, b); err != nil {
				return err
			}
			if err := b.Close(); err != nil {
				return err
			}
			fmt.Fprintf(&list, "%s,%s,%s,%d,%s\r\n", clean(m.Group), clean(m.Name), m.Origin, v.Size, v.SM3)
		}
		f, err := z.Create("目录.csv")
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, list.String()); err != nil {
			return err
		}
		return z.Close()
	}}), nil
}

// clean makes a text safe as one element of a path in an archive.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		switch c {
		case '/', '\\', ':', '*', '?', '"', '<', '>', '|', ',', '\n', '\r', 0:
			return '_'
		}
		return c
	}, s)
	if s == "" || s == "." || s == ".." {
		return "_"
	}
	return s
}

// events registers the live streams: what happened to the cases the asker may
// see, and at the desk the counts of the inbox.
func (r *Routes) events(s *web.Server) {
	web.RegisterStream(s, web.Public, op("events", get, "/public/events", "变化通知"), func(ctx context.Context, _ *struct{}, st *web.Stream) error {
		a, err := person(ctx)
		if err != nil {
			return err
		}
		return r.follow(ctx, a, st, nil)
	})
	web.RegisterStream(s, web.Staff, op("staffEvents", get, "/staff/events", "变化通知"), func(ctx context.Context, _ *struct{}, st *web.Stream) error {
		a, err := official(ctx)
		if err != nil {
			return err
		}
		last := casework.Counts{All: -1}
		return r.follow(ctx, a, st, func() error {
			c, err := r.Service.InboxCounts(ctx, a)
			if err != nil || c == last {
				return err
			}
			last = c
			return st.Send(web.Event{Name: "task", Data: c})
		})
	})
}

// follow sends a "case" event for every change, at most one round a second.
func (r *Routes) follow(ctx context.Context, a ident.Actor, st *web.Stream, after func() error) error {
	feed := r.Service.Follow(a)
	for {
		if after != nil {
			if err := after(); err != nil {
				return err
			}
		}
		ids, err := feed.Next(ctx, 2*time.Second)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := st.Send(web.Event{Name: "case", Data: map[string]string{"id": id}}); err != nil {
				return err
			}
		}
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}
