package story_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/story"
)

// TestSupplement: 补正 before and after acceptance. The clock has not begun or
// does not stop; only what was named may be brought, until it is closed.
func TestSupplement(t *testing.T) {
	t.Parallel()
	engines(t, "R2.6/supplement", func(act *story.Act, h *house) {
		t := act.T
		p := h.parties()
		first, second := p.submit()
		window, examiner := h.official("zhaomin"), h.official("wanghui")
		ask := map[string]any{"reason": "请补购房付款凭证", "items": []any{map[string]any{"node": "other", "name": "付款凭证"}}}
		up := func(node string) map[string]any {
			return map[string]any{"caseId": first, "node": node, "name": "a.pdf", "size": 30, "mime": "application/pdf"}
		}
		window.no(act, "reason.missing", "POST", "/cases/"+first+"/verbs/supplement", map[string]any{"items": ask["items"]})
		window.no(act, "supplement.items", "POST", "/cases/"+first+"/verbs/supplement", map[string]any{"reason": "缺材料"})
		window.no(act, "supplement.node", "POST", "/cases/"+first+"/verbs/supplement", map[string]any{"reason": "缺", "items": []any{map[string]any{"node": "nothing"}}})
		examiner.no(act, "case.forbidden", "POST", "/cases/"+first+"/verbs/supplement", ask)
		p.ming.no(act, "material.closed", "POST", "/uploads", up("other"))
		window.verb(first, "supplement", ask)
		window.no(act, "supplement.open", "POST", "/cases/"+first+"/verbs/supplement", ask)
		task, _ := window.open(first, "receive")
		window.no(act, "case.supplementing", "POST", "/tasks/"+task+"/complete", map[string]any{"outcome": "accept"})
		v := p.ming.ok("GET", "/cases/"+first, nil)
		if v.str("phase") != "supplement" || strings.HasPrefix(v.str("clock.dueDay"), "20") {
			t.Errorf("before acceptance: %s, clock %v", v.str("phase"), v.m["clock"])
		}
		p.ming.no(act, "material.closed", "POST", "/uploads", up("application"))
		p.ming.no(act, "supplement.missing", "POST", "/cases/"+first+"/verbs/supplemented", map[string]any{})
		h.clock.Advance(24 * time.Hour)
		h.until("the other one is deemed accepted", func() bool { return p.ming.phase(second) == "handling" })
		if got := p.ming.phase(first); got != "supplement" {
			t.Fatalf("told in time, and yet %s", got)
		}
		p.ming.upload(first, "other", "付款凭证.pdf", "application/pdf", pdf(300))
		p.ting.no(act, "case.forbidden", "POST", "/cases/"+first+"/verbs/supplemented", map[string]any{})
		p.ming.verb(first, "supplemented", map[string]any{})
		p.ming.no(act, "material.closed", "POST", "/uploads", up("other"))
		time.Sleep(1500 * time.Millisecond) // the timers have looked again
		if got := p.ming.phase(first); got != "submitted" {
			t.Fatalf("the day of the window is not given back: %s", got)
		}
		window.task(first, "receive", map[string]any{"outcome": "accept"})

		due := p.ming.ok("GET", "/cases/"+first, nil).str("clock.dueDay")
		examiner.verb(first, "supplement", ask)
		v = p.ming.ok("GET", "/cases/"+first, nil)
		if v.str("phase") != "supplement" || v.str("clock.dueDay") != due || get(v.m, "clock.paused") == true {
			t.Errorf("after acceptance: %s, due %s, clock %v", v.str("phase"), due, v.m["clock"])
		}
		examiner.no(act, "reason.missing", "POST", "/cases/"+first+"/verbs/unsupplement", map[string]any{})
		window.no(act, "case.forbidden", "POST", "/cases/"+first+"/verbs/unsupplement", map[string]any{"reason": "不用了"})
		examiner.verb(first, "unsupplement", map[string]any{"reason": "已从银行核到"})
		p.ming.no(act, "material.closed", "POST", "/uploads", up("other"))
		examiner.no(act, "case.phase", "POST", "/cases/"+first+"/verbs/unsupplement", map[string]any{"reason": "不用了"})
		if got := p.ming.phase(first); got != "handling" {
			t.Errorf("taken back: %s", got)
		}
		examiner.verb(first, "supplement", ask)
		p.ming.verb(first, "withdraw", map[string]any{"reason": "不办了"})
		p.ming.no(act, "material.closed", "POST", "/uploads", up("other"))
		if a, b := p.ming.phase(first), p.ming.phase(second); a != "stopped" || b != "stopped" {
			t.Errorf("withdrawn: %s, %s", a, b)
		}
	})
}

