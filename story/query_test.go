package story_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"haoban/story"
)

// TestQueryCertificate: a citizen asks for a query certificate on the phone, a
// stranger checks its QR, the holder switches it off.
func TestQueryCertificate(t *testing.T) {
	t.Parallel()
	engines(t, "R1.1/facts R1.9/certificate R1.9/none R1.10/qr R1.11/space", func(act *story.Act, h *house) {
		t := act.T
		me := h.citizen(h.cast.ChenJing)
		facts := me.ok("GET", "/me", nil)
		if !strings.Contains(string(facts.body), "陈*") || strings.Contains(string(facts.body), h.cast.ChenJing.ID) {
			t.Errorf("个人中心: %s", facts.body)
		}
		home := me.ok("GET", "/properties", nil)
		if get(home.m, "items.0.unit") != h.cast.ChenJingUnit.Code {
			t.Errorf("my property: %s", home.body)
		}
		c := me.ok("POST", "/cases", map[string]any{"matter": "registry/query-certificate"})
		id := c.str("id")
		me.no(act, "form.incomplete", "POST", "/cases/"+id+"/submit", map[string]any{})
		me.ok("POST", "/cases/"+id+"/prefill", map[string]any{})
		me.no(act, "form.locked", "PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"applicant.name": "别人"}})
		me.no(act, "form.invalid", "PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"nothing": 1}})
		me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"mode": "mode1", "purpose": "school", "agree": true}})
		me.ok("POST", "/cases/"+id+"/submit", map[string]any{})
		h.until("the certificate is made", func() bool { return me.phase(id) == "closed" })
		list := me.ok("GET", "/results", nil)
		rid := get(list.m, "items.0.id").(string)
		res := me.ok("GET", "/results/"+rid, nil)
		pdf := me.ok("GET", "/results/"+rid+"/file", nil)
		if !bytes.HasPrefix(pdf.body, []byte("%PDF")) {
			t.Errorf("the original is not a PDF: %.40q", pdf.body)
		}
		url := res.str("qr.url")
		token := url[strings.LastIndex(url, "/")+1:]
		stranger := &caller{h: h, name: "a stranger", aud: "public"}
		v := stranger.ok("GET", "/verify/"+token, nil)
		if v.str("verdict") != "valid" || strings.Contains(string(v.body), h.cast.ChenJing.Name) || strings.Contains(string(v.body), h.cast.ChenJing.ID) {
			t.Errorf("verify: %s", v.body)
		}
		stranger.no(act, "login.required", "GET", "/results/"+rid, nil)
		other := h.citizen(h.cast.WangQiang)
		other.no(act, "result.not_found", "GET", "/results/"+rid, nil)
		other.no(act, "case.not_found", "GET", "/cases/"+id, nil)
		me.no(act, "qr.days", "PUT", "/results/"+rid+"/qr", map[string]any{"on": true, "days": 999})
		me.ok("PUT", "/results/"+rid+"/qr", map[string]any{"on": false, "days": 1})
		if v := stranger.ok("GET", "/verify/"+token, nil); v.str("verdict") != "off" || get(v.m, "facts.0") != nil {
			t.Errorf("switched off: %s", v.body)
		}
		me.ok("PUT", "/results/"+rid+"/qr", map[string]any{"on": true, "days": 1})
		h.clock.Advance(48 * time.Hour)
		if v := stranger.ok("GET", "/verify/"+token, nil); v.str("verdict") != "expired" {
			t.Errorf("expired: %s", v.body)
		}
		if v := stranger.ok("GET", "/verify/notatoken", nil); v.str("verdict") != "unknown" {
			t.Errorf("unknown: %s", v.body)
		}
		none(t, h)
	})
}

// none: who owns nothing gets a certificate that says so.
func none(t *testing.T, h *house) {
	t.Helper()
	me := h.citizen(h.cast.WangQiang)
	id := me.ok("POST", "/cases", map[string]any{"matter": "registry/query-certificate"}).str("id")
	me.ok("POST", "/cases/"+id+"/prefill", map[string]any{})
	me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"mode": "mode1", "purpose": "tax", "agree": true}})
	me.ok("POST", "/cases/"+id+"/submit", map[string]any{})
	h.until("the certificate of nothing is made", func() bool { return me.phase(id) == "closed" })
	v := me.ok("GET", "/cases/"+id, nil)
	if get(v.m, "form.data.count") != float64(0) {
		t.Errorf("count: %v", get(v.m, "form.data.count"))
	}
}
