package process

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/errs"
)

// sketcher draws random diagrams out of blocks that fit together, so that every
// one of them can be walked to an end.
type sketcher struct {
	r     *rand.Rand
	lines []string
	n     int
}

func (k *sketcher) id(kind string) string {
	k.n++
	return fmt.Sprintf("%s%d", kind, k.n)
}

func (k *sketcher) add(format string, args ...any) {
	k.lines = append(k.lines, fmt.Sprintf(format, args...))
}

func (k *sketcher) condition() string {
	return []string{
		`outcome == "x"`, `outcome in ["y", "z"]`, `form.n > 3`, `int(form.n) % 2 == 0 && outcome != "y"`, `len(parties) > 1`,
		`vars.k == 1`, `(tally["x"] ?? 0) > 0`, `true`, `false`,
	}[k.r.IntN(9)]
}

// task draws a user task with outcomes and perhaps boundary events, and returns
// where it begins and ends.
func (k *sketcher) task(scope string) (string, string) {
	u := k.id("u")
	extra := ""
	switch k.r.IntN(6) {
	case 0:
		extra = " multi=parallel over=form.list enough=\"(tally['x'] ?? 0) > 1\""
	case 1:
		extra = " multi=sequential times=form.n"
	}
	k.add("user %s name=任务 role=r due=P1D outcomes=\"x y z\"%s", u, extra)
	return k.bounded(u, scope)
}

// bounded perhaps puts boundary events on an activity.
func (k *sketcher) bounded(a, scope string) (string, string) {
	out := a
	switch k.r.IntN(5) {
	case 0:
		b, m := k.id("b"), k.id("m")
		k.add("boundary %s on=%s after=P1D", b, a)
		k.add("xor %s", m)
		k.add("%s -> %s", a, m)
		k.add("%s -> %s", b, m)
		out = m
	case 1:
		b, v, e := k.id("b"), k.id("tell"), k.id("e")
		k.add("boundary %s on=%s message=more quiet", b, a)
		k.add("service %s verb=tell", v)
		k.add("end %s", e)
		k.add("%s -> %s -> %s", b, v, e)
	case 2:
		b, e := k.id("b"), k.id("e")
		k.add("boundary %s on=%s after=P1D", b, a)
		k.add("end %s%s", e, scope)
		k.add("%s -> %s", b, e)
		if scope == "" { // one branch may be gone: what follows must not wait for it
			k.lines = k.lines[:len(k.lines)-3]
		}
	}
	return a, out
}

func (k *sketcher) block(depth int, scope string) (string, string) {
	kind := k.r.IntN(10)
	if depth <= 0 {
		kind = k.r.IntN(4)
	}
	switch kind {
	case 0, 1:
		return k.task(scope)
	case 2:
		v := k.id("v")
		k.add("service %s verb=do outcomes=\"x failed\"", v)
		return k.bounded(v, scope)
	case 3:
		c := k.id("c")
		if k.r.IntN(2) == 0 {
			k.add("timer %s after=P1D unit=workday", c)
		} else {
			k.add("receive %s message=news%d", c, k.r.IntN(2))
		}
		return c, c
	case 4, 5:
		a, b := k.block(depth-1, scope)
		c, d := k.block(depth-1, scope)
		k.add("%s -> %s", b, c)
		return a, d
	case 6:
		return k.loop(depth, scope)
	case 7:
		return k.sub(depth)
	}
	return k.fork(depth, scope)
}

// loop draws a circle around a task.
func (k *sketcher) loop(depth int, scope string) (string, string) {
	in, out := k.id("m"), k.id("g")
	k.add("xor %s", in)
	k.add("xor %s", out)
	a, b := k.block(depth-1, scope)
	c, d := k.task(scope)
	k.add("%s -> %s", in, a)
	k.add("%s -> %s", b, c)
	k.add("%s -> %s", d, out)
	k.add("%s -> %s if outcome == \"y\" && vars.k == 1", out, in)
	// The way out is the default flow; its name is drawn by the caller.
	next := k.id("m")
	k.add("xor %s", next)
	k.add("%s -> %s else", out, next)
	return in, next
}

func (k *sketcher) sub(depth int) (string, string) {
	p := k.id("p")
	extra := ""
	switch k.r.IntN(4) {
	case 0:
		extra = " multi=parallel over=form.list enough=\"nrOfCompletedInstances > 1\""
	case 1:
		extra = " multi=sequential times=2"
	}
	k.add("sub %s%s {", p, extra)
	s, e := k.id("s"), k.id("e")
	k.add("start %s", s)
	a, b := k.block(depth-1, " terminate")
	k.add("%s -> %s", s, a)
	k.add("%s -> %s", b, e)
	if k.r.IntN(3) == 0 {
		k.add("end %s terminate", e)
	} else {
		k.add("end %s", e)
	}
	k.add("}")
	return k.bounded(p, "")
}

