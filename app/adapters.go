package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"haoban/casework"
	"haoban/casework/api"
	"haoban/casework/form"
	"haoban/casework/material"
	"haoban/casework/matter"
	"haoban/casework/source"
	"haoban/links/housing"
	"haoban/platform/blob"
	"haoban/platform/clock"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/doc"
	"haoban/platform/errs"
	"haoban/platform/ident"
	"haoban/platform/job"

	"haoban/bureau/registry"
)

// people finds or makes those a form names.
type people struct{ d *ident.Directory }

func (p people) EnsurePerson(ctx context.Context, tx *db.Tx, name, idNo, mobile string) (string, error) {
	id, err := p.d.FindPerson(ctx, tx, ident.IDResident, idNo)
	if err == nil {
		return id, nil
	}
	if errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	return p.d.UpsertPerson(ctx, tx, ident.Claims{Name: name, IDNo: idNo, Mobile: mobile, Source: "case"})
}

func (p people) EnsureOrg(ctx context.Context, tx *db.Tx, name, uscc string) (string, error) {
	o, err := p.d.OrgByUSCC(ctx, tx, uscc)
	if err == nil {
		return o.ID, nil
	}
	if errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	return p.d.PutOrg(ctx, tx, ident.System("case"), ident.Org{Kind: ident.OrgCompany, Name: name, USCC: uscc})
}

// phones looks numbers up when a message is sent.
type phones struct {
	d  *ident.Directory
	db *db.DB
}

func (p phones) Mobile(ctx context.Context, kind, id string) (string, error) {
	q := p.db.Q()
	if kind == "person" {
		x, err := p.d.Person(ctx, q, id)
		return x.Phone(), err
	}
	ms, err := p.d.Members(ctx, q, id)
	if err != nil {
		return "", err
	}
	for _, m := range ms {
		x, err := p.d.Person(ctx, q, m.PersonID)
		if err == nil && x.Phone() != "" {
			return x.Phone(), nil
		}
	}
	return "", nil
}

// jobCode is the kind of job that sends a code to a phone. Its arguments are
// sealed, because a number is personal data and a code is a secret.
const jobCode = "sms.code"

func (a *App) sendCode(ctx context.Context, tx *db.Tx, mobile, code string) error {
	id := db.NewID()
	b, err := a.Keys.Seal(ctx, "ident", []byte(mobile+" "+code), []byte(id))
	if err != nil {
		return err
	}
	return a.Queue.Enqueue(ctx, tx, job.New{Kind: jobCode, Target: "sms", Key: id, Args: map[string]any{"id": id, "sealed": b}})
}

func (a *App) workCode(ctx context.Context, j job.Job) error {
	var in struct {
		ID     string `json:"id"`
		Sealed []byte `json:"sealed"`
	}
	if err := json.Unmarshal(j.Args, &in); err != nil {
		return fmt.Errorf("code: %w", err)
	}
	plain, err := a.Keys.Open(ctx, "ident", in.Sealed, []byte(in.ID))
	if err != nil {
		return err
	}
	mobile, code, _ := strings.Cut(string(plain), " ")
	_, err = a.links.sms.Send(ctx, in.ID, mobile, "您的验证码是 "+code+"，5 分钟内有效，请勿告诉他人。")
	return err
}

// papers draws a matter's papers and keeps their bytes.
type papers struct {
	blobs blob.Store
	fonts *doc.Fonts
	clock clock.Clock
}

// Paper renders one template over the whole form. The template sees form (every
// leaf, "" where nothing is filled), text (options by their label), today and
// what extra brings.
func (p *papers) Paper(ctx context.Context, snap *casework.Snapshot, name string, extra map[string]any) (material.In, error) {
	tmpl, ok := snap.M.Papers[name]
	if !ok {
		return material.In{}, fmt.Errorf("%s has no paper %s", snap.Matter, name)
	}
	now := p.clock.Now()
	full, text := whole(snap.M.Form, snap.Form())
	data := map[string]any{"form": full, "text": text, "today": now}
	images := map[string][]byte{}
	for k, v := range extra {
		data[k] = v
	}
	if url, ok := extra["verifyURL"].(string); ok {
		png, err := doc.QR(url, 220)
		if err != nil {
			return material.In{}, err
		}
		images["qr"] = png
	}
	html, err := doc.Render(tmpl, data)
	if err != nil {
		return material.In{}, fmt.Errorf("paper %s of %s: %w", name, snap.Matter, err)
	}
	pdf, err := doc.PDF(ctx, html, p.fonts, doc.Options{Images: images, Created: now})
	if err != nil {
		return material.In{}, fmt.Errorf("paper %s of %s: %w", name, snap.Matter, err)
	}
	h, n, err := p.blobs.Put(ctx, bytes.NewReader(pdf), 64<<20)
	if err != nil {
		return material.In{}, err
	}
	return material.In{File: strings.TrimSuffix(name, ".html") + ".pdf", Mime: "application/pdf", SM3: string(h), Size: n}, nil
}

