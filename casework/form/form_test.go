package form

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/errs"
)

//go:embed testdata/form.schema.json
var schemaFile []byte

//go:embed testdata/form.ui.json
var uiFile []byte

func load(t testing.TB) *Form {
	t.Helper()
	f, err := Compile(schemaFile, uiFile)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func answers(t testing.TB, more string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(`{
		"unit": "310199001001GB00001F00010001", "address": "上海市北京西路99弄", "price": 500000000,
		"coOwnership": "shares", "promise": true,
		"buyers": [
			{"name": "测试甲", "idNo": "310101199001010012", "mobile": "19900000001", "share": "1/3"},
			{"name": "测试乙", "idNo": "310101199102020025", "mobile": "19900000002", "share": "2/3"}
		]}`), &m); err != nil {
		t.Fatal(err)
	}
	if more != "" {
		if err := json.Unmarshal([]byte(more), &m); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func lines(fs []errs.Field) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s %s %s\n", f.Path, f.Rule, f.Msg)
	}
	return b.String()
}

func TestValidate(t *testing.T) {
	t.Parallel()
	f := load(t)
	buyer := `{"name": "测试甲", "idNo": "310101199001010012", "mobile": "19900000001"}`
	for _, tt := range []struct{ name, more, want string }{
		{"right", ``, ""},
		{"empty text and null are not given", `{"address": "", "area": null, "agent": {"name": ""}}`, ""},
		{"format names the title", `{"unit": "310104", "year": "26"}`,
			"unit x-format 不动产单元代码应为 28 位\nyear pattern 竣工年份应为 4 位年份\n"},
		{"in a list", `{"coOwnership": "sole", "buyers": [{"name": "测试甲", "idNo": "31010119900101001X", "mobile": "1990000000"}]}`,
			"buyers.0.idNo x-format 购房人第 1 项的身份证号的校验位不对，请核对有没有输错\n" +
				"buyers.0.mobile x-format 购房人第 1 项的手机号应为 11 位数字\n"},
		{"missing", `{"unit": "", "promise": null, "coOwnership": null, "buyers": [{"name": "测试甲", "share": "1"}]}`,
			"unit required 请填写不动产单元代码\ncoOwnership required 请选择共有方式\n" +
				"buyers.0.idNo required 请填写购房人第 1 项的身份证号\nbuyers.0.mobile required 请填写购房人第 1 项的手机号\n" +
				"promise required 请勾选“承诺所填内容真实”\n"},
		{"unknown", `{"price2": 1}`, "price2 unknown 表单里没有“price2”这一项，请去掉\n"},
		{"unknown deep", `{"coOwnership": "sole", "buyers": [{"name": "测试甲", "idNo": "310101199001010012", "mobile": "19900000001", "age": 3}]}`,
			"buyers.0.age unknown 表单里没有“age”这一项，请去掉\n"},
		{"numbers", `{"price": 50, "area": 0}`, "price minimum 成交价不能小于 1.00 元\narea exclusiveMinimum 建筑面积应大于 0\n"},
		{"money", `{"price": 100.5}`, "price type 成交价应为整数\n"},
		{"types", `{"price": "1", "byAgent": "yes", "buyers": {}}`,
			"price type 成交价应为整数\nbuyers type 购房人应为一个列表\nbyAgent type 是否由代理人申请应为是或否\n"},
		{"enum", `{"coOwnership": "both"}`, "coOwnership enum 共有方式应为以下之一：单独所有、共同共有、按份共有\n"},
		{"lists", `{"buyers": [], "tags": ["住宅", "住宅"]}`,
			"tags uniqueItems 房屋用途第 1 项和第 2 项重复了\nbuyers minItems 购房人至少要有 1 项\n"},
		{"value of a list", `{"tags": ["别墅"]}`, "tags.0 enum 房屋用途第 1 项应为以下之一：住宅、车位\n"},
		{"length", `{"address": "` + strings.Repeat("长", 61) + `"}`, "address maxLength 坐落不能超过 60 个字\n"},
		{"promise withheld", `{"promise": false}`, "promise const 请勾选“承诺所填内容真实”\n"},
		{"shares", `{"buyers": [{"name": "测试甲", "idNo": "310101199001010012", "mobile": "19900000001", "share": "33.33%"},
			{"name": "测试乙", "idNo": "310101199102020025", "mobile": "19900000002", "share": "66.66%"}]}`,
			"buyers shares 各购房人的份额加起来应正好是全部\n"},
		{"share missing", `{"buyers": [` + buyer + `]}`, "buyers shares 各购房人的份额加起来应正好是全部\n"},
		{"sole", `{"coOwnership": "sole"}`, "coOwnership sole 单独所有只能有一位购房人\n"},
		{"a rule waits for its fields", `{"coOwnership": "sole", "buyers": [` + buyer + `, {}]}`,
			"buyers.1.name required 请填写购房人第 2 项的姓名\nbuyers.1.idNo required 请填写购房人第 2 项的身份证号\n" +
				"buyers.1.mobile required 请填写购房人第 2 项的手机号\n"},
		{"conditional", `{"byAgent": true}`, "agent.name required 请填写代理人姓名\nagent.mobile required 请填写代理人手机号\n"},
		{"conditional half", `{"byAgent": true, "agent": {"name": "甲"}}`,
			"agent.name minLength 代理人姓名至少要有 2 个字\nagent.mobile required 请填写代理人手机号\n"},
		{"hidden is not looked at", `{"byAgent": false, "agent": {"name": "甲"}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, lines(f.Validate(answers(t, tt.more), false))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidatePartial(t *testing.T) {
	t.Parallel()
	f := load(t)
	if got := f.Validate(map[string]any{}, true); len(got) > 0 {
		t.Error(lines(got))
	}
	data := map[string]any{"promise": false, "buyers": []any{map[string]any{"mobile": "1"}}, "coOwnership": "sole", "x": 1}
	want := "buyers.0.mobile x-format 购房人第 1 项的手机号应为 11 位数字\nx unknown 表单里没有“x”这一项，请去掉\n"
	if diff := cmp.Diff(want, lines(f.Validate(data, true))); diff != "" {
		t.Error(diff)
	}
	if len(f.Validate(nil, false)) == 0 || len(f.Validate(nil, true)) != 0 {
		t.Error("no answers at all")
	}
}

func TestWho(t *testing.T) {
	t.Parallel()
	f := load(t)
	data := map[string]any{}
	if got := lines(f.Validate(data, false, "reviewer")); got != "" {
		t.Error(got)
	}
	if got := f.Validate(data, false, Applicant); len(got) != 5 {
		t.Error(lines(got))
	}
	if _, bad := f.Patch(data, map[string]any{"opinion": "同意"}, Applicant); len(bad) != 1 || bad[0].Rule != "who" ||
		bad[0].Msg != "审核意见由别人填写，这里不能改" {
		t.Error(bad)
	}
	got, bad := f.Patch(data, map[string]any{"opinion": "同意"}, "reviewer")
	if len(bad) > 0 || got["opinion"] != "同意" {
		t.Error(got, bad)
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	f := load(t)
	got := f.Complete(answers(t, `{"unit": "", "byAgent": true}`))
	want := map[string]bool{"house": false, "people": true, "agent": false, "promise": true, "review": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	f := load(t)
	var got []string
	for _, l := range f.Leaves() {
		got = append(got, l.Path)
	}
	want := []string{
		"unit", "address", "price", "area", "tags", "year", "coOwnership",
		"buyers.*.name", "buyers.*.idNo", "buyers.*.mobile", "buyers.*.share", "byAgent",
		"agent.name", "agent.mobile", "promise", "opinion",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	l, ok := f.Leaf("buyers.1.idNo")
	if !ok || !l.Sensitive || l.Mask != "id" || !l.Required || l.Path != "buyers.*.idNo" {
		t.Errorf("%+v", l)
	}
	if f.TitleAt("buyers.1.idNo") != "购房人第 2 项的身份证号" || f.TitleAt("buyers.*.idNo") != "身份证号" {
		t.Error(f.TitleAt("buyers.1.idNo"), f.TitleAt("buyers.*.idNo"))
	}
	if !f.Has("buyers") || !f.Has("agent.name") || f.Has("") || f.Has("agent.x") || f.Has("unit.x") {
		t.Error("Has")
	}
	if f.Title() != "存量房转移登记申请" || len(f.Secret()) != 5 || len(f.Parts()) != 5 {
		t.Error(f.Title(), len(f.Secret()), len(f.Parts()))
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	f, data := load(t), answers(t, `{"tags": ["住宅", "车位"], "byAgent": true}`)
	for path, want := range map[string]string{
		"coOwnership": "按份共有", "price": "5000000.00 元", "tags": "住宅、车位", "byAgent": "是", "area": "",
		"buyers.0.name": "测*甲", "buyers.0.idNo": "310***********0012", "buyers.*.mobile": "199****0001、199****0002",
	} {
		if got := f.Show(data, path, Masked); got != want {
			t.Errorf("%s shows %q, want %q", path, got, want)
		}
	}
	if got := f.Show(data, "buyers.0.name", Plain); got != "测试甲" {
		t.Error(got)
	}
	if v, ok := f.Get(data, "buyers.1.share"); !ok || v != "2/3" {
		t.Error(v, ok)
	}
	if _, ok := f.Get(data, "buyers.2.share"); ok {
		t.Error("there is no third buyer")
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	f := load(t)
	data := answers(t, `{"byAgent": false, "agent": {"name": "代理人"}}`)
	if diff := cmp.Diff([]string{"house", "people", "promise", "review"}, f.Shown(data)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"agent.name", "agent.mobile"}, f.Hidden(data)); diff != "" {
		t.Error(diff)
	}
	if trimmed := f.Trim(data); trimmed["agent"] != nil || data["agent"] == nil {
		t.Error(trimmed["agent"])
	}
	data["byAgent"] = true
	if len(f.Hidden(data)) != 0 || f.Trim(data)["agent"] == nil {
		t.Error("the agent's part is shown")
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	f := load(t)
	for _, tt := range []struct{ name, from, change, want, bad string }{
		{"sets and stores in normal form", `{}`, `{"unit": "310199 001001 GB 00001 F 0001 0001", "price": 100, "agent.mobile": "+86 199-0000-0001", "address": " 某路 "}`,
			`{"unit": "310199001001GB00001F00010001", "price": 100, "agent": {"mobile": "19900000001"}, "address": "某路"}`, ""},
		{"keeps what is not yet right", `{}`, `{"unit": "310"}`, `{"unit": "310"}`, ""},
		{"null and empty clear", `{"unit": "1", "address": "x", "agent": {"name": "甲", "mobile": "1"}}`,
			`{"unit": null, "address": "", "agent.name": null}`, `{"agent": {"mobile": "1"}}`, ""},
		{"items", `{"buyers": [{"name": "甲"}, {"name": "乙"}, {"name": "丙"}]}`,
			`{"buyers.0": null, "buyers.1.name": "丁", "buyers.3.name": "戊", "buyers.2": null}`,
			`{"buyers": [{"name": "丁"}, {"name": "戊"}]}`, ""},
		{"many new items", `{}`, `{"buyers.10.name": "", "buyers.0.name": "甲", "buyers.1.name": "乙", "buyers.2.name": "丙"}`,
			`{"buyers": [{"name": "甲"}, {"name": "乙"}, {"name": "丙"}]}`, ""},
		{"whole list", `{}`, `{"buyers": [{"name": "甲", "share": "50%"}], "tags": ["住宅"]}`,
			`{"buyers": [{"name": "甲", "share": "1/2"}], "tags": ["住宅"]}`, ""},
		{"gap", `{}`, `{"buyers.1.name": "甲"}`, `{}`, "buyers.1.name index 购房人第 2 项的姓名前面还有没填的项，或者项数太多\n"},
		{"unknown", `{"unit": "1"}`, `{"unit": "2", "unit2": "1", "buyers.x": 1, "unit.a": 1, "buyers.*.name": "甲"}`, `{"unit": "1"}`,
			"buyers.*.name unknown 表单里没有“buyers.*.name”这一项\nbuyers.x unknown 表单里没有“buyers.x”这一项\n" +
				"unit.a unknown 表单里没有“unit.a”这一项\nunit2 unknown 表单里没有“unit2”这一项\n"},
		{"unknown inside", `{}`, `{"buyers": [{"nam": "甲"}], "agent": {"x": {}}}`, `{}`,
			"agent.x unknown 表单里没有“x”这一项\nbuyers.0.nam unknown 表单里没有“nam”这一项\n"},
		{"types", `{}`, `{"unit": 1, "price": "1", "area": {}, "byAgent": 1, "buyers": {}, "agent": [], "tags": [1]}`, `{}`,
			"agent type 代理人应为一组内容\narea type 建筑面积应为数字\nbuyers type 购房人应为一个列表\nbyAgent type 是否由代理人申请应为是或否\n" +
				"price type 成交价应为整数\ntags.0 type 房屋用途第 1 项应为文字\nunit type 不动产单元代码应为文字\n"},
		{"too long", `{}`, `{"address": "` + strings.Repeat("长", 61) + `"}`, `{}`, "address maxLength 坐落不能超过 60 个字\n"},
		{"too many", `{}`, `{"buyers": [{},{},{},{},{},{},{},{},{},{},{}]}`, `{}`, "buyers maxItems 购房人不能超过 10 项\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var from, change, want map[string]any
			for i, to := range []*map[string]any{&from, &change, &want} {
				if err := json.Unmarshal([]byte([]string{tt.from, tt.change, tt.want}[i]), to); err != nil {
					t.Fatal(err)
				}
			}
			before := cloneMap(from)
			got, bad := f.Patch(from, change)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.bad, lines(bad)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, from); diff != "" {
				t.Errorf("the draft itself was touched: %s", diff)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	f := load(t)
	data := answers(t, `{"agent": {"name": "代理人"}, "tags": ["住宅"]}`)
	before := cloneMap(data)
	open, secrets := f.Split(data)
	want := map[string]string{
		"buyers.0.name": "测试甲", "buyers.0.idNo": "310101199001010012", "buyers.0.mobile": "19900000001",
		"buyers.1.name": "测试乙", "buyers.1.idNo": "310101199102020025", "buyers.1.mobile": "19900000002",
		"agent.name": "代理人",
	}
	if diff := cmp.Diff(want, secrets); diff != "" {
		t.Error(diff)
	}
	b, err := json.Marshal(open)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range want {
		if strings.Contains(string(b), s) {
			t.Errorf("%s stands in the clear", s)
		}
	}
	if diff := cmp.Diff(before, Merge(open, secrets)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, data); diff != "" {
		t.Error(diff)
	}
	masked := f.MaskedCopy(data)
	if v, _ := f.Get(masked, "buyers.1.idNo"); v != "310***********0025" {
		t.Error(v)
	}
	if v, _ := f.Get(masked, "buyers.1.share"); v != "2/3" {
		t.Error(v)
	}
	// A sensitive number never stays in the clear either.
	if open, secrets := f.Split(map[string]any{"agent": map[string]any{"name": 19900000001.0}}); len(secrets) != 1 ||
		len(open["agent"].(map[string]any)) != 0 {
		t.Error(open, secrets)
	}
	if got := Merge(map[string]any{"buyers": []any{}}, map[string]string{"buyers.3.name": "甲", "agent.name": "乙"}); len(got["buyers"].([]any)) != 0 ||
		got["agent"].(map[string]any)["name"] != "乙" {
		t.Error(got)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	f := load(t)
	got := f.Tokens(answers(t, ""))
	want := map[string][]string{
		"unit":    {"310199001001GB00001F00010001"},
		"address": {"99", "上海", "上海市北京西路99弄", "京西", "北京", "市北", "弄", "海市", "西路"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for typed, hit := range map[string]bool{
		"北京西路": true, "西路99弄": true, "弄": true, "９９": true, "上海市北京西路99弄": true,
		"南京西路": false, "路": false, "": false, "98弄": false,
	} {
		tokens := SearchTokens(typed)
		all := len(tokens) > 0
		for _, s := range tokens {
			all = all && strings.Contains(" "+strings.Join(got["address"], " ")+" ", " "+s+" ")
		}
		if all != hit {
			t.Errorf("%q → %v found %v", typed, tokens, all)
		}
	}
	if diff := cmp.Diff([]string{"SIM-1/2", "SIM", "1", "2"}, IndexTokens("sim-1/2")); diff != "" {
		t.Error(diff)
	}
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	from := load(t)
	next := string(schemaFile)
	for _, change := range [][2]string{
		{`"year": {"title": "竣工年份"`, `"built": {"title": "建成年份"`},
		{`"承诺所填内容真实"`, `"承诺所填内容真实、没有隐瞒"`},
		{`["住宅", "车位"]`, `["住宅"]`},
		{`"required": ["unit", "price"`, `"required": ["unit", "area", "price"`},
		{`"share": {"title": "份额", "type": "string", "x-format": "share"}`, `"email": {"title": "邮箱", "type": "string", "x-format": "email"}`},
		{`"expr": "coOwnership != 'shares' or share_sum(buyers) == 1"`, `"expr": "true"`},
	} {
		if !strings.Contains(next, change[0]) {
			t.Fatal(change[0])
		}
		next = strings.Replace(next, change[0], change[1], 1)
	}
	to, err := Compile([]byte(next), []byte(strings.Replace(string(uiFile), `"year"`, `"built"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	data := answers(t, `{"year": "2020", "tags": ["住宅", "车位"], "unit": null}`)
	got := Reconcile(from, to, data)
	wantDropped := []Change{
		{"buyers.0.share", "购房人第 1 项的份额"}, {"buyers.1.share", "购房人第 2 项的份额"},
		{"year", "竣工年份"}, {"promise", "承诺所填内容真实"}, {"tags.1", "房屋用途第 2 项"},
	}
	if diff := cmp.Diff(wantDropped, got.Dropped); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Change{{"area", "建筑面积"}, {"promise", "承诺所填内容真实、没有隐瞒"}}, got.Asked); diff != "" {
		t.Error(diff)
	}
	if v, _ := to.Get(got.Data, "buyers.1.name"); v != "测试乙" {
		t.Error(got.Data)
	}
	same := Reconcile(from, from, data)
	if len(same.Dropped) != 0 || len(same.Asked) != 0 {
		t.Error(same)
	}
}
