package story_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/platform/gm"
	"haoban/story"
)

// nowhere is an id that nothing has.
const nowhere = "0198f0a0-0000-7000-8000-000000000000"

// probe is one way to something: at takes the id of the thing.
type probe struct {
	what, method string
	at           func(id string) string
	body         any
}

func to(before, after string) func(string) string {
	return func(id string) string { return before + id + after }
}

// alike asks for what is there and not theirs, and for what is not there: both
// answers are the same refusal.
func (c *caller) alike(t *testing.T, p probe, id string) {
	t.Helper()
	ask := func(id string) answer {
		if strings.Contains(p.what, "chunk of") {
			b := []byte("a piece")
			return c.raw(p.method, p.at(id), b, map[string]string{"Content-Type": "application/octet-stream", "X-Chunk-SM3": gm.SM3(b)})
		}
		return c.call(p.method, p.at(id), p.body)
	}
	there, gone := ask(id), ask(nowhere)
	if there.status/100 == 2 || there.status >= 500 {
		t.Errorf("%s, %s: %d %s", c.name, p.what, there.status, there.body)
	}
	if there.status != gone.status || there.str("code") != gone.str("code") || there.str("title") != gone.str("title") {
		t.Errorf("%s, %s: not yours and not there differ:\n%s\n%s", c.name, p.what, there.body, gone.body)
	}
}

// scene is what the negative matrix is played against.
type scene struct {
	p                                 parties
	builder                           *caller
	first, second, opinion            string
	no, contract, idNo                string
	material, paper                   string
	recording, consent, party, result string
	upload, grant, task, opinionTask  string
	draft                             string
}

func newScene(h *house) *scene {
	h.t.Helper()
	s := &scene{p: h.parties(), builder: h.agent(h.cast.BuilderAgent, h.cast.Builder, "company"), contract: h.cast.Presale.No, idNo: h.cast.ZhangMing.ID}
	s.first, s.second = s.p.draft()
	s.consent = s.p.ting.todo("consent")
	for _, who := range []*caller{s.p.ming, s.p.ting, s.p.dev, s.p.bank} {
		who.consent(who.todo("consent"), true)
	}
	v := s.p.ming.ok("GET", "/cases/"+s.first, nil)
	s.no, s.material, s.party = v.str("no"), v.str("materials.0.id"), v.str("partyList.0.id")
	s.opinion = h.opinion(s.builder)
	s.paper = s.builder.ok("GET", "/cases/"+s.opinion, nil).str("materials.0.id")
	desk := h.official("zhaomin")
	s.recording = get(desk.ok("GET", "/cases/"+s.first, nil).m, "recordings.0.id").(string)
	s.task, _ = desk.open(s.first, "receive")
	s.opinionTask, _ = h.official("qianyu").open(s.opinion, "receive")
	s.draft = s.builder.ok("POST", "/cases", map[string]any{"matter": "permit/land-opinion"}).str("id")
	s.upload = s.builder.ok("POST", "/uploads", map[string]any{"caseId": s.draft, "node": "range", "name": "a.pdf", "size": 10, "mime": "application/pdf"}).str("id")
	s.grant = get(s.p.ming.ok("POST", "/grants", map[string]any{
		"orgId": developer(h, s.p.ming), "matters": []string{"registry/presale-notice"}, "unit": h.cast.Presale.Unit, "until": "2026-12-31",
	}).m, "items.0.id").(string)
	q := s.p.ting.ok("POST", "/cases", map[string]any{"matter": "registry/query-certificate"}).str("id")
	s.p.ting.ok("POST", "/cases/"+q+"/prefill", map[string]any{})
	s.p.ting.ok("PUT", "/cases/"+q+"/form", map[string]any{"version": 0, "data": map[string]any{"mode": "mode1", "purpose": "tax", "agree": true}})
	s.p.ting.ok("POST", "/cases/"+q+"/submit", map[string]any{})
	h.until("closed", func() bool { return s.p.ting.phase(q) == "closed" })
	s.result = get(s.p.ting.ok("GET", "/results", nil).m, "items.0.id").(string)
	if s.material == "" || s.party == "<nil>" || s.paper == "" {
		h.t.Fatalf("the scene is not whole: %+v", *s)
	}
	return s
}

