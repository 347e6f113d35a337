package number_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"testing"

	"haoban/casework/number"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
)

func TestTakeWithoutGapsOrDoubles(t *testing.T) {
	t.Parallel()
	book, err := number.New(map[string]number.Rule{"case": {Template: "网 {year} {seq:6}", Reset: "year"}})
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Each(t, []db.Line{number.Migrations()}, func(t *testing.T, d *db.DB) {
		vars := map[string]string{"day": "2026-11-23", "district": "310115"}
		var mu sync.Mutex
		var got []string
		var wg sync.WaitGroup
		rollback := errors.New("rolled back")
		for i := range 60 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				var no string
				err := d.Group(context.Background(), func(tx *db.Tx) error {
					var err error
					if no, err = book.Take(context.Background(), tx, "case", vars); err != nil {
						return err
					}
					if i%3 == 0 {
						return rollback
					}
					return nil
				})
				if i%3 == 0 {
					if !errors.Is(err, rollback) {
						t.Errorf("want the roll-back, got %v", err)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				got = append(got, no)
				mu.Unlock()
			}()
		}
		wg.Wait()
		sort.Strings(got)
		if len(got) != 40 {
			t.Fatalf("%d numbers, want 40", len(got))
		}
		for i, no := range got {
			if want := fmt.Sprintf("网 2026 %06d", i+1); no != want {
				t.Fatalf("number %d is %s, want %s", i, no, want)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]number.Rule{
		"no sequence": {Template: "网{year}", Reset: "year"},
		"bad reset":   {Template: "{seq}", Reset: "weekly"},
	} {
		if _, err := number.New(map[string]number.Rule{"x": r}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