// whole is the form with every leaf present, so that a template can ask for any
// of them, and the labels of what was chosen.
func whole(f *form.Form, data map[string]any) (full, text map[string]any) {
	full = map[string]any{}
	text = map[string]any{}
	for k, v := range data {
		full[k] = v
	}
	for _, l := range f.Leaves() {
		parts := strings.Split(l.Path, ".")
		at := full
		for i, p := range parts {
			if i+1 < len(parts) && parts[i+1] == "*" {
				if _, ok := at[p].([]any); !ok {
					at[p] = []any{}
				}
				break
			}
			if i == len(parts)-1 {
				if _, ok := at[p]; !ok {
					at[p] = ""
				}
				break
			}
			sub, ok := at[p].(map[string]any)
			if !ok {
				sub = map[string]any{}
			}
			c := map[string]any{}
			for k, v := range sub {
				c[k] = v
			}
			at[p] = c
			at = c
		}
		if len(parts) == 1 {
			text[l.Path] = f.Show(data, l.Path, form.Plain)
		}
	}
	return full, text
}

// sources are the registers and partners that fill forms.
func (a *App) sources() map[string]source.Func {
	return map[string]source.Func{
		"ident.person":  a.ownIdentity,
		"company.basic": a.ownCompany,
		"registry.unit": a.lazyUnit,
		"registry.cert": a.lazyCert,
		"housing.contract": func(ctx context.Context, _ ident.Actor, args map[string]any) (map[string]any, error) {
			k, err := a.links.housing.Contract(ctx, form.Str(args["no"]))
			if err != nil || k == nil {
				return nil, err
			}
			state := map[string]string{"VALID": "有效", "CANCELLED": "已撤销"}[k.State]
			buyers := []any{}
			for _, b := range k.People {
				x := map[string]any{"name": b.Name, "idNo": b.ID, "mobile": b.Mobile}
				if k.Common == "按份共有" {
					x["share"] = b.Share
				}
				buyers = append(buyers, x)
			}
			return map[string]any{
				"unit": k.Unit, "address": k.Address, "district": k.District, "area": housing.Area(k.AreaCM), "price": k.Price, "permitNo": k.PermitNo,
				"state": state, "permitOk": k.InPermit, "developerName": k.DeveloperName, "developerUscc": k.DeveloperUSCC, "buyers": buyers, "common": k.Common,
			}, nil
		},
		"housing.loan": func(ctx context.Context, _ ident.Actor, args map[string]any) (map[string]any, error) {
			l, err := a.links.housing.Loan(ctx, form.Str(args["no"]))
			if err != nil || l == nil {
				return nil, err
			}
			restrict := map[bool]string{true: "禁止或限制转让", false: "不限制"}[l.Restrict]
			return map[string]any{
				"amount": l.Amount, "from": l.From, "to": l.To, "method": "一般抵押", "restrict": restrict, "bankName": l.BankName, "bankUscc": l.BankUSCC,
			}, nil
		},
		"invest.project": func(ctx context.Context, _ ident.Actor, args map[string]any) (map[string]any, error) {
			p, err := a.links.invest.Project(ctx, form.Str(args["code"]))
			if err != nil || p == nil {
				return nil, err
			}
			return map[string]any{
				"name": p.Name, "approvalNo": p.ApprovalNo, "approvalOrg": p.ApprovalOrg, "investment": p.InvestWan * 10000 * 100, "district": p.District,
			}, nil
		},
		"land.parcel": func(ctx context.Context, _ ident.Actor, args map[string]any) (map[string]any, error) {
			p, err := a.links.land.Parcel(ctx, form.Str(args["code"]))
			if err != nil || p == nil {
				return nil, err
			}
			return map[string]any{"place": p.Place, "use": p.Use, "area": fmt.Sprintf("%d ㎡", p.AreaM2), "parcel": p.Parcel}, nil
		},
	}
}

func (a *App) lazyUnit(ctx context.Context, act ident.Actor, args map[string]any) (map[string]any, error) {
	return a.Office.Fetch(ctx, act, args)
}

func (a *App) lazyCert(ctx context.Context, act ident.Actor, args map[string]any) (map[string]any, error) {
	return a.Office.FetchCert(ctx, act, args)
}

func (a *App) ownIdentity(ctx context.Context, act ident.Actor, _ map[string]any) (map[string]any, error) {
	p, err := a.People.Person(ctx, a.DB.Q(), act.PersonID)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"name": p.Name(), "idNo": idNo(p)}
	if m := p.Value(ident.FieldMobile); m != "" {
		out["mobile"] = m
	}
	return out, nil
}

