package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoban/casework"
	"haoban/platform/db"
	"haoban/platform/ident"
)

// reader is one who looks at a list, with the page he goes to in the end.
type reader struct {
	name  string
	actor ident.Actor
	deep  string // cursor of the twentieth page, or of the last full one before it
	page  int
}

// clerk examines three of the sixty matters in one district.
func clerk() ident.Actor {
	return ident.Actor{Kind: ident.KindOfficial, ID: "bench-clerk", Posts: []ident.Post{{
		Role: ident.RoleExaminer, Office: "registry", District: "310115", Matters: []string{matterOf(5), matterOf(17), matterOf(40)},
	}}}
}

// chief answers for a whole district.
func chief() ident.Actor {
	return ident.Actor{Kind: ident.KindOfficial, ID: "bench-chief", Posts: []ident.Post{{Role: ident.RoleExaminer, Office: "registry", District: "310115"}}}
}

// bank is party to three cases in a hundred.
func bank() ident.Actor {
	return ident.Actor{Kind: ident.KindPerson, ID: "bench-agent", PersonID: "bench-agent", OrgID: "bench-bank", OrgKind: "company"}
}

func (h *house) reader(name string, a ident.Actor, pages int) *reader {
	h.t.Helper()
	r := &reader{name: name, actor: a, page: 1}
	for r.page < pages {
		rows, next, err := h.app.Service.List(context.Background(), a, casework.Query{Cursor: r.deep})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(rows) != casework.PageSize || next == "" {
			break
		}
		r.deep = next
		r.page++
	}
	return r
}

// pages reads n pages, as often the first as the deep one, by users at once, and
// returns how long each took.
func (h *house) pages(r *reader, users, n int) []time.Duration {
	h.t.Helper()
	took := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range users {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				q := casework.Query{}
				if i%2 == 1 {
					q.Cursor = r.deep
				}
				start := time.Now()
				rows, _, err := h.app.Service.List(context.Background(), r.actor, q)
				took[i] = time.Since(start)
				if err != nil || len(rows) == 0 {
					h.t.Errorf("%s: %d rows, %v", r.name, len(rows), err)
					return
				}
			}
		})
	}
	wg.Wait()
	return took
}

// sown makes a store with n cases and opens a house over it that works no jobs.
func sown(t *testing.T, e db.Engine, n int) *house {
	t.Helper()
	s := newStore(t, e)
	first := open(t, s, false) // publishes the definitions
	m, ok := first.app.Service.Matter("permit/land-opinion")
	if !ok {
		t.Fatal("no such matter")
	}
	sow(t, s, n, m.Digest())
	return open(t, s, false)
}

// TestList is case.list_1m_p50_ms and case.list_growth.
func TestList(t *testing.T) {
	engines(t, "case.list", func(t *testing.T, e db.Engine) {
		n, asks := size(t, "CASES", 1_000_000, 4000), size(t, "ASKS", 2000, 20)
		small := sown(t, e, min(n, 10_000))
		big := sown(t, e, n)
		for _, r := range []*reader{big.reader("clerk", clerk(), 20), big.reader("bank", bank(), 20)} {
			big.pages(r, 1, asks/10)
			profile(t, "list."+r.name+"."+string(e))
			for _, users := range []int{1, 16} {
				took := big.pages(r, users, asks)
				name := fmt.Sprintf("case.list_1m_p50_ms.%s.%s.u%d", e, r.name, users)
				tell(t, name, ms(quantile(took, 0.5)), "ms")
				t.Logf("%-44s p95 %.2f ms, pages 1 and %d", name, ms(quantile(took, 0.95)), r.page)
			}
		}
		for _, r := range []struct {
			name  string
			actor ident.Actor
			pages int
		}{{"chief", chief(), 10}, {"bank", bank(), 20}} {
			a, b := small.reader(r.name, r.actor, r.pages), big.reader(r.name, r.actor, r.pages)
			if n >= 10_000 && a.page != b.page {
				t.Errorf("%s: page %d of the small list against page %d of the big one", r.name, a.page, b.page)
			}
			small.pages(a, 1, asks/10)
			big.pages(b, 1, asks/10)
			// In turns, so that what else the machine does falls on both.
			var few, many []time.Duration
			for range 10 {
				few = append(few, small.pages(a, 1, max(2, asks/10))...)
				many = append(many, big.pages(b, 1, max(2, asks/10))...)
			}
			was, is := quantile(few, 0.5), quantile(many, 0.5)
			tell(t, fmt.Sprintf("case.list_growth.%s.%s", e, r.name), float64(is)/float64(was), "×")
			t.Logf("%s: p50 %.2f ms, was %.2f ms", r.name, ms(is), ms(was))
		}
		big.overHTTP(e, asks)
	})
}

// overHTTP reads the building company's own list, which has what it opened just
// before, through the front door.
func (h *house) overHTTP(e db.Engine, asks int) {
	h.t.Helper()
	me := h.builder()
	for range casework.PageSize {
		if _, err := me.json("POST", "/cases", map[string]any{"matter": "permit/land-opinion"}); err != nil {
			h.t.Fatal(err)
		}
	}
	took := make([]time.Duration, asks)
	for i := range took {
		start := time.Now()
		b, err := me.ask("GET", "/cases?state=open", nil)
		took[i] = time.Since(start)
		if err != nil {
			h.t.Fatal(err)
		}
		var l struct{ Items []json.RawMessage }
		if err := json.Unmarshal(b, &l); err != nil || len(l.Items) != casework.PageSize {
			h.t.Fatalf("%d rows, %v", len(l.Items), err)
		}
	}
	tell(h.t, fmt.Sprintf("case.list_1m_p50_ms.%s.http.u1", e), ms(quantile(took, 0.5)), "ms")
}
