package doc

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"haoban/platform/errs"
)

// maxWord bounds what a template may unfold to.
const maxWord = 64 << 20

var placeholder = regexp.MustCompile(`\{\{\s*([^{}\s]+)\s*\}\}`)

// FillWord fills the placeholders {{name}} of a DOCX template, in its text,
// tables, headers and footers, even where Word has scattered one over several
// runs; it takes the look of its first character. A table row with {{list.name}}
// is repeated for every row of lists["list"].
//
// A placeholder without a value is an error of kind Internal with code
// doc.template that names it. Values are text: they are escaped, and a new line
// breaks the line.
func FillWord(template []byte, values map[string]string, lists map[string][]map[string]string) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, errs.New(errs.Internal, "doc.template", "Word 模板与数据对不上，没有生成").Wrap(err)
	}
	z, err := zip.NewReader(bytes.NewReader(template), int64(len(template)))
	if err != nil {
		return fail(err)
	}
	var out []zipEntry
	room := int64(maxWord)
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		data, err := unzip(f, room)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", f.Name, err))
		}
		room -= int64(len(data))
		if base, ok := strings.CutPrefix(f.Name, "word/"); ok && (base == "document.xml" || strings.HasPrefix(base, "header") || strings.HasPrefix(base, "footer")) {
			if data, err = fillPart(data, values, lists); err != nil {
				return fail(fmt.Errorf("%s: %w", f.Name, err))
			}
		}
		out = append(out, zipEntry{f.Name, string(data)})
	}
	return zipped(out)
}

func unzip(f *zip.File, room int64) (data []byte, err error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data, err = io.ReadAll(io.LimitReader(r, room+1))
	if err == nil && int64(len(data)) > room {
		err = errors.New("unfolds to too many bytes")
	}
	return data, err
}

// edit is a stretch of bytes to be written anew.
type edit struct {
	from, to int
	with     string
}

// fillPart repeats rows and fills all other paragraphs, in one pass: what a value
// says is never read as a placeholder.
func fillPart(data []byte, values map[string]string, lists map[string][]map[string]string) ([]byte, error) {
	s, err := scanWord(data)
	if err != nil {
		return nil, err
	}
	var rows []edit
	for _, r := range s.rows {
		name := listOf(s, r, lists)
		if name == "" || slices.ContainsFunc(rows, func(e edit) bool { return r[0] <= e.from && e.to <= r[1] }) {
			continue // no list, or around a row that is one
		}
		one := data[r[0]:r[1]]
		in, err := scanWord(one)
		if err != nil {
			return nil, err
		}
		var made []byte
		for _, item := range lists[name] {
			filled, err := fillText(one, in, nil, func(key string) (string, bool) {
				if field, ok := strings.CutPrefix(key, name+"."); ok {
					v, ok := item[field]
					return v, ok
				}
				v, ok := values[key]
				return v, ok
			})
			if err != nil {
				return nil, err
			}
			made = append(made, filled...)
		}
		rows = append(rows, edit{r[0], r[1], string(made)})
	}
	return fillText(data, s, rows, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
}

// wordScan is where the texts of a part lie: for each paragraph its pieces of
// text as byte ranges (the inside of w:t, still escaped), and the table rows.
type wordScan struct {
	paras [][]wordPiece
	rows  [][2]int // innermost first
}

type wordPiece struct {
	from, to int
	text     string
}

func scanWord(data []byte) (*wordScan, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	s := &wordScan{}
	var paras, rows []int // open paragraphs (index into s.paras) and rows (offset)
	inText, from, text := false, 0, ""
	for {
		at := int(d.InputOffset())
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Space != "w" {
				continue
			}
			switch t.Name.Local {
			case "p":
				paras = append(paras, len(s.paras))
				s.paras = append(s.paras, nil)
			case "tr":
				rows = append(rows, at)
			case "t":
				inText, from, text = true, int(d.InputOffset()), ""
			}
		case xml.CharData:
			if inText {
				text += string(t)
			}
		case xml.EndElement:
			if t.Name.Space != "w" {
				continue
			}
			switch t.Name.Local {
			case "p":
				if len(paras) > 0 {
					paras = paras[:len(paras)-1]
				}
			case "tr":
				if n := len(rows); n > 0 {
					s.rows = append(s.rows, [2]int{rows[n-1], int(d.InputOffset())})
					rows = rows[:n-1]
				}
			case "t":
				// a self-closing <w:t/> has no inside to write to
				if inText && len(paras) > 0 && at >= from && text != "" {
					p := paras[len(paras)-1]
					s.paras[p] = append(s.paras[p], wordPiece{from, at, text})
				}
				inText = false
			}
		}
	}
}

// listOf returns the list that the placeholders of a row ask for, if any.
func listOf(s *wordScan, row [2]int, lists map[string][]map[string]string) string {
	for _, p := range s.paras {
		if len(p) == 0 || p[0].from < row[0] || p[0].from >= row[1] {
			continue
		}
		for _, m := range placeholder.FindAllStringSubmatch(joined(p), -1) {
			if list, _, ok := strings.Cut(m[1], "."); ok {
				if _, known := lists[list]; known {
					return list
				}
			}
		}
	}
	return ""
}

func joined(p []wordPiece) string {
	var b strings.Builder
	for _, x := range p {
		b.WriteString(x.text)
	}
	return b.String()
}

// fillText writes values into the paragraphs: each placeholder's value goes
// where its first character stood, the rest of it is taken away. What lies in
// done is only replaced.
func fillText(data []byte, s *wordScan, done []edit, value func(string) (string, bool)) ([]byte, error) {
	edits := slices.Clone(done)
	for _, p := range s.paras {
		if len(p) > 0 && slices.ContainsFunc(done, func(e edit) bool { return e.from <= p[0].from && p[0].from < e.to }) {
			continue
		}
		whole := joined(p)
		found := placeholder.FindAllStringSubmatchIndex(whole, -1)
		if len(found) == 0 {
			continue
		}
		at := 0
		for _, piece := range p {
			start, end := at, at+len(piece.text)
			at = end
			var b strings.Builder
			pos, touched := start, false
			for _, m := range found {
				if m[1] <= start || m[0] >= end {
					continue
				}
				touched = true
				b.WriteString(wordEscape(whole[pos:max(m[0], pos)]))
				if m[0] >= start {
					name := whole[m[2]:m[3]]
					v, ok := value(name)
					if !ok {
						return nil, fmt.Errorf("the placeholder {{%s}} has no value", name)
					}
					b.WriteString(wordEscape(v))
				}
				pos = min(m[1], end)
			}
			if touched {
				b.WriteString(wordEscape(whole[pos:end]))
				edits = append(edits, edit{piece.from, piece.to, b.String()})
			}
		}
	}
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out []byte
	last := 0
	for _, e := range edits {
		out = append(append(out, data[last:e.from]...), e.with...)
		last = e.to
	}
	return append(out, data[last:]...), nil
}
