package job_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/db"
	"haoban/platform/db/dbtest"
)

func TestSchemaIsTheSameOnBothEngines(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[db.Engine]string{}
	t.Run("engines", func(t *testing.T) {
		dbtest.Each(t, lines(), func(t *testing.T, d *db.DB) {
			s := dbtest.Schema(t, d)
			mu.Lock()
			defer mu.Unlock()
			got[d.Engine()] = s
		})
	})
	if diff := cmp.Diff(got[db.SQLite], got[db.Postgres]); diff != "" || len(got) != 2 {
		t.Errorf("(-sqlite +postgres)\n%s", diff)
	}
}
