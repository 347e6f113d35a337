package story_test

import (
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"haoban/app"
	"haoban/casework"
	"haoban/outside/simkit"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/job"
	"haoban/story"
)

func jobPage() job.Page { return job.Page{Limit: 5} }

// soak makes the kill tests long: HAOBAN_SOAK=1.
func soak() bool { return os.Getenv("HAOBAN_SOAK") != "" }

// measure is how much a kill test plays and how often it kills.
func measure() (pairs, kills, size, fill int) {
	if soak() {
		return 200, 30, 8000, 5 * 240
	}
	return 12, 6, 1000, 480
}

// points are where a server dies besides at random.
func points(servers int) []string {
	if servers > 1 { // the others would come to it as well
		return nil
	}
	return []string{casework.FailCommitted, app.FailUpload, app.FailJob, app.FailCallback}
}

// besiege runs fn as acceptance test ids on an engine of its own.
func besiege(t *testing.T, ids string, engines []db.Engine, fn func(a *story.Act, e db.Engine)) {
	t.Helper()
	l, err := story.OpenLedger()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) {
			l.Run(t, ids, string(e), func(a *story.Act) { fn(a, e) })
		})
	}
}

// TestKilledServer: a server is killed again and again under load, at random
// and at the named points; nothing acknowledged is lost, nothing is done twice.
func TestKilledServer(t *testing.T) {
	besiege(t, "N4/kill", dbtest.Engines(), func(act *story.Act, e db.Engine) { assault(act, e, 1) })
}

// TestThreeServers: three servers over one database, one dying while two serve.
func TestThreeServers(t *testing.T) {
	besiege(t, "N4/three", []db.Engine{db.Postgres}, func(act *story.Act, e db.Engine) { assault(act, e, 3) })
}

func assault(act *story.Act, e db.Engine, servers int) {
	t := act.T
	pairs, kills, size, fill := measure()
	began := time.Now()
	s := lay(t, e, size, fill, nil)
	all := s.plays(2 * pairs)
	seed := uint64(began.UnixNano()) //nolint:gosec // a seed
	t.Logf("seed %d", seed)
	for n := range servers {
		s.start(n, "")
	}
	over := make(chan struct{})
	var done, named, random atomic.Int64
	rained, dead := make(chan struct{}), make(chan struct{})
	go func() { defer close(rained); s.rain(rand.New(rand.NewPCG(seed, 1)), over) }() //nolint:gosec // no secret
	go func() {
		defer close(dead)
		s.reap(rand.New(rand.NewPCG(seed, 2)), servers, over, &named, &random) //nolint:gosec // no secret
	}()
	load := time.Now()
	played := s.lanes(all, 6, func(n int) bool {
		done.Store(int64(n))
		return n < 2*pairs || int(named.Load()) < len(points(servers)) || int(random.Load()) < kills
	})
	close(over)
	<-rained
	<-dead
	if !t.Failed() {
		s.quiet(played, 3*time.Minute)
	}
	t.Logf("%s, %d servers, seed %d: %d plays, %d commands acknowledged, %d requests sent again, killed %d times at random and %d at named points, load %v, in all %v, odd answers %v",
		e, servers, seed, len(played), s.acks.Load(), s.again.Load(), random.Load(), named.Load(), time.Since(load).Round(time.Second), time.Since(began).Round(time.Second), s.odd)
	if int(random.Load()) < kills || int(named.Load()) < len(points(servers)) {
		t.Errorf("killed only %d and %d times", random.Load(), named.Load())
	}
	s.reckon(played)
	if !t.Failed() {
		s.refused(act, played)
	}
	for n := range servers {
		s.stop(n)
	}
}

// rain makes partners come and go until over, then leaves fair weather.
func (s *siege) rain(r *rand.Rand, over chan struct{}) {
	systems := []string{"pay", "caserepo", "bigreg", "sms", "licence", "housing"}
	kinds := []simkit.Weather{{Mode: simkit.Down}, {Mode: simkit.Flaky}, {Mode: simkit.Lost, Rate: 0.5}, {Mode: simkit.Faulty, Rate: 0.5}, {Mode: simkit.Twice}, {Mode: simkit.Twice}}
	for {
		sim, w := s.out.Sim(systems[r.IntN(len(systems))]), kinds[r.IntN(len(kinds))]
		if err := sim.SetWeather(w); err != nil {
			s.t.Error(err)
		}
		enough := false
		select {
		case <-over:
			enough = true
		case <-time.After(time.Duration(200+r.IntN(900)) * time.Millisecond):
		}
		if sim.System == "pay" {
			w = simkit.Weather{Mode: simkit.Twice} // all news of payments comes twice at least
		} else {
			w = simkit.Weather{}
		}
		if err := sim.SetWeather(w); err != nil {
			s.t.Error(err)
		}
		if enough {
			return
		}
	}
}

// reap kills servers until over and starts each again at once: in turn at a
// named point and at random.
func (s *siege) reap(r *rand.Rand, servers int, over chan struct{}, named, random *atomic.Int64) {
	todo := points(servers)
	for {
		n := r.IntN(servers)
		select {
		case <-over:
			return
		case <-s.at(n).dead:
		case <-time.After(time.Duration(50+r.IntN(900)) * time.Millisecond):
		}
		if s.t.Failed() {
			return
		}
		s.kill(n)
		random.Add(1)
		if len(todo) == 0 {
			s.start(n, "")
			continue
		}
		point := todo[0]
		s.start(n, point)
		select {
		case <-s.at(n).dead: // it came to the point
			s.front.set(n, "")
			named.Add(1)
			todo = todo[1:]
			s.start(n, "")
		case <-over:
			s.kill(n)
			s.start(n, "")
			return
		case <-time.After(15 * time.Second):
			todo = append(todo[1:], point) // try another first
		}
	}
}

// refused asserts that what happened once cannot happen again.
func (s *siege) refused(act *story.Act, played []*play) {
	for _, p := range played {
		if p.bundle {
			continue
		}
		me := s.mine[p.unit.Owners[0].ID]
		a := s.send(me, "POST", "/cases/"+p.ids[0]+"/fee/order", nil, nil)
		if a.status/100 == 2 || a.str("code") != "fee.paid" {
			s.t.Errorf("a second order of a paid fee: %d %s", a.status, a.body)
		}
		head := map[string]string{"Content-Type": "application/json"}
		one, err := s.once(me, "siege-the-same-key", "POST", "/cases", []byte(`{"matter":"registry/reissue"}`), head)
		if err != nil || one.status/100 != 2 {
			s.t.Fatalf("open: %d %s %v", one.status, one.body, err)
		}
		two, err := s.once(me, "siege-the-same-key", "POST", "/cases", []byte(`{"matter":"registry/query-certificate"}`), head)
		if err != nil || two.str("code") != "idem.body" {
			s.t.Errorf("the same key with another body: %d %s %v", two.status, two.body, err)
		}
		same, err := s.once(me, "siege-the-same-key", "POST", "/cases", []byte(`{"matter":"registry/reissue"}`), head)
		if err != nil || same.str("id") != one.str("id") {
			s.t.Errorf("the same key with the same body: %d %s %v", same.status, same.body, err)
		}
		s.ask(me, "POST", "/cases/"+one.str("id")+"/verbs/discard", map[string]any{})
		act.Refused()
		return
	}
}
