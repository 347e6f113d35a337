package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/emmansun/gmsm/sm3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config says where an object store is and who asks.
type S3Config struct {
	Endpoint  string // host:port, no scheme
	Region    string
	Bucket    string // must exist
	Prefix    string // before every object's name
	AccessKey string
	SecretKey string
	TLS       bool
	TempDir   string // where what is being received waits for its name; empty: the system's
}

// S3 is a store in a bucket that speaks the S3 protocol.
type S3 struct {
	c   *minio.Client
	cfg S3Config
}

// inMemory is the size up to which a file waits for its name in memory.
const inMemory = 1 << 20

// OpenS3 connects to the store and makes sure that the bucket is there. It
// returns ErrUnavailable when nobody answers.
func OpenS3(ctx context.Context, cfg S3Config) (*S3, error) {
	c, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Secure: cfg.TLS, Region: cfg.Region, BucketLookup: minio.BucketLookupPath, MaxRetries: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	if cfg.TempDir != "" {
		if err := os.MkdirAll(cfg.TempDir, 0o750); err != nil {
			return nil, fmt.Errorf("s3: %w", err)
		}
	}
	s := &S3{c: c, cfg: cfg}
	ok, err := c.BucketExists(ctx, cfg.Bucket)
	if err != nil {
		return nil, s3Error(ctx, err)
	}
	if !ok {
		return nil, fmt.Errorf("s3: no bucket %q", cfg.Bucket)
	}
	return s, nil
}

// Put implements Store. A file that is there already is not sent again.
func (s *S3) Put(ctx context.Context, r io.Reader, limit int64) (_ Hash, _ int64, err error) {
	m := &meter{ctx: ctx, r: r, max: limit, sum: sm3.New()}
	head := make([]byte, inMemory)
	n, err := io.ReadFull(m, head)
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole {
		return "", 0, fmt.Errorf("s3: %w", err)
	}
	var body io.Reader = bytes.NewReader(head[:n])
	if !whole {
		f, err := os.CreateTemp(s.cfg.TempDir, "put-*")
		if err != nil {
			return "", 0, fmt.Errorf("s3: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
		if _, err := io.Copy(f, io.MultiReader(body, m)); err != nil {
			return "", 0, fmt.Errorf("s3: %w", err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return "", 0, fmt.Errorf("s3: %w", err)
		}
		body = f
	}
	h := sumOf(m.sum)
	if have, err := s.Stat(ctx, h); err == nil && have == m.n {
		return h, m.n, nil
	}
	key, err := s.object(h)
	if err != nil {
		return "", 0, err
	}
	if err := s.put(ctx, key, body, m.n); err != nil {
		return "", 0, err
	}
	return h, m.n, nil
}

// Open implements Store.
func (s *S3) Open(ctx context.Context, h Hash) (io.ReadSeekCloser, int64, error) {
	key, err := s.object(h)
	if err != nil {
		return nil, 0, err
	}
	o, err := s.c.GetObject(ctx, s.cfg.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, s3Error(ctx, err)
	}
	st, err := o.Stat()
	if err != nil {
		return nil, 0, errors.Join(s3Error(ctx, err), o.Close())
	}
	return o, st.Size, nil
}

// Stat implements Store.
func (s *S3) Stat(ctx context.Context, h Hash) (int64, error) {
	key, err := s.object(h)
	if err != nil {
		return 0, err
	}
	st, err := s.c.StatObject(ctx, s.cfg.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return 0, s3Error(ctx, err)
	}
	return st.Size, nil
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, h Hash) error {
	key, err := s.object(h)
	if err != nil {
		return err
	}
	return s.remove(ctx, key)
}

// List implements Store.
func (s *S3) List(ctx context.Context, fn func(Hash, int64) error) error {
	return s.each(ctx, path.Join(s.cfg.Prefix, "files")+"/", func(key string, size int64) error {
		h, err := ParseHash(path.Base(key))
		if err != nil {
			return nil //nolint:nilerr // what is not named by a hash is not ours
		}
		return fn(h, size)
	})
}

// Keep implements Staging.
func (s *S3) Keep(ctx context.Context, key string, b []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return s.put(ctx, path.Join(s.cfg.Prefix, "stage", key), bytes.NewReader(b), int64(len(b)))
}

// Read implements Staging.
func (s *S3) Read(ctx context.Context, key string) (_ []byte, err error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	o, err := s.c.GetObject(ctx, s.cfg.Bucket, path.Join(s.cfg.Prefix, "stage", key), minio.GetObjectOptions{})
	if err != nil {
		return nil, s3Error(ctx, err)
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	b, err := io.ReadAll(o)
	if err != nil {
		return nil, s3Error(ctx, err)
	}
	return b, nil
}

// Drop implements Staging.
func (s *S3) Drop(ctx context.Context, prefix string) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	return s.each(ctx, path.Join(s.cfg.Prefix, "stage", prefix)+"/", func(key string, _ int64) error {
		return s.remove(ctx, key)
	})
}

func (s *S3) put(ctx context.Context, key string, r io.Reader, size int64) error {
	_, err := s.c.PutObject(ctx, s.cfg.Bucket, key, r, size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	return s3Error(ctx, err)
}

func (s *S3) remove(ctx context.Context, key string) error {
	err := s3Error(ctx, s.c.RemoveObject(ctx, s.cfg.Bucket, key, minio.RemoveObjectOptions{}))
	if errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}

func (s *S3) each(ctx context.Context, prefix string, fn func(key string, size int64) error) error {
	ctx, stop := context.WithCancel(ctx) // so that the lister ends if fn fails
	defer stop()
	for o := range s.c.ListObjects(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return s3Error(ctx, o.Err)
		}
		if strings.HasSuffix(o.Key, "/") {
			continue
		}
		if err := fn(o.Key, o.Size); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *S3) object(h Hash) (string, error) {
	key, err := h.key()
	return path.Join(s.cfg.Prefix, "files", key), err
}

// s3Error sorts an error of the client: no such object, nobody there, or ours.
func s3Error(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cerr := ctx.Err(); cerr != nil {
		return fmt.Errorf("s3: %w", cerr)
	}
	var r minio.ErrorResponse
	if !errors.As(err, &r) { // it never came to an answer
		return ErrUnavailable.Wrap(err)
	}
	switch {
	case r.Code == minio.NoSuchKey || r.StatusCode == http.StatusNotFound && r.Code != minio.NoSuchBucket:
		return ErrMissing.Wrap(err)
	case r.StatusCode >= http.StatusInternalServerError || r.StatusCode == http.StatusTooManyRequests:
		return ErrUnavailable.Wrap(err)
	default:
		return fmt.Errorf("s3: %w", err)
	}
}
