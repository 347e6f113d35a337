package story_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"haoban/links/linkkit/wire"
	paywire "haoban/links/pay/wire"
	"haoban/outside/simkit"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/story"
)

// bad is one wrong thing done, and what its doer is told: a stable code (one of
// several where a race decides, by |) and a piece of the sentence, which may
// also stand in a field's message.
type bad struct {
	what, code, says string
	do               func() answer
}

// refuse plays a table.
func (h *house) refuse(act *story.Act, table []bad) {
	h.t.Helper()
	for _, b := range table {
		a := b.do()
		if a.status < 400 || a.status >= 500 {
			h.t.Errorf("%s: %d %s", b.what, a.status, a.body)
			continue
		}
		if code := a.str("code"); !strings.Contains("|"+b.code+"|", "|"+code+"|") || !strings.Contains(string(a.body), b.says) {
			h.t.Errorf("%s: want %s “%s”, got %d %s", b.what, b.code, b.says, a.status, a.body)
			continue
		}
		if i := strings.IndexFunc(a.str("title"), func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }); i < 0 && a.str("message") == "<nil>" {
			h.t.Errorf("%s: not a sentence: %s", b.what, a.body)
		}
		act.Refused()
	}
}

func asks(c *caller, method, path string, body any) func() answer {
	return func() answer { return c.call(method, path, body) }
}

// with is a call with other headers than a page of ours would send.
func with(c *caller, method, path string, body any, head map[string]string) func() answer {
	return func() answer {
		b, err := json.Marshal(body)
		if err != nil {
			c.h.t.Fatal(err)
		}
		all := map[string]string{"Content-Type": "application/json"}
		for k, v := range head {
			all[k] = v
		}
		return c.raw(method, path, b, all)
	}
}

