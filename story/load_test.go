package story_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"haoban/casework/fee"
	"haoban/outside/world"
	"haoban/platform/gm"
)

// play is one case, or bundle of two, that is played to its end.
type play struct {
	bundle   bool
	query    bool
	contract world.Contract
	loan     world.Loan
	unit     world.Unit

	ids []string // acknowledged
}

// plays draws up what can be filed in this world: n bundles and n reissues by
// different people over different units, and logs everybody in.
func (s *siege) plays(n int) []*play {
	s.t.Helper()
	var bundles, reissues []*play
	busy := map[string]bool{}
	today := s.clock.Now().Format(time.DateOnly)
	free := func(hs []world.Holder) bool {
		for _, h := range hs {
			p, ok := s.world.PersonByID(h.ID)
			if h.Org || !ok || busy[h.ID] || !p.Adult(today) || p.Died != "" {
				return false
			}
		}
		for _, h := range hs {
			busy[h.ID] = true
		}
		return true
	}
	for d := 0; d < s.world.Developments() && len(bundles) < n; d += 3 {
		for _, c := range s.world.ContractsSold(d, 0, 1000) {
			l, ok := s.world.LoanOf(c.No)
			if len(bundles) == n || !ok || c.State != world.Valid || c.No == s.cast.BadShares.No || c.No == s.cast.OutsidePermit.No || !free(c.Buyers) {
				continue
			}
			for _, b := range c.Buyers {
				s.person(b.ID)
			}
			s.firm(c.Seller[0].ID, "company")
			s.firm(l.Bank, "bank")
			bundles = append(bundles, &play{bundle: true, contract: c, loan: l})
		}
	}
	for i := 0; i < s.world.Units() && len(reissues) < n; i++ {
		u := s.world.UnitAt(i)
		if u.TitleNo == "" || len(u.Owners) != 1 || u.Seizure != nil || u.Mortgage != nil || u.Dev%3 != int(world.Stock) || !free(u.Owners) {
			continue
		}
		s.person(u.Owners[0].ID)
		reissues = append(reissues, &play{unit: u})
	}
	if len(bundles) < n || len(reissues) < n {
		s.t.Fatalf("this world has only %d bundles and %d reissues", len(bundles), len(reissues))
	}
	var all []*play
	for i := range n {
		all = append(all, bundles[i], reissues[i])
	}
	return all
}

// lanes plays all, a few at a time, until more says that it is enough; what
// gets stuck fails the test.
func (s *siege) lanes(all []*play, width int, more func(done int) bool) (played []*play) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := 0
	for range width {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				mu.Lock()
				if next == len(all) || !more(next) || s.t.Failed() {
					mu.Unlock()
					return
				}
				p := all[next]
				next++
				played = append(played, p)
				mu.Unlock()
				s.one(p)
			}
		}()
	}
	wg.Wait()
	return played
}

func (s *siege) one(p *play) {
	defer func() {
		if x, ok := recover().(stuck); ok {
			s.t.Error(string(x))
		}
	}()
	if p.bundle {
		s.playBundle(p)
	} else {
		s.playReissue(p)
	}
}

func (s *siege) playBundle(p *play) {
	me := s.mine[p.contract.Buyers[0].ID]
	v := s.ask(me, "POST", "/cases", map[string]any{"matter": "registry/presale-notice", "with": []string{"registry/presale-mortgage-notice"}})
	first, second := v.str("id"), v.str("bundle.1.caseId")
	p.ids = []string{first, second}
	s.ask(me, "PUT", "/cases/"+first+"/form", map[string]any{"version": 0, "data": map[string]any{"contractNo": p.contract.No, "medium": "电子", "promise": true}})
	s.prefill(me, first, "unit", p.contract.Unit)
	s.ask(me, "PUT", "/cases/"+second+"/form", map[string]any{"version": 0, "data": map[string]any{"loan.no": p.loan.No, "promise": true}})
	s.prefill(me, second, "bank.uscc", p.loan.Bank)
	s.upload(me, first)
	s.ask(me, "POST", "/cases/"+first+"/ready", map[string]any{})
	for _, b := range p.contract.Buyers {
		s.agree(s.mine[b.ID], p.ids)
	}
	s.agree(s.mine[p.contract.Seller[0].ID], p.ids)
	s.agree(s.mine[p.loan.Bank], p.ids)
	s.done("zhaomin", first, "receive", map[string]any{"outcome": "accept", "together": true})
	s.done("wanghui", first, "examine", map[string]any{"outcome": "pass", "together": true})
	s.done("lidong", first, "book", map[string]any{"outcome": "pass", "together": true})
}

