package blob

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"

	"haoban/platform/errs"
)

// ZipLimits are the most that a zip archive may hold.
type ZipLimits struct {
	Entries  int   // members
	Expanded int64 // bytes of all members together
	Ratio    int64 // times that a member may grow, once it is past 1 MB
}

// DefaultZip returns the limits for what people hand in.
func DefaultZip() ZipLimits { return ZipLimits{Entries: 10_000, Expanded: 2 << 30, Ratio: 500} }

// What CheckZip finds.
var (
	// ErrZip says that an archive cannot be read.
	ErrZip = errs.New(errs.Invalid, "zip.broken", "压缩包已损坏或格式不正确，请重新打包")
	// ErrZipLies says that an archive says one thing and holds another.
	ErrZipLies = errs.New(errs.Invalid, "zip.lies", "压缩包内记录与实际内容不一致，拒绝接收")
	// ErrZipBomb says that an archive would grow past its limits.
	ErrZipBomb = errs.New(errs.Invalid, "zip.bomb", "压缩包展开后过大或文件过多，拒绝接收")
	// ErrZipPath says that a member would be unpacked elsewhere.
	ErrZipPath = errs.New(errs.Invalid, "zip.path", "压缩包内有不安全的文件名，拒绝接收")
	// ErrZipLocked says that an archive is encrypted.
	ErrZipLocked = errs.New(errs.Invalid, "zip.locked", "压缩包加了密码，无法查验，请去掉密码后重新上传")
)

const (
	ratioFrom   = 1 << 20 // what a small member grows by does not matter
	maxZipName  = 1024
	maxZipExtra = 8192
	localHeader = 30
)

// CheckZip reads the whole archive of size bytes and refuses one that is
// damaged, locked, too much, or not what it says: sizes and sums, the two
// headers of each member, members that share bytes, names that climb out of
// the folder or come twice. It returns one of the errors above, with the
// member's name as a field. It returns the members' names if all is well.
func CheckZip(ctx context.Context, r io.ReaderAt, size int64, lim ZipLimits) ([]string, error) {
	// The directory is read under a budget: it may itself be the bomb.
	b := &budget{r: r, left: int64(lim.Entries)*(46+256) + 1<<17}
	z, err := zip.NewReader(b, size)
	if errors.Is(err, errBudget) {
		return nil, ErrZipBomb.Wrap(err)
	}
	if err != nil {
		return nil, ErrZip.Wrap(err)
	}
	b.off = true
	if len(z.File) > lim.Entries {
		return nil, ErrZipBomb.Wrap(fmt.Errorf("%d members", len(z.File)))
	}
	var names []string
	var total int64
	seen := map[string]bool{}
	spans := make([]span, 0, len(z.File))
	for _, f := range z.File {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("zip: %w", err)
		}
		if err := checkName(f, seen); err != nil {
			return nil, err
		}
		if f.Flags&1 != 0 {
			return nil, member(ErrZipLocked, f, "locked")
		}
		s, err := checkLocal(r, f)
		if err != nil {
			return nil, err
		}
		spans = append(spans, s)
		n, err := expand(ctx, f, lim, lim.Expanded-total)
		if err != nil {
			return nil, err
		}
		total += n
		names = append(names, f.Name)
	}
	slices.SortFunc(spans, func(a, b span) int { return int(min(1, max(-1, a.from-b.from))) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return nil, member(ErrZipLies, spans[i].f, "overlap")
		}
	}
	return names, nil
}

func member(e *errs.Error, f *zip.File, rule string) error {
	name := strings.ToValidUTF8(f.Name, "?")
	return e.With(name[:min(len(name), 200)], rule, e.Msg)
}

func checkName(f *zip.File, seen map[string]bool) error {
	name := f.Name
	bad := name == "" || len(name) > maxZipName || strings.ContainsAny(name, "\\:\x00") || strings.HasPrefix(name, "/") ||
		f.Mode()&(fs.ModeSymlink|fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeIrregular) != 0
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		bad = bad || part == ".." || part == "." || part == ""
	}
	if bad {
		return member(ErrZipPath, f, "path")
	}
	key := strings.ToLower(strings.TrimSuffix(name, "/"))
	if seen[key] {
		return member(ErrZipPath, f, "twice")
	}
	seen[key] = true
	return nil
}

// span is the bytes a member takes in the archive, header and all.
type span struct {
	f        *zip.File
	from, to int64
}

