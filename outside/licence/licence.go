// Package licence simulates 市电子证照库 over the shared world.
package licence

import (
	"fmt"

	"haoban/links/licence/wire"
	"haoban/outside/simkit"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "市电子证照库", o)
	n := 0
	s.Handle("POST "+wire.PathIssue, func(r *simkit.Request) (any, error) {
		var l wire.Licence
		if err := r.Decode(&l); err != nil {
			return nil, err
		}
		if _, err := s.Open(l.HolderEnc); err != nil || l.No == "" {
			return nil, simkit.Bad("证照编号或持证人不正确")
		}
		s.Effect("issue", l.No)
		id := ""
		s.Lock(func() { n++; id = fmt.Sprintf("SIM-ZZ-%08d", n) })
		return wire.Filed{Identifier: id}, nil
	})
	s.Handle("POST "+wire.PathRevoke, func(r *simkit.Request) (any, error) {
		var v wire.Revocation
		if err := r.Decode(&v); err != nil {
			return nil, err
		}
		s.Effect("revoke", v.No)
		return struct{}{}, nil
	})
	return s
}
