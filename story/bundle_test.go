package story_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"haoban/outside/world"
	"haoban/platform/gm"
	"haoban/story"
)

// consent walks one person through everything that is asked of them.
func (c *caller) consent(id string, agree bool) {
	c.h.t.Helper()
	v := c.ok("GET", "/consents/"+id, nil)
	img := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a face "), 40))
	for _, n := range v.m["needs"].([]any) {
		switch get(n, "kind") {
		case "face":
			if a := c.ok("POST", "/consents/"+id+"/face", map[string]any{"image": img}); get(a.m, "ok") != true {
				c.h.t.Fatalf("face: %s", a.body)
			}
		case "recording":
			c.record(id, v)
		case "signature":
			c.ok("POST", "/consents/"+id+"/signature", map[string]any{"image": img, "strokes": 9, "method": "draw"})
		case "seal":
			c.ok("POST", "/consents/"+id+"/signature", map[string]any{"strokes": 0, "method": "seal"})
		}
	}
	c.ok("POST", "/consents/"+id+"/confirm", map[string]any{"digest": v.str("digest"), "agree": agree})
}

func (c *caller) record(id string, v answer) {
	c.h.t.Helper()
	rec := c.ok("POST", "/consents/"+id+"/recording", map[string]any{"mime": "video/webm"}).str("recordingId")
	for n := range 3 {
		c.chunk(rec, n, []byte(fmt.Sprintf("piece %d of a recording by %s", n, c.name)))
	}
	var answers []map[string]any
	for _, q := range v.m["questions"].([]any) {
		answers = append(answers, map[string]any{"q": get(q, "id"), "a": "是", "atMs": 1000})
	}
	c.ok("POST", "/recordings/"+rec+"/finish", map[string]any{"answers": answers, "durationMs": 6000})
}

func (c *caller) chunk(rec string, n int, b []byte) {
	c.h.t.Helper()
	a := c.raw("PUT", fmt.Sprintf("/recordings/%s/chunks/%d", rec, n), b, map[string]string{"Content-Type": "application/octet-stream", "X-Chunk-SM3": gm.SM3(b)})
	if a.status/100 != 2 {
		c.h.t.Fatalf("chunk %d: %d %s", n, a.status, a.body)
	}
}

func (c *caller) todo(kind string) string {
	c.h.t.Helper()
	v := c.ok("GET", "/home", nil)
	for _, t := range v.m["todos"].([]any) {
		if get(t, "kind") == kind {
			return fmt.Sprint(get(t, "consentId"))
		}
	}
	c.h.t.Fatalf("%s has no %s to do: %s", c.name, kind, v.body)
	return ""
}

