// Package party keeps who takes part in a filing and what each of them agreed
// to. A consent is per bundle, person and document digest: when a word of what
// was shown changes, the digest changes and the consent no longer holds. Each
// person sees only the cases they are party to.
package party

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"haoban/casework"
	"haoban/casework/form"
	"haoban/casework/material"
	"haoban/casework/matter"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix pty_.
func Migrations() db.Line { return db.Line{Room: "pty", FS: migrations} }

// The states of a party.
const (
	Waiting   = "waiting"
	Done      = "done"
	Refused   = "refused"
	Expired   = "expired"
	Withdrawn = "withdrawn"
)

// Role is one role in one case of the bundle.
type Role struct {
	Case string `json:"case"`
	Role string `json:"role"`
}

// Party is one person or organisation of a bundle.
type Party struct {
	ID, Bundle, Kind string
	Person, Org      string
	Name             string // in clear; mask before showing
	Mobile           string
	Roles            []Role
	Needs            []string
	Done             []string
	Order            int
	State            string
	Digest           string
	Asked, Expires   int64
	At               int64
	Reason           string
}

// Owes reports whether the party still has to do need.
func (p Party) Owes(need string) bool {
	return slices.Contains(p.Needs, need) && !slices.Contains(p.Done, need)
}

// Mine reports whether the actor is this party: the person, or somebody who
// acts for the organisation.
func (p Party) Mine(a ident.Actor) bool {
	if p.Kind == "org" {
		return a.OrgID != "" && a.OrgID == p.Org
	}
	return a.Kind == ident.KindPerson && a.PersonID != "" && a.PersonID == p.Person
}

// InCase reports whether the party takes part in the case.
func (p Party) InCase(id string) bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return r.Case == id })
}

// The refusals of this room.
var (
	ErrNone    = errs.New(errs.NotFound, "consent.not_found", "没有这项确认，或者不是发给您的")
	ErrExpired = errs.New(errs.Conflict, "consent.expired", "这个确认链接已经过期，请发起人重新邀请")
	ErrChanged = errs.New(errs.Conflict, "consent.changed", "内容在您查看之后有改动，请重新看过再确认")
	ErrOver    = errs.New(errs.Conflict, "consent.over", "这项确认已经完成或取消，不能再办")
	ErrTurn    = errs.New(errs.TooSoon, "consent.turn", "还没有轮到您，前面的人确认后会通知您")
)

// People finds or makes the persons and organisations a form names, so that
// they see their task box when they log in.
type People interface {
	// EnsurePerson returns the id of the person with this identity number.
	EnsurePerson(ctx context.Context, tx *db.Tx, name, idNo, mobile string) (string, error)
	// EnsureOrg returns the id of the organisation with this credit code.
	EnsureOrg(ctx context.Context, tx *db.Tx, name, uscc string) (string, error)
}

// Room is the face of this package.
type Room struct {
	people People
	render Renderer
	keys   gm.Keys
}

// Renderer draws the papers of a case and stores their bytes durably; it runs
// outside any transaction.
type Renderer interface {
	// Paper renders one template of the matter over the case and returns where
	// its bytes are.
	Paper(ctx context.Context, snap *casework.Snapshot, name string, extra map[string]any) (material.In, error)
}

// New returns the room.
func New(people People, render Renderer, keys gm.Keys) *Room {
	return &Room{people: people, render: render, keys: keys}
}

// Commands are the commands of this room.
func (r *Room) Commands() map[string]casework.Handler {
	return map[string]casework.Handler{
		"ready":            {Audit: "case.submit", Prepare: r.prepareReady, Apply: r.ready},
		"reopen":           {Audit: "case.save", Apply: r.reopen},
		"party.remind":     {Audit: "case.urge", Apply: r.remind},
		"party.link":       {Audit: "consent.open", Apply: r.link},
		"consent.face":     {Audit: "consent.face", Apply: r.face},
		"consent.sign":     {Audit: "consent.sign", Apply: r.sign},
		"consent.confirm":  {Audit: "consent.confirm", Apply: r.confirm},
		"consent.begin":    {Audit: "consent.record", Apply: r.beginRecording},
		"consent.chunk":    {Apply: r.chunk},
		"consent.record":   {Audit: "consent.record", Apply: r.finishRecording},
		"recording.review": {Audit: "recording.review", Apply: r.review},
	}
}

type made struct {
	version map[string]int
	papers  map[string][]material.In
}

