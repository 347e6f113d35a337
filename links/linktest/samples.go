package linktest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Samples reads each of the contract's samples in dir strictly into its
// message and writes it again: no field may be unknown, none may be lost.
// Every file of dir must have its message.
func Samples(t *testing.T, dir string, messages map[string]any) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples in %s: %v", dir, err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		v, ok := messages[name]
		if !ok {
			t.Errorf("%s: no message for this sample", name)
			continue
		}
		raw, err := os.ReadFile(path) //nolint:gosec // a test's own folder
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(v); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if err := json.Unmarshal(raw, &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &b); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s changes when read and written:\n%s", name, d)
		}
	}
	for name := range messages {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: no such sample", name)
		}
	}
}
