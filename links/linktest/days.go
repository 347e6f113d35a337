package linktest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"haoban/links/linkkit"
	"haoban/links/linkkit/wire"
	"haoban/platform/errs"
)

// day is one thing that can go wrong, and what must come of it.
type day struct {
	name  string
	down  bool          // nobody listens
	skew  time.Duration // our clock against theirs
	limit time.Duration // our patience, 0 for plenty
	over  func(sim http.Handler, s wire.Secret) http.Handler
	kind  errs.Kind
	code  string // "" if all must go well
	sig   linkkit.Seen
}

const refusal = "经核查，不符合办理条件"

func days() []day {
	fair := func(sim http.Handler, _ wire.Secret) http.Handler { return sim }
	says := func(status int, code, msg string) func(http.Handler, wire.Secret) http.Handler {
		return func(_ http.Handler, s wire.Secret) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := json.Marshal(wire.Envelope{Code: code, Message: msg, Data: json.RawMessage(`{}`)})
				answer(w, r, s, status, "application/json", b)
			})
		}
	}
	raw := func(status int, mime, body string) func(http.Handler, wire.Secret) http.Handler {
		return func(http.Handler, wire.Secret) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", mime)
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
			})
		}
	}
	const un = errs.Unavailable
	return []day{
		{name: "fair", over: fair},
		{name: "down", down: true, over: fair, kind: un, code: linkkit.CodeDown, sig: linkkit.SignatureNone},
		{name: "cut off", over: func(http.Handler, wire.Secret) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, kind: un, code: linkkit.CodeDown, sig: linkkit.SignatureNone},
		{name: "slow", limit: 300 * time.Millisecond, over: func(http.Handler, wire.Secret) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // or the server does not see us go
				select {
				case <-r.Context().Done():
				case <-time.After(3 * time.Second):
				}
			})
		}, kind: un, code: linkkit.CodeDown, sig: linkkit.SignatureNone},
		{name: "refusing", over: says(200, "3001", refusal), kind: errs.Conflict, code: linkkit.CodeRefused, sig: linkkit.SignatureOK},
		{name: "finds us wrong", over: says(400, "1001", "缺少字段"), kind: errs.Invalid, code: linkkit.CodeInvalid, sig: linkkit.SignatureOK},
		{name: "does not know us", over: says(401, "2004", "未登记的应用"), kind: errs.Internal, code: linkkit.CodeAuth, sig: linkkit.SignatureOK},
		{name: "still at work", over: says(200, "4001", "处理中"), kind: un, code: linkkit.CodeNotReady, sig: linkkit.SignatureOK},
		{name: "broken", over: says(500, "5001", "系统异常"), kind: un, code: linkkit.CodeFault, sig: linkkit.SignatureOK},
		{name: "unknown code", over: says(200, "OK", ""), kind: un, code: linkkit.CodeGarbage, sig: linkkit.SignatureOK},
		{name: "gateway", over: raw(503, "text/html", "<html>503</html>"), kind: un, code: linkkit.CodeFault, sig: linkkit.SignatureNone},
		{name: "garbage", over: raw(200, "text/html", "<html>系统维护中</html>"), kind: un, code: linkkit.CodeGarbage, sig: linkkit.SignatureNone},
		{name: "redirect", over: func(http.Handler, wire.Secret) http.Handler {
			return http.RedirectHandler("http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
		}, kind: un, code: linkkit.CodeGarbage, sig: linkkit.SignatureNone},
		{name: "unsigned yes", over: raw(200, "application/json", `{"code":"0","message":"ok","data":{}}`),
			kind: un, code: linkkit.CodeSignature, sig: linkkit.SignatureNone},
		{name: "unsigned no", over: raw(200, "application/json", `{"code":"3001","message":"不予办理"}`),
			kind: un, code: linkkit.CodeSignature, sig: linkkit.SignatureNone},
		{name: "forged", over: warp(func(h http.Header, b []byte) []byte {
			h.Set(wire.HeaderSign, "AAAA")
			return b
		}), kind: un, code: linkkit.CodeSignature, sig: linkkit.SignatureBad},
		{name: "changed on its way", over: warp(func(_ http.Header, b []byte) []byte { return append(b, ' ') }),
			kind: un, code: linkkit.CodeSignature, sig: linkkit.SignatureBad},
		{name: "our clock is wrong", skew: 10 * time.Minute, over: fair, kind: errs.Internal, code: linkkit.CodeAuth, sig: linkkit.SignatureOK},
		{name: "clock a little wrong", skew: -4 * time.Minute, over: fair},
		{name: "GBK", over: gbk},
		{name: "huge", over: func(http.Handler, wire.Secret) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusOK)
				chunk := []byte(strings.Repeat(" ", 1<<16))
				for range 64 {
					if _, err := w.Write(chunk); err != nil {
						return
					}
				}
			})
		}, kind: un, code: linkkit.CodeHuge, sig: linkkit.SignatureNone},
		{name: "breaks off", over: func(sim http.Handler, _ wire.Secret) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rec := httptest.NewRecorder()
				sim.ServeHTTP(rec, r)
				copyHeader(w, rec)
				w.Header().Set("Content-Length", strconv.Itoa(rec.Body.Len()+10))
				w.WriteHeader(rec.Code)
				_, _ = w.Write(rec.Body.Bytes())
				panic(http.ErrAbortHandler)
			})
		}, kind: un, code: linkkit.CodeDown, sig: linkkit.SignatureNone},
	}
}

// warp lets the simulator answer and changes the answer without signing anew.
func warp(f func(http.Header, []byte) []byte) func(http.Handler, wire.Secret) http.Handler {
	return func(sim http.Handler, _ wire.Secret) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			sim.ServeHTTP(rec, r)
			body := f(rec.Header(), rec.Body.Bytes())
			copyHeader(w, rec)
			w.WriteHeader(rec.Code)
			_, _ = w.Write(body)
		})
	}
}

// gbk answers JSON as old systems do. A file stays as it is.
func gbk(sim http.Handler, s wire.Secret) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		sim.ServeHTTP(rec, r)
		body, mime := rec.Body.Bytes(), rec.Header().Get("Content-Type")
		if strings.HasPrefix(mime, "application/json") {
			mime = "application/json; charset=GBK"
			if b, err := simplifiedchinese.GBK.NewEncoder().Bytes(body); err == nil {
				body = b
			}
		}
		answer(w, r, s, rec.Code, mime, body)
	})
}

func answer(w http.ResponseWriter, r *http.Request, s wire.Secret, status int, mime string, body []byte) {
	w.Header().Set("Content-Type", mime)
	if err := wire.SignAnswer(w.Header(), s, r, status, wall(), body); err != nil {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func copyHeader(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
}
