package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"sync"
	"time"

	"haoban/casework"
	"haoban/casework/fee"
	"haoban/casework/material"
	"haoban/casework/party"
	"haoban/platform/blob"
	"haoban/platform/calendar"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/ident"
)

// SeedPerson is somebody a demonstration plays with, as the outside knows them.
type SeedPerson struct{ Name, ID, Mobile string }

// SeedFirm is an organisation with the person who acts for it.
type SeedFirm struct {
	Name, USCC, Kind string // Kind is one of ident's, such as ident.OrgCompany
	Agent            SeedPerson
}

// SeedHome is a registered home and its one owner.
type SeedHome struct {
	TitleNo string
	Owner   SeedPerson
}

// SeedSale is a valid presale contract.
type SeedSale struct {
	No     string
	Buyers []SeedPerson
	Seller SeedFirm
}

// SeedProject is a project on allocated land.
type SeedProject struct {
	Code    string
	Builder SeedFirm
}

// SeedWorld is who and what the cases of a demonstration are about. Each home
// and each sale is used once.
type SeedWorld struct {
	People   []SeedPerson
	Homes    []SeedHome
	Sales    []SeedSale
	Projects []SeedProject
}

// seedDays is how many working days back the first cases lie: enough for the
// longest promised limit to have run out.
const seedDays = 14

// seeder makes the cases of a demonstration by the commands people would send.
type seeder struct {
	a       *App
	w       SeedWorld
	clock   *clock.Movable
	now     time.Time // the business time it all ends at
	mu      sync.Mutex
	staff   map[string]ident.Actor
	known   map[string]ident.Actor
	sign    casefile
	video   casefile
	drawing casefile
}

type casefile struct {
	hash blob.Hash
	size int64
}

// SeedCases makes about n cases in every phase, at every step, with deadlines
// near and past, by moving the business clock back and forward again. The
// officials are those of Seed. It does nothing where there is a case already,
// and returns how many it made, and an error that joins those of the cases that
// could not be made. The clock must be a *clock.Movable, and Run
// must be under way.
func (a *App) SeedCases(ctx context.Context, w SeedWorld, n int) (int, error) {
	movable, ok := a.o.Clock.(*clock.Movable)
	if !ok {
		return 0, errors.New("seed: the business clock cannot be moved")
	}
	empty, err := casework.Empty(ctx, a.DB.Q())
	if err != nil || !empty {
		return 0, err
	}
	s := &seeder{a: a, w: w, clock: movable, now: movable.Now(), staff: map[string]ident.Actor{}, known: map[string]ident.Actor{}}
	before := movable.Offset()
	defer func() { movable.Advance(before - movable.Offset()) }()
	if err := s.prepare(ctx); err != nil {
		return 0, err
	}
	return s.run(ctx, n)
}

// prepare looks the officials up and stores the few files that all cases share.
func (s *seeder) prepare(ctx context.Context) error {
	q := s.a.DB.Q()
	for _, o := range Officials() {
		u, err := s.a.People.UserByAccount(ctx, q, o.Account)
		if err != nil {
			return fmt.Errorf("seed %s: %w", o.Account, err)
		}
		if s.staff[o.Account], err = s.a.People.OfficialActor(ctx, q, u.ID); err != nil {
			return fmt.Errorf("seed %s: %w", o.Account, err)
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, 240, 100))
	for x := 20; x < 220; x++ {
		for d := range 3 {
			img.Set(x, 50+(x*x/40)%30-15+d, color.RGBA{A: 255})
		}
	}
	var signature bytes.Buffer
	if err := png.Encode(&signature, img); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	plan := []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
	for _, x := range []struct {
		into *casefile
		body []byte
	}{{&s.sign, signature.Bytes()}, {&s.video, []byte("演示数据：这里没有真实的录像")}, {&s.drawing, plan}} {
		h, n, err := s.a.Blobs.Put(ctx, bytes.NewReader(x.body), 1<<20)
		if err != nil {
			return fmt.Errorf("seed: %w", err)
		}
		*x.into = casefile{h, n}
	}
	return nil
}

// planned is one case to be made: on which working day before now, and how far
// it gets.
type planned struct {
	back int
	make func(ctx context.Context) error
}

