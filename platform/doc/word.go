package doc

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// Word collects a simple DOCX: headings, paragraphs and tables. The zero value
// is empty and ready.
type Word struct{ body bytes.Buffer }

// Heading adds a heading of level 1 to 3.
func (w *Word) Heading(level int, text string) {
	size, how := 44, "center"
	switch {
	case level == 2:
		size, how = 32, "left"
	case level >= 3:
		size, how = 28, "left"
	}
	fmt.Fprintf(&w.body, `<w:p><w:pPr><w:keepNext/><w:spacing w:before="160" w:after="120"/><w:jc w:val="%s"/><w:outlineLvl w:val="%d"/></w:pPr>`, how, max(level, 1)-1)
	w.run(text, fmt.Sprintf(`<w:b/><w:sz w:val="%d"/>`, size))
	w.body.WriteString(`</w:p>`)
}

// Paragraph adds a paragraph whose first line is indented by two characters. A
// new line in text breaks the line.
func (w *Word) Paragraph(text string) {
	w.body.WriteString(`<w:p><w:pPr><w:spacing w:line="360" w:lineRule="auto"/><w:ind w:firstLineChars="200" w:firstLine="480"/></w:pPr>`)
	w.run(text, `<w:sz w:val="24"/>`)
	w.body.WriteString(`</w:p>`)
}

// Right adds a paragraph at the right margin, for a signature line or a date.
func (w *Word) Right(text string) {
	w.body.WriteString(`<w:p><w:pPr><w:jc w:val="right"/></w:pPr>`)
	w.run(text, `<w:sz w:val="24"/>`)
	w.body.WriteString(`</w:p>`)
}

// Table adds a table with lines; the head, if any, is bold and repeated on every
// page. Rows shorter than the longest are filled up.
func (w *Word) Table(head []string, rows [][]string) {
	n := len(head)
	for _, r := range rows {
		n = max(n, len(r))
	}
	if n == 0 {
		return
	}
	w.body.WriteString(`<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>`)
	for _, side := range []string{"top", "left", "bottom", "right", "insideH", "insideV"} {
		fmt.Fprintf(&w.body, `<w:%s w:val="single" w:sz="4" w:space="0" w:color="000000"/>`, side)
	}
	w.body.WriteString(`</w:tblBorders></w:tblPr><w:tblGrid>`)
	for range n {
		fmt.Fprintf(&w.body, `<w:gridCol w:w="%d"/>`, 9000/n)
	}
	w.body.WriteString(`</w:tblGrid>`)
	if len(head) > 0 {
		w.row(head, n, `<w:tblHeader/>`, `<w:b/>`)
	}
	for _, r := range rows {
		w.row(r, n, "", "")
	}
	w.body.WriteString(`</w:tbl><w:p/>`)
}

func (w *Word) row(cells []string, n int, trPr, rPr string) {
	w.body.WriteString(`<w:tr><w:trPr><w:cantSplit/>` + trPr + `</w:trPr>`)
	for i := range n {
		w.body.WriteString(`<w:tc><w:tcPr/><w:p>`)
		if i < len(cells) {
			w.run(cells[i], rPr+`<w:sz w:val="21"/>`)
		}
		w.body.WriteString(`</w:p></w:tc>`)
	}
	w.body.WriteString(`</w:tr>`)
}

func (w *Word) run(text, rPr string) {
	w.body.WriteString(`<w:r><w:rPr><w:rFonts w:ascii="SimSun" w:hAnsi="SimSun" w:eastAsia="SimSun"/>` + rPr + `</w:rPr>`)
	w.body.WriteString(wordText(text))
	w.body.WriteString(`</w:r>`)
}

// wordText writes text as w:t elements, with w:br for new lines.
func wordText(s string) string {
	return `<w:t xml:space="preserve">` + wordEscape(s) + `</w:t>`
}

// wordEscape escapes text for the inside of a w:t; a new line closes it, breaks
// and opens another.
func wordEscape(s string) string {
	var b bytes.Buffer
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteString(`</w:t><w:br/><w:t xml:space="preserve">`)
		}
		_ = xml.EscapeText(&b, []byte(line)) // a bytes.Buffer takes everything
	}
	return b.String()
}

const wordNS = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"`

// Bytes returns the DOCX file. The same content makes the same bytes.
func (w *Word) Bytes() ([]byte, error) {
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	return zipped([]zipEntry{
		{"[Content_Types].xml", head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`},
		{"_rels/.rels", head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`},
		{"word/document.xml", head + `<w:document ` + wordNS + `><w:body>` + w.body.String() +
			`<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1440" w:bottom="1440" w:left="1440" w:header="851" w:footer="992" w:gutter="0"/></w:sectPr></w:body></w:document>`},
	})
}

type zipEntry struct{ name, data string }

func zipped(entries []zipEntry) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return nil, fmt.Errorf("doc: docx: %w", err)
		}
		if _, err := f.Write([]byte(e.data)); err != nil {
			return nil, fmt.Errorf("doc: docx: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("doc: docx: %w", err)
	}
	return b.Bytes(), nil
}
