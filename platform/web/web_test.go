package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"haoban/platform/clock"
	"haoban/platform/errs"
	"haoban/platform/web"
)

// logBook is a log that a test can read.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type userKey struct{}

// options are those of a server with a session header instead of a real login.
func options(log *logBook) web.Options {
	return web.Options{
		Title: "好办", Version: "1", Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Clock: clock.NewMovable(clock.Wall{}),
		Authenticate: func(ctx context.Context, a web.Audience, r *http.Request) (context.Context, error) {
			who := r.Header.Get("X-User")
			if who == "" || !strings.HasPrefix(who, string(a)+":") {
				return ctx, errs.New(errs.Unauthenticated, "login.needed", "请先登录")
			}
			return context.WithValue(ctx, userKey{}, who), nil
		},
		CSRF: func(_ context.Context, _ web.Audience, r *http.Request) error {
			if r.Header.Get("X-CSRF") != "good" {
				return errs.New(errs.Forbidden, "session.csrf", "页面已过期，请刷新后再试")
			}
			return nil
		},
		Verify: func(ctx context.Context, r *http.Request, body []byte) (context.Context, error) {
			if r.Header.Get("X-Sign") != fmt.Sprint(len(body)) {
				return ctx, errs.New(errs.Unauthenticated, "partner.signature", "签名不对")
			}
			return context.WithValue(ctx, userKey{}, "partner"), nil
		},
		Session: func(ctx context.Context) string { u, _ := ctx.Value(userKey{}).(string); return u },
	}
}

type caseIn struct {
	ID string `path:"id" maxLength:"40"`
	N  int    `query:"n" minimum:"1" maximum:"100" default:"10"`
}

type party struct {
	Name  string   `json:"name" minLength:"1" maxLength:"20"`
	Share []string `json:"share"`
}

type caseBody struct {
	Matter  string    `json:"matter" enum:"transfer,mortgage"`
	Day     time.Time `json:"day,omitempty"`
	Parties []party   `json:"parties" maxItems:"3"`
	Count   int       `json:"count,omitempty"`
}

type caseOut struct {
	Body struct {
		Who   string            `json:"who"`
		Key   string            `json:"key"`
		N     int               `json:"n"`
		Tags  []string          `json:"tags"`
		Rows  []party           `json:"rows"`
		Maybe *party            `json:"maybe,omitempty"`
		Facts map[string]*party `json:"facts,omitempty"`
	}
}

type writeIn struct {
	ID   string `path:"id"`
	Body caseBody
}

// server registers a few routes that do what the tests ask of them.
func server(t *testing.T, change func(*web.Options)) (*web.Server, *logBook) {
	t.Helper()
	log := &logBook{}
	o := options(log)
	if change != nil {
		change(&o)
	}
	s := web.New(o)
	read := func(ctx context.Context, in *caseIn) (*caseOut, error) {
		out := &caseOut{}
		out.Body.Who, _ = ctx.Value(userKey{}).(string)
		out.Body.N = in.N
		out.Body.Maybe = &party{Name: "甲"}
		out.Body.Facts = map[string]*party{"x": {Name: "乙"}}
		out.Body.Rows = []party{{Name: "丙"}}
		switch in.ID {
		case "missing":
			return nil, errs.New(errs.NotFound, "case.not_found", "没有这件办件，或者您无权查看")
		case "broken":
			return nil, fmt.Errorf("load: %w", errors.New("disk sector 42 of user 310101199001011234"))
		case "hidden":
			return nil, errs.New(errs.Internal, "db.lost", "数据库第 3 行坏了").With("secret", "x", "y").Wrap(errors.New("inner"))
		case "down":
			return nil, errs.New(errs.Unavailable, "tax.down", "税务系统暂时没有回应，请稍后再试")
		case "panic":
			panic("boom")
		case "huma":
			return nil, huma.Error403Forbidden("not yours")
		}
		return out, nil
	}
	write := func(ctx context.Context, in *writeIn) (*caseOut, error) {
		out := &caseOut{}
		out.Body.Who, _ = ctx.Value(userKey{}).(string)
		out.Body.Key = web.IdempotencyKey(ctx)
		out.Body.N = len(in.Body.Parties)
		return out, nil
	}
	op := func(method, path, id string) huma.Operation {
		return huma.Operation{Method: method, Path: path, OperationID: id, Summary: id}
	}
	web.Register(s, web.Public, op("GET", "/cases/{id}", "public-case"), read)
	web.Register(s, web.Public, op("GET", "/verify/{token}", "verify"), func(context.Context, *struct {
		Token string `path:"token"`
	}) (*struct{}, error) {
		return nil, nil
	}, web.Anonymous, web.Class(web.Verify))
	web.Register(s, web.Public, op("PUT", "/cases/{id}/form", "public-form"), write)
	web.Register(s, web.Public, op("POST", "/cases/{id}/submit", "public-submit"), write, web.NeedsKey)
	web.Register(s, web.Public, op("POST", "/login", "login"), write2, web.Anonymous, web.Class(web.Login))
	web.Register(s, web.Staff, op("GET", "/cases/{id}", "staff-case"), read)
	web.Register(s, web.Partner, op("POST", "/cases/{id}", "partner-case"), write)
	return s, log
}

