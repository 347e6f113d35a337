package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"haoban/platform/config"
	"haoban/platform/errs"
)

var update = flag.Bool("update", false, "rewrite docs/config.md")

func TestSampleIsDefault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "haoban.toml")
	if err := os.WriteFile(path, []byte(config.Sample()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(path, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, config.Sample())
	}
	want, err := config.Parse(nil, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(config.Config{})); d != "" {
		t.Errorf("the sample is not the default:\n%s", d)
	}
	if got.Keys.File != filepath.Join(dir, "data/keys.json") || got.DB.DSN != filepath.Join(dir, "data/haoban.db") {
		t.Errorf("paths do not start at the settings file: %s, %s", got.Keys.File, got.DB.DSN)
	}
	if got.Dir() != dir {
		t.Errorf("Dir = %s", got.Dir())
	}
	// The example of a link is right once uncommented.
	_, example, _ := strings.Cut(config.Sample(), "例如：\n")
	var lines []string
	for l := range strings.Lines(example) {
		lines = append(lines, strings.TrimPrefix(l, "# "))
	}
	c, err := config.Parse([]byte(strings.Join(lines, "")), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := c.Link("sms"); !l.Enabled || l.Timeout.D() != 10*time.Second || l.SecretFile != filepath.Join(dir, "secrets/sms") || l.Extra["template"] != "1001" {
		t.Errorf("example link: %+v", l)
	}
}

func TestEveryFieldIsDocumented(t *testing.T) {
	t.Parallel()
	var look func(reflect.Type, string)
	look = func(rt reflect.Type, at string) {
		for f := range rt.Fields() {
			if !f.IsExported() {
				continue
			}
			if f.Tag.Get("doc") == "" || f.Tag.Get("toml") == "" {
				t.Errorf("%s.%s has no doc or no name", at, f.Name)
			}
			if f.Type.Kind() == reflect.Struct {
				look(f.Type, f.Name)
			}
			if strings.HasSuffix(f.Tag.Get("toml"), "_file") && f.Tag.Get("path") == "" {
				t.Errorf("%s.%s names a file but is no path", at, f.Name)
			}
		}
	}
	look(reflect.TypeFor[config.Config](), "Config")
	look(reflect.TypeFor[config.Link](), "Link")
}

func TestMarkdownIsCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "config.md")
	if *update {
		if err := os.WriteFile(path, []byte(config.Markdown()), 0o644); err != nil { //nolint:gosec // a page for all
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path) //nolint:gosec // the page of this module
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), config.Markdown()); d != "" {
		t.Errorf("docs/config.md is not what the code says; run the test with -update:\n%s", d)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, path, say string }{
		{"unknown key", "[server]\nlisten = \"x\"\n", "server.listen", "没有名为 server.listen 的配置项"},
		{"unknown section", "[sever]\naddr = \"x\"\n", "sever", "sever"},
		{"unknown key of a link", "[links.sms]\nulr = \"x\"\n", "links.sms.ulr", "links.sms.ulr"},
		{"syntax", "[server\n", "", "第 1 行"},
		{"wrong type", "[jobs]\nworkers = \"many\"\n", "jobs.workers", "jobs.workers"},
		{"engine", "[db]\nengine = \"oracle\"\n", "db.engine", "sqlite、postgres"},
		{"duration", "[session]\nstaff_idle = \"long\"\n", "session.staff_idle", "不是时长"},
		{"zero duration", "[session]\nstaff_idle = \"0s\"\n", "session.staff_idle", "大于零"},
		{"size", "[limits]\nbody = \"1TB\"\n", "limits.body", "不是大小"},
		{"too many workers", "[jobs]\nworkers = 5000\n", "jobs.workers", "不得大于 1000"},
		{"too few", "[session]\npassword_min = 4\n", "session.password_min", "不得小于 8"},
		{"url", "[server]\npublic_url = \"haoban\"\n", "server.public_url", "不是网址"},
		{"slash", "[server]\npublic_url = \"http://a/\"\n", "server.public_url", "末尾斜杠"},
		{"proxy", "[server]\ntrusted_proxies = [\"10.0.0.1\"]\n", "server.trusted_proxies", "不是网段"},
		{"half TLS", "[server]\ntls_cert_file = \"c\"\n", "server.tls_key_file", "都"},
		{"password in dsn", "[db]\nengine = \"postgres\"\ndsn = \"postgres://u:p@h/db\"\n", "db.dsn", "dsn_file"},
		{"password in dsn words", "[db]\nengine = \"postgres\"\ndsn = \"host=h password=p\"\n", "db.dsn", "dsn_file"},
		{"s3 without a bucket", "[blob]\nkind = \"s3\"\n", "blob.s3", "bucket"},
		{"link without url", "[links.sms]\nenabled = true\n", "links.sms.url", "不是网址"},
		{"link name", "[links.SMS]\nenabled = false\n", "links.SMS", "小写"},
		{"secret in extra", "[links.sms]\nextra = {app_secret = \"x\"}\n", "links.sms.extra.app_secret", "app_secret_file"},
		{"chunk above upload", "[limits]\nupload = \"1MB\"\n", "limits.chunk", "不得大于"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse([]byte(tt.text), t.TempDir(), nil)
			e, ok := errs.As(err)
			if !ok || e.Kind != errs.Invalid || e.Code != "config.invalid" {
				t.Fatalf("got %v, want config.invalid", err)
			}
			i := slices.IndexFunc(e.Fields, func(f errs.Field) bool { return f.Path == tt.path })
			if i < 0 || !strings.Contains(e.Fields[i].Msg, tt.say) {
				t.Errorf("fields %+v, want %s to say %q", e.Fields, tt.path, tt.say)
			}
		})
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.toml"), nil); errs.CodeOf(err) != "config.file" {
		t.Errorf("no file: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	c, err := config.Parse([]byte("[links.tax]\nurl = \"http://old\"\nenabled = true\n"), t.TempDir(), []string{
		"PATH=/bin", "HAOBAN_CONFIG=x",
		"HAOBAN_SERVER_PUBLIC_URL=https://haoban.invalid",
		"HAOBAN_SERVER_TRUSTED_PROXIES=10.0.0.0/8, 192.168.0.0/16",
		"HAOBAN_BLOB_S3_BUCKET=files", "HAOBAN_BLOB_S3_TLS=false",
		"HAOBAN_JOBS_WORKERS=3", "HAOBAN_SESSION_STAFF_IDLE=7m", "HAOBAN_LIMITS_UPLOAD=512MB",
		"HAOBAN_LINKS_TAX_URL=http://new", "HAOBAN_LINKS_SMS_APP_ID=me", "HAOBAN_LINKS_SMS_EXTRA_TEMPLATE=7",
		"HAOBAN_SERVICE_HOST=10.1.1.1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.PublicURL != "https://haoban.invalid" || c.Server.StaffURL != c.Server.PublicURL {
		t.Errorf("server %+v", c.Server)
	}
	if d := cmp.Diff([]string{"10.0.0.0/8", "192.168.0.0/16"}, c.Server.TrustedProxies); d != "" {
		t.Error(d)
	}
	if c.Blob.S3.Bucket != "files" || c.Blob.S3.TLS || c.Jobs.Workers != 3 || c.Session.StaffIdle.D() != 7*time.Minute || c.Limits.Upload.Bytes() != 512<<20 {
		t.Errorf("got %+v", c)
	}
	if l := c.Link("tax"); l.URL != "http://new" || !l.Enabled {
		t.Errorf("tax %+v", l)
	}
	if l := c.Link("sms"); l.AppID != "me" || l.Extra["template"] != "7" || l.Enabled {
		t.Errorf("sms %+v", l)
	}
	if d := cmp.Diff([]string{"HAOBAN_SERVICE_HOST"}, c.Ignored()); d != "" {
		t.Error(d)
	}
	_, err = config.Parse(nil, t.TempDir(), []string{"HAOBAN_JOBS_WORKERS=many"})
	if e, ok := errs.As(err); !ok || len(e.Fields) != 1 || e.Fields[0].Path != "HAOBAN_JOBS_WORKERS" {
		t.Errorf("bad value: %v", err)
	}
}