// run makes the plan day by day, several cases at once, and waits at the end of
// each day for the work that the cases left behind.
func (s *seeder) run(ctx context.Context, n int) (int, error) {
	plan := s.plan(n)
	made := 0
	var failed error
	days, err := s.workdays(seedDays)
	if err != nil {
		return 0, err
	}
	for back := seedDays; back >= 0; back-- {
		if back > 0 {
			s.clock.Set(days[back].Start().Add(9*time.Hour + 30*time.Minute))
		} else {
			s.clock.Set(s.now)
		}
		var of []planned
		for _, p := range plan {
			if p.back == back {
				of = append(of, p)
			}
		}
		n, err := s.together(ctx, of)
		made += n
		failed = errors.Join(failed, err)
		if err := s.settle(ctx); err != nil {
			return made, errors.Join(failed, err)
		}
	}
	return made, failed
}

// workdays returns the last n working days before today, by how far back they
// lie; the first is today, whatever day it is.
func (s *seeder) workdays(n int) ([]calendar.Date, error) {
	d := calendar.DateOf(s.now)
	out := []calendar.Date{d}
	for len(out) <= n {
		d = d.AddDays(-1)
		yes, _, err := s.a.Service.Calendar().IsWorkday(d)
		if err != nil {
			return nil, err
		}
		if yes {
			out = append(out, d)
		}
	}
	return out, nil
}

// together makes cases a few at a time: commits of one moment share a write to
// disk. One that fails does not hold the others up.
func (s *seeder) together(ctx context.Context, of []planned) (int, error) {
	const at = 8
	var wg sync.WaitGroup
	errc := make(chan error, len(of))
	gate := make(chan struct{}, at)
	for _, p := range of {
		wg.Add(1)
		gate <- struct{}{}
		go func() {
			defer func() { <-gate; wg.Done() }()
			errc <- p.make(ctx)
		}()
	}
	wg.Wait()
	close(errc)
	made := 0
	var all error
	for err := range errc {
		if err == nil {
			made++
		}
		all = errors.Join(all, err)
	}
	return made, all
}

