package form

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"haoban/platform/errs"
)

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	wrap := func(props string, more ...string) string {
		return `{"title": "表", "type": "object", "additionalProperties": false, "properties": {` + props + `}` + strings.Join(more, "") + `}`
	}
	ok := `"a": {"title": "甲", "type": "string"}`
	for _, tt := range []struct{ name, schema, ui, want string }{
		{"not json", `{`, ``, "不是正确的 JSON"},
		{"key twice", `{"title": "a", "title": "b"}`, ``, `key "title" twice`},
		{"root no object", `{"title": "表", "type": "string"}`, ``, "根应是 object"},
		{"draft", `{"$schema": "http://json-schema.org/draft-07/schema#", "title": "表", "type": "object", "additionalProperties": false, "properties": {` + ok + `}}`, ``, "2020-12"},
		{"open object", `{"title": "表", "type": "object", "properties": {` + ok + `}}`, ``, "additionalProperties"},
		{"open inner object", wrap(`"o": {"title": "乙", "type": "object", "properties": {` + ok + `}}`), ``, "additionalProperties"},
		{"open item", wrap(`"o": {"title": "乙", "type": "array", "items": {"title": "丙", "type": "object", "properties": {` + ok + `}}}`), ``, "additionalProperties"},
		{"no title", wrap(`"a": {"type": "string"}`), ``, "缺少 title"},
		{"no type", wrap(`"a": {"title": "甲"}`), ``, "type 应为"},
		{"two types", wrap(`"a": {"title": "甲", "type": ["string", "null"]}`), ``, "type 应为"},
		{"unknown x", wrap(`"a": {"title": "甲", "type": "string", "x-secret": true}`), ``, "没有 x-secret 这个扩展关键字"},
		{"x-rules deep", wrap(`"o": {"title": "乙", "type": "object", "additionalProperties": false, "properties": {` + ok + `}, "x-rules": []}`), ``, "x-rules"},
		{"unknown keyword", wrap(`"a": {"title": "甲", "type": "string", "minimum": 1}`), ``, "不能写 minimum"},
		{"format", wrap(`"a": {"title": "甲", "type": "string", "format": "date"}`), ``, "不能写 format"},
		{"x-format", wrap(`"a": {"title": "甲", "type": "string", "x-format": "phone-no"}`), ``, "没有“phone-no”"},
		{"x-format type", wrap(`"a": {"title": "甲", "type": "string", "x-format": "money"}`), ``, "type 应为 integer"},
		{"pattern without words", wrap(`"a": {"title": "甲", "type": "string", "pattern": "x"}`), ``, "x-message"},
		{"bad pattern", wrap(`"a": {"title": "甲", "type": "string", "pattern": "(", "x-message": "应为括号"}`), ``, "JSON Schema"},
		{"sensitive and search", wrap(`"a": {"title": "甲", "type": "string", "x-sensitive": true, "x-search": true}`), ``, "按原值查"},
		{"sensitive number", wrap(`"a": {"title": "甲", "type": "integer", "x-sensitive": true}`), ``, "只有文字"},
		{"sensitive list", wrap(`"a": {"title": "甲", "type": "array", "items": {"title": "乙", "type": "string", "x-sensitive": true}}`), ``, "一串值"},
		{"mask", wrap(`"a": {"title": "甲", "type": "string", "x-sensitive": "phone"}`), ``, "遮盖"},
		{"labels", wrap(`"a": {"title": "甲", "type": "string", "enum": ["x", "y"], "x-labels": {"x": "一"}}`), ``, "“y”没有名称"},
		{"labels too many", wrap(`"a": {"title": "甲", "type": "string", "enum": ["x"], "x-labels": {"x": "一", "z": "二"}}`), ``, "enum 没有的值"},
		{"required unknown", wrap(ok, `, "required": ["b"]`), ``, "没有“b”"},
		{"name", wrap(`"甲": {"title": "甲", "type": "string"}`), ``, "字段名"},
		{"ref outside", wrap(`"a": {"$ref": "https://example.com/x.json"}`), ``, "$ref"},
		{"ref round", wrap(`"a": {"$ref": "#/$defs/a"}`, `, "$defs": {"a": {"$ref": "#/$defs/a"}}`), ``, "没有尽头"},
		{"ref recursive", wrap(`"a": {"$ref": "#/$defs/a"}`, `, "$defs": {"a": {"title": "甲", "type": "object", "additionalProperties": false, "properties": {"a": {"$ref": "#/$defs/a"}}}}`), ``, "没有尽头"},
		{"ref override", wrap(`"a": {"$ref": "#/$defs/a", "maxLength": 3}`, `, "$defs": {"a": {"title": "甲", "type": "string"}}`), ``, "旁边不能写 maxLength"},
		{"if unknown", wrap(ok, `, "if": {"properties": {"b": {"const": 1}}, "required": ["b"]}, "then": {"required": ["a"]}`), ``, "没有“b”"},
		{"if without required", wrap(ok, `, "if": {"properties": {"a": {"const": "1"}}}, "then": {"required": ["a"]}`), ``, "同时写 required"},
		{"then without if", wrap(ok, `, "then": {"required": ["a"]}`), ``, "没有 if"},
		{"not", wrap(ok, `, "allOf": [{"not": {"required": ["a"]}}]`), ``, "条件里不能写 not"},
		{"anyOf", wrap(ok, `, "anyOf": []`), ``, "不能写 anyOf"},
		{"rule type", wrap(ok, `, "x-rules": [{"id": "r", "expr": "a + 1", "path": "a", "msg": "m"}]`), ``, "表达式不对"},
		{"rule unknown name", wrap(ok, `, "x-rules": [{"id": "r", "expr": "b == ''", "path": "a", "msg": "m"}]`), ``, "表达式不对"},
		{"rule clock", wrap(ok, `, "x-rules": [{"id": "r", "expr": "now().Year() > 2000", "path": "a", "msg": "m"}]`), ``, "表达式不对"},
		{"rule path", wrap(ok, `, "x-rules": [{"id": "r", "expr": "a == ''", "path": "b", "msg": "m"}]`), ``, "没有“b”"},
		{"rule given", wrap(ok, `, "x-rules": [{"id": "r", "expr": "given('b')", "path": "a", "msg": "m"}]`), ``, "no such path"},
		{"rule key", wrap(ok, `, "x-rules": [{"id": "r", "expr": "true", "path": "a", "msg": "m", "when": ""}]`), ``, "unknown field"},
		{"rule twice", wrap(ok, `, "x-rules": [{"id": "r", "expr": "true", "path": "a", "msg": "m"}, {"id": "r", "expr": "true", "path": "a", "msg": "m"}]`), ``, "不能重复"},
		{"ui not placed", wrap(ok), `{"parts": [{"id": "p", "title": "段", "fields": []}]}`, "没有放进任何一段"},
		{"ui twice", wrap(ok), `{"parts": [{"id": "p", "title": "段", "fields": ["a", "a"]}]}`, "放了两次"},
		{"ui unknown", wrap(ok), `{"parts": [{"id": "p", "title": "段", "fields": ["a", "b"]}]}`, "没有“b”"},
		{"ui key", wrap(ok), `{"parts": [{"id": "p", "title": "段", "colour": "red", "fields": ["a"]}]}`, "unknown field"},
		{"ui field key", wrap(ok), `{"parts": [{"id": "p", "title": "段", "fields": [{"path": "a", "colour": "red"}]}]}`, "unknown field"},
		{"ui when", wrap(ok), `{"parts": [{"id": "p", "title": "段", "when": "b", "fields": ["a"]}]}`, "when 不对"},
		{"ui when no yes or no", wrap(ok), `{"parts": [{"id": "p", "title": "段", "when": "a", "fields": ["a"]}]}`, "when 不对"},
		{"ui id", wrap(ok), `{"parts": [{"id": "P", "title": "", "fields": ["a"]}]}`, "id 应以小写字母开头"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile([]byte(tt.schema), []byte(tt.ui))
			if errs.CodeOf(err) != "form.schema" || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Every failure the schema subset can give has a Chinese sentence of its own.
func TestEveryMessageIsChinese(t *testing.T) {
	t.Parallel()
	f, err := Compile([]byte(`{"title": "表", "type": "object", "additionalProperties": false, "properties": {
		"s": {"title": "甲", "type": "string", "minLength": 2, "maxLength": 3, "pattern": "^a", "x-message": "应以 a 开头"},
		"c": {"title": "丙", "type": "string", "const": "同意"},
		"i": {"title": "乙", "type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2},
		"n": {"title": "丁", "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
		"no": {"title": "戊", "type": "boolean", "const": false},
		"l": {"title": "己", "type": "array", "minItems": 1, "maxItems": 2, "items": {"title": "庚", "type": "integer"}},
		"o": {"title": "辛", "type": "object", "additionalProperties": false, "properties": {"x": {"title": "壬", "type": "string"}}}
	}, "dependentRequired": {"s": ["o"]}, "x-rules": [{"id": "r", "expr": "i < 5 and given('i')", "path": "i", "msg": "乙应小于 5"}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, in := range []string{
		`{"s": "a"}`, `{"s": "aaaa"}`, `{"s": "bb"}`, `{"s": 1}`, `{"c": "x"}`, `{"i": 0}`, `{"i": 11}`, `{"i": 3}`, `{"i": 1.5}`,
		`{"n": 0}`, `{"n": 1}`, `{"no": true}`, `{"l": []}`, `{"l": [1,2,3]}`, `{"l": ["x"]}`, `{"l": [null]}`, `{"o": 1}`, `{"z": 1}`, `{"i": 8}`,
	} {
		var data map[string]any
		if err := json.Unmarshal([]byte(in), &data); err != nil {
			t.Fatal(err)
		}
		bad := f.Validate(data, false)
		if len(bad) == 0 {
			t.Errorf("%s passes", in)
		}
		for _, b := range bad {
			rules[b.Rule] = true
			if b.Rule == "schema" || b.Path == "" {
				t.Errorf("%s: %+v", in, b)
			}
			for _, r := range b.Msg {
				if r >= 'A' && r <= 'Z' || r >= 'b' && r <= 'z' && b.Rule != "unknown" {
					t.Errorf("%s: %q", in, b.Msg)
					break
				}
			}
		}
	}
	for _, want := range strings.Fields("minLength maxLength pattern type const minimum maximum multipleOf exclusiveMinimum exclusiveMaximum minItems maxItems unknown required r") {
		if !rules[want] {
			t.Errorf("no example of %s", want)
		}
	}
}

// The whole flow of a condition with allOf, contains and a nested object.
func TestConditions(t *testing.T) {
	t.Parallel()
	f, err := Compile([]byte(`{"title": "表", "type": "object", "additionalProperties": false, "properties": {
		"kind": {"title": "种类", "type": "string", "enum": ["a", "b", "c"]},
		"people": {"title": "人员", "type": "array", "items": {"title": "人", "type": "object", "additionalProperties": false,
			"properties": {"minor": {"title": "未成年", "type": "boolean"}}}},
		"guardian": {"title": "监护人", "type": "string"}, "note": {"title": "说明", "type": "string"}
	}, "allOf": [
		{"if": {"properties": {"people": {"contains": {"properties": {"minor": {"const": true}}, "required": ["minor"]}}}, "required": ["people"]}, "then": {"required": ["guardian"]}},
		{"if": {"not": {"properties": {"kind": {"enum": ["a", "b"]}}, "required": ["kind"]}}, "then": {"required": ["note"]}, "else": {"properties": {"note": {"maxLength": 2}}}}
	]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"kind": "a"}`: "",
		`{"kind": "c"}`: "note required 请填写说明\n",
		`{"kind": "a", "people": [{"minor": false}, {"minor": true}]}`: "guardian required 请填写监护人\n",
		`{"kind": "a", "people": [{"minor": false}]}`:                  "",
		`{"kind": "b", "note": "很长的话"}`:                                "note maxLength 说明不能超过 2 个字\n",
	} {
		var data map[string]any
		if err := json.Unmarshal([]byte(in), &data); err != nil {
			t.Fatal(err)
		}
		if got := lines(f.Validate(data, false)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(schemaFile, uiFile)
	f.Add([]byte(`{"title":"a","type":"object","additionalProperties":false,"properties":{"a":{"title":"a","type":"string"}}}`), []byte(``))
	f.Fuzz(func(t *testing.T, schema, ui []byte) {
		form, err := Compile(schema, ui)
		if err != nil {
			if errs.CodeOf(err) != "form.schema" {
				t.Fatal(err)
			}
			return
		}
		_ = form.Validate(map[string]any{"a": "x"}, false)
	})
}

// What a form takes as a patch keeps its shape, splits and merges back, and
// never panics on the way.
func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"buyers.0.name":"甲","buyers.0.share":"50%","price":1,"tags":["住宅"],"agent":{"name":"乙"}}`), []byte(`{"buyers.0":null,"agent.mobile":"x"}`))
	f.Add([]byte(`{"buyers":[{}],"buyers.0.name":"甲"}`), []byte(`{"buyers.1":{},"tags.0":"住宅","tags.1":""}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		form := load(t)
		data := map[string]any{}
		for _, raw := range [][]byte{a, b} {
			var change map[string]any
			if json.Unmarshal(raw, &change) != nil {
				return
			}
			data, _ = form.Patch(data, change)
		}
		for _, bad := range form.Validate(data, true) {
			if bad.Rule == "unknown" || bad.Rule == "type" || bad.Rule == "schema" {
				t.Errorf("%s: %+v", a, bad)
			}
		}
		before, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(Merge(form.Split(data)))
		if err != nil || string(before) != string(after) {
			t.Errorf("%s became %s", before, after)
		}
		_ = form.Validate(data, false)
		_ = form.Tokens(data)
		_ = Reconcile(form, form, data)
	})
}

func BenchmarkValidate(b *testing.B) {
	f, data := load(b), answers(b, "")
	for b.Loop() {
		if bad := f.Validate(data, false); len(bad) > 0 {
			b.Fatal(bad)
		}
	}
}

func TestFilesAreRead(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/form.ui.json")
	if err != nil || string(load(t).UI()) != string(b) {
		t.Error(err)
	}
}