func write2(context.Context, *struct{}) (*struct{}, error) { return nil, nil }

type problem struct {
	Status int          `json:"status"`
	Code   string       `json:"code"`
	Title  string       `json:"title"`
	Fields []errs.Field `json:"fields"`
	Ticket string       `json:"ticket"`
}

// ask sends a request; head is pairs of name and value.
func ask(t *testing.T, h http.Handler, method, path, body string, head ...string) *httptest.ResponseRecorder {
	t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, rd)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func refused(t *testing.T, w *httptest.ResponseRecorder, status int, code string) problem {
	t.Helper()
	var p problem
	if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s, want a problem %d %s: %s", w.Code, w.Header().Get("Content-Type"), status, code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Errorf("%v: %s", err, w.Body)
		return p
	}
	if p.Code != code || p.Status != status {
		t.Errorf("got %+v, want %d %s", p, status, code)
	}
	if !chinese(p.Title) {
		t.Errorf("the title %q is no Chinese sentence", p.Title)
	}
	for _, f := range p.Fields {
		if !chinese(f.Msg) {
			t.Errorf("field %+v is not told in Chinese", f)
		}
	}
	return p
}

func chinese(s string) bool {
	for _, r := range s {
		if r >= 0x4e00 && r < 0xa000 {
			return true
		}
	}
	return false
}

var me = []string{"X-User", "public:li", "X-CSRF", "good"}

func TestProblems(t *testing.T) {
	t.Parallel()
	s, log := server(t, nil)
	for _, tt := range []struct {
		id     string
		status int
		code   string
		ticket bool
	}{
		{"missing", 404, "case.not_found", false},
		{"broken", 500, "internal", true},
		{"hidden", 500, "internal", true},
		{"panic", 500, "internal", true},
		{"down", 503, "tax.down", true},
	} {
		w := ask(t, s, "GET", "/api/v1/public/cases/"+tt.id, "", me...)
		p := refused(t, w, tt.status, tt.code)
		if (p.Ticket != "") != tt.ticket || tt.ticket && len(p.Ticket) != 8 {
			t.Errorf("%s: ticket %q", tt.id, p.Ticket)
		}
		if tt.status == 500 {
			for _, secret := range []string{"disk", "sector", "310101199001011234", "第 3 行", "boom", "goroutine", "secret"} {
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("%s: the answer tells %q: %s", tt.id, secret, w.Body)
				}
			}
			if !strings.Contains(p.Title, p.Ticket) {
				t.Errorf("%s: the title %q lacks the ticket", tt.id, p.Title)
			}
		}
		if tt.ticket && !strings.Contains(log.String(), p.Ticket) {
			t.Errorf("%s: the log lacks ticket %s", tt.id, p.Ticket)
		}
	}
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), "disk sector") {
		t.Error("the log does not tell the cause")
	}
	refused(t, ask(t, s, "GET", "/api/v1/public/nothing", ""), 404, "request.no_route")
	refused(t, ask(t, s, "GET", "/api/", ""), 404, "request.no_route")
	if w := ask(t, s, "GET", "/api/v1/public/cases/huma", "", me...); w.Code != 403 || !chinese(w.Body.String()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestValidation: huma's own refusals come out in Chinese, with the path of the
// field and without what was sent.
func TestValidation(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	w := ask(t, s, "PUT", "/api/v1/public/cases/1/form",
		`{"matter":"theft","day":"gestern","parties":[{"name":"","share":[1]},{"share":null}],"count":"many","extra-310101199001011234":1}`, me...)
	p := refused(t, w, 422, "request.invalid")
	got := map[string]string{}
	for _, f := range p.Fields {
		got[f.Path] = f.Rule
	}
	for path, rule := range map[string]string{"matter": "enum", "day": "date-time", "parties.0.name": "minLength", "parties.0.share.0": "string",
		"parties.1.name": "required", "parties.1.share": "array", "count": "integer"} {
		if got[path] != rule {
			t.Errorf("%s: got %q, want %q (%v)", path, got[path], rule, got)
		}
	}
	if strings.Contains(w.Body.String(), "gestern") || strings.Contains(w.Body.String(), "theft\"") {
		t.Errorf("the answer repeats what was sent: %s", w.Body)
	}
	if p := refused(t, ask(t, s, "GET", "/api/v1/public/cases/1?n=0", "", me...), 422, "request.invalid"); len(p.Fields) != 1 || p.Fields[0].Path != "n" || p.Fields[0].Rule != "minimum" {
		t.Errorf("%+v", p)
	}
	refused(t, ask(t, s, "GET", "/api/v1/public/cases/1?n=x", "", me...), 422, "request.invalid")
	w = ask(t, s, "PUT", "/api/v1/public/cases/1/form", `{"matter":secret`, me...)
	if p := refused(t, w, 400, "request.malformed"); strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%+v", p)
	}
	refused(t, ask(t, s, "PUT", "/api/v1/public/cases/1/form", "", me...), 400, "request.malformed")
	refused(t, ask(t, s, "PUT", "/api/v1/public/cases/1/form", "<x/>", append([]string{"Content-Type", "text/xml"}, me...)...), 415, "request.media_type")
}

