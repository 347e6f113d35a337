package story_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haoban/app"
	"haoban/outside"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/config"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/gm"
	"haoban/story"
)

// besieged is the variable by which this test's own program becomes a server
// that may be killed.
const besieged = "HAOBAN_STORY_SERVER"

// orders are what a server of a siege is started with.
type orders struct {
	Config *config.Config
	Fonts  string
	Offset time.Duration // of business time
	Fail   string        // the failpoint it dies at, "" for none
}

// TestMain runs the tests, or a server when a siege starts one.
func TestMain(m *testing.M) {
	if o := os.Getenv(besieged); o != "" {
		if err := stand([]byte(o)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// stand serves until standard input ends, moving business time as it says.
func stand(text []byte) error {
	var o orders
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	business := clock.NewMovable(clock.Wall{})
	business.Advance(o.Offset)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	a, err := app.New(ctx, app.Options{
		Config: o.Config, Wall: clock.Wall{}, Clock: business, Fonts: o.Fonts, Poll: 50 * time.Millisecond, Break: 300 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Failpoint: func(name string) {
			if name == o.Fail {
				if self.Kill() == nil {
					select {} // nothing happens after death
				}
			}
		},
	})
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	ran := make(chan error, 1)
	go func() { ran <- a.Run(ctx) }()
	if _, err := fmt.Fprintln(os.Stdout, "ready", l.Addr()); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if d, err := time.ParseDuration(in.Text()); err == nil {
			business.Advance(d)
		}
	}
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	cancel()
	if err := <-ran; err != nil {
		return err
	}
	return a.Close()
}

// relay is the address everybody knows: it hands each connection to a server
// that stands, and breaks it when that server dies.
type relay struct {
	l    net.Listener
	mu   sync.Mutex
	to   map[int]string
	turn int
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{l: l, to: map[int]string{}}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.carry(c)
		}
	}()
	return r
}

func (r *relay) set(n int, addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addr == "" {
		delete(r.to, n)
		return
	}
	r.to[n] = addr
}

func (r *relay) next() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn++
	for i := range 16 {
		if a := r.to[(r.turn+i)%16]; a != "" {
			return a
		}
	}
	return ""
}

func (r *relay) carry(c net.Conn) {
	defer func() { _ = c.Close() }()
	to := r.next()
	if to == "" {
		return
	}
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	go func() { _, _ = io.Copy(s, c); _ = s.Close() }()
	_, _ = io.Copy(c, s)
}

// server is one process of a siege.
type server struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	dead chan struct{}
}

// siege is a house whose servers are processes that die, over a database and an
// outside that stay.
type siege struct {
	*house
	cfg    *config.Config
	fonts  string
	front  *relay
	web    *http.Client
	servMu sync.Mutex
	serv   map[int]*server
	mine   map[string]*caller // by identity number or credit code
	acks   atomic.Int64
	again  atomic.Int64 // requests sent again
	keys   atomic.Int64
	oddMu  sync.Mutex
	odd    map[string]int // answers that were asked again, by status and code
}