// checkLocal finds the header that stands before a member and holds it against
// what the directory says: programs differ in which of the two they believe.
func checkLocal(r io.ReaderAt, f *zip.File) (span, error) {
	lies := func(rule string) (span, error) { return span{}, member(ErrZipLies, f, rule) }
	at, err := f.DataOffset()
	if err != nil {
		return span{}, ErrZip.Wrap(err)
	}
	n := int64(len(f.Name))
	back := min(at, localHeader+n+maxZipExtra)
	b := make([]byte, back)
	if _, err := r.ReadAt(b, at-back); err != nil && !errors.Is(err, io.EOF) {
		return span{}, fmt.Errorf("zip: %w", err)
	}
	for extra := int64(0); localHeader+n+extra <= back; extra++ {
		h := b[back-localHeader-n-extra:]
		if string(h[:4]) != "PK\x03\x04" || int64(binary.LittleEndian.Uint16(h[26:])) != n || int64(binary.LittleEndian.Uint16(h[28:])) != extra {
			continue
		}
		if !bytes.Equal(h[localHeader:localHeader+n], []byte(f.Name)) {
			return lies("name")
		}
		if binary.LittleEndian.Uint16(h[8:]) != f.Method || binary.LittleEndian.Uint16(h[6:])&1 != f.Flags&1 {
			return lies("method")
		}
		if f.Flags&8 == 0 { // sizes stand here, not after the data
			sum, packed, plain := binary.LittleEndian.Uint32(h[14:]), binary.LittleEndian.Uint32(h[18:]), binary.LittleEndian.Uint32(h[22:])
			const wide = 0xffffffff // the true size is in the extra field
			if sum != f.CRC32 || packed != wide && uint64(packed) != f.CompressedSize64 || plain != wide && uint64(plain) != f.UncompressedSize64 {
				return lies("size")
			}
		}
		from := at - localHeader - n - extra
		return span{f: f, from: from, to: at + int64(f.CompressedSize64)}, nil //nolint:gosec // the reader checked it against the file's size
	}
	return lies("header")
}

// expand unpacks a member to nowhere and returns its size.
func expand(ctx context.Context, f *zip.File, lim ZipLimits, left int64) (_ int64, err error) {
	if f.UncompressedSize64 > uint64(max(left, 0)) {
		return 0, member(ErrZipBomb, f, "size")
	}
	says := int64(f.UncompressedSize64) //nolint:gosec // less than left
	if f.Method != zip.Store && f.Method != zip.Deflate {
		return 0, member(ErrZip, f, "method")
	}
	if f.Mode().IsDir() {
		if says != 0 || f.CompressedSize64 > 2 {
			return 0, member(ErrZipLies, f, "folder")
		}
		return 0, nil
	}
	raw, err := f.Open()
	if err != nil {
		return 0, member(ErrZip.Wrap(err), f, "open")
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	packed := int64(f.CompressedSize64) //nolint:gosec // checked against the file's size
	var sum uint32
	var n int64
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return n, fmt.Errorf("zip: %w", err)
		}
		k, rerr := raw.Read(buf)
		n += int64(k)
		sum = crc32.Update(sum, crc32.IEEETable, buf[:k])
		switch {
		case n > says:
			return n, member(ErrZipLies, f, "size")
		case n > ratioFrom && n > (packed+1)*lim.Ratio:
			return n, member(ErrZipBomb, f, "ratio")
		case errors.Is(rerr, zip.ErrChecksum), errors.Is(rerr, zip.ErrFormat), errors.Is(rerr, io.EOF) && (n != says || sum != f.CRC32):
			return n, member(ErrZipLies, f, "sum")
		case errors.Is(rerr, io.ErrUnexpectedEOF) && n != says:
			return n, member(ErrZipLies, f, "size")
		case errors.Is(rerr, io.EOF):
			return n, nil
		case rerr != nil:
			return n, member(ErrZip.Wrap(rerr), f, "data")
		}
	}
}

// HasPart says whether members hold what makes the archive a file of kind k.
func (k Kind) HasPart(members []string) bool {
	return k.Part == "" || slices.ContainsFunc(members, func(m string) bool {
		return m == k.Part || strings.HasSuffix(k.Part, "/") && strings.HasPrefix(m, k.Part)
	})
}

var errBudget = errors.New("the directory is too large")

// budget lets so many bytes be read until it is off.
type budget struct {
	r    io.ReaderAt
	left int64
	off  bool
}

// ReadAt implements io.ReaderAt.
func (b *budget) ReadAt(p []byte, at int64) (int, error) {
	if !b.off {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errBudget
		}
	}
	return b.r.ReadAt(p, at)
}
