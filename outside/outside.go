// Package outside is every simulated outside system as one http.Handler over
// one shared world: each at /{system}/, with weather and journal for testers at
// /_sim/{system}/. It is never part of a production binary.
package outside

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"haoban/outside/assist"
	"haoban/outside/bigreg"
	"haoban/outside/caserepo"
	"haoban/outside/company"
	"haoban/outside/fryzt"
	"haoban/outside/housing"
	"haoban/outside/invest"
	"haoban/outside/land"
	"haoban/outside/licence"
	"haoban/outside/marriage"
	"haoban/outside/pay"
	"haoban/outside/population"
	"haoban/outside/seal"
	"haoban/outside/simkit"
	"haoban/outside/sms"
	"haoban/outside/ssb"
	"haoban/outside/will"
	"haoban/outside/world"
	"haoban/outside/ywtb"
	"haoban/platform/clock"
)

// Options says where haoban is and what is shared with it.
type Options = simkit.Options

// makers lists every simulated system. A new one adds its line.
func makers() []func(simkit.Options) *simkit.Sim {
	return []func(simkit.Options) *simkit.Sim{
		caserepo.New,
		pay.New,
		population.New,
		assist.New,
		bigreg.New,
		company.New,
		fryzt.New,
		housing.New,
		invest.New,
		land.New,
		licence.New,
		marriage.New,
		seal.New,
		sms.New,
		ssb.New,
		will.New,
		ywtb.New,
	}
}

// Outside is the whole outside world. Close ends the callbacks under way.
type Outside struct {
	World *world.World
	sims  []*simkit.Sim
	mux   *http.ServeMux
}

// New returns the outside over w. A nil Clock is the wall's, a nil Log is
// silent.
func New(w *world.World, o Options) *Outside {
	o.World = w
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	out := &Outside{World: w, mux: http.NewServeMux()}
	for _, make := range makers() {
		s := make(o)
		out.sims = append(out.sims, s)
		out.mux.Handle("/"+s.System+"/", s)
		out.mux.HandleFunc("/_sim/"+s.System+"/", s.ServeControl)
	}
	slices.SortFunc(out.sims, func(a, b *simkit.Sim) int { return strings.Compare(a.System, b.System) })
	out.mux.HandleFunc("GET /{$}", out.index)
	out.mux.HandleFunc("GET /_sim/{$}", out.all)
	return out
}

// ServeHTTP serves all systems.
func (o *Outside) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.mux.ServeHTTP(w, r) }

// Sim returns the simulator of a system, nil if there is none.
func (o *Outside) Sim(system string) *simkit.Sim {
	for _, s := range o.sims {
		if s.System == system {
			return s
		}
	}
	return nil
}

// Systems returns the short names of all systems, in order.
func (o *Outside) Systems() []string {
	out := make([]string, len(o.sims))
	for i, s := range o.sims {
		out[i] = s.System
	}
	return out
}

// Close ends callbacks under way and waits for them.
func (o *Outside) Close() {
	for _, s := range o.sims {
		s.Close()
	}
}

func (o *Outside) index(w http.ResponseWriter, _ *http.Request) {
	simkit.WritePage(w, "外部系统", `<p>以下系统均为模拟，供演示和测试使用；每个系统的天气（故障）和日志在 <code>/_sim/</code> 下。</p>
<table><tr><th>系统</th><th>路径</th><th>日志</th></tr>
{{range .}}<tr><td>{{.Name}}</td><td><a href="/{{.System}}/">/{{.System}}/</a></td><td><a href="/_sim/{{.System}}/journal">journal</a></td></tr>{{end}}</table>`, o.sims)
}

// all tells every system's counters in one answer: what a kill test reads.
func (o *Outside) all(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(simkit.Header, "simulated; no authority stands behind this")
	out := make(map[string]simkit.Journal, len(o.sims))
	for _, s := range o.sims {
		j := s.Journal()
		j.Entries = nil
		out[s.System] = j
	}
	simkit.WriteJSON(w, http.StatusOK, out)
}
