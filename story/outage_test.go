package story_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoban/platform/config"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/story"
)

// partner is one outside system at an address of its own that can stop to
// listen and come back at the same address.
type partner struct {
	t      *testing.T
	mu     sync.Mutex
	addr   string
	face   http.Handler
	server *http.Server
}

func (p *partner) up() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.addr = l.Addr().String()
	p.server = &http.Server{Handler: p.face, ReadHeaderTimeout: 10 * time.Second}
	go func(s *http.Server) { _ = s.Serve(l) }(p.server)
}

// down refuses every connection from now on.
func (p *partner) down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.server.Close()
}

// TestOutage: 市办件库 refuses connections while people go on submitting and the
// business day goes on; nothing is lost, and after its return it is told
// everything once.
func TestOutage(t *testing.T) {
	besiege(t, "N4/outage", dbtest.Engines(), func(act *story.Act, e db.Engine) {
		t := act.T
		away, every := 5*time.Second, 100*time.Millisecond
		if soak() {
			away = time.Minute
		}
		repo := &partner{t: t, addr: "127.0.0.1:0"}
		var face atomic.Pointer[http.Handler]
		repo.face = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*face.Load()).ServeHTTP(w, r) })
		repo.up()
		t.Cleanup(repo.down)
		s := lay(t, e, 1000, 480, func(c *config.Config) {
			l := c.Links["caserepo"]
			l.URL = "http://" + repo.addr + "/caserepo"
			c.Links["caserepo"] = l
		})
		var out http.Handler = s.out
		face.Store(&out)
		all := s.plays(2)
		me := s.person(s.cast.WangQiang.ID)
		s.start(0, "")
		began := time.Now()
		var asked []*play
		var mu sync.Mutex
		var lanes sync.WaitGroup
		submit := func() {
			defer lanes.Done()
			p := &play{query: true}
			mu.Lock()
			asked = append(asked, p)
			mu.Unlock()
			defer func() {
				if x, ok := recover().(stuck); ok {
					t.Error(string(x))
				}
			}()
			s.playQuery(me, p)
		}
		steadily := func(long time.Duration) {
			for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(every) {
				lanes.Add(1)
				go submit()
			}
		}
		steadily(time.Second)
		before := len(asked)
		repo.down()
		var paperwork sync.WaitGroup
		paperwork.Add(1)
		go func() { defer paperwork.Done(); s.lanes(all, 4, func(int) bool { return true }) }()
		for range 10 {
			steadily(away / 10)
			s.advance(time.Minute)
		}
		during := len(asked) - before
		_, toldThen := s.out.Sim("caserepo").Effects("push")
		repo.up()
		back := time.Now()
		steadily(time.Second)
		lanes.Wait()
		paperwork.Wait()
		played := append(asked, all...)
		s.quiet(played, 3*time.Minute)
		t.Logf("%s: away %v and ten minutes of business time; %d submitted before, %d while away, %d plays in all, told %d before its return, all told %v after it, in all %v",
			e, away, before, during, len(played), toldThen, time.Since(back).Round(100*time.Millisecond), time.Since(began).Round(time.Second))
		if during < 10 {
			t.Errorf("only %d submitted while it was away", during)
		}
		s.reckon(played)
		stranger := s.mine[all[1].unit.Owners[0].ID]
		if a := s.send(stranger, "GET", fmt.Sprintf("/cases/%s", asked[0].ids[0]), nil, nil); a.str("code") != "case.not_found" {
			t.Errorf("a stranger sees a case: %d %s", a.status, a.body)
		}
		act.Refused()
		s.stop(0)
	})
}

// playQuery asks for a certificate of what one holds.
func (s *siege) playQuery(me *caller, p *play) {
	id := s.ask(me, "POST", "/cases", map[string]any{"matter": "registry/query-certificate"}).str("id")
	p.ids = []string{id}
	s.ask(me, "POST", "/cases/"+id+"/prefill", map[string]any{})
	s.ask(me, "PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"mode": "mode1", "purpose": "school", "agree": true}})
	s.ask(me, "POST", "/cases/"+id+"/submit", map[string]any{})
}
