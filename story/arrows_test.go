package story_test

import (
	"net/url"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/app"
	"haoban/platform/db"
	"haoban/story"
)

// walked gathers the arrows of several houses.
type walked struct {
	mu   sync.Mutex
	took map[string]bool
}

func (w *walked) take(h *house) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range h.arrows {
		w.took[k] = true
	}
}

// TestEveryArrow drives every matter through all outcomes and fails naming each
// arrow of a process that no case took.
func TestEveryArrow(t *testing.T) {
	t.Parallel()
	lite(t, "R2.6/arrows P1.1/arrows", func(act *story.Act) {
		w := &walked{took: map[string]bool{}}
		var every []string
		t.Run("houses", func(t *testing.T) {
			t.Run("as it is", func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, db.SQLite)
				for _, m := range h.app.Service.Matters() {
					for _, f := range m.Flow.Flows() {
						every = append(every, m.Slug+" "+f.ID)
					}
				}
				deemed(act, h)
				bundleArrows(h)
				reissueArrows(act, h)
				opinionArrows(act, h)
				queryArrows(h)
				w.take(h)
			})
			t.Run("one level, no fee", func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, db.SQLite, func(o *app.Options) { o.Settings = map[string]string{"approval.levels": "1", "fee.F12": "0"} })
				me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
				id := toLevel1(h, me)
				h.official("zhougang").task(id, "level1", map[string]any{"outcome": "pass"})
				h.official("fengwen").task(id, "print", map[string]any{"outcome": "pass"})
				jing := h.citizen(h.cast.ChenJing)
				free := h.reissue(act, jing)
				h.official("zhaomin").task(free, "receive", map[string]any{"outcome": "accept"})
				h.official("wanghui").task(free, "examine", map[string]any{"outcome": "pass"})
				jing.no(act, "fee.none", "POST", "/cases/"+free+"/fee/order", nil)
				h.official("lidong").task(free, "book", map[string]any{"outcome": "pass"})
				h.until("closed", func() bool { return jing.phase(free) == "closed" })
				w.take(h)
			})
			t.Run("two levels", func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, db.SQLite, func(o *app.Options) {
					o.Settings = map[string]string{"approval.levels.permit/land-opinion": "2"}
				})
				me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
				id := toLevel1(h, me)
				h.official("zhougang").task(id, "level1", map[string]any{"outcome": "pass"})
				h.official("wufang").task(id, "level2", map[string]any{"outcome": "pass"})
				h.official("fengwen").task(id, "print", map[string]any{"outcome": "pass"})
				w.take(h)
			})
		})
		if t.Failed() {
			return
		}
		sort.Strings(every)
		if len(every) < 80 {
			t.Errorf("only %d arrows", len(every))
		}
		for _, a := range every {
			if !w.took[a] {
				t.Errorf("no case took %s", a)
			}
		}
	})
}

// deemed lets the windows stay silent and then refuses every case: 视为受理.
func deemed(act *story.Act, h *house) {
	h.t.Helper()
	p, jing := h.parties(), h.citizen(h.cast.ChenJing)
	me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
	one, two := p.submit()
	re := h.reissue(act, jing)
	op := h.opinion(me)
	h.clock.Advance(24 * time.Hour)
	h.until("registration is deemed accepted the same day", func() bool {
		return p.ming.phase(one) == "handling" && p.ming.phase(two) == "handling" && jing.phase(re) == "handling"
	})
	if got := me.phase(op); got != "submitted" {
		h.t.Fatalf("the opinion counts as accepted after one day: %s", got)
	}
	h.clock.Advance(8 * 24 * time.Hour)
	h.until("the opinion is deemed accepted", func() bool { return me.phase(op) == "handling" })
	examiner := h.official("wanghui")
	no := map[string]any{"outcome": "refuse", "opinion": "不符合登记条件"}
	task, _ := examiner.open(one, "examine")
	examiner.no(act, "reason.missing", "POST", "/tasks/"+task+"/complete", map[string]any{"outcome": "refuse"})
	examiner.task(one, "examine", no)
	examiner.task(two, "examine", no)
	examiner.task(re, "examine", no)
	h.official("zhougang").task(op, "prereview", map[string]any{"outcome": "refuse", "opinion": "不符合规划"})
	for _, x := range []struct {
		who *caller
		id  string
	}{{p.ming, one}, {p.ming, two}, {jing, re}, {me, op}} {
		if got := x.who.phase(x.id); got != "stopped" {
			h.t.Errorf("refused, and yet %s", got)
		}
	}
}