// lay prepares a siege on engine: the register filled, everybody of who logged
// in, no server yet.
func lay(t *testing.T, e db.Engine, size, fill int, change func(*config.Config)) *siege {
	t.Helper()
	root, err := story.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := &siege{house: &house{t: t, log: &bytes.Buffer{}, people: map[string]app.Official{}, desks: map[string]*caller{}, world: world.New(1, size)},
		fonts: filepath.Join(root, "build", "fonts"), front: newRelay(t), serv: map[int]*server{}, mine: map[string]*caller{}, odd: map[string]int{},
		web: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
	s.cast = s.world.Cast()
	s.clock = clock.NewMovable(clock.Wall{})
	s.clock.Set(time.Date(2026, 3, 2, 9, 0, 0, 0, clock.Shanghai()))
	s.url = "http://" + s.front.l.Addr().String()
	master := []byte("the master key of this test only")
	s.out = outside.New(s.world, simkit.Options{
		Clock: clock.Wall{}, Business: s.clock, Secret: simkit.DemoSecrets(master), Haoban: s.url, Log: slog.New(slog.DiscardHandler), Retry: 50 * time.Millisecond,
	})
	out := httptest.NewServer(s.out)
	t.Cleanup(out.Close)
	t.Cleanup(s.out.Close)
	s.outURL = out.URL
	dir := t.TempDir()
	if s.cfg, err = app.LocalConfig(dir, strings.TrimPrefix(s.url, "http://"), s.url, s.outURL, func(p string) string { return simkit.DemoKey(master, p) }); err != nil {
		t.Fatal(err)
	}
	s.cfg.DB.Engine = string(e)
	if e == db.Postgres {
		dsn, stop, err := dbtest.StartPostgres(context.Background(), "") // every commit is on the disk
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		s.cfg.DB.DSN = dsn
	}
	s.cfg.Jobs.Lease = config.Duration(time.Second)
	s.cfg.Limits.PerMinute = 1_000_000
	if change != nil {
		change(s.cfg)
	}
	s.look()
	face := httptest.NewServer(s.app.Handler())
	t.Cleanup(face.Close)
	s.front.set(0, strings.TrimPrefix(face.URL, "http://"))
	officials, err := s.app.Seed(context.Background(), func(account string) (string, string) {
		return "Story-" + gm.SM3([]byte(account))[:10] + "-9", app.DemoOTP(master, account)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range officials {
		s.people[o.Account] = o
	}
	if _, err := s.app.FillRegister(context.Background(), fill); err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{"zhaomin", "wanghui", "lidong"} {
		s.official(account)
	}
	t.Cleanup(func() {
		for _, x := range s.serv {
			_ = x.cmd.Process.Kill() // those still there after a failure
			<-x.dead
		}
	})
	return s
}

// look opens the test's own view of the database, which works no jobs.
func (s *siege) look() {
	s.t.Helper()
	a, err := app.New(context.Background(), app.Options{Config: s.cfg, Wall: clock.Wall{}, Clock: s.clock, Fonts: s.fonts, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.app = a
	s.t.Cleanup(func() {
		if err := a.Close(); err != nil {
			s.t.Error(err)
		}
	})
}

// person is somebody's browser, logged in before the siege begins.
func (s *siege) person(id string) *caller {
	s.t.Helper()
	if c := s.mine[id]; c != nil {
		return c
	}
	p, ok := s.world.PersonByID(id)
	if !ok {
		s.t.Fatalf("nobody has %s", id)
	}
	s.mine[id] = s.citizen(p)
	return s.mine[id]
}

// firm is the browser of who acts for an organisation.
func (s *siege) firm(code, kind string) *caller {
	s.t.Helper()
	if c := s.mine[code]; c != nil {
		return c
	}
	o, ok := s.world.OrgByUSCC(code)
	if !ok {
		s.t.Fatalf("nothing has %s", code)
	}
	s.mine[code] = s.agent(s.cast.DeveloperAgent, o, kind)
	return s.mine[code]
}

// start starts the n-th server, to die at fail if that is not empty.
func (s *siege) start(n int, fail string) {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Error(err)
		return
	}
	text, err := json.Marshal(orders{Config: s.cfg, Fonts: s.fonts, Offset: s.clock.Offset(), Fail: fail})
	if err != nil {
		s.t.Error(err)
		return
	}
	cmd := exec.Command(self) //nolint:gosec,noctx // this test's own program; it is killed by hand
	cmd.Env = append(os.Environ(), besieged+"="+string(text))
	log, err := os.OpenFile(filepath.Join(filepath.Dir(s.cfg.Blob.Dir), fmt.Sprintf("server-%d.log", n)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Error(err)
		return
	}
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Error(err)
		return
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		s.t.Error(err)
		return
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	x := &server{cmd: cmd, in: in, dead: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // killed, or told to end
		_ = log.Close()
		close(x.dead)
	}()
	if err != nil || !ok {
		select {
		case <-x.dead: // it died on its way up, by its failpoint
		case <-time.After(20 * time.Second):
		}
		if fail == "" {
			s.t.Errorf("server %d did not come up: %q %v\n%s", n, line, err, s.tail(n))
		}
	} else {
		s.front.set(n, addr)
	}
	s.servMu.Lock()
	s.serv[n] = x
	s.servMu.Unlock()
}

func (s *siege) at(n int) *server {
	s.servMu.Lock()
	defer s.servMu.Unlock()
	return s.serv[n]
}

// kill ends the n-th server as the machine's failure would.
func (s *siege) kill(n int) {
	x := s.at(n)
	_ = x.cmd.Process.Kill() // it may have died by itself
	<-x.dead
	s.front.set(n, "")
}

// stop ends the n-th server in order.
func (s *siege) stop(n int) {
	x := s.at(n)
	s.front.set(n, "")
	_ = x.in.Close()
	select {
	case <-x.dead:
	case <-time.After(30 * time.Second):
		_ = x.cmd.Process.Kill()
		<-x.dead
		s.t.Errorf("server %d did not end in order", n)
	}
}

// advance moves business time for everybody.
func (s *siege) advance(d time.Duration) {
	s.servMu.Lock()
	defer s.servMu.Unlock()
	s.clock.Advance(d)
	for _, x := range s.serv {
		_, _ = fmt.Fprintln(x.in, d)
	}
}

// tail is the end of a server's log.
func (s *siege) tail(n int) string {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(s.cfg.Blob.Dir), fmt.Sprintf("server-%d.log", n)))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-6000):])
}

