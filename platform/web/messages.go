package web

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"haoban/platform/errs"
)

// sentence is one of huma's messages in Chinese. A %s stands for what the
// expression catches.
type sentence struct {
	expr *regexp.Regexp
	rule string
	text string
}

// sentences covers every message of huma's validation package and of its
// parameter parser; TestEveryMessage holds it to that.
var sentences = []sentence{
	{regexp.MustCompile(`^unexpected property$`), "unknown", "不认识这一项，请去掉"},
	{regexp.MustCompile(`^unknown query parameter$`), "unknown", "不认识这个查询条件，请去掉"},
	{regexp.MustCompile(`^expected required property (.+) to be present$`), "required", "必填，请填写"},
	{regexp.MustCompile(`^expected property (.+) to be present when (.+) is present$`), "required", "填了“%[2]s”就要填这一项"},
	{regexp.MustCompile(`^required .* parameter is missing$`), "required", "缺少这一项"},
	{regexp.MustCompile(`^expected string to be RFC 3339 date-time$`), "date-time", "应为日期和时间，例如 2026-11-23T09:00:00+08:00"},
	{regexp.MustCompile(`^expected string to be RFC 1123 date-time$`), "date-time", "应为日期和时间"},
	{regexp.MustCompile(`^expected string to be RFC 3339 date$`), "date", "应为日期，例如 2026-11-23"},
	{regexp.MustCompile(`^expected string to be RFC 3339 time$`), "time", "应为时间，例如 09:00:00"},
	{regexp.MustCompile(`^invalid date/time`), "date-time", "日期或时间写法不对"},
	{regexp.MustCompile(`^expected duration`), "duration", "应为时长"},
	{regexp.MustCompile(`RFC 5322 email`), "email", "电子邮箱写法不对"},
	{regexp.MustCompile(`RFC 5890 hostname|ipv4|ipv6`), "host", "应为主机名或网络地址"},
	{regexp.MustCompile(`uri|url\.URL`), "uri", "应为网址"},
	{regexp.MustCompile(`RFC 4122 uuid`), "uuid", "编号写法不对"},
	{regexp.MustCompile(`json-pointer|to be regex`), "format", "写法不对"},
	{regexp.MustCompile(`^expected value to be one of "(.+)"$`), "enum", "只能是其中之一：%[1]s"},
	{regexp.MustCompile(`^expected value to (match|not match)|exactly one schema|at least one schema|propertyName`), "schema", "内容不符合要求"},
	{regexp.MustCompile(`^expected boolean$|^invalid boolean$`), "boolean", "应为是或否"},
	{regexp.MustCompile(`^expected integer$|^invalid integer$`), "integer", "应为整数"},
	{regexp.MustCompile(`^expected number$|^invalid float`), "number", "应为数字"},
	{regexp.MustCompile(`^expected string$`), "string", "应为文字"},
	{regexp.MustCompile(`base64`), "base64", "文件内容编码不对"},
	{regexp.MustCompile(`^expected array$`), "array", "应为列表"},
	{regexp.MustCompile(`^expected object$`), "object", "应为一组内容"},
	{regexp.MustCompile(`items to be unique$`), "unique", "有重复，请去掉重复的"},
	{regexp.MustCompile(`^expected number >= (.+)$`), "minimum", "不能小于 %[1]s"},
	{regexp.MustCompile(`^expected number > (.+)$`), "minimum", "应大于 %[1]s"},
	{regexp.MustCompile(`^expected number <= (.+)$`), "maximum", "不能大于 %[1]s"},
	{regexp.MustCompile(`^expected number < (.+)$`), "maximum", "应小于 %[1]s"},
	{regexp.MustCompile(`multiple of (.+)$`), "multiple", "应为 %[1]s 的倍数"},
	{regexp.MustCompile(`^expected length >= (.+)$`), "minLength", "至少 %[1]s 个字"},
	{regexp.MustCompile(`^expected length <= (.+)$`), "maxLength", "最多 %[1]s 个字"},
	{regexp.MustCompile(`^expected array length >= (.+)$`), "minItems", "至少 %[1]s 项"},
	{regexp.MustCompile(`^expected array length <= (.+)$`), "maxItems", "最多 %[1]s 项"},
	{regexp.MustCompile(`at least (.+) properties$`), "minProperties", "至少填 %[1]s 项"},
	{regexp.MustCompile(`at most (.+) properties$`), "maxProperties", "最多填 %[1]s 项"},
	{regexp.MustCompile(`match pattern|^expected string to be `), "pattern", "写法不对"},
	{regexp.MustCompile(`at most one value`), "single", "只能填一个"},
	{regexp.MustCompile(`^cannot read multipart form`), "form", "上传的表单读不懂"},
	{regexp.MustCompile(`^invalid value|^unparsable`), "format", "写法不对"},
}

// fieldOf says in Chinese what is wrong with one field. What the caller sent is
// never repeated: it may be personal.
func fieldOf(d *huma.ErrorDetail) errs.Field {
	f := errs.Field{Path: fieldPath(d.Location), Rule: "invalid", Msg: "内容不对，请检查"}
	for _, s := range sentences {
		m := s.expr.FindStringSubmatch(d.Message)
		if m == nil {
			continue
		}
		f.Rule, f.Msg = s.rule, s.text
		if strings.Contains(s.text, "%[") {
			args := make([]any, len(m)-1)
			for i, a := range m[1:] {
				args[i] = a
			}
			f.Msg = fmt.Sprintf(s.text, args...)
		}
		if s.rule == "required" && len(m) > 1 { // huma names the object, not the missing field
			f.Path = strings.TrimPrefix(f.Path+"."+m[1], ".")
		}
		break
	}
	return f
}

var index = regexp.MustCompile(`\[(\d+)\]`)

// fieldPath turns huma's "body.items[3].tags" into "items.3.tags".
func fieldPath(location string) string {
	p := index.ReplaceAllString(location, ".$1")
	for _, where := range []string{"body", "query", "path", "header", "cookie", "form"} {
		if p == where {
			return ""
		}
		if rest, ok := strings.CutPrefix(p, where+"."); ok {
			return rest
		}
	}
	return p
}
