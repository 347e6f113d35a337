package story_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"haoban/platform/gm"
	"haoban/story"
)

// upload sends a file in pieces of 1 MB and hangs it into a case.
func (c *caller) upload(caseID, node, name, mime string, body []byte) answer {
	c.h.t.Helper()
	u := c.ok("POST", "/uploads", map[string]any{"caseId": caseID, "node": node, "name": name, "size": len(body), "mime": mime})
	id := u.str("id")
	for off := 0; off < len(body); off += 1 << 20 {
		piece := body[off:min(off+1<<20, len(body))]
		a := c.raw("PUT", fmt.Sprintf("/uploads/%s?offset=%d", id, off), piece, map[string]string{"Content-Type": "application/octet-stream", "X-Chunk-SM3": gm.SM3(piece)})
		if a.status/100 != 2 {
			c.h.t.Fatalf("piece: %d %s", a.status, a.body)
		}
	}
	return c.ok("POST", "/uploads/"+id+"/finish", nil)
}

func pdf(n int) []byte {
	return append([]byte("%PDF-1.4\n"), bytes.Repeat([]byte("% a page of a drawing\n"), n/22)...)
}

// post is a tester at a simulated desk.
func (h *house) post(path string, form url.Values) {
	h.t.Helper()
	resp, err := http.PostForm(h.outURL+path, form) //nolint:noctx // a test against loopback
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 400 {
		h.t.Fatalf("POST %s: %d", path, resp.StatusCode)
	}
}

// TestLandOpinion: 规划土地意见书（划拨）新办, with departments consulted inside
// the clock, one asking for more, an expert review that pauses it, and three
// levels of approval.
func TestLandOpinion(t *testing.T) {
	t.Parallel()
	engines(t, "P6.3/new P1.3/consult P1.4/archive P1.5/right P1.6/reply P23.11/guard", func(act *story.Act, h *house) {
		t := act.T
		me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
		citizen := h.citizen(h.cast.WangQiang)
		citizen.no(act, "apply.audience", "POST", "/cases", map[string]any{"matter": "permit/land-opinion"})
		id := me.ok("POST", "/cases", map[string]any{"matter": "permit/land-opinion"}).str("id")
		fillOpinion(act, h, me, id)
		h.until("submitted", func() bool { return me.phase(id) == "submitted" })

		window, handler := h.official("qianyu"), h.official("zhougang")
		h.official("wanghui").no(act, "case.not_found", "GET", "/cases/"+id, nil)
		inbox := window.ok("GET", "/inbox", nil)
		if get(inbox.m, "items.0.caseId") != id {
			t.Fatalf("inbox: %s", inbox.body)
		}
		taskID := get(inbox.m, "items.0.id").(string)
		handler.no(act, "task.not_found", "POST", "/tasks/"+taskID+"/claim", nil)
		window.ok("POST", "/tasks/"+taskID+"/claim", nil)
		window.no(act, "task.outcome", "POST", "/tasks/"+taskID+"/complete", map[string]any{"outcome": "nonsense"})
		window.ok("POST", "/tasks/"+taskID+"/complete", map[string]any{"outcome": "accept"})
		handler.task(id, "prereview", map[string]any{"outcome": "pass"})
		consultTwo(act, h, me, handler, id)
		handler.task(id, "review", map[string]any{"outcome": "pass", "opinion": "意见已落实"})
		handler.task(id, "level1", map[string]any{"outcome": "pass"})
		division, leader := h.official("wufang"), h.official("zhengju")
		division.no(act, "reason.missing", "POST", "/cases/"+id+"/verbs/return", map[string]any{"to": "level1"})
		division.task(id, "level2", map[string]any{"outcome": "pass"})
		handler.no(act, "extend.head", "POST", "/cases/"+id+"/verbs/extend", map[string]any{"reason": "复杂"})
		leader.ok("POST", "/cases/"+id+"/verbs/extend", map[string]any{"reason": "情况复杂"})
		leader.no(act, "extend.once", "POST", "/cases/"+id+"/verbs/extend", map[string]any{"reason": "还要"})
		leader.no(act, "case.version", "POST", "/cases/"+id+"/verbs/extend", map[string]any{"reason": "还要", "version": 1})
		leader.task(id, "level3", map[string]any{"outcome": "pass"})
		me.no(act, "withdraw.final", "POST", "/cases/"+id+"/verbs/withdraw", map[string]any{"reason": "不办了"})
		h.official("fengwen").task(id, "print", map[string]any{"outcome": "pass"})
		h.until("the opinion is made", func() bool {
			return strings.Contains(string(h.official("chenfa").ok("GET", "/cases/"+id, nil).body), `"node":"dispatch"`)
		})
		dispatcher := h.official("chenfa")
		v := dispatcher.ok("GET", "/cases/"+id, nil)
		if !strings.Contains(v.str("guard"), "不报部") {
			t.Errorf("guard: %s", v.str("guard"))
		}
		dispatcher.task(id, "dispatch", map[string]any{"outcome": "pass"})
		h.until("closed", func() bool { return me.phase(id) == "closed" })
		v = me.ok("GET", "/cases/"+id, nil)
		if !strings.HasPrefix(get(v.m, "results.0.no").(string), "测规划资源许选〔2026〕") || len(v.m["timeline"].([]any)) < 15 {
			t.Errorf("result: %s", v.body)
		}
		explain, _ := get(v.m, "clock.explain").([]any)
		if len(explain) == 0 {
			t.Errorf("the clock explains nothing: %v", v.m["clock"])
		}
		archive(t, me, id)
		h.until("told once", func() bool {
			_, n := h.out.Sim("invest").Effects("result")
			_, m := h.out.Sim("caserepo").Effects("push")
			return n == 1 && m == 2
		})
	})
}

