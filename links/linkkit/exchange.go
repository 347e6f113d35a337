package linkkit

import (
	"context"
	"time"

	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

// Direction says who began an exchange.
type Direction string

// The directions.
const (
	Out Direction = "out" // we asked
	In  Direction = "in"  // they told
)

// Seen says what became of the other side's signature.
type Seen string

// The outcomes of a signature check.
const (
	SignatureOK   Seen = "ok"
	SignatureBad  Seen = "bad"
	SignatureNone Seen = "none" // not signed, or no answer at all
)

// Exchange is the evidence of one request and its answer. Request and Response
// are the raw bytes; only their digests are kept in clear.
type Exchange struct {
	ID        string
	System    string
	Direction Direction
	API       string // "case-repo.push"; an event's type for In
	Biz       string // business number
	Trace     string
	Peer      string
	Request   []byte
	Response  []byte
	Status    int
	Code      string
	Failure   string // stable error code, "" if all went well
	Signature Seen
	Cost      time.Duration
	At        time.Time
}

// Recorder keeps evidence. Implementations are safe for concurrent use.
type Recorder interface {
	// Record keeps x. Once it has returned nil, x outlives the process. It
	// must not be called inside a transaction.
	Record(ctx context.Context, x Exchange) error
}

// SealPurpose is the purpose under which bodies and waiting events are sealed.
const SealPurpose = "link"

// Book is the Recorder over the database. Digests are kept for good, bodies
// sealed and only until Purge.
type Book struct {
	db   *db.DB
	keys gm.Keys
}

// NewBook returns a Recorder over d. With keys, bodies are kept sealed; with
// nil, only their digests are.
func NewBook(d *db.DB, keys gm.Keys) *Book { return &Book{db: d, keys: keys} }

// Record implements Recorder.
func (b *Book) Record(ctx context.Context, x Exchange) error {
	if x.ID == "" {
		x.ID = db.NewID()
	}
	req, err := b.seal(ctx, x.ID, x.Request)
	if err != nil {
		return err
	}
	resp, err := b.seal(ctx, x.ID, x.Response)
	if err != nil {
		return err
	}
	err = b.db.Group(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO lnk_exchange (id, system, direction, api, biz, trace, peer, request_sm3, response_sm3,
			status, code, failure, signature, cost_ms, at, request_sealed, response_sealed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			x.ID, x.System, string(x.Direction), x.API, x.Biz, x.Trace, x.Peer, gm.SM3(x.Request), gm.SM3(x.Response),
			x.Status, x.Code, x.Failure, string(x.Signature), x.Cost.Milliseconds(), db.MS(x.At), req, resp)
		return err
	})
	if err != nil {
		return errs.New(errs.Internal, "link.evidence", "对接留痕写入失败").Wrap(err)
	}
	return nil
}

func (b *Book) seal(ctx context.Context, id string, body []byte) ([]byte, error) {
	if b.keys == nil || len(body) == 0 {
		return nil, nil
	}
	sealed, err := b.keys.Seal(ctx, SealPurpose, body, []byte(id))
	if err != nil {
		return nil, errs.New(errs.Internal, "link.evidence", "对接报文加密失败").Wrap(err)
	}
	return sealed, nil
}

// Purge removes sealed bodies older than keep (their digests stay) and nonces
// nobody needs any more, and returns how many bodies went. It may be called at
// any time, by any node.
func (b *Book) Purge(ctx context.Context, now time.Time, keep time.Duration) (int64, error) {
	var n int64
	err := b.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE lnk_exchange SET request_sealed = NULL, response_sealed = NULL
			WHERE at < $1 AND (request_sealed IS NOT NULL OR response_sealed IS NOT NULL)`, db.MS(now.Add(-keep)))
		if err != nil {
			return err
		}
		if n, err = res.RowsAffected(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM lnk_nonce WHERE at < $1`, db.MS(now.Add(-nonceKept)))
		return err
	})
	return n, err
}

// Find returns the exchanges of one business number with one system, oldest
// first, at most limit, without bodies: what 对接留痕 shows of a case.
func (b *Book) Find(ctx context.Context, system, biz string, limit int) ([]Exchange, error) {
	var out []Exchange
	rows, err := b.db.Q().Query(ctx, `SELECT id, system, direction, api, biz, trace, peer, status, code, failure, signature, cost_ms, at
		FROM lnk_exchange WHERE system = $1 AND biz = $2 ORDER BY at, id LIMIT $3`, system, biz, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var x Exchange
		var cost, at int64
		if err := rows.Scan(&x.ID, &x.System, &x.Direction, &x.API, &x.Biz, &x.Trace, &x.Peer, &x.Status, &x.Code, &x.Failure,
			&x.Signature, &cost, &at); err != nil {
			return nil, err
		}
		x.Cost, x.At = time.Duration(cost)*time.Millisecond, db.Time(at)
		out = append(out, x)
	}
	return out, rows.Err()
}

// Body returns the sealed bodies of an exchange, opened; nil where they were
// purged or never kept. The caller has seen to it that whoever asks may.
func (b *Book) Body(ctx context.Context, id string) (request, response []byte, err error) {
	var req, resp []byte
	err = b.db.Q().QueryRow(ctx, `SELECT request_sealed, response_sealed FROM lnk_exchange WHERE id = $1`, id).Scan(&req, &resp)
	if err != nil {
		return nil, nil, errs.New(errs.NotFound, "link.exchange", "没有这条对接记录").Wrap(err)
	}
	if request, err = b.open(ctx, id, req); err != nil {
		return nil, nil, err
	}
	if response, err = b.open(ctx, id, resp); err != nil {
		return nil, nil, err
	}
	return request, response, nil
}

func (b *Book) open(ctx context.Context, id string, sealed []byte) ([]byte, error) {
	if b.keys == nil || len(sealed) == 0 {
		return nil, nil
	}
	return b.keys.Open(ctx, SealPurpose, sealed, []byte(id))
}
