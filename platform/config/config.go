// Package config is the settings of the program: one documented struct read
// from a TOML file, overlaid by the environment, checked before anything
// starts.
//
// A key that no field knows is refused by name. Secrets are never values: a
// field that ends in _file names the file that holds one. Relative paths are
// relative to the settings file.
package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"haoban/platform/errs"
)

// Config is all settings. Default gives each its default.
type Config struct {
	Server  Server          `toml:"server" doc:"网络与地址"`
	DB      DB              `toml:"db" doc:"数据库"`
	Blob    Blob            `toml:"blob" doc:"文件存储"`
	Keys    Keys            `toml:"keys" doc:"密钥"`
	Log     Log             `toml:"log" doc:"日志与观测"`
	Limits  Limits          `toml:"limits" doc:"用量上限"`
	Session Session         `toml:"session" doc:"登录与会话"`
	SMS     SMS             `toml:"sms" doc:"短信验证码"`
	Jobs    Jobs            `toml:"jobs" doc:"后台任务"`
	Links   map[string]Link `toml:"links" doc:"外部系统，每个系统一节：[links.系统名]"`

	dir     string
	ignored []string
}

// Server is where the program listens and how the world calls it.
type Server struct {
	Addr            string   `toml:"addr" doc:"监听地址"`
	PublicURL       string   `toml:"public_url" doc:"对外访问的根地址，二维码、回调和短信里的链接都用它，不带末尾斜杠"`
	StaffURL        string   `toml:"staff_url" doc:"工作人员端的根地址；空则与 public_url 相同"`
	Net             string   `toml:"net" doc:"本节点所在的网：one 单网；portal 互联网侧；desk 政务外网侧" oneof:"one portal desk"`
	Node            string   `toml:"node" doc:"节点名，写进日志和任务租约；空则用主机名"`
	TLSCertFile     string   `toml:"tls_cert_file" doc:"HTTPS 证书文件（PEM）；空则不启用 HTTPS，由前置网关终止" path:"true"`
	TLSKeyFile      string   `toml:"tls_key_file" doc:"HTTPS 私钥文件（PEM）" path:"true"`
	TrustedProxies  []string `toml:"trusted_proxies" doc:"可信前置网关的网段（CIDR），只有来自它们的请求才采信 X-Forwarded-For"`
	ReadTimeout     Duration `toml:"read_timeout" doc:"读完请求头的时限"`
	ShutdownTimeout Duration `toml:"shutdown_timeout" doc:"停机时等待在办请求的时限"`
}

// DB is the database.
type DB struct {
	Engine   string `toml:"engine" doc:"数据库引擎" oneof:"sqlite postgres"`
	DSN      string `toml:"dsn" doc:"SQLite 为数据库文件路径；PostgreSQL 为连接串，其中不得带密码"`
	DSNFile  string `toml:"dsn_file" doc:"存放连接串的文件，连接串里有密码时用它，优先于 dsn" path:"true"`
	MaxConns int    `toml:"max_conns" doc:"最大连接数；0 为引擎默认" min:"0" max:"1000"`
	Full     bool   `toml:"full" doc:"每次提交都落盘（SQLite synchronous=FULL）；生产环境不得关闭"`
}

// Blob is where files are kept.
type Blob struct {
	Kind string `toml:"kind" doc:"存储方式：disk 本地或共享磁盘；s3 对象存储" oneof:"disk s3"`
	Dir  string `toml:"dir" doc:"disk 的目录；s3 用它存放收取中的临时文件" path:"true"`
	S3   S3     `toml:"s3" doc:"对象存储（S3 协议）"`
}

// S3 is an object store that speaks the S3 protocol.
type S3 struct {
	Endpoint      string `toml:"endpoint" doc:"服务地址，主机:端口，不带协议"`
	Region        string `toml:"region" doc:"区域"`
	Bucket        string `toml:"bucket" doc:"桶名，须已存在"`
	Prefix        string `toml:"prefix" doc:"对象名前缀"`
	AccessKey     string `toml:"access_key" doc:"访问标识（不是密钥）"`
	SecretKeyFile string `toml:"secret_key_file" doc:"存放访问密钥的文件" path:"true"`
	TLS           bool   `toml:"tls" doc:"用 HTTPS 访问"`
}

// Keys is where keys come from.
type Keys struct {
	Kind       string `toml:"kind" doc:"密钥来源：soft 软件密钥（仅供开发测试）；platform 市密码支撑平台（须配置 [links.crypto]）" oneof:"soft platform"`
	File       string `toml:"file" doc:"软件密钥文件，由 haoban keys init 生成" path:"true"`
	SecretFile string `toml:"secret_file" doc:"存放密钥口令的文件" path:"true"`
}

