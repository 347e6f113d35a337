package blob_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"haoban/platform/blob"
	"haoban/platform/errs"
)

// heads is the beginning of one good file of each sort.
func heads() map[string]string {
	dbf := make([]byte, 65)
	dbf[0] = 3
	binary.LittleEndian.PutUint16(dbf[8:], 65)
	binary.LittleEndian.PutUint16(dbf[10:], 20)
	return map[string]string{
		".pdf": "%PDF-1.7\n", ".jpg": "\xff\xd8\xff\xe0\x00\x10JFIF", ".jpeg": "\xff\xd8\xff\xe1", ".png": "\x89PNG\r\n\x1a\n\x00",
		".webp": "RIFF\x10\x00\x00\x00WEBPVP8 ", ".webm": "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm",
		".mp4": "\x00\x00\x00\x18ftypmp42", ".docx": "PK\x03\x04", ".xlsx": "PK\x03\x04", ".ofd": "PK\x03\x04", ".zip": "PK\x03\x04",
		".dxf": "999\r\ncomment\r\n  0\r\nSECTION\r\n  2\r\nHEADER\r\n", ".dwg": "AC1032\x00\x00", ".txt": "宗地面积 100\r\n",
		".csv": "\xef\xbb\xbf编号,名称\n", ".geojson": " {\"type\":\"FeatureCollection\"}", ".json": "[1]",
		".shp": "\x00\x00\x27\x0a\x00", ".shx": "\x00\x00\x27\x0a\x00", ".dbf": string(dbf), ".prj": "PROJCS[\"CGCS2000\"]", ".cpg": "UTF-8",
		".mdb": "\x00\x01\x00\x00Standard Jet DB\x00",
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	all := heads()
	for _, k := range blob.Kinds() {
		own, ok := all[k.Ext]
		if !ok {
			t.Errorf("%s has no sample", k.Ext)
			continue
		}
		if err := k.Head([]byte(own)); err != nil {
			t.Errorf("%s refuses its own sample: %v", k.Ext, err)
		}
		for _, mime := range append([]string{"", "application/octet-stream", k.MIME, strings.ToUpper(k.MIME) + "; x=y"}, k.Also...) {
			if got, err := blob.KindOf("图纸.副本"+strings.ToUpper(k.Ext), mime); err != nil || got.MIME != k.MIME {
				t.Errorf("%s declared as %q: %v", k.Ext, mime, err)
			}
		}
		if _, err := blob.KindOf("x"+k.Ext, "text/html"); !errors.Is(err, blob.ErrMIME) {
			t.Errorf("%s declared as text/html: %v", k.Ext, err)
		}
		for _, bad := range []string{"MZ\x90\x00", "\x7fELF", "<!DOCTYPE html>", "<script>", "\x00\x00\x00\x00", "Rar!\x1a\x07"} {
			if err := k.Head([]byte(bad)); !errors.Is(err, blob.ErrMIME) {
				t.Errorf("%s takes %q", k.Ext, bad)
			}
		}
	}
	for _, name := range []string{"a.exe", "a.html", "a.svg", "a", "", "pdf", "a.pdf.js", "a.pdf/b"} {
		if _, err := blob.KindOf(name, ""); !errors.Is(err, blob.ErrMIME) || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q is taken: %v", name, err)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	k, err := blob.KindOf("a.txt", "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("地", 3000) // the head cuts a rune in two
	for _, good := range []string{"", "a", "界址点\tX\tY\n", long, long[1:][:0], "\xbd\xe7\xd6\xb7\xb5\xe3", strings.Repeat("\xbd\xe7", 3000), "a" + strings.Repeat("\xbd\xe7", 3000), "\x81\x30\x81\x30x"} {
		if err := k.Head([]byte(good)); err != nil {
			t.Errorf("refuses %.20q: %v", good, err)
		}
	}
	for _, bad := range []string{"a\x00b", "\x01", "\xff\xfe\x41\x00", "a\x7f", "<HTML>", "\xbd\x01"} {
		if err := k.Head([]byte(bad)); err == nil {
			t.Errorf("takes %q", bad)
		}
	}
}

func FuzzHead(f *testing.F) {
	for _, h := range heads() {
		f.Add([]byte(h))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, k := range blob.Kinds() {
			if err := k.Head(b); err != nil && !errors.Is(err, blob.ErrMIME) {
				t.Fatal(err)
			}
		}
	})
}

type member struct {
	name   string
	data   []byte
	method uint16
	header func(*zip.FileHeader)
}

// pack makes a zip whose local headers carry the sizes.
func pack(tb testing.TB, members ...member) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: m.method}
		if m.header != nil {
			m.header(h)
		}
		if m.method == zip.Store {
			h.CRC32 = crc32.ChecksumIEEE(m.data)
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(m.data)), uint64(len(m.data))
			f, err := w.CreateRaw(h)
			if err == nil {
				_, err = f.Write(m.data)
			}
			if err != nil {
				tb.Fatal(err)
			}
			continue
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write(m.data)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func docx(tb testing.TB) []byte {
	tb.Helper()
	return pack(tb, member{name: "[Content_Types].xml", data: []byte("<Types/>"), method: zip.Deflate},
		member{name: "word/document.xml", data: bytes.Repeat([]byte("<w:p/>"), 1000), method: zip.Deflate})
}

