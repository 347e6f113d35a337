package blob

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/errs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the line of this room.
func Migrations() db.Line { return db.Line{Room: "blob", FS: migrations} }

// What Uploads answers, beside ErrMIME and the errors of CheckZip.
var (
	// ErrNoUpload says that there is no such upload.
	ErrNoUpload = errs.New(errs.NotFound, "upload.missing", "没有这次上传，可能已经过期，请重新上传")
	// ErrUploadSize says that a file or a piece is larger than allowed.
	ErrUploadSize = errs.New(errs.TooLarge, "upload.size", "文件超过大小上限")
	// ErrOffset says that a piece does not follow on what is here. Its field
	// "offset" carries the offset that is expected.
	ErrOffset = errs.New(errs.Conflict, "upload.offset", "分片次序不对，请从已收到的位置继续上传")
	// ErrPiece says that a piece is not what its digest says.
	ErrPiece = errs.New(errs.Invalid, "upload.hash", "分片在传输中损坏，请重新上传这一片")
	// ErrDigest says that the whole is not what was declared at the beginning.
	ErrDigest = errs.New(errs.Invalid, "upload.digest", "文件与上传前的摘要不一致，请重新上传")
	// ErrIncomplete says that pieces are wanting. Its field "offset" carries the
	// offset that is expected.
	ErrIncomplete = errs.New(errs.Conflict, "upload.incomplete", "文件还没有传完，请继续上传")
	// ErrClosed says that the upload takes no more.
	ErrClosed = errs.New(errs.Conflict, "upload.closed", "这次上传已经结束")
	// ErrEmpty says that there is nothing to take in.
	ErrEmpty = errs.New(errs.Invalid, "upload.empty", "文件是空的，请核对后重新选择")
)

// State is how far an upload is.
type State string

// The states.
const (
	UploadOpen    State = "open"
	UploadDone    State = "done"
	UploadDropped State = "dropped"
)

// New is what is known of a file before its first byte.
type New struct {
	Owner string // who uploads; the caller checks that only they go on
	Name  string // for its extension only: names are personal and not kept here
	MIME  string // as declared by the client; may be empty
	Size  int64  // 0: not known yet, as for a recording under way
	SM3   Hash   // of the whole, if the client knows it
}

// Upload is one file being taken in.
type Upload struct {
	ID       string
	Owner    string
	Ext      string
	MIME     string // by the extension, not by what was declared
	Size     int64  // declared; 0: not known yet
	SM3      Hash   // declared; empty: not declared
	Most     int64
	Received int64 // where the next piece goes
	State    State
	Hash     Hash // of the finished file
	Created  time.Time
	Touched  time.Time
}

// Chunk is one piece that arrived.
type Chunk struct {
	Start, Size int64
	Hash        Hash
}

// Limits are the most that uploads may take.
type Limits struct {
	File      int64
	Recording int64 // webm, mp4
	Chunk     int64
	Zip       ZipLimits
	Clock     clock.Clock // wall time, for what was left lying; nil is clock.Wall
}

// Uploads takes files in by pieces. A piece that was acknowledged is durable
// and survives any restart.
type Uploads struct {
	db    *db.DB
	store Store
	stage Staging
	lim   Limits
}

// NewUploads returns uploads into store by way of stage.
func NewUploads(d *db.DB, store Store, stage Staging, lim Limits) *Uploads {
	if lim.Clock == nil {
		lim.Clock = clock.Wall{}
	}
	return &Uploads{db: d, store: store, stage: stage, lim: lim}
}

