package layout_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	"haoban/platform/doc/doctest"
	"haoban/platform/doc/layout"
	"haoban/platform/errs"
)

func build(t *testing.T, html string) *layout.Document {
	t.Helper()
	d, err := layout.Build(html, doctest.Fonts(t), layout.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, html)
	}
	return d
}

// lines returns the lines of a page as text, by baseline.
func lines(p layout.Page) []string {
	var out []string
	last := -1.0
	for _, it := range p.Items {
		x, ok := it.(layout.Text)
		if !ok {
			continue
		}
		if len(out) == 0 || x.Y != last {
			out = append(out, "")
		}
		out[len(out)-1] += string(x.Runes)
		last = x.Y
	}
	return out
}

func TestOutsideTheSubset(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		html, element string
		line          int
	}{
		{"<p>a</p>\n<video></video>", "video", 2},
		{"<p>a</p>\n\n<p style=\"color:red\">b</p>", "p", 3},
		{"<p class=\"fancy\">b</p>", "p", 1},
		{"<p>一\n<table><tr><td>x</td></tr></table></p>", "table", 2},
		{"<p>a", "p", 1},
		{"<p>a</div>", "/div", 1},
		{"<div/>", "div", 1},
		{"<table>\n<tr><td>a</td><td>b</td></tr>\n<tr><td>c</td></tr></table>", "tr", 3},
		{"<table>\n<tr><td colspan=\"0\">a</td></tr></table>", "td", 2},
		{"<table><tr><td>a</td></tr>\nx</table>", "table", 2},
		{"<table><tr><td rowspan=\"2\">a</td></tr></table>", "td", 1},
		{"<table><tr><td><table><tr><td>a</td></tr></table></td></tr></table>", "table", 1},
		{"<p><img></p>", "img", 1},
		{"<p>\n<img src=\"none\"></p>", "img", 2},
		{"<p><img src=\"data:image/png;base64,####\"></p>", "img", 1},
		{"<div class=\"signature\">签名</div>", "div", 1},
		{"<div class=\"seal-place\">章</div>", "div", 1},
		{"<table><colgroup><col width=\"5em\"></colgroup><tr><td>a</td></tr></table>", "col", 1},
		{"<table><tr><td width=\"150mm\">a</td><td width=\"150mm\">b</td></tr></table>", "table", 1},
		{"<script>x</script>", "script", 1},
		{"<table></table>", "table", 1},
	} {
		_, err := layout.Build(tt.html, doctest.Fonts(t), layout.Options{})
		var e *layout.Error
		if !errors.As(err, &e) || errs.CodeOf(err) != "doc.html" {
			t.Errorf("%s: got %v, want an *Error", tt.html, err)
			continue
		}
		if e.Line != tt.line || e.Element != tt.element {
			t.Errorf("%s: got line %d <%s> (%s), want line %d <%s>", tt.html, e.Line, e.Element, e.Msg, tt.line, tt.element)
		}
	}
}

// TestKinsoku moves a text through every phase of the line and looks at how
// lines begin and end.
func TestKinsoku(t *testing.T) {
	t.Parallel()
	const text = "依照《民法典》第二百一十条，不动产登记（含“首次登记”、变更登记）由所在地机构办理：面积89.37㎡，价款3,560,000.50元，占100%；详见附件——《清单》。"
	for shift := range 45 {
		d := build(t, "<p>"+strings.Repeat("前", shift)+strings.Repeat(text, 4)+"</p>")
		got := lines(d.Pages[0])
		if len(got) < 4 {
			t.Fatalf("only %d lines", len(got))
		}
		for i, l := range got {
			r := []rune(l)
			if strings.ContainsRune("。，、；：？！）】》」』”’%㎡", r[0]) {
				t.Errorf("line %d begins with %c: %s", i, r[0], l)
			}
			if strings.ContainsRune("（【《「『“‘", r[len(r)-1]) {
				t.Errorf("line %d ends with %c: %s", i, r[len(r)-1], l)
			}
			if strings.HasPrefix(l, "—") && !strings.HasPrefix(l, "——") {
				t.Errorf("line %d begins with half a dash: %s", i, l)
			}
			for _, broken := range []string{"89.", "3,560,000", "3,560", "3", "100", "89"} {
				if strings.HasSuffix(l, broken) {
					t.Errorf("line %d breaks a number: %s", i, l)
				}
			}
		}
		if all := strings.Join(got, ""); all != strings.Repeat("前", shift)+strings.Repeat(text, 4) {
			t.Errorf("shift %d: characters lost or added", shift)
		}
	}
}

