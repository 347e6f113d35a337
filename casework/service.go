package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"haoban/casework/matter"
	"haoban/platform/audit"
	"haoban/platform/calendar"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/job"
)

// Command is a value that can be written down and carried: what somebody wants
// done to a case. Key makes it safe to send again.
type Command struct {
	Key     string          `json:"key"` // idempotency key, unique per actor, kept seven days
	Kind    string          `json:"kind"`
	Case    string          `json:"case"`
	Version int             `json:"version"` // 0: whatever it is now
	Data    json.RawMessage `json:"data"`
}

// Reply is what a command answers. It is kept with the key and given again when
// the same command arrives again.
type Reply struct {
	Case    string          `json:"case"`
	Version int             `json:"version"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Handler carries out one kind of command.
type Handler struct {
	// Audit is the event type of platform/audit that a success or a failure
	// leaves behind.
	Audit string
	// Opens is set on the one kind that has no case yet.
	Opens bool
	// Prepare runs before the transaction and may talk to files and partners.
	// What it returns is handed to Apply. It sees the case as it was.
	Prepare func(ctx context.Context, s *Service, a ident.Actor, c Command) (any, error)
	// Apply runs inside the transaction and may be repeated after a lost race.
	Apply func(ctx context.Context, w *Work, c Command, prepared any) (any, error)
}

// Call is one service task of a process, on its way to a verb.
type Call struct {
	Key  string // token key, to answer with
	Node string
	Verb string
	Args string // what follows the colon in verb:args
}

// Verb is what a service task does. Exactly one of Do and Async is set.
type Verb struct {
	// Do runs inside the case's transaction; what it returns becomes variables
	// of the process.
	Do func(ctx context.Context, w *Work, c Call) (map[string]any, error)
	// Async runs as a job outside any transaction (it may draw papers or ask a
	// partner); the function it returns is then run inside one.
	Async func(ctx context.Context, s *Service, snap *Snapshot, c Call) (func(ctx context.Context, w *Work) (map[string]any, error), error)
	// Target names the partner an Async verb depends on, for its breaker.
	Target string
	// Final marks what cannot be undone (登簿): after it nothing is given back,
	// taken back or withdrawn, only corrected.
	Final bool
}

// Subscriber sees every new event inside the transaction that made it: pushes
// and notices enqueue their jobs there. It must not talk to the outside.
type Subscriber func(ctx context.Context, w *Work, e Event) error

// Numberer takes numbers without gaps or doubles.
type Numberer interface {
	// Take returns the next number of rule inside tx; a roll-back gives it back.
	Take(ctx context.Context, tx *db.Tx, rule string, vars map[string]string) (string, error)
}

// Colleagues looks officials up, for 转办, 加签 and 会签.
type Colleagues interface {
	// OfficialActor returns the official with the posts in force; an unknown or
	// disabled account is an error of kind errs.NotFound.
	OfficialActor(ctx context.Context, q db.Querier, userID string) (ident.Actor, error)
}

// Options are the parts a Service needs. All are owed but Trace.
type Options struct {
	DB          *db.DB
	Keys        gm.Keys
	Queue       *job.Queue
	Audit       *audit.Log
	Calendar    func() *calendar.Calendar
	Matters     []*matter.Matter
	Numbers     Numberer
	Colleagues  Colleagues
	Verbs       map[string]Verb
	Commands    map[string]Handler
	Checks      map[string]CheckFunc
	Subscribers []Subscriber
	// Setting answers what a bureau sets while running; "" is the default.
	Setting func(key string) string
	Log     *slog.Logger
	// Trace is told every arrow a process takes; stories prove coverage with it.
	Trace func(slug, flow string)
	// Failpoint is told FailCommitted after each command's commit, for tests that
	// end the process there; nil in every program.
	Failpoint func(name string)
}

// FailCommitted is the failpoint between a command's commit and its answer.
const FailCommitted = "command.committed"

// Service is the face of casework. It is safe for concurrent use and keeps no
// state between calls but the immutable definitions it has met.
type Service struct {
	o        Options
	commands map[string]Handler
	newest   map[string]*matter.Matter
	mu       sync.RWMutex
	byDigest map[string]*matter.Matter
	watch    *watchers
}

// New builds the service. A verb named by a process but not given is an error,
// so that no case can get stuck on it later.
func New(o Options) (*Service, error) {
	s := &Service{
		o: o, commands: map[string]Handler{}, newest: map[string]*matter.Matter{},
		byDigest: map[string]*matter.Matter{}, watch: newWatchers(),
	}
	for k, h := range coreCommands() {
		s.commands[k] = h
	}
	for k, h := range o.Commands {
		if _, twice := s.commands[k]; twice {
			return nil, fmt.Errorf("casework: command %s given twice", k)
		}
		s.commands[k] = h
	}
	verbs := coreVerbs()
	for k, v := range o.Verbs {
		if _, twice := verbs[k]; twice {
			return nil, fmt.Errorf("casework: verb %s given twice", k)
		}
		verbs[k] = v
	}
	s.o.Verbs = verbs
	for _, m := range o.Matters {
		s.newest[m.Slug] = m
		s.byDigest[m.Digest()] = m
		for _, name := range m.Flow.Verbs() {
			verb, _ := splitVerb(name)
			if _, ok := verbs[verb]; !ok {
				return nil, fmt.Errorf("casework: %s names the verb %s, which nobody gave", m.Slug, verb)
			}
		}
		for _, c := range m.Checks {
			if c.Use != "" && o.Checks[c.Use] == nil {
				return nil, fmt.Errorf("casework: %s names the check %s, which nobody gave", m.Slug, c.Use)
			}
		}
	}
	return s, nil
}

// Matter returns the newest definition of slug.
func (s *Service) Matter(slug string) (*matter.Matter, bool) {
	m, ok := s.newest[slug]
	return m, ok
}

// Matters returns the newest definitions in the order they were given.
func (s *Service) Matters() []*matter.Matter { return s.o.Matters }

// DB is the database the service works on.
func (s *Service) DB() *db.DB { return s.o.DB }

// Keys is the key store of the service.
func (s *Service) Keys() gm.Keys { return s.o.Keys }

// Queue is the outbox of the service.
func (s *Service) Queue() *job.Queue { return s.o.Queue }

// Calendar is the working calendar in force.
func (s *Service) Calendar() *calendar.Calendar { return s.o.Calendar() }

// Do carries out one command in one transaction. The same key from the same
// actor with the same body answers what it answered before; with another body
// it is refused (idem.body). A failure is audited after its roll-back.
func (s *Service) Do(ctx context.Context, a ident.Actor, c Command) (Reply, error) {
	h, ok := s.commands[c.Kind]
	if !ok {
		return Reply{}, errs.New(errs.Invalid, "command.unknown", "系统不认识这个操作："+c.Kind)
	}
	if c.Key != "" {
		if r, done, err := s.replay(ctx, s.o.DB.Q(), a, c); err != nil || done {
			return r, err
		}
	}
	var prepared any
	if h.Prepare != nil {
		var err error
		if prepared, err = h.Prepare(ctx, s, a, c); err != nil {
			s.failed(ctx, a, c, h, err)
			return Reply{}, err
		}
	}
	var r Reply
	err := s.o.DB.Group(ctx, func(tx *db.Tx) error {
		var err error
		r, err = s.apply(ctx, tx, a, c, h, prepared)
		return err
	})
	if err != nil {
		s.failed(ctx, a, c, h, err)
		return Reply{}, err
	}
	if s.o.Failpoint != nil {
		s.o.Failpoint(FailCommitted)
	}
	return r, nil
}

func (s *Service) apply(ctx context.Context, tx *db.Tx, a ident.Actor, c Command, h Handler, prepared any) (Reply, error) {
	if c.Key != "" {
		if r, done, err := s.replay(ctx, tx, a, c); err != nil || done {
			return r, err
		}
	}
	var w *Work
	if h.Opens {
		w = &Work{Case: &Case{}, s: s, Tx: tx, Actor: a}
	} else {
		var err error
		if w, err = s.load(ctx, tx, c.Case, true); err != nil {
			return Reply{}, err
		}
		w.Actor = a
		if err := s.mayTouch(ctx, w); err != nil {
			return Reply{}, err
		}
		if c.Version != 0 && c.Version != w.Version {
			return Reply{}, ErrVersion
		}
	}
	out, err := h.Apply(ctx, w, c, prepared)
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Case: w.ID}
	if out != nil {
		if r.Data, err = json.Marshal(out); err != nil {
			return Reply{}, fmt.Errorf("reply: %w", err)
		}
	}
	for _, m := range w.Mates() {
		if err := m.save(ctx); err != nil {
			return Reply{}, err
		}
	}
	r.Version = w.Version
	if h.Audit != "" {
		if err := audit.Write(ctx, tx, audit.Event{
			Type: h.Audit, Actor: a.ID, ActorKind: a.Kind, Case: w.ID, Subject: w.Matter, Outcome: "ok", IP: a.IP,
		}); err != nil {
			return Reply{}, err
		}
	}
	if c.Key != "" {
		if err := s.keep(ctx, tx, a, c, r); err != nil {
			return Reply{}, err
		}
	}
	return r, nil
}

func (s *Service) failed(ctx context.Context, a ident.Actor, c Command, h Handler, cause error) {
	if h.Audit == "" {
		return
	}
	outcome := "refused"
	if errs.KindOf(cause) == errs.Internal {
		outcome = "failed"
	}
	if err := s.o.Audit.Failed(ctx, audit.Event{
		Type: h.Audit, Actor: a.ID, ActorKind: a.Kind, Case: c.Case, Outcome: outcome,
		Code: errs.CodeOf(cause), IP: a.IP,
	}); err != nil {
		s.o.Log.ErrorContext(ctx, "a failed command could not be audited", "err", err, "type", h.Audit)
	}
}

// bodyDigest binds a key to what was asked.
func bodyDigest(c Command) string {
	c.Key = ""
	return gm.SM3([]byte(toJSON(c)))
}

func (s *Service) replay(ctx context.Context, q db.Querier, a ident.Actor, c Command) (Reply, bool, error) {
	var body, reply string
	err := q.QueryRow(ctx, `SELECT body, reply FROM cw_idem WHERE actor = $1 AND ikey = $2`, a.ID, c.Key).Scan(&body, &reply)
	if noRows(err) {
		return Reply{}, false, nil
	}
	if err != nil {
		return Reply{}, false, fmt.Errorf("idempotency: %w", err)
	}
	if body != bodyDigest(c) {
		return Reply{}, false, errs.New(errs.Conflict, "idem.body", "同一个操作编号提交了不同的内容，请刷新页面后再办")
	}
	var r Reply
	if err := json.Unmarshal([]byte(reply), &r); err != nil {
		return Reply{}, false, fmt.Errorf("idempotency: %w", err)
	}
	return r, true, nil
}

func (s *Service) keep(ctx context.Context, tx *db.Tx, a ident.Actor, c Command, r Reply) error {
	_, err := tx.Exec(ctx, `INSERT INTO cw_idem (actor, ikey, body, reply, at) VALUES ($1, $2, $3, $4, $5)`,
		a.ID, c.Key, bodyDigest(c), toJSON(r), tx.NowMS())
	if err != nil {
		return fmt.Errorf("idempotency: %w", err)
	}
	return nil
}

// Publish stores the definitions this binary carries, each once under its
// digest, so that running cases keep theirs when the folder moves on.
func (s *Service) Publish(ctx context.Context) error {
	return s.o.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, m := range s.o.Matters {
			files := map[string]string{}
			for n, b := range m.Files() {
				files[n] = string(b)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO cw_definition (digest, slug, version, body, published_at)
				VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO NOTHING`,
				m.Digest(), m.Slug, m.Version, toJSON(files), tx.NowMS()); err != nil {
				return fmt.Errorf("publish %s: %w", m.Slug, err)
			}
		}
		return nil
	})
}