func TestWhoMayCome(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	const good = `{"matter":"transfer","parties":[]}`
	staff := []string{"X-User", "staff:wang"}
	for _, tt := range []struct {
		name, method, path, body string
		head                     []string
		status                   int
		code                     string
	}{
		{"no login", "GET", "/api/v1/public/cases/1", "", nil, 401, "login.needed"},
		{"citizen at the desk", "GET", "/api/v1/staff/cases/1", "", me, 401, "login.needed"},
		{"official at the portal", "GET", "/api/v1/public/cases/1", "", staff, 401, "login.needed"},
		{"official at the desk", "GET", "/api/v1/staff/cases/1", "", staff, 200, ""},
		{"citizen", "GET", "/api/v1/public/cases/1", "", me, 200, ""},
		{"stranger on an anonymous route", "GET", "/api/v1/public/verify/abc", "", nil, 204, ""},
		{"write without token", "PUT", "/api/v1/public/cases/1/form", good, me[:2], 403, "session.csrf"},
		{"write", "PUT", "/api/v1/public/cases/1/form", good, me, 200, ""},
		{"write from another site", "PUT", "/api/v1/public/cases/1/form", good, append([]string{"Sec-Fetch-Site", "cross-site"}, me...), 403, "request.cross_site"},
		{"write from another origin", "PUT", "/api/v1/public/cases/1/form", good, append([]string{"Origin", "https://evil.invalid"}, me...), 403, "request.cross_site"},
		{"login from another site", "POST", "/api/v1/public/login", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "request.cross_site"},
		{"login", "POST", "/api/v1/public/login", "", []string{"Sec-Fetch-Site", "same-origin"}, 204, ""},
		{"no key", "POST", "/api/v1/public/cases/1/submit", good, me, 422, "request.idempotency_key"},
		{"bad key", "PUT", "/api/v1/public/cases/1/form", good, append([]string{"Idempotency-Key", "a b"}, me...), 422, "request.idempotency_key"},
		{"partner unsigned", "POST", "/api/v1/partner/cases/1", good, nil, 401, "partner.signature"},
		{"partner with another body", "POST", "/api/v1/partner/cases/1", good + " ", []string{"X-Sign", fmt.Sprint(len(good))}, 401, "partner.signature"},
		{"partner", "POST", "/api/v1/partner/cases/1", good, []string{"X-Sign", fmt.Sprint(len(good))}, 200, ""},
	} {
		w := ask(t, s, tt.method, tt.path, tt.body, tt.head...)
		if tt.code != "" {
			t.Log(tt.name)
			refused(t, w, tt.status, tt.code)
		} else if w.Code != tt.status {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
	}
	w := ask(t, s, "POST", "/api/v1/public/cases/1/submit", good, append([]string{"Idempotency-Key", "0192-abcd_EF"}, me...)...)
	if !strings.Contains(w.Body.String(), `"key":"0192-abcd_EF"`) || !strings.Contains(w.Body.String(), `"who":"public:li"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	closed, _ := server(t, func(o *web.Options) {
		o.Serve = func(a web.Audience) bool { return a == web.Staff }
		o.Verify = nil
	})
	refused(t, ask(t, closed, "GET", "/api/v1/public/cases/1", "", me...), 404, "request.no_route")
	bare, _ := server(t, func(o *web.Options) { o.Authenticate, o.Verify = nil, nil })
	refused(t, ask(t, bare, "GET", "/api/v1/public/cases/1", "", me...), 401, "login.needed")
	refused(t, ask(t, bare, "POST", "/api/v1/partner/cases/1", good), 401, "partner.closed")
}

func TestNoNullArrays(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	w := ask(t, s, "GET", "/api/v1/public/cases/1", "", me...)
	if b := w.Body.String(); strings.Contains(b, "null") || strings.Count(b, "[]") != 4 {
		t.Error(b)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s, _ := server(t, func(o *web.Options) { o.MaxBody = 100 })
	body := func(n int) string {
		const head = `{"matter":"transfer","parties":[]`
		return head + strings.Repeat(" ", n-len(head)-1) + "}"
	}
	if w := ask(t, s, "PUT", "/api/v1/public/cases/1/form", body(100), me...); w.Code != 200 {
		t.Errorf("a body of just the limit: %d %s", w.Code, w.Body)
	}
	refused(t, ask(t, s, "PUT", "/api/v1/public/cases/1/form", body(101), me...), 413, "request.too_large")
	for _, path := range []string{"/api/v1/public/cases/1/form", "/api/v1/partner/cases/1"} { // without saying how long it is
		method := map[bool]string{true: "PUT", false: "POST"}[strings.Contains(path, "public")]
		r := httptest.NewRequestWithContext(t.Context(), method, path, io.MultiReader(strings.NewReader(body(5000))))
		r.Header.Set("X-User", "public:li")
		r.Header.Set("X-CSRF", "good")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		refused(t, w, 413, "request.too_large")
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	var now *clock.Movable
	s, _ := server(t, func(o *web.Options) {
		now = clock.NewMovable(clock.Fixed(time.Unix(1_800_000_000, 0)))
		o.Clock = now
		o.Limits = map[string]web.Limit{web.Common: {Burst: 5, Per: time.Minute}, web.Login: {Burst: 2, Per: 10 * time.Minute}}
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's own address
	})
	from := func(ip string, more ...string) []string { return append([]string{"X-Forwarded-For", ip}, more...) }
	for range 2 {
		if w := ask(t, s, "POST", "/api/v1/public/login", "", from("198.51.100.1")...); w.Code != 204 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	w := ask(t, s, "POST", "/api/v1/public/login", "", from("198.51.100.1")...)
	p := refused(t, w, 429, "request.too_many")
	if w.Header().Get("Retry-After") != "300" || !strings.Contains(p.Title, "5 分钟") {
		t.Errorf("Retry-After %q, %q", w.Header().Get("Retry-After"), p.Title)
	}
	if w := ask(t, s, "POST", "/api/v1/public/login", "", from("198.51.100.2")...); w.Code != 204 {
		t.Errorf("another address is held back too: %d", w.Code)
	}
	refused(t, ask(t, s, "POST", "/api/v1/public/login", "", from("203.0.113.9, 198.51.100.1")...), 429, "request.too_many") // an invented hop does not help
	now.Advance(5 * time.Minute)
	if w := ask(t, s, "POST", "/api/v1/public/login", "", from("198.51.100.1")...); w.Code != 204 {
		t.Errorf("still held back after waiting: %d", w.Code)
	}
	// One person from many addresses is one caller.
	n := 0
	for i := range 10 {
		if ask(t, s, "GET", "/api/v1/public/cases/1", "", from(fmt.Sprintf("198.51.100.%d", 20+i), me...)...).Code == 200 {
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d of 10 requests of one session went through, want 5", n)
	}
	// One IPv6 network is one caller.
	n = 0
	for i := range 10 {
		if ask(t, s, "GET", "/api/v1/public/verify/x", "", from(fmt.Sprintf("2001:db8::%d", i+1))...).Code == 204 {
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d of 10 requests of one IPv6 network went through, want 5", n)
	}
}

func TestHeadersAndLog(t *testing.T) {
	t.Parallel()
	s, log := server(t, func(o *web.Options) { o.HTTPS = true })
	w := ask(t, s, "GET", "/api/v1/public/verify/TOPSECRET?ticket=HUSH&n=1", "", append([]string{"X-Request-Id", "invented-id"}, me...)...)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Permissions-Policy": "camera=(self), microphone=(self)", "Cache-Control": "no-store", "Strict-Transport-Security": "max-age=",
	} {
		if got := w.Header().Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'self'") || strings.Contains(csp, "script-src 'self' 'unsafe") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
	id := w.Header().Get("X-Request-Id")
	if id == "" || id == "invented-id" || !strings.Contains(log.String(), id) {
		t.Errorf("request id %q", id)
	}
	ask(t, s, "PUT", "/api/v1/public/cases/7/form", `{"matter":"transfer","parties":[{"name":"李明","share":[]}]}`, me...)
	for _, secret := range []string{"TOPSECRET", "HUSH", "李明", "good"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, log)
		}
	}
	for _, want := range []string{`"query":"n,ticket"`, `"route":"/api/v1/public/verify/{token}"`, `"path":"/api/v1/public/cases/7/form"`, `"status":204`, `"audience":"public"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	c := s.Cookie(web.Staff, "x")
	if c.Name != "hb_staff" || c.Path != "/api/v1/staff" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("%+v", c)
	}
}
