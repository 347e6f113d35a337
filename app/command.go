package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	"haoban/platform/clock"
	"haoban/platform/config"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

const usage = `用法：haoban <命令> [参数]

  serve          启动服务（先有密钥才能启动）
  migrate        把数据库升级到本版本
  keys init      生成密钥口令和密钥文件，已有的不覆盖
  check          核对设置、密钥、数据库，逐个试连外部系统
  config sample  打印一份写明默认值的设置文件
  version        打印版本

serve、migrate、keys init、check 的参数：
  -config 文件   设置文件；不写用 haoban.toml，没有这个文件就用默认设置
  -fonts 目录    文书所用字体的目录；不写用程序旁边的 fonts
`

// defaultConfig is the settings file that is read when none is named.
const defaultConfig = "haoban.toml"

// command is one call of the program.
type command struct {
	args, environ []string
	out, err      io.Writer
	conf, fonts   string
	cfg           *config.Config
	log           *slog.Logger
}

// Main runs the program haoban with its arguments and returns its exit code: 0
// when done, 1 when it failed, 2 for a call it does not understand.
func Main(ctx context.Context, args, environ []string, out, errOut io.Writer) int {
	c := &command{args: args, environ: environ, out: out, err: errOut}
	err := c.run(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprint(errOut, usage)
		return 2
	}
	fmt.Fprintln(errOut, "haoban:", sentence(err))
	return 1
}

var errUsage = errors.New("usage")

// sentence is an error as an operator reads it, every field on a line.
func sentence(err error) string {
	e, ok := errs.As(err)
	if !ok {
		return err.Error()
	}
	s := err.Error()
	for _, f := range e.Fields {
		s += "\n  " + f.Path + "：" + f.Msg
	}
	return s
}

func (c *command) run(ctx context.Context) error {
	if len(c.args) == 0 {
		return errUsage
	}
	verb, rest := c.args[0], c.args[1:]
	if (verb == "keys" || verb == "config") && len(rest) > 0 {
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	switch verb {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(c.out, usage)
		return nil
	case "version":
		fmt.Fprintln(c.out, Version())
		return nil
	case "config sample":
		fmt.Fprint(c.out, config.Sample())
		return nil
	case "serve", "migrate", "keys init", "check":
	default:
		return errUsage
	}
	if err := c.settings(rest); err != nil {
		return err
	}
	switch verb {
	case "serve":
		return c.serve(ctx)
	case "migrate":
		return c.migrate(ctx)
	case "keys init":
		return c.keysInit()
	}
	return c.check(ctx)
}

// settings reads the flags that the verbs share, and the settings file.
func (c *command) settings(args []string) error {
	fs := flag.NewFlagSet("haoban", flag.ContinueOnError)
	fs.SetOutput(c.err)
	fs.StringVar(&c.conf, "config", "", "")
	fs.StringVar(&c.fonts, "fonts", "", "")
	fs.Usage = func() {}
	if err := fs.Parse(args); err != nil || fs.NArg() > 0 {
		return errUsage
	}
	if c.conf == "" {
		if _, err := os.Stat(defaultConfig); err == nil {
			c.conf = defaultConfig
		}
	}
	if c.fonts == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("fonts: %w", err)
		}
		c.fonts = filepath.Join(filepath.Dir(self), "fonts")
	}
	var err error
	if c.cfg, err = config.Load(c.conf, c.environ); err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.cfg.Log.Level)); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.cfg.Log.Format == "json" {
		c.log = slog.New(slog.NewJSONHandler(c.err, o))
	} else {
		c.log = slog.New(slog.NewTextHandler(c.err, o))
	}
	for _, name := range c.cfg.Ignored() {
		c.log.Warn("no setting has this name", "variable", name)
	}
	return nil
}

// Version names the build: the revision it was made from, where that is known.
func Version() string {
	v := "haoban"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v += " " + info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision", "vcs.time":
			v += " " + s.Value
		}
	}
	return v + " " + info.GoVersion
}

// keysInit writes a wrapping secret and a key file. A secret that is there
// already, as an operator may have put it, is used; a key file never is
// overwritten, since what it sealed could not be opened any more.
func (c *command) keysInit() error {
	k := c.cfg.Keys
	if k.Kind != "soft" {
		return errs.New(errs.Invalid, "keys.kind", "密钥来自密码支撑平台，不在本机生成")
	}
	if _, err := os.Stat(k.File); err == nil {
		return errs.New(errs.Conflict, "keys.exist", "已有密钥文件 "+k.File+"，不覆盖；用它加密的数据离开它就打不开")
	}
	for _, f := range []string{k.File, k.SecretFile} {
		if err := os.MkdirAll(filepath.Dir(f), 0o700); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
	if _, err := os.Stat(k.SecretFile); errors.Is(err, os.ErrNotExist) {
		if err := gm.NewSecret(k.SecretFile); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "已生成密钥口令", k.SecretFile)
	}
	secret, err := config.ReadSecret(k.SecretFile)
	if err != nil {
		return err
	}
	if err := gm.InitSoft(k.File, secret); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "已生成密钥文件", k.File)
	fmt.Fprintln(c.out, "请把这两个文件分开备份；丢失后已加密的数据无法恢复。")
	return nil
}

// openKeys opens the keys of the settings, and says what to do where there are
// none.
func openKeys(k config.Keys) (*gm.Soft, error) {
	if k.Kind != "soft" {
		return nil, errs.New(errs.Invalid, "keys.kind", "本版本还不能从密码支撑平台取密钥，请把 keys.kind 设为 soft")
	}
	secret, err := config.ReadSecret(k.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("没有密钥，先运行 haoban keys init: %w", err)
	}
	keys, err := gm.OpenSoft(k.File, secret)
	if err != nil {
		return nil, fmt.Errorf("密钥打不开；还没有密钥时先运行 haoban keys init: %w", err)
	}
	return keys, nil
}

func (c *command) openDB(ctx context.Context) (*db.DB, error) {
	dsn, err := c.cfg.DB.Connection()
	if err != nil {
		return nil, err
	}
	if c.cfg.DB.Engine == string(db.SQLite) {
		if err := os.MkdirAll(filepath.Dir(dsn), 0o700); err != nil {
			return nil, fmt.Errorf("database: %w", err)
		}
	}
	return db.Open(ctx, db.Config{
		Engine: db.Engine(c.cfg.DB.Engine), DSN: dsn, Clock: clock.Wall{}, MaxConns: c.cfg.DB.MaxConns, Relaxed: !c.cfg.DB.Full,
	})
}

func (c *command) migrate(ctx context.Context) (err error) {
	d, err := c.openDB(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Migrate(ctx, Lines()); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "数据库已是最新版本")
	return nil
}
