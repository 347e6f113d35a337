package doc_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"haoban/platform/doc"
	"haoban/platform/errs"
)

func seq(rows [][]any, last error) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if last != nil {
			yield(nil, last)
		}
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	cols := []doc.Column{{Title: "受理编号", Width: 24}, {Title: "金额"}, {Title: "日期"}, {Title: "时刻"}, {Title: "备注"}, {Title: "件数"}, {Title: "网办"}}
	at := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	evil := []string{`=HYPERLINK("http://evil","x")`, "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "普通 <文字> & 引号\""}
	var rows [][]any
	for i, e := range evil {
		rows = append(rows, []any{fmt.Sprintf("0%d", i), doc.Cents(1050), doc.Day("2026-11-23"), at, e, i, i%2 == 0})
	}
	rows = append(rows, []any{"空", nil, doc.Day(""), time.Time{}, "", int64(9), false})
	var b bytes.Buffer
	if err := doc.Sheet(&b, "办件", cols, seq(rows, nil)); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.GetRows("办件")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"受理编号", "金额", "日期", "时刻", "备注", "件数", "网办"}; !cmp.Equal(got[0], want) {
		t.Error(cmp.Diff(want, got[0]))
	}
	for i, e := range evil {
		want := []string{fmt.Sprintf("0%d", i), "10.50", "2026-11-23", "2026-11-23 09:02:03", e, fmt.Sprint(i), strings.ToUpper(fmt.Sprint(i%2 == 0))}
		if g := got[i+1]; !cmp.Equal(g, want) {
			t.Errorf("row %d: %s", i+1, cmp.Diff(want, g))
		}
		cell := fmt.Sprintf("E%d", i+2)
		if formula, err := f.GetCellFormula("办件", cell); err != nil || formula != "" {
			t.Errorf("%s holds the formula %q (%v)", cell, formula, err)
		}
		style, err := f.GetCellStyle("办件", cell)
		if err != nil {
			t.Fatal(err)
		}
		q := f.Styles.CellXfs.Xf[style].QuotePrefix
		if quoted := q != nil && *q; quoted != (i < 6) {
			t.Errorf("%s (%q) quoted: %v", cell, e, quoted)
		}
	}
	broken := errors.New("row lost")
	if err := doc.Sheet(io.Discard, "x", cols[:1], seq(nil, broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want the rows' own error", err)
	}
	for name, row := range map[string][]any{"too long": {strings.Repeat("长", 40000)}, "too few": {}, "no such type": {struct{}{}}, "no day": {doc.Day("2026-13-01")}} {
		if err := doc.Sheet(io.Discard, "x", cols[:1], seq([][]any{row}, nil)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// part reads one file of a DOCX.
func part(t *testing.T, docx []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(docx), int64(len(docx)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWord(t *testing.T) {
	t.Parallel()
	var w doc.Word
	w.Heading(1, "空间比对报告")
	w.Paragraph("重叠面积 <12.5> 平方米\n第二行 & 其他")
	w.Table([]string{"图层", "面积"}, [][]string{{"永久基本农田", "0.00"}, {"生态红线"}})
	w.Right("2026年11月23日")
	b, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x := part(t, b, "word/document.xml")
	for _, want := range []string{"空间比对报告", "&lt;12.5&gt; 平方米</w:t><w:br/>", "第二行 &amp; 其他", "永久基本农田", "生态红线", "2026年11月23日"} {
		if !strings.Contains(x, want) {
			t.Errorf("lacks %q", want)
		}
	}
}

// template is a DOCX as Word leaves it: placeholders scattered over runs.
func template(t *testing.T, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range map[string]string{
		"word/document.xml": `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>` + body + `</w:body></w:document>`,
		"word/header1.xml":  `<?xml version="1.0"?><w:hdr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:r><w:t>{{no}}</w:t></w:r></w:p></w:hdr>`,
		"word/styles.xml":   `<x>{{untouched}}</x>`,
	} {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFillWord(t *testing.T) {
	t.Parallel()
	tpl := template(t, `<w:p><w:pPr/><w:r><w:rPr><w:b/></w:rPr><w:t>关于{</w:t></w:r><w:r><w:t>{pro</w:t></w:r><w:proofErr/><w:r><w:t xml:space="preserve">ject}}的函（{{ no }}）</w:t></w:r></w:p>`+
		`<w:tbl><w:tr><w:tc><w:p><w:r><w:t>名称</w:t></w:r></w:p></w:tc></w:tr>`+
		`<w:tr><w:tc><w:p><w:r><w:t>{{items</w:t></w:r><w:r><w:t>.name}}&amp;{{no}}</w:t></w:r></w:p></w:tc></w:tr></w:tbl>`)
	values := map[string]string{"project": "A<B>地块\n二期", "no": "沪规{{1}}"}
	out, err := doc.FillWord(tpl, values, map[string][]map[string]string{"items": {{"name": "甲"}, {"name": "乙"}}})
	if err != nil {
		t.Fatal(err)
	}
	x := part(t, out, "word/document.xml")
	for _, want := range []string{`<w:t>关于A&lt;B&gt;地块</w:t><w:br/><w:t xml:space="preserve">二期</w:t>`, `<w:t xml:space="preserve">的函（沪规{{1}}）</w:t>`,
		`<w:t>甲</w:t>`, `<w:t>乙</w:t>`, `&amp;沪规`} {
		if !strings.Contains(x, want) {
			t.Errorf("lacks %q:\n%s", want, x)
		}
	}
	if strings.Contains(x, "items") || strings.Contains(x, "project") {
		t.Errorf("a placeholder was left: %s", x)
	}
	if h := part(t, out, "word/header1.xml"); !strings.Contains(h, "沪规{{1}}") {
		t.Errorf("the header was not filled: %s", h)
	}
	if part(t, out, "word/styles.xml") != `<x>{{untouched}}</x>` {
		t.Error("another part was changed")
	}
	delete(values, "no")
	if _, err := doc.FillWord(tpl, values, nil); errs.CodeOf(err) != "doc.template" || !strings.Contains(err.Error(), "{{no}}") {
		t.Errorf("got %v, want a refusal that names the placeholder", err)
	}
	if _, err := doc.FillWord([]byte("no zip"), nil, nil); errs.CodeOf(err) != "doc.template" {
		t.Errorf("got %v", err)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	data := map[string]any{"name": "<李明>", "sum": 123456, "list": []map[string]any{{"a": "甲"}}, "day": "2026-11-03"}
	got, err := doc.Render(`<p>{{.name}} {{money .sum}} {{date .day}}{{range .list}}{{.a}}{{end}}</p>`, data)
	if want := "<p>&lt;李明&gt; 1,234.56 2026年11月3日甲</p>"; err != nil || got != want {
		t.Errorf("got %q %v, want %q", got, err, want)
	}
	for _, bad := range []string{"{{.nome}}", "{{range .list}}{{.b}}{{end}}", "{{with .absent}}x{{end}}", "{{if .absent}}x{{end}}", "{{.name", "{{date .name}}", "{{money .name}}"} {
		if _, err := doc.Render(bad, data); errs.CodeOf(err) != "doc.template" {
			t.Errorf("%s: got %v, want doc.template", bad, err)
		}
	}
	fields, err := doc.TemplateFields(`{{.a}}{{.b.c}}{{range .list}}{{.x}}{{$.top}}{{end}}{{if eq .k "1"}}{{date .d}}{{end}}{{with .w}}{{.v}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b.c", "d", "k", "list", "list[].x", "top", "w", "w.v"}; !cmp.Equal(fields, want) {
		t.Error(cmp.Diff(want, fields))
	}
}

func TestCapital(t *testing.T) {
	t.Parallel()
	for cents, want := range map[int64]string{
		0: "零元整", 5: "伍分", 50: "伍角整", 105: "壹元零伍分", 100000: "壹仟元整", 10500000: "壹拾万伍仟元整", 10050000: "壹拾万零伍佰元整",
		123456789: "壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分", 10000000100: "壹亿零壹元整", 1000000000000: "壹佰亿元整", 600714: "陆仟零柒元壹角肆分", 168032: "壹仟陆佰捌拾元叁角贰分",
	} {
		if got, err := doc.Capital(cents); err != nil || got != want {
			t.Errorf("%d: got %s %v, want %s", cents, got, err, want)
		}
	}
	for _, bad := range []any{-1, 1.5, "12"} {
		if got, err := doc.Capital(bad); err == nil {
			t.Errorf("%v: got %s", bad, got)
		}
	}
}

func TestQR(t *testing.T) {
	t.Parallel()
	b, err := doc.QR("https://example.invalid/v/0123456789abcdef", 300)
	if err != nil {
		t.Fatal(err)
	}
	im, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if w := im.Bounds().Dx(); w < 300 || w > 350 || w != im.Bounds().Dy() {
		t.Errorf("%v", im.Bounds())
	}
	if r, _, _, _ := im.At(2, 2).RGBA(); r == 0 {
		t.Error("no white border")
	}
	if _, err := doc.QR(strings.Repeat("x", 5000), 300); errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v", err)
	}
}