// bundleArrows rejects one bundle, and enters another whose units 大登记 moves
// under the registrar's hand, each once.
func bundleArrows(h *house) {
	h.t.Helper()
	window, examiner, registrar := h.official("zhaomin"), h.official("wanghui"), h.official("lidong")
	p := h.parties()
	one, two := p.submit()
	window.task(one, "receive", map[string]any{"outcome": "reject", "opinion": "不属于本机构", "together": true})
	if a, b := p.ming.phase(one), p.ming.phase(two); a != "stopped" || b != "stopped" {
		h.t.Fatalf("rejected together: %s, %s", a, b)
	}
	one, two = p.submit()
	window.task(one, "receive", map[string]any{"outcome": "accept", "together": true})
	pass := map[string]any{"outcome": "pass"}
	for _, id := range []string{one, two} {
		examiner.task(id, "examine", pass)
		h.moveRegister(h.cast.Presale.Unit)
		registrar.task(id, "book", pass)
		h.until("the moved register sends it back to examination", func() bool {
			task, _ := examiner.open(id, "examine")
			return task != ""
		})
		examiner.task(id, "examine", pass)
		registrar.task(id, "book", pass)
		h.until("entered", func() bool { return p.ming.phase(id) == "closed" })
		h.until("大登记 was told", func() bool { k, _ := h.out.Sim("bigreg").Effects("entry"); return k >= 2 })
	}
}

func reissueArrows(act *story.Act, h *house) {
	h.t.Helper()
	window, examiner, registrar := h.official("zhaomin"), h.official("wanghui"), h.official("lidong")
	me := h.citizen(h.cast.ChenJing)
	id := h.reissue(act, me)
	window.task(id, "receive", map[string]any{"outcome": "reject", "opinion": "不属于本机构"})
	id = h.reissue(act, me)
	window.task(id, "receive", map[string]any{"outcome": "accept"})
	examiner.task(id, "examine", map[string]any{"outcome": "pass"})
	h.pay(me, id)
	h.until("paid", func() bool { return me.phase(id) == "handling" })
	registrar.task(id, "book", map[string]any{"outcome": "pass"})
	h.until("closed", func() bool { return me.phase(id) == "closed" })
}

// toLevel1 brings an opinion before the first approval.
func toLevel1(h *house, me *caller) string {
	h.t.Helper()
	id := h.opinion(me)
	h.official("qianyu").task(id, "receive", map[string]any{"outcome": "accept"})
	handler := h.official("zhougang")
	handler.task(id, "prereview", map[string]any{"outcome": "pass"})
	handler.task(id, "review", map[string]any{"outcome": "pass", "opinion": "符合规划"})
	return id
}

func opinionArrows(act *story.Act, h *house) {
	h.t.Helper()
	window, handler, division, leader := h.official("qianyu"), h.official("zhougang"), h.official("wufang"), h.official("zhengju")
	pass, no := map[string]any{"outcome": "pass"}, map[string]any{"outcome": "refuse", "opinion": "不符合规划"}
	me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
	id := h.opinion(me)
	task, _ := window.open(id, "receive")
	window.no(act, "reason.missing", "POST", "/tasks/"+task+"/complete", map[string]any{"outcome": "reject"})
	window.task(id, "receive", map[string]any{"outcome": "reject", "opinion": "不属于本机构"})

	id = h.opinion(me) // refused in review, after a consultation
	window.task(id, "receive", map[string]any{"outcome": "accept"})
	handler.task(id, "prereview", pass)
	handler.ok("POST", "/cases/"+id+"/consultations", map[string]any{"depts": []string{"SIM-310000-JT"}, "content": "请就选址提意见", "days": 5})
	h.until("asked", func() bool { n, _ := h.out.Sim("assist").Effects("start"); return n == 1 })
	handler.task(id, "review", map[string]any{"outcome": "consult"})
	h.post("/assist/desk/SIM-XZ-000001/reply", url.Values{"opinion": {"DISAGREE"}, "text": {"影响道路红线"}})
	h.until("replied", func() bool { task, _ := handler.open(id, "review"); return task != "" })
	if v := me.ok("GET", "/cases/"+id, nil); !strings.Contains(string(v.body), "不同意") {
		h.t.Errorf("the reply is not shown: %s", v.body)
	}
	handler.task(id, "review", no)

	id = toLevel1(h, me)
	handler.task(id, "level1", no)
	id = toLevel1(h, me)
	handler.task(id, "level1", pass)
	division.task(id, "level2", no)
	id = toLevel1(h, me)
	handler.task(id, "level1", pass)
	division.task(id, "level2", pass)
	leader.task(id, "level3", no)
	id = toLevel1(h, me)
	handler.task(id, "level1", pass)
	division.task(id, "level2", pass)
	leader.task(id, "level3", pass)
	h.official("fengwen").task(id, "print", pass)
	dispatcher := h.official("chenfa")
	h.until("made", func() bool { task, _ := dispatcher.open(id, "dispatch"); return task != "" })
	dispatcher.task(id, "dispatch", pass)
	h.until("closed", func() bool { return me.phase(id) == "closed" })
}

func queryArrows(h *house) {
	h.t.Helper()
	none(h.t, h)
}