// TestBundle: 预告登记 and 抵押预告 filed together by the developer under the
// buyers' grant; couple, developer and bank each consent; accepted, reviewed,
// entered in order, both 登记证明 issued.
func TestBundle(t *testing.T) {
	t.Parallel()
	engines(t, "R1.4a R1.4b R1.4c/bundle R5.2/consent R5.5/pad R5.7/papers R2.5/inbox R2.6/review R2.7/origin R2.9/entry", func(act *story.Act, h *house) {
		t := act.T
		c := h.cast
		ming, ting := h.citizen(c.ZhangMing), h.citizen(c.LiTing)
		dev := h.agent(c.DeveloperAgent, c.Developer, "company")
		bank := h.agent(c.BankAgent, c.Bank, "bank")
		id, second := draftBundle(act, h, dev, ming)

		ming.no(act, "case.not_found", "GET", "/cases/"+id, nil)
		dev.ok("POST", "/cases/"+id+"/ready", map[string]any{})
		dev.no(act, "case.not_draft", "PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"medium": "纸质"}})
		bank.no(act, "case.not_found", "GET", "/cases/"+id, nil) // the bank sees only its own part
		if bank.ok("GET", "/cases/"+second, nil).str("phase") != "consent" {
			t.Error("the bank does not see its part")
		}
		mine := ming.todo("consent")
		ting.no(act, "consent.not_found", "GET", "/consents/"+mine, nil)
		ming.no(act, "consent.changed", "POST", "/consents/"+mine+"/confirm", map[string]any{"digest": "0", "agree": true})
		digest := ming.ok("GET", "/consents/"+mine, nil).str("digest")
		ming.no(act, "consent.needs", "POST", "/consents/"+mine+"/confirm", map[string]any{"digest": digest, "agree": true})
		ming.no(act, "consent.face_first", "POST", "/consents/"+mine+"/recording", map[string]any{"mime": "video/webm"})
		ming.consent(mine, true)
		ming.no(act, "consent.over", "POST", "/consents/"+mine+"/confirm", map[string]any{"digest": digest, "agree": true})
		dev.consent(dev.todo("consent"), true)
		bank.consent(bank.todo("consent"), true)
		if got := dev.phase(id); got != "consent" {
			t.Fatalf("submitted before everybody agreed: %s", got)
		}
		ting.consent(ting.todo("consent"), true)
		if a, b := dev.phase(id), dev.phase(second); a != "submitted" || b != "submitted" {
			t.Fatalf("after the last consent: %s, %s", a, b)
		}
		registerBundle(act, h, dev, id, second)
		for _, who := range []*caller{ming, ting} {
			if n := len(who.ok("GET", "/results", nil).m["items"].([]any)); n != 1 {
				t.Errorf("%s holds %d results, want 1", who.name, n)
			}
		}
		if n := len(bank.ok("GET", "/results", nil).m["items"].([]any)); n != 1 {
			t.Errorf("the bank holds %d results, want 1", n)
		}
		if p := ming.ok("GET", "/properties", nil); get(p.m, "items.0.unit") != c.Presale.Unit {
			t.Errorf("the buyer's space: %s", p.body)
		}
		h.until("大登记, 办件库 and 房管 told once each", func() bool {
			_, a := h.out.Sim("bigreg").Effects("entry")
			_, b := h.out.Sim("caserepo").Effects("push")
			_, d := h.out.Sim("housing").Effects("registered")
			return a == 2 && b == 4 && d == 1
		})
		h.until("messages sent", func() bool { n, times := h.out.Sim("sms").Effects("sms"); return n >= 8 && n == times })
		again := dev.ok("POST", "/cases", map[string]any{"matter": "registry/presale-notice"}).str("id")
		fill(dev, again, c.Presale.No, "")
		dev.no(act, "check.block", "POST", "/cases/"+again+"/ready", map[string]any{}) // 不得重复
	})
}

func fill(who *caller, id, contract, loan string) {
	who.h.t.Helper()
	data := map[string]any{"contractNo": contract, "medium": "电子", "promise": true}
	if loan != "" {
		data = map[string]any{"loan.no": loan, "promise": true}
	}
	who.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": data})
	who.ok("POST", "/cases/"+id+"/prefill", map[string]any{})
}

func draftBundle(act *story.Act, h *house, dev, ming *caller) (first, second string) {
	h.t.Helper()
	c := h.cast
	dev.no(act, "bundle.with", "POST", "/cases", map[string]any{"matter": "registry/presale-notice", "with": []string{"permit/land-opinion"}})
	v := dev.ok("POST", "/cases", map[string]any{"matter": "registry/presale-notice", "with": []string{"registry/presale-mortgage-notice"}})
	first, second = v.str("id"), get(v.m, "bundle.1.caseId").(string)
	fill(dev, first, c.Presale.No, "")
	if a := dev.ok("GET", "/cases/"+second, nil); a.str("form.data.unit") != c.Presale.Unit {
		h.t.Fatalf("the second case did not inherit the unit: %s", a.body)
	}
	fill(dev, second, "", c.PresaleLoan.No)
	dev.no(act, "check.block", "POST", "/cases/"+first+"/ready", map[string]any{}) // no grant yet
	org := developer(h, ming)
	ming.no(act, "grant.scope", "POST", "/grants", map[string]any{"orgId": org, "matters": []string{"registry/presale-notice"}, "unit": c.ChenJingUnit.Code, "until": "2026-12-31"})
	ming.no(act, "ident.grant.bad", "POST", "/grants", map[string]any{"orgId": org, "matters": []string{"registry/presale-notice"}, "unit": c.Presale.Unit, "until": "2025-12-31"})
	grant := func() string {
		a := ming.ok("POST", "/grants", map[string]any{"orgId": org, "matters": []string{"registry/presale-notice"}, "unit": c.Presale.Unit, "until": "2026-12-31"})
		return get(a.m, "items.0.id").(string)
	}
	ming.ok("DELETE", "/grants/"+grant(), nil)
	dev.no(act, "check.block", "POST", "/cases/"+first+"/ready", map[string]any{}) // revoked
	grant()
	return first, second
}

func developer(h *house, who *caller) string {
	h.t.Helper()
	a := who.call("GET", "/grants/developers?q="+h.cast.Developer.Name, nil)
	i := strings.Index(string(a.body), `"id":"`)
	if i < 0 {
		h.t.Fatalf("no developer: %s", a.body)
	}
	rest := string(a.body)[i+6:]
	return rest[:strings.Index(rest, `"`)]
}

func registerBundle(act *story.Act, h *house, dev *caller, id, second string) {
	h.t.Helper()
	window, examiner, registrar := h.official("zhaomin"), h.official("wanghui"), h.official("lidong")
	h.official("xuhui").no(act, "case.not_found", "GET", "/cases/"+id, nil) // another district
	window.task(id, "receive", map[string]any{"outcome": "accept", "together": true})
	v := examiner.ok("GET", "/cases/"+id, nil)
	if strings.Contains(string(v.body), h.cast.ZhangMing.ID) {
		h.t.Error("the desk shows an identity number unmasked")
	}
	if n := len(v.m["recordings"].([]any)); n != 2 {
		h.t.Fatalf("%d recordings, want 2", n)
	}
	rec := get(v.m, "recordings.0.id").(string)
	if get(v.m, "recordings.0.integrity.ok") != true {
		h.t.Errorf("integrity: %v", get(v.m, "recordings.0"))
	}
	dev.aud = "staff"
	dev.no(act, "ident.session", "GET", "/recordings/"+rec, nil) // a public cookie opens nothing at the desk
	dev.aud = "public"
	examiner.no(act, "reason.missing", "POST", "/recordings/"+rec+"/review", map[string]any{"result": "redo"})
	examiner.ok("POST", "/recordings/"+rec+"/review", map[string]any{"result": "pass"})
	examiner.no(act, "reason.missing", "POST", "/cases/"+id+"/unmask", map[string]any{"path": "buyers.0.idNo", "reason": ""})
	if a := examiner.ok("POST", "/cases/"+id+"/unmask", map[string]any{"path": "buyers.0.idNo", "reason": "核对身份"}); !strings.HasPrefix(a.str("value"), "310199") {
		h.t.Errorf("unmask: %s", a.body)
	}
	if get(v.m, "fee.state") != "free" || !strings.Contains(fmt.Sprint(get(v.m, "fee.text")), "不收") {
		h.t.Errorf("it is free and must say so: %v", v.m["fee"])
	}
	examiner.task(id, "examine", map[string]any{"outcome": "pass", "together": true})
	registrar.task(id, "book", map[string]any{"outcome": "pass", "together": true})
	h.until("both closed", func() bool { return dev.phase(id) == "closed" && dev.phase(second) == "closed" })
	registrar.no(act, "reason.missing", "POST", "/cases/"+id+"/verbs/takeback", map[string]any{})
	registrar.no(act, "takeback.final", "POST", "/cases/"+id+"/verbs/takeback", map[string]any{"reason": "手误"})
	dev.no(act, "withdraw.over", "POST", "/cases/"+id+"/verbs/withdraw", map[string]any{"reason": "不办了"})
}

// TestContractRefusals: a contract with unequal shares, a cancelled one, one
// outside the permit.
func TestContractRefusals(t *testing.T) {
	t.Parallel()
	engines(t, "R1.4b/refusals", func(act *story.Act, h *house) {
		t := act.T
		for _, x := range []struct {
			who  world.Person
			code string
			no   string
			want string
		}{
			{h.cast.WuGang, "form.incomplete", h.cast.BadShares.No, "合起来应当正好是全部"},
			{h.cast.FengTao, "check.block", h.cast.CancelledSale.No, "已经撤销"},
			{h.cast.ChuYan, "check.block", h.cast.OutsidePermit.No, "预售许可范围"},
		} {
			me := h.citizen(x.who)
			id := me.ok("POST", "/cases", map[string]any{"matter": "registry/presale-notice"}).str("id")
			fill(me, id, x.no, "")
			if a := me.no(act, x.code, "POST", "/cases/"+id+"/ready", map[string]any{}); !strings.Contains(string(a.body), x.want) {
				t.Errorf("%s: %s", x.no, a.body)
			}
		}
	})
}

// TestDeemedAcceptance: nobody says in time what is missing, so the case counts
// as accepted; an invitation that runs out brings the filing back.
func TestDeemedAcceptance(t *testing.T) {
	t.Parallel()
	engines(t, "R2.9/deemed", func(act *story.Act, h *house) {
		t := act.T
		me := h.citizen(h.cast.ChenJing)
		id := reissueDraft(act, h, me)
		me.ok("POST", "/cases/"+id+"/ready", map[string]any{})
		h.clock.Advance(8 * 24 * time.Hour)
		h.until("the invitation runs out", func() bool { return me.phase(id) == "draft" })
		me.ok("POST", "/cases/"+id+"/ready", map[string]any{})
		me.consent(me.todo("consent"), true)
		if got := me.phase(id); got != "submitted" {
			t.Fatalf("phase %s", got)
		}
		h.clock.Advance(24 * time.Hour)
		h.until("deemed accepted", func() bool { return me.phase(id) == "handling" })
		if v := me.ok("GET", "/cases/"+id, nil); !strings.Contains(string(v.body), "视为受理") {
			t.Errorf("not told as deemed: %s", v.body)
		}
		h.official("zhaomin").no(act, "case.forbidden", "POST", "/cases/"+id+"/verbs/suspend", map[string]any{"code": "x", "reason": "y"})
	})
}
