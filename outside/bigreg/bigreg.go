// Package bigreg simulates 大登记子系统 over the shared world.
package bigreg

import (
	"haoban/links/bigreg/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "大登记子系统", o)
	b := &book{s: s, moved: map[string]int64{}}
	s.Handle("POST "+wire.PathFacts, b.facts)
	s.Handle("POST "+wire.PathList, b.list)
	s.Handle("POST "+wire.PathEntry, b.entry)
	return s
}

type book struct {
	s     *simkit.Sim
	moved map[string]int64 // entries told, by unit; under Lock
}

func (b *book) facts(r *simkit.Request) (any, error) {
	var q wire.Query
	if err := r.Decode(&q); err != nil {
		return nil, err
	}
	u, ok := b.s.World.Unit(q.Unit)
	if !ok {
		return nil, simkit.Refuse(wire.CodeUnknown, "没有这个不动产单元")
	}
	return b.of(u)
}

func (b *book) list(r *simkit.Request) (any, error) {
	var q wire.ListQuery
	if err := r.Decode(&q); err != nil {
		return nil, err
	}
	out := []wire.Facts{}
	for i := q.From; i < q.From+min(q.Limit, 500) && i < b.s.World.Units(); i++ {
		f, err := b.of(b.s.World.UnitAt(i))
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (b *book) of(u world.Unit) (wire.Facts, error) {
	f := wire.Facts{Unit: u.Code, District: world.Handling, AreaCM: u.AreaCM, Use: u.Usage, Residential: true, Building: u.TitleNo == "", Version: u.Version, Rights: []wire.Right{}}
	b.s.Lock(func() { f.Version += b.moved[u.Code] })
	var err error
	if f.AddressEnc, err = b.s.Seal(u.Address); err != nil {
		return f, err
	}
	if u.TitleNo != "" {
		r := wire.Right{Kind: "ownership", No: u.TitleNo, Common: u.Manner.String()}
		for _, h := range u.Owners {
			x := wire.Holder{Share: h.Share.String()}
			if x.NameEnc, err = b.s.Seal(h.Name); err != nil {
				return f, err
			}
			if x.IDEnc, err = b.s.Seal(h.ID); err != nil {
				return f, err
			}
			r.Holders = append(r.Holders, x)
		}
		f.Rights = append(f.Rights, r)
	}
	for _, x := range []struct {
		kind string
		b    *world.Burden
	}{{"mortgage", u.Mortgage}, {"seizure", u.Seizure}} {
		if x.b == nil {
			continue
		}
		r := wire.Right{Kind: x.kind, No: x.b.Proof, Amount: x.b.Amount, Note: x.b.By}
		if x.b.ByID != "" {
			h := wire.Holder{}
			if h.NameEnc, err = b.s.Seal(x.b.By); err != nil {
				return f, err
			}
			if h.IDEnc, err = b.s.Seal(x.b.ByID); err != nil {
				return f, err
			}
			r.Holders = append(r.Holders, h)
		}
		f.Rights = append(f.Rights, r)
	}
	return f, nil
}

func (b *book) entry(r *simkit.Request) (any, error) {
	var e wire.Entry
	if err := r.Decode(&e); err != nil {
		return nil, err
	}
	u, ok := b.s.World.Unit(e.Unit)
	if !ok {
		return nil, simkit.Refuse(wire.CodeUnknown, "没有这个不动产单元")
	}
	var v int64
	b.s.Lock(func() { b.moved[e.Unit]++; v = u.Version + b.moved[e.Unit] })
	b.s.Effect("entry", r.Key)
	return wire.Ack{Version: v}, nil
}