// TestRefusedForms: what is written into a form, and the version it is written
// over.
func TestRefusedForms(t *testing.T) {
	t.Parallel()
	engines(t, "R1.4b/bad-input P1.5/bad-input", func(act *story.Act, h *house) {
		t := act.T
		me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
		id := me.ok("POST", "/cases", map[string]any{"matter": "permit/land-opinion"}).str("id")
		form := "/cases/" + id + "/form"
		put := func(data map[string]any) func() answer {
			return asks(me, "PUT", form, map[string]any{"version": 0, "data": data})
		}
		me.ok("PUT", form, map[string]any{"version": 0, "data": map[string]any{"projectCode": h.cast.BuilderProject.Code}})
		me.ok("POST", "/cases/"+id+"/prefill", map[string]any{})
		wang := h.citizen(h.cast.WangQiang)
		draft := wang.ok("POST", "/cases", map[string]any{"matter": "registry/presale-notice"}).str("id")
		for _, x := range []struct {
			data map[string]any
			says string
		}{
			{map[string]any{"buyers.0.idNo": "310115199001011230"}, "身份证"},
			{map[string]any{"buyers.0.mobile": "1234"}, "手机"},
			{map[string]any{"buyers.0.share": "3/2"}, "份额"},
			{map[string]any{"unit": "31011500100"}, "单元"},
		} {
			a := wang.call("PUT", "/cases/"+draft+"/form", map[string]any{"version": 0, "data": x.data})
			if a.status != 200 || !strings.Contains(a.str("errors"), x.says) {
				t.Errorf("%v is not told as wrong: %d %s", x.data, a.status, a.body)
			}
		}
		gang := h.citizen(h.cast.WuGang)
		shares := gang.ok("POST", "/cases", map[string]any{"matter": "registry/presale-notice"}).str("id")
		fill(gang, shares, h.cast.BadShares.No, "")
		stale := me.ok("GET", "/cases/"+id, nil).m["version"]
		me.ok("PUT", form, map[string]any{"version": 0, "data": map[string]any{"scale": "约 1 万平方米"}})
		key := map[string]string{"Idempotency-Key": "refused-0001"}
		open := func(matter string) func() answer {
			return with(wang, "POST", "/cases", map[string]any{"matter": matter}, key)
		}
		once, again := open("registry/query-certificate")(), open("registry/query-certificate")()
		if once.status != 200 || once.str("id") != again.str("id") {
			t.Errorf("the same key and body: %s, then %s", once.body, again.body)
		}
		naked, forged := *me, *me
		naked.csrf, forged.csrf = "", strings.Repeat("A", 43)
		h.refuse(act, []bad{
			{"unequal shares", "form.incomplete", "合起来应当正好是全部", asks(gang, "POST", "/cases/"+shares+"/ready", map[string]any{})},
			{"a wrong identity number handed in", "form.incomplete", "身份证", asks(wang, "POST", "/cases/"+draft+"/ready", map[string]any{})},
			{"a locked field", "form.locked", "不能改", put(map[string]any{"projectName": "别的项目"})},
			{"an unknown field", "form.invalid", "没有“nothing”这一项", put(map[string]any{"nothing": 1})},
			{"a field of the prototype", "form.invalid", "没有", put(map[string]any{"__proto__.x": 1})},
			{"text for yes or no", "form.invalid", "", put(map[string]any{"promise": "yes"})},
			{"a list for a text", "form.invalid", "", put(map[string]any{"reason": []string{"x"}})},
			{"an object for a text", "form.invalid", "", put(map[string]any{"reason": map[string]any{"a": 1}})},
			{"a number for a version", "request.invalid", "", asks(me, "PUT", form, map[string]any{"version": "x", "data": map[string]any{}})},
			{"no object at all", "request.malformed|request.invalid", "", func() answer {
				return me.raw("PUT", form, []byte(`{"version":`), map[string]string{"Content-Type": "application/json"})
			}},
			{"a stale version", "case.version", "刷新后再试", asks(me, "PUT", form, map[string]any{"version": stale, "data": map[string]any{"scale": "x"}})},
			{"a body beyond all measure", "request.too_large", "太大", put(map[string]any{"reason": strings.Repeat("长", 2<<20)})},
			{"the same key, another body", "idem.body", "同一个操作编号", open("registry/reissue")},
			{"a key of the wrong shape", "request.idempotency_key", "幂等编号", with(me, "POST", "/cases", map[string]any{"matter": "permit/land-opinion"}, map[string]string{"Idempotency-Key": "a b"})},
			{"no CSRF token", "ident.csrf", "页面已过期", asks(&naked, "POST", "/cases", map[string]any{"matter": "permit/land-opinion"})},
			{"a wrong CSRF token", "ident.csrf", "页面已过期", asks(&forged, "POST", "/cases", map[string]any{"matter": "permit/land-opinion"})},
			{"from another site", "request.cross_site", "不是从本站页面发出", with(me, "POST", "/cases", map[string]any{"matter": "permit/land-opinion"}, map[string]string{"Sec-Fetch-Site": "cross-site"})},
			{"a forged cursor", "cursor.invalid", "从第一页重新看", asks(me, "GET", "/cases?cursor=Zm9yZ2Vk", nil)},
			{"a cursor of rubbish", "cursor.invalid", "从第一页重新看", asks(me, "GET", "/cases?cursor=%25%25", nil)},
			{"someone else's case", "case.not_found", "没有这件办件", asks(wang, "GET", "/cases/"+id, nil)},
			{"an unknown matter", "matter.unknown", "没有这个事项", asks(me, "POST", "/cases", map[string]any{"matter": "permit/nothing"})},
			{"not for companies", "apply.audience", "", asks(me, "POST", "/cases", map[string]any{"matter": "registry/query-certificate"})},
			{"an unknown verb", "verb.unknown", "没有这个操作", asks(me, "POST", "/cases/"+id+"/verbs/close", map[string]any{})},
			{"a verb of the desk", "verb.unknown", "没有这个操作", asks(me, "POST", "/cases/"+id+"/verbs/extend", map[string]any{"reason": "x"})},
			{"urging a draft", "case.phase", "不能这样办", asks(me, "POST", "/cases/"+id+"/verbs/urge", map[string]any{})},
			{"data nobody knows", "command.data", "格式不对", asks(me, "POST", "/cases/"+id+"/verbs/withdraw", map[string]any{"reason": "x", "force": true})},
		})
		long := me.call("PUT", form, map[string]any{"version": 0, "data": map[string]any{"reason": strings.Repeat("长", 501)}})
		if !strings.Contains(string(long.body), "500") {
			t.Errorf("an oversized text: %d %.300s", long.status, long.body)
		}
	})
}

