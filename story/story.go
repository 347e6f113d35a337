// Package story plays whole cases against the whole house: the app over real
// HTTP, the simulated outside over real HTTP, a real database of each engine.
// It is imported by tests only.
package story

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Act is one accepted feature under test. Refused must be called at least once:
// a feature that refuses nothing was not tested.
type Act struct {
	T       *testing.T
	ID      string
	Engine  string
	refused int
}

// Refused records that a refusal was asserted.
func (a *Act) Refused() { a.refused++ }

type rows struct {
	mu   sync.Mutex
	seen map[string]bool
}

// Ledger writes build/accept.tsv: feature, engine, test, pass or fail.
type Ledger struct {
	path string
	rows rows
}

// OpenLedger returns the ledger of the module's build folder.
func OpenLedger() (*Ledger, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "build")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	return &Ledger{path: filepath.Join(dir, "accept.tsv"), rows: rows{seen: map[string]bool{}}}, nil
}

// Root is the folder of go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above")
		}
		dir = up
	}
}

// Run plays fn as the acceptance test of the features ids on an engine. It is
// the only writer of accept.tsv and fails a feature whose test asserted no
// refusal.
func (l *Ledger) Run(t *testing.T, ids, engine string, fn func(a *Act)) {
	t.Helper()
	a := &Act{T: t, ID: ids, Engine: engine}
	defer func() {
		if a.refused == 0 && !t.Failed() {
			t.Errorf("%s: no refusal was asserted", ids)
		}
		verdict := "pass"
		if t.Failed() {
			verdict = "fail"
		}
		for _, id := range strings.Fields(ids) {
			if err := l.write(id, engine, t.Name(), verdict); err != nil {
				t.Errorf("accept.tsv: %v", err)
			}
		}
	}()
	fn(a)
}

func (l *Ledger) write(id, engine, name, verdict string) error {
	l.rows.mu.Lock()
	defer l.rows.mu.Unlock()
	line := strings.Join([]string{id, engine, name, verdict}, "\t")
	if l.rows.seen[line] {
		return nil
	}
	l.rows.seen[line] = true
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, line); err != nil {
		return err
	}
	return f.Close()
}
