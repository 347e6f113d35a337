// Package blobtest is the conformance suite of blob stores, and a real S3
// server to run it on.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"haoban/platform/blob"
	"haoban/platform/errs"
)

// Both is what a store of this house can do.
type Both interface {
	blob.Store
	blob.Staging
}

// Suite holds a store to what blob.Store and blob.Staging promise. open returns
// an empty one.
func Suite(t *testing.T, open func(t *testing.T) Both) {
	t.Helper()
	for name, f := range map[string]func(*testing.T, Both){
		"PutAndOpen": putAndOpen, "Seek": seek, "Again": again, "TooLarge": tooLarge, "Missing": missing, "BadHash": badHash,
		"BrokenReader": brokenReader, "Cancelled": cancelled, "List": list, "Concurrent": concurrent, "Staging": staging,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, open(t))
		})
	}
}

// Bytes returns n bytes that look random but are the same for the same seed.
func Bytes(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // wants repetition, not secrecy
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32()) //nolint:gosec // the low bits are wanted
	}
	return b
}

func put(t *testing.T, s blob.Store, b []byte) blob.Hash {
	t.Helper()
	h, n, err := s.Put(t.Context(), bytes.NewReader(b), 0)
	if err != nil {
		t.Fatal(err)
	}
	if h != blob.Sum(b) || n != int64(len(b)) {
		t.Fatalf("Put of %d bytes = %s, %d", len(b), h, n)
	}
	return h
}