// TestNothingOverflows: text, even one endless word, stays between the margins.
func TestNothingOverflows(t *testing.T) {
	t.Parallel()
	d := build(t, "<p class=\"justify\">"+strings.Repeat("长 word 混排的文字，", 60)+"</p><p>"+strings.Repeat("x", 400)+
		"</p><table><tr><td width=\"20mm\">"+strings.Repeat("9", 90)+"</td><td>短</td></tr></table>")
	n := 0
	for _, it := range d.Pages[0].Items {
		x, ok := it.(layout.Text)
		if !ok {
			continue
		}
		end := x.X
		for _, a := range x.Advances {
			end += a
		}
		n++
		if x.X < 22-0.01 || end > 188+0.01 {
			t.Errorf("%q runs from %.2f to %.2f", string(x.Runes), x.X, end)
		}
	}
	if n < 20 {
		t.Errorf("only %d runs", n)
	}
	for i, l := range lines(d.Pages[0])[:8] { // justified lines end at the margin
		var end float64
		for _, it := range d.Pages[0].Items {
			if x, ok := it.(layout.Text); ok && strings.HasPrefix(l, string(x.Runes)) && string(x.Runes) == l {
				end = x.X
				for _, a := range x.Advances {
					end += a
				}
			}
		}
		if end < 187.9 {
			t.Errorf("justified line %d ends at %.2f", i, end)
		}
	}
}

