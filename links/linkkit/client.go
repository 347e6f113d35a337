package linkkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/sony/gobreaker/v2"

	"haoban/links/linkkit/wire"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
)

const nonceKept = wire.NonceKept

// Config says how to reach one partner.
type Config struct {
	System  string // short name, also the breaker's and the evidence's: "caserepo"
	Name    string // as people call it: 市办件库
	BaseURL string // up to and without /api/v1
	AppID   string // who we are to them
	Signer  wire.Signer
	// Peer checks their answers. Nil means their contract does not sign
	// answers; then the evidence says "none".
	Peer      wire.Verifier
	Cipher    wire.Cipher       // for fields their contract wants sealed
	Transport http.RoundTripper // nil for a transport of our own
	Timeout   time.Duration     // for a whole exchange; 0 is 10 s
	MaxAnswer int64             // bytes of an answer; 0 is 4 MiB
	// After as many failures in a row the partner is left alone for Rest;
	// 0 is 5 failures and 5 s. A negative After never leaves it alone.
	After    int
	Rest     time.Duration
	Clock    clock.Clock // wall time
	Recorder Recorder
	Log      *slog.Logger
}

// Client asks one partner. It is safe for concurrent use. It must not be used
// inside a database transaction.
type Client struct {
	cfg     Config
	base    *url.URL
	http    *http.Client
	breaker *gobreaker.CircuitBreaker[*answer]
}

// New checks cfg and returns a client. It returns an error of kind
// errs.Invalid if cfg cannot work.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" {
		return nil, errs.New(errs.Invalid, "link.config", "对接地址不正确："+cfg.System)
	}
	if cfg.System == "" || cfg.Name == "" || cfg.AppID == "" || cfg.Signer == nil || cfg.Clock == nil || cfg.Recorder == nil || cfg.Log == nil {
		return nil, errs.New(errs.Invalid, "link.config", "对接配置不完整："+cfg.System)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.MaxAnswer == 0 {
		cfg.MaxAnswer = 4 << 20
	}
	if cfg.After == 0 {
		cfg.After, cfg.Rest = 5, 5*time.Second
	}
	t := cfg.Transport
	if t == nil {
		t = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: min(cfg.Timeout, 3*time.Second)}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: cfg.Timeout,
			MaxIdleConnsPerHost:   8,
			IdleConnTimeout:       time.Minute,
		}
	}
	c := &Client{cfg: cfg, base: u, http: &http.Client{
		Transport: t,
		// A redirect would carry our signature to a place nobody agreed on.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if cfg.After > 0 {
		c.breaker = gobreaker.NewCircuitBreaker[*answer](gobreaker.Settings{
			Name:    cfg.System,
			Timeout: cfg.Rest,
			ReadyToTrip: func(n gobreaker.Counts) bool {
				return n.ConsecutiveFailures >= uint32(cfg.After) //nolint:gosec // After is a small positive number
			},
			IsSuccessful: func(err error) bool {
				return errs.KindOf(err) != errs.Unavailable || NotReady(err)
			},
			IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		})
	}
	return c, nil
}

// Seal seals a field of a message as their contract wants it. It returns an
// error of kind errs.Internal if no cipher is configured.
func (c *Client) Seal(plain string) (string, error) {
	if c.cfg.Cipher == nil {
		return "", errs.New(errs.Internal, "link.config", "未配置字段加密密钥："+c.cfg.System)
	}
	sealed, err := c.cfg.Cipher.Seal(plain)
	if err != nil {
		return "", errs.New(errs.Internal, "link.config", "对接字段加密失败").Wrap(err)
	}
	return sealed, nil
}

// Open opens a sealed field of an answer. An answer whose fields do not open is
// no answer: it returns an error of kind errs.Unavailable then.
func (c *Client) Open(sealed string) (string, error) {
	if c.cfg.Cipher == nil {
		return "", errs.New(errs.Internal, "link.config", "未配置字段加密密钥："+c.cfg.System)
	}
	plain, err := c.cfg.Cipher.Open(sealed)
	if err != nil {
		return "", c.unavailable(CodeGarbage, "返回的加密字段无法解开", err)
	}
	return plain, nil
}

