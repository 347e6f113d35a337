package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"haoban/platform/errs"
)

// Option says more about a route.
type Option func(*route)

type route struct {
	audience  Audience
	anonymous bool
	class     string
	needsKey  bool
	stream    bool
	maxBody   int64
}

// Anonymous lets a route be used without a login. A login that is there is
// still found.
func Anonymous(r *route) { r.anonymous = true }

// NeedsKey refuses a request without an Idempotency-Key.
func NeedsKey(r *route) { r.needsKey = true }

// Class counts the route's requests under a rate limit of its own, besides the
// common one.
func Class(name string) Option { return func(r *route) { r.class = name } }

// Register adds a route for an audience. op.Path is below Prefix(a); op.Method
// and op.OperationID must be set. What h returns as an error of package errs
// becomes a problem; any other error is ours and only gets a ticket.
//
// It panics on an operation that cannot be registered: that is a mistake in the
// program.
func Register[I, O any](s *Server, a Audience, op huma.Operation, h func(context.Context, *I) (*O, error), opts ...Option) {
	s.prepare(&op, a, opts)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	s.tidySchemas()
}

func (s *Server) prepare(op *huma.Operation, a Audience, opts []Option) {
	if a != Public && a != Staff && a != Partner {
		panic(fmt.Sprintf("web: %s %s has no audience", op.Method, op.Path))
	}
	if op.OperationID == "" || op.Method == "" || !strings.HasPrefix(op.Path, "/") {
		panic(fmt.Sprintf("web: %s %s lacks a method, a path or an operation id", op.Method, op.Path))
	}
	r := &route{audience: a, maxBody: op.MaxBodyBytes}
	for _, o := range opts {
		o(r)
	}
	if r.class != "" && !s.limits.has(r.class) {
		panic(fmt.Sprintf("web: %s %s: there is no rate limit %q", op.Method, op.Path, r.class))
	}
	op.Path = Prefix(a) + op.Path
	if r.maxBody == 0 {
		r.maxBody = s.o.MaxBody
	}
	op.MaxBodyBytes = r.maxBody + 1 // huma refuses a body of just its limit
	if op.BodyReadTimeout == 0 {
		op.BodyReadTimeout = bodyTime
	}
	if len(op.Tags) == 0 {
		op.Tags = []string{string(a)}
	}
	ext := map[string]any{"x-audience": string(a)}
	for k, v := range op.Extensions {
		ext[k] = v
	}
	if r.anonymous {
		ext["x-anonymous"] = true
	}
	if r.needsKey {
		ext["x-idempotency-key"] = true
	}
	op.Extensions = ext
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	refusal := &huma.Response{Description: "Refused", Content: map[string]*huma.MediaType{problemType: {Schema: schema}}}
	responses := map[string]*huma.Response{"default": refusal}
	for k, v := range op.Responses {
		responses[k] = v
	}
	for _, code := range op.Errors {
		responses[fmt.Sprint(code)] = &huma.Response{Description: http.StatusText(code), Content: refusal.Content}
	}
	op.Errors, op.Responses = nil, responses
	op.Middlewares = append(huma.Middlewares{s.gate(r, op)}, op.Middlewares...)
}

// gate is what every request of a route passes before its handler.
func (s *Server) gate(rt *route, op *huma.Operation) func(huma.Context, func(huma.Context)) {
	unsafe := op.Method != http.MethodGet && op.Method != http.MethodHead
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		metaOf(r.Context()).Operation = op.OperationID
		if unsafe {
			r.Body = &timedBody{ReadCloser: r.Body, rc: http.NewResponseController(w)}
		}
		ctx, err := s.admit(w, r, rt, unsafe)
		if err != nil {
			s.writeProblem(w, r.WithContext(ctx), s.problem(ctx, err))
			return
		}
		next(huma.WithContext(hc, ctx))
	}
}

// timedBody lifts the deadline for reading once the body is read: left in place
// it would cancel a handler that works longer than a body may take.
type timedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.rc.SetReadDeadline(time.Time{}) // not every writer can
	}
	return n, err
}

// bodyTime is how long a body may take unless the operation says otherwise.
const bodyTime = time.Minute

// admit decides whether a request may go on and returns the context it goes on
// with.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, rt *route, unsafe bool) (context.Context, error) {
	ctx := r.Context()
	m := metaOf(ctx)
	m.Audience = rt.audience
	if s.o.Serve != nil && !s.o.Serve(rt.audience) {
		return ctx, noRoute()
	}
	if err := s.allow(rt, "ip:"+ipKey(m.IP)); err != nil {
		return ctx, err
	}
	if r.ContentLength > rt.maxBody {
		return ctx, tooLarge(rt.maxBody)
	}
	if unsafe {
		if m.Key = r.Header.Get("Idempotency-Key"); m.Key != "" && !validKey(m.Key) || m.Key == "" && rt.needsKey {
			m.Key = ""
			return ctx, errs.New(errs.Invalid, "request.idempotency_key", "请求缺少有效的幂等编号，请刷新页面后再试").
				With("Idempotency-Key", "format", "应为 8 到 128 位字母、数字、- 或 _")
		}
	}
	if !rt.stream {
		// A client that stops reading does not hold a handler for ever; downloads lift this.
		_ = http.NewResponseController(w).SetWriteDeadline(s.soon(2 * time.Minute)) // not every writer can
	}
	ctx, known, err := s.identify(ctx, w, r, rt)
	if err != nil {
		return ctx, err
	}
	if unsafe && rt.audience != Partner {
		if err := s.cop.Check(r); err != nil {
			return ctx, errs.New(errs.Forbidden, "request.cross_site", "这个请求不是从本站页面发出的，已拒绝").Wrap(err)
		}
		if known && s.o.CSRF != nil {
			if err := s.o.CSRF(ctx, rt.audience, r); err != nil {
				return ctx, err
			}
		}
	}
	if known && s.o.Session != nil {
		if key := s.o.Session(ctx); key != "" {
			return ctx, s.allow(rt, "s:"+key)
		}
	}
	return ctx, nil
}

