// Package land simulates 大土地子系统 over the shared world.
package land

import (
	"haoban/links/land/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "大土地子系统", o)
	s.Handle("POST "+wire.PathParcel, func(r *simkit.Request) (any, error) {
		var q wire.Query
		if err := r.Decode(&q); err != nil {
			return nil, err
		}
		p, ok := s.World.Project(q.Code)
		if !ok {
			return nil, simkit.Refuse(wire.CodeUnknown, "没有这个项目的用地")
		}
		use := "公共管理与公共服务用地"
		if p.Kind != "BUILDING" {
			use = "交通运输用地"
		}
		return wire.Parcel{Parcel: p.Parcel, Place: p.Address, Use: use, AreaM2: p.AreaM2, Supply: p.Supply, Polygon: p.Ring, District: world.Handling}, nil
	})
	return s
}