// caseProbes are the ways to a case on the portal.
func caseProbes(material string) []probe {
	e := map[string]any{}
	return []probe{
		{"case", "GET", to("/cases/", ""), nil},
		{"archive", "GET", to("/cases/", "/archive.zip"), nil},
		{"material", "GET", to("/cases/", "/materials/"+material+"/file"), nil},
		{"fee", "GET", to("/cases/", "/fee"), nil},
		{"order", "POST", to("/cases/", "/fee/order"), e},
		{"checks", "POST", to("/cases/", "/checks"), e},
		{"save", "PUT", to("/cases/", "/form"), map[string]any{"version": 0, "data": map[string]any{}}},
		{"prefill", "POST", to("/cases/", "/prefill"), e},
		{"ready", "POST", to("/cases/", "/ready"), e},
		{"submit", "POST", to("/cases/", "/submit"), e},
		{"withdraw", "POST", to("/cases/", "/verbs/withdraw"), map[string]any{"reason": "x"}},
		{"urge", "POST", to("/cases/", "/verbs/urge"), e},
		{"upload into", "POST", func(string) string { return "/uploads" }, nil},
	}
}

// TestNotYours is the negative matrix on the portal: who may not see a case is
// told there is none, on every path.
func TestNotYours(t *testing.T) {
	t.Parallel()
	engines(t, "R2.5/portal P1.5/portal", func(act *story.Act, h *house) {
		s := newScene(h)
		tech := h.agent(h.cast.TechAgent, h.cast.Tech, "company")
		wang := h.citizen(h.cast.WangQiang)
		stranger := &caller{h: h, name: "a stranger", aud: "public"}
		staffHere := *h.official("zhaomin")
		staffHere.aud, staffHere.name = "public", "a staff cookie on the portal"
		for _, x := range []struct {
			who   *caller
			cases []string
		}{
			{wang, []string{s.first, s.second, s.opinion}}, {tech, []string{s.first, s.second, s.opinion}},
			{s.p.bank, []string{s.first, s.opinion}}, {s.builder, []string{s.first, s.second}}, {s.p.ming, []string{s.opinion, s.draft}},
			{stranger, []string{s.first, s.opinion}}, {&staffHere, []string{s.first, s.opinion}},
		} {
			for _, id := range x.cases {
				mid := s.material
				if id == s.opinion {
					mid = s.paper
				}
				for _, p := range caseProbes(mid) {
					if p.what == "upload into" {
						continue
					}
					x.who.alike(act.T, p, id)
					act.Refused()
				}
				a := x.who.call("POST", "/uploads", map[string]any{"caseId": id, "node": "range", "name": "a.pdf", "size": 9, "mime": "application/pdf"})
				b := x.who.call("POST", "/uploads", map[string]any{"caseId": nowhere, "node": "range", "name": "a.pdf", "size": 9, "mime": "application/pdf"})
				if a.status/100 == 2 || a.status != b.status || a.str("code") != b.str("code") {
					act.T.Errorf("%s uploads into %s: %s, %s", x.who.name, id, a.body, b.body)
				}
			}
		}
		for _, who := range []*caller{wang, tech, stranger, &staffHere, s.p.bank} {
			for _, p := range []struct {
				probe
				id string
			}{
				{probe{"consent", "GET", to("/consents/", ""), nil}, s.consent},
				{probe{"confirm", "POST", to("/consents/", "/confirm"), map[string]any{"digest": "0", "agree": true}}, s.consent},
				{probe{"begin", "POST", to("/consents/", "/recording"), map[string]any{"mime": "video/webm"}}, s.consent},
				{probe{"result", "GET", to("/results/", ""), nil}, s.result},
				{probe{"original", "GET", to("/results/", "/file"), nil}, s.result},
				{probe{"qr", "PUT", to("/results/", "/qr"), map[string]any{"on": false, "days": 1}}, s.result},
				{probe{"upload", "GET", to("/uploads/", ""), nil}, s.upload},
				{probe{"chunk of upload", "PUT", to("/uploads/", "?offset=0"), nil}, s.upload},
				{probe{"finish upload", "POST", to("/uploads/", "/finish"), nil}, s.upload},
				{probe{"chunk of recording", "PUT", to("/recordings/", "/chunks/0"), nil}, s.recording},
				{probe{"finish recording", "POST", to("/recordings/", "/finish"), map[string]any{"answers": []any{}, "durationMs": 1}}, s.recording},
				{probe{"grant", "DELETE", to("/grants/", ""), nil}, s.grant},
				{probe{"link", "POST", to("/cases/"+s.first+"/parties/", "/link"), map[string]any{}}, s.party},
			} {
				if who == s.p.bank && p.what == "link" {
					continue
				}
				who.alike(act.T, p.probe, p.id)
			}
		}
		for _, who := range []*caller{wang, tech, s.p.bank} {
			for _, q := range []string{"", s.no, s.contract, s.idNo} {
				list := who.ok("GET", "/cases?state=&q="+url.QueryEscape(q), nil)
				if strings.Contains(string(list.body), s.first) || strings.Contains(string(list.body), s.opinion) {
					act.T.Errorf("%s finds it by %q: %s", who.name, q, list.body)
				}
			}
			if b := who.ok("GET", "/home", nil).body; bytes.Contains(b, []byte(s.first)) {
				act.T.Errorf("%s has it at home: %s", who.name, b)
			}
		}
		for _, q := range []string{s.no, s.contract, s.idNo} {
			if b := s.p.ming.ok("GET", "/cases?q="+url.QueryEscape(q), nil).body; !bytes.Contains(b, []byte(s.first)) {
				act.T.Errorf("who filed does not find it by %q: %s", q, b)
			}
		}
	})
}

