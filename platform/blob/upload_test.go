package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/blob"
	"haoban/platform/blob/blobtest"
	"haoban/platform/clock"
	"haoban/platform/db"
	"haoban/platform/db/dbtest"
	"haoban/platform/errs"
)

// taking is uploads on a database and a disk of their own.
type taking struct {
	*blob.Uploads
	db    *db.DB
	disk  *blob.Disk
	dir   string
	clock *clock.Movable
}

func eachTaking(t *testing.T, f func(t *testing.T, u taking)) {
	t.Helper()
	dbtest.Each(t, []db.Line{blob.Migrations()}, func(t *testing.T, d *db.DB) {
		t.Helper()
		s, dir := disk(t)
		c := clock.NewMovable(clock.Fixed(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)))
		f(t, taking{
			Uploads: blob.NewUploads(d, s, s, blob.Limits{File: 4 << 20, Recording: 8 << 20, Chunk: 1 << 20, Zip: blob.DefaultZip(), Clock: c}),
			db:      d, disk: s, dir: dir, clock: c,
		})
	})
}

func (u taking) begin(t *testing.T, n blob.New) (blob.Upload, error) {
	t.Helper()
	var up blob.Upload
	err := u.db.Tx(t.Context(), func(tx *db.Tx) (err error) {
		up, err = u.Begin(t.Context(), tx, n)
		return err
	})
	return up, err
}

func (u taking) mustBegin(t *testing.T, n blob.New) blob.Upload {
	t.Helper()
	up, err := u.begin(t, n)
	if err != nil {
		t.Fatal(err)
	}
	return up
}

func (u taking) send(t *testing.T, id string, at int64, b []byte) {
	t.Helper()
	next, err := u.Append(t.Context(), id, at, b, blob.Sum(b))
	if err != nil || next != at+int64(len(b)) {
		t.Fatalf("Append at %d = %d, %v", at, next, err)
	}
}

func pdf(n int) []byte { return append([]byte("%PDF-1.7\n"), blobtest.Bytes(3, n-9)...) }

func wantOffset(t *testing.T, err, want error, offset int64) {
	t.Helper()
	e, ok := errs.As(err)
	if !errors.Is(err, want) || !ok || e.Kind != errs.Conflict || len(e.Fields) != 1 || e.Fields[0].Path != "offset" || e.Fields[0].Msg != strconv.FormatInt(offset, 10) {
		t.Errorf("got %v, want %v expecting %d", err, want, offset)
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	eachTaking(t, func(t *testing.T, u taking) {
		t.Helper()
		ctx := t.Context()
		file := pdf(2_500_000)
		up := u.mustBegin(t, blob.New{Owner: "p1", Name: "张三身份证.pdf", MIME: "application/pdf", Size: int64(len(file)), SM3: blob.Sum(file)})
		if got, err := u.Get(ctx, up.ID); err != nil || cmp.Diff(up, got, cmp.Comparer(time.Time.Equal)) != "" {
			t.Errorf("Get: %v\n%s", err, cmp.Diff(up, got))
		}
		if got, err := u.Get(ctx, "nobody"); !errors.Is(err, blob.ErrNoUpload) {
			t.Errorf("Get(nobody) = %+v, %v", got, err)
		}
		first, second, third := file[:1_000_000], file[1_000_000:2_000_000], file[2_000_000:]
		_, err := u.Append(ctx, up.ID, 1_000_000, second, blob.Sum(second))
		wantOffset(t, err, blob.ErrOffset, 0)
		u.send(t, up.ID, 0, first)
		_, err = u.Append(ctx, up.ID, 2_000_000, third, blob.Sum(third))
		wantOffset(t, err, blob.ErrOffset, 1_000_000)
		if _, err := u.Append(ctx, up.ID, 1_000_000, second, blob.Sum(first)); !errors.Is(err, blob.ErrPiece) {
			t.Errorf("damaged on the way: %v", err)
		}
		_, err = u.Finish(ctx, up.ID)
		wantOffset(t, err, blob.ErrIncomplete, 1_000_000)
		u.send(t, up.ID, 1_000_000, second)
		// The answer was lost, so the client sends it again.
		if next, err := u.Append(ctx, up.ID, 1_000_000, second, blob.Sum(second)); err != nil || next != 2_000_000 {
			t.Errorf("the same piece again = %d, %v", next, err)
		}
		other := blobtest.Bytes(9, len(second))
		_, err = u.Append(ctx, up.ID, 1_000_000, other, blob.Sum(other))
		wantOffset(t, err, blob.ErrOffset, 2_000_000)
		long := append(bytes.Clone(third), 'x')
		if _, err := u.Append(ctx, up.ID, 2_000_000, long, blob.Sum(long)); !errors.Is(err, blob.ErrUploadSize) {
			t.Errorf("past the end: %v", err)
		}
		u.send(t, up.ID, 2_000_000, third)
		for range 2 {
			if h, err := u.Finish(ctx, up.ID); err != nil || h != blob.Sum(file) {
				t.Fatalf("Finish = %s, %v", h, err)
			}
		}
		if err := blob.Verify(ctx, u.disk, blob.Sum(file)); err != nil {
			t.Error(err)
		}
		got, err := u.Get(ctx, up.ID)
		if err != nil || got.State != blob.UploadDone || got.Hash != blob.Sum(file) || got.Received != int64(len(file)) {
			t.Errorf("after Finish: %+v, %v", got, err)
		}
		if next, err := u.Append(ctx, up.ID, 2_000_000, third, blob.Sum(third)); err != nil || next != int64(len(file)) {
			t.Errorf("the last piece again after Finish = %d, %v", next, err)
		}
		if _, err := u.Append(ctx, up.ID, int64(len(file)), []byte("x"), blob.Sum([]byte("x"))); !errors.Is(err, blob.ErrClosed) {
			t.Errorf("more after Finish: %v", err)
		}
		chunks, err := u.Chunks(ctx, up.ID)
		if d := cmp.Diff([]blob.Chunk{{Start: 0, Size: 1_000_000, Hash: blob.Sum(first)}, {Start: 1_000_000, Size: 1_000_000, Hash: blob.Sum(second)}, {Start: 2_000_000, Size: 500_000, Hash: blob.Sum(third)}}, chunks); d != "" || err != nil {
			t.Errorf("chunks %v\n%s", err, d)
		}
		if _, err := u.disk.Read(ctx, up.ID+"/0-"+string(blob.Sum(first))); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("pieces stay after Finish: %v", err)
		}
	})
}

