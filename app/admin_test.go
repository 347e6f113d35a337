package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoban/app"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
	"haoban/platform/job"
)

// onEngine is a house without an outside on one engine.
func onEngine(t *testing.T, e db.Engine, business clock.Clock) *app.App {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := app.LocalConfig(t.TempDir(), "127.0.0.1:0", "http://127.0.0.1:1", "http://127.0.0.1:1", func(string) string { return "0123456789abcdef0123456789abcdef" })
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB.Engine = string(e)
	if e == db.Postgres {
		cfg.DB.DSN = dbtest.DSN(t, e, app.Lines())
	}
	a, err := app.New(context.Background(), app.Options{
		Config: cfg, Log: slog.New(slog.DiscardHandler), Wall: clock.Wall{}, Clock: business, Fonts: filepath.Join(root, "build", "fonts"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// desk is one official's browser.
type desk struct {
	t            *testing.T
	url          string
	cookie, csrf string
	n            int
}

func (k *desk) call(method, path string, body any) (int, map[string]any) {
	k.t.Helper()
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			k.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), method, k.url+"/api/v1/staff"+path, bytes.NewReader(b))
	if err != nil {
		k.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-CSRF", k.csrf)
	k.n++
	req.Header.Set("Idempotency-Key", fmt.Sprintf("admin-%06d", k.n))
	if k.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "hb_staff", Value: k.cookie})
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		if c.Name == "hb_staff" {
			k.cookie = c.Value
		}
	}
	out := map[string]any{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			k.t.Fatalf("%s %s: %s", method, path, text)
		}
	}
	return resp.StatusCode, out
}

func (k *desk) ok(method, path string, body any) map[string]any {
	k.t.Helper()
	n, m := k.call(method, path, body)
	if n/100 != 2 {
		k.t.Fatalf("%s %s: %d %v", method, path, n, m)
	}
	return m
}

func (k *desk) no(status int, code, method, path string, body any) {
	k.t.Helper()
	n, m := k.call(method, path, body)
	if n != status || m["code"] != code {
		k.t.Errorf("%s %s: want %d %s, got %d %v", method, path, status, code, n, m)
	}
}

func logIn(t *testing.T, url string, o app.Official) *desk {
	t.Helper()
	k := &desk{t: t, url: url}
	k.ok("POST", "/login", map[string]string{"account": o.Account, "password": o.Password})
	code, err := ident.TOTPCode(o.OTP, clock.Wall{}.Now())
	if err != nil {
		t.Fatal(err)
	}
	k.ok("POST", "/login/otp", map[string]string{"code": code})
	k.csrf = fmt.Sprint(k.ok("GET", "/session", nil)["csrf"])
	return k
}

// TestAdministrators: each of the three administrators does their own part and
// is refused the others', and an official is refused all of it.
func TestAdministrators(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			a := onEngine(t, e, nil)
			officials, err := a.Seed(context.Background(), func(account string) (string, string) {
				return fmt.Sprintf("Tests-%x-9", gm.SM3([]byte(account))[:10]), app.DemoOTP([]byte("a key of this test only"), account)
			})
			if err != nil {
				t.Fatal(err)
			}
			front := httptest.NewServer(a.Handler())
			t.Cleanup(front.Close)
			desks := map[string]*desk{}
			for _, o := range officials {
				switch o.Account {
				case "sysadmin", "secadmin", "auditadmin", "wanghui":
					desks[o.Account] = logIn(t, front.URL, o)
				}
			}
			refusals(t, front.URL, desks)
			accounts(t, a, desks)
			settings(t, a, desks["sysadmin"])
			deadJobs(t, a, desks["sysadmin"])
			auditor := desks["auditadmin"]
			rows, _ := auditor.ok("GET", "/admin/audit?type=setting.change", nil)["items"].([]any)
			if len(rows) != 2 || !strings.Contains(fmt.Sprint(rows[0]), "修改设置") {
				t.Errorf("changes of settings in the log: %v", rows)
			}
			if rows, _ := auditor.ok("GET", "/admin/audit?type=job.", nil)["items"].([]any); len(rows) != 2 {
				t.Errorf("jobs in the log: %v", rows)
			}
			if next := fmt.Sprint(auditor.ok("GET", "/admin/audit", nil)["next"]); next == "" {
				t.Error("the log fits one page")
			} else if rows, _ := auditor.ok("GET", "/admin/audit?cursor="+url.QueryEscape(next), nil)["items"].([]any); len(rows) == 0 {
				t.Error("the second page is empty")
			}
			auditor.no(422, "request.invalid", "GET", "/admin/audit?outcome=perhaps", nil)
			auditor.no(422, "audit.filter", "GET", "/admin/audit?from=tomorrow", nil)
		})
	}
}