// TestGivenBack: 退回 cancels what ran, names it, and the steps are done again;
// after the decision nothing goes back.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	engines(t, "P1.1/return", func(act *story.Act, h *house) {
		t := act.T
		me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
		id := toLevel1(h, me)
		handler, division, leader := h.official("zhougang"), h.official("wufang"), h.official("zhengju")
		pass := map[string]any{"outcome": "pass"}
		handler.task(id, "level1", pass)
		task, _ := division.open(id, "level2")
		back := func(to, reason string) map[string]any {
			return map[string]any{"task": task, "to": to, "reason": reason}
		}
		division.no(act, "reason.missing", "POST", "/cases/"+id+"/verbs/return", back("review", " "))
		division.no(act, "return.target", "POST", "/cases/"+id+"/verbs/return", back("dispatch", "重审"))
		division.no(act, "return.target", "POST", "/cases/"+id+"/verbs/return", back("nothing", "重审"))
		handler.no(act, "task.not_found", "POST", "/cases/"+id+"/verbs/return", back("review", "重审"))
		division.verb(id, "return", back("review", "规模前后不一致"))
		if x, _ := division.open(id, "level2"); x != "" {
			t.Error("the step that gave back is still open")
		}
		division.no(act, "task.over", "POST", "/tasks/"+task+"/complete", pass)
		if v := me.ok("GET", "/cases/"+id, nil); !strings.Contains(string(v.body), "退回到 审理") || !strings.Contains(string(v.body), "规模前后不一致") {
			t.Errorf("the return is not told: %s", v.body)
		}
		handler.task(id, "review", pass)
		handler.task(id, "level1", pass)
		again, _ := division.open(id, "level2")
		if again == "" || again == task {
			t.Fatalf("the step is not done again: %s", again)
		}
		division.task(id, "level2", pass)
		leader.task(id, "level3", pass)
		printer := h.official("fengwen")
		task, _ = printer.open(id, "print")
		printer.no(act, "return.final", "POST", "/cases/"+id+"/verbs/return", back("review", "重审"))
		leader.no(act, "takeback.final", "POST", "/cases/"+id+"/verbs/takeback", map[string]any{"reason": "手误"})
	})
}