// settle waits until the papers of the day are drawn.
func (s *seeder) settle(ctx context.Context) error {
	for range 1200 {
		st, err := s.a.Queue.Stats(ctx)
		if err != nil {
			return err
		}
		if c := st.Counts[casework.JobVerb]; c["ready"]+c["running"] == 0 {
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return errors.New("seed: the work of a day does not end")
}

func pause(ctx context.Context) error {
	t := time.NewTimer(25 * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// person is somebody logged in for themselves.
func (s *seeder) person(ctx context.Context, p SeedPerson) (ident.Actor, error) {
	return s.actor(ctx, p.ID, func(tx *db.Tx) (ident.Actor, error) {
		id, err := s.a.People.UpsertPerson(ctx, tx, ident.Claims{Name: p.Name, IDNo: p.ID, Mobile: p.Mobile, Source: "ywtb", Level: 3})
		if err != nil {
			return ident.Actor{}, err
		}
		return s.a.People.PersonActor(ctx, tx, id)
	})
}

// agent is somebody logged in for an organisation.
func (s *seeder) agent(ctx context.Context, f SeedFirm) (ident.Actor, error) {
	return s.actor(ctx, f.USCC, func(tx *db.Tx) (ident.Actor, error) {
		c := ident.Claims{Name: f.Agent.Name, IDNo: f.Agent.ID, Mobile: f.Agent.Mobile, Source: "fryzt", Level: 3}
		org, id, err := s.a.People.LoginOrg(ctx, tx, ident.OrgClaims{Name: f.Name, USCC: f.USCC, Kind: f.Kind, Person: c, Role: ident.MemberAgent, Source: "fryzt"})
		if err != nil {
			return ident.Actor{}, err
		}
		a, err := s.a.People.PersonActor(ctx, tx, id)
		a.OrgID, a.OrgName, a.OrgKind, a.OrgRole = org, f.Name, f.Kind, ident.MemberAgent
		return a, err
	})
}

func (s *seeder) actor(ctx context.Context, key string, find func(*db.Tx) (ident.Actor, error)) (ident.Actor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.known[key]; ok {
		return a, nil
	}
	var a ident.Actor
	err := s.a.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		a, err = find(tx)
		return err
	})
	if err == nil {
		s.known[key] = a
	}
	return a, err
}

// do sends one command.
func (s *seeder) do(ctx context.Context, a ident.Actor, kind, id string, data any) (casework.Reply, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return casework.Reply{}, fmt.Errorf("seed: %w", err)
	}
	r, err := s.a.Service.Do(ctx, a, casework.Command{Key: db.NewID(), Kind: kind, Case: id, Data: raw})
	if err != nil {
		return r, fmt.Errorf("seed %s: %w", kind, err)
	}
	return r, nil
}

// step has an official complete the open task of a node, waiting for what the
// house does before it.
func (s *seeder) step(ctx context.Context, account, id, node, outcome, opinion string) error {
	for range 800 {
		ts, err := s.a.Service.Tasks(ctx, s.a.DB.Q(), id)
		if err != nil {
			return err
		}
		for _, t := range ts {
			if t.Node == node && (t.State == "open" || t.State == "claimed") {
				_, err := s.do(ctx, s.staff[account], "complete", id, casework.TaskInput{Task: t.ID, Outcome: outcome, Opinion: opinion})
				return err
			}
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("seed: no task %s", node)
}

// draft opens a case, fills it and asks the sources.
func (s *seeder) draft(ctx context.Context, a ident.Actor, slug string, form map[string]any) (string, error) {
	r, err := s.do(ctx, a, "open", "", casework.OpenInput{Matter: slug})
	if err != nil {
		return "", err
	}
	if _, err := s.do(ctx, a, "save", r.Case, casework.SaveInput{Data: form}); err != nil {
		return "", err
	}
	_, err = s.do(ctx, a, "prefill", r.Case, struct{}{})
	return r.Case, err
}

// consent has the parties of a bundle agree, all but the last leave of them.
func (s *seeder) consent(ctx context.Context, id string, as map[string]ident.Actor, leave int) error {
	snap, err := s.a.Service.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	ps, err := s.a.Parties.Of(ctx, s.a.DB.Q(), snap.Bundle)
	if err != nil {
		return err
	}
	for _, p := range ps[:max(0, len(ps)-leave)] {
		a, ok := as[p.Person+p.Org]
		if !ok {
			return fmt.Errorf("seed: nobody plays the party %s", p.ID)
		}
		for _, need := range []string{"face", "recording", "signature", "seal"} {
			if !p.Owes(need) {
				continue
			}
			if err := s.need(ctx, a, id, p, need); err != nil {
				return err
			}
		}
		if _, err := s.do(ctx, a, "consent.confirm", id, party.ConfirmInput{Party: p.ID, Digest: p.Digest, Agree: true}); err != nil {
			return err
		}
	}
	return nil
}

func (s *seeder) need(ctx context.Context, a ident.Actor, id string, p party.Party, need string) error {
	switch need {
	case "face":
		_, err := s.do(ctx, a, "consent.face", id, party.FaceInput{Party: p.ID, OK: true, Score: 0.97, Ref: "SIM-" + p.ID, SM3: string(s.sign.hash)})
		return err
	case "signature":
		_, err := s.do(ctx, a, "consent.sign", id, party.SignInput{Party: p.ID, SM3: string(s.sign.hash), Method: "draw", Strokes: 9})
		return err
	case "seal":
		_, err := s.do(ctx, a, "consent.sign", id, party.SignInput{Party: p.ID, SM3: string(s.sign.hash), Method: "seal", Ref: "SIM-" + p.ID})
		return err
	}
	r, err := s.do(ctx, a, "consent.begin", id, party.BeginInput{Party: p.ID, Mime: "video/webm"})
	if err != nil {
		return err
	}
	var began struct {
		ID string `json:"recordingId"`
	}
	if err := json.Unmarshal(r.Data, &began); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if _, err := s.do(ctx, a, "consent.chunk", id, party.ChunkInput{Recording: began.ID, SM3: string(s.video.hash), Size: s.video.size}); err != nil {
		return err
	}
	in := party.FinishInput{Recording: began.ID, DurationMS: 12_000}
	snap, err := s.a.Service.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	for _, role := range p.Roles {
		if def, ok := snap.M.PartyOf(role.Role); ok {
			for _, q := range def.Questions {
				in.Answers = append(in.Answers, party.Answer{ID: q.ID, Text: q.Text, Said: q.Want, AtMS: 3000})
			}
		}
	}
	_, err = s.do(ctx, a, "consent.record", id, in)
	return err
}

// pay takes the fee of a case as the payment platform would tell it.
func (s *seeder) pay(ctx context.Context, a ident.Actor, id string) error {
	if _, err := s.do(ctx, a, "fee.order", id, struct{}{}); err != nil {
		return err
	}
	f, _, err := fee.Of(ctx, s.a.DB.Q(), id)
	if err != nil {
		return err
	}
	return s.a.Fees.Take(ctx, s.a.Service, f.Order, fee.Answer{Paid: true, At: s.clock.Now(), Channel: "DCEP", TradeNo: "SIM-" + f.Order, Amount: f.Amount})
}

func (s *seeder) attach(ctx context.Context, a ident.Actor, id, node, name string) error {
	_, err := s.do(ctx, a, "material.attach", id, material.AttachInput{Node: node, File: name, Mime: "application/pdf", SM3: string(s.drawing.hash), Size: s.drawing.size})
	return err
}