// Every setting that the page names by a variable can be set by it.
func TestEveryVariableWorks(t *testing.T) {
	t.Parallel()
	for l := range strings.Lines(config.Markdown()) {
		cells := strings.Split(l, "|")
		if len(cells) != 6 || !strings.Contains(cells[3], "HAOBAN_") {
			continue
		}
		name := strings.Trim(cells[3], " `")
		if strings.HasSuffix(name, "…") || strings.Contains(name, "（") {
			continue
		}
		value := strings.Trim(strings.Trim(cells[2], " `"), `"[]`)
		c, err := config.Parse(nil, t.TempDir(), []string{"HAOBAN_LINKS_SMS_URL=https://sms.invalid", name + "=" + value})
		if err != nil && !strings.Contains(err.Error(), "required") {
			t.Errorf("%s=%s: %v", name, value, err)
			continue
		}
		if c != nil && len(c.Ignored()) > 0 {
			t.Errorf("%s is ignored", name)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dsn"), []byte("postgres://u:p@h/db\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "empty"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]byte("[db]\nengine=\"postgres\"\ndsn_file=\"dsn\"\n"), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.DB.Connection(); err != nil || s != "postgres://u:p@h/db" { //nolint:gosec // nobody's password
		t.Errorf("Connection = %q, %v", s, err)
	}
	for _, p := range []string{"", filepath.Join(dir, "none"), filepath.Join(dir, "empty")} {
		if _, err := config.ReadSecret(p); errs.CodeOf(err) != "config.secret" {
			t.Errorf("secret %q: %v", p, err)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"90s": "1m30s", "5m": "5m", "60m": "1h", "1h30m": "1h30m", "36h": "36h", "10s": "10s"} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(in)); err != nil || d.String() != want {
			t.Errorf("duration %s = %s, %v; want %s", in, d, err, want)
		}
	}
	for in, want := range map[string]string{"1024": "1KB", "1KB": "1KB", "1536KB": "1536KB", "2GB": "2GB", "2048MB": "2GB", "7B": "7B"} {
		var s config.Size
		if err := s.UnmarshalText([]byte(in)); err != nil || s.String() != want {
			t.Errorf("size %s = %s, %v; want %s", in, s, err, want)
		}
	}
	for _, bad := range []string{"", "MB", "-1MB", "1.5MB", "1 MB", "99999999999GB", "1MBx", "1mb"} {
		var s config.Size
		if err := s.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("size %q was read as %s", bad, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(config.Sample())
	f.Add("[links.a]\nextra={b=\"c\"}")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := config.Parse([]byte(s), "/etc/haoban", nil)
		if (c == nil) == (err == nil) {
			t.Fatal("neither or both")
		}
	})
}
