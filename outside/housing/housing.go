// Package housing simulates 房管局网签与预售系统 over the shared world.
package housing

import (
	"haoban/links/housing/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "房管局网签与预售系统", o)
	h := &office{s}
	s.Handle("POST "+wire.PathContract, h.contract)
	s.Handle("POST "+wire.PathLoan, h.loan)
	s.Handle("POST "+wire.PathPermit, h.covers)
	s.Handle("POST "+wire.PathRegistered, func(r *simkit.Request) (any, error) {
		var in wire.Registered
		if err := r.Decode(&in); err != nil {
			return nil, err
		}
		s.Effect("registered", r.Key)
		return struct{}{}, nil
	})
	return s
}

type office struct{ s *simkit.Sim }

func (h *office) contract(r *simkit.Request) (any, error) {
	var q wire.Query
	if err := r.Decode(&q); err != nil {
		return nil, err
	}
	k, ok := h.s.World.PresaleContract(q.No)
	if !ok {
		return nil, simkit.Refuse(wire.CodeUnknown, "没有这份预售合同")
	}
	a := wire.Contract{No: k.No, State: string(k.State), Unit: k.Unit, District: world.Handling, AreaCM: k.AreaCM, Price: k.Price, PermitNo: k.Permit,
		InPermit: h.inPermit(k.Permit, k.Unit), Common: k.Manner.String()}
	if len(k.Seller) > 0 {
		a.DeveloperName, a.DeveloperUSCC = k.Seller[0].Name, k.Seller[0].ID
	}
	var err error
	if a.AddressEnc, err = h.s.Seal(k.Address); err != nil {
		return nil, err
	}
	for _, b := range k.Buyers {
		p := wire.Party{Share: b.Share.String()}
		mobile := ""
		if w, ok := h.s.World.PersonByID(b.ID); ok {
			mobile = w.Mobile
		}
		for _, f := range []struct {
			plain string
			into  *string
		}{{b.Name, &p.NameEnc}, {b.ID, &p.IDEnc}, {mobile, &p.MobileEnc}} {
			if *f.into, err = h.s.Seal(f.plain); err != nil {
				return nil, err
			}
		}
		a.Buyers = append(a.Buyers, p)
	}
	return a, nil
}

func (h *office) inPermit(permit, unit string) bool {
	p, ok := h.s.World.Permit(permit)
	if !ok {
		return false
	}
	u, ok := h.s.World.Unit(unit)
	return ok && p.Covers(u)
}

func (h *office) loan(r *simkit.Request) (any, error) {
	var q wire.Query
	if err := r.Decode(&q); err != nil {
		return nil, err
	}
	l, ok := h.s.World.Loan(q.No)
	if !ok {
		return nil, simkit.Refuse(wire.CodeUnknown, "没有这份贷款合同")
	}
	return wire.Loan{No: l.No, Contract: l.Contract, Amount: l.Amount, From: l.From, To: l.To, Restrict: l.NoTransfer, BankName: l.BankName, BankUSCC: l.Bank}, nil
}

func (h *office) covers(r *simkit.Request) (any, error) {
	var q wire.PermitQuery
	if err := r.Decode(&q); err != nil {
		return nil, err
	}
	a := wire.Covered{}
	u, ok := h.s.World.Unit(q.Unit)
	if !ok {
		return a, nil
	}
	switch d := h.s.World.Development(u.Dev); {
	case d.Developer != q.USCC:
	case d.Stage == world.NewBuilt: // its 大产证 is for every room
		a.Covered = true
	case d.Stage == world.Presale && h.inPermit(d.Permit, q.Unit):
		a = wire.Covered{Covered: true, Permit: d.Permit}
	}
	return a, nil
}