func (a *App) ownCompany(ctx context.Context, act ident.Actor, _ map[string]any) (map[string]any, error) {
	o, err := a.People.Org(ctx, a.DB.Q(), act.OrgID)
	if err != nil {
		return nil, err
	}
	c, err := a.links.company.Get(ctx, o.USCC)
	if err != nil || c == nil {
		return nil, err
	}
	return map[string]any{"name": c.Name, "uscc": c.USCC, "legalRep": c.LegalRep}, nil
}

// grantCovers is the check "grant.covers": a developer files for a buyer only
// under that buyer's open grant for this matter and unit (R1.4a).
func (a *App) grantCovers(ctx context.Context, q db.Querier, m *matter.Matter, env matter.Env) ([]casework.Finding, error) {
	org, _ := env.Case["org"].(string)
	f := casework.Finding{Rule: "grant", Name: "代办授权", Verdict: casework.Pass, Text: "由购房人本人申请", Path: "buyers"}
	if org == "" || m.Grant == nil {
		return []casework.Finding{f}, nil
	}
	unit, _ := env.Form["unit"].(string)
	buyers, _ := env.Form["buyers"].([]any)
	for _, b := range buyers {
		x, _ := b.(map[string]any)
		id, err := a.People.FindPerson(ctx, q, ident.IDResident, form.Str(x["idNo"]))
		if err == nil {
			_, err = a.People.FindGrant(ctx, q, ident.PersonPrincipal(id), org, m.Slug, unit, a.o.Clock.Now())
		}
		if err == nil {
			f.Text = "购房人已授权代办"
			return []casework.Finding{f}, nil
		}
		if k := errs.KindOf(err); k == errs.Internal || k == errs.Unavailable {
			return nil, err
		}
		f.Verdict, f.Text = casework.Block, codes.MaskName(form.Str(x["name"]))+" 还没有授权你单位代办这处房屋，请购房人先在“授权代办”里授权"
	}
	return []casework.Finding{f}, nil
}

// faces and seals are the partners as the consent flow asks for them.
type faces struct{ a *App }

func (f faces) Check(ctx context.Context, person string, jpeg []byte) (bool, float64, string, error) {
	p, err := f.a.People.Person(ctx, f.a.DB.Q(), person)
	if err != nil {
		return false, 0, "", err
	}
	v, err := f.a.links.will.Face(ctx, p.Name(), idNo(p), jpeg)
	return v.Pass, v.Score, v.Ref, err
}

type seals struct{ a *App }

func (s seals) Seal(ctx context.Context, who, digest string) (string, error) {
	q := s.a.DB.Q()
	if o, err := s.a.People.Org(ctx, q, who); err == nil {
		return s.a.links.seal.Sign(ctx, o.USCC, digest)
	}
	p, err := s.a.People.Person(ctx, q, who)
	if err != nil {
		return "", err
	}
	return s.a.links.seal.Sign(ctx, idNo(p), digest)
}

// holdings is the register as the portal shows it.
type holdings struct{ a *App }

func (h holdings) Properties(ctx context.Context, q db.Querier, id string) ([]api.Property, error) {
	out := []api.Property{}
	if id == "" {
		return out, nil
	}
	units, err := h.a.Office.Held(ctx, q, id, registry.Ownership, registry.PresaleNotice)
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		p := api.Property{Unit: u.Code, Address: u.Address, Area: registry.Area(u.Area), Status: registry.Status(u), Can: []api.MatterRef{}}
		for _, x := range u.Rights {
			switch x.Kind {
			case registry.Ownership:
				p.Ownership, p.CertNo = x.Common, x.No
				for _, slug := range []string{"registry/query-certificate", "registry/reissue"} {
					if m, ok := h.a.Service.Matter(slug); ok {
						p.Can = append(p.Can, api.MatterRef{Slug: slug, Name: m.Name})
					}
				}
			case registry.PresaleNotice:
				p.Ownership = "预购，" + x.Common
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func (h holdings) Statements(ctx context.Context, q db.Querier, before int64, limit int) ([]api.Statement, error) {
	ns, err := registry.Notices(ctx, q, "loss", before, limit)
	out := make([]api.Statement, 0, len(ns))
	for _, n := range ns {
		out = append(out, api.Statement{ID: n.ID, No: n.No, CertNo: n.CertNo, Body: n.Body, At: n.Published})
	}
	return out, err
}

func (h holdings) Lost(ctx context.Context, q db.Querier, no string) (int64, bool, error) {
	return h.a.Office.LostCert(ctx, q, no)
}

// idNo is the number of a person's identity paper.
func idNo(p ident.Person) string {
	_, no := p.IDNo()
	return no
}
