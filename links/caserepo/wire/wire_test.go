package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/links/caserepo/wire"
)

// TestSamples reads the contract's own samples strictly and writes them again:
// no field may be lost either way.
func TestSamples(t *testing.T) {
	t.Parallel()
	for file, v := range map[string]any{
		"push.json": &wire.Push{}, "erratum.json": &wire.Erratum{},
	} {
		raw, err := os.ReadFile("../testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(v); err != nil {
			t.Fatalf("%s: %v", file, err)
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
			t.Errorf("%s changes when read and written:\n%s", file, d)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	p := wire.Push{Case: wire.Case{CaseUID: "HB-R1"}, Version: 3}
	if p.Key() != "HB-R1/0/3" {
		t.Error(p.Key())
	}
	p.Steps = []wire.Step{{Seq: 1}, {Seq: 2}}
	if p.Key() != "HB-R1/2/3" {
		t.Error(p.Key())
	}
}