// Log is what the program tells about itself.
type Log struct {
	Level   string `toml:"level" doc:"日志级别" oneof:"debug info warn error"`
	Format  string `toml:"format" doc:"日志格式" oneof:"text json"`
	Metrics string `toml:"metrics" doc:"指标（Prometheus）的监听地址；空则不开放"`
	OTLP    string `toml:"otlp" doc:"链路追踪上报地址（OTLP/HTTP）；空则不上报"`
}

// Limits are the most of anything one request or person may take.
type Limits struct {
	Body          Size `toml:"body" doc:"一次普通请求正文的上限"`
	Upload        Size `toml:"upload" doc:"单个文件的上限"`
	Recording     Size `toml:"recording" doc:"单个录音录像文件的上限"`
	Chunk         Size `toml:"chunk" doc:"分片上传时一片的上限"`
	ZipEntries    int  `toml:"zip_entries" doc:"压缩包内文件个数上限" min:"1" max:"1000000"`
	ZipExpanded   Size `toml:"zip_expanded" doc:"压缩包展开后的总大小上限"`
	PerMinute     int  `toml:"per_minute" doc:"一个来源地址每分钟的请求数上限" min:"1" max:"1000000"`
	LoginPerHour  int  `toml:"login_per_hour" doc:"一个来源地址每小时的登录次数上限" min:"1" max:"100000"`
	PageSize      int  `toml:"page_size" doc:"一页最多条数" min:"1" max:"1000"`
	ExportRows    int  `toml:"export_rows" doc:"一次导出最多行数" min:"1" max:"1000000"`
	UnmaskPerHour int  `toml:"unmask_per_hour" doc:"一人每小时查看明文的次数上限" min:"1" max:"100000"`
}

// Session is how long a login lasts and what a login takes.
type Session struct {
	PublicIdle   Duration `toml:"public_idle" doc:"办事群众多久不操作即退出"`
	PublicMax    Duration `toml:"public_max" doc:"办事群众一次登录最长多久"`
	StaffIdle    Duration `toml:"staff_idle" doc:"工作人员多久不操作即退出"`
	StaffMax     Duration `toml:"staff_max" doc:"工作人员一次登录最长多久"`
	StaffAtOnce  int      `toml:"staff_at_once" doc:"一名工作人员同时在线的会话数上限" min:"1" max:"100"`
	WrongMax     int      `toml:"wrong_max" doc:"连续输错几次即锁定" min:"1" max:"20"`
	LockFor      Duration `toml:"lock_for" doc:"锁定多久"`
	PasswordDays int      `toml:"password_days" doc:"工作人员口令多少天须更换" min:"1" max:"3650"`
	PasswordMin  int      `toml:"password_min" doc:"工作人员口令最少位数" min:"8" max:"128"`
}

// SMS is the rules of codes sent by short message.
type SMS struct {
	Link     string   `toml:"link" doc:"经哪个外部系统发送，即 [links] 中的名称"`
	Sign     string   `toml:"sign" doc:"短信签名"`
	CodeLife Duration `toml:"code_life" doc:"验证码有效期"`
	Resend   Duration `toml:"resend" doc:"两次发送的最短间隔"`
	WrongMax int      `toml:"wrong_max" doc:"一个验证码最多输错几次" min:"1" max:"20"`
	PerDay   int      `toml:"per_day" doc:"一个号码每天最多发几条" min:"1" max:"1000"`
}

// Jobs is the queue of things to do later.
type Jobs struct {
	Workers int      `toml:"workers" doc:"同时处理的任务数" min:"1" max:"1000"`
	Lease   Duration `toml:"lease" doc:"任务租约：处理者失联多久后由别的节点接手"`
}

// Link is one outside system.
type Link struct {
	Enabled    bool              `toml:"enabled" doc:"是否启用；停用后依赖它的功能给出明确提示"`
	URL        string            `toml:"url" doc:"对方服务的根地址"`
	AppID      string            `toml:"app_id" doc:"对方分配的应用标识"`
	SecretFile string            `toml:"secret_file" doc:"存放对方分配的密钥的文件" path:"true"`
	Timeout    Duration          `toml:"timeout" doc:"一次调用的时限；空则 10s"`
	Extra      map[string]string `toml:"extra" doc:"该系统自有的其它参数，见该系统的接口说明；名称以 _file 结尾的是文件路径"`
}