// packed is a zip of one member.
func packed(t *testing.T, name string, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lying is a zip whose directory says another size than is there.
func lying(t *testing.T) []byte {
	t.Helper()
	b := packed(t, "a.shp", bytes.Repeat([]byte("shape"), 100))
	at := bytes.Index(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[at+24:], 7)
	return b
}

// TestRefusedFiles: uploads and recordings that are not what they say.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	engines(t, "R2.7/bad-file R5.5/bad-recording", func(act *story.Act, h *house) {
		me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
		id := me.ok("POST", "/cases", map[string]any{"matter": "permit/land-opinion"}).str("id")
		begin := func(name, mime string, size int) func() answer {
			return asks(me, "POST", "/uploads", map[string]any{"caseId": id, "node": "range", "name": name, "size": size, "mime": mime})
		}
		piece := func(up string, off int, b []byte, sum string) func() answer {
			return func() answer {
				return me.raw("PUT", fmt.Sprintf("/uploads/%s?offset=%d", up, off), b, map[string]string{"Content-Type": "application/octet-stream", "X-Chunk-SM3": sum})
			}
		}
		whole := func(name, mime string, b []byte) func() answer {
			return func() answer {
				up := begin(name, mime, len(b))().str("id")
				if a := piece(up, 0, b, gm.SM3(b))(); a.status != 200 {
					return a
				}
				return me.call("POST", "/uploads/"+up+"/finish", nil)
			}
		}
		some := pdf(3000)
		up := begin("a.pdf", "application/pdf", len(some))().str("id")
		exe := append([]byte("MZ\x90\x00"), bytes.Repeat([]byte{0}, 500)...)
		h.refuse(act, []bad{
			{"a file beyond the limit", "upload.size", "50 MB", begin("a.pdf", "application/pdf", 51<<20)},
			{"a program by its name", "upload.mime", "不接收这种文件", begin("a.exe", "application/x-msdownload", 9)},
			{"a name and a type that differ", "upload.mime", "", begin("a.pdf", "image/png", 9)},
			{"a program named pdf", "upload.mime", "不要只改扩展名", whole("a.pdf", "application/pdf", exe)},
			{"a picture named zip", "upload.mime", "不要只改扩展名", whole("a.zip", "application/zip", []byte("\x89PNG\r\n\x1a\n and more"))},
			{"a zip that lies about sizes", "zip.lies|zip.broken", "压缩包", whole("a.zip", "application/zip", lying(act.T))},
			{"a zip that climbs out", "zip.path", "不安全的文件名", whole("a.zip", "application/zip", packed(act.T, "../../etc/x", []byte("x")))},
			{"half a zip", "zip.broken", "已损坏", whole("a.zip", "application/zip", packed(act.T, "a", []byte("abcdef"))[:40])},
			{"a bomb", "zip.bomb", "展开后过大", whole("a.zip", "application/zip", packed(act.T, "a", make([]byte, 64<<20)))},
			{"a piece with a wrong digest", "upload.hash", "损坏", piece(up, 0, some, gm.SM3([]byte("other")))},
			{"a piece at a wrong place", "upload.offset", "从已收到的位置", piece(up, 77, some[77:], gm.SM3(some[77:]))},
			{"finished too soon", "upload.incomplete", "还没有传完", asks(me, "POST", "/uploads/"+up+"/finish", nil)},
			{"into a place that is closed", "material.closed", "不能上传", asks(me, "POST", "/uploads", map[string]any{"caseId": id, "node": "approval", "name": "a.pdf", "size": 9, "mime": "application/pdf"})},
			{"into another's case", "case.not_found", "没有这件办件", asks(h.citizen(h.cast.WangQiang), "POST", "/uploads", map[string]any{"caseId": id, "node": "range", "name": "a.pdf", "size": 9, "mime": "application/pdf"})},
		})
		if a := whole("图形.zip", "application/zip", packed(act.T, "range/a.shp", bytes.Repeat([]byte("shape"), 100)))(); a.status != 200 {
			act.T.Errorf("an honest zip: %d %s", a.status, a.body)
		}

		p := h.parties()
		first, _ := p.draft()
		mine := p.ming.todo("consent")
		pid := ""
		for _, x := range p.ming.ok("GET", "/cases/"+first, nil).m["partyList"].([]any) {
			if get(x, "id") == p.ting.todo("consent") {
				pid = fmt.Sprint(get(x, "id"))
			}
		}
		link := func() string {
			u := p.ming.ok("POST", "/cases/"+first+"/parties/"+pid+"/link", map[string]any{}).str("url")
			return u[strings.LastIndex(u, "/")+1:]
		}
		old := link()
		token := link()
		if got := p.ting.ok("GET", "/links/"+token, nil).str("consentId"); got != pid {
			act.T.Errorf("the link is for %s", got)
		}
		v := p.ming.ok("GET", "/consents/"+mine, nil)
		face := map[string]any{"image": "data:image/jpeg;base64,YSBmYWNlIGEgZmFjZSBhIGZhY2UgYSBmYWNlIGEgZmFjZSBhIGZhY2UgYSBmYWNlIGEgZmFjZSBhIGZhY2U="}
		var rec string
		chunk := func(n int, sum string) func() answer {
			return func() answer {
				return p.ming.raw("PUT", fmt.Sprintf("/recordings/%s/chunks/%d", rec, n), some, map[string]string{"Content-Type": "application/octet-stream", "X-Chunk-SM3": sum})
			}
		}
		h.refuse(act, []bad{
			{"a recording before the face", "consent.face_first", "人脸核验", asks(p.ming, "POST", "/consents/"+mine+"/recording", map[string]any{"mime": "video/webm"})},
			{"a picture that is none", "image.invalid", "没有收到图片", asks(p.ming, "POST", "/consents/"+mine+"/face", map[string]any{"image": "%%%"})},
			{"a forwarded link", "consent.not_found", "不是发给您的", asks(h.citizen(h.cast.WangQiang), "GET", "/links/"+token, nil)},
			{"a link that was replaced", "consent.not_found", "", asks(p.ting, "GET", "/links/"+old, nil)},
			{"another's consent", "consent.not_found", "", asks(p.ting, "GET", "/consents/"+mine, nil)},
		})
		p.ming.ok("POST", "/consents/"+mine+"/face", face)
		rec = p.ming.ok("POST", "/consents/"+mine+"/recording", map[string]any{"mime": "video/webm"}).str("recordingId")
		p.ming.chunk(rec, 0, []byte("a piece of another recording"))
		h.refuse(act, []bad{
			{"a damaged piece of a recording", "chunk.sm3", "请重传", chunk(1, gm.SM3([]byte("other")))},
			{"a piece after a gap", "recording.gap", "前面还有一段", chunk(5, gm.SM3(some))},
			{"another piece under a number", "recording.chunk", "不同的内容", chunk(0, gm.SM3(some))},
			{"questions without answers", "recording.answers", "没有回答", asks(p.ming, "POST", "/recordings/"+rec+"/finish", map[string]any{"answers": []any{}, "durationMs": 100})},
			{"a signature before the recording", "consent.recording_first", "意愿录像", asks(p.ming, "POST", "/consents/"+mine+"/signature", map[string]any{"image": face["image"], "strokes": 9, "method": "draw"})},
			{"a signature of one stroke", "signature.empty", "姓名", asks(p.ming, "POST", "/consents/"+mine+"/signature", map[string]any{"image": face["image"], "strokes": 1, "method": "draw"})},
			{"agreed to something else", "consent.changed", "", asks(p.ming, "POST", "/consents/"+mine+"/confirm", map[string]any{"digest": "0", "agree": true})},
			{"refused without a reason", "reason.missing", "理由", asks(p.ting, "POST", "/consents/"+pid+"/confirm", map[string]any{"digest": p.ting.ok("GET", "/consents/"+pid, nil).str("digest"), "agree": false})},
		})
		h.clock.Advance(8 * 24 * time.Hour)
		h.refuse(act, []bad{
			{"an expired link", "consent.expired|consent.not_found", "", asks(p.ting, "GET", "/links/"+token, nil)},
			{"an expired consent", "consent.expired|consent.over", "", asks(p.ming, "POST", "/consents/"+mine+"/confirm", map[string]any{"digest": v.str("digest"), "agree": true})},
		})
	})
}

