package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"haoban/platform/clock"
)

// Disk is a store in a folder: files/ab/cd/abcd… for files, stage/ for pieces,
// tmp/ for what is being written.
type Disk struct {
	dir   string
	known sync.Map // folders known to be on disk
}

// staleTemp is how old a temporary file is before a start removes it: nothing
// takes that long to write.
const staleTemp = 48 * time.Hour

// OpenDisk opens the store in dir and makes it where there is none. Several
// processes may share dir.
func OpenDisk(dir string) (*Disk, error) {
	d := &Disk{dir: dir}
	for _, sub := range []string{"files", "stage", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o750); err != nil {
			return nil, fmt.Errorf("blob: %w", err)
		}
	}
	if err := syncDir(dir); err != nil {
		return nil, err
	}
	return d, d.clean()
}

func (d *Disk) clean() error {
	tmp := filepath.Join(d.dir, "tmp")
	list, err := os.ReadDir(tmp)
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	old := clock.Wall{}.Now().Add(-staleTemp)
	for _, e := range list {
		st, err := e.Info()
		if err != nil || st.ModTime().After(old) {
			continue // gone meanwhile, or in use
		}
		if err := os.Remove(filepath.Join(tmp, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("blob: %w", err)
		}
	}
	return nil
}

// Put implements Store. It writes over a file of the same name, which mends one
// that was damaged.
func (d *Disk) Put(ctx context.Context, r io.Reader, limit int64) (Hash, int64, error) {
	m := &meter{ctx: ctx, r: r, max: limit, sum: sm3.New()}
	tmp, err := d.temp(m)
	if err != nil {
		return "", 0, err
	}
	h := sumOf(m.sum)
	key, err := h.key()
	if err != nil {
		return "", 0, err
	}
	if err := d.move(tmp, filepath.Join(d.dir, "files", filepath.FromSlash(key))); err != nil {
		return "", 0, err
	}
	return h, m.n, nil
}

// Open implements Store.
func (d *Disk) Open(_ context.Context, h Hash) (io.ReadSeekCloser, int64, error) {
	p, err := d.path(h)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(p) //nolint:gosec // the name is a checked hash
	if err != nil {
		return nil, 0, diskError(err)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(diskError(err), f.Close())
	}
	return f, st.Size(), nil
}

// Stat implements Store.
func (d *Disk) Stat(_ context.Context, h Hash) (int64, error) {
	p, err := d.path(h)
	if err != nil {
		return 0, err
	}
	st, err := os.Stat(p)
	if err != nil {
		return 0, diskError(err)
	}
	return st.Size(), nil
}

// Delete implements Store.
func (d *Disk) Delete(_ context.Context, h Hash) error {
	p, err := d.path(h)
	if err != nil {
		return err
	}
	if err := os.Remove(p); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return diskError(err)
	}
	return syncDir(filepath.Dir(p))
}

// List implements Store.
func (d *Disk) List(ctx context.Context, fn func(Hash, int64) error) error {
	return filepath.WalkDir(filepath.Join(d.dir, "files"), func(_ string, e fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		h, herr := ParseHash(e.Name())
		if e.IsDir() || herr != nil {
			return nil //nolint:nilerr // what is not named by a hash is not ours
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return fn(h, st.Size())
	})
}

// Keep implements Staging.
func (d *Disk) Keep(ctx context.Context, key string, b []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	tmp, err := d.temp(&meter{ctx: ctx, r: bytes.NewReader(b)})
	if err != nil {
		return err
	}
	return d.move(tmp, filepath.Join(d.dir, "stage", filepath.FromSlash(key)))
}

// Read implements Staging.
func (d *Disk) Read(_ context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(d.dir, "stage", filepath.FromSlash(key)))
	if err != nil {
		return nil, diskError(err)
	}
	return b, nil
}

// Drop implements Staging.
func (d *Disk) Drop(_ context.Context, prefix string) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	p := filepath.Join(d.dir, "stage", filepath.FromSlash(prefix))
	// A folder below p that stays known is found missing at its next use, and
	// made again.
	d.known.Delete(p)
	if err := os.RemoveAll(p); err != nil {
		return diskError(err)
	}
	return nil
}

func (d *Disk) path(h Hash) (string, error) {
	key, err := h.key()
	return filepath.Join(d.dir, "files", filepath.FromSlash(key)), err
}

// temp writes what r gives to a temporary file, on disk when it returns, and
// leaves none behind if it fails.
func (d *Disk) temp(r io.Reader) (_ string, err error) {
	f, err := os.CreateTemp(filepath.Join(d.dir, "tmp"), "put-*")
	if err != nil {
		return "", diskError(err)
	}
	_, cerr := io.Copy(f, r)
	if cerr == nil {
		cerr = f.Sync()
	}
	if err := errors.Join(cerr, f.Close()); err != nil {
		return "", errors.Join(diskError(err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// move gives tmp its place, durably.
func (d *Disk) move(tmp, to string) error {
	dir := filepath.Dir(to)
	err := d.folder(dir)
	if err == nil {
		err = os.Rename(tmp, to)
		if errors.Is(err, fs.ErrNotExist) { // the folder went away since it was known
			d.known.Delete(dir)
			if err = d.folder(dir); err == nil {
				err = os.Rename(tmp, to)
			}
		}
	}
	if err != nil {
		return errors.Join(diskError(err), os.Remove(tmp))
	}
	return syncDir(dir)
}

// folder makes dir and its parents, durably, once in the life of d.
func (d *Disk) folder(dir string) error {
	if _, ok := d.known.Load(dir); ok {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for p := filepath.Dir(dir); len(p) > len(d.dir); p = filepath.Dir(p) {
		if err := syncDir(p); err != nil {
			return err
		}
	}
	d.known.Store(dir, true)
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // a folder of the store
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	return nil
}

func diskError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrMissing.Wrap(err)
	}
	return fmt.Errorf("blob: %w", err)
}
