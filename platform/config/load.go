package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"haoban/platform/errs"
)

// EnvPrefix begins the name of every environment variable that overrides a
// setting: server.public_url is HAOBAN_SERVER_PUBLIC_URL, links.sms.url is
// HAOBAN_LINKS_SMS_URL.
const EnvPrefix = "HAOBAN_"

// Load reads the settings file at path, overlays environ (as of os.Environ) and
// checks the whole. An empty path means defaults, relative to the working
// folder. Everything wrong comes back as one errs.Invalid with a field each.
func Load(path string, environ []string) (*Config, error) {
	dir, err := filepath.Abs(".")
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	var text []byte
	if path != "" {
		if text, err = os.ReadFile(path); err != nil { //nolint:gosec // the operator names it
			return nil, errs.New(errs.Invalid, "config.file", "读不到配置文件 "+path).Wrap(err)
		}
		if dir, err = filepath.Abs(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("config: %w", err)
		}
	}
	return Parse(text, dir, environ)
}

// Parse is Load for a text whose relative paths start from dir.
func Parse(text []byte, dir string, environ []string) (*Config, error) {
	c := Default()
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, decodeError(err)
	}
	c.dir = dir
	var bad []errs.Field
	bad = append(bad, c.overlay(environ)...)
	if c.Server.StaffURL == "" {
		c.Server.StaffURL = c.Server.PublicURL
	}
	bad = append(bad, c.check()...)
	if len(bad) > 0 {
		return nil, errs.New(errs.Invalid, "config.invalid", "配置有误，请按提示修改").WithFields(bad)
	}
	resolve(reflect.ValueOf(c).Elem(), dir)
	for name, l := range c.Links {
		resolve(reflect.ValueOf(&l).Elem(), dir)
		for k, v := range l.Extra {
			if strings.HasSuffix(k, "_file") {
				l.Extra[k] = absolute(dir, v)
			}
		}
		c.Links[name] = l
	}
	if c.DB.Engine == "sqlite" && !strings.HasPrefix(c.DB.DSN, "file:") && c.DB.DSN != ":memory:" {
		c.DB.DSN = absolute(dir, c.DB.DSN)
	}
	return c, nil
}

// decodeError says in Chinese which key or line is wrong.
func decodeError(err error) error {
	out := errs.New(errs.Invalid, "config.invalid", "配置文件有误，请按提示修改").Wrap(err)
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		for _, e := range missing.Errors {
			key := strings.Join(e.Key(), ".")
			row, _ := e.Position()
			out = out.With(key, "unknown", fmt.Sprintf("第 %d 行：没有名为 %s 的配置项，请核对拼写", row, key))
		}
		return out
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		row, col := de.Position()
		key := strings.Join(de.Key(), ".")
		return out.With(key, "syntax", fmt.Sprintf("第 %d 行第 %d 列：%s 写法不正确（%s）", row, col, key, de.Error()))
	}
	return out
}

// overlay puts the environment's values over the file's.
func (c *Config) overlay(environ []string) []errs.Field {
	var bad []errs.Field
	environ = slices.Clone(environ)
	slices.Sort(environ)
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		rest, ok := strings.CutPrefix(name, EnvPrefix)
		if !ok || rest == "CONFIG" {
			continue
		}
		known, err := setEnv(reflect.ValueOf(c).Elem(), rest, value)
		switch {
		case err != nil:
			bad = append(bad, errs.Field{Path: name, Rule: "env", Msg: fmt.Sprintf("环境变量 %s 的值不正确：%v", name, err)})
		case !known:
			c.ignored = append(c.ignored, name)
		}
	}
	return bad
}

// setEnv sets the field of v that the rest of a variable's name leads to, and
// says whether there is one.
func setEnv(v reflect.Value, rest, value string) (bool, error) {
	for i := range v.NumField() {
		ft := v.Type().Field(i)
		key, ok := ft.Tag.Lookup("toml")
		if !ok {
			continue
		}
		up, f := strings.ToUpper(key), v.Field(i)
		if up == rest && f.Kind() != reflect.Struct && f.Kind() != reflect.Map {
			return true, setText(f, value)
		}
		sub, ok := strings.CutPrefix(rest, up+"_")
		if !ok {
			continue
		}
		switch m := f.Interface().(type) {
		case map[string]Link:
			return setLink(m, sub, value)
		case map[string]string:
			// The map may be shared with a default; extras are the link's own.
			m2 := map[string]string{}
			for k, v := range m {
				m2[k] = v
			}
			m2[strings.ToLower(sub)] = value
			f.Set(reflect.ValueOf(m2))
			return true, nil
		}
		if f.Kind() == reflect.Struct {
			if known, err := setEnv(f, sub, value); known || err != nil {
				return known, err
			}
		}
	}
	return false, nil
}

// setLink takes SMS_SECRET_FILE apart: a link's name has no underscore.
func setLink(links map[string]Link, rest, value string) (bool, error) {
	name, sub, ok := strings.Cut(rest, "_")
	if !ok || name == "" {
		return false, nil
	}
	name = strings.ToLower(name)
	l := links[name]
	known, err := setEnv(reflect.ValueOf(&l).Elem(), sub, value)
	if known && err == nil {
		links[name] = l
	}
	return known, err
}

