package linkkit

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"haoban/links/linkkit/wire"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

// Handler gives one event its effect inside tx. It is called until it returns
// nil once, and never again for the same (source, business number, event,
// version). It returns ErrEarly when it does not know the business number yet;
// nothing it wrote is kept then. An error of kind errs.Invalid, NotFound,
// Conflict or Forbidden tells the partner that repeating will not help.
type Handler func(ctx context.Context, tx *db.Tx, e wire.Event) error

// ReceiverConfig says who may tell what.
type ReceiverConfig struct {
	System   string
	Name     string
	AppID    string // who the partner says it is, in X-App-Id
	Peer     wire.Verifier
	Signer   wire.Signer // signs our answers; nil leaves them unsigned
	DB       *db.DB
	Keys     gm.Keys     // seals events that wait
	Clock    clock.Clock // wall time
	Recorder Recorder
	Log      *slog.Logger
	Max      int64 // bytes of a callback; 0 is 1 MiB
	Handle   map[string]Handler
}

// Receiver takes a partner's callbacks. It is an http.Handler for one path,
// and safe for concurrent use.
type Receiver struct{ cfg ReceiverConfig }

// NewReceiver checks cfg and returns a receiver. It returns an error of kind
// errs.Invalid if cfg cannot work.
func NewReceiver(cfg ReceiverConfig) (*Receiver, error) {
	if cfg.System == "" || cfg.AppID == "" || cfg.Peer == nil || cfg.DB == nil || cfg.Keys == nil || cfg.Clock == nil ||
		cfg.Recorder == nil || cfg.Log == nil || len(cfg.Handle) == 0 {
		return nil, errs.New(errs.Invalid, "link.config", "回调配置不完整："+cfg.System)
	}
	if cfg.Max == 0 {
		cfg.Max = 1 << 20
	}
	return &Receiver{cfg}, nil
}

// System returns the partner's short name; app mounts the receiver under it.
func (v *Receiver) System() string { return v.cfg.System }