// stuck ends a lane that cannot go on.
type stuck string

// send asks until somebody answers, always with the same key: what a browser
// does when the line breaks.
func (s *siege) send(c *caller, method, path string, body []byte, head map[string]string) answer {
	key := fmt.Sprintf("siege-%08d", s.keys.Add(1))
	end := time.Now().Add(2 * time.Minute)
	for try := 0; ; try++ {
		if try > 0 {
			s.again.Add(1)
			time.Sleep(60 * time.Millisecond)
		}
		a, err := s.once(c, key, method, path, body, head)
		if err == nil && a.status/100 == 2 {
			if method != http.MethodGet {
				s.acks.Add(1)
			}
			return a
		}
		if err == nil && a.status < 500 && a.status != http.StatusTooManyRequests {
			return a
		}
		if err == nil {
			s.oddMu.Lock()
			s.odd[fmt.Sprintf("%d %s", a.status, a.str("code"))]++
			s.oddMu.Unlock()
		}
		if time.Now().After(end) {
			panic(stuck(fmt.Sprintf("%s: %s %s: no answer for two minutes: %d %s %v", c.name, method, path, a.status, a.body, err)))
		}
	}
}

func (s *siege) once(c *caller, key, method, path string, body []byte, head map[string]string) (answer, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+"/api/v1/"+c.aud+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.AddCookie(&http.Cookie{Name: "hb_" + c.aud, Value: c.cookie})
	r.Header.Set("X-CSRF", c.csrf)
	if method != http.MethodGet {
		r.Header.Set("Idempotency-Key", key)
	}
	for k, v := range head {
		r.Header.Set(k, v)
	}
	resp, err := s.web.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, err // cut off: not an answer
	}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		_ = json.Unmarshal(a.body, &a.m) // a list stays in body
	}
	return a, nil
}

// ask sends JSON and wants success.
func (s *siege) ask(c *caller, method, path string, body any) answer {
	var b []byte
	head := map[string]string{}
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			panic(stuck(err.Error()))
		}
		head["Content-Type"] = "application/json"
	}
	a := s.send(c, method, path, b, head)
	if a.status/100 != 2 {
		panic(stuck(fmt.Sprintf("%s: %s %s: %d %s", c.name, method, path, a.status, a.body)))
	}
	return a
}

// wait looks again until want holds.
func (s *siege) wait(what string, most time.Duration, want func() bool) {
	for end := time.Now().Add(most); !want(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			panic(stuck("never happened: " + what))
		}
	}
}
