package blob_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"haoban/platform/blob"
	"haoban/platform/blob/blobtest"
	"haoban/platform/errs"
)

func disk(tb testing.TB) (*blob.Disk, string) {
	tb.Helper()
	dir := tb.TempDir()
	d, err := blob.OpenDisk(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return d, dir
}

func TestDisk(t *testing.T) {
	t.Parallel()
	blobtest.Suite(t, func(t *testing.T) blobtest.Both {
		t.Helper()
		d, _ := disk(t)
		return d
	})
}

func TestS3(t *testing.T) {
	t.Parallel()
	cfg := blobtest.StartS3(t)
	var n atomic.Int64
	blobtest.Suite(t, func(t *testing.T) blobtest.Both {
		t.Helper()
		return blobtest.Bucket(t, cfg, fmt.Sprintf("bucket-%d", n.Add(1)))
	})
	wrong := cfg
	wrong.Bucket = "no-such-bucket"
	if _, err := blob.OpenS3(t.Context(), wrong); err == nil {
		t.Error("opened a bucket that is not there")
	}
	wrong.SecretKey = "not the secret"
	if _, err := blob.OpenS3(t.Context(), wrong); err == nil || errs.KindOf(err) != errs.Internal {
		t.Errorf("wrong secret: %v", err)
	}
	wrong.Endpoint = "127.0.0.1:1"
	if _, err := blob.OpenS3(t.Context(), wrong); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("nobody there: %v, want ErrUnavailable", err)
	}
}

// A file on disk that was damaged is found out, and putting it again mends it.
func TestDiskDamage(t *testing.T) {
	t.Parallel()
	d, dir := disk(t)
	h, _, err := d.Put(t.Context(), strings.NewReader("the deed"), 0)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "files", string(h[:2]), string(h[2:4]), string(h))
	for _, bad := range []string{"the weed", "the dee", "the deed!"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := blob.Verify(t.Context(), d, h); !errors.Is(err, blob.ErrCorrupt) {
			t.Errorf("%q: got %v, want ErrCorrupt", bad, err)
		}
		if _, _, err := d.Put(t.Context(), strings.NewReader("the deed"), 0); err != nil {
			t.Fatal(err)
		}
		if err := blob.Verify(t.Context(), d, h); err != nil {
			t.Errorf("after putting it again: %v", err)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files left: %v, %v", left, err)
	}
	again, err := blob.OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := blob.Verify(t.Context(), again, h); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func BenchmarkDiskPut(b *testing.B) {
	d, _ := disk(b)
	data := blobtest.Bytes(1, 64<<10)
	b.SetBytes(int64(len(data)))
	for i := 0; b.Loop(); i++ {
		data[0], data[1], data[2] = byte(i), byte(i>>8), byte(i>>16)
		if _, _, err := d.Put(b.Context(), strings.NewReader(string(data)), 0); err != nil {
			b.Fatal(err)
		}
	}
}