// told sends an event of the payment platform, signed with key.
func (h *house) told(key wire.Secret, nonce string, at time.Time, e wire.Event) answer {
	h.t.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, h.url+simkit.CallbackPath("pay"), bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if err := wire.Sign(r, key, "pay", nonce, at, body); err != nil {
		h.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&a.m); err != nil {
		h.t.Fatal(err)
	}
	if a.body, err = json.Marshal(a.m); err != nil {
		h.t.Fatal(err)
	}
	return a
}

// TestRefusedPayments: news of a payment that is forged, late, played again, or
// of another sum has no effect; the right one has its effect once.
func TestRefusedPayments(t *testing.T) {
	t.Parallel()
	engines(t, "R3.1/forged", func(act *story.Act, h *house) {
		t := act.T
		me := h.citizen(h.cast.ChenJing)
		id := h.reissue(act, me)
		h.official("zhaomin").task(id, "receive", map[string]any{"outcome": "accept"})
		h.official("wanghui").task(id, "examine", map[string]any{"outcome": "pass"})
		order := me.ok("POST", "/cases/"+id+"/fee/order", nil).str("orderNo")
		right := simkit.DemoSecrets([]byte(demoMaster))("pay")
		wrong := simkit.DemoSecrets([]byte("another master key of nobody"))("pay")
		event := func(no, status string, amount int64) wire.Event {
			raw, err := json.Marshal(paywire.State{OrderNo: "SIM-PAY-1", PaymentNo: no, Status: status, Amount: amount, PaidAt: "2026-03-02T10:00:00+08:00", Channel: "ECNY"})
			if err != nil {
				t.Fatal(err)
			}
			return wire.Event{ID: "e-" + no, Type: paywire.EventPaid, OccurredAt: time.Now().UnixMilli(), BizNo: no, Version: 1, Producer: "pay", Payload: raw}
		}
		n := 0
		say := func(key wire.Secret, late time.Duration, e wire.Event) func() answer {
			n++
			nonce := fmt.Sprintf("refused-%s-%d", act.Engine, n)
			return func() answer { return h.told(key, nonce, time.Now().Add(-late), e) }
		}
		other := event(order, paywire.Paid, 1000)
		other.Type = "pay.nothing"
		h.refuse(act, []bad{
			{"a forged signature", wire.CodeSignature, "签名", say(wrong, 0, event(order, paywire.Paid, 1000))},
			{"an hour late", wire.CodeClock, "时间戳", say(right, time.Hour, event(order, paywire.Paid, 1000))},
			{"an hour early", wire.CodeClock, "时间戳", say(right, -time.Hour, event(order, paywire.Paid, 1000))},
			{"a wrong sum", wire.CodeRefused, "金额", say(right, 0, event(order, paywire.Paid, 1))},
			{"paid, it says, and unpaid", wire.CodeInvalid, "不一致", say(right, 0, event(order, paywire.Unpaid, 1000))},
			{"an event nobody takes", wire.CodeInvalid, "不接收", say(right, 0, other)},
		})
		if got := me.phase(id); got != "paying" {
			t.Fatalf("after nothing but lies: %s", got)
		}
		good := say(right, 0, event(order, paywire.Paid, 1000))
		if a := good(); a.str("code") != wire.CodeOK {
			t.Fatalf("the truth: %s", a.body)
		}
		h.refuse(act, []bad{{"played again", wire.CodeReplay, "已经用过", good}})
		for range 3 {
			if a := say(right, 0, event(order, paywire.Paid, 1000))(); a.str("code") != wire.CodeOK {
				t.Errorf("said again: %s", a.body)
			}
		}
		h.refuse(act, []bad{
			{"the same event with another sum", wire.CodeDiffers + "|" + wire.CodeRefused, "", say(right, 0, event(order, paywire.Paid, 2000))},
			{"paying twice", "fee.paid", "不用再缴", asks(me, "POST", "/cases/"+id+"/fee/order", nil)},
		})
		if v := me.ok("GET", "/cases/"+id, nil); v.str("phase") != "handling" || strings.Count(string(v.body), "已缴费") != 1 {
			t.Errorf("paid not exactly once: %s", v.body)
		}
	})
}