func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	eachTaking(t, func(t *testing.T, u taking) {
		t.Helper()
		ctx := t.Context()
		for _, tt := range []struct {
			name string
			n    blob.New
			want error
		}{
			{"program", blob.New{Name: "a.exe", Size: 1}, blob.ErrMIME},
			{"declared otherwise", blob.New{Name: "a.pdf", MIME: "image/png", Size: 1}, blob.ErrMIME},
			{"too large", blob.New{Name: "a.pdf", Size: 4<<20 + 1}, blob.ErrUploadSize},
			{"recording too large", blob.New{Name: "a.webm", Size: 8<<20 + 1}, blob.ErrUploadSize},
			{"negative", blob.New{Name: "a.pdf", Size: -1}, blob.ErrEmpty},
			{"bad digest", blob.New{Name: "a.pdf", Size: 1, SM3: "x"}, blob.ErrHash},
		} {
			if _, err := u.begin(t, tt.n); !errors.Is(err, tt.want) {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
			}
		}
		whole := func(name string, b []byte, sm3 blob.Hash) error {
			t.Helper()
			up := u.mustBegin(t, blob.New{Name: name, Size: int64(len(b)), SM3: sm3})
			if _, err := u.Append(ctx, up.ID, 0, b, blob.Sum(b)); err != nil {
				return err
			}
			_, err := u.Finish(ctx, up.ID)
			return err
		}
		for _, tt := range []struct {
			name, file string
			b          []byte
			sm3        blob.Hash
			want       error
		}{
			{"a program called pdf", "a.pdf", []byte("MZ\x90\x00 program"), "", blob.ErrMIME},
			{"a page called jpg", "a.jpg", []byte("<html><script>"), "", blob.ErrMIME},
			{"a zip called docx", "a.docx", pack(t, member{name: "x", data: []byte("y"), method: 8}), "", blob.ErrMIME},
			{"a sheet called docx", "a.docx", pack(t, member{name: "xl/workbook.xml", data: []byte("y"), method: 8}), "", blob.ErrMIME},
			{"another digest", "a.pdf", pdf(100), blob.Sum([]byte("z")), blob.ErrDigest},
			{"a bomb", "a.zip", pack(t, member{name: "zeros", data: make([]byte, 32<<20), method: 8}), "", blob.ErrZipBomb},
			{"a lie", "a.zip", bytes.Replace(pack(t, member{name: "a", data: []byte("the deed"), method: 0}), []byte("the deed"), []byte("the weed"), 1), "", blob.ErrZipLies},
			{"climbing", "a.zip", pack(t, member{name: "../a", data: []byte("y"), method: 0}), "", blob.ErrZipPath},
			{"a document", "a.docx", docx(t), "", nil},
			{"a tiny text", "a.txt", []byte("x"), "", nil},
		} {
			err := whole(tt.file, tt.b, tt.sm3)
			if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
			}
			if _, serr := u.disk.Stat(ctx, blob.Sum(tt.b)); (serr == nil) != (tt.want == nil) {
				t.Errorf("%s: in the store: %v", tt.name, serr == nil)
			}
		}
		// A disguise in small pieces comes out at the end.
		up := u.mustBegin(t, blob.New{Name: "a.png", Size: 20})
		u.send(t, up.ID, 0, make([]byte, 10))
		u.send(t, up.ID, 10, make([]byte, 10))
		if _, err := u.Finish(ctx, up.ID); !errors.Is(err, blob.ErrMIME) {
			t.Errorf("disguise in pieces: %v", err)
		}
		up = u.mustBegin(t, blob.New{Name: "a.pdf", Size: 2 << 20})
		big := pdf(1<<20 + 1)
		if _, err := u.Append(ctx, up.ID, 0, big, blob.Sum(big)); !errors.Is(err, blob.ErrUploadSize) {
			t.Errorf("piece too large: %v", err)
		}
		if _, err := u.Append(ctx, up.ID, 0, nil, blob.Sum(nil)); !errors.Is(err, blob.ErrEmpty) {
			t.Errorf("empty piece: %v", err)
		}
		_, err := u.Append(ctx, up.ID, -5, pdf(100), blob.Sum(pdf(100)))
		wantOffset(t, err, blob.ErrOffset, 0)
		if _, err := u.Append(ctx, "nobody", 0, pdf(100), blob.Sum(pdf(100))); !errors.Is(err, blob.ErrNoUpload) {
			t.Errorf("no upload: %v", err)
		}
	})
}