// TestNotYourDesk is the same matrix at the desk: another district, another
// office, the administrators, and a citizen's cookie.
func TestNotYourDesk(t *testing.T) {
	t.Parallel()
	engines(t, "R2.5/desk P1.2/desk", func(act *story.Act, h *house) {
		s := newScene(h)
		citizen := *s.p.ming
		citizen.aud, citizen.name = "staff", "a citizen's cookie at the desk"
		for _, x := range []struct {
			who                       *caller
			id, mid, rec, task, label string
		}{
			{h.official("xuhui"), s.first, s.material, s.recording, s.task, s.no},
			{h.official("zhougang"), s.first, s.material, s.recording, s.task, s.no},
			{h.official("wanghui"), s.opinion, s.paper, "", s.opinionTask, ""},
			{h.official("sysadmin"), s.first, s.material, s.recording, s.task, s.no},
			{h.official("secadmin"), s.opinion, s.paper, s.recording, s.opinionTask, s.no},
			{h.official("auditadmin"), s.first, s.material, s.recording, s.task, s.no},
			{&citizen, s.first, s.material, s.recording, s.task, ""},
		} {
			ps := []struct {
				probe
				id string
			}{
				{probe{"case", "GET", to("/cases/", ""), nil}, x.id},
				{probe{"archive", "GET", to("/cases/", "/archive.zip"), nil}, x.id},
				{probe{"material", "GET", to("/cases/", "/materials/"+x.mid+"/file"), nil}, x.id},
				{probe{"departments", "GET", to("/departments?caseId=", ""), nil}, x.id},
				{probe{"unmask", "POST", to("/cases/", "/unmask"), map[string]any{"path": "buyers.0.idNo", "reason": "看看"}}, x.id},
				{probe{"urge", "POST", to("/cases/", "/verbs/urge"), map[string]any{}}, x.id},
				{probe{"reject", "POST", to("/cases/", "/verbs/reject"), map[string]any{"reason": "x"}}, x.id},
				{probe{"consult", "POST", to("/cases/", "/consultations"), map[string]any{"depts": []string{"SIM-310000-JT"}, "content": "x", "days": 5}}, x.id},
				{probe{"claim", "POST", to("/tasks/", "/claim"), nil}, x.task},
				{probe{"release", "POST", to("/tasks/", "/release"), nil}, x.task},
				{probe{"complete", "POST", to("/tasks/", "/complete"), map[string]any{"outcome": "accept"}}, x.task},
			}
			if x.rec != "" {
				ps = append(ps, []struct {
					probe
					id string
				}{
					{probe{"recording", "GET", to("/recordings/", ""), nil}, x.rec},
					{probe{"piece", "GET", to("/recordings/", "/chunks/0"), nil}, x.rec},
					{probe{"review", "POST", to("/recordings/", "/review"), map[string]any{"result": "pass"}}, x.rec},
				}...)
			}
			for _, p := range ps {
				x.who.alike(act.T, p.probe, p.id)
				act.Refused()
			}
			if x.label == "" {
				continue
			}
			for _, q := range []string{"", s.no, s.contract, s.idNo} {
				list := x.who.ok("GET", "/cases?q="+url.QueryEscape(q), nil)
				if strings.Contains(string(list.body), s.first) {
					act.T.Errorf("%s finds it by %q: %s", x.who.name, q, list.body)
				}
			}
			if sheet := h.export(x.who, s.contract); strings.Contains(sheet, s.no) {
				act.T.Errorf("%s exports it", x.who.name)
			}
			if b := x.who.ok("GET", "/inbox", nil).body; bytes.Contains(b, []byte(s.first)) {
				act.T.Errorf("%s has it in the inbox: %s", x.who.name, b)
			}
			if n := x.who.ok("GET", "/inbox/counts", nil); x.who.name != "周刚" && n.str("all") != "0" {
				act.T.Errorf("%s counts it: %s", x.who.name, n.body)
			}
		}
		right := h.official("wanghui")
		for _, q := range []string{s.no, s.contract, s.idNo} {
			if b := right.ok("GET", "/cases?q="+url.QueryEscape(q), nil).body; !bytes.Contains(b, []byte(s.first)) {
				act.T.Errorf("the examiner does not find it by %q: %s", q, b)
			}
		}
		if !strings.Contains(h.export(right, s.idNo), s.no) {
			act.T.Error("the examiner does not export it")
		}
		if n := h.official("zhaomin").ok("GET", "/inbox/counts", nil); n.str("all") != "2" {
			act.T.Errorf("the window counts %s", n.body)
		}
		citizen.no(act, "ident.session", "GET", "/cases/export.xlsx", nil)
		citizen.no(act, "ident.session", "GET", "/inbox/counts", nil)
	})
}

