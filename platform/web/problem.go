package web

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"haoban/platform/errs"
)

const problemType = "application/problem+json"

// Problem is what a refused request is answered with, RFC 9457. Title is a
// Chinese sentence fit to be shown; Ticket, when there is one, is what a caller
// tells the help desk.
type Problem struct {
	Status int          `json:"status" doc:"HTTP status"`
	Code   string       `json:"code" doc:"Stable name of the refusal"`
	Title  string       `json:"title" doc:"A Chinese sentence for people"`
	Fields []errs.Field `json:"fields,omitempty" doc:"Which fields break which rule"`
	Ticket string       `json:"ticket,omitempty" doc:"Number for the help desk"`

	header http.Header
}

// Error gives the code and the sentence.
func (p *Problem) Error() string { return p.Code + ": " + p.Title }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns further headers of the answer.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType returns the content type of a problem.
func (p *Problem) ContentType(string) string { return problemType }

// Status returns the HTTP status that answers a kind of failure.
func Status(k errs.Kind) int {
	switch k {
	case errs.Invalid:
		return http.StatusUnprocessableEntity
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Forbidden:
		return http.StatusForbidden
	case errs.Conflict, errs.TooSoon:
		return http.StatusConflict
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	case errs.Unauthenticated:
		return http.StatusUnauthorized
	case errs.TooMany:
		return http.StatusTooManyRequests
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusInternalServerError
}

func noRoute() *errs.Error {
	return errs.New(errs.NotFound, "request.no_route", "没有这个地址，可能是链接写错了或已经失效")
}

func tooLarge(limit int64) *errs.Error {
	return errs.New(errs.TooLarge, "request.too_large", fmt.Sprintf("提交的内容太大，一次最多 %s", size(limit)))
}

func size(n int64) string {
	if n >= 1<<20 {
		return strconv.FormatInt(n>>20, 10) + " MB"
	}
	return strconv.FormatInt(max(n>>10, 1), 10) + " KB"
}

// retryAfter carries how long to wait.
type retryAfter struct{ d time.Duration }

func (r retryAfter) Error() string { return "retry after " + r.d.String() }

// problem turns an error into its answer. What is ours to mend is logged under a
// ticket and shows no detail; what the caller can mend is not logged as an error.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	e, ok := errs.As(err)
	if !ok {
		var se huma.StatusError
		if errors.As(err, &se) {
			var model *huma.ErrorModel
			if errors.As(err, &model) {
				return s.translate(ctx, model)
			}
		}
		e = errs.New(errs.Internal, "internal", "")
	}
	p = &Problem{Status: Status(e.Kind), Code: e.Code, Title: e.Msg, Fields: e.Fields}
	var ra retryAfter
	if errors.As(err, &ra) {
		p.header = http.Header{"Retry-After": {strconv.Itoa(int(max(ra.d, time.Second).Seconds() + 0.999))}}
	}
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		// The caller is gone; nobody reads this and nothing is broken.
		p.Status, p.Code, p.Title = 499, "request.gone", "请求已取消"
	case e.Kind == errs.Internal:
		p.Code, p.Fields = "internal", nil
		p.Ticket = ticket()
		p.Title = "系统出了点问题，没有办成。请稍后再试；还不行的话，请把编号 " + p.Ticket + " 告诉工作人员"
		s.log(ctx, slog.LevelError, "request failed", p, err)
	case e.Kind == errs.Unavailable:
		p.Ticket = ticket()
		s.log(ctx, slog.LevelWarn, "partner unavailable", p, err)
	default:
		Note(ctx, slog.String("code", p.Code))
		if e.Err != nil {
			s.log(ctx, slog.LevelDebug, "request refused", p, err)
		}
	}
	return p
}

func (s *Server) log(ctx context.Context, level slog.Level, msg string, p *Problem, err error) {
	m := metaOf(ctx)
	s.o.Log.LogAttrs(ctx, level, msg, slog.String("ticket", p.Ticket), slog.String("code", p.Code),
		slog.String("request", m.RequestID), slog.String("operation", m.Operation), slog.Any("err", err))
	if p.Ticket != "" {
		Note(ctx, slog.String("ticket", p.Ticket))
	}
}

// ticket returns eight letters and digits that can be read out over a telephone.
func ticket() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
}

// writeProblem answers outside a handler.
func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), err)
	h := w.Header()
	for k, v := range p.header {
		h[k] = v
	}
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		if err := json.NewEncoder(w).Encode(p); err != nil {
			s.o.Log.DebugContext(r.Context(), "problem not delivered", "err", err)
		}
	}
}

// transform looks at every answer of the API: huma's own refusals become
// problems, arrays are never null.
func (s *Server) transform(hc huma.Context, _ string, v any) (any, error) {
	switch v := v.(type) {
	case *Problem:
		return v, nil
	case *huma.ErrorModel:
		return s.translate(hc.Context(), v), nil
	}
	return notNull(v), nil
}

// translate says in Chinese what huma found wrong with a request.
func (s *Server) translate(ctx context.Context, m *huma.ErrorModel) *Problem {
	p := &Problem{Status: m.Status, Code: "request.invalid", Title: "提交的内容有误，请按提示修改"}
	switch m.Status {
	case http.StatusBadRequest:
		p.Code, p.Title = "request.malformed", "提交的内容读不懂，请刷新页面后再试"
	case http.StatusRequestEntityTooLarge:
		p.Code, p.Title = "request.too_large", "提交的内容太大"
	case http.StatusUnsupportedMediaType:
		p.Code, p.Title = "request.media_type", "不接受这种格式的内容"
	case http.StatusRequestTimeout:
		p.Code, p.Title = "request.timeout", "上传太慢，连接已断开，请检查网络后再试"
	case http.StatusNotAcceptable:
		p.Code, p.Title = "request.accept", "给不出您要的格式"
	case http.StatusUnprocessableEntity:
	default:
		if m.Status >= http.StatusInternalServerError {
			err := errors.New(m.Detail)
			for _, d := range m.Errors {
				err = fmt.Errorf("%w; %s", err, d.Message)
			}
			if strings.Contains(m.Detail, "cannot read request body") { // the line was cut, not the house at fault
				p.Code, p.Title = "request.cut_off", "请求没有传完，请再试一次"
				s.o.Log.DebugContext(ctx, "body cut off", "err", err)
				return p
			}
			q := s.problem(ctx, err)
			q.Status = m.Status
			return q
		}
	}
	for _, d := range m.Errors {
		if p.Code == "request.malformed" {
			break // huma would quote the body
		}
		p.Fields = append(p.Fields, fieldOf(d))
	}
	Note(ctx, slog.String("code", p.Code))
	return p
}