// A recording whose length nobody knows ends when its maker says so.
func TestUploadOpenEnded(t *testing.T) {
	t.Parallel()
	eachTaking(t, func(t *testing.T, u taking) {
		t.Helper()
		up := u.mustBegin(t, blob.New{Owner: "p1", Name: "双录.webm"})
		if _, err := u.Finish(t.Context(), up.ID); !errors.Is(err, blob.ErrEmpty) {
			t.Errorf("nothing recorded: %v", err)
		}
		all := []byte(heads()[".webm"])
		u.send(t, up.ID, 0, all)
		for i := range 3 {
			b := blobtest.Bytes(uint64(i), 300_000)
			u.send(t, up.ID, int64(len(all)), b)
			all = append(all, b...)
		}
		if h, err := u.Finish(t.Context(), up.ID); err != nil || h != blob.Sum(all) {
			t.Errorf("Finish = %s, %v", h, err)
		}
	})
}

// Many clients sending one piece at once write it once; the whole survives.
func TestUploadConcurrent(t *testing.T) {
	t.Parallel()
	eachTaking(t, func(t *testing.T, u taking) {
		t.Helper()
		file := pdf(400_000)
		up := u.mustBegin(t, blob.New{Name: "a.pdf", Size: int64(len(file))})
		for at := 0; at < len(file); at += 100_000 {
			piece, other := file[at:at+100_000], blobtest.Bytes(uint64(at), 100_000) //nolint:gosec // not negative
			if at == 0 {
				other = append([]byte("%PDF-"), other[5:]...)
			}
			u.send(t, up.ID, int64(at), piece)
			var wg sync.WaitGroup
			for i := range 6 {
				b := piece
				if i%2 == 1 {
					b = other
				}
				wg.Go(func() {
					next, err := u.Append(t.Context(), up.ID, int64(at), b, blob.Sum(b))
					if i%2 == 0 && (err != nil || next != int64(at)+100_000) {
						t.Errorf("the same piece = %d, %v", next, err)
					}
					if i%2 == 1 && !errors.Is(err, blob.ErrOffset) {
						t.Errorf("another piece: %v", err)
					}
				})
			}
			wg.Wait()
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if h, err := u.Finish(t.Context(), up.ID); err != nil || h != blob.Sum(file) {
					t.Errorf("Finish = %s, %v", h, err)
				}
			})
		}
		wg.Wait()
	})
}

