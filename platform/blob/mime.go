package blob

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"haoban/platform/errs"
)

// Kind is a sort of file that may be handed in.
type Kind struct {
	Ext  string   // with its dot, lower case
	MIME string   // what it is stored and served as
	Name string   // what people call it
	Also []string // other media types that clients declare it as
	Zip  bool     // a zip archive inside, to be held to CheckZip
	Part string   // for a zip: a member it must have, or the folder of one

	head func(b []byte) bool
}

// HeadSize is how many first bytes of a file Head wants to see.
const HeadSize = 4096

// ErrMIME says that a file is not what it is declared as, or of no sort that is
// taken.
var ErrMIME = errs.New(errs.Invalid, "upload.mime", "文件类型不符合要求")

// Kinds returns the sorts of files that are taken.
func Kinds() []Kind {
	starts := func(magic ...string) func([]byte) bool {
		return func(b []byte) bool {
			return slices.ContainsFunc(magic, func(m string) bool { return bytes.HasPrefix(b, []byte(m)) })
		}
	}
	zip := starts("PK\x03\x04")
	office := "application/vnd.openxmlformats-officedocument."
	return []Kind{
		{Ext: ".pdf", MIME: "application/pdf", Name: "PDF 文件", Also: []string{"application/x-pdf"}, head: starts("%PDF-")},
		{Ext: ".jpg", MIME: "image/jpeg", Name: "JPEG 图片", Also: []string{"image/jpg", "image/pjpeg"}, head: starts("\xff\xd8\xff")},
		{Ext: ".jpeg", MIME: "image/jpeg", Name: "JPEG 图片", Also: []string{"image/jpg", "image/pjpeg"}, head: starts("\xff\xd8\xff")},
		{Ext: ".png", MIME: "image/png", Name: "PNG 图片", Also: []string{"image/x-png"}, head: starts("\x89PNG\r\n\x1a\n")},
		{Ext: ".webp", MIME: "image/webp", Name: "WebP 图片", head: isWebP},
		{Ext: ".webm", MIME: "video/webm", Name: "WebM 录像", Also: []string{"audio/webm"}, head: isWebM},
		{Ext: ".mp4", MIME: "video/mp4", Name: "MP4 录像", Also: []string{"audio/mp4"}, head: isMP4},
		{Ext: ".docx", MIME: office + "wordprocessingml.document", Name: "Word 文档", Zip: true, Part: "word/", head: zip},
		{Ext: ".xlsx", MIME: office + "spreadsheetml.sheet", Name: "Excel 表格", Zip: true, Part: "xl/", head: zip},
		{Ext: ".ofd", MIME: "application/ofd", Name: "OFD 版式文件", Also: []string{"application/x-ofd"}, Zip: true, Part: "OFD.xml", head: zip},
		{Ext: ".zip", MIME: "application/zip", Name: "ZIP 压缩包", Also: []string{"application/x-zip-compressed", "application/x-zip"}, Zip: true, head: zip},
		{Ext: ".dxf", MIME: "image/vnd.dxf", Name: "DXF 图形", Also: []string{"application/dxf", "image/x-dxf", "text/plain"}, head: isDXF},
		{Ext: ".dwg", MIME: "image/vnd.dwg", Name: "DWG 图形", Also: []string{"application/acad", "image/x-dwg", "application/x-dwg"}, head: isDWG},
		{Ext: ".txt", MIME: "text/plain", Name: "文本文件", head: isText},
		{Ext: ".csv", MIME: "text/csv", Name: "CSV 表格", Also: []string{"text/plain", "application/vnd.ms-excel"}, head: isText},
		{Ext: ".geojson", MIME: "application/geo+json", Name: "GeoJSON 图形", Also: []string{"application/json", "text/plain"}, head: isJSON},
		{Ext: ".json", MIME: "application/json", Name: "JSON 文件", Also: []string{"text/plain"}, head: isJSON},
		{Ext: ".shp", MIME: "application/vnd.shp", Name: "Shapefile 图形", Also: []string{"application/x-shapefile", "x-gis/x-shapefile"}, head: starts("\x00\x00\x27\x0a")},
		{Ext: ".shx", MIME: "application/vnd.shx", Name: "Shapefile 索引", head: starts("\x00\x00\x27\x0a")},
		{Ext: ".dbf", MIME: "application/vnd.dbf", Name: "Shapefile 属性表", Also: []string{"application/x-dbf", "application/dbase", "application/dbf", "application/x-dbase"}, head: isDBF},
		{Ext: ".prj", MIME: "text/plain", Name: "坐标系说明", head: isText},
		{Ext: ".cpg", MIME: "text/plain", Name: "编码说明", head: isText},
		{Ext: ".mdb", MIME: "application/vnd.ms-access", Name: "Access 数据库", Also: []string{"application/msaccess", "application/x-msaccess"}, head: starts("\x00\x01\x00\x00Standard Jet DB", "\x00\x01\x00\x00Standard ACE DB")},
	}
}