func setText(f reflect.Value, value string) error {
	if u, ok := f.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(value))
	}
	switch p := f.Addr().Interface().(type) {
	case *string:
		*p = value
	case *int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("不是整数：%q", value)
		}
		*p = n
	case *bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("不是 true 或 false：%q", value)
		}
		*p = b
	case *[]string:
		*p = nil
		for s := range strings.SplitSeq(value, ",") {
			if s = strings.TrimSpace(s); s != "" {
				*p = append(*p, s)
			}
		}
	default:
		return fmt.Errorf("不能由环境变量设置（%s）", f.Type())
	}
	return nil
}

// check holds every field against its own tags, then against the others.
func (c *Config) check() []errs.Field {
	var bad []errs.Field
	add := func(path, rule, format string, a ...any) {
		bad = append(bad, errs.Field{Path: path, Rule: rule, Msg: path + "：" + fmt.Sprintf(format, a...)})
	}
	walk(reflect.ValueOf(c).Elem(), "", func(path string, f reflect.StructField, v reflect.Value) {
		if set := f.Tag.Get("oneof"); set != "" && !slices.Contains(strings.Fields(set), v.String()) {
			add(path, "oneof", "%q 不是可选的值，只能是 %s", v.String(), strings.Join(strings.Fields(set), "、"))
		}
		if lo, err := strconv.ParseInt(f.Tag.Get("min"), 10, 64); err == nil && v.Int() < lo {
			add(path, "min", "不得小于 %d", lo)
		}
		if hi, err := strconv.ParseInt(f.Tag.Get("max"), 10, 64); err == nil && v.Int() > hi {
			add(path, "max", "不得大于 %d", hi)
		}
		switch x := v.Interface().(type) {
		case Duration:
			if x <= 0 {
				add(path, "positive", "时长必须大于零")
			}
		case Size:
			if x <= 0 {
				add(path, "positive", "大小必须大于零")
			}
		}
	})
	address := func(path, s string, empty bool) {
		u, err := url.Parse(s)
		if s == "" && empty {
			return
		}
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.HasSuffix(s, "/") || u.RawQuery != "" || u.User != nil {
			add(path, "url", "%q 不是网址（http:// 或 https:// 开头，不带末尾斜杠、参数和口令）", s)
		}
	}
	address("server.public_url", c.Server.PublicURL, false)
	address("server.staff_url", c.Server.StaffURL, true)
	address("log.otlp", c.Log.OTLP, true)
	for _, p := range c.Server.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			add("server.trusted_proxies", "cidr", "%q 不是网段，应写成 10.0.0.0/8", p)
		}
	}
	if (c.Server.TLSCertFile == "") != (c.Server.TLSKeyFile == "") {
		add("server.tls_key_file", "pair", "证书文件和私钥文件要么都配置，要么都不配置")
	}
	if c.DB.DSN == "" && c.DB.DSNFile == "" {
		add("db.dsn", "required", "没有配置数据库")
	}
	if c.DB.Engine == "postgres" && hasPassword(c.DB.DSN) {
		add("db.dsn", "secret", "连接串里不得写密码，请把整个连接串放进文件，用 dsn_file 指明")
	}
	if c.Blob.Dir == "" {
		add("blob.dir", "required", "没有配置目录")
	}
	if c.Blob.Kind == "s3" && (c.Blob.S3.Endpoint == "" || c.Blob.S3.Bucket == "" || c.Blob.S3.SecretKeyFile == "") {
		add("blob.s3", "required", "对象存储须配置 endpoint、bucket、secret_key_file")
	}
	if c.Keys.Kind == "soft" && (c.Keys.File == "" || c.Keys.SecretFile == "") {
		add("keys.file", "required", "软件密钥须配置 file 和 secret_file")
	}
	if c.Limits.Chunk > c.Limits.Upload {
		add("limits.chunk", "order", "一片的上限不得大于单个文件的上限 %s", c.Limits.Upload)
	}
	for name, l := range c.Links {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || name == "" {
			add("links."+name, "name", "外部系统的名称只能用小写字母和数字")
		}
		if l.Enabled {
			address("links."+name+".url", l.URL, false)
		}
		for k := range l.Extra {
			if looksSecret(k) {
				add("links."+name+".extra."+k, "secret", "密钥不得直接写在配置里，请放进文件，用 %s_file 指明", k)
			}
		}
	}
	return bad
}

func looksSecret(key string) bool {
	if strings.HasSuffix(key, "_file") {
		return false
	}
	for _, w := range []string{"secret", "password", "passwd", "private_key"} {
		if strings.Contains(strings.ToLower(key), w) {
			return true
		}
	}
	return false
}

func hasPassword(dsn string) bool {
	if u, err := url.Parse(dsn); err == nil && u.User != nil {
		_, has := u.User.Password()
		return has || u.Query().Has("password")
	}
	return strings.Contains(strings.ToLower(dsn), "password")
}

// walk visits every leaf of the sections, not of Links.
func walk(v reflect.Value, prefix string, visit func(path string, f reflect.StructField, v reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, ok := f.Tag.Lookup("toml")
		if !ok {
			continue
		}
		path := strings.TrimPrefix(prefix+"."+key, ".")
		switch v.Field(i).Kind() { //nolint:exhaustive // the rest are leaves
		case reflect.Struct:
			walk(v.Field(i), path, visit)
		case reflect.Map:
		default:
			visit(path, f, v.Field(i))
		}
	}
}

// resolve makes the paths of v start from dir.
func resolve(v reflect.Value, dir string) {
	walk(v, "", func(_ string, f reflect.StructField, v reflect.Value) {
		if f.Tag.Get("path") != "" {
			v.SetString(absolute(dir, v.String()))
		}
	})
}
