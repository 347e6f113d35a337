package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"haoban/casework"
	"haoban/casework/form"
	"haoban/casework/material"
	"haoban/casework/party"
	"haoban/platform/db"
	"haoban/platform/doc"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/web"
)

// ConsentView is what one party is asked to agree to.
type ConsentView struct {
	ID          string         `json:"id"`
	CaseID      string         `json:"caseId"`
	Title       string         `json:"title"`
	Role        string         `json:"role"`
	State       string         `json:"state"`
	ExpiresAt   string         `json:"expiresAt"`
	Digest      string         `json:"digest"`
	Papers      []PaperView    `json:"papers"`
	Summary     []Line         `json:"summary"`
	Questions   []party.Answer `json:"questions"`
	Needs       []NeedView     `json:"needs"`
	PrivacyText string         `json:"privacyText"`
}

// PaperView is one paper to read before agreeing.
type PaperView struct {
	MaterialID string `json:"materialId"`
	Name       string `json:"name"`
	FileURL    string `json:"fileUrl"`
}

// Line is a label with its value.
type Line struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

const privacyText = "为确认是您本人真实的意思，需要核对您的人脸、录制回答问题的视频并留存签名。这些信息只用于本次登记的审核和存档，不作他用。"

// OneIn names one thing in the path.
type OneIn struct {
	ID string `path:"id" maxLength:"64"`
}

type faceIn struct {
	OneIn
	Body struct {
		Image string `json:"image" maxLength:"4000000" doc:"JPEG，base64"`
	}
}

type signIn struct {
	OneIn
	Body struct {
		Image   string `json:"image,omitempty" maxLength:"2000000"`
		Strokes int    `json:"strokes"`
		Method  string `json:"method" enum:"draw,type,ca,seal"`
	}
}

type confirmIn struct {
	OneIn
	Body struct {
		Digest string `json:"digest" maxLength:"64"`
		Agree  bool   `json:"agree"`
		Reason string `json:"reason,omitempty" maxLength:"300"`
	}
}

type beginIn struct {
	OneIn
	Body struct {
		Mime string `json:"mime,omitempty" maxLength:"100"`
	}
}

type chunkIn struct {
	ID      string `path:"id" maxLength:"64"`
	N       int    `path:"n" minimum:"0" maximum:"2000"`
	SM3     string `header:"X-Chunk-SM3"`
	RawBody []byte
}

type finishIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Answers []struct {
			Q    string `json:"q"`
			A    string `json:"a"`
			AtMS int64  `json:"atMs"`
		} `json:"answers"`
		DurationMS int64  `json:"durationMs"`
		Mime       string `json:"mime,omitempty"`
	}
}

type linkIn struct {
	CaseIn
	PID string `path:"pid" maxLength:"64"`
}

// LinkView is a link to hand over.
type LinkView struct {
	URL       string `json:"url"`
	QR        string `json:"qr"`
	ExpiresAt string `json:"expiresAt"`
}

func (r *Routes) consents(s *web.Server) {
	web.Register(s, web.Public, op("getConsent", get, "/public/consents/{id}", "要我确认的内容"), func(ctx context.Context, in *OneIn) (*Out[ConsentView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.consent(ctx, a, in.ID))
	})
	web.Register(s, web.Public, op("checkFace", post, "/public/consents/{id}/face", "人脸核验"), func(ctx context.Context, in *faceIn) (*Out[map[string]any], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.face(ctx, a, in))
	})
	web.Register(s, web.Public, op("sign", post, "/public/consents/{id}/signature", "签名"), func(ctx context.Context, in *signIn) (*Out[ConsentView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.sign(ctx, a, in))
	})
	web.Register(s, web.Public, op("confirm", post, "/public/consents/{id}/confirm", "同意或不同意"), func(ctx context.Context, in *confirmIn) (*Out[map[string]any], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		p, err := r.Parties.Get(ctx, r.Service.DB().Q(), a, in.ID)
		if err != nil {
			return nil, err
		}
		_, err = r.do(ctx, a, "consent.confirm", p.Roles[0].Case, 0, party.ConfirmInput{Party: in.ID, Digest: in.Body.Digest, Agree: in.Body.Agree, Reason: in.Body.Reason})
		return out(map[string]any{"ok": err == nil}, err)
	})
	r.recordingRoutes(s)
	web.Register(s, web.Public, op("partyLink", post, "/public/cases/{id}/parties/{pid}/link", "给对方的链接"), func(ctx context.Context, in *linkIn) (*Out[LinkView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		rep, err := r.do(ctx, a, "party.link", in.ID, 0, map[string]string{"party": in.PID})
		if err != nil {
			return nil, err
		}
		var l party.LinkOutput
		if err := json.Unmarshal(rep.Data, &l); err != nil {
			return nil, err
		}
		url := r.Site + "/c/" + l.Token
		png, err := doc.QR(url, 240)
		if err != nil {
			return nil, err
		}
		return out(LinkView{URL: url, QR: dataURL("image/png", png), ExpiresAt: stamp(l.Expires)}, nil)
	})
	web.Register(s, web.Public, op("partyRemind", post, "/public/cases/{id}/parties/{pid}/remind", "提醒对方"), func(ctx context.Context, in *linkIn) (*Out[CaseView], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := r.do(ctx, a, "party.remind", in.ID, 0, map[string]string{"party": in.PID}); err != nil {
			return nil, err
		}
		return out(r.view(ctx, a, in.ID))
	})
	web.Register(s, web.Public, op("resolveLink", get, "/public/links/{token}", "打开确认链接"), func(ctx context.Context, in *struct {
		Token string `path:"token" maxLength:"64"`
	}) (*Out[map[string]string], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		p, err := r.Parties.Resolve(ctx, r.Service.DB().Q(), a, in.Token, db.MS(r.Service.DB().Clock().Now()))
		if err != nil {
			return nil, err
		}
		return out(map[string]string{"consentId": p.ID}, nil)
	})
}