// prepareReady draws every paper the system makes for the cases of the bundle
// (R5.7: nobody uploads what the system can make).
func (r *Room) prepareReady(ctx context.Context, s *casework.Service, a ident.Actor, c casework.Command) (any, error) {
	first, err := s.See(ctx, s.DB().Q(), a, c.Case)
	if err != nil {
		return nil, err
	}
	ids, err := s.BundleIDs(ctx, s.DB().Q(), first.Bundle)
	if err != nil {
		return nil, err
	}
	out := made{version: map[string]int{}, papers: map[string][]material.In{}}
	for _, id := range ids {
		snap, err := s.Snapshot(ctx, id)
		if err != nil {
			return nil, err
		}
		if bad := snap.M.Form.Validate(snap.Form(), false); len(bad) > 0 {
			return nil, errs.New(errs.Invalid, "form.incomplete", fmt.Sprintf("%s还有 %d 处需要填写或修改", snap.M.Name, len(bad))).WithFields(bad)
		}
		out.version[id] = snap.Version
		for _, m := range snap.M.Materials {
			if m.Origin != "made" {
				continue
			}
			if yes, err := matter.True(m.When, snap.Env()); err != nil || !yes {
				if err != nil {
					return nil, err
				}
				continue
			}
			p, err := r.render.Paper(ctx, snap, m.Paper, nil)
			if err != nil {
				return nil, fmt.Errorf("paper %s: %w", m.Node, err)
			}
			p.Node, p.Name, p.Group, p.Origin, p.Source = m.Node, m.Name, m.Group, material.Made, "系统按申请内容生成"
			out.papers[id] = append(out.papers[id], p)
		}
	}
	return out, nil
}

