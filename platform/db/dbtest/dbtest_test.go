package dbtest_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoban/platform/db"
	"haoban/platform/db/dbtest"
)

func TestStartPostgresKeepsItsData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pg")
	for round := range 2 {
		dsn, stop, err := dbtest.StartPostgres(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		d, err := db.Open(t.Context(), db.Config{Engine: db.Postgres, DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Tx(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS t_x (n BIGINT)"); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), "INSERT INTO t_x VALUES ($1)", round)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.Q().QueryRow(t.Context(), "SELECT count(*) FROM t_x").Scan(&n); err != nil || n != round+1 {
			t.Errorf("round %d: %d rows, %v", round, n, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		stop()
		stop() // may be called again
	}
}

// A process that is killed takes its server and the server's files with it.
func TestServerDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestHelperHoldsAServer$") //nolint:gosec // this test's own program
	cmd.Env = append(os.Environ(), "DBTEST_HOLD=yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir, ok := strings.CutPrefix(strings.Fields(line)[0], "host=")
	if !ok {
		t.Fatalf("the helper said %q", line)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the helper was not killed")
	}
	for range 200 {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s is still there", dir)
}

// TestHelperHoldsAServer is the process that TestServerDiesWithItsProcess kills;
// by itself it tests nothing.
func TestHelperHoldsAServer(t *testing.T) {
	t.Parallel()
	if os.Getenv("DBTEST_HOLD") == "" {
		return
	}
	dsn, stop, err := dbtest.StartPostgres(context.Background(), "", "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdout.WriteString(dsn + "\n"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	stop()
}

func TestEachTestHasItsOwn(t *testing.T) {
	t.Parallel()
	for range 3 {
		dbtest.Each(t, nil, func(t *testing.T, d *db.DB) {
			err := d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), "CREATE TABLE t_x (n BIGINT)")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
