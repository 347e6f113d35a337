// Package will simulates 人脸与双录服务 over the shared world.
package will

import (
	"bytes"
	"fmt"

	"haoban/links/will/wire"
	"haoban/outside/simkit"
)

// New returns the simulator. It passes any picture of more than a few bytes of a
// person it knows by that name; a picture that begins with "另一个人" is another.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "人脸与双录服务", o)
	n := 0
	s.Handle("POST "+wire.PathFace, func(r *simkit.Request) (any, error) {
		var f wire.Face
		if err := r.Decode(&f); err != nil {
			return nil, err
		}
		name, err := s.Open(f.NameEnc)
		if err != nil {
			return nil, err
		}
		id, err := s.Open(f.IDEnc)
		if err != nil {
			return nil, err
		}
		p, ok := s.World.PersonByID(id)
		v := wire.Verdict{Score: 0.31}
		if ok && p.Name == name && len(f.Image) > 8 && !bytes.HasPrefix(f.Image, []byte("另一个人")) {
			v.Pass, v.Score = true, 0.97
		}
		s.Lock(func() { n++; v.Ref = fmt.Sprintf("SIM-FACE-%08d", n) })
		return v, nil
	})
	return s
}