// Default returns the settings with which the program runs on one machine with
// embedded storage.
func Default() *Config {
	return &Config{
		Server: Server{
			Addr: "127.0.0.1:8080", PublicURL: "http://127.0.0.1:8080", Net: "one", TrustedProxies: []string{},
			ReadTimeout: Duration(10 * time.Second), ShutdownTimeout: Duration(20 * time.Second),
		},
		DB:   DB{Engine: "sqlite", DSN: "data/haoban.db", Full: true},
		Blob: Blob{Kind: "disk", Dir: "data/blob", S3: S3{Region: "cn-east-1", TLS: true}},
		Keys: Keys{Kind: "soft", File: "data/keys.json", SecretFile: "data/keys.secret"},
		Log:  Log{Level: "info", Format: "json"},
		Limits: Limits{
			Body: 1 << 20, Upload: 200 << 20, Recording: 2 << 30, Chunk: 8 << 20, ZipEntries: 10_000, ZipExpanded: 2 << 30,
			PerMinute: 600, LoginPerHour: 60, PageSize: 100, ExportRows: 50_000, UnmaskPerHour: 60,
		},
		Session: Session{
			PublicIdle: Duration(30 * time.Minute), PublicMax: Duration(8 * time.Hour),
			StaffIdle: Duration(15 * time.Minute), StaffMax: Duration(10 * time.Hour), StaffAtOnce: 2,
			WrongMax: 5, LockFor: Duration(30 * time.Minute), PasswordDays: 90, PasswordMin: 10,
		},
		SMS: SMS{
			Link: "sms", Sign: "自然资源登记", CodeLife: Duration(5 * time.Minute), Resend: Duration(time.Minute),
			WrongMax: 5, PerDay: 10,
		},
		Jobs:  Jobs{Workers: 8, Lease: Duration(time.Minute)},
		Links: map[string]Link{},
	}
}

// Dir returns the folder that relative paths start from.
func (c *Config) Dir() string { return c.dir }

// Ignored returns the HAOBAN_ variables of the environment that name no
// setting, for a warning at start.
func (c *Config) Ignored() []string { return c.ignored }

// Link returns the settings of an outside system; one that is not configured
// is not enabled.
func (c *Config) Link(name string) Link {
	l := c.Links[name]
	if l.Timeout == 0 {
		l.Timeout = Duration(10 * time.Second)
	}
	return l
}

// Connection returns the data source name: dsn, or what dsn_file holds.
func (d DB) Connection() (string, error) {
	if d.DSNFile == "" {
		return d.DSN, nil
	}
	b, err := ReadSecret(d.DSNFile)
	return string(b), err
}

// ReadSecret returns what a secret file holds, without white space around it.
// A file that is missing or empty is an error of kind errs.Invalid that names
// it.
func ReadSecret(path string) ([]byte, error) {
	if path == "" {
		return nil, errs.New(errs.Invalid, "config.secret", "没有配置密钥文件（*_file）")
	}
	b, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, errs.New(errs.Invalid, "config.secret", "读不到密钥文件 "+path).Wrap(err)
	}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil, errs.New(errs.Invalid, "config.secret", "密钥文件是空的："+path)
	}
	return b, nil
}

// Duration is a length of time, written "30s", "5m", "8h".
type Duration time.Duration

// D returns the length as time.Duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// UnmarshalText reads "1h30m".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf("不是时长：%q，应写成 30s、5m、8h", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the length without zero units.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes the length without zero units: 5m, not 5m0s.
func (d Duration) String() string {
	s := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if n := len(s) - len(zero); n > 0 && s[n:] == zero {
			s = s[:n+1]
		}
	}
	return s
}

// Size is a number of bytes, written "200MB" (of 1024 each).
type Size int64

// Bytes returns the number of bytes.
func (s Size) Bytes() int64 { return int64(s) }

// UnmarshalText reads "512KB", "200MB", "2GB" or plain bytes.
func (s *Size) UnmarshalText(b []byte) error {
	num, shift := string(b), 0
	for i, unit := range []string{"KB", "MB", "GB"} {
		if rest, ok := strings.CutSuffix(num, unit); ok {
			num, shift = rest, 10*(i+1)
		}
	}
	if shift == 0 {
		num = strings.TrimSuffix(num, "B")
	}
	n, err := strconv.ParseUint(num, 10, 62-shift)
	if err != nil {
		return fmt.Errorf("不是大小：%q，应写成 512KB、200MB、2GB", b)
	}
	*s = Size(n << shift) //nolint:gosec // at most 62 bits
	return nil
}

// MarshalText writes the size in its largest whole unit.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String writes the size in its largest whole unit.
func (s Size) String() string {
	for _, u := range []struct {
		name string
		n    Size
	}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}} {
		if s >= u.n && s%u.n == 0 {
			return fmt.Sprintf("%d%s", s/u.n, u.name)
		}
	}
	return fmt.Sprintf("%dB", int64(s))
}

// absolute returns path as seen from dir; an empty path stays empty.
func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
