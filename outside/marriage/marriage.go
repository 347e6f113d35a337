// Package marriage simulates 全国婚姻库 over the shared world.
package marriage

import (
	"haoban/links/marriage/wire"
	"haoban/outside/simkit"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "全国婚姻库", o)
	s.Handle("POST "+wire.PathMarriage, func(r *simkit.Request) (any, error) {
		var q wire.Query
		if err := r.Decode(&q); err != nil {
			return nil, err
		}
		a, err := s.Open(q.IDAEnc)
		if err != nil {
			return nil, err
		}
		b, err := s.Open(q.IDBEnc)
		if err != nil {
			return nil, err
		}
		m := s.World.Marriage(a, b)
		return wire.Answer{Status: string(m.State), RegNo: m.RegNo, RegDate: m.Date, Org: m.RegName}, nil
	})
	return s
}