// TestRefusedDesk: what an official does wrong, and doors that stay shut.
func TestRefusedDesk(t *testing.T) {
	t.Parallel()
	engines(t, "P1.1/bad-input R1.2/codes R2.1/login", func(act *story.Act, h *house) {
		me := h.agent(h.cast.BuilderAgent, h.cast.Builder, "company")
		id := h.opinion(me)
		window, handler := h.official("qianyu"), h.official("zhougang")
		task, _ := window.open(id, "receive")
		h.refuse(act, []bad{
			{"an outcome nobody offers", "task.outcome", "处理结果", asks(window, "POST", "/tasks/"+task+"/complete", map[string]any{"outcome": "nonsense"})},
			{"rejected without a reason", "reason.missing", "理由", asks(window, "POST", "/tasks/"+task+"/complete", map[string]any{"outcome": "reject", "opinion": "  "})},
			{"a reason beyond measure", "request.invalid", "", asks(window, "POST", "/tasks/"+task+"/complete", map[string]any{"outcome": "reject", "opinion": strings.Repeat("长", 2001)})},
		})
		window.task(id, "receive", map[string]any{"outcome": "accept"})
		path := "/cases/" + id + "/verbs/"
		h.refuse(act, []bad{
			{"a pause of a whim", "pause.code", "不能停止计时", asks(handler, "POST", path+"suspend", map[string]any{"code": "holiday", "reason": "放假"})},
			{"a pause beyond the law", "pause.days", "最多 30 个工作日", asks(handler, "POST", path+"suspend", map[string]any{"code": "expert", "days": 31, "reason": "评审"})},
			{"resuming what runs", "resume.running", "没有停", asks(handler, "POST", path+"resume", map[string]any{"reason": "x"})},
			{"days as a word", "command.data", "格式不对", asks(handler, "POST", path+"suspend", map[string]any{"code": "expert", "days": "ten", "reason": "评审"})},
			{"a limit beyond the calendar", "calendar.year|calendar.count", "工作日", asks(handler, "POST", path+"supplement", map[string]any{"reason": "缺", "days": 99999, "items": []any{map[string]any{"node": "survey"}}})},
			{"an unknown verb", "verb.unknown", "没有这个操作", asks(handler, "POST", path+"delete", map[string]any{"reason": "x"})},
			{"extended by who may not", "extend.head", "负责人", asks(handler, "POST", path+"extend", map[string]any{"reason": "复杂"})},
			{"a stale version", "case.version", "刷新", asks(handler, "POST", path+"suspend", map[string]any{"code": "expert", "reason": "评审", "version": 1})},
			{"unmasked without a reason", "reason.missing", "为什么", asks(handler, "POST", "/cases/"+id+"/unmask", map[string]any{"path": "contact.mobile", "reason": ""})},
			{"an unknown department", "consult.dept", "不能征询", asks(handler, "POST", "/cases/"+id+"/consultations", map[string]any{"depts": []string{"x"}, "content": "x", "days": 5})},
			{"a forged cursor of the inbox", "cursor.invalid", "从第一页", asks(handler, "GET", "/inbox?cursor=Zm9yZ2Vk", nil)},
		})
		ming := h.parties().ming
		org := developer(h, ming)
		grant := func(unit, until string) func() answer {
			return asks(ming, "POST", "/grants", map[string]any{"orgId": org, "matters": []string{"registry/presale-notice"}, "unit": unit, "until": until})
		}
		h.refuse(act, []bad{
			{"a grant outside the permit", "grant.scope", "预售许可范围", grant(h.cast.ChenJingUnit.Code, "2026-12-31")},
			{"a grant for no unit", "grant.unit", "哪一处", grant("", "2026-12-31")},
			{"a grant until never", "grant.until", "哪一天", grant(h.cast.Presale.Unit, "never")},
			{"a grant until yesterday", "ident.grant.bad", "", grant(h.cast.Presale.Unit, "2025-12-31")},
		})
		phone := func(code string) func() answer {
			return asks(ming, "POST", "/me/phone-confirm", map[string]any{"mobile": "13800138000", "code": code})
		}
		h.refuse(act, []bad{{"a phone that is none", "ident.mobile", "手机号码不正确", asks(ming, "POST", "/me/phone-code", map[string]any{"mobile": "12"})}})
		ming.ok("POST", "/me/phone-code", map[string]any{"mobile": "13800138000"})
		h.refuse(act, []bad{{"a code a moment after", "ident.code.soon", "刚刚发过", asks(ming, "POST", "/me/phone-code", map[string]any{"mobile": "13800138000"})}})
		for range 4 {
			h.refuse(act, []bad{{"a wrong code", "ident.code", "验证码不正确", phone("wrong")}})
		}
		h.refuse(act, []bad{
			{"a wrong code, the fifth time", "ident.code.locked", "连续输错", phone("wrong")},
			{"any code after it", "ident.code.locked", "连续输错", phone("000000")},
			{"a new code after it", "ident.code.locked", "连续输错", asks(ming, "POST", "/me/phone-code", map[string]any{"mobile": "13800138000"})},
		})
		logins(act, h)
	})
}

