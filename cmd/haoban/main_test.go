package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haoban/app"
	"haoban/platform/config"
	"haoban/platform/db/dbtest"
)

// output is what the program wrote, readable while it still runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func call(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var out, err output
	code := app.Main(context.Background(), args, nil, &out, &err)
	return code, out.String(), err.String()
}

// site writes a settings file of an installation in a folder of its own.
func site(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	f := filepath.Join(dir, "haoban.toml")
	if err := os.WriteFile(f, []byte("[server]\naddr = \""+free(t)+"\"\npublic_url = \"http://127.0.0.1:1\"\n[db]\ndsn = \""+
		filepath.Join(dir, "data", "haoban.db")+"\"\n"+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// free is an address nobody listens at now.
func free(t *testing.T) string {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

func fonts(t *testing.T) string {
	t.Helper()
	f, err := filepath.Abs(filepath.Join("..", "..", "build", "fonts"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"dance"}, {"keys"}, {"config"}, {"keys", "steal"}, {"serve", "-colour"}, {"check", "more"}} {
		if code, _, err := call(t, args...); code != 2 || !strings.Contains(err, "用法") {
			t.Errorf("%v: %d %s", args, code, err)
		}
	}
	if code, out, _ := call(t, "help"); code != 0 || !strings.Contains(out, "keys init") {
		t.Errorf("help: %d %s", code, out)
	}
	if code, out, _ := call(t, "version"); code != 0 || !strings.HasPrefix(out, "haoban ") || !strings.Contains(out, "go1.") {
		t.Errorf("version: %d %s", code, out)
	}
	code, out, _ := call(t, "config", "sample")
	if _, err := config.Parse([]byte(out), t.TempDir(), nil); code != 0 || err != nil {
		t.Errorf("the sample does not read: %v", err)
	}
	if code, _, err := call(t, "check", "-config", filepath.Join(t.TempDir(), "none.toml")); code != 1 || err == "" {
		t.Errorf("a settings file that is not there: %d %s", code, err)
	}
	if code, _, err := call(t, "check", "-config", site(t, "[moon]\nphase = 1\n")); code != 1 || !strings.Contains(err, "moon") {
		t.Errorf("a setting nobody knows: %d %s", code, err)
	}
}

// TestKeys: without keys nothing starts; keys are made once, for their owner
// only, and are never overwritten.
func TestKeys(t *testing.T) {
	t.Parallel()
	f := site(t, "")
	if code, _, err := call(t, "serve", "-config", f, "-fonts", fonts(t)); code != 1 || !strings.Contains(err, "keys init") {
		t.Fatalf("it started without keys: %d %s", code, err)
	}
	if code, out, err := call(t, "keys", "init", "-config", f); code != 0 || !strings.Contains(out, "备份") {
		t.Fatalf("keys init: %d %s", code, err)
	}
	dir := filepath.Join(filepath.Dir(f), "data")
	before := map[string][]byte{}
	for _, n := range []string{"keys.json", "keys.secret"} {
		p := filepath.Join(dir, n)
		st, err := os.Stat(p)
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Fatalf("%s: %v %v", n, st, err)
		}
		if before[p], err = os.ReadFile(p); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, err := call(t, "keys", "init", "-config", f); code != 1 || !strings.Contains(err, "不覆盖") {
		t.Errorf("keys init again: %d %s", code, err)
	}
	for p, b := range before {
		if now, err := os.ReadFile(p); err != nil || !bytes.Equal(b, now) {
			t.Errorf("%s changed: %v", p, err)
		}
	}
}

// TestMigrate: on both engines, once and again.
func TestMigrate(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			f := filepath.Join(t.TempDir(), "haoban.toml")
			dsn := filepath.Join(t.TempDir(), "new", "haoban.db")
			if e != "sqlite" {
				dsn = dbtest.DSN(t, e, app.Lines()[:1])
			}
			if err := os.WriteFile(f, fmt.Appendf(nil, "[db]\nengine = %q\ndsn = %q\n", e, dsn), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if code, out, err := call(t, "migrate", "-config", f); code != 0 || !strings.Contains(out, "最新") {
					t.Fatalf("%d %s %s", code, out, err)
				}
			}
		})
	}
}

// TestCheck names what works and what does not.
func TestCheck(t *testing.T) {
	t.Parallel()
	there := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(there.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := func(name, url string, on bool) string {
		return fmt.Sprintf("[links.%s]\nenabled = %t\nurl = %q\napp_id = \"haoban\"\nsecret_file = %q\ntimeout = \"2s\"\n", name, on, url, secret)
	}
	good := site(t, link("sms", there.URL, true)+link("pay", "http://"+free(t), false))
	if code, _, err := call(t, "keys", "init", "-config", good); code != 0 {
		t.Fatal(err)
	}
	code, out, err := call(t, "check", "-config", good, "-fonts", fonts(t))
	if code != 0 {
		t.Fatalf("check: %d %s %s", code, out, err)
	}
	for _, want := range []string{"数据库", "短信网关（sms）", "公共支付平台（pay）", "停用", "毫秒"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in:\n%s", want, out)
		}
	}
	bad := site(t, link("sms", there.URL, true)+link("pay", "http://"+free(t), true))
	code, out, err = call(t, "check", "-config", bad, "-fonts", fonts(t))
	if code != 1 || strings.Count(out, "不行") != 2 || !strings.Contains(out, "连不上") || !strings.Contains(err, "2 项") {
		t.Errorf("no keys, no payment: %d\n%s%s", code, out, err)
	}
}

// TestServe: it serves people and operators, and stops in order when told to.
func TestServe(t *testing.T) {
	t.Parallel()
	own := free(t)
	f := site(t, "[log]\nmetrics = \""+own+"\"\n")
	if code, _, err := call(t, "keys", "init", "-config", f); code != 0 {
		t.Fatal(err)
	}
	cfg, err := config.Load(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var out, errOut output
	over := make(chan int, 1)
	go func() {
		over <- app.Main(ctx, []string{"serve", "-config", f, "-fonts", fonts(t)}, nil, &out, &errOut)
	}()
	get := func(url string) (int, string) {
		resp, err := http.Get(url) //nolint:noctx // a test against loopback
		if err != nil {
			return 0, ""
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return 0, ""
		}
		return resp.StatusCode, string(b)
	}
	for n := 0; ; n++ {
		if status, _ := get("http://" + cfg.Server.Addr + "/readyz"); status == http.StatusOK {
			break
		}
		if n > 800 {
			t.Fatalf("never ready: %s", errOut.String())
		}
		time.Sleep(25 * time.Millisecond)
	}
	if n, body := get("http://" + own + "/metrics"); n != http.StatusOK || !strings.Contains(body, "# HELP") {
		t.Errorf("metrics: %d", n)
	}
	stop()
	select {
	case code := <-over:
		if code != 0 || !strings.Contains(errOut.String(), "stopped") {
			t.Errorf("stopped with %d: %s", code, errOut.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not stop")
	}
}