// definition returns the definition a case keeps, from memory or the database.
func (s *Service) definition(ctx context.Context, q db.Querier, digest string) (*matter.Matter, error) {
	s.mu.RLock()
	m := s.byDigest[digest]
	s.mu.RUnlock()
	if m != nil {
		return m, nil
	}
	var slug, body string
	if err := q.QueryRow(ctx, `SELECT slug, body FROM cw_definition WHERE digest = $1`, digest).Scan(&slug, &body); err != nil {
		return nil, fmt.Errorf("definition %s: %w", digest, err)
	}
	texts := map[string]string{}
	if err := json.Unmarshal([]byte(body), &texts); err != nil {
		return nil, fmt.Errorf("definition %s: %w", digest, err)
	}
	files := map[string][]byte{}
	for n, t := range texts {
		files[n] = []byte(t)
	}
	m, err := matter.FromFiles(slug, files, nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.byDigest[digest] = m
	s.mu.Unlock()
	return m, nil
}

// Definition returns the definition with this digest.
func (s *Service) Definition(ctx context.Context, digest string) (*matter.Matter, error) {
	return s.definition(ctx, s.o.DB.Q(), digest)
}

// With runs fn over a case the actor may see, locked, in one transaction that
// changes nothing of the case itself: opening an upload needs it.
func (s *Service) With(ctx context.Context, a ident.Actor, id string, fn func(context.Context, *Work) error) error {
	return s.o.DB.Group(ctx, func(tx *db.Tx) error {
		w, err := s.load(ctx, tx, id, true)
		if err != nil {
			return err
		}
		w.Actor = a
		if err := s.mayTouch(ctx, w); err != nil {
			return err
		}
		return fn(ctx, w)
	})
}

// Audits returns the audit type of every kind of command, "" for those that
// leave none; a test holds them to the catalogue.
func (s *Service) Audits() map[string]string {
	out := map[string]string{}
	for k, h := range s.commands {
		out[k] = h.Audit
	}
	return out
}