// identify finds out who asks; known is false for a stranger on an anonymous
// route.
func (s *Server) identify(ctx context.Context, w http.ResponseWriter, r *http.Request, rt *route) (_ context.Context, known bool, err error) {
	if rt.audience == Partner {
		if s.o.Verify == nil {
			return ctx, false, errs.New(errs.Unauthenticated, "partner.closed", "本节点没有开放对接接口")
		}
		_ = http.NewResponseController(w).SetReadDeadline(s.soon(bodyTime)) // not every writer can
		body, err := io.ReadAll(io.LimitReader(r.Body, rt.maxBody+1))
		if err != nil {
			return ctx, false, errs.New(errs.Invalid, "request.cut_off", "请求没有传完").Wrap(err)
		}
		if int64(len(body)) > rt.maxBody {
			return ctx, false, tooLarge(rt.maxBody)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		out, err := s.o.Verify(ctx, r, body)
		return orOld(out, ctx), err == nil, err
	}
	if s.o.Authenticate == nil {
		if rt.anonymous {
			return ctx, false, nil
		}
		return ctx, false, errs.New(errs.Unauthenticated, "login.needed", "请先登录")
	}
	out, err := s.o.Authenticate(ctx, rt.audience, r)
	switch {
	case err == nil:
		return orOld(out, ctx), true, nil
	case rt.anonymous && errs.KindOf(err) == errs.Unauthenticated:
		return orOld(out, ctx), false, nil
	}
	return ctx, false, err
}

func orOld(out, old context.Context) context.Context {
	if out == nil {
		return old
	}
	return out
}

func validKey(k string) bool {
	if len(k) < 8 || len(k) > 128 {
		return false
	}
	for _, c := range []byte(k) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// plainPackages are those whose types keep their bare names in the OpenAPI
// document; types of other packages carry the package's name, since two rooms
// may both have a transferIn.
var plainPackages = []string{"api", "web", "errs"}

func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pkg := strings.TrimSuffix(t.PkgPath(), "/v2")
	pkg = pkg[strings.LastIndex(pkg, "/")+1:]
	if t.Name() == "" || pkg == "" || slices.Contains(plainPackages, pkg) {
		return name
	}
	pkg = strings.ToUpper(pkg[:1]) + pkg[1:]
	if strings.HasPrefix(name, pkg) {
		return name
	}
	return pkg + name
}

// tidySchemas keeps the promise that no array is null, see notNull.
func (s *Server) tidySchemas() {
	schemas := s.api.OpenAPI().Components.Schemas.Map()
	delete(schemas, "HumaErrorModel") // what huma documents for refusals is not what we answer
	delete(schemas, "HumaErrorDetail")
	seen := map[*huma.Schema]bool{}
	for _, x := range schemas {
		arraysNotNull(x, seen)
	}
}

func arraysNotNull(x *huma.Schema, seen map[*huma.Schema]bool) {
	if x == nil || seen[x] {
		return
	}
	seen[x] = true
	if x.Type == huma.TypeArray {
		x.Nullable = false
	}
	arraysNotNull(x.Items, seen)
	for _, p := range x.Properties {
		arraysNotNull(p, seen)
	}
	if sub, ok := x.AdditionalProperties.(*huma.Schema); ok {
		arraysNotNull(sub, seen)
	}
	for _, list := range [][]*huma.Schema{x.OneOf, x.AnyOf, x.AllOf} {
		for _, p := range list {
			arraysNotNull(p, seen)
		}
	}
}

// OpenAPI returns the OpenAPI 3.1 document as indented JSON. The same routes
// give the same bytes, in whatever order they were registered.
func (s *Server) OpenAPI() ([]byte, error) {
	raw, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("web: openapi: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("web: openapi: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Audit walks the OpenAPI document and names every operation that has no
// audience, that lies outside its audience's path, or that lacks an id or a
// summary.
func (s *Server) Audit() error {
	var bad []error
	for path, item := range s.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Options, item.Head, item.Patch, item.Trace} {
			if op == nil {
				continue
			}
			a, ok := op.Extensions["x-audience"].(string)
			switch {
			case !ok:
				bad = append(bad, fmt.Errorf("%s %s has no audience", op.Method, path))
			case !strings.HasPrefix(path, Prefix(Audience(a))+"/"):
				bad = append(bad, fmt.Errorf("%s %s is not below %s", op.Method, path, Prefix(Audience(a))))
			case op.OperationID == "" || op.Summary == "":
				bad = append(bad, fmt.Errorf("%s %s has no id or no summary", op.Method, path))
			}
		}
	}
	slices.SortFunc(bad, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(bad...)
}

// Huma returns the API below, for what Register cannot say. A route registered
// there without an audience fails Audit.
func (s *Server) Huma() huma.API { return s.api }
