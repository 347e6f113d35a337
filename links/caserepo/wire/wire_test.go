package wire_test

import (
	"testing"

	"haoban/links/caserepo/wire"
	"haoban/links/linktest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	linktest.Samples(t, "../testdata", map[string]any{"push.json": &wire.Push{}, "erratum.json": &wire.Erratum{}})
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