func TestCheckZip(t *testing.T) {
	t.Parallel()
	lim := blob.ZipLimits{Entries: 50, Expanded: 8 << 20, Ratio: 100}
	deed := []byte("the deed of the house")
	good := pack(t, member{name: "a/", method: zip.Store}, member{name: "a/deed.txt", data: deed, method: zip.Store},
		member{name: "图.txt", data: bytes.Repeat(deed, 100), method: zip.Deflate}, member{name: "empty", method: zip.Deflate})
	// edit changes the bytes of a field in the n-th header of a sort.
	edit := func(b []byte, sig string, n, at int, to []byte) []byte {
		t.Helper()
		b = bytes.Clone(b)
		i := -1
		for range n + 1 {
			j := bytes.Index(b[i+1:], []byte(sig))
			if j < 0 {
				t.Fatalf("no header %q", sig)
			}
			i += 1 + j
		}
		copy(b[i+at:], to)
		return b
	}
	const local, central = "PK\x03\x04", "PK\x01\x02"
	u32 := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
	bomb := pack(t, member{name: "zeros", data: make([]byte, 7<<20), method: zip.Deflate})
	one := pack(t, member{name: "deed.txt", data: deed, method: zip.Store})
	packed := pack(t, member{name: "zeros", data: make([]byte, 900<<10), method: zip.Deflate})
	many := make([]member, 51)
	for i := range many {
		many[i] = member{name: strings.Repeat("x", i+1), method: zip.Store}
	}
	crowd := make([]member, 3000)
	for i := range crowd {
		crowd[i] = member{name: strings.Repeat("y", i%200+1), method: zip.Store}
	}
	// Two directory entries for one member's bytes.
	two := pack(t, member{name: "aaaa", data: deed, method: zip.Store}, member{name: "bbbb", data: deed, method: zip.Store})
	shared := edit(two, central, 1, 42, u32(0))
	named := func(name string) []byte { return pack(t, member{name: name, data: deed, method: zip.Store}) }
	for _, tt := range []struct {
		name string
		zip  []byte
		want error
	}{
		{"good", good, nil},
		{"a real document", docx(t), nil},
		{"no zip", []byte("PK\x03\x04 but not really"), blob.ErrZip},
		{"nothing", nil, blob.ErrZip},
		{"cut", good[:len(good)-30], blob.ErrZip},
		{"bomb by ratio", bomb, blob.ErrZipBomb},
		{"bomb by total", pack(t, member{name: "a", data: blobRandom(5 << 20), method: zip.Store}, member{name: "b", data: blobRandom(4 << 20), method: zip.Store}), blob.ErrZipBomb},
		{"bomb by number", pack(t, many...), blob.ErrZipBomb},
		{"bomb in the directory", pack(t, crowd...), blob.ErrZipBomb},
		{"both say larger than the limit", edit(edit(one, central, 0, 24, u32(1<<30)), local, 0, 22, u32(1<<30)), blob.ErrZipBomb},
		{"directory says smaller than it is", edit(packed, central, 0, 24, u32(100)), blob.ErrZipLies},
		{"directory says larger than it is", edit(packed, central, 0, 24, u32(950<<10)), blob.ErrZipLies},
		{"local header has another size", edit(one, local, 0, 22, u32(5)), blob.ErrZipLies},
		{"local header has another name", edit(one, local, 0, 30, []byte("evil.txt")), blob.ErrZipLies},
		{"local header has another method", edit(one, local, 0, 8, []byte{8, 0}), blob.ErrZipLies},
		{"both have a wrong sum", edit(edit(one, local, 0, 14, u32(7)), central, 0, 16, u32(7)), blob.ErrZipLies},
		{"data changed", bytes.Replace(one, []byte("the deed"), []byte("the weed"), 1), blob.ErrZipLies},
		{"members share bytes", edit(shared, central, 1, 46, []byte("aaab")), blob.ErrZipLies},
		{"locked", edit(edit(one, local, 0, 6, []byte{1}), central, 0, 8, []byte{1}), blob.ErrZipLocked},
		{"climbs out", named("../../etc/cron.d/x"), blob.ErrZipPath},
		{"climbs in the middle", named("a/../../x"), blob.ErrZipPath},
		{"absolute", named("/etc/passwd"), blob.ErrZipPath},
		{"drive", named(`C:\x`), blob.ErrZipPath},
		{"backslash", named(`..\x`), blob.ErrZipPath},
		{"no name", named(""), blob.ErrZipPath},
		{"NUL", named("a\x00.pdf"), blob.ErrZipPath},
		{"long name", named(strings.Repeat("n", 2000)), blob.ErrZipPath},
		{"twice", pack(t, member{name: "A.pdf", data: deed, method: zip.Store}, member{name: "a.PDF", data: deed, method: zip.Store}), blob.ErrZipPath},
		{"link", pack(t, member{name: "l", data: []byte("/etc/passwd"), method: zip.Store, header: func(h *zip.FileHeader) { h.SetMode(0o777 | 1<<27) }}), blob.ErrZipPath},
		{"folder with bytes", edit(edit(pack(t, member{name: "dirx", data: deed, method: zip.Store}), local, 0, 33, []byte("/")), central, 0, 49, []byte("/")), blob.ErrZipLies},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := blob.CheckZip(t.Context(), bytes.NewReader(tt.zip), int64(len(tt.zip)), lim)
			if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err != nil && errs.KindOf(err) != errs.Invalid {
				t.Errorf("kind %v", errs.KindOf(err))
			}
		})
	}
}

func blobRandom(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func FuzzCheckZip(f *testing.F) {
	f.Add(docx(f))
	f.Add(pack(f, member{name: "a/", method: zip.Store}, member{name: "a/b", data: []byte("x"), method: zip.Store}))
	f.Fuzz(func(t *testing.T, b []byte) {
		names, err := blob.CheckZip(t.Context(), bytes.NewReader(b), int64(len(b)), blob.ZipLimits{Entries: 20, Expanded: 1 << 20, Ratio: 100})
		if err != nil {
			return
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(z.File) != len(names) {
			t.Fatalf("passed, but %v", err)
		}
		for _, m := range z.File {
			r, err := m.Open()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil { //nolint:gosec // CheckZip has just passed it
				t.Fatal(err)
			}
		}
	})
}
