package story_test

import (
	"net/url"
	"strings"
	"testing"

	"haoban/story"
)

func reissueDraft(act *story.Act, h *house, me *caller) string {
	h.t.Helper()
	id := me.ok("POST", "/cases", map[string]any{"matter": "registry/reissue"}).str("id")
	me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{
		"certNo": h.cast.ChenJingUnit.TitleNo, "lossKind": "lost", "lossText": "搬家时遗失", "medium": "电子", "statement": true,
	}})
	me.no(act, "form.incomplete", "POST", "/cases/"+id+"/ready", map[string]any{})
	v := me.ok("POST", "/cases/"+id+"/prefill", map[string]any{})
	if v.str("form.data.unit") != h.cast.ChenJingUnit.Code {
		h.t.Fatalf("the register did not fill the form: %s", v.body)
	}
	return id
}

// TestReissue: a lost certificate is declared lost, paid for exactly once under
// doubled news, reissued, and the old number checks as lost.
func TestReissue(t *testing.T) {
	t.Parallel()
	engines(t, "R1.5d/person R3.1/once", func(act *story.Act, h *house) {
		t := act.T
		thief := h.citizen(h.cast.WangQiang)
		tid := thief.ok("POST", "/cases", map[string]any{"matter": "registry/reissue"}).str("id")
		thief.ok("PUT", "/cases/"+tid+"/form", map[string]any{"version": 0, "data": map[string]any{"certNo": h.cast.ChenJingUnit.TitleNo, "lossKind": "lost", "lossText": "x", "medium": "电子", "statement": true}})
		thief.ok("POST", "/cases/"+tid+"/prefill", map[string]any{})
		thief.no(act, "form.incomplete", "POST", "/cases/"+tid+"/ready", map[string]any{}) // the register tells him nothing

		me := h.citizen(h.cast.ChenJing)
		id := reissueDraft(act, h, me)
		me.ok("POST", "/cases/"+id+"/ready", map[string]any{})
		me.consent(me.todo("consent"), true)
		h.official("zhaomin").task(id, "receive", map[string]any{"outcome": "accept"})
		examiner := h.official("wanghui")
		examiner.no(act, "supplement.items", "POST", "/cases/"+id+"/verbs/supplement", map[string]any{"reason": "缺材料"})
		examiner.task(id, "examine", map[string]any{"outcome": "pass"})
		if got := me.phase(id); got != "paying" {
			t.Fatalf("phase %s", got)
		}
		stranger := &caller{h: h, name: "a stranger", aud: "public"}
		if n := stranger.ok("GET", "/notices", nil); !strings.Contains(string(n.body), h.cast.ChenJingUnit.TitleNo) || strings.Contains(string(n.body), h.cast.ChenJing.Name) {
			t.Errorf("the published statement: %s", n.body)
		}
		thief.no(act, "case.not_found", "POST", "/cases/"+id+"/fee/order", nil)
		fee := me.ok("POST", "/cases/"+id+"/fee/order", nil)
		if fee.str("text") != "10.00 元" || fee.str("qr") == "" {
			t.Fatalf("fee: %s", fee.body)
		}
		second := me.ok("POST", "/cases/"+id+"/fee/order", nil)
		if second.str("orderNo") != fee.str("orderNo") {
			t.Errorf("two orders for one fee: %s, %s", fee.str("orderNo"), second.str("orderNo"))
		}
		pay, err := url.Parse(fee.str("payUrl"))
		if err != nil {
			t.Fatal(err)
		}
		path := pay.Path
		if !strings.HasPrefix(path, "/pay/") {
			path = "/pay" + path
		}
		for range 3 { // the payer presses three times
			h.post(path+"/pay", url.Values{"channel": {"DCEP"}})
		}
		h.until("paid", func() bool { return me.phase(id) == "handling" })
		me.no(act, "fee.paid", "POST", "/cases/"+id+"/fee/order", nil)
		h.official("lidong").task(id, "book", map[string]any{"outcome": "pass"})
		h.until("closed", func() bool { return me.phase(id) == "closed" })
		v := me.ok("GET", "/cases/"+id, nil)
		if strings.Count(string(v.body), "已缴费") != 1 || get(v.m, "fee.state") != "paid" {
			t.Errorf("paid not exactly once: %s", v.body)
		}
		if v := stranger.ok("GET", "/verify-no?no="+url.QueryEscape(h.cast.ChenJingUnit.TitleNo), nil); v.str("verdict") != "lost" {
			t.Errorf("the old number: %s", v.body)
		}
		props := me.ok("GET", "/properties", nil)
		if got := get(props.m, "items.0.certNo"); got != get(v.m, "results.0.no") {
			t.Errorf("the register carries %v, the new certificate is %v", got, get(v.m, "results.0.no"))
		}
	})
}