// TestHands: 领取, 放回, 转办, 会签, 加签 and 撤回 among colleagues.
func TestHands(t *testing.T) {
	t.Parallel()
	engines(t, "R2.6/hands", func(act *story.Act, h *house) {
		t := act.T
		p := h.parties()
		first, _ := p.submit()
		hui, lei, xu, dong := h.official("wanghui"), h.official("sunlei"), h.official("xuhui"), h.official("lidong")
		hui.no(act, "inbox.empty", "POST", "/inbox/next", nil)
		h.official("zhaomin").task(first, "receive", map[string]any{"outcome": "accept"})
		next := hui.ok("POST", "/inbox/next", nil)
		task := next.str("id")
		if next.str("caseId") != first || next.str("state") != "claimed" {
			t.Fatalf("next: %s", next.body)
		}
		pass := map[string]any{"outcome": "pass"}
		lei.no(act, "task.taken", "POST", "/tasks/"+task+"/claim", nil)
		lei.no(act, "task.taken", "POST", "/tasks/"+task+"/release", nil)
		hui.ok("POST", "/tasks/"+task+"/release", nil)
		lei.ok("POST", "/tasks/"+task+"/claim", nil)
		hui.no(act, "task.taken", "POST", "/tasks/"+task+"/complete", pass)
		over := func(to, reason string) map[string]any {
			return map[string]any{"task": task, "to": to, "reason": reason}
		}
		lei.no(act, "reason.missing", "POST", "/cases/"+first+"/verbs/transfer", over(hui.uid(), ""))
		lei.no(act, "task.person", "POST", "/cases/"+first+"/verbs/transfer", over(dong.uid(), "请办"))
		lei.no(act, "ident.user", "POST", "/cases/"+first+"/verbs/transfer", over(nowhere, "请办"))
		lei.verb(first, "transfer", over(hui.uid(), "临时外出"))
		lei.no(act, "task.taken", "POST", "/tasks/"+task+"/complete", pass)

		xu.no(act, "case.not_found", "GET", "/cases/"+first, nil)
		with := func(who ...string) map[string]any {
			return map[string]any{"task": task, "persons": who, "reason": "请看"}
		}
		hui.no(act, "task.persons", "POST", "/cases/"+first+"/verbs/jointsign", with(lei.uid()))
		hui.no(act, "task.person", "POST", "/cases/"+first+"/verbs/jointsign", with(lei.uid(), hui.uid()))
		hui.verb(first, "jointsign", with(lei.uid(), xu.uid()))
		hui.no(act, "task.held", "POST", "/tasks/"+task+"/complete", pass)
		mine, _ := xu.open(first, "examine")
		for _, x := range xu.ok("GET", "/cases/"+first, nil).m["tasks"].([]any) {
			if get(x, "mine") == true {
				mine = fmt.Sprint(get(x, "id"))
			}
		}
		xu.no(act, "reason.missing", "POST", "/tasks/"+mine+"/complete", map[string]any{"outcome": ""})
		xu.no(act, "task.not_found", "POST", "/tasks/"+task+"/complete", pass)
		lei.task(first, "examine", map[string]any{"outcome": "", "opinion": "同意"})
		hui.no(act, "task.held", "POST", "/tasks/"+task+"/complete", pass)
		xu.task(first, "examine", map[string]any{"outcome": "", "opinion": "同意"})
		xu.no(act, "task.over", "POST", "/tasks/"+mine+"/complete", map[string]any{"outcome": "", "opinion": "再说一次"})
		hui.verb(first, "cosign", map[string]any{"task": task, "to": lei.uid(), "reason": "请再看"})
		hui.no(act, "task.held", "POST", "/tasks/"+task+"/complete", pass)
		lei.task(first, "examine", map[string]any{"outcome": "", "opinion": "没有意见"})
		hui.task(first, "examine", pass)

		hui.no(act, "reason.missing", "POST", "/cases/"+first+"/verbs/takeback", map[string]any{})
		lei.no(act, "takeback.not_last", "POST", "/cases/"+first+"/verbs/takeback", map[string]any{"reason": "手误"})
		hui.verb(first, "takeback", map[string]any{"reason": "手误"})
		hui.task(first, "examine", pass)
		book, _ := dong.open(first, "book")
		dong.ok("POST", "/tasks/"+book+"/claim", nil)
		hui.no(act, "takeback.taken", "POST", "/cases/"+first+"/verbs/takeback", map[string]any{"reason": "手误"})
		dong.ok("POST", "/tasks/"+book+"/release", nil)
		hui.verb(first, "takeback", map[string]any{"reason": "还是手误"})
		dong.no(act, "task.over", "POST", "/tasks/"+book+"/complete", pass)
	})
}

