// Package sms simulates 短信网关 over the shared world.
package sms

import (
	"fmt"
	"net/http"

	"haoban/links/sms/wire"
	"haoban/outside/simkit"
)

// New returns the simulator. A page at /box?mobile= shows what a phone received.
func New(o simkit.Options) *simkit.Sim {
	s := simkit.New(wire.System, "短信网关", o)
	box := map[string][]string{}
	s.Handle("POST "+wire.PathSend, func(r *simkit.Request) (any, error) {
		var m wire.Message
		if err := r.Decode(&m); err != nil {
			return nil, err
		}
		mobile, err := s.Open(m.MobileEnc)
		if err != nil || len(mobile) != 11 {
			return nil, simkit.Bad("手机号不正确")
		}
		n := s.Effect("sms", m.BizNo)
		s.Lock(func() { box[mobile] = append(box[mobile], "【"+m.Sign+"】"+m.Text) })
		return wire.Sent{MsgID: fmt.Sprintf("SIM-SMS-%s-%d", m.BizNo, n)}, nil
	})
	s.Page("GET /box", func(w http.ResponseWriter, r *http.Request) {
		var got []string
		s.Lock(func() { got = append(got, box[r.URL.Query().Get("mobile")]...) })
		if r.URL.Query().Get("format") == "json" {
			simkit.WriteJSON(w, http.StatusOK, got)
			return
		}
		simkit.WritePage(w, "手机短信", `{{range .}}<p>{{.}}</p>{{else}}<p>没有短信</p>{{end}}`, got)
	})
	return s
}
