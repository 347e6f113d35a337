package app_test

import (
	"context"
	"testing"
	"time"

	"haoban/casework"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/ident"
)

// TestSettingsSpread: what another node has set is in force here soon after,
// and every version stays.
func TestSettingsSpread(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			a := onEngine(t, e, nil)
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- a.Run(ctx) }()
			t.Cleanup(func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
			if _, err := a.SetSetting(ctx, ident.System("test"), "approval.levels", "2", 0); err != nil {
				t.Fatal(err)
			}
			if err := a.DB.Tx(ctx, func(tx *db.Tx) error { // as another node does
				_, before, err := casework.PutSetting(ctx, tx, "approval.levels", "1", "elsewhere", 1)
				if before != "2" {
					t.Errorf("it was %q before", before)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			for n := 0; a.Setting("approval.levels") != "1"; n++ {
				if n > 400 {
					t.Fatalf("it never arrived: %s", a.Setting("approval.levels"))
				}
				time.Sleep(25 * time.Millisecond)
			}
			all, err := casework.SettingHistory(ctx, a.DB.Q(), "approval.levels")
			if err != nil || len(all) != 2 || all[0].Version != 2 || all[1].Value != "2" {
				t.Errorf("history: %v %v", all, err)
			}
		})
	}
}