func TestWhiteSpace(t *testing.T) {
	t.Parallel()
	for html, want := range map[string]string{
		"<p>中文换行\n  不加空格</p>":                        "中文换行不加空格",
		"<p>  two   words\n there </p>":              "two words there",
		"<p>甲<strong>乙</strong> 丙</p>":               "甲乙 丙",
		"<p>a <strong> b</strong></p>":               "a b",
		"<p>&lt;b&gt;&amp;amp; a&nbsp;b</p>":         "<b>&amp; a b",
		"<p>上<br>  下</p>":                            "上|下",
		"<div>散文<p>段落</p>散文</div>":                   "散文|段落|散文",
		"<ol class=\"cn\"><li>甲</li><li>乙</li></ol>": "一、甲|二、乙",
		"<ul><li>甲<ul><li>乙</li></ul></li></ul>":     "•甲|•乙",
		"<p>申请人：<span class=\"fill\">李明</span>。</p>": "申请人：李明。",
	} {
		d := build(t, html)
		if g := strings.Join(lines(d.Pages[0]), "|"); g != want {
			t.Errorf("%s: got %q, want %q", html, g, want)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	para := "<p>" + strings.Repeat("一段文字。", 30) + "</p>"
	d := build(t, "<footer>第 {page} 页，共 {pages} 页</footer>"+strings.Repeat(para, 40)+`<p class="page-break">新的一页</p>`)
	if len(d.Pages) < 4 {
		t.Fatalf("%d pages", len(d.Pages))
	}
	for i, p := range d.Pages {
		l := lines(p)
		if want := fmt.Sprintf("第 %d 页，共 %d 页", i+1, len(d.Pages)); l[len(l)-1] != want {
			t.Errorf("page %d's foot is %q, want %q", i+1, l[len(l)-1], want)
		}
	}
	if last := lines(d.Pages[len(d.Pages)-1]); last[0] != "新的一页" {
		t.Errorf("the page break was not kept: %q", last)
	}
}

// TestRowsStayWhole: no row of a table is cut, and its head stands on every
// page.
func TestRowsStayWhole(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("<p>前言</p><table><thead><tr><th>序</th><th>文</th></tr></thead><tbody>")
	for i := range 50 {
		fmt.Fprintf(&b, "<tr><td>始%d</td><td>%s末%d</td></tr>", i, strings.Repeat("内容", 10+i*2), i)
	}
	b.WriteString("</tbody></table>")
	d := build(t, b.String())
	for i, p := range d.Pages {
		all := strings.Join(lines(p), "")
		if !strings.Contains(all, "序文") {
			t.Errorf("page %d has no head", i+1)
		}
		for r := range 50 {
			begins, ends := fmt.Sprintf("始%d", r), fmt.Sprintf("末%d", r)
			seen := 0
			for _, it := range p.Items {
				if x, ok := it.(layout.Text); ok && (string(x.Runes) == begins || strings.HasSuffix(string(x.Runes), ends)) {
					seen++
				}
			}
			if seen == 1 {
				t.Errorf("row %d is cut at page %d", r, i+1)
			}
		}
	}
}

// TestTallRow: a row that no page holds goes on over the next, losing nothing.
func TestTallRow(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("意见内容很长，", 800)
	d := build(t, "<table><tr><td width=\"20%\">审查意见</td><td>"+long+"</td></tr></table>")
	all := ""
	for _, p := range d.Pages {
		all += strings.Join(lines(p), "")
	}
	if len(d.Pages) < 2 || strings.Count(all, "意见内容很长，") != 800 || strings.Count(all, "审查意见") != 1 {
		t.Errorf("%d pages, %d of 800 sentences", len(d.Pages), strings.Count(all, "意见内容很长，"))
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	d := build(t, `<table><tr><td width="50mm" rowspan="2">甲</td><td colspan="2">乙</td></tr><tr><td>丙</td><td>丁</td></tr></table>`)
	var boxes []layout.Rect
	for _, it := range d.Pages[0].Items {
		if r, ok := it.(layout.Rect); ok {
			boxes = append(boxes, r)
		}
	}
	if len(boxes) != 4 {
		t.Fatalf("%d cells drawn", len(boxes))
	}
	near := func(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 }
	if a, b, c, e := boxes[0], boxes[1], boxes[2], boxes[3]; !near(a.W, 50) || !near(b.W, 116) || !near(c.W+e.W, 116) ||
		!near(a.H, b.H+c.H) || !near(c.Y, b.Y+b.H) || !near(e.X+e.W, 188) {
		t.Errorf("cells are %+v", boxes)
	}
}

func TestSignatureIsFilled(t *testing.T) {
	t.Parallel()
	var img bytes.Buffer
	if err := png.Encode(&img, image.NewGray(image.Rect(0, 0, 200, 80))); err != nil {
		t.Fatal(err)
	}
	const html = `<p>签名：<span class="signature" data-person="p1"></span></p>`
	for _, images := range []map[string][]byte{nil, {"signature:p1": img.Bytes()}} {
		d, err := layout.Build(html, doctest.Fonts(t), layout.Options{Images: images})
		if err != nil {
			t.Fatal(err)
		}
		drawn := 0
		for _, it := range d.Pages[0].Items {
			if p, ok := it.(layout.Picture); ok {
				f := d.Pages[0].Fields[0]
				if drawn++; p.X < f.X || p.Y < f.Y || p.X+p.W > f.X+f.W || p.Y+p.H > f.Y+f.H {
					t.Errorf("the signature %+v lies outside its field %+v", p, f)
				}
			}
		}
		if len(d.Pages[0].Fields) != 1 || drawn != len(images) {
			t.Errorf("%d fields, %d pictures", len(d.Pages[0].Fields), drawn)
		}
	}
}