func (r *Routes) recordingRoutes(s *web.Server) {
	web.Register(s, web.Public, op("beginRecording", post, "/public/consents/{id}/recording", "开始意愿录像"), func(ctx context.Context, in *beginIn) (*Out[map[string]string], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		p, err := r.Parties.Get(ctx, r.Service.DB().Q(), a, in.ID)
		if err != nil {
			return nil, err
		}
		rep, err := r.do(ctx, a, "consent.begin", p.Roles[0].Case, 0, party.BeginInput{Party: in.ID, Mime: in.Body.Mime})
		if err != nil {
			return nil, err
		}
		var v map[string]string
		err = json.Unmarshal(rep.Data, &v)
		return out(v, err)
	})
	web.Register(s, web.Public, op("putChunk", put, "/public/recordings/{id}/chunks/{n}", "上传一段录像"), func(ctx context.Context, in *chunkIn) (*Out[map[string]int], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		return out(r.putChunk(ctx, a, in))
	})
	web.Register(s, web.Public, op("finishRecording", post, "/public/recordings/{id}/finish", "结束录像"), func(ctx context.Context, in *finishIn) (*Out[map[string]any], error) {
		a, err := person(ctx)
		if err != nil {
			return nil, err
		}
		caseID, err := r.Parties.RecordingCase(ctx, r.Service.DB().Q(), a, in.ID)
		if err != nil {
			return nil, err
		}
		f := party.FinishInput{Recording: in.ID, DurationMS: in.Body.DurationMS}
		for _, x := range in.Body.Answers {
			f.Answers = append(f.Answers, party.Answer{ID: x.Q, Said: x.A, AtMS: x.AtMS})
		}
		_, err = r.do(ctx, a, "consent.record", caseID, 0, f)
		return out(map[string]any{"ok": err == nil}, err)
	})
}

func (r *Routes) consent(ctx context.Context, a ident.Actor, id string) (ConsentView, error) {
	var v ConsentView
	err := r.Service.DB().Read(ctx, func(q db.Querier) error {
		p, err := r.Parties.Get(ctx, q, a, id)
		if err != nil {
			return err
		}
		v = ConsentView{ID: p.ID, CaseID: p.Roles[0].Case, State: p.State, ExpiresAt: stamp(p.Expires), Digest: p.Digest, PrivacyText: privacyText,
			Papers: []PaperView{}, Summary: []Line{}, Questions: []party.Answer{}, Needs: []NeedView{}}
		for _, n := range p.Needs {
			v.Needs = append(v.Needs, NeedView{Kind: n, Text: party.NeedText(n), Done: !p.Owes(n)})
		}
		var titles, roles []string
		for _, role := range p.Roles {
			snap, err := r.Service.See(ctx, q, a, role.Case)
			if err != nil {
				return err
			}
			titles = append(titles, snap.M.Name)
			if err := r.shown(ctx, q, snap, &v); err != nil {
				return err
			}
			if def, ok := snap.M.PartyOf(role.Role); ok {
				roles = append(roles, def.Name)
				for _, x := range def.Questions {
					v.Questions = append(v.Questions, party.Answer{ID: x.ID, Text: x.Text})
				}
			}
		}
		v.Title, v.Role = strings.Join(titles, "、"), strings.Join(roles, "、")
		return nil
	})
	return v, err
}

