package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Sample returns a settings file that says every default and what each setting
// is for. Parse of it gives Default.
func Sample() string {
	var b strings.Builder
	b.WriteString("# 好办 配置文件。每一项都写着默认值，不需要改的可以删去。\n" +
		"# 任何一项都可由环境变量覆盖：server.public_url 对应 HAOBAN_SERVER_PUBLIC_URL。\n" +
		"# 密钥、口令一律放在文件里，由 *_file 指明；相对路径以本文件所在目录为起点。\n")
	sampleSection(&b, reflect.ValueOf(Default()).Elem(), "")
	b.WriteString("\n# " + docOf("Links") + "。例如：\n")
	b.WriteString("# [links.sms]\n")
	eachLinkField(func(key, doc, _ string, v reflect.Value) {
		if v.Kind() == reflect.Map {
			b.WriteString("# extra = { template = \"1001\" } # " + doc + "\n")
			return
		}
		fmt.Fprintf(&b, "# %s = %s # %s\n", key, literal(v), doc)
	})
	return b.String()
}

func sampleSection(b *strings.Builder, v reflect.Value, prefix string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, ok := f.Tag.Lookup("toml")
		if !ok {
			continue
		}
		switch v.Field(i).Kind() { //nolint:exhaustive // the rest are leaves
		case reflect.Map:
		case reflect.Struct:
			name := strings.TrimPrefix(prefix+"."+key, ".")
			fmt.Fprintf(b, "\n# %s\n[%s]\n", f.Tag.Get("doc"), name)
			sampleSection(b, v.Field(i), name)
		default:
			fmt.Fprintf(b, "# %s\n%s = %s\n", describe(f), key, literal(v.Field(i)))
		}
	}
}

// Markdown returns the reference page of the settings, docs/config.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# 配置项\n\n" +
		"本页由 `platform/config` 生成，与程序一致。配置文件为 TOML；不认识的配置项会被拒绝并指出名称。\n\n" +
		"- 每一项都可由环境变量覆盖，表中列出变量名；列表用逗号分隔。\n" +
		"- 密钥、口令一律放在文件里，由 `*_file` 指明，不写进配置。\n" +
		"- 相对路径以配置文件所在目录为起点。\n" +
		"- 时长写成 `30s`、`5m`、`8h`；大小写成 `512KB`、`200MB`、`2GB`。\n")
	v := reflect.ValueOf(Default()).Elem()
	mdSections(&b, v, "")
	fmt.Fprintf(&b, "\n## links — %s\n\n| 配置项 | 默认值 | 环境变量（以 sms 为例） | 说明 |\n|---|---|---|---|\n", docOf("Links"))
	eachLinkField(func(key, doc, env string, v reflect.Value) {
		def := "`" + literal(v) + "`"
		if v.Kind() == reflect.Map {
			def, env = "", env+"_…"
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", key, def, env, doc)
	})
	return b.String()
}

func mdSections(b *strings.Builder, v reflect.Value, prefix string) {
	var nested []int
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, ok := f.Tag.Lookup("toml")
		if !ok {
			continue
		}
		switch v.Field(i).Kind() { //nolint:exhaustive // the rest are leaves
		case reflect.Map:
		case reflect.Struct:
			nested = append(nested, i)
		default:
			env := EnvPrefix + strings.ToUpper(strings.ReplaceAll(prefix+"."+key, ".", "_"))
			fmt.Fprintf(b, "| `%s` | `%s` | `%s` | %s |\n", key, literal(v.Field(i)), env, describe(f))
		}
	}
	for _, i := range nested {
		f := v.Type().Field(i)
		name := strings.TrimPrefix(prefix+"."+f.Tag.Get("toml"), ".")
		fmt.Fprintf(b, "\n## %s — %s\n\n| 配置项 | 默认值 | 环境变量 | 说明 |\n|---|---|---|---|\n", name, f.Tag.Get("doc"))
		mdSections(b, v.Field(i), name)
	}
}

func eachLinkField(do func(key, doc, env string, v reflect.Value)) {
	v := reflect.ValueOf(Link{Enabled: true, URL: "https://sms.example.invalid", AppID: "haoban", SecretFile: "secrets/sms", Timeout: Default().Link("").Timeout})
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := f.Tag.Get("toml")
		do(key, describe(f), EnvPrefix+"LINKS_SMS_"+strings.ToUpper(key), v.Field(i))
	}
}

func docOf(field string) string {
	f, ok := reflect.TypeFor[Config]().FieldByName(field)
	if !ok {
		panic("config: no section " + field) // a name in this file
	}
	return f.Tag.Get("doc")
}

// describe is a field's doc with what it may be.
func describe(f reflect.StructField) string {
	doc := f.Tag.Get("doc")
	if set := f.Tag.Get("oneof"); set != "" {
		doc += "（可选：" + strings.Join(strings.Fields(set), "、") + "）"
	}
	if lo, hi := f.Tag.Get("min"), f.Tag.Get("max"); lo != "" && hi != "" {
		doc += "（" + lo + "–" + hi + "）"
	}
	return doc
}

func literal(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case fmt.Stringer: // Duration, Size
		return fmt.Sprintf("%q", x.String())
	case string:
		return fmt.Sprintf("%q", x)
	case []string:
		parts := make([]string, len(x))
		for i, s := range x {
			parts[i] = fmt.Sprintf("%q", s)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return fmt.Sprint(x)
	}
}