// Racing first pieces: exactly one of two different ones is taken.
func TestUploadRace(t *testing.T) {
	t.Parallel()
	eachTaking(t, func(t *testing.T, u taking) {
		t.Helper()
		for round := range 5 {
			up := u.mustBegin(t, blob.New{Name: "a.txt", Size: 10})
			var wg sync.WaitGroup
			var mu sync.Mutex
			var won []blob.Hash
			for i := range 4 {
				b := []byte{'0', '1', '2', '3', '4', '5', '6', '7', '8', byte('a' + i%2)}
				wg.Go(func() {
					_, err := u.Append(t.Context(), up.ID, 0, b, blob.Sum(b))
					if err != nil && !errors.Is(err, blob.ErrOffset) {
						t.Error(err)
					}
					if err == nil {
						mu.Lock()
						won = append(won, blob.Sum(b))
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			h, err := u.Finish(t.Context(), up.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range won {
				if w != h {
					t.Errorf("round %d: acknowledged %s, stored %s", round, w, h)
				}
			}
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	eachTaking(t, func(t *testing.T, u taking) {
		t.Helper()
		ctx := t.Context()
		file := pdf(1000)
		old := u.mustBegin(t, blob.New{Name: "a.pdf", Size: 2000})
		u.send(t, old.ID, 0, file)
		done := u.mustBegin(t, blob.New{Name: "a.pdf", Size: 1000})
		u.send(t, done.ID, 0, file)
		if _, err := u.Finish(ctx, done.ID); err != nil {
			t.Fatal(err)
		}
		u.clock.Advance(25 * time.Hour)
		young := u.mustBegin(t, blob.New{Name: "a.pdf", Size: 2000})
		u.send(t, young.ID, 0, file)
		if n, err := u.Sweep(ctx, 24*time.Hour); err != nil || n != 1 {
			t.Errorf("Sweep = %d, %v", n, err)
		}
		if n, err := u.Sweep(ctx, 24*time.Hour); err != nil || n != 0 {
			t.Errorf("Sweep again = %d, %v", n, err)
		}
		if _, err := u.disk.Read(ctx, old.ID+"/0-"+string(blob.Sum(file))); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("the old piece: %v", err)
		}
		if _, err := u.Append(ctx, old.ID, 1000, file, blob.Sum(file)); !errors.Is(err, blob.ErrClosed) {
			t.Errorf("going on with a dropped one: %v", err)
		}
		if _, err := u.Append(ctx, old.ID, 0, file, blob.Sum(file)); !errors.Is(err, blob.ErrClosed) {
			t.Errorf("an old piece of a dropped one: %v", err)
		}
		if _, err := u.Finish(ctx, old.ID); !errors.Is(err, blob.ErrClosed) {
			t.Errorf("finishing a dropped one: %v", err)
		}
		u.send(t, young.ID, 1000, blobtest.Bytes(1, 1000))
		if _, err := u.Finish(ctx, young.ID); err != nil {
			t.Error(err)
		}
		if err := u.Drop(ctx, done.ID); err != nil {
			t.Error(err)
		}
		if _, err := u.disk.Stat(ctx, blob.Sum(file)); err != nil {
			t.Errorf("Drop of a finished upload took the file: %v", err)
		}
	})
}

// fullStage keeps nothing.
type fullStage struct{ blob.Staging }

func (fullStage) Keep(context.Context, string, []byte) error { return io.ErrShortWrite }

// What could not be kept is not acknowledged.
func TestStageFails(t *testing.T) {
	t.Parallel()
	eachTaking(t, func(t *testing.T, u taking) {
		t.Helper()
		bad := blob.NewUploads(u.db, u.disk, fullStage{u.disk}, blob.Limits{File: 1 << 20, Chunk: 1 << 20, Zip: blob.DefaultZip()})
		up := u.mustBegin(t, blob.New{Name: "a.pdf", Size: 100})
		if _, err := bad.Append(t.Context(), up.ID, 0, pdf(100), blob.Sum(pdf(100))); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("got %v", err)
		}
		if got, err := u.Get(t.Context(), up.ID); err != nil || got.Received != 0 {
			t.Errorf("received %d, %v", got.Received, err)
		}
	})
}

// The whole way over the S3 server.
func TestUploadS3(t *testing.T) {
	t.Parallel()
	s := blobtest.Bucket(t, blobtest.StartS3(t), "uploads")
	d := dbtest.Open(t, db.SQLite, []db.Line{blob.Migrations()}, clock.Wall{})
	u := taking{Uploads: blob.NewUploads(d, s, s, blob.Limits{File: 4 << 20, Chunk: 1 << 20, Zip: blob.DefaultZip()}), db: d}
	file := pdf(1_500_000)
	up := u.mustBegin(t, blob.New{Name: "a.pdf", Size: int64(len(file))})
	u.send(t, up.ID, 0, file[:1_000_000])
	u.send(t, up.ID, 1_000_000, file[1_000_000:])
	h, err := u.Finish(t.Context(), up.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := blob.Verify(t.Context(), s, h); err != nil {
		t.Error(err)
	}
}