// ready closes the draft: papers are hung in, checks run, and every party is
// asked; where nobody has to consent the case is submitted at once.
func (r *Room) ready(ctx context.Context, w *casework.Work, _ casework.Command, prepared any) (any, error) {
	p, ok := prepared.(made)
	if !ok {
		return nil, errors.New("ready without papers")
	}
	if !w.Applicant() {
		return nil, casework.ErrNotYours
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	for _, m := range w.Mates() {
		if m.Phase != casework.Draft {
			return nil, errs.New(errs.Conflict, "case.not_draft", "这件办件已经不在填报中")
		}
		if p.version[m.ID] != m.Version {
			return nil, casework.ErrVersion
		}
		if err := m.CheckComplete(); err != nil {
			return nil, err
		}
		if err := r.papersThere(ctx, m); err != nil {
			return nil, err
		}
		if err := m.Check(ctx, "ready"); err != nil {
			return nil, err
		}
		for _, in := range p.papers[m.ID] {
			if _, err := material.Put(ctx, m, in); err != nil {
				return nil, err
			}
		}
	}
	parties, err := r.collect(ctx, w)
	if err != nil {
		return nil, err
	}
	owed := false
	for _, x := range parties {
		owed = owed || len(x.Needs) > 0
	}
	if !owed {
		for _, m := range w.Mates() {
			if err := m.Submit(ctx); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return nil, r.ask(ctx, w, parties)
}

// papersThere refuses when a required upload is missing.
func (r *Room) papersThere(ctx context.Context, w *casework.Work) error {
	have, err := material.Of(ctx, w.Tx, w.ID)
	if err != nil {
		return err
	}
	refusal := errs.New(errs.Invalid, "material.missing", "还有材料没有上传")
	missing := false
	for _, m := range w.M.Materials {
		if m.Origin != "upload" || !m.Required {
			continue
		}
		yes, err := matter.True(m.When, w.Env())
		if err != nil {
			return err
		}
		if yes && !slices.ContainsFunc(have, func(h material.Material) bool { return h.Node == m.Node }) {
			missing = true
			refusal = refusal.With("material."+m.Node, "required", "请上传"+m.Name)
		}
	}
	if missing {
		return refusal
	}
	return nil
}

// collect reads the parties out of the forms of the bundle: one entry a person,
// with every role they have.
func (r *Room) collect(ctx context.Context, w *casework.Work) ([]Party, error) {
	by := map[string]*Party{}
	var keys []string
	for _, m := range w.Mates() {
		for _, def := range m.M.Parties {
			found, err := r.named(ctx, m, def)
			if err != nil {
				return nil, err
			}
			for _, x := range found {
				key := x.Kind + x.Person + x.Org
				have := by[key]
				if have == nil {
					c := x
					have = &c
					by[key] = have
					keys = append(keys, key)
				}
				have.Roles = append(have.Roles, Role{Case: m.ID, Role: def.Role})
				for _, n := range def.Needs {
					if !slices.Contains(have.Needs, n) {
						have.Needs = append(have.Needs, n)
					}
				}
				have.Order = max(have.Order, def.Order)
				if days := def.Days; days > 0 {
					end := db.MS(w.Now().AddDate(0, 0, days))
					if have.Expires == 0 || end < have.Expires {
						have.Expires = end
					}
				}
			}
		}
	}
	out := make([]Party, 0, len(keys))
	for _, k := range keys {
		out = append(out, *by[k])
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Order < out[j].Order })
	return out, nil
}

func (r *Room) named(ctx context.Context, w *casework.Work, def matter.Party) ([]Party, error) {
	if def.From == "applicant" {
		p := Party{Kind: def.Kind, Person: w.Opener, Org: w.Org, Name: w.Actor.Name}
		if def.Kind == "org" {
			p.Person, p.Name = "", w.Actor.OrgName
		} else {
			p.Org = ""
		}
		return []Party{p}, nil
	}
	v, _ := w.M.Form.Get(w.Form(), def.From)
	var objs []map[string]any
	switch x := v.(type) {
	case map[string]any:
		objs = append(objs, x)
	case []any:
		for _, e := range x {
			if o, ok := e.(map[string]any); ok {
				objs = append(objs, o)
			}
		}
	}
	var out []Party
	for _, o := range objs {
		name, id, mobile := form.Str(o[def.Label]), form.Str(o[def.ID]), form.Str(o[def.Mobile])
		p := Party{Kind: def.Kind, Name: name, Mobile: mobile}
		var err error
		if def.Kind == "org" {
			p.Org, err = r.people.EnsureOrg(ctx, w.Tx, name, id)
		} else {
			p.Person, err = r.people.EnsurePerson(ctx, w.Tx, name, id, mobile)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Digest binds what a party is shown: the forms and papers of the cases they
// are party to, in order.
func digest(ctx context.Context, w *casework.Work, p Party) (string, error) {
	type shown struct {
		Case   string
		Form   string
		Papers []string
	}
	var all []shown
	for _, m := range w.Mates() {
		if !p.InCase(m.ID) {
			continue
		}
		ms, err := material.Of(ctx, w.Tx, m.ID)
		if err != nil {
			return "", err
		}
		s := shown{Case: m.ID, Form: m.FormDigest()}
		for _, x := range ms {
			if v, ok := x.Latest(); ok && x.Origin == material.Made {
				s.Papers = append(s.Papers, x.Node+" "+v.SM3)
			}
		}
		all = append(all, s)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	return gm.SM3(b), nil
}

func (r *Room) ask(ctx context.Context, w *casework.Work, parties []Party) error {
	// What came of an earlier round is history.
	if _, err := w.Tx.Exec(ctx, `UPDATE pty_party SET state = $1, token_hash = $2 WHERE bundle = $3 AND state <> $1`, Withdrawn, "", w.Bundle); err != nil {
		return fmt.Errorf("party: %w", err)
	}
	for _, m := range w.Mates() {
		m.SetPhase(casework.Consent)
		m.Emit("consent_asked", fmt.Sprintf("内容已填好，等 %d 方确认", len(parties)), "", nil)
	}
	for _, p := range parties {
		p.ID, p.Bundle, p.State, p.Asked = db.NewID(), w.Bundle, Waiting, w.Tx.NowMS()
		if len(p.Needs) == 0 {
			p.State, p.At = Done, p.Asked
		}
		if p.Expires == 0 {
			p.Expires = db.MS(w.Now().Add(7 * 24 * time.Hour))
		}
		var err error
		if p.Digest, err = digest(ctx, w, p); err != nil {
			return err
		}
		if err := r.insert(ctx, w, p); err != nil {
			return err
		}
		for _, m := range w.Mates() {
			if !p.InCase(m.ID) {
				continue
			}
			if p.Kind == "org" {
				m.Grant(ident.OrgScope(p.Org))
			} else {
				m.Grant(ident.PersonScope(p.Person))
			}
		}
	}
	return nil
}

func (r *Room) insert(ctx context.Context, w *casework.Work, p Party) error {
	name, err := r.seal(ctx, p.ID, "name", p.Name)
	if err != nil {
		return err
	}
	mobile, err := r.seal(ctx, p.ID, "mobile", p.Mobile)
	if err != nil {
		return err
	}
	_, err = w.Tx.Exec(ctx, `INSERT INTO pty_party (id, bundle, kind, person, org, name_sealed, mobile_sealed, roles, needs, done, ord,
		state, digest, token_hash, asked_at, expires_at, done_at, reason, reminded_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19)`,
		p.ID, p.Bundle, p.Kind, p.Person, p.Org, name, mobile, js(p.Roles), js(p.Needs), "[]", p.Order, p.State, p.Digest, "",
		p.Asked, p.Expires, p.At, "", 0)
	if err != nil {
		return fmt.Errorf("party: %w", err)
	}
	return nil
}

func (r *Room) seal(ctx context.Context, id, path, v string) (string, error) {
	if v == "" {
		return "", nil
	}
	b, err := r.keys.Seal(ctx, "case", []byte(v), []byte(id+"\x00"+path))
	if err != nil {
		return "", fmt.Errorf("party: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(b), nil
}

func (r *Room) open(ctx context.Context, id, path, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("party: %w", err)
	}
	plain, err := r.keys.Open(ctx, "case", b, []byte(id+"\x00"+path))
	if err != nil {
		return "", fmt.Errorf("party: %w", err)
	}
	return string(plain), nil
}

func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain values of our own only
	}
	return string(b)
}

func newToken() (token, hash string) {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails since Go 1.24
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, gm.SM3([]byte(token))
}
