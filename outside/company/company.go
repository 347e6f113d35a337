// Package company simulates 企业登记信息库 over the shared world.
package company

import (
	"haoban/links/company/wire"
	"haoban/outside/simkit"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "企业登记信息库", o)
	s.Handle("POST "+wire.PathCompany, func(r *simkit.Request) (any, error) {
		var q wire.Query
		if err := r.Decode(&q); err != nil {
			return nil, err
		}
		c, ok := s.World.Company(q.USCC)
		if !ok {
			return nil, simkit.Refuse(wire.CodeUnknown, "没有这家企业")
		}
		rep, err := s.Seal(c.LegalRep.Name)
		if err != nil {
			return nil, err
		}
		a := wire.Answer{Name: c.Name, USCC: c.USCC, LegalRepEnc: rep, State: c.State, Kind: string(c.Kind), IsMicro: c.Micro, Address: c.Address, History: []string{}}
		for _, f := range c.Formers {
			a.History = append(a.History, f.Name)
		}
		return a, nil
	})
	return s
}
