package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"haoban/platform/errs"
)

var reName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]{0,63}$`)

// maxNodes bounds a form, so that references cannot make a small file a huge
// tree.
const maxNodes = 5000

// builder reads a schema into a tree and collects what is wrong with it.
type builder struct {
	bad   []errs.Field
	defs  *object
	nodes int
}

func (b *builder) refuse(at, rule, msg string, a ...any) {
	if at == "" {
		at = "/"
	}
	b.bad = append(b.bad, errs.Field{Path: at, Rule: rule, Msg: fmt.Sprintf(msg, a...)})
}

// The keywords the house knows, by what they may stand beside.
func keywords(kind string) []string {
	all := []string{"type", "title", "description", "$comment", "$ref", "default", "examples", "readOnly", "deprecated", "x-source"}
	switch kind {
	case "object":
		return append(all, "properties", "required", "additionalProperties", "dependentRequired", "allOf", "if", "then", "else")
	case "array":
		return append(all, "items", "minItems", "maxItems", "uniqueItems")
	}
	all = append(all, "enum", "const", "x-format", "x-sensitive", "x-search", "x-labels", "x-message")
	switch kind {
	case "string":
		return append(all, "minLength", "maxLength", "pattern")
	case "integer", "number":
		return append(all, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
	}
	return all
}

func (b *builder) read(schema []byte) *node {
	v, err := ordered(schema)
	if err != nil {
		b.refuse("", "json", "不是正确的 JSON：%v", err)
		return nil
	}
	o, ok := v.(*object)
	if !ok {
		b.refuse("", "json", "表单定义应是一个 JSON 对象")
		return nil
	}
	b.defs = o.obj("$defs")
	if s := o.str("$schema"); o.m["$schema"] != nil && s != "https://json-schema.org/draft/2020-12/schema" {
		b.refuse("/$schema", "$schema", "应为 JSON Schema 2020-12")
	}
	root := &object{m: map[string]any{}}
	for _, k := range o.keys {
		if !slices.Contains([]string{"$schema", "$id", "$defs", "x-rules"}, k) {
			root.keys, root.m[k] = append(root.keys, k), o.m[k]
		}
	}
	n := b.node(root, "", "", "", 0)
	if n != nil && n.kind != "object" {
		b.refuse("", "type", "表单的根应是 object")
		return nil
	}
	if n != nil && o.m["x-rules"] != nil {
		list, ok := o.m["x-rules"].([]any)
		if !ok {
			b.refuse("/x-rules", "x-rules", "应是一个列表")
		}
		n.xrules = list
	}
	return n
}

// resolve follows $ref into $defs; keywords beside a $ref add to or override
// the definition's.
func (b *builder) resolve(o *object, at string, depth int) *object {
	for o.m["$ref"] != nil {
		name, ok := strings.CutPrefix(o.str("$ref"), "#/$defs/")
		def := b.defs.obj(name)
		if !ok || def == nil {
			b.refuse(at, "$ref", "$ref 只能引用本文件 $defs 里有的定义")
			return nil
		}
		if depth++; depth > maxDepth {
			b.refuse(at, "$ref", "定义互相引用，没有尽头")
			return nil
		}
		merged := &object{m: map[string]any{}}
		for _, src := range []*object{def, o} {
			for _, k := range src.keys {
				if src == o && k == "$ref" {
					continue
				}
				if _, has := merged.m[k]; !has {
					merged.keys = append(merged.keys, k)
				}
				merged.m[k] = src.m[k]
			}
		}
		for _, k := range o.keys {
			if !slices.Contains([]string{"$ref", "title", "description", "$comment", "default", "examples", "readOnly", "x-source", "x-search", "x-sensitive"}, k) {
				b.refuse(at, "$ref", "$ref 旁边不能写 %s", k)
			}
		}
		o = merged
	}
	return o
}

func (b *builder) node(o *object, at, path, name string, depth int) *node {
	if b.nodes++; depth > maxDepth || b.nodes > maxNodes {
		b.refuse(at, "depth", "表单太大或者嵌套太深")
		return nil
	}
	if o = b.resolve(o, at, depth); o == nil {
		return nil
	}
	n := &node{name: name, path: path, title: o.str("title"), kind: o.str("type"), byName: map[string]*node{}}
	if !slices.Contains([]string{"object", "array", "string", "integer", "number", "boolean"}, n.kind) {
		b.refuse(at, "type", "type 应为 object、array、string、integer、number、boolean 之一")
		return nil
	}
	if n.title == "" {
		b.refuse(at, "title", "缺少 title")
	}
	for _, k := range o.keys {
		if slices.Contains(keywords(n.kind), k) {
			continue
		}
		if strings.HasPrefix(k, "x-") {
			b.refuse(at, "keyword", "没有 %s 这个扩展关键字，或者它不能写在这里", k)
		} else {
			b.refuse(at, "keyword", "%s 类型旁边不能写 %s", n.kind, k)
		}
	}
	switch n.kind {
	case "object":
		b.object(n, o, at, depth)
	case "array":
		b.array(n, o, at, depth)
	default:
		b.leaf(n, o, at)
	}
	return n
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (b *builder) object(n *node, o *object, at string, depth int) {
	if o.m["additionalProperties"] != false {
		b.refuse(at, "additionalProperties", "应写明 additionalProperties: false")
	}
	props := o.obj("properties")
	if props == nil || len(props.keys) == 0 {
		b.refuse(at, "properties", "缺少 properties")
		return
	}
	for _, k := range props.keys {
		sub, where := props.obj(k), at+"/properties/"+k
		if !reName.MatchString(k) {
			b.refuse(where, "name", "字段名应由字母、数字和下划线组成，以字母开头")
			continue
		}
		if sub == nil {
			b.refuse(where, "type", "应是一个 JSON 对象")
			continue
		}
		if c := b.node(sub, where, join(n.path, k), k, depth+1); c != nil {
			n.children = append(n.children, c)
			n.byName[k] = c
		}
	}
	n.required = b.names(n, o.m["required"], at+"/required")
	for _, name := range n.required {
		if c := n.byName[name]; c != nil && c.leaf != nil {
			c.leaf.Required = true
		}
	}
	b.condition(n, o, at, depth, thenSide)
}

// names reads a list of the object's own properties.
func (b *builder) names(n *node, v any, at string) []string {
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		b.refuse(at, "required", "应是字段名的列表")
	}
	var out []string
	for _, x := range list {
		s, _ := x.(string)
		if n.byName[s] == nil {
			b.refuse(at, "required", "没有“%v”这个字段", x)
			continue
		}
		out = append(out, s)
	}
	return out
}

type side uint8

const (
	thenSide side = iota // says what must hold: its failures are told to people
	ifSide               // only asks: may use not and anyOf
)

// condition checks allOf, if, then, else and dependentRequired of an object:
// they may speak only of what the object has.
func (b *builder) condition(n *node, o *object, at string, depth int, s side) {
	if depth > maxDepth {
		b.refuse(at, "depth", "条件嵌套太深")
		return
	}
	for _, k := range []string{"if", "then", "else"} {
		if c := o.obj(k); c != nil {
			to := s
			if k == "if" {
				to = ifSide
			}
			b.inner(n, c, at+"/"+k, depth+1, to)
		} else if o.m[k] != nil {
			b.refuse(at+"/"+k, "condition", "应是一个 JSON 对象")
		}
	}
	if (o.m["then"] != nil || o.m["else"] != nil) && o.m["if"] == nil {
		b.refuse(at, "condition", "有 then 或 else，却没有 if")
	}
	for _, k := range []string{"allOf", "anyOf"} {
		list, _ := o.m[k].([]any)
		for i, x := range list {
			if c, ok := x.(*object); ok {
				b.inner(n, c, fmt.Sprintf("%s/%s/%d", at, k, i), depth+1, s)
			} else {
				b.refuse(at+"/"+k, "condition", "应是 JSON 对象的列表")
			}
		}
	}
	if deps := o.obj("dependentRequired"); deps != nil {
		for _, k := range deps.keys {
			if n.byName[k] == nil {
				b.refuse(at+"/dependentRequired", "required", "没有“%s”这个字段", k)
			}
			b.names(n, deps.m[k], at+"/dependentRequired/"+k)
		}
	}
}

// inner checks one schema inside a condition over n.
func (b *builder) inner(n *node, o *object, at string, depth int, s side) {
	allowed := []string{
		"properties", "required", "if", "then", "else", "allOf", "dependentRequired", "$comment", "const", "enum",
		"minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
	}
	if s == ifSide {
		allowed = append(allowed, "not", "anyOf", "contains", "minContains", "items", "pattern", "type")
	}
	for _, k := range o.keys {
		if !slices.Contains(allowed, k) {
			b.refuse(at, "keyword", "条件里不能写 %s", k)
		}
	}
	if n.kind == "object" {
		need := b.names(n, o.m["required"], at+"/required")
		if props := o.obj("properties"); props != nil {
			for _, k := range props.keys {
				c, sub := n.byName[k], props.obj(k)
				switch {
				case c == nil:
					b.refuse(at+"/properties/"+k, "properties", "没有“%s”这个字段", k)
				case sub == nil:
					b.refuse(at+"/properties/"+k, "properties", "应是一个 JSON 对象")
				default:
					if s == ifSide && !slices.Contains(need, k) {
						b.refuse(at, "condition", "if 里看了“%s”，要同时写 required，否则没有填也算符合", k)
					}
					b.inner(c, sub, at+"/properties/"+k, depth+1, s)
				}
			}
		}
	}
	if not := o.obj("not"); not != nil {
		b.inner(n, not, at+"/not", depth+1, ifSide)
	}
	for _, k := range []string{"contains", "items"} {
		if c := o.obj(k); c != nil && n.item != nil {
			b.inner(n.item, c, at+"/"+k, depth+1, ifSide)
		}
	}
	b.condition(n, o, at, depth+1, s)
}

func (b *builder) array(n *node, o *object, at string, depth int) {
	items := o.obj("items")
	if items == nil {
		b.refuse(at, "items", "列表缺少 items")
		return
	}
	if m, ok := o.m["maxItems"].(json.Number); ok {
		if i, ok := index(m.String()); ok {
			n.maxItems = i
		}
	}
	item := b.node(items, at+"/items", join(n.path, "*"), "*", depth+1)
	switch {
	case item == nil:
	case item.kind == "array":
		b.refuse(at+"/items", "items", "列表里不能直接是列表")
	case item.leaf == nil:
		n.item = item
	default:
		if item.leaf.Sensitive {
			b.refuse(at+"/items", "x-sensitive", "敏感内容不能放在一串值里，请改成对象的列表")
		}
		l := *item.leaf
		l.Path, l.Title, l.Items, l.Type = n.path, n.title, item.kind, "array"
		l.Source = o.str("x-source")
		n.leaf, n.maxLen, n.message = &l, item.maxLen, item.message
	}
}

func (b *builder) leaf(n *node, o *object, at string) {
	l := &Leaf{
		Path: n.path, Title: n.title, Type: n.kind, Format: o.str("x-format"), Source: o.str("x-source"),
		Const: plain(o.m["const"]), Default: plain(o.m["default"]),
	}
	n.leaf, n.message = l, o.str("x-message")
	if m, ok := o.m["maxLength"].(json.Number); ok {
		if i, ok := index(m.String()); ok {
			n.maxLen = i
		}
	}
	for _, k := range []string{"x-source", "x-format", "x-message"} {
		if v, has := o.m[k]; has && (o.str(k) == "" || v == "") {
			b.refuse(at, k, "%s 应是文字", k)
		}
	}
	if o.m["pattern"] != nil && o.str("x-message") == "" {
		b.refuse(at, "x-message", "有 pattern 就要有 x-message，说明应该怎么填")
	}
	if l.Format != "" {
		f, ok := formatOf(l.Format)
		switch {
		case !ok:
			b.refuse(at, "x-format", "没有“%s”这种 x-format", l.Format)
		case f.kind != n.kind:
			b.refuse(at, "x-format", "x-format %s 的 type 应为 %s", l.Format, f.kind)
		}
		l.Mask = f.mask
	}
	b.sensitive(l, o, at)
	switch v := o.m["x-search"]; v {
	case nil, false:
	case true:
		l.Search = true
		if l.Sensitive {
			b.refuse(at, "x-search", "敏感内容只能按原值查，不能写 x-search")
		}
		if n.kind == "boolean" {
			b.refuse(at, "x-search", "是或否的字段不能写 x-search")
		}
	default:
		b.refuse(at, "x-search", "x-search 应是 true")
	}
	b.options(l, o, at)
}

func (b *builder) sensitive(l *Leaf, o *object, at string) {
	switch v := o.m["x-sensitive"].(type) {
	case nil:
	case bool:
		l.Sensitive = v
	case string:
		l.Sensitive, l.Mask = true, v
		if !slices.Contains([]string{"name", "id", "mobile", "address", "email", "card", "text"}, v) {
			b.refuse(at, "x-sensitive", "没有“%s”这种遮盖办法", v)
		}
	default:
		b.refuse(at, "x-sensitive", "x-sensitive 应是 true 或遮盖办法的名字")
	}
	switch {
	case !l.Sensitive:
		l.Mask = ""
	case l.Type != "string":
		b.refuse(at, "x-sensitive", "只有文字可以写 x-sensitive")
	case l.Mask == "":
		l.Mask = "text"
	}
}

func (b *builder) options(l *Leaf, o *object, at string) {
	enum, _ := o.m["enum"].([]any)
	labels := o.obj("x-labels")
	if o.m["x-labels"] != nil && (labels == nil || enum == nil) {
		b.refuse(at, "x-labels", "x-labels 应是对象，并且要有 enum")
		return
	}
	used := 0
	for _, v := range enum {
		opt := Option{Value: plain(v), Label: Str(plain(v))}
		if labels != nil {
			s := labels.str(opt.Label)
			if s == "" {
				b.refuse(at, "x-labels", "“%s”没有名称", opt.Label)
			}
			opt.Label = s
			used++
		}
		l.Options = append(l.Options, opt)
	}
	if labels != nil && used != len(labels.keys) {
		b.refuse(at, "x-labels", "x-labels 里有 enum 没有的值")
	}
}

// compile gives the schema to the library, with x-format as a keyword.
func (b *builder) compile(schema []byte) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		b.refuse("", "json", "不是正确的 JSON：%v", err)
		return nil
	}
	if m, ok := doc.(map[string]any); ok {
		delete(m, "$id")
	}
	const url = "haoban:///form.schema.json"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(noLoader{})
	c.RegisterVocabulary(&jsonschema.Vocabulary{URL: "haoban:///x-format", Compile: compileFormat})
	c.AssertVocabs()
	if err := c.AddResource(url, doc); err != nil {
		b.refuse("", "schema", "不是正确的 JSON Schema：%v", err)
		return nil
	}
	s, err := c.Compile(url)
	if err != nil {
		b.refuse("", "schema", "不是正确的 JSON Schema：%v", err)
		return nil
	}
	return s
}

// noLoader keeps the library from reading files or the network.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, errors.New("form: " + url + " is outside the form")
}