// TestUrgeRejectWithdraw: 催办 once a day, 不予受理 only before acceptance,
// 撤件 by who filed.
func TestUrgeRejectWithdraw(t *testing.T) {
	t.Parallel()
	engines(t, "R1.12/urge R2.6/reject R1.5/withdraw", func(act *story.Act, h *house) {
		t := act.T
		p := h.parties()
		first, second := p.submit()
		window, examiner, watch := h.official("zhaomin"), h.official("wanghui"), h.official("jiandu")
		path := func(id, verb string) string { return "/cases/" + id + "/verbs/" + verb }
		p.ming.verb(first, "urge", map[string]any{})
		p.ming.no(act, "urge.today", "POST", path(first, "urge"), map[string]any{})
		p.ting.no(act, "case.forbidden", "POST", path(first, "urge"), map[string]any{})
		window.no(act, "case.forbidden", "POST", path(first, "urge"), map[string]any{})
		watch.no(act, "urge.today", "POST", path(first, "urge"), map[string]any{"reason": "快到期了"})
		watch.verb(second, "urge", map[string]any{"reason": "快到期了"})
		examiner.no(act, "case.forbidden", "POST", path(first, "reject"), map[string]any{"reason": "不归本机构"})
		window.no(act, "reason.missing", "POST", path(first, "reject"), map[string]any{})
		window.verb(first, "reject", map[string]any{"reason": "不归本机构"})
		window.no(act, "reject.accepted", "POST", path(first, "reject"), map[string]any{"reason": "不归本机构"})
		v := p.ming.ok("GET", "/cases/"+first, nil)
		if v.str("phase") != "stopped" || !strings.Contains(string(v.body), "不归本机构") || strings.HasPrefix(v.str("clock.dueDay"), "20") {
			t.Errorf("rejected: %s", v.body)
		}
		if tasks, _ := window.open(first, "receive"); tasks != "" {
			t.Error("the task of a rejected case is open")
		}
		p.ming.no(act, "case.phase", "POST", path(first, "urge"), map[string]any{})
		window.task(second, "receive", map[string]any{"outcome": "accept"})
		window.no(act, "reject.accepted", "POST", path(second, "reject"), map[string]any{"reason": "不归本机构"})
		p.bank.no(act, "case.forbidden", "POST", path(second, "withdraw"), map[string]any{"reason": "不办了"})

		jing := h.citizen(h.cast.ChenJing)
		id := h.reissue(act, jing)
		jing.verb(id, "urge", map[string]any{})
		h.clock.Advance(10 * time.Hour)
		jing.no(act, "urge.today", "POST", path(id, "urge"), map[string]any{})
		h.clock.Advance(24 * time.Hour)
		h.until("deemed", func() bool { return jing.phase(id) == "handling" })
		jing.verb(id, "urge", map[string]any{})
		jing.verb(id, "withdraw", map[string]any{"reason": "证找到了"})
		jing.no(act, "withdraw.over", "POST", path(id, "withdraw"), map[string]any{"reason": "证找到了"})
		examiner.no(act, "case.phase", "POST", path(id, "supplement"), map[string]any{"reason": "缺", "items": []any{map[string]any{"node": "application"}}})
		again := h.reissue(act, jing) // the unit is free again
		jing.verb(again, "withdraw", map[string]any{"reason": "证又找到了"})
	})
}

// many calls f n times at once.
func many(n int, f func(i int) answer) []answer {
	out := make([]answer, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; out[i] = f(i) })
	}
	close(start)
	wg.Wait()
	return out
}

// tally counts what went through and gathers the codes of the others.
func tally(all []answer) (ok int, codes []string) {
	for _, a := range all {
		if a.status/100 == 2 {
			ok++
		} else {
			codes = append(codes, a.str("code"))
		}
	}
	slices.Sort(codes)
	return ok, slices.Compact(codes)
}