func refusals(t *testing.T, site string, desks map[string]*desk) {
	t.Helper()
	reason := map[string]string{"reason": "核对"}
	for _, x := range []struct {
		method, path string
		body         any
		who          string // those who may
	}{
		{"GET", "/admin/jobs/failed", nil, "sysadmin"},
		{"POST", "/admin/jobs/none/retry", reason, "sysadmin"},
		{"POST", "/admin/jobs/none/discard", reason, "sysadmin"},
		{"GET", "/admin/audit", nil, "auditadmin"},
		{"GET", "/admin/users", nil, "sysadmin secadmin"},
		{"POST", "/admin/users", map[string]string{"account": "x", "name": "x", "orgId": "x"}, "sysadmin"},
		{"POST", "/admin/users/none/disable", reason, "sysadmin"},
		{"POST", "/admin/users/none/enable", reason, "sysadmin"},
		{"POST", "/admin/users/none/unlock", reason, "sysadmin"},
		{"POST", "/admin/users/none/reset-password", reason, "sysadmin"},
		{"POST", "/admin/users/none/reset-otp", reason, "secadmin"},
		{"GET", "/admin/posts?user=none", nil, "secadmin"},
		{"POST", "/admin/posts", map[string]string{"userId": "none", "role": "window"}, "secadmin"},
		{"DELETE", "/admin/posts/none?reason=x", nil, "secadmin"},
		{"GET", "/admin/settings", nil, "sysadmin"},
		{"GET", "/admin/settings/approval.levels", nil, "sysadmin"},
		{"PUT", "/admin/settings/approval.levels", map[string]string{"value": "2"}, "sysadmin"},
	} {
		(&desk{t: t, url: site}).no(401, "login.required", x.method, x.path, x.body)
		for who, k := range desks {
			if !strings.Contains(x.who, who) {
				k.no(403, "ident.admin", x.method, x.path, x.body)
			}
		}
	}
}

func accounts(t *testing.T, a *app.App, desks map[string]*desk) {
	t.Helper()
	sys, sec := desks["sysadmin"], desks["secadmin"]
	org, err := a.People.OrgByCode(context.Background(), a.DB.Q(), "registration-310115")
	if err != nil {
		t.Fatal(err)
	}
	made := sys.ok("POST", "/admin/users", map[string]string{"account": "newhand", "name": "新手", "orgId": org.ID})
	id := fmt.Sprint(made["id"])
	if made["password"] == nil || made["otpUrl"] == nil {
		t.Errorf("nothing handed over: %v", made)
	}
	sys.no(409, "ident.account.taken", "POST", "/admin/users", map[string]string{"account": "newhand", "name": "新手", "orgId": org.ID})
	if got, _ := sys.ok("GET", "/admin/users?q=newhand", nil)["items"].([]any); len(got) != 1 {
		t.Errorf("users: %v", got)
	}
	post := fmt.Sprint(sec.ok("POST", "/admin/posts", map[string]any{"userId": id, "role": "window", "office": "registry", "district": "310115"})["id"])
	sec.no(409, "ident.separated", "POST", "/admin/posts", map[string]any{"userId": id, "role": "sysadmin"})
	if got, _ := sec.ok("GET", "/admin/posts?user="+id, nil)["items"].([]any); len(got) != 1 || !strings.Contains(fmt.Sprint(got), "window") {
		t.Errorf("posts: %v", got)
	}
	sec.ok("DELETE", "/admin/posts/"+post+"?reason=%E8%B0%83%E7%A6%BB", nil)
	sec.no(404, "ident.post", "DELETE", "/admin/posts/"+post+"?reason=x", nil)
	sys.no(422, "reason.missing", "POST", "/admin/users/"+id+"/disable", map[string]string{})
	sys.ok("POST", "/admin/users/"+id+"/disable", map[string]string{"reason": "离岗"})
	sys.ok("POST", "/admin/users/"+id+"/enable", map[string]string{"reason": "回岗"})
	sys.ok("POST", "/admin/users/"+id+"/unlock", map[string]string{})
	if got := sys.ok("POST", "/admin/users/"+id+"/reset-password", map[string]string{}); got["password"] == nil {
		t.Errorf("reset: %v", got)
	}
	if got := sec.ok("POST", "/admin/users/"+id+"/reset-otp", map[string]string{}); got["otpUrl"] == nil || got["password"] != nil {
		t.Errorf("reset: %v", got)
	}
	me, err := a.People.UserByAccount(context.Background(), a.DB.Q(), "sysadmin")
	if err != nil {
		t.Fatal(err)
	}
	sys.no(403, "ident.self", "POST", "/admin/users/"+me.ID+"/disable", map[string]string{"reason": "x"})
}