// ServeHTTP verifies a callback, gives it its effect once, and answers with an
// envelope. A repeated callback is answered like the first. An early one is
// kept and answered 2xx.
func (v *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	x := Exchange{
		ID: db.NewID(), System: v.cfg.System, Direction: In, Trace: r.Header.Get(wire.HeaderTrace),
		Peer: peerOf(r), Signature: SignatureNone, At: v.cfg.Clock.Now(),
	}
	if len(x.Trace) > 64 {
		x.Trace = ""
	}
	err := v.take(ctx, r, &x)
	status, env := answerFor(err)
	env.TraceID = x.Trace
	x.Status, x.Code = status, env.Code
	if err != nil {
		x.Failure = errs.CodeOf(err)
		v.cfg.Log.WarnContext(ctx, "callback not taken", "system", x.System, "event", x.API, "biz", x.Biz, "trace", x.Trace,
			"code", x.Code, "failure", x.Failure)
	}
	body, merr := json.Marshal(env)
	if merr != nil {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	x.Response, x.Cost = body, v.cfg.Clock.Now().Sub(x.At)
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if rerr := v.cfg.Recorder.Record(keep, x); rerr != nil {
		v.cfg.Log.ErrorContext(ctx, "no evidence of a callback", "system", x.System, "trace", x.Trace, "err", rerr)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set(wire.HeaderTrace, x.Trace)
	if v.cfg.Signer != nil {
		if serr := wire.SignAnswer(h, v.cfg.Signer, r, status, v.cfg.Clock.Now(), body); serr != nil {
			v.cfg.Log.ErrorContext(ctx, "answer to a callback not signed", "system", x.System, "err", serr)
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the partner will ask again if it did not hear us
}

func answerFor(err error) (int, wire.Envelope) {
	if err == nil {
		return http.StatusOK, wire.Envelope{Code: wire.CodeOK, Message: "ok"}
	}
	env := wire.Envelope{Code: wire.CodeFor(err), Message: "系统故障，请稍后重试"}
	if e, ok := errs.As(err); ok && e.Kind != errs.Internal {
		env.Message = e.Msg
	}
	switch wire.ClassOf(env.Code) {
	case wire.ClassAuth:
		return http.StatusUnauthorized, env
	case wire.ClassInvalid:
		return http.StatusBadRequest, env
	case wire.ClassRefused:
		return http.StatusConflict, env
	default:
		return http.StatusServiceUnavailable, env
	}
}

// errDiffers: one key, two contents.
var errDiffers = errs.New(errs.Conflict, "link.differs", "同一业务号、事件和版本已收到过不同的内容")

func (v *Receiver) take(ctx context.Context, r *http.Request, x *Exchange) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, v.cfg.Max+1))
	if err != nil {
		return errs.New(errs.Invalid, "link.callback", "报文未能完整接收").Wrap(err)
	}
	x.Request = body
	if int64(len(body)) > v.cfg.Max {
		x.Request = body[:min(len(body), 4096)]
		return errs.New(errs.TooLarge, "link.callback", "报文过大")
	}
	if r.Method != http.MethodPost {
		return errs.New(errs.Invalid, "link.callback", "请使用 POST")
	}
	if r.Header.Get(wire.HeaderApp) != v.cfg.AppID {
		return wire.ErrSignature
	}
	now := v.cfg.Clock.Now()
	if err := wire.Verify(ctx, r, v.cfg.Peer, nil, now, body); err != nil {
		if errors.Is(err, wire.ErrSignature) && r.Header.Get(wire.HeaderSign) != "" {
			x.Signature = SignatureBad
		}
		if errors.Is(err, wire.ErrClock) {
			x.Signature = SignatureOK
		}
		return err
	}
	x.Signature = SignatureOK
	text, err := utf8Of(r.Header.Get("Content-Type"), body)
	if err != nil {
		return errs.New(errs.Invalid, "link.callback", "报文无法识别").Wrap(err)
	}
	var e wire.Event
	if err := json.Unmarshal(text, &e); err != nil {
		return errs.New(errs.Invalid, "link.callback", "报文不是约定的事件格式").Wrap(err)
	}
	if e.BizNo == "" || e.Type == "" || len(e.BizNo) > 128 || len(e.ID) > 128 {
		return errs.New(errs.Invalid, "link.callback", "报文缺少业务号或事件类型")
	}
	handle, ok := v.cfg.Handle[e.Type]
	if !ok {
		return errs.New(errs.Invalid, "link.event", "本系统不接收该类事件")
	}
	x.API, x.Biz = e.Type, e.BizNo

	nonce := r.Header.Get(wire.HeaderNonce)
	err = v.cfg.DB.Tx(ctx, func(tx *db.Tx) error { return v.once(ctx, tx, nonce, now, e, handle) })
	if !errors.Is(err, ErrEarly) {
		return err
	}
	return v.cfg.DB.Tx(ctx, func(tx *db.Tx) error { return v.keep(ctx, tx, nonce, now, e) })
}

// once gives e its effect unless it has had it.
func (v *Receiver) once(ctx context.Context, tx *db.Tx, nonce string, now time.Time, e wire.Event, handle Handler) error {
	if err := v.useNonce(ctx, tx, nonce, now); err != nil {
		return err
	}
	state, err := v.enter(ctx, tx, now, e, nil)
	if err != nil || state == "done" {
		return err
	}
	return v.effect(ctx, tx, now, e, handle)
}

// keep stores e, sealed, until its business number is known.
func (v *Receiver) keep(ctx context.Context, tx *db.Tx, nonce string, now time.Time, e wire.Event) error {
	if err := v.useNonce(ctx, tx, nonce, now); err != nil {
		return err
	}
	plain, err := json.Marshal(e)
	if err != nil {
		return err
	}
	sealed, err := v.cfg.Keys.Seal(ctx, SealPurpose, plain, []byte(v.cfg.System+"\n"+e.BizNo))
	if err != nil {
		return err
	}
	_, err = v.enter(ctx, tx, now, e, sealed)
	return err
}

func (v *Receiver) useNonce(ctx context.Context, tx *db.Tx, nonce string, now time.Time) error {
	res, err := tx.Exec(ctx, `INSERT INTO lnk_nonce (system, nonce, at) VALUES ($1, $2, $3)
		ON CONFLICT (system, nonce) DO UPDATE SET at = excluded.at WHERE lnk_nonce.at < $4`,
		v.cfg.System, nonce, db.MS(now), db.MS(now.Add(-nonceKept)))
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return wire.ErrReplay
	}
	return nil
}

// enter puts e into the inbox and returns the state it stands in: "early" for
// a new one. Two that come at once wait for each other here. It returns
// errDiffers if the key came before with another content.
func (v *Receiver) enter(ctx context.Context, tx *db.Tx, now time.Time, e wire.Event, sealed []byte) (string, error) {
	digest := contentOf(e)
	if _, err := tx.Exec(ctx, `INSERT INTO lnk_inbox (id, source, biz_no, event, version, event_id, digest, state, sealed, arrived_at, tries)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'early', $8, $9, 0)
		ON CONFLICT (source, biz_no, event, version) DO UPDATE SET tries = lnk_inbox.tries + 1`,
		db.NewID(), v.cfg.System, e.BizNo, e.Type, e.Version, e.ID, digest, sealed, db.MS(now)); err != nil {
		return "", err
	}
	var state, had string
	err := tx.QueryRow(ctx, `SELECT state, digest FROM lnk_inbox WHERE source = $1 AND biz_no = $2 AND event = $3 AND version = $4`,
		v.cfg.System, e.BizNo, e.Type, e.Version).Scan(&state, &had)
	if err != nil {
		return "", err
	}
	if had != digest {
		return "", errDiffers
	}
	return state, nil
}