// Begin opens an upload inside tx. It returns ErrMIME for a sort of file that is
// not taken and ErrUploadSize for one too large.
func (u *Uploads) Begin(ctx context.Context, tx *db.Tx, n New) (Upload, error) {
	k, err := KindOf(n.Name, n.MIME)
	if err != nil {
		return Upload{}, err
	}
	most := u.lim.File
	if k.Ext == ".webm" || k.Ext == ".mp4" {
		most = max(most, u.lim.Recording)
	}
	switch {
	case n.Size < 0:
		return Upload{}, ErrEmpty
	case n.Size > most:
		return Upload{}, ErrUploadSize.With("size", "max", "这类文件不得超过 "+strconv.FormatInt(most>>20, 10)+" MB")
	case n.Size > 0:
		most = n.Size
	}
	if n.SM3 != "" {
		if _, err := ParseHash(string(n.SM3)); err != nil {
			return Upload{}, err
		}
	}
	now := u.lim.Clock.Now()
	up := Upload{
		ID: db.NewID(), Owner: n.Owner, Ext: k.Ext, MIME: k.MIME, Size: n.Size, SM3: n.SM3, Most: most,
		State: UploadOpen, Created: now, Touched: now,
	}
	_, err = tx.Exec(ctx, `INSERT INTO blob_upload (id, owner, ext, size, sm3, most, received, state, hash, staged, created_at, touched_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '', $8, $9, $9)`,
		up.ID, up.Owner, up.Ext, up.Size, string(up.SM3), up.Most, string(up.State), true, db.MS(now))
	if err != nil {
		return Upload{}, fmt.Errorf("upload: %w", err)
	}
	return up, nil
}

// Get returns an upload, or ErrNoUpload. Received says where to go on.
func (u *Uploads) Get(ctx context.Context, id string) (Upload, error) {
	return u.get(ctx, u.db.Q(), id, "")
}

func (u *Uploads) get(ctx context.Context, q db.Querier, id, lock string) (Upload, error) {
	var up Upload
	var sm3, state, hash string
	var created, touched int64
	err := q.QueryRow(ctx, `SELECT id, owner, ext, size, sm3, most, received, state, hash, created_at, touched_at
		FROM blob_upload WHERE id = $1`+lock, id).
		Scan(&up.ID, &up.Owner, &up.Ext, &up.Size, &sm3, &up.Most, &up.Received, &state, &hash, &created, &touched)
	if errors.Is(err, db.ErrNoRows) {
		return Upload{}, ErrNoUpload
	}
	if err != nil {
		return Upload{}, fmt.Errorf("upload: %w", err)
	}
	up.SM3, up.State, up.Hash = Hash(sm3), State(state), Hash(hash)
	up.Created, up.Touched = db.Time(created), db.Time(touched)
	k, err := KindOf("x"+up.Ext, "")
	if err != nil {
		return Upload{}, err
	}
	up.MIME = k.MIME
	return up, nil
}

// Chunks returns the pieces that arrived, in order. They are kept after Finish:
// for a recording they are the evidence of when each piece came.
func (u *Uploads) Chunks(ctx context.Context, id string) (list []Chunk, err error) {
	rows, err := u.db.Q().Query(ctx, `SELECT start, size, hash FROM blob_chunk WHERE upload_id = $1 ORDER BY start`, id)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c Chunk
		var h string
		if err := rows.Scan(&c.Start, &c.Size, &h); err != nil {
			return nil, fmt.Errorf("upload: %w", err)
		}
		c.Hash = Hash(h)
		list = append(list, c)
	}
	return list, rows.Err()
}