func fillOpinion(act *story.Act, h *house, me *caller, id string) {
	h.t.Helper()
	me.no(act, "form.invalid", "PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"supervisor": "12"}})
	if a := me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"projectCode": "12"}}); !strings.Contains(a.str("errors"), "20 位数字") {
		h.t.Errorf("a wrong code is not told: %s", a.body)
	}
	me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"projectCode": h.cast.BuilderProject.Code}})
	v := me.ok("POST", "/cases/"+id+"/prefill", map[string]any{})
	if v.str("form.data.projectName") != h.cast.BuilderProject.Name || !strings.Contains(string(v.body), "来自投资项目平台") {
		h.t.Fatalf("prefill: %s", v.body)
	}
	me.no(act, "form.incomplete", "POST", "/cases/"+id+"/ready", map[string]any{})
	me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{
		"scale": "建筑面积约 1 万平方米", "reason": "符合控制性详细规划", "farmland": "否", "promise": true,
	}})
	me.no(act, "material.missing", "POST", "/cases/"+id+"/ready", map[string]any{})
	me.no(act, "upload.mime", "POST", "/uploads", map[string]any{"caseId": id, "node": "range", "name": "a.exe", "size": 10, "mime": "application/x-msdownload"})
	me.no(act, "material.closed", "POST", "/uploads", map[string]any{"caseId": id, "node": "approval", "name": "a.pdf", "size": 10, "mime": "application/pdf"})
	me.upload(id, "range", "范围图.pdf", "application/pdf", pdf(100_000))
	me.ok("POST", "/cases/"+id+"/ready", map[string]any{})
}

// consultTwo asks a city and a district department; the second asks for more.
// The clock runs on; only the expert review pauses it.
func consultTwo(act *story.Act, h *house, me, handler *caller, id string) {
	h.t.Helper()
	due := me.ok("GET", "/cases/"+id, nil).str("clock.dueDay")
	handler.no(act, "consult.dept", "POST", "/cases/"+id+"/consultations", map[string]any{"depts": []string{"nobody"}, "content": "x", "days": 5})
	handler.ok("POST", "/cases/"+id+"/consultations", map[string]any{"depts": []string{"SIM-310000-JT", "SIM-310115-SW"}, "content": "请就选址提意见", "days": 5})
	h.until("both are asked", func() bool { n, _ := h.out.Sim("assist").Effects("start"); return n == 2 })
	handler.task(id, "review", map[string]any{"outcome": "consult"})
	h.post("/assist/desk/SIM-XZ-000002/want", url.Values{"items": {"排水说明"}})
	h.until("the department's wish arrives", func() bool {
		return strings.Contains(string(me.ok("GET", "/cases/"+id, nil).body), "排水说明")
	})
	v := me.ok("GET", "/cases/"+id, nil)
	if v.str("clock.dueDay") != due || get(v.m, "clock.paused") == true {
		h.t.Errorf("consultation moved the clock: %s, was %s", v.str("clock.dueDay"), due)
	}
	var node, consult string
	for _, c := range v.m["consultations"].([]any) {
		if get(c, "state") == "supplement" {
			node, consult = get(c, "supplement.items.0.node").(string), get(c, "id").(string)
		}
	}
	me.no(act, "consult.missing", "POST", "/cases/"+id+"/verbs/consult.supplemented", map[string]any{"consult": consult})
	me.upload(id, node, "排水.pdf", "application/pdf", pdf(3000))
	me.ok("POST", "/cases/"+id+"/verbs/consult.supplemented", map[string]any{"consult": consult})
	me.no(act, "material.closed", "POST", "/uploads", map[string]any{"caseId": id, "node": node, "name": "b.pdf", "size": 10, "mime": "application/pdf"})
	h.until("the paper is handed over", func() bool { n, _ := h.out.Sim("assist").Effects("supplement"); return n >= 1 })
	for _, no := range []string{"SIM-XZ-000001", "SIM-XZ-000002"} {
		h.post("/assist/desk/"+no+"/reply", url.Values{"opinion": {"AGREE"}, "text": {"同意选址"}})
	}
	h.until("both replied", func() bool {
		return strings.Count(string(handler.ok("GET", "/cases/"+id, nil).body), `"opinion":"同意"`) == 2
	})
	handler.no(act, "pause.code", "POST", "/cases/"+id+"/verbs/suspend", map[string]any{"code": "consult", "reason": "等意见"})
	handler.ok("POST", "/cases/"+id+"/verbs/suspend", map[string]any{"code": "expert", "days": 5, "reason": "组织专家评审"})
	if v := me.ok("GET", "/cases/"+id, nil); get(v.m, "clock.paused") != true || !strings.Contains(v.str("clock.text"), "不计时") {
		h.t.Errorf("paused: %v", v.m["clock"])
	}
	h.clock.Advance(72 * time.Hour) // Monday to Thursday: two whole days do not count
	handler.ok("POST", "/cases/"+id+"/verbs/resume", map[string]any{"reason": "评审结束"})
	if after := me.ok("GET", "/cases/"+id, nil).str("clock.dueDay"); after <= due {
		h.t.Errorf("the review did not move the limit: %s, was %s", after, due)
	}
}

func archive(t *testing.T, me *caller, id string) {
	t.Helper()
	a := me.ok("GET", "/cases/"+id+"/archive.zip", nil)
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, f := range z.File {
		names += f.Name + "\n"
	}
	for _, want := range []string{"目录.csv", "范围图", "规划土地意见书"} {
		if !strings.Contains(names, want) {
			t.Errorf("archive lacks %s: %s", want, names)
		}
	}
}
