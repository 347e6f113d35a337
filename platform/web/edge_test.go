package web_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"haoban/platform/errs"
	"haoban/platform/web"
)

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	a, _ := server(t, nil)
	one, err := a.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		b, _ := server(t, nil)
		two, err := b.OpenAPI()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Fatal("the same routes make another document")
		}
	}
	for _, want := range []string{`"openapi": "3.1.0"`, `"x-audience": "partner"`, `"x-anonymous": true`, `"x-idempotency-key": true`, `"/api/v1/public/cases/{id}/form"`,
		`"application/problem+json"`, `"#/components/schemas/Problem"`} {
		if !bytes.Contains(one, []byte(want)) {
			t.Errorf("lacks %s", want)
		}
	}
	if bytes.Contains(one, []byte("ErrorModel")) || bytes.Contains(one, []byte(`"null"`)) {
		t.Error("speaks of huma's own errors or of arrays that may be null")
	}
	if err := a.Audit(); err != nil {
		t.Error(err)
	}
	huma.Register(a.Huma(), huma.Operation{Method: "GET", Path: "/api/v1/public/stray", OperationID: "stray", Summary: "x"}, write2)
	if err := a.Audit(); err == nil || !strings.Contains(err.Error(), "GET /api/v1/public/stray has no audience") {
		t.Errorf("a route without an audience: %v", err)
	}
	for name, op := range map[string]huma.Operation{"no id": {Method: "GET", Path: "/x"}, "no method": {Path: "/x", OperationID: "x"}, "no path": {Method: "GET", OperationID: "x"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: registered", name)
				}
			}()
			web.Register(a, web.Public, op, write2)
		}()
	}
	if err := a.Handle("/api/v1/public/x", http.NotFoundHandler()); err == nil {
		t.Error("a plain handler below /api/ was taken")
	}
}

// live serves on a real socket until the test ends; stop ends it before.
func live(t *testing.T, s *web.Server) (url string, stop func() error) {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String(), stop
}

