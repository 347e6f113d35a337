// Package source fills forms from registers and partners. Every source is
// asked outside any transaction; what it answers is shown with its name and
// time, kept as evidence, and locked where the law says so. A partner that is
// down never blocks saving a draft, and its silence is never a "no".
package source

import (
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"haoban/casework"
	"haoban/casework/matter"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix src_.
func Migrations() db.Line { return db.Line{Room: "src", FS: migrations} }

// patience is how long one source may take before it counts as not answering.
const patience = 4 * time.Second

// Func asks one source. It may be called many times with the same arguments.
// A nil map without an error says that the register has nothing (no record is
// an answer); errs.Unavailable says that it did not answer.
type Func func(ctx context.Context, a ident.Actor, args map[string]any) (map[string]any, error)

// Room is the face of this package.
type Room struct {
	sources map[string]Func
	keys    gm.Keys
}

// New returns the room over the named sources.
func New(sources map[string]Func, keys gm.Keys) *Room { return &Room{sources: sources, keys: keys} }

// Has reports whether a source of that name was given; app checks every matter
// against it at start.
func (r *Room) Has(name string) bool { _, ok := r.sources[name]; return ok }

// Commands are the commands of this room.
func (r *Room) Commands() map[string]casework.Handler {
	return map[string]casework.Handler{
		"prefill": {Audit: "case.prefill", Prepare: r.ask, Apply: r.place},
	}
}

type answer struct {
	def   matter.Prefill
	state string // ok, down, empty
	data  map[string]any
	msg   string
	at    time.Time
}

// rounds is how many times the sources are gone over: a source may need what
// an earlier one answered (the contract names the unit).
const rounds = 3

// ask puts the questions of the matter to its sources, those of one round side
// by side.
func (r *Room) ask(ctx context.Context, s *casework.Service, a ident.Actor, c casework.Command) (any, error) {
	snap, err := s.See(ctx, s.DB().Q(), a, c.Case)
	if err != nil {
		return nil, err
	}
	form := snap.Form()
	env := snap.Env()
	env.Actor = map[string]any{"kind": a.Kind, "id": a.PersonID, "org": a.OrgID, "name": a.Name}
	var out []answer
	done := map[string]bool{}
	for range rounds {
		var asked []answer
		for _, p := range snap.M.Prefill {
			if done[p.ID] {
				continue
			}
			args, ready, err := arguments(p, env)
			if err != nil {
				return nil, err
			}
			if !ready {
				continue
			}
			done[p.ID] = true
			asked = append(asked, answer{def: p, data: args})
		}
		if len(asked) == 0 {
			break
		}
		var wg sync.WaitGroup
		for i := range asked {
			wg.Add(1)
			go func() {
				defer wg.Done()
				asked[i] = r.one(ctx, s, a, asked[i].def, asked[i].data)
			}()
		}
		wg.Wait()
		for _, x := range asked {
			if x.state != "ok" {
				continue
			}
			if f, bad := snap.M.Form.Patch(form, into(x)); len(bad) == 0 {
				form = f
			}
		}
		env.Form = form
		out = append(out, asked...)
	}
	return out, nil
}

// arguments evaluates what a source is asked with; it is ready when its
// condition holds and no argument is empty.
func arguments(p matter.Prefill, env matter.Env) (map[string]any, bool, error) {
	if yes, err := matter.True(p.When, env); err != nil || !yes {
		return nil, false, nil //nolint:nilerr // a condition over a field that is not filled yet is "not yet"
	}
	args := map[string]any{}
	for k, e := range p.Args {
		v, err := matter.Eval(e, env)
		if err != nil || v == nil || v == "" {
			return nil, false, nil //nolint:nilerr // likewise
		}
		args[k] = v
	}
	return args, true, nil
}

func (r *Room) one(ctx context.Context, s *casework.Service, a ident.Actor, p matter.Prefill, args map[string]any) answer {
	x := answer{def: p, at: s.DB().Clock().Now()}
	f, ok := r.sources[p.Source]
	if !ok {
		x.state, x.msg = "down", p.Text+"没有接通"
		return x
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := f(ctx, a, args)
	switch {
	case err == nil && data == nil:
		x.state, x.msg = "empty", p.Text+"没有查到记录"
	case err == nil:
		x.state, x.data = "ok", data
	case errs.KindOf(err) == errs.NotFound:
		x.state, x.msg = "empty", p.Text+"没有查到记录"
	default:
		x.state, x.msg = "down", p.Text+"暂时没有回应，可以先填别的，稍后再刷新"
		if e, ok := errs.As(err); ok && e.Kind != errs.Unavailable && e.Kind != errs.Internal {
			x.state, x.msg = "empty", e.Msg
		}
	}
	return x
}

func into(x answer) map[string]any {
	out := map[string]any{}
	for path, key := range x.def.Into {
		if v, ok := x.data[key]; ok {
			out[path] = v
		}
	}
	return out
}

// place puts the answers into the form with their source and time, and keeps
// each as sealed evidence.
func (r *Room) place(ctx context.Context, w *casework.Work, _ casework.Command, prepared any) (any, error) {
	answers, _ := prepared.([]answer)
	if !w.Applicant() {
		return nil, casework.ErrNotYours
	}
	if w.Phase != casework.Draft && w.Phase != casework.Supplement {
		return nil, errs.New(errs.Conflict, "case.not_draft", "已经提交的内容不能再刷新")
	}
	if err := w.LoadMates(ctx); err != nil {
		return nil, err
	}
	for _, x := range answers {
		old := w.Facts[x.def.ID]
		if x.state == "down" && old.State == "ok" {
			old.Msg = x.msg
			w.Facts[x.def.ID] = old // what was known stays, with the word that it could not be refreshed
			continue
		}
		if x.state == "ok" {
			if err := w.Fill(into(x)); err != nil {
				return nil, err
			}
		}
		w.Facts[x.def.ID] = casework.FactMeta{Source: x.def.Source, Text: x.def.Text, At: db.MS(x.at), State: x.state, Lock: x.def.Lock, Msg: x.msg}
		if err := r.keep(ctx, w, x); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (r *Room) keep(ctx context.Context, w *casework.Work, x answer) error {
	b, err := json.Marshal(x.data)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	id := db.NewID()
	sealed, err := r.keys.Seal(ctx, "case", b, []byte(id+"\x00evidence"))
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	_, err = w.Tx.Exec(ctx, `INSERT INTO src_evidence (id, case_id, prefill, source, state, sealed, sm3, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		id, w.ID, x.def.ID, x.def.Source, x.state, base64.RawStdEncoding.EncodeToString(sealed), gm.SM3(b), db.MS(x.at))
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}