// shown adds what a party reads of one case: every leaf of the form in words,
// others' identity numbers and phones masked, and the papers.
func (r *Routes) shown(ctx context.Context, q db.Querier, snap *casework.Snapshot, v *ConsentView) error {
	for _, l := range lines(snap.M.Form, snap.Form(), form.Masked) {
		v.Summary = append(v.Summary, Line{Label: l.Label, Value: l.Value})
	}
	ms, err := material.Of(ctx, q, snap.ID)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.Origin == material.Made {
			v.Papers = append(v.Papers, PaperView{MaterialID: m.ID, Name: m.Name, FileURL: "/api/v1/public/cases/" + snap.ID + "/materials/" + m.ID + "/file"})
		}
	}
	return nil
}

func dataURL(mime string, b []byte) string {
	return "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(b)
}

// picture reads a base64 picture, with or without its data: head.
func picture(s string) ([]byte, error) {
	if i := strings.Index(s, "base64,"); i >= 0 {
		s = s[i+len("base64,"):]
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) == 0 {
		return nil, errs.New(errs.Invalid, "image.invalid", "没有收到图片，请重试").With("image", "base64", "图片内容不对")
	}
	return b, nil
}

func (r *Routes) face(ctx context.Context, a ident.Actor, in *faceIn) (map[string]any, error) {
	p, err := r.Parties.Get(ctx, r.Service.DB().Q(), a, in.ID)
	if err != nil {
		return nil, err
	}
	if slices.Contains(p.Needs, "face") && !p.Owes("face") { // asked again because the answer was lost
		return map[string]any{"ok": true}, nil
	}
	img, err := picture(in.Body.Image)
	if err != nil {
		return nil, err
	}
	ok, score, ref, err := r.Faces.Check(ctx, a.PersonID, img)
	if err != nil {
		return nil, err
	}
	rep, err := r.do(ctx, a, "consent.face", p.Roles[0].Case, 0, party.FaceInput{Party: in.ID, OK: ok, Score: score, Ref: ref, SM3: gm.SM3(img)})
	if err != nil {
		return nil, err
	}
	v := map[string]any{"score": score}
	return v, errors.Join(json.Unmarshal(rep.Data, &v))
}

func (r *Routes) sign(ctx context.Context, a ident.Actor, in *signIn) (ConsentView, error) {
	p, err := r.Parties.Get(ctx, r.Service.DB().Q(), a, in.ID)
	if err != nil {
		return ConsentView{}, err
	}
	si := party.SignInput{Party: in.ID, Method: in.Body.Method, Strokes: in.Body.Strokes}
	switch in.Body.Method {
	case "seal", "ca":
		who := p.Org
		if who == "" {
			who = p.Person
		}
		if si.Ref, err = r.Seals.Seal(ctx, who, p.Digest); err != nil {
			return ConsentView{}, err
		}
	default:
		img, err := picture(in.Body.Image)
		if err != nil {
			return ConsentView{}, err
		}
		h, _, err := r.Blobs.Put(ctx, bytes.NewReader(img), 2<<20)
		if err != nil {
			return ConsentView{}, err
		}
		si.SM3 = string(h)
	}
	if _, err := r.do(ctx, a, "consent.sign", p.Roles[0].Case, 0, si); err != nil {
		return ConsentView{}, err
	}
	return r.consent(ctx, a, in.ID)
}

// maxChunk bounds one piece of a recording.
const maxChunk = 8 << 20

// putChunk stores a piece durably under its digest before it is acknowledged.
func (r *Routes) putChunk(ctx context.Context, a ident.Actor, in *chunkIn) (map[string]int, error) {
	if gm.SM3(in.RawBody) != strings.ToLower(in.SM3) {
		return nil, errs.New(errs.Invalid, "chunk.sm3", "这一段在路上有损坏，请重传").With("X-Chunk-SM3", "digest", "摘要和内容不一致")
	}
	caseID, err := r.Parties.RecordingCase(ctx, r.Service.DB().Q(), a, in.ID)
	if err != nil {
		return nil, err
	}
	h, size, err := r.Blobs.Put(ctx, bytes.NewReader(in.RawBody), maxChunk)
	if err != nil {
		return nil, err
	}
	rep, err := r.do(ctx, a, "consent.chunk", caseID, 0, party.ChunkInput{Recording: in.ID, N: in.N, SM3: string(h), Size: size})
	if err != nil {
		return nil, err
	}
	v := map[string]int{}
	return v, json.Unmarshal(rep.Data, &v)
}