// effect calls handle and marks e done.
func (v *Receiver) effect(ctx context.Context, tx *db.Tx, now time.Time, e wire.Event, handle Handler) error {
	if err := handle(ctx, tx, e); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE lnk_inbox SET state = 'done', done_at = $1, sealed = NULL
		WHERE source = $2 AND biz_no = $3 AND event = $4 AND version = $5`,
		db.MS(now), v.cfg.System, e.BizNo, e.Type, e.Version)
	return err
}

// Deliver hands over, inside tx, the events that came for bizNo before it was
// known. Whoever has just stored the partner's answer calls it.
func (v *Receiver) Deliver(ctx context.Context, tx *db.Tx, bizNo string) error {
	waiting, err := v.waiting(ctx, tx, `SELECT sealed, biz_no FROM lnk_inbox WHERE source = $1 AND state = 'early' AND sealed IS NOT NULL
		AND biz_no = $2 ORDER BY arrived_at, id`+tx.Dialect().ForUpdate(), v.cfg.System, bizNo)
	if err != nil {
		return err
	}
	for _, e := range waiting {
		handle, ok := v.cfg.Handle[e.Type]
		if !ok {
			continue
		}
		if err := v.effect(ctx, tx, v.cfg.Clock.Now(), e, handle); err != nil {
			return err
		}
	}
	return nil
}

// Sweep tries the waiting events again, each in a transaction of its own, and
// returns how many had their effect. It closes the gap when an event and the
// answer it overtook were stored at the same moment. A timetable calls it.
func (v *Receiver) Sweep(ctx context.Context) (int, error) {
	var waiting []wire.Event
	err := v.cfg.DB.Read(ctx, func(q db.Querier) error {
		var err error
		waiting, err = v.waiting(ctx, q, `SELECT sealed, biz_no FROM lnk_inbox WHERE source = $1 AND state = 'early' AND sealed IS NOT NULL
			ORDER BY tries, arrived_at, id LIMIT 200`, v.cfg.System)
		return err
	})
	if err != nil {
		return 0, err
	}
	done := 0
	for _, e := range waiting {
		handle, ok := v.cfg.Handle[e.Type]
		if !ok {
			continue
		}
		now := v.cfg.Clock.Now()
		err := v.cfg.DB.Tx(ctx, func(tx *db.Tx) error {
			state, err := v.enter(ctx, tx, now, e, nil)
			if err != nil || state == "done" {
				return err
			}
			return v.effect(ctx, tx, now, e, handle)
		})
		switch {
		case err == nil:
			done++
		case errors.Is(err, ErrEarly):
			if err := v.tried(ctx, e); err != nil {
				return done, err
			}
		case ctx.Err() != nil:
			return done, ctx.Err()
		default:
			v.cfg.Log.WarnContext(ctx, "waiting event failed", "system", v.cfg.System, "event", e.Type, "biz", e.BizNo, "failure", errs.CodeOf(err))
			if err := v.tried(ctx, e); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// tried counts a try in vain, so that the others have their turn.
func (v *Receiver) tried(ctx context.Context, e wire.Event) error {
	return v.cfg.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE lnk_inbox SET tries = tries + 1 WHERE source = $1 AND biz_no = $2 AND event = $3 AND version = $4`,
			v.cfg.System, e.BizNo, e.Type, e.Version)
		return err
	})
}

func (v *Receiver) waiting(ctx context.Context, q db.Querier, query string, args ...any) ([]wire.Event, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []wire.Event
	for rows.Next() {
		var sealed []byte
		var biz string
		if err := rows.Scan(&sealed, &biz); err != nil {
			return nil, err
		}
		plain, err := v.cfg.Keys.Open(ctx, SealPurpose, sealed, []byte(v.cfg.System+"\n"+biz))
		if err != nil {
			return nil, err
		}
		var e wire.Event
		if err := json.Unmarshal(plain, &e); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// contentOf digests what must not differ under one key: the payload, however
// it is spaced and ordered.
func contentOf(e wire.Event) string {
	var v any
	if json.Unmarshal(e.Payload, &v) == nil {
		if b, err := json.Marshal(v); err == nil {
			return wire.Digest(b)
		}
	}
	return wire.Digest([]byte(strconv.Quote(string(e.Payload))))
}

func peerOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