func read(t *testing.T, s blob.Store, h blob.Hash) []byte {
	t.Helper()
	f, size, err := s.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	b, rerr := io.ReadAll(f)
	if err := errors.Join(rerr, f.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != size {
		t.Fatalf("Open said %d bytes and gave %d", size, len(b))
	}
	return b
}

func putAndOpen(t *testing.T, s Both) {
	t.Helper()
	// Around the sizes at which a store changes how it works, too.
	for i, n := range []int{0, 1, 4096, 1<<20 - 1, 1 << 20, 1<<20 + 1, 20 << 20} {
		b := Bytes(uint64(i), n)
		h := put(t, s, b)
		if !bytes.Equal(read(t, s, h), b) {
			t.Errorf("%d bytes came back different", n)
		}
		if size, err := s.Stat(t.Context(), h); err != nil || size != int64(n) {
			t.Errorf("Stat = %d, %v; want %d", size, err, n)
		}
		if err := blob.Verify(t.Context(), s, h); err != nil {
			t.Errorf("Verify: %v", err)
		}
	}
}

func seek(t *testing.T, s Both) {
	t.Helper()
	b := Bytes(7, 3<<20)
	f, _, err := s.Open(t.Context(), put(t, s, b))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{2 << 20, 5, 3<<20 - 10, 0} {
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 10)
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, b[at:at+10]) {
			t.Errorf("at %d: %x, %v", at, got, err)
		}
	}
	if n, err := f.Seek(-4, io.SeekEnd); err != nil || n != int64(len(b)-4) {
		t.Errorf("Seek from the end = %d, %v", n, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func again(t *testing.T, s Both) {
	t.Helper()
	b := []byte("once and again")
	h := put(t, s, b)
	put(t, s, b)
	if !bytes.Equal(read(t, s, h), b) {
		t.Error("putting again changed the file")
	}
	for range 2 {
		if err := s.Delete(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Stat(t.Context(), h); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("after Delete: %v", err)
	}
	if put(t, s, b) != h {
		t.Error("another name after Delete")
	}
}

func tooLarge(t *testing.T, s Both) {
	t.Helper()
	for _, n := range []int{11, 3 << 20} {
		b := Bytes(1, n)
		_, _, err := s.Put(t.Context(), bytes.NewReader(b), int64(n-1))
		if !errors.Is(err, blob.ErrTooLarge) || errs.KindOf(err) != errs.TooLarge {
			t.Errorf("%d bytes past the limit: %v", n, err)
		}
		if _, err := s.Stat(t.Context(), blob.Sum(b)); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("it is there all the same: %v", err)
		}
		if _, _, err := s.Put(t.Context(), bytes.NewReader(b), int64(n)); err != nil {
			t.Errorf("%d bytes at the limit: %v", n, err)
		}
	}
}

func missing(t *testing.T, s Both) {
	t.Helper()
	h := blob.Sum([]byte("nobody put this"))
	_, _, oerr := s.Open(t.Context(), h)
	_, serr := s.Stat(t.Context(), h)
	for _, err := range []error{oerr, serr, blob.Verify(t.Context(), s, h)} {
		if !errors.Is(err, blob.ErrMissing) || errs.KindOf(err) != errs.NotFound {
			t.Errorf("got %v, want ErrMissing", err)
		}
	}
}

func badHash(t *testing.T, s Both) {
	t.Helper()
	good := string(blob.Sum(nil))
	for _, h := range []string{"", "x", "../../etc/passwd", good[:63], good + "0", "A" + good[1:], "/" + good[1:]} {
		if _, err := blob.ParseHash(h); !errors.Is(err, blob.ErrHash) {
			t.Errorf("ParseHash(%q): %v", h, err)
		}
		_, _, oerr := s.Open(t.Context(), blob.Hash(h))
		_, serr := s.Stat(t.Context(), blob.Hash(h))
		for _, err := range []error{oerr, serr, s.Delete(t.Context(), blob.Hash(h))} {
			if !errors.Is(err, blob.ErrHash) {
				t.Errorf("%q: got %v, want ErrHash", h, err)
			}
		}
	}
}

type broken struct{ after io.Reader }

var errBroken = errors.New("the line broke")

func (b broken) Read(p []byte) (int, error) {
	n, err := b.after.Read(p)
	if errors.Is(err, io.EOF) {
		err = errBroken
	}
	return n, err
}

func brokenReader(t *testing.T, s Both) {
	t.Helper()
	for _, n := range []int{10, 3 << 20} {
		if _, _, err := s.Put(t.Context(), broken{bytes.NewReader(Bytes(2, n))}, 0); !errors.Is(err, errBroken) {
			t.Errorf("got %v, want the reader's own error", err)
		}
	}
	if n := count(t, s); n != 0 {
		t.Errorf("%d files left of what never came whole", n)
	}
}

func cancelled(t *testing.T, s Both) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(ctx, bytes.NewReader([]byte("x")), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func count(t *testing.T, s blob.Store) int {
	t.Helper()
	n := 0
	if err := s.List(t.Context(), func(blob.Hash, int64) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func list(t *testing.T, s Both) {
	t.Helper()
	want := map[blob.Hash]int64{}
	for i := range 20 {
		b := Bytes(uint64(i), i*100)
		want[put(t, s, b)] = int64(len(b))
	}
	if err := s.Keep(t.Context(), "up/1", []byte("a piece is no file")); err != nil {
		t.Fatal(err)
	}
	got := map[blob.Hash]int64{}
	if err := s.List(t.Context(), func(h blob.Hash, n int64) error { got[h] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for h, n := range want {
		if got[h] != n {
			t.Errorf("%s: %d bytes, want %d", h, got[h], n)
		}
	}
	stop, calls := errors.New("enough"), 0
	err := s.List(t.Context(), func(blob.Hash, int64) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("List went on after an error: %d calls, %v", calls, err)
	}
}

func concurrent(t *testing.T, s Both) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				b := Bytes(uint64(j), 10_000)
				if _, _, err := s.Put(t.Context(), bytes.NewReader(b), 0); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, s); n != 5 {
		t.Errorf("%d files, want 5", n)
	}
}

func staging(t *testing.T, s Both) {
	t.Helper()
	ctx := t.Context()
	for _, k := range []string{"a/1", "a/2", "ab/1", "a/b/3"} {
		if err := s.Keep(ctx, k, []byte("was "+k)); err != nil {
			t.Fatal(err)
		}
		if err := s.Keep(ctx, k, []byte("is "+k)); err != nil {
			t.Fatal(err)
		}
		if b, err := s.Read(ctx, k); err != nil || string(b) != "is "+k {
			t.Errorf("Read(%s) = %q, %v", k, b, err)
		}
	}
	for range 2 {
		if err := s.Drop(ctx, "a"); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []string{"a/1", "a/2", "a/b/3", "never/was"} {
		if _, err := s.Read(ctx, k); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("Read(%s) after Drop: %v", k, err)
		}
	}
	if b, err := s.Read(ctx, "ab/1"); err != nil || string(b) != "is ab/1" {
		t.Errorf("Drop took the neighbour: %q, %v", b, err)
	}
	if err := s.Keep(ctx, "a/1", []byte("new")); err != nil {
		t.Errorf("Keep after Drop: %v", err)
	}
	for _, k := range []string{"", "/", "a/", "/a", "a//b", "..", "a/../b", "A", "a.b"} {
		_, rerr := s.Read(ctx, k)
		for _, err := range []error{rerr, s.Keep(ctx, k, nil), s.Drop(ctx, k)} {
			if err == nil || errors.Is(err, blob.ErrMissing) {
				t.Errorf("key %q: %v", k, err)
			}
		}
	}
}