// System returns the partner's short name.
func (c *Client) System() string { return c.cfg.System }

// Name returns the partner's name as people call it.
func (c *Client) Name() string { return c.cfg.Name }

// Call is one question to a partner.
type Call struct {
	API    string // stable name for the evidence: "case-repo.push"
	Method string // "" is POST with a body and GET without
	Path   string // below the base, "/api/v1/case-repo/push", escaped
	Query  url.Values
	Key    string // Idempotency-Key; the same key has one effect with them
	Biz    string // business number for the evidence, never personal data
	In     any    // marshalled as JSON
	Raw    []byte // or sent as it is, with Mime
	Mime   string // of Raw
}

// Receipt is what remains of an exchange that went well.
type Receipt struct {
	ID    string // of the evidence
	Trace string
	At    time.Time
	Mime  string // of a fetched file
}

type answer struct {
	receipt Receipt
	data    []byte
}

type traceKey struct{}

// WithTrace gives every exchange under ctx the trace number id; without it
// each has its own.
func WithTrace(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// Do asks, and decodes the answer's data into out unless out is nil. Whatever
// happens, the exchange is recorded.
//
// It returns a *Refusal when the partner refuses, an error of kind
// errs.Invalid when it finds our message wrong, errs.Internal when it does not
// accept our signature, and errs.Unavailable in every other case, which the
// caller must not take for a "no".
func (c *Client) Do(ctx context.Context, call Call, out any) (Receipt, error) {
	a, err := c.guarded(ctx, call, func(h http.Header, status int, body []byte) ([]byte, string, error) {
		return c.envelope(call, h, status, body, out)
	})
	if err != nil {
		return Receipt{}, err
	}
	return a.receipt, nil
}

// Fetch asks for a file of at most MaxAnswer bytes. An answer in JSON is taken
// for an envelope that says why there is none. Errors are those of Do.
func (c *Client) Fetch(ctx context.Context, call Call) ([]byte, Receipt, error) {
	a, err := c.guarded(ctx, call, func(h http.Header, status int, body []byte) ([]byte, string, error) {
		mt, _, err := mime.ParseMediaType(h.Get("Content-Type"))
		if status == http.StatusOK && err == nil && mt != "application/json" {
			return body, wire.CodeOK, nil
		}
		_, code, err := c.envelope(call, h, status, body, nil)
		if err == nil {
			err = c.unavailable(CodeGarbage, "没有返回文件", nil)
		}
		return nil, code, err
	})
	if err != nil {
		return nil, Receipt{}, err
	}
	return a.data, a.receipt, nil
}

type reader func(h http.Header, status int, body []byte) (data []byte, code string, err error)

func (c *Client) guarded(ctx context.Context, call Call, read reader) (*answer, error) {
	if c.breaker == nil {
		return c.exchange(ctx, call, read)
	}
	a, err := c.breaker.Execute(func() (*answer, error) { return c.exchange(ctx, call, read) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, c.unavailable(CodeOpen, "暂时无法连接，请稍后再试", err)
	}
	return a, err
}

// exchange asks once and records what happened.
func (c *Client) exchange(ctx context.Context, call Call, read reader) (*answer, error) {
	body, contentType := call.Raw, call.Mime
	if call.In != nil {
		var err error
		if body, err = json.Marshal(call.In); err != nil {
			return nil, errs.New(errs.Internal, "link.marshal", "对接报文生成失败").Wrap(err)
		}
		contentType = "application/json; charset=utf-8"
	}
	method := call.Method
	if method == "" {
		method = http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
	}
	trace, _ := ctx.Value(traceKey{}).(string)
	if trace == "" {
		trace = uuid.NewString()
	}
	x := Exchange{
		ID: db.NewID(), System: c.cfg.System, Direction: Out, API: call.API, Biz: call.Biz, Trace: trace,
		Peer: c.base.Host, Request: body, Signature: SignatureNone, At: c.cfg.Clock.Now(),
	}
	began := x.At
	data, contentTypeOut, err := c.ask(ctx, &x, method, call, body, contentType, read)
	x.Cost = c.cfg.Clock.Now().Sub(began)
	if err != nil {
		x.Failure = errs.CodeOf(err)
		c.log(ctx, x, err)
	}
	// The evidence is kept even if the asker has gone.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if rerr := c.cfg.Recorder.Record(keep, x); rerr != nil {
		c.cfg.Log.ErrorContext(ctx, "no evidence of an exchange", "system", c.cfg.System, "api", call.API, "trace", trace, "err", rerr)
		if err == nil {
			err = rerr
		}
	}
	if err != nil {
		return nil, err
	}
	return &answer{receipt: Receipt{ID: x.ID, Trace: trace, At: x.At, Mime: contentTypeOut}, data: data}, nil
}

func (c *Client) ask(ctx context.Context, x *Exchange, method string, call Call, body []byte, contentType string, read reader) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + call.Path
	u.RawPath = ""
	if p, err := url.PathUnescape(u.Path); err == nil && p != u.Path {
		u.RawPath, u.Path = u.Path, p
	}
	u.RawQuery = call.Query.Encode()
	// A body that cannot be read again keeps net/http from silently sending the
	// request twice: the second would carry the same nonce and be refused as a
	// replay, and the evidence would show one exchange where there were two.
	r, err := http.NewRequestWithContext(ctx, method, u.String(), io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return nil, "", errs.New(errs.Internal, "link.config", "对接地址不正确").Wrap(err)
	}
	r.ContentLength = int64(len(body))
	nonce := uuid.NewString()
	if err := wire.Sign(r, c.cfg.Signer, c.cfg.AppID, nonce, x.At, body); err != nil {
		return nil, "", errs.New(errs.Internal, CodeAuth, "对接报文签名失败").Wrap(err)
	}
	r.Header.Set(wire.HeaderTrace, x.Trace)
	if call.Key != "" {
		r.Header.Set(wire.HeaderKey, call.Key)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, "", c.down(err)
	}
	defer func() { _ = resp.Body.Close() }()
	x.Status = resp.StatusCode
	x.Response, err = io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxAnswer+1))
	if err != nil {
		return nil, "", c.down(err)
	}
	if int64(len(x.Response)) > c.cfg.MaxAnswer {
		x.Response = x.Response[:min(int64(len(x.Response)), 4096)]
		return nil, "", c.unavailable(CodeHuge, "返回的内容过大", nil)
	}
	if c.cfg.Peer != nil {
		err := wire.VerifyAnswer(resp.Header, c.cfg.Peer, r.URL.EscapedPath(), nonce, resp.StatusCode, c.cfg.Clock.Now(), x.Response)
		if err != nil {
			x.Signature = SignatureBad
			switch {
			case resp.Header.Get(wire.HeaderSign) == "":
				x.Signature = SignatureNone
			case errors.Is(err, wire.ErrClock):
				x.Signature = SignatureOK
			}
			return nil, "", c.unsigned(resp, x.Response, err)
		}
		x.Signature = SignatureOK
	}
	data, code, err := read(resp.Header, resp.StatusCode, x.Response)
	x.Code = code
	return data, resp.Header.Get("Content-Type"), err
}