// logins: wrong passwords, codes used twice, steps left out.
func logins(act *story.Act, h *house) {
	o, sec := h.people["sunlei"], h.people["secadmin"]
	door := func(account, password string) func() answer {
		return asks(&caller{h: h, name: "at the door", aud: "staff"}, "POST", "/login", map[string]string{"account": account, "password": password})
	}
	h.refuse(act, []bad{{"nobody of that name", "ident.login", "账号或口令不正确", door("nobody", "x")}})
	half := &caller{h: h, name: "half way in", aud: "staff"}
	half.ok("POST", "/login", map[string]string{"account": sec.Account, "password": sec.Password})
	h.refuse(act, []bad{
		{"in without the second step", "login.required|ident.step", "", asks(half, "GET", "/inbox", nil)},
		{"a wrong one-time code", "ident.otp", "动态口令", asks(half, "POST", "/login/otp", map[string]string{"code": "000000"})},
	})
	code, err := ident.TOTPCode(sec.OTP, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	half.ok("POST", "/login/otp", map[string]string{"code": code})
	twice := &caller{h: h, name: "in twice", aud: "staff"}
	twice.ok("POST", "/login", map[string]string{"account": sec.Account, "password": sec.Password})
	h.refuse(act, []bad{{"a one-time code used again", "ident.otp", "已用过", asks(twice, "POST", "/login/otp", map[string]string{"code": code})}})
	for range 5 {
		h.refuse(act, []bad{{"a wrong password", "ident.login|ident.locked", "", door(o.Account, "wrong")}})
	}
	h.refuse(act, []bad{{"the right password after five wrong ones", "ident.login|ident.locked", "", door(o.Account, o.Password)}})
}