// Append takes the piece at offset, whose SM3 the client says, and returns the
// next offset once the piece is durable. The same piece again is acknowledged
// again. It returns ErrOffset for a piece that does not follow, ErrPiece for
// one damaged on the way, ErrUploadSize past the end, ErrMIME when the first
// piece gives the file away, ErrClosed when the upload has ended.
func (u *Uploads) Append(ctx context.Context, id string, offset int64, piece []byte, hash Hash) (int64, error) {
	size := int64(len(piece))
	switch {
	case size == 0:
		return 0, ErrEmpty
	case size > u.lim.Chunk:
		return 0, ErrUploadSize.With("chunk", "max", "一片不得超过 "+strconv.FormatInt(u.lim.Chunk>>10, 10)+" KB")
	case Sum(piece) != hash:
		return 0, ErrPiece
	}
	c := Chunk{Start: offset, Size: size, Hash: hash}
	// Look first without a lock: most refusals need no byte written.
	next, again, err := u.fits(ctx, u.db.Q(), id, c, "")
	if err != nil || again {
		return next, err
	}
	if offset == 0 {
		up, err := u.Get(ctx, id)
		if err != nil {
			return 0, err
		}
		k, err := KindOf("x"+up.Ext, "")
		if err != nil {
			return 0, err
		}
		if size >= HeadSize || up.Size == size { // a first piece too small to tell is judged at Finish
			if err := k.Head(piece); err != nil {
				return 0, err
			}
		}
	}
	if err := u.stage.Keep(ctx, c.stageKey(id), piece); err != nil {
		return 0, err
	}
	err = u.db.Group(ctx, func(tx *db.Tx) error {
		if next, again, err = u.fits(ctx, tx, id, c, tx.Dialect().ForUpdate()); err != nil || again {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO blob_chunk (upload_id, start, size, hash) VALUES ($1, $2, $3, $4)`,
			id, c.Start, c.Size, string(c.Hash)); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
		next = c.Start + c.Size
		if _, err := tx.Exec(ctx, `UPDATE blob_upload SET received = $2, touched_at = $3 WHERE id = $1`,
			id, next, db.MS(u.lim.Clock.Now())); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
		return nil
	})
	if errors.Is(err, ErrClosed) { // it ended while the piece was being kept
		return 0, errors.Join(err, u.stage.Drop(ctx, id))
	}
	if err != nil {
		return 0, err
	}
	return next, nil
}

// fits says whether c is the next piece, or one that came before (again, with
// the next offset).
func (u *Uploads) fits(ctx context.Context, q db.Querier, id string, c Chunk, lock string) (next int64, again bool, err error) {
	up, err := u.get(ctx, q, id, lock)
	if err != nil {
		return 0, false, err
	}
	if c.Start < up.Received {
		var size int64
		var hash string
		err := q.QueryRow(ctx, `SELECT size, hash FROM blob_chunk WHERE upload_id = $1 AND start = $2`, id, c.Start).Scan(&size, &hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, false, fmt.Errorf("upload: %w", err)
		}
		if err == nil && size == c.Size && Hash(hash) == c.Hash && up.State != UploadDropped {
			return up.Received, true, nil
		}
	}
	if up.State != UploadOpen {
		return 0, false, ErrClosed
	}
	if c.Start != up.Received {
		return 0, false, expected(ErrOffset, up.Received)
	}
	if c.Start+c.Size > up.Most {
		return 0, false, ErrUploadSize.With("size", "max", "收到的内容超过了声明的大小")
	}
	return 0, false, nil
}

// expected carries an offset for the client to go on from.
func expected(e *errs.Error, offset int64) error {
	return e.With("offset", "expected", strconv.FormatInt(offset, 10))
}

// Finish puts the pieces together into the store and returns the file's hash.
// It may be called again, and gives the same answer. It returns ErrIncomplete
// when pieces are wanting, ErrDigest, ErrMIME or an error of CheckZip when the
// file is not what it should be; the upload then stays as it is.
func (u *Uploads) Finish(ctx context.Context, id string) (Hash, error) {
	h, err := u.finish(ctx, id)
	if errors.Is(err, ErrMissing) { // another caller was first and cleared the stage
		if up, gerr := u.Get(ctx, id); gerr == nil && up.State == UploadDone {
			return up.Hash, nil
		}
	}
	return h, err
}

func (u *Uploads) finish(ctx context.Context, id string) (Hash, error) {
	up, err := u.Get(ctx, id)
	if err != nil {
		return "", err
	}
	switch {
	case up.State == UploadDone:
		return up.Hash, nil
	case up.State != UploadOpen:
		return "", ErrClosed
	case up.Size > 0 && up.Received < up.Size:
		return "", expected(ErrIncomplete, up.Received)
	case up.Received == 0:
		return "", ErrEmpty
	}
	chunks, err := u.Chunks(ctx, id)
	if err != nil {
		return "", err
	}
	r := &pieces{ctx: ctx, stage: u.stage, id: id, list: chunks, at: -1}
	if err := u.judge(ctx, up, r); err != nil {
		return "", err
	}
	if up.SM3 != "" { // before the store has bytes that nobody wants
		d := sm3.New()
		if _, err := io.Copy(d, io.NewSectionReader(r, 0, up.Received)); err != nil {
			return "", err
		}
		if sumOf(d) != up.SM3 {
			return "", ErrDigest
		}
	}
	h, _, err := u.store.Put(ctx, io.NewSectionReader(r, 0, up.Received), up.Received)
	if err != nil {
		return "", err
	}
	err = u.db.Tx(ctx, func(tx *db.Tx) error {
		now, err := u.get(ctx, tx, id, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		if now.State == UploadDone {
			return nil
		}
		if now.State != UploadOpen || now.Received != up.Received {
			return expected(ErrIncomplete, now.Received)
		}
		_, err = tx.Exec(ctx, `UPDATE blob_upload SET state = $2, hash = $3, touched_at = $4 WHERE id = $1`,
			id, string(UploadDone), string(h), db.MS(u.lim.Clock.Now()))
		return err
	})
	if err != nil {
		return "", err
	}
	if err := u.forget(ctx, id); err != nil { // the file is safe; Sweep tries again
		slog.WarnContext(ctx, "blob: pieces of a finished upload stay on the stage", slog.String("upload", id), slog.Any("error", err))
	}
	return h, nil
}

// forget drops the pieces of an upload that has ended.
func (u *Uploads) forget(ctx context.Context, id string) error {
	if err := u.stage.Drop(ctx, id); err != nil {
		return err
	}
	return u.db.Group(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE blob_upload SET staged = $2 WHERE id = $1`, id, false)
		return err
	})
}

