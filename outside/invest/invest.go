// Package invest simulates 投资项目在线审批监管平台 over the shared world.
package invest

import (
	"haoban/links/invest/wire"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

// New returns the simulator.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "投资项目在线审批监管平台", o)
	s.Handle("POST "+wire.PathProject, func(r *simkit.Request) (any, error) {
		var q wire.Query
		if err := r.Decode(&q); err != nil {
			return nil, err
		}
		p, ok := s.World.Project(q.Code)
		if !ok || !p.Approval.Verified {
			return nil, simkit.Refuse(wire.CodeUnknown, "项目代码未通过核验")
		}
		return wire.Project{Code: p.Code, Name: p.Name, Builder: p.Builder, ApprovalNo: p.Approval.DocNo, ApprovalOrg: p.Approval.Org,
			ApprovedAt: p.Approval.Date, InvestWan: p.Approval.Invest, Address: p.Address,
			District: world.Handling}, nil
	})
	s.Handle("POST "+wire.PathResult, func(r *simkit.Request) (any, error) {
		var in wire.Result
		if err := r.Decode(&in); err != nil {
			return nil, err
		}
		s.Effect("result", r.Key)
		return struct{}{}, nil
	})
	return s
}
