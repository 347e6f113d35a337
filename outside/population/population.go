// Package population simulates the city's population services over the shared
// world: persons by name and number, relations, guardians.
package population

import (
	"haoban/links/population/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "市人口库", o)
	p := &register{s}
	s.Handle("POST "+wire.PathPerson, p.person)
	s.Handle("POST "+wire.PathHousehold, p.household)
	s.Handle("POST "+wire.PathGuardian, p.guardian)
	return s
}

type register struct{ sim *simkit.Sim }

func purpose(p wire.Purpose) error {
	if p.Item == "" || p.CaseNo == "" || p.Operator == "" {
		return simkit.Refuse(wire.CodeNoPurpose, "未说明查询事由、办件和查询人，不予提供")
	}
	return nil
}

// find looks a person up by sealed name and number.
func (r *register) find(nameEnc, idEnc string) (world.Person, string, error) {
	name, err := r.sim.Open(nameEnc)
	if err != nil {
		return world.Person{}, "", err
	}
	id, err := r.sim.Open(idEnc)
	if err != nil {
		return world.Person{}, "", err
	}
	p, ok := r.sim.World.PersonByID(id)
	switch {
	case !ok:
		return p, wire.NoRecord, nil
	case p.Name != name:
		return p, wire.Mismatch, nil
	default:
		return p, wire.Match, nil
	}
}

func (r *register) person(q *simkit.Request) (any, error) {
	var in wire.PersonQuery
	if err := q.Decode(&in); err != nil {
		return nil, err
	}
	if err := purpose(in.Purpose); err != nil {
		return nil, err
	}
	p, result, err := r.find(in.NameEnc, in.IDEnc)
	if err != nil || result != wire.Match {
		return wire.Person{Result: result}, err
	}
	out := wire.Person{Result: result, State: "NORMAL", Sex: "女", Birth: p.Born}
	if p.Male {
		out.Sex = "男"
	}
	if p.Died != "" && p.Died <= q.Today() {
		out.State = "DECEASED"
	}
	if out.AddressEnc, err = r.sim.Seal(p.Address); err != nil {
		return nil, err
	}
	if p.Former != "" {
		if out.FormerEnc, err = r.sim.Seal(p.Former); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *register) household(q *simkit.Request) (any, error) {
	var in wire.HouseholdQuery
	if err := q.Decode(&in); err != nil {
		return nil, err
	}
	if err := purpose(in.Purpose); err != nil {
		return nil, err
	}
	a, result, err := r.find(in.NameAEnc, in.IDAEnc)
	if err != nil || result != wire.Match {
		return wire.Household{Result: result}, err
	}
	b, result, err := r.find(in.NameBEnc, in.IDBEnc)
	if err != nil || result != wire.Match {
		return wire.Household{Result: result}, err
	}
	out := wire.Household{Result: wire.Match, Relation: r.sim.World.Relation(a.Index, b.Index)}
	if out.Relation == "前配偶" { // the household register does not tell
		out.Relation = ""
	}
	for _, m := range r.sim.World.Household(a.Index) {
		out.SameBook = out.SameBook || m.Index == b.Index
	}
	return out, nil
}

func (r *register) guardian(q *simkit.Request) (any, error) {
	var in wire.GuardianQuery
	if err := q.Decode(&in); err != nil {
		return nil, err
	}
	if err := purpose(in.Purpose); err != nil {
		return nil, err
	}
	minor, result, err := r.find(in.MinorNameEnc, in.MinorIDEnc)
	if err != nil {
		return nil, err
	}
	if result != wire.Match {
		return wire.Guardian{Basis: "未成年人信息核验未通过"}, nil
	}
	g, result, err := r.find(in.GuardianNameEnc, in.GuardianIDEnc)
	if err != nil {
		return nil, err
	}
	if result != wire.Match {
		return wire.Guardian{Basis: "监护人信息核验未通过"}, nil
	}
	if minor.Adult(q.Today()) {
		return wire.Guardian{Basis: "已年满十八周岁"}, nil
	}
	for _, p := range r.sim.World.Guardians(minor.Index, q.Today()) {
		if p.Index == g.Index {
			return wire.Guardian{Match: true, Basis: "出生登记"}, nil
		}
	}
	return wire.Guardian{Basis: "未查到监护关系"}, nil
}