func (s *siege) playReissue(p *play) {
	me := s.mine[p.unit.Owners[0].ID]
	id := s.ask(me, "POST", "/cases", map[string]any{"matter": "registry/reissue"}).str("id")
	p.ids = []string{id}
	s.ask(me, "PUT", "/cases/"+id+"/form", map[string]any{"version": 0, "data": map[string]any{
		"certNo": p.unit.TitleNo, "lossKind": "lost", "lossText": "搬家时遗失", "medium": "电子", "statement": true,
	}})
	s.prefill(me, id, "unit", p.unit.Code)
	s.ask(me, "POST", "/cases/"+id+"/ready", map[string]any{})
	s.agree(me, p.ids)
	s.done("zhaomin", id, "receive", map[string]any{"outcome": "accept"})
	s.done("wanghui", id, "examine", map[string]any{"outcome": "pass"})
	order := s.ask(me, "POST", "/cases/"+id+"/fee/order", nil)
	s.pay(order.str("payUrl"))
	s.done("lidong", id, "book", map[string]any{"outcome": "pass"})
}

// prefill asks the partners until the field has come.
func (s *siege) prefill(me *caller, id, path, want string) {
	s.wait("prefill of "+path, time.Minute, func() bool {
		return s.ask(me, "POST", "/cases/"+id+"/prefill", map[string]any{}).str("form.data."+path) == want
	})
}

// upload brings one more paper in, in two pieces.
func (s *siege) upload(me *caller, id string) {
	b := append([]byte("%PDF-1.4\n"), bytes.Repeat([]byte("一张纸 "+id+"\n"), 200)...)
	up := s.ask(me, "POST", "/uploads", map[string]any{"caseId": id, "node": "other", "name": "别的.pdf", "size": len(b), "mime": "application/pdf"}).str("id")
	for at := 0; at < len(b); {
		piece := b[at:min(at+len(b)/2+1, len(b))]
		a := s.send(me, "PUT", "/uploads/"+up+"?offset="+strconv.Itoa(at), piece, map[string]string{"Content-Type": "application/octet-stream", "X-Chunk-SM3": gm.SM3(piece)})
		if a.status/100 != 2 {
			panic(stuck(fmt.Sprintf("upload: %d %s", a.status, a.body)))
		}
		at += len(piece)
	}
	s.ask(me, "POST", "/uploads/"+up+"/finish", map[string]any{})
}

// agree walks somebody through all that is asked of them in these cases.
func (s *siege) agree(c *caller, cases []string) {
	id := ""
	s.wait(c.name+" is asked to agree", time.Minute, func() bool {
		todos, _ := s.ask(c, "GET", "/home", nil).m["todos"].([]any)
		for _, t := range todos {
			if get(t, "kind") == "consent" && slices.Contains(cases, fmt.Sprint(get(t, "caseId"))) {
				id = fmt.Sprint(get(t, "consentId"))
			}
		}
		return id != ""
	})
	at := "/consents/" + id
	v := s.ask(c, "GET", at, nil)
	img := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a face "), 40))
	needs, _ := v.m["needs"].([]any)
	for _, n := range needs {
		switch get(n, "kind") {
		case "face":
			s.wait("face", time.Minute, func() bool { return get(s.ask(c, "POST", at+"/face", map[string]any{"image": img}).m, "ok") == true })
		case "recording":
			rec := s.ask(c, "POST", at+"/recording", map[string]any{"mime": "video/webm"}).str("recordingId")
			for k := range 2 {
				b := []byte(fmt.Sprintf("piece %d of %s", k, rec))
				a := s.send(c, "PUT", fmt.Sprintf("/recordings/%s/chunks/%d", rec, k), b, map[string]string{"Content-Type": "application/octet-stream", "X-Chunk-SM3": gm.SM3(b)})
				if a.status/100 != 2 {
					panic(stuck(fmt.Sprintf("chunk: %d %s", a.status, a.body)))
				}
			}
			var answers []map[string]any
			questions, _ := v.m["questions"].([]any)
			for _, q := range questions {
				answers = append(answers, map[string]any{"q": get(q, "id"), "a": "是", "atMs": 1000})
			}
			s.ask(c, "POST", "/recordings/"+rec+"/finish", map[string]any{"answers": answers, "durationMs": 6000})
		case "signature":
			s.ask(c, "POST", at+"/signature", map[string]any{"image": img, "strokes": 9, "method": "draw"})
		case "seal":
			s.ask(c, "POST", at+"/signature", map[string]any{"strokes": 0, "method": "seal"})
		}
	}
	s.ask(c, "POST", at+"/confirm", map[string]any{"digest": s.ask(c, "GET", at, nil).str("digest"), "agree": true})
}

