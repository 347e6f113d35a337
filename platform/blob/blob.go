// Package blob keeps files by the SM3 of their bytes, on disk or in an object
// store, and takes them in by pieces that can be resumed.
//
// What Put returns for is on the disk. The same bytes have one name, so putting
// them again is harmless; who still needs a file is the business of the rooms
// that hold its hash.
package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/emmansun/gmsm/sm3"

	"haoban/platform/errs"
)

// Hash names a file: the SM3 of its stored bytes, 64 lower-case hex digits.
type Hash string

// What a store answers.
var (
	// ErrMissing says that the store has no such file.
	ErrMissing = errs.New(errs.NotFound, "blob.missing", "文件不存在")
	// ErrHash says that a string is no hash.
	ErrHash = errs.New(errs.Invalid, "blob.hash", "文件标识不正确")
	// ErrTooLarge says that a file is larger than it may be.
	ErrTooLarge = errs.New(errs.TooLarge, "blob.size", "文件超过大小上限")
	// ErrCorrupt says that a stored file is not what its name says.
	ErrCorrupt = errs.New(errs.Internal, "blob.corrupt", "存储的文件已损坏，与其摘要不符")
	// ErrUnavailable says that the object store does not answer.
	ErrUnavailable = errs.New(errs.Unavailable, "blob.unavailable", "文件存储暂时无法访问，请稍后再试")
)

// Store keeps files by hash. Implementations are safe for concurrent use by
// several processes.
type Store interface {
	// Put stores what r gives and returns its name and size once it is durable.
	// It returns ErrTooLarge, and stores nothing, when r gives more than limit
	// bytes; limit of 0 or less sets no limit.
	Put(ctx context.Context, r io.Reader, limit int64) (Hash, int64, error)
	// Open returns the file's bytes and size, or ErrMissing. The caller closes
	// it; ctx must live as long as it is read.
	Open(ctx context.Context, h Hash) (io.ReadSeekCloser, int64, error)
	// Stat returns the file's size, or ErrMissing.
	Stat(ctx context.Context, h Hash) (int64, error)
	// Delete removes the file. It is no error if there is none.
	Delete(ctx context.Context, h Hash) error
	// List calls fn for every file in no promised order, until fn fails.
	List(ctx context.Context, fn func(h Hash, size int64) error) error
}

// Staging keeps pieces under names of the caller's choosing until they are
// wanted no more. A name is words of a-z, 0-9 and "-" joined by "/".
type Staging interface {
	// Keep stores b under key, over what was there, and returns once it is
	// durable.
	Keep(ctx context.Context, key string, b []byte) error
	// Read returns what Keep stored under key, or ErrMissing.
	Read(ctx context.Context, key string) ([]byte, error)
	// Drop removes every key under prefix and "/". It is no error if there is
	// none.
	Drop(ctx context.Context, prefix string) error
}

// ParseHash returns s as a hash, or ErrHash.
func ParseHash(s string) (Hash, error) {
	if len(s) != 2*sm3.Size {
		return "", ErrHash
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", ErrHash
		}
	}
	return Hash(s), nil
}

// Sum returns the hash under which a store keeps b.
func Sum(b []byte) Hash {
	d := sm3.Sum(b)
	return Hash(hex.EncodeToString(d[:]))
}

// Verify reads the file and returns ErrCorrupt when its bytes are not what its
// name says, ErrMissing when there is none.
func Verify(ctx context.Context, s Store, h Hash) (err error) {
	f, size, err := s.Open(ctx, h)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	d := sm3.New()
	n, err := io.Copy(d, &meter{ctx: ctx, r: f})
	if err != nil {
		return fmt.Errorf("verify %s: %w", h, err)
	}
	if got := sumOf(d); got != h || n != size {
		return ErrCorrupt.Wrap(fmt.Errorf("%s holds %d bytes of %s", h, n, got))
	}
	return nil
}

func sumOf(d hash.Hash) Hash { return Hash(hex.EncodeToString(d.Sum(nil))) }

// key is where a file stands: ab/cd/abcd….
func (h Hash) key() (string, error) {
	if _, err := ParseHash(string(h)); err != nil {
		return "", err
	}
	return string(h[:2]) + "/" + string(h[2:4]) + "/" + string(h), nil
}

func checkKey(key string) error {
	word := 0
	for _, c := range []byte(key) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-':
			word++
		case c == '/' && word > 0:
			word = 0
		default:
			return fmt.Errorf("staging key %q", key)
		}
	}
	if word == 0 {
		return fmt.Errorf("staging key %q", key)
	}
	return nil
}

// meter reads r, hashes what passes, and stops at max bytes or when ctx ends.
type meter struct {
	ctx context.Context //nolint:containedctx // a reader has no other way to hear of it
	r   io.Reader
	max int64 // 0 or less: no limit
	n   int64
	sum hash.Hash
}

// Read implements io.Reader. It gives ErrTooLarge past max.
func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.max > 0 && m.n > m.max {
		return 0, ErrTooLarge
	}
	if m.sum != nil {
		m.sum.Write(p[:n])
	}
	return n, err
}
