package story_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"haoban/bureau/registry"
	"haoban/links/bigreg"
	"haoban/links/linkkit"
	"haoban/outside/simkit"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/story"
)

// demoMaster is what newHouse derives the keys shared with partners from.
const demoMaster = "the master key of this test only"

// lite runs fn on SQLite alone, for what no engine changes.
func lite(t *testing.T, ids string, fn func(a *story.Act)) {
	t.Helper()
	l, err := story.OpenLedger()
	if err != nil {
		t.Fatal(err)
	}
	l.Run(t, ids, string(db.SQLite), fn)
}

// opinion files a planning opinion and waits until it is handed in.
func (h *house) opinion(me *caller) string {
	h.t.Helper()
	id := me.ok("POST", "/cases", map[string]any{"matter": "permit/land-opinion"}).str("id")
	me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{"projectCode": h.cast.BuilderProject.Code}})
	me.ok("POST", "/cases/"+id+"/prefill", map[string]any{})
	me.ok("PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{
		"scale": "建筑面积约 1 万平方米", "reason": "符合控制性详细规划", "farmland": "否", "promise": true,
	}})
	me.upload(id, "range", "范围图.pdf", "application/pdf", pdf(3000))
	me.ok("POST", "/cases/"+id+"/ready", map[string]any{})
	h.until("submitted", func() bool { return me.phase(id) == "submitted" })
	return id
}

// parties of the presale bundle.
type parties struct{ ming, ting, dev, bank *caller }

func (h *house) parties() parties {
	h.t.Helper()
	c := h.cast
	return parties{h.citizen(c.ZhangMing), h.citizen(c.LiTing), h.agent(c.DeveloperAgent, c.Developer, "company"), h.agent(c.BankAgent, c.Bank, "bank")}
}

// draft fills a presale bundle up to the moment everybody is asked.
func (p parties) draft() (first, second string) {
	c := p.ming.h.cast
	v := p.ming.ok("POST", "/cases", map[string]any{"matter": "registry/presale-notice", "with": []string{"registry/presale-mortgage-notice"}})
	first, second = v.str("id"), get(v.m, "bundle.1.caseId").(string)
	fill(p.ming, first, c.Presale.No, "")
	p.ming.ok("PUT", "/cases/"+first+"/form", map[string]any{"version": 0, "data": map[string]any{"medium": "电子", "promise": true}})
	fill(p.ming, second, "", c.PresaleLoan.No)
	p.ming.ok("POST", "/cases/"+first+"/ready", map[string]any{})
	return first, second
}

// submit files a presale bundle and lets everybody agree.
func (p parties) submit() (first, second string) {
	h := p.ming.h
	h.t.Helper()
	first, second = p.draft()
	for _, who := range []*caller{p.ming, p.ting, p.dev, p.bank} {
		who.consent(who.todo("consent"), true)
	}
	if got := p.ming.phase(first); got != "submitted" {
		h.t.Fatalf("the bundle is %s", got)
	}
	return first, second
}

// reissue files a reissue and lets its holder agree.
func (h *house) reissue(act *story.Act, me *caller) string {
	h.t.Helper()
	id := reissueDraft(act, h, me)
	me.ok("POST", "/cases/"+id+"/ready", map[string]any{})
	me.consent(me.todo("consent"), true)
	return id
}

// pay pays the fee of a case at the simulated cash desk.
func (h *house) pay(me *caller, id string) {
	h.t.Helper()
	u, err := url.Parse(me.ok("POST", "/cases/"+id+"/fee/order", nil).str("payUrl"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.post("/pay/"+strings.TrimPrefix(strings.TrimPrefix(u.Path, "/pay"), "/")+"/pay", url.Values{"channel": {"ECNY"}})
}

// moveRegister lets 大登记 enter something of its own on a unit.
func (h *house) moveRegister(unit string) {
	h.t.Helper()
	key := simkit.DemoSecrets([]byte(demoMaster))("bigreg")
	c, err := linkkit.New(linkkit.Config{
		System: "bigreg", Name: bigreg.Name, BaseURL: h.outURL + "/bigreg", AppID: "haoban", Signer: key, Peer: key, Cipher: key,
		Clock: clock.Wall{}, Recorder: linkkit.NewBook(h.app.DB, h.app.Keys), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	h.n++
	n := int64(9_000_000 + h.n)
	h.mu.Unlock()
	if _, err := bigreg.New(c).Told(context.Background(), registry.EntryTold{No: n, Unit: unit, Case: "elsewhere", Kind: "other", At: h.clock.Now(), Digest: "0"}); err != nil {
		h.t.Fatal(err)
	}
}

// open finds the open task of a node, whoever may do it.
func (c *caller) open(caseID, node string) (id string, row any) {
	c.h.t.Helper()
	tasks, _ := c.ok("GET", "/cases/"+caseID, nil).m["tasks"].([]any)
	for _, t := range tasks {
		if get(t, "node") == node {
			return fmt.Sprint(get(t, "id")), t
		}
	}
	return "", nil
}

// uid is the id of an official.
func (c *caller) uid() string { return c.ok("GET", "/session", nil).str("user.id") }

// verb does something to a case at the desk or the portal.
func (c *caller) verb(caseID, verb string, in map[string]any) answer {
	c.h.t.Helper()
	return c.ok("POST", "/cases/"+caseID+"/verbs/"+verb, in)
}