// fork draws two or three branches of one kind of gateway and their join.
func (k *sketcher) fork(depth int, scope string) (string, string) {
	kind := []string{"xor", "and", "or"}[k.r.IntN(3)]
	g, j := k.id("g"), k.id("j")
	k.add("%s %s", kind, g)
	k.add("%s %s", kind, j)
	n := 2 + k.r.IntN(2)
	for i := range n {
		a, b := k.block(depth-1, scope)
		switch {
		case kind == "and":
			k.add("%s -> %s", g, a)
		case i == n-1:
			k.add("%s -> %s else", g, a)
		default:
			k.add("%s -> %s if %s", g, a, k.condition())
		}
		k.add("%s -> %s", b, j)
	}
	return g, j
}

func sketch(r *rand.Rand, depth int) string {
	k := &sketcher{r: r}
	k.add("start s")
	a, b := k.block(depth, "")
	k.add("s -> %s", a)
	k.add("end e")
	k.add("%s -> e", b)
	return strings.Join(k.lines, "\n")
}

// tangle draws arrows at random; most of these are refused, and Check finds
// many of the others wanting.
func tangle(r *rand.Rand) string {
	k := &sketcher{r: r}
	k.add("start s")
	n := 3 + r.IntN(5)
	ids := make([]string, n)
	kinds := make([]string, n)
	for i := range ids {
		kinds[i] = []string{"user", "user", "and", "xor", "or", "service"}[r.IntN(6)]
		ids[i] = fmt.Sprintf("n%d", i)
		switch kinds[i] {
		case "user":
			k.add("user %s name=任务 role=r due=P1D outcomes=\"x y z\"", ids[i])
		case "service":
			k.add("service %s verb=v outcomes=\"x failed\"", ids[i])
		default:
			k.add("%s %s", kinds[i], ids[i])
		}
	}
	k.add("end e")
	to := func() string {
		if i := r.IntN(n + 1); i < n {
			return ids[i]
		}
		return "e"
	}
	k.add("s -> n0")
	for i, id := range ids {
		switch kinds[i] {
		case "user", "service":
			k.add("%s -> %s", id, to())
		case "and":
			k.add("%s -> %s", id, to())
			k.add("%s -> %s", id, to())
		default:
			k.add("%s -> %s if %s", id, to(), k.condition())
			k.add("%s -> %s else", id, to())
		}
	}
	return strings.Join(k.lines, "\n")
}

// someInput picks one thing that can happen to a state.
func someInput(r *rand.Rand, d *Definition, s State, returns bool) Input {
	if s.Status == NotStarted {
		return Start{}
	}
	waits := d.Waits(s)
	w := waits[r.IntN(len(waits))]
	if returns && r.IntN(12) == 0 {
		if to := d.ReturnTargets(s, w.Key); len(to) > 0 {
			return Return{From: w.Key, To: to[r.IntN(len(to))].ID}
		}
	}
	outcome := ""
	if o := d.Outcomes(w.Node); len(o) > 0 {
		outcome = o[r.IntN(len(o))].ID
	}
	vars := map[string]any{"k": r.IntN(3)}
	switch w.Kind {
	case CreateTask:
		return Complete{TaskKey: w.Key, Outcome: outcome, Vars: vars}
	case CallService:
		if r.IntN(5) == 0 {
			return ServiceFailed{Key: w.Key, Reason: "不通"} // all services here have the outcome failed, but those whose id begins with t
		}
		return ServiceDone{Key: w.Key, Outcome: outcome}
	case AwaitMessage:
		return Message{Name: w.Name, Key: w.Key, Vars: vars}
	}
	return Timer{Key: w.Key}
}

func answered(in Input) string {
	switch in := in.(type) {
	case Complete:
		return in.TaskKey
	case ServiceDone:
		return in.Key
	case ServiceFailed:
		if !strings.HasPrefix(in.Key, "t") {
			return in.Key
		}
	case Message:
		return in.Key
	case Timer:
		return in.Key
	}
	return ""
}

// stroll walks d at random and checks at each step that the walk is over or
// waits, that what was asked is answered or cancelled exactly once, and that
// JSON changes nothing. It reports whether the walk came to its end.
func stroll(t *testing.T, r *rand.Rand, d *Definition, steps int, returns bool) bool {
	t.Helper()
	var s State
	list := make([]any, r.IntN(4))
	for i := range list {
		list[i] = fmt.Sprint("d", i)
	}
	env := Env{Form: map[string]any{"n": float64(r.IntN(6)), "list": list}, Parties: make([]map[string]any, r.IntN(3))}
	open := map[string]bool{}
	for range steps {
		in := someInput(r, d, s, returns)
		next, eff, err := d.Step(s, in, env)
		if err != nil {
			t.Fatalf("%T %+v: %v", in, in, err)
		}
		again, eff2, err := d.Step(through(t, s), in, env)
		if err != nil || !reflect.DeepEqual(next, again) || !reflect.DeepEqual(eff, eff2) {
			t.Fatalf("another walk after JSON: %v %s", err, cmp.Diff(next, again))
		}
		if !reflect.DeepEqual(next, through(t, next)) {
			t.Fatalf("state changes in JSON: %s", cmp.Diff(next, through(t, next)))
		}
		if k := answered(in); k != "" {
			if !open[k] {
				t.Fatalf("%s answered but not open", k)
			}
			delete(open, k)
		}
		ledger(t, open, eff)
		s = next
		waits := d.Waits(s)
		if len(waits) != len(open) {
			t.Fatalf("waits %v, open %v", waits, open)
		}
		if d.Done(s) {
			if len(s.Tokens) > 0 {
				t.Fatalf("over with tokens: %v", s.Tokens)
			}
			return true
		}
		if len(waits) == 0 {
			t.Fatalf("neither over nor waiting: %+v", s)
		}
		family(t, s)
	}
	return false
}

