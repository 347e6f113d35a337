package doc_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haoban/platform/clock"
	"haoban/platform/doc"
	"haoban/platform/doc/doctest"
	"haoban/platform/doc/font"
	"haoban/platform/errs"
)

func sample(t testing.TB, name string, data any) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	html, err := doc.Render(string(src), data)
	if err != nil {
		t.Fatal(err)
	}
	return html
}

func applicationData() map[string]any {
	return map[string]any{
		"no": "JY310199202611230001", "kind": "转移登记", "unit": "310199001001GB00001F00010002",
		"seat": "示例区测试路1999弄12号301室", "area": "89.37", "use": "居住", "price": int64(356000050),
		"holders": []map[string]any{
			{"id": "p1", "name": "李明", "doc": "310***********0019", "share": "二分之一"},
			{"id": "p2", "name": "王小芳", "doc": "310***********0027", "share": "二分之一"},
		},
		"questions": []string{"申请登记事项是否为申请人的真实意思表示？", "申请登记的不动产是否存在共有人？", "是否知悉该不动产上设有抵押权，并同意带押过户？"},
		"day":       "2026-11-23",
	}
}

func TestApplicationForm(t *testing.T) {
	t.Parallel()
	qr, err := doc.QR("https://example.invalid/v/abc", 200)
	if err != nil {
		t.Fatal(err)
	}
	o := doc.Options{Images: map[string][]byte{"qr": qr}, Created: time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai()), Watermark: "仅供示例"}
	html := sample(t, "application.html", applicationData())
	pdf, err := doc.PDF(t.Context(), html, doctest.Fonts(t), o)
	if err != nil {
		t.Fatal(err)
	}
	got := doctest.Text(t, pdf)
	for _, want := range []string{"不动产登记申请书", "JY310199202611230001", "310199001001GB00001F00010002", "示例区测试路1999弄12号301室",
		"李明", "王小芳", "二分之一", "叁佰伍拾陆万元伍角整", "3,560,000.50", "申请人承诺", "是否知悉该不动产上设有抵押权，并同意带押过户？", "第1页共1页", "2026年11月23日"} {
		if !strings.Contains(got, want) {
			t.Errorf("the PDF's text lacks %q", want)
		}
	}
	again, err := doc.PDF(t.Context(), html, doctest.Fonts(t), o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pdf, again) {
		t.Error("the same paper made twice differs")
	}
	d, err := doc.Lay(t.Context(), html, doctest.Fonts(t), o)
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, p := range d.Pages {
		for _, f := range p.Fields {
			fields = append(fields, fmt.Sprint(f.Kind, " ", f.Name))
			if f.X < 0 || f.Y < 0 || f.X+f.W > p.Width || f.Y+f.H > p.Height {
				t.Errorf("field %s lies off the page", f.Name)
			}
		}
	}
	if got, want := fmt.Sprint(fields), "[signature p1 signature p2 seal registry]"; got != want {
		t.Errorf("fields %s, want %s", got, want)
	}
}

// TestRoundTrip sets many pages with every class of content and asks for all
// characters back, those in tables too.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	const base = "自然资源登记便民利民信息服务平台，办理“不动产登记”时（含首次、变更、转移、注销等），应当核验《中华人民共和国民法典》第二百一十条之规定；申请人Zhang San于2026年11月23日提交材料12份，共计3,560,000.50元——详见附件。"
	var html, want strings.Builder
	html.WriteString(`<html><head><title>长文</title></head><body><h1>多页长文</h1>`)
	want.WriteString("多页长文")
	for i := range 40 {
		how := []string{"indent justify", "indent", "center", "right"}[i%4]
		fmt.Fprintf(&html, "<p class=%q>%d、%s</p>\n", how, i, base)
		fmt.Fprintf(&want, "%d、%s", i, base)
	}
	html.WriteString(`<table><thead><tr><th width="20%">序号</th><th>内容</th></tr></thead>`)
	rows := ""
	for i := range 60 {
		fmt.Fprintf(&html, "<tr><td class=\"center\">第%d项</td><td>%s</td></tr>\n", i, base)
		rows += fmt.Sprintf("第%d项%s", i, base)
	}
	html.WriteString("</table></body></html>")
	pdf, err := doc.PDF(t.Context(), html.String(), doctest.Fonts(t), doc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := doctest.Text(t, pdf, "-raw")
	heads := strings.Count(got, "序号内容")
	if heads < 3 {
		t.Errorf("the table's head stands on %d pages, want it repeated", heads)
	}
	if first := strings.Index(got, "序号内容"); first < 0 || got[:first] != doctest.Squash(want.String()) {
		t.Errorf("the text before the table did not come back")
	}
	got = strings.ReplaceAll(got[strings.Index(got, "序号内容"):], "序号内容", "")
	if counts(got) != counts(rows) {
		t.Errorf("the table's characters did not come back:\n%s\n%s", counts(got), counts(rows))
	}
}

// counts tells how often each character occurs.
func counts(s string) string {
	n := map[rune]int{}
	for _, r := range doctest.Squash(s) {
		n[r]++
	}
	return fmt.Sprint(n)
}

// TestRareCharacters: characters beyond U+FFFF and characters that share a
// glyph with another come back as themselves.
func TestRareCharacters(t *testing.T) {
	t.Parallel()
	f := doctest.Fonts(t)
	var rare []rune
	for r := rune(0x20000); r < 0x2ffff && len(rare) < 40; r++ {
		if f.Face(r, false) != nil {
			rare = append(rare, r)
		}
	}
	if len(rare) == 0 {
		t.Fatal("the font has no characters beyond U+FFFF")
	}
	text := string(rare) + "㐀䶮龘靐齉爩犇" + "一⼀"
	pdf, err := doc.PDF(t.Context(), "<p>"+text+"</p>", f, doc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := doctest.Text(t, pdf); got != text {
		t.Errorf("got %q\nwant %q", got, text)
	}
}

func TestMissingCharacter(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"\U00020bb7", "\u0e01", "\U0001f600", "\u200d", "\u0007"} {
		_, err := doc.PDF(t.Context(), "<p>申请人："+bad+"</p>", doctest.Fonts(t), doc.Options{})
		if errs.CodeOf(err) != "doc.character" || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: got %v, want doc.character", bad, err)
			continue
		}
		if e, _ := errs.As(err); !strings.Contains(e.Msg, fmt.Sprintf("U+%04X", []rune(bad)[0])) {
			t.Errorf("%q: the refusal %q does not name it", bad, e.Msg)
		}
	}
}

// TestFallbackFont: a character the main font lacks is drawn by another font of
// the directory.
func TestFallbackFont(t *testing.T) {
	t.Parallel()
	all := doctest.Fonts(t)
	part := func(s string) *font.Font {
		sub, err := all.Face('中', false).Subset([]rune(s))
		if err != nil {
			t.Fatal(err)
		}
		f, err := font.Parse(sub.Data)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	set := font.NewSet(part("权利人：李 明"), nil, part("龘\U0001f240"))
	pdf, err := doc.PDF(t.Context(), "<p>权利人：李龘\U0001f240明</p>", set, doc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := doctest.Text(t, pdf); got != "权利人：李龘\U0001f240明" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkPDF(b *testing.B) {
	f := doctest.Fonts(b)
	qr, err := doc.QR("https://example.invalid/v/abc", 200)
	if err != nil {
		b.Fatal(err)
	}
	html := sample(b, "application.html", applicationData())
	for b.Loop() {
		if _, err := doc.PDF(b.Context(), html, f, doc.Options{Images: map[string][]byte{"qr": qr}}); err != nil {
			b.Fatal(err)
		}
	}
}