// export is the text of the exported sheet.
func (h *house) export(who *caller, q string) string {
	h.t.Helper()
	b := who.ok("GET", "/cases/export.xlsx?q="+url.QueryEscape(q), nil).body
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		h.t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			h.t.Fatal(err)
		}
		if _, err := io.Copy(&all, r); err != nil { //nolint:gosec // our own sheet
			h.t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			h.t.Fatal(err)
		}
	}
	return all.String()
}

// ear listens to a live stream.
type ear struct {
	who  *caller
	mu   sync.Mutex
	text strings.Builder
}

func (h *house) listen(ctx context.Context, who *caller) *ear {
	h.t.Helper()
	e := &ear{who: who}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/api/v1/"+who.aud+"/events", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "hb_" + who.aud, Value: who.cookie})
	resp, err := http.DefaultClient.Do(req) //nolint:bodyclose // closed when the listening ends
	if err != nil {
		h.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: events: %d", who.name, resp.StatusCode)
	}
	go func() {
		defer func() { _ = resp.Body.Close() }()
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			e.mu.Lock()
			e.text.WriteString(s.Text() + "\n")
			e.mu.Unlock()
		}
	}()
	return e
}

func (e *ear) heard(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Contains(e.text.String(), id)
}

// TestLiveNews: who may see a case hears of its changes at once; nobody else
// hears of it at all.
func TestLiveNews(t *testing.T) {
	t.Parallel()
	engines(t, "R2.5/live", func(act *story.Act, h *house) {
		p := h.parties()
		first, _ := p.submit()
		h.clock.Advance(time.Minute) // what happened before is not news
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		window := h.official("zhaomin")
		var right, wrong []*ear
		for _, c := range []*caller{p.ming, p.ting, p.dev, window, h.official("wanghui")} {
			right = append(right, h.listen(ctx, c))
		}
		for _, c := range []*caller{h.citizen(h.cast.WangQiang), h.agent(h.cast.TechAgent, h.cast.Tech, "company"), p.bank,
			h.official("xuhui"), h.official("zhougang"), h.official("sysadmin"), h.official("auditadmin")} {
			wrong = append(wrong, h.listen(ctx, c))
		}
		(&caller{h: h, name: "a stranger", aud: "public"}).no(act, "login.required", "GET", "/events", nil)
		task, _ := window.open(first, "receive")
		window.ok("POST", "/tasks/"+task+"/claim", nil)
		for _, e := range right {
			h.until(e.who.name+" hears of it", func() bool { return e.heard(first) })
		}
		time.Sleep(2500 * time.Millisecond) // longer than a feed looks away
		for _, e := range wrong {
			if e.heard(first) {
				act.T.Errorf("%s hears of it", e.who.name)
			}
		}
	})
}