func settings(t *testing.T, a *app.App, sys *desk) {
	t.Helper()
	if a.Setting("guard.ministry") != "不报部" || a.Setting("approval.levels") != "3" || a.Setting("approval.levels.permit/land-opinion") != "" {
		t.Error("the defaults are not what they were")
	}
	sys.no(422, "setting.value", "PUT", "/admin/settings/approval.levels", map[string]any{"value": "9"})
	sys.no(404, "setting.unknown", "PUT", "/admin/settings/colour", map[string]any{"value": "red"})
	v := sys.ok("PUT", "/admin/settings/approval.levels", map[string]any{"value": "2", "version": 0})
	if v["value"] != "2" || v["version"] != float64(1) || a.Setting("approval.levels") != "2" {
		t.Errorf("set: %v", v)
	}
	sys.no(409, "setting.version", "PUT", "/admin/settings/approval.levels", map[string]any{"value": "1", "version": 0})
	sys.ok("PUT", "/admin/settings/approval.levels.permit%2Fland-opinion", map[string]any{"value": "1"})
	if a.Setting("approval.levels.permit/land-opinion") != "1" {
		t.Error("a matter's own levels are not in force")
	}
	if h, _ := sys.ok("GET", "/admin/settings/approval.levels", nil)["history"].([]any); len(h) != 1 {
		t.Errorf("history: %v", h)
	}
	_, err := a.SetSetting(context.Background(), ident.Partner("sms"), "approval.levels", "1", -1)
	if errs.KindOf(err) != errs.Forbidden {
		t.Errorf("a partner set something: %v", err)
	}
}

// dies has n jobs fail for good.
func dies(t *testing.T, a *app.App, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := job.NewRunner(a.Queue, map[string]job.Handler{"test.dies": func(context.Context, job.Job) error {
		return job.Stop(errs.New(errs.Invalid, "test.dead", "办不成"))
	}}, job.Options{Workers: 1})
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for i := range n {
		if err := a.DB.Tx(ctx, func(tx *db.Tx) error {
			return a.Queue.Enqueue(ctx, tx, job.New{Kind: "test.dies", Key: fmt.Sprint(i)})
		}); err != nil {
			t.Fatal(err)
		}
	}
	for range 400 {
		fs, err := a.Queue.Failed(ctx, job.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if len(fs) == n {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func deadJobs(t *testing.T, a *app.App, sys *desk) {
	t.Helper()
	if got, _ := sys.ok("GET", "/admin/jobs/failed", nil)["items"].([]any); len(got) != 0 {
		t.Errorf("failed: %v", got)
	}
	sys.no(404, "job.none", "POST", "/admin/jobs/none/retry", map[string]string{})
	sys.no(422, "reason.missing", "POST", "/admin/jobs/none/discard", map[string]string{})
	sys.no(404, "job.none", "POST", "/admin/jobs/none/discard", map[string]string{"reason": "不再需要"})
	sys.no(422, "request.invalid", "POST", "/admin/jobs/none/forget", map[string]string{})
	dies(t, a, 2)
	rows, _ := sys.ok("GET", "/admin/jobs/failed?kind=test.dies", nil)["items"].([]any)
	if len(rows) != 2 || !strings.Contains(fmt.Sprint(rows[0]), "test.dead") {
		t.Fatalf("failed: %v", rows)
	}
	id := func(i int) string {
		m, _ := rows[i].(map[string]any)
		return fmt.Sprint(m["id"])
	}
	sys.ok("POST", "/admin/jobs/"+id(0)+"/retry", map[string]string{})
	sys.no(409, "job.notfailed", "POST", "/admin/jobs/"+id(0)+"/retry", map[string]string{})
	sys.ok("POST", "/admin/jobs/"+id(1)+"/discard", map[string]string{"reason": "不再需要"})
	if left, _ := sys.ok("GET", "/admin/jobs/failed", nil)["items"].([]any); len(left) != 0 {
		t.Errorf("still failed: %v", left)
	}
}