// TestAtOnce: two clerks press at once, two parties agree at once, many submit
// at once: one effect each, a clear refusal for the others, numbers without
// gaps.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	engines(t, "R3.1/at-once R5.2/at-once", func(act *story.Act, h *house) {
		t := act.T
		p := h.parties()
		first, second := p.draft()
		for _, who := range []*caller{p.dev, p.bank} {
			who.consent(who.todo("consent"), true)
		}
		ids, digests := map[*caller]string{}, map[*caller]string{}
		for _, who := range []*caller{p.ming, p.ting} {
			ids[who] = who.todo("consent")
			v := who.ok("GET", "/consents/"+ids[who], nil)
			digests[who] = v.str("digest")
			who.ready(ids[who], v)
		}
		ok, codes := tally(many(12, func(i int) answer {
			who := []*caller{p.ming, p.ting}[i%2]
			return who.call("POST", "/consents/"+ids[who]+"/confirm", map[string]any{"digest": digests[who], "agree": true})
		}))
		if ok != 2 || strings.Join(codes, " ") != "consent.over" {
			t.Errorf("two parties: %d agreed, %v", ok, codes)
		}
		for _, id := range []string{first, second} {
			if v := p.ming.ok("GET", "/cases/"+id, nil); v.str("phase") != "submitted" || strings.Count(string(v.body), "提交申请，编号") != 1 {
				t.Errorf("after both agreed at once: %s", v.body)
			}
		}
		window := h.official("zhaomin")
		window.task(first, "receive", map[string]any{"outcome": "accept", "together": true})
		hui, lei := h.official("wanghui"), h.official("sunlei")
		task, _ := hui.open(first, "examine")
		ok, codes = tally(many(16, func(i int) answer {
			return []*caller{hui, lei}[i%2].call("POST", "/tasks/"+task+"/complete", map[string]any{"outcome": "pass"})
		}))
		if ok != 1 || strings.Join(codes, " ") != "task.over" {
			t.Errorf("two clerks: %d did it, %v", ok, codes)
		}
		act.Refused()
		if v := p.ming.ok("GET", "/cases/"+first, nil); strings.Count(string(v.body), "审核：通过") != 1 {
			t.Errorf("examined not exactly once: %s", v.body)
		}
		task, _ = hui.open(second, "examine")
		ok, codes = tally(many(8, func(i int) answer {
			return []*caller{hui, lei}[i%2].call("POST", "/tasks/"+task+"/claim", nil)
		}))
		if ok != 4 || strings.Join(codes, " ") != "task.taken" {
			t.Errorf("one has it and may claim it again: %d, %v", ok, codes)
		}
		numbers(act, h)
	})
}

// ready does everything a party owes but the last word.
func (c *caller) ready(id string, v answer) {
	c.h.t.Helper()
	img := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a face "), 40))
	c.ok("POST", "/consents/"+id+"/face", map[string]any{"image": img})
	c.record(id, v)
	c.ok("POST", "/consents/"+id+"/signature", map[string]any{"image": img, "strokes": 9, "method": "draw"})
}

// numbers submits many cases at once and holds their numbers to be one row.
func numbers(act *story.Act, h *house) {
	t := act.T
	who := []*caller{h.citizen(h.cast.WangQiang), h.citizen(h.cast.ChenJing), h.citizen(h.cast.ZhouWei), h.citizen(h.cast.FengTao)}
	const n = 16
	ids := make([]string, n)
	for i := range ids {
		me := who[i%len(who)]
		ids[i] = me.ok("POST", "/cases", map[string]any{"matter": "registry/query-certificate"}).str("id")
		me.ok("POST", "/cases/"+ids[i]+"/prefill", map[string]any{})
		if i%4 != 3 { // every fourth is not complete and must take no number
			me.ok("PUT", "/cases/"+ids[i]+"/form", map[string]any{"version": 0, "data": map[string]any{"mode": "mode1", "purpose": "tax", "agree": true}})
		}
	}
	ok, codes := tally(many(2*n, func(i int) answer {
		return who[i%n%len(who)].call("POST", "/cases/"+ids[i%n]+"/submit", map[string]any{})
	}))
	if ok != 12 || strings.Join(codes, " ") != "case.submitted form.incomplete" {
		t.Errorf("%d submitted, %v", ok, codes)
	}
	var nos []string
	for i, id := range ids {
		if v := who[i%len(who)].ok("GET", "/cases/"+id, nil); v.str("no") != "" {
			nos = append(nos, v.str("no"))
		}
	}
	sort.Strings(nos)
	prefix, first := "", 0
	for i, no := range nos {
		at := strings.LastIndex(no, " ")
		k, err := strconv.Atoi(no[at+1:])
		if err != nil {
			t.Fatalf("number %q: %v", no, err)
		}
		if i == 0 {
			prefix, first = no[:at], k
		}
		if no[:at] != prefix || k != first+i {
			t.Fatalf("a gap or a double: %v", nos)
		}
	}
	if len(nos) != 12 {
		t.Errorf("%d numbers: %v", len(nos), nos)
	}
}
