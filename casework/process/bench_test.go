package process

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"
)

// live is how many walks are under way at once in the benchmarks.
const live = 1000

func load(b *testing.B, name string) *Definition {
	b.Helper()
	src, err := os.ReadFile("testdata/" + name)
	if err != nil {
		b.Fatal(err)
	}
	d, err := Parse(name, src)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// advance starts a walk, or completes its one open task with its first outcome.
func advance(b *testing.B, d *Definition, s State) State {
	b.Helper()
	var in Input = Start{}
	if s.Status == Running {
		c := Complete{TaskKey: s.Tokens[0].Key}
		if n := &d.nodes[d.byID[s.Tokens[0].Node]]; len(n.Outcomes) > 0 {
			c.Outcome = n.Outcomes[0].ID
		}
		in = c
	}
	next, _, err := d.Step(s, in, Env{})
	if err != nil {
		b.Fatal(err)
	}
	if d.Done(next) {
		return State{}
	}
	return next
}

// BenchmarkStep takes live walks forward in turn, one step each: a start or the
// completion of a task.
func BenchmarkStep(b *testing.B) {
	for _, name := range []string{"bench_simple.bpmn", "bench_gateway.bpmn"} {
		b.Run(name, func(b *testing.B) {
			d := load(b, name)
			states := make([]State, live)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				states[i%live] = advance(b, d, states[i%live])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
		})
	}
}

// BenchmarkStepStored is BenchmarkStep with the state read from and written to
// JSON at each step, as a database row has it.
func BenchmarkStepStored(b *testing.B) {
	d := load(b, "bench_simple.bpmn")
	rows := make([][]byte, live)
	for i := range rows {
		rows[i] = []byte("{}")
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var s State
		if err := json.Unmarshal(rows[i%live], &s); err != nil {
			b.Fatal(err)
		}
		out, err := json.Marshal(advance(b, d, s))
		if err != nil {
			b.Fatal(err)
		}
		rows[i%live] = out
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
}

// BenchmarkParse reads and checks a diagram.
func BenchmarkParse(b *testing.B) {
	src, err := draw(sketch(rand.New(rand.NewPCG(11, 1)), 3))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d, err := Parse("x.bpmn", src)
		if err != nil {
			b.Fatal(err)
		}
		_ = d.Check()
	}
}
