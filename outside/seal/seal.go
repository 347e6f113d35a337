// Package seal simulates CA 我的签章 over the shared world.
package seal

import (
	"haoban/links/seal/wire"
	"haoban/outside/simkit"
)

// New returns the simulator: every organisation and every person in the world
// has a seal.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "CA 我的签章", o)
	has := func(enc string) (string, bool, error) {
		id, err := s.Open(enc)
		if err != nil {
			return "", false, err
		}
		if _, ok := s.World.Company(id); ok {
			return id, true, nil
		}
		_, ok := s.World.PersonByID(id)
		return id, ok, nil
	}
	s.Handle("POST "+wire.PathSeals, func(r *simkit.Request) (any, error) {
		var q wire.Query
		if err := r.Decode(&q); err != nil {
			return nil, err
		}
		_, ok, err := has(q.SubjectEnc)
		if err != nil || !ok {
			return wire.Seal{}, err
		}
		return wire.Seal{Has: true, Issuer: "模拟CA", Serial: "SIM-CA-1", Until: "2028-12-31", State: "VALID"}, nil
	})
	s.Handle("POST "+wire.PathSign, func(r *simkit.Request) (any, error) {
		var t wire.Task
		if err := r.Decode(&t); err != nil {
			return nil, err
		}
		_, ok, err := has(t.SubjectEnc)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, simkit.Refuse(wire.CodeNoSeal, "没有可用的签章，请先到“我的签章”设置")
		}
		s.Effect("sign", r.Key)
		return wire.Done{TaskID: "SIM-SIGN-" + r.Key[:min(16, len(r.Key))]}, nil
	})
	return s
}