func get(t *testing.T, url string, head ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

type tick struct {
	N    int      `json:"n"`
	Tags []string `json:"tags"`
}

func streamOp(id string) huma.Operation {
	return huma.Operation{Path: "/" + id, OperationID: id, Summary: id}
}

// TestStream: events arrive as they are sent, with signs of life between them;
// the browser's Last-Event-ID is handed on; a stop of the server ends them.
func TestStream(t *testing.T) {
	t.Parallel()
	s, _ := server(t, func(o *web.Options) { o.Heartbeat = 20 * time.Millisecond; o.MaxStreams = 1 })
	ended := make(chan error, 1)
	more := make(chan struct{})
	web.RegisterStream(s, web.Public, streamOp("events"), func(ctx context.Context, _ *struct{}, st *web.Stream) error {
		if err := st.Send(web.Event{ID: "42", Name: "case", Data: tick{N: 1}}); err != nil {
			return err
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
		if err := st.Send(web.Event{Name: "last", Data: st.LastID + "\n"}); err != nil {
			return err
		}
		<-ctx.Done()
		ended <- ctx.Err()
		return nil
	})
	url, stop := live(t, s)
	resp := get(t, url+"/api/v1/public/events", append([]string{"Last-Event-ID", "41"}, me...)...)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	rd := bufio.NewReader(resp.Body)
	until := func(want string) string {
		all := ""
		for !strings.HasSuffix(all, want) {
			line, err := rd.ReadString('\n')
			if all += line; err != nil {
				t.Fatalf("the stream ended with %q: %v", all, err)
			}
		}
		return all
	}
	if got := until("\n\n"); got != "retry: 3000\n\n" {
		t.Errorf("%q", got)
	}
	if got := until("\n\n"); got != "id: 42\nevent: case\ndata: {\"n\":1,\"tags\":[]}\n\n" {
		t.Errorf("%q", got)
	}
	until(": ok\n\n")
	if second := get(t, url+"/api/v1/public/events", me...); second.StatusCode != 429 {
		t.Errorf("one stream too many: %d", second.StatusCode)
	}
	close(more)
	until("event: last\ndata: \"41\\n\"\n\n")
	begin := time.Now() //nolint:forbidigo // a test of real time
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's context ended with %v", err)
	}
	if _, err := io.ReadAll(rd); err != nil {
		t.Errorf("the stream did not end in order: %v", err)
	}
}

// TestStop: a request under way is answered, /readyz says no, then Serve returns.
func TestStop(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	started, finish := make(chan struct{}), make(chan struct{})
	web.Register(s, web.Public, huma.Operation{Method: "GET", Path: "/slow", OperationID: "slow", Summary: "x"},
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			close(started)
			<-finish
			return nil, ctx.Err()
		}, web.Anonymous)
	url, stop := live(t, s)
	answered := make(chan int, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/public/slow", nil)
		if err != nil {
			answered <- 0
			return
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-started
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for ask(t, s, "GET", "/readyz", "").Code != 503 {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped before the request was answered: %v", err)
	default:
	}
	close(finish)
	if code := <-answered; code != 204 {
		t.Errorf("the request under way was answered with %d", code)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	files := fstest.MapFS{
		"index.html":          {Data: []byte("<html>index")},
		"assets/app-1a2b.js":  {Data: []byte("plain js")},
		"assets/app-1a2b.mjs": {Data: []byte("module"), Mode: 0o444}, "assets/app-1a2b.js.br": {Data: []byte("brotli")},
		"assets/app-1a2b.js.gz": {Data: []byte("gzipped")},
		"favicon.ico":           {Data: []byte("icon")},
	}
	if err := s.Pages("/", files); err != nil {
		t.Fatal(err)
	}
	if err := s.Pages("/desk/", fstest.MapFS{"index.html": {Data: []byte("<html>desk")}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Pages("/none/", fstest.MapFS{}); err == nil {
		t.Error("a front end without index.html was taken")
	}
	for _, tt := range []struct{ path, accept, body, mime, encoding, cache string }{
		{"/", "", "<html>index", "text/html; charset=utf-8", "", "no-cache"},
		{"/cases/0192/form", "", "<html>index", "text/html; charset=utf-8", "", "no-cache"},
		{"/desk/inbox", "", "<html>desk", "text/html; charset=utf-8", "", "no-cache"},
		{"/assets/app-1a2b.js", "gzip, br", "brotli", "text/javascript; charset=utf-8", "br", "public, max-age=31536000, immutable"},
		{"/assets/app-1a2b.js", "gzip, br;q=0", "gzipped", "text/javascript; charset=utf-8", "gzip", "public, max-age=31536000, immutable"},
		{"/assets/app-1a2b.js", "", "plain js", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable"},
		{"/assets/app-1a2b.mjs", "br", "module", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable"},
		{"/favicon.ico", "", "icon", "image/x-icon", "", "no-cache"},
	} {
		w := ask(t, s, "GET", tt.path, "", "Accept-Encoding", tt.accept)
		h := w.Header()
		if w.Code != 200 || w.Body.String() != tt.body || h.Get("Content-Type") != tt.mime || h.Get("Content-Encoding") != tt.encoding || h.Get("Cache-Control") != tt.cache {
			t.Errorf("%s (%s): %d %q %v", tt.path, tt.accept, w.Code, w.Body, h)
		}
		if w := ask(t, s, "GET", tt.path, "", "Accept-Encoding", tt.accept, "If-None-Match", h.Get("ETag")); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("%s: asked again with its ETag: %d", tt.path, w.Code)
		}
		if w := ask(t, s, "HEAD", tt.path, ""); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d %q", tt.path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/assets/gone.js", "/missing.png", "/assets/gone"} {
		refused(t, ask(t, s, "GET", path, ""), 404, "request.no_route")
	}
	refused(t, ask(t, s, "POST", "/cases", ""), 405, "request.method")
	refused(t, ask(t, s, "GET", "/api/v1/public/zzz", ""), 404, "request.no_route") // never the index
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var broken error
	s, _ := server(t, func(o *web.Options) {
		o.Ready = []web.Check{{Name: "db", Func: func(context.Context) error { return broken }}, {Name: "keys", Func: func(context.Context) error { return nil }}}
	})
	if w := ask(t, s, "GET", "/healthz", ""); w.Code != 200 {
		t.Error(w.Code)
	}
	if w := ask(t, s, "GET", "/readyz", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"db":"ok"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	broken = errors.New("dial 10.1.2.3: refused")
	if w := ask(t, s, "GET", "/readyz", ""); w.Code != 503 || strings.Contains(w.Body.String(), "10.1.2.3") || !strings.Contains(w.Body.String(), `"db":"failed"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, s.Admin(), "GET", "/readyz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "10.1.2.3") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	ask(t, s, "GET", "/api/v1/public/cases/1", "", me...)
	refused(t, ask(t, s, "GET", "/metrics", ""), 404, "request.no_route") // httptest comes from 192.0.2.1
	for name, h := range map[string]http.Handler{"loopback": s, "admin": s.Admin()} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.RemoteAddr = "127.0.0.1:5000"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `haoban_http_requests_total{method="GET",route="/api/v1/public/cases/{id}",status="200"} 1`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

type readSeekNop struct{ *strings.Reader }

func (readSeekNop) Close() error { return nil }

func TestSend(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	register := func(id string, f func() web.File) {
		web.Register(s, web.Public, huma.Operation{Method: "GET", Path: "/" + id, OperationID: id, Summary: id},
			func(context.Context, *struct{}) (*huma.StreamResponse, error) { return s.Send(f()), nil }, web.Anonymous)
	}
	register("pdf", func() web.File {
		return web.File{Name: "申请书 1.pdf", Mime: "application/pdf", Inline: true, ETag: "abc", Content: readSeekNop{strings.NewReader("0123456789")}}
	})
	register("html", func() web.File {
		return web.File{Name: "x.html", Mime: "text/html", Inline: true, Content: readSeekNop{strings.NewReader("<script>")}}
	})
	register("xlsx", func() web.File {
		return web.File{Name: "导出\r\nX: y\".xlsx", Write: func(w io.Writer) error { _, err := io.WriteString(w, "rows"); return err }}
	})
	register("half", func() web.File {
		return web.File{Name: "x.zip", Write: func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("x", 1<<16))
			return errors.Join(err, errors.New("lost"))
		}}
	})
	w := ask(t, s, "GET", "/api/v1/public/pdf", "", "Range", "bytes=2-4")
	if w.Code != 206 || w.Body.String() != "234" || w.Header().Get("Content-Disposition") != `inline; filename="file.pdf"; filename*=UTF-8''%E7%94%B3%E8%AF%B7%E4%B9%A6%201.pdf` ||
		w.Header().Get("Cache-Control") != "private, no-store" || w.Header().Get("Content-Type") != "application/pdf" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
	if w := ask(t, s, "GET", "/api/v1/public/html", ""); !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%v", w.Header())
	}
	if w := ask(t, s, "GET", "/api/v1/public/xlsx", ""); w.Body.String() != "rows" || w.Header().Get("X") != "" || strings.ContainsAny(w.Header().Get("Content-Disposition"), "\r\n") {
		t.Errorf("%q %v", w.Body, w.Header())
	}
	url, _ := live(t, s)
	resp := get(t, url+"/api/v1/public/half")
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("half a file of %d bytes looks whole", len(b))
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	log := &logBook{}
	tp := web.LogTraces(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	s, _ := server(t, func(o *web.Options) { o.Tracer = tp })
	ask(t, s, "GET", "/api/v1/public/cases/1", "", append([]string{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, me...)...)
	if err := tp.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"trace=0af7651916cd43dd8448eb211c80319c", "parent=b7ad6b7169203331", `name="GET /api/v1/public/cases/{id}"`, "http.response.status_code=200"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the trace lacks %s: %s", want, log)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for k, want := range map[errs.Kind]int{errs.Internal: 500, errs.Invalid: 422, errs.NotFound: 404, errs.Forbidden: 403, errs.Conflict: 409,
		errs.TooSoon: 409, errs.Unavailable: 503, errs.Unauthenticated: 401, errs.TooMany: 429, errs.TooLarge: 413} {
		if got := web.Status(k); got != want {
			t.Errorf("kind %d: %d, want %d", k, got, want)
		}
	}
}

// TestBodyDeadlineIsLifted: a handler that works longer than the body's deadline is not
// cancelled by it.
func TestBodyDeadlineIsLifted(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	web.Register(s, web.Public, huma.Operation{Method: "POST", Path: "/long", OperationID: "long", Summary: "x", BodyReadTimeout: 50 * time.Millisecond},
		func(ctx context.Context, _ *struct {
			Body struct {
				A string `json:"a"`
			}
		}) (*struct{}, error) {
			select {
			case <-time.After(300 * time.Millisecond):
				return nil, nil
			case <-ctx.Done():
				return nil, fmt.Errorf("cancelled: %w", ctx.Err())
			}
		}, web.Anonymous)
	url, _ := live(t, s)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/public/long", strings.NewReader(`{"a":"b"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 204 {
		b, err := io.ReadAll(resp.Body)
		t.Errorf("%d %s %v", resp.StatusCode, b, err)
	}
}

func TestTicketsDiffer(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil)
	seen := map[string]bool{}
	for range 20 {
		p := refused(t, ask(t, s, "GET", "/api/v1/public/cases/broken", "", me...), 500, "internal")
		if seen[p.Ticket] || !regexp.MustCompile(`^[0-9A-Z]{8}$`).MatchString(p.Ticket) {
			t.Errorf("ticket %q", p.Ticket)
		}
		seen[p.Ticket] = true
	}
}