// judge holds the whole file against what its sort should be.
func (u *Uploads) judge(ctx context.Context, up Upload, r *pieces) error {
	k, err := KindOf("x"+up.Ext, "")
	if err != nil {
		return err
	}
	head := make([]byte, min(HeadSize, up.Received))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := k.Head(head); err != nil {
		return err
	}
	if !k.Zip {
		return nil
	}
	members, err := CheckZip(ctx, r, up.Received, u.lim.Zip)
	if err != nil {
		return err
	}
	if !k.HasPart(members) {
		return ErrMIME.With("content", "sniffed", "文件内容不是"+k.Name+"，请核对文件，不要只改扩展名")
	}
	return nil
}

// Drop ends an upload that is not wanted and forgets its pieces. A finished one
// keeps its file.
func (u *Uploads) Drop(ctx context.Context, id string) error {
	err := u.db.Tx(ctx, func(tx *db.Tx) error {
		up, err := u.get(ctx, tx, id, tx.Dialect().ForUpdate())
		if err != nil || up.State != UploadOpen {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE blob_upload SET state = $2, touched_at = $3 WHERE id = $1`,
			id, string(UploadDropped), db.MS(u.lim.Clock.Now()))
		return err
	})
	if err != nil {
		return err
	}
	return u.forget(ctx, id)
}

// Sweep drops the uploads that nobody touched for longer than idle, and the
// pieces that an earlier end left behind, at most a hundred at a time. It
// returns how many it dropped.
func (u *Uploads) Sweep(ctx context.Context, idle time.Duration) (int, error) {
	before := db.MS(u.lim.Clock.Now().Add(-idle))
	ids, err := u.stale(ctx, before)
	if err != nil {
		return 0, err
	}
	for i, id := range ids {
		if err := u.Drop(ctx, id); err != nil {
			return i, err
		}
	}
	return len(ids), nil
}

func (u *Uploads) stale(ctx context.Context, before int64) (ids []string, err error) {
	rows, err := u.db.Q().Query(ctx, `SELECT id FROM blob_upload
		WHERE staged AND touched_at < $1 ORDER BY touched_at LIMIT 100`, before)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("upload: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (c Chunk) stageKey(upload string) string {
	return fmt.Sprintf("%s/%d-%s", upload, c.Start, c.Hash)
}

// pieces reads the chunks as one file and checks each as it is fetched. It is
// for one goroutine.
type pieces struct {
	ctx   context.Context //nolint:containedctx // io.ReaderAt has no other way to hear of it
	stage Staging
	id    string
	list  []Chunk
	at    int // which chunk buf holds
	buf   []byte
}

// ReadAt implements io.ReaderAt.
func (p *pieces) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		i := p.find(off + int64(n))
		if i < 0 {
			return n, io.EOF
		}
		if i != p.at {
			c := p.list[i]
			buf, err := p.stage.Read(p.ctx, c.stageKey(p.id))
			if err != nil {
				return n, err
			}
			if Sum(buf) != c.Hash {
				return n, ErrCorrupt.Wrap(fmt.Errorf("piece %d of upload %s", c.Start, p.id))
			}
			p.at, p.buf = i, buf
		}
		n += copy(b[n:], p.buf[off+int64(n)-p.list[i].Start:])
	}
	return n, nil
}

func (p *pieces) find(off int64) int {
	lo, hi := 0, len(p.list)
	for lo < hi {
		if m := (lo + hi) / 2; p.list[m].Start+p.list[m].Size <= off {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == len(p.list) || off < p.list[lo].Start {
		return -1
	}
	return lo
}