// unsigned judges an answer whose signature is not right. It is not to be
// believed, but a fault that a gateway tells, and a fault of our own clock or
// keys, are told as such, since nobody could have signed for them.
func (c *Client) unsigned(resp *http.Response, body []byte, cause error) error {
	if resp.Header.Get(wire.HeaderSign) == "" && resp.StatusCode >= 500 {
		return c.unavailable(CodeFault, "系统故障", fmt.Errorf("http %d", resp.StatusCode))
	}
	var env wire.Envelope
	if json.Unmarshal(body, &env) == nil && wire.ClassOf(env.Code) == wire.ClassAuth {
		return c.auth(env, cause)
	}
	if !errors.Is(cause, wire.ErrClock) && resp.Header.Get(wire.HeaderSign) == "" && !json.Valid(body) {
		return c.unavailable(CodeGarbage, "返回的内容无法识别", fmt.Errorf("http %d", resp.StatusCode))
	}
	return c.unavailable(CodeSignature, "返回内容的签名不符，未予采信", cause)
}

func (c *Client) auth(env wire.Envelope, cause error) error {
	return errs.New(errs.Internal, CodeAuth, c.cfg.Name+"未通过本系统的身份校验，已告知运维人员").
		Wrap(errors.Join(fmt.Errorf("%s %s", env.Code, env.Message), cause))
}