// ledger books what was asked and cancelled.
func ledger(t *testing.T, open map[string]bool, eff []Effect) {
	t.Helper()
	for _, e := range eff {
		switch e.Kind {
		case CreateTask, CallService, AwaitMessage, SetTimer:
			if open[e.Key] {
				t.Fatalf("%s asked twice", e.Key)
			}
			open[e.Key] = true
		case CancelTask, CancelService, CancelMessage, CancelTimer:
			if !open[e.Key] {
				t.Fatalf("%s cancelled but not open", e.Key)
			}
			delete(open, e.Key)
		}
	}
}

// family checks that tokens name only tokens that are there.
func family(t *testing.T, s State) {
	t.Helper()
	keys := map[string]*Token{"": nil}
	for i := range s.Tokens {
		if _, dup := keys[s.Tokens[i].Key]; dup {
			t.Fatalf("two tokens %s", s.Tokens[i].Key)
		}
		keys[s.Tokens[i].Key] = &s.Tokens[i]
	}
	for _, tok := range s.Tokens {
		up, inThere := keys[tok.In]
		_, onThere := keys[tok.On]
		if !inThere || !onThere || up != nil && up.Sub == nil {
			t.Fatalf("token %s is lost: %+v", tok.Key, s.Tokens)
		}
	}
}

// TestRandomBlocks walks diagrams made of fitting blocks, with 退回 here and
// there: they never fail, never stick, and mostly come to an end.
func TestRandomBlocks(t *testing.T) {
	t.Parallel()
	ends, walks := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		text := sketch(r, 1+int(seed%4))
		src, err := draw(text)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse("random.bpmn", src)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if seed%10 == 0 {
			for _, p := range d.Check() {
				if p.Rule != "outcome" {
					t.Fatalf("seed %d: %s\n%s", seed, p, text)
				}
			}
		}
		t.Logf("seed %d", seed)
		for range 3 {
			walks++
			if stroll(t, r, d, 200, true) {
				ends++
			}
		}
	}
	if ends*10 < walks*8 {
		t.Errorf("%d of %d walks ended", ends, walks)
	}
}

// TestRandomTangles walks random graphs that Check found sound: none sticks.
// Of those that stick when walked, Check must have said so.
func TestRandomTangles(t *testing.T) {
	t.Parallel()
	sound, unsound := 0, 0
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 2))
		src, err := draw(tangle(r))
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse("tangle.bpmn", src)
		if err != nil {
			continue
		}
		bad := false
		for _, p := range d.Check() {
			bad = bad || p.Rule == "stuck" || p.Rule == "endless"
		}
		if bad {
			unsound++
			continue
		}
		sound++
		t.Logf("seed %d", seed)
		for range 3 {
			stroll(t, r, d, 60, false)
		}
	}
	t.Logf("%d sound, %d unsound", sound, unsound)
	if sound < 40 || unsound < 15 {
		t.Errorf("%d sound and %d unsound graphs: the generator is off", sound, unsound)
	}
}

// FuzzParse feeds Parse anything. What it accepts can be checked and walked
// without a panic, and any refusal is classified.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.bpmn")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint64(1))
	}
	f.Add(slot("", ""), uint64(2))
	f.Add(slot("event", "<timerEventDefinition/>"), uint64(3))
	for seed := range uint64(6) {
		b, err := draw(sketch(rand.New(rand.NewPCG(seed, 3)), 2))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, seed)
	}
	f.Fuzz(func(t *testing.T, src []byte, seed uint64) {
		d, err := Parse("fuzz.bpmn", src)
		if err != nil {
			if errs.KindOf(err) == errs.Internal {
				t.Fatalf("not classified: %v", err)
			}
			return
		}
		if len(d.nodes) > 40 {
			return
		}
		_ = d.Check()
		r := rand.New(rand.NewPCG(seed, 4))
		var s State
		for range 30 {
			if d.Done(s) {
				return
			}
			next, _, err := d.Step(s, someInput(r, d, s, true), Env{})
			if err != nil {
				if _, ok := errs.As(err); !ok {
					t.Fatalf("not classified: %v", err)
				}
				if s.Status == NotStarted {
					return
				}
				continue
			}
			s = next
		}
	})
}