// KindOf returns the sort that a file of this name and declared media type is
// said to be. An empty or general type declares nothing. It returns ErrMIME for
// a sort that is not taken, or a type that is not the name's.
func KindOf(name, mime string) (Kind, error) {
	ext := strings.ToLower(path.Ext(strings.ReplaceAll(name, `\`, "/")))
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Ext == ext })
	if i < 0 {
		return Kind{}, ErrMIME.With("name", "kind", "不接收这种文件（"+ext+"），请改用 PDF、图片、Word、Excel、OFD、ZIP 等格式")
	}
	k := kinds[i]
	mime, _, _ = strings.Cut(mime, ";")
	mime = strings.ToLower(strings.TrimSpace(mime))
	if mime != "" && mime != "application/octet-stream" && mime != k.MIME && !slices.Contains(k.Also, mime) {
		return Kind{}, ErrMIME.With("mime", "declared", "文件名是"+k.Name+"，但声明的类型是 "+mime)
	}
	return k, nil
}

// Head returns ErrMIME when the first bytes of a file, HeadSize of them if it
// has as many, are not those of k.
func (k Kind) Head(b []byte) error {
	if k.head != nil && k.head(b[:min(len(b), HeadSize)]) {
		return nil
	}
	return ErrMIME.With("content", "sniffed", "文件内容不是"+k.Name+"，请核对文件，不要只改扩展名")
}

func isWebP(b []byte) bool {
	return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
}

// isWebM wants the EBML mark and DocType webm (id 42 82) in the header.
func isWebM(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")) && bytes.Contains(b[:min(len(b), 80)], []byte("\x42\x82\x84webm"))
}

func isMP4(b []byte) bool { return len(b) >= 12 && string(b[4:8]) == "ftyp" }

// isDWG wants the release mark AC10nn of R13 and later.
func isDWG(b []byte) bool {
	return len(b) >= 6 && string(b[:4]) == "AC10" && b[4] >= '0' && b[4] <= '9' && b[5] >= '0' && b[5] <= '9'
}

// isDXF wants the binary mark, or group code 0 SECTION after comments (999).
func isDXF(b []byte) bool {
	if bytes.HasPrefix(b, []byte("AutoCAD Binary DXF\r\n\x1a\x00")) {
		return true
	}
	if !isText(b) {
		return false
	}
	lines := strings.Split(strings.TrimPrefix(string(b), "\ufeff"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		switch strings.TrimSpace(lines[i]) {
		case "999":
		case "0":
			return strings.TrimSpace(lines[i+1]) == "SECTION"
		default:
			return false
		}
	}
	return false
}

// isDBF wants a known version and lengths that fit together.
func isDBF(b []byte) bool {
	if len(b) < 32 || !slices.Contains([]byte{0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8b, 0x8c, 0xcb, 0xf5, 0xfb}, b[0]) {
		return false
	}
	return binary.LittleEndian.Uint16(b[8:]) >= 33 && binary.LittleEndian.Uint16(b[10:]) >= 1
}

func isJSON(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), " \t\r\n")
	return len(b) > 0 && (b[0] == '{' || b[0] == '[') && isText(b)
}

// isText wants UTF-8 or a double-byte code such as GBK: no control characters
// but white space, and no mark of another format at the start.
func isText(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1a || c == 0x7f {
			return false
		}
	}
	for _, magic := range []string{"%PDF-", "PK\x03\x04", "MZ", "\x7fELF", "Rar!", "<!DOCTYPE html", "<html", "<svg", "<script"} {
		if len(b) >= len(magic) && strings.EqualFold(string(b[:len(magic)]), magic) {
			return false
		}
	}
	return len(b) == 0 || utf8.Valid(trimRune(b)) || isDoubleByte(b)
}

// trimRune takes away a rune that the end of the head cuts in two.
func trimRune(b []byte) []byte {
	for i := 1; i <= 3 && i <= len(b); i++ {
		if c := b[len(b)-i]; c >= 0xc0 && !utf8.FullRune(b[len(b)-i:]) {
			return b[:len(b)-i]
		}
	}
	return b
}

// isDoubleByte says whether every high byte leads a GBK pair or GB 18030
// quadruple.
func isDoubleByte(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		if b[i] == 0x80 || b[i] == 0xff {
			return false
		}
		if i+1 == len(b) {
			return true // cut in two by the end of the head
		}
		if c := b[i+1]; c >= 0x30 && c <= 0x39 {
			i += 3
		} else if c >= 0x40 && c != 0x7f && c != 0xff {
			i++
		} else {
			return false
		}
	}
	return true
}