func (c *Client) envelope(call Call, h http.Header, status int, raw []byte, out any) ([]byte, string, error) {
	body, err := utf8Of(h.Get("Content-Type"), raw)
	if err != nil {
		return nil, "", err
	}
	var env wire.Envelope
	if err := json.Unmarshal(body, &env); err != nil {
		return nil, "", c.status(status, err)
	}
	said := fmt.Errorf("http %d, code %s: %s", status, env.Code, env.Message)
	switch wire.ClassOf(env.Code) {
	case wire.ClassOK:
		if status >= 400 {
			return nil, env.Code, c.status(status, said)
		}
		if out == nil {
			return env.Data, env.Code, nil
		}
		if len(env.Data) == 0 {
			return nil, env.Code, c.unavailable(CodeGarbage, "返回的内容不完整", said)
		}
		if err := json.Unmarshal(env.Data, out); err != nil {
			return nil, env.Code, c.unavailable(CodeGarbage, "返回的内容无法识别", err)
		}
		return env.Data, env.Code, nil
	case wire.ClassInvalid:
		return nil, env.Code, errs.New(errs.Invalid, CodeInvalid, c.cfg.Name+"认为所报内容有误："+env.Message).Wrap(said)
	case wire.ClassAuth:
		return nil, env.Code, c.auth(env, nil)
	case wire.ClassRefused:
		return nil, env.Code, &Refusal{
			System: c.cfg.System, API: call.API, Code: env.Code, Sentence: env.Message,
			err: errs.New(errs.Conflict, CodeRefused, c.cfg.Name+"答复："+env.Message).Wrap(said),
		}
	case wire.ClassNotReady:
		return nil, env.Code, c.unavailable(CodeNotReady, "正在处理，请稍后再试", said)
	case wire.ClassFault:
		return nil, env.Code, c.unavailable(CodeFault, "系统故障，请稍后再试", said)
	default:
		return nil, env.Code, c.status(status, said)
	}
}

// status judges an answer that is no envelope by its HTTP status.
func (c *Client) status(status int, cause error) error {
	if status >= 500 {
		return c.unavailable(CodeFault, "系统故障，请稍后再试", cause)
	}
	return c.unavailable(CodeGarbage, "返回的内容无法识别", cause)
}

func (c *Client) down(cause error) error {
	// A url.Error carries the whole address; the query may hold a number of
	// somebody's, so only the cause goes on.
	var u *url.Error
	if errors.As(cause, &u) {
		cause = u.Err
	}
	return c.unavailable(CodeDown, "暂时无法连接，请稍后再试", cause)
}

func (c *Client) unavailable(code, msg string, cause error) error {
	e := errs.New(errs.Unavailable, code, c.cfg.Name+msg)
	if cause != nil {
		e = e.Wrap(cause)
	}
	return e
}

// log says what went wrong, with numbers only: neither body nor query, nor the
// partner's sentence, which may name somebody.
func (c *Client) log(ctx context.Context, x Exchange, err error) {
	level := slog.LevelWarn
	if errs.KindOf(err) == errs.Internal {
		level = slog.LevelError
	}
	c.cfg.Log.Log(ctx, level, "exchange failed", "system", x.System, "api", x.API, "biz", x.Biz, "trace", x.Trace,
		"status", x.Status, "code", x.Code, "failure", x.Failure, "cost_ms", x.Cost.Milliseconds())
}