// done waits for an official's task and completes it.
func (s *siege) done(account, id, node string, in map[string]any) {
	c, task := s.desks[account], ""
	s.wait(node+" of "+id, 90*time.Second, func() bool {
		a := s.send(c, "GET", "/cases/"+id, nil, nil)
		tasks, _ := a.m["tasks"].([]any) // not visible before it is submitted
		for _, t := range tasks {
			if get(t, "node") == node && get(t, "mine") == true {
				task = fmt.Sprint(get(t, "id"))
			}
		}
		return task != ""
	})
	s.ask(c, "POST", "/tasks/"+task+"/complete", in)
}

// pay presses the payer's button three times.
func (s *siege) pay(payURL string) {
	u, err := url.Parse(payURL)
	if err != nil {
		panic(stuck(err.Error()))
	}
	path := u.Path
	if !strings.HasPrefix(path, "/pay/") {
		path = "/pay" + path
	}
	quiet := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for pressed := 0; pressed < 3; {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.outURL+path+"/pay", strings.NewReader("channel=DCEP"))
		if err != nil {
			panic(stuck(err.Error()))
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if resp, err := quiet.Do(r); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode/100 == 3 {
				pressed++
				continue
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// reckon proves, once all is quiet, that nothing was lost and nothing done
// twice.
func (s *siege) reckon(played []*play) {
	s.t.Helper()
	ctx := context.Background()
	q := s.app.DB.Q()
	series := map[string][]int{}
	openers := map[string]int{} // acknowledged cases by who opened them
	paid, bundles := 0, 0
	for _, p := range played {
		if p.bundle {
			bundles++
		}
		for _, id := range p.ids {
			snap, err := s.app.Service.Snapshot(ctx, id)
			if err != nil {
				s.t.Errorf("an acknowledged case is lost: %s: %v", id, err)
				continue
			}
			openers[snap.Opener]++
			if snap.Phase != "closed" {
				s.t.Errorf("case %s is %s", id, snap.Phase)
			}
			events, err := s.app.Service.Events(ctx, q, id)
			if err != nil {
				s.t.Error(err)
			}
			count := map[string]int{}
			for i, e := range events {
				count[e.Kind]++
				if e.Seq != i+1 {
					s.t.Errorf("case %s: event %d has number %d", id, i+1, e.Seq)
				}
			}
			want := []string{"submitted", "accepted", "issued", "closed"}
			switch {
			case p.query:
				want = []string{"submitted", "queried", "issued", "closed"}
			case !p.bundle:
				want = append(want, "fee_due", "fee_paid", "loss_published")
			}
			for _, k := range want {
				if count[k] != 1 {
					s.t.Errorf("case %s: %s %d times: %v", id, k, count[k], count)
				}
			}
			s.number(series, snap.No)
			rs, err := s.app.Results.Of(ctx, q, id)
			if err != nil || len(rs) != 1 {
				s.t.Errorf("case %s has %d results, %v", id, len(rs), err)
			}
			for _, r := range rs {
				s.number(series, r.No)
			}
			f, ok, err := fee.Of(ctx, q, id)
			if err != nil {
				s.t.Error(err)
			}
			if !p.bundle && !p.query {
				paid++
				if !ok || f.State != "paid" {
					s.t.Errorf("case %s: fee %+v", id, f)
				}
			}
		}
	}
	for name, ns := range series {
		slices.Sort(ns)
		for i, n := range ns {
			if n != i+1 {
				s.t.Errorf("numbers %s are not dense: %v", name, ns)
				break
			}
		}
	}
	s.owned(openers)
	s.outsideOnce(bundles, paid)
	s.kept(played)
}

// number sorts a number's running part under the rest of it.
func (s *siege) number(series map[string][]int, no string) {
	end := len(no)
	for end > 0 && (no[end-1] < '0' || no[end-1] > '9') {
		end--
	}
	from := end
	for from > 0 && no[from-1] >= '0' && no[from-1] <= '9' {
		from--
	}
	n, err := strconv.Atoi(no[from:end])
	if err != nil {
		s.t.Errorf("number %q: %v", no, err)
		return
	}
	series[no[:from]] = append(series[no[:from]], n)
}

// owned: nobody has a case that was never acknowledged to them.
func (s *siege) owned(openers map[string]int) {
	s.t.Helper()
	all := 0
	if err := s.app.DB.Q().QueryRow(context.Background(), `SELECT count(*) FROM cw_case`).Scan(&all); err != nil {
		s.t.Error(err)
	}
	sum := 0
	for _, n := range openers {
		sum += n
	}
	if all != sum {
		s.t.Errorf("%d cases, %d acknowledged", all, sum)
	}
}

// outsideOnce: every system outside was told everything once.
func (s *siege) outsideOnce(bundles, paid int) {
	s.t.Helper()
	for _, name := range s.out.Systems() {
		if d := s.out.Sim(name).Journal().Doubles; len(d) > 0 {
			s.t.Errorf("%s was told twice: %v", name, d)
		}
	}
	for _, x := range []struct {
		system, kind string
		want         int
	}{{"pay", "order", paid}, {"pay", "paid", paid}, {"bigreg", "entry", 2*bundles + paid}, {"housing", "registered", bundles}} {
		if keys, times := s.out.Sim(x.system).Effects(x.kind); keys != x.want || times != x.want {
			s.t.Errorf("%s %s: %d different, %d in all, want %d", x.system, x.kind, keys, times, x.want)
		}
	}
}

// kept: the case repository knows every case as it ended. News that newer news
// overtook after an outage may be missing.
func (s *siege) kept(played []*play) {
	s.t.Helper()
	keys := s.out.Sim("caserepo").Journal().Effects["push"]
	for _, p := range played {
		for _, id := range p.ids {
			events, err := s.app.Service.Events(context.Background(), s.app.DB.Q(), id)
			if err != nil {
				s.t.Error(err)
			}
			found := false
			for _, e := range events {
				for k := range keys {
					found = found || e.Kind == "closed" && strings.HasPrefix(k, "HB"+id+"/") && strings.HasSuffix(k, "/"+strconv.Itoa(e.Seq))
				}
			}
			if !found {
				s.t.Errorf("the case repository was not told the end of %s", id)
			}
		}
	}
}

// quiet waits until every case is closed and no work is left.
func (s *siege) quiet(played []*play, most time.Duration) {
	s.t.Helper()
	defer func() {
		if x, ok := recover().(stuck); ok {
			st, err := s.app.Queue.Stats(context.Background())
			fs, ferr := s.app.Queue.Failed(context.Background(), jobPage())
			s.t.Errorf("%s: %+v %v; failed: %+v %v\n%s", string(x), st, err, fs, ferr, s.tail(0))
		}
	}()
	ctx := context.Background()
	s.wait("quiet", most, func() bool {
		st, err := s.app.Queue.Stats(ctx)
		if err != nil {
			return false
		}
		for kind, c := range st.Counts {
			if kind != "" && (c["ready"] > 0 || c["running"] > 0) {
				return false
			}
		}
		for _, p := range played {
			for _, id := range p.ids {
				snap, err := s.app.Service.Snapshot(ctx, id)
				if err != nil || snap.Phase != "closed" {
					return false
				}
			}
		}
		return true
	})
}
