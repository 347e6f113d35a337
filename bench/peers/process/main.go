// Command process measures the walker of casework/process and lib-bpmn-engine
// on the same diagrams and prints a line of JSON per figure.
//
// A step is a change of state that a person would see: the start of an instance
// or the completion of a user task. Both sides take the same number of steps
// over batches of the same number of instances. Ours keeps all instances of a
// batch live and takes each one step at a time; the other side, which cannot
// leave a user task open, may complete each instance in one go, and starts every
// batch with an empty engine, because it grows slower with every instance it
// has ever seen.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"time"

	"github.com/nitram509/lib-bpmn-engine/pkg/bpmn_engine"
	"github.com/nitram509/lib-bpmn-engine/pkg/spec/BPMN20/process_instance"

	"haoban/casework/process"
)

// figure is one line of the output.
type figure struct {
	Name      string   `json:"name"`
	Value     float64  `json:"value"`
	Unit      string   `json:"unit"`
	Peer      *string  `json:"peer"`
	PeerValue *float64 `json:"peer_value"`
	Ratio     *float64 `json:"ratio"`
}

func main() {
	dir := flag.String("diagrams", "../../casework/process/testdata", "folder of the diagrams")
	live := flag.Int("live", 1000, "instances alive at once")
	span := flag.Duration("time", 2*time.Second, "how long to measure each side")
	flag.Parse()
	if err := run(*dir, *live, *span); err != nil {
		log.Fatal(err)
	}
}

func run(dir string, live int, span time.Duration) error {
	for _, f := range []struct{ name, file string }{
		{"process.steps_per_s", "bench_simple.bpmn"},
		{"process.steps_per_s.gateway", "bench_gateway.bpmn"},
	} {
		src, err := fs.ReadFile(os.DirFS(dir), f.file)
		if err != nil {
			return fmt.Errorf("diagram: %w", err)
		}
		ours, theirs, err := both(src, live, span)
		if err != nil {
			return fmt.Errorf("%s: %w", f.file, err)
		}
		peer, ratio := "lib-bpmn-engine v0.2.4", ours/theirs
		if err := show(figure{Name: f.name, Value: ours, Unit: "steps/s", Peer: &peer, PeerValue: &theirs, Ratio: &ratio}); err != nil {
			return err
		}
	}
	src, err := fs.ReadFile(os.DirFS(dir), "bench_simple.bpmn")
	if err != nil {
		return fmt.Errorf("diagram: %w", err)
	}
	w, err := newWalker(src, true)
	if err != nil {
		return err
	}
	v, err := rate(w.batch, live, span)
	if err != nil {
		return err
	}
	return show(figure{Name: "process.steps_per_s.stored", Value: v, Unit: "steps/s"})
}

func show(f figure) error {
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// both measures the two sides in turns and returns the best round of each: what
// else the machine does can only make a round slower.
func both(src []byte, live int, span time.Duration) (ours, theirs float64, err error) {
	w, err := newWalker(src, false)
	if err != nil {
		return 0, 0, err
	}
	p := &peer{src: src}
	const rounds = 10
	for range rounds {
		x, err := rate(w.batch, live, span/rounds)
		if err != nil {
			return 0, 0, fmt.Errorf("ours: %w", err)
		}
		y, err := rate(p.batch, live, span/rounds)
		if err != nil {
			return 0, 0, fmt.Errorf("theirs: %w", err)
		}
		ours, theirs = max(ours, x), max(theirs, y)
	}
	return ours, theirs, nil
}

// batch runs n instances to their end and returns the steps taken and the time
// that took, without setting up.
type batch func(n int) (int, time.Duration, error)

// rate repeats batches of n instances for span and returns steps per second.
func rate(b batch, n int, span time.Duration) (float64, error) {
	steps, spent := 0, time.Duration(0)
	for steps == 0 || spent < span {
		k, d, err := b(n)
		if err != nil {
			return 0, err
		}
		steps, spent = steps+k, spent+d
	}
	return float64(steps) / spent.Seconds(), nil
}

// walker is our side.
type walker struct {
	d      *process.Definition
	first  map[string]string // user task → its first outcome
	stored bool              // read and write the state as JSON at each step
}

func newWalker(src []byte, stored bool) (*walker, error) {
	d, err := process.Parse("bench.bpmn", src)
	if err != nil {
		return nil, err
	}
	w := &walker{d: d, first: map[string]string{}, stored: stored}
	for _, n := range d.Nodes() {
		if len(n.Outcomes) > 0 {
			w.first[n.ID] = n.Outcomes[0].ID
		}
	}
	return w, nil
}

// batch starts n walks and then completes one task of each in turn, until all
// are over.
func (w *walker) batch(n int) (int, time.Duration, error) {
	states := make([]process.State, n)
	rows := make([][]byte, n)
	steps, start := 0, time.Now()
	for over := 0; over < n; {
		over = 0
		for i := range states {
			if states[i].Status == process.Over {
				over++
				continue
			}
			if err := w.step(&states[i], &rows[i]); err != nil {
				return 0, 0, err
			}
			steps++
		}
	}
	return steps, time.Since(start), nil
}

func (w *walker) step(s *process.State, row *[]byte) error {
	if w.stored && *row != nil {
		*s = process.State{}
		if err := json.Unmarshal(*row, s); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	var in process.Input = process.Start{}
	if s.Status == process.Running {
		t := &s.Tokens[0]
		in = process.Complete{TaskKey: t.Key, Outcome: w.first[t.Node]}
	}
	next, _, err := w.d.Step(*s, in, process.Env{})
	if err != nil {
		return err
	}
	*s = next
	if w.stored {
		if *row, err = json.Marshal(next); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	return nil
}

// peer is the other side.
type peer struct{ src []byte }

// batch runs n instances in a fresh engine whose handlers complete each user
// task as soon as it is reached.
func (p *peer) batch(n int) (int, time.Duration, error) {
	e := bpmn_engine.New("peer")
	info, err := e.LoadFromBytes(p.src)
	if err != nil {
		return 0, 0, err
	}
	steps := 0
	for _, task := range []string{"accept", "review", "decide"} {
		e.AddTaskHandler(task, func(job bpmn_engine.ActivatedJob) {
			steps++
			job.SetVariable("outcome", "pass")
			job.Complete()
		})
	}
	start := time.Now()
	for range n {
		inst, err := e.CreateAndRunInstance(info.ProcessKey, nil)
		if err != nil {
			return 0, 0, err
		}
		steps++
		if inst.GetState() != process_instance.COMPLETED {
			return 0, 0, errors.New("instance is not over")
		}
	}
	return steps, time.Since(start), nil
}
