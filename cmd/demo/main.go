// Command demo starts the house and the simulated outside world together on
// embedded storage, with seeded data: what `make run` starts. It opens no door
// that the house does not have; it only prints the accounts it made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"haoban/app"
	"haoban/outside"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/config"
	"haoban/platform/gm"
	"haoban/platform/ident"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	addr := flag.String("addr", orElse(os.Getenv("ADDR"), "127.0.0.1:8080"), "where to listen")
	out := flag.String("outside", orElse(os.Getenv("OUTSIDE"), "127.0.0.1:8090"), "where the simulated outside listens")
	dir := flag.String("data", "data/demo", "folder of the data")
	fonts := flag.String("fonts", "build/fonts", "folder of the fonts")
	people := flag.Int("people", 1000, "how many people the simulated world has")
	filed := flag.Int("cases", 300, "about how many cases to begin with, where there are none yet")
	quiet := flag.Bool("quiet", false, "log warnings only")
	flag.Parse()
	level := slog.LevelInfo
	if *quiet {
		level = slog.LevelWarn
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	wall := clock.Wall{}
	business := clock.NewMovable(wall)
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return err
	}
	master, err := masterKey(filepath.Join(*dir, "demo.key"))
	if err != nil {
		return err
	}
	house, outsideURL := "http://"+*addr, "http://"+*out
	w := world.New(1, *people)
	sims := outside.New(w, simkit.Options{Clock: wall, Business: business, Secret: simkit.DemoSecrets(master), Haoban: house, Log: log})
	defer sims.Close()
	if err := listen(ctx, *out, sims, log); err != nil {
		return err
	}
	cfg, err := app.LocalConfig(*dir, *addr, house, outsideURL, func(p string) string { return simkit.DemoKey(master, p) })
	if err != nil {
		return err
	}
	a, err := app.New(ctx, app.Options{Config: cfg, Log: log, Wall: wall, Clock: business, Fonts: *fonts, Demo: true})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	officials, err := a.Seed(ctx, func(account string) (string, string) {
		return demoPassword(master, account), app.DemoOTP(master, account)
	})
	if err != nil {
		return err
	}
	n, err := a.FillRegister(ctx, w.Units())
	if err != nil {
		return err
	}
	cases, err := a.SeedCases(ctx, seedWorld(w), *filed)
	if err != nil {
		log.Warn("not every case to begin with could be made", "made", cases, "err", err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	banner(house, outsideURL, n, officials, wall)
	mux := http.NewServeMux()
	mux.Handle("/", a.Handler())
	mux.HandleFunc("POST /demo/clock", func(rw http.ResponseWriter, r *http.Request) { moveClock(rw, r, business) })
	mux.HandleFunc("GET /demo/officials", func(rw http.ResponseWriter, _ *http.Request) { listOfficials(rw, officials, wall) })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		<-ctx.Done()
		c, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(c); err != nil {
			log.Warn("stopped hard", "err", err)
		}
	}()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-done, a.Close())
}

func listen(ctx context.Context, addr string, h http.Handler, log *slog.Logger) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("outside stopped", "err", err)
		}
	}()
	return nil
}

// masterKey is the demonstration's own secret, made once.
func masterKey(path string) ([]byte, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := gm.NewSecret(path); err != nil {
			return nil, err
		}
	}
	return config.ReadSecret(path)
}

func demoPassword(master []byte, account string) string {
	return "Demo-" + gm.SM3(append(append([]byte(nil), master...), account...))[:10] + "-9"
}

func banner(house, out string, units int, officials []app.Official, wall clock.Clock) {
	fmt.Printf("\n好办演示已就绪（模拟环境，人员、房屋、证号均为虚构）\n\n  办事：%s/\n  工作台：%s/desk/\n  外部系统（模拟）：%s/\n  登记簿 %d 个单元\n\n", house, house, out, units)
	fmt.Printf("  群众和企业在模拟的一网通办、法人一证通上选择身份登录。工作人员：\n\n  %-12s %-8s %-12s %-28s %s\n", "账号", "姓名", "岗位", "密码", "当前动态口令")
	for _, o := range officials {
		code, err := ident.TOTPCode(o.OTP, wall.Now())
		if err != nil {
			code = err.Error()
		}
		fmt.Printf("  %-12s %-8s %-12s %-28s %s\n", o.Account, o.Name, ident.RoleName(o.Role), o.Password, code)
	}
	fmt.Printf("\n  动态口令每 30 秒一换，最新的见 %s/demo/officials\n\n", house)
}

func listOfficials(rw http.ResponseWriter, officials []app.Official, wall clock.Clock) {
	type row struct {
		Account  string `json:"account"`
		Name     string `json:"name"`
		Role     string `json:"role"`
		Password string `json:"password"`
		Code     string `json:"code"`
	}
	rows := make([]row, 0, len(officials))
	for _, o := range officials {
		code, err := ident.TOTPCode(o.OTP, wall.Now())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		rows = append(rows, row{o.Account, o.Name, ident.RoleName(o.Role), o.Password, code})
	}
	simkit.WriteJSON(rw, http.StatusOK, rows)
}

func moveClock(rw http.ResponseWriter, r *http.Request, c *clock.Movable) {
	d, err := time.ParseDuration(r.FormValue("by"))
	if err != nil {
		http.Error(rw, "by=24h", http.StatusBadRequest)
		return
	}
	c.Advance(d)
	simkit.WriteJSON(rw, http.StatusOK, map[string]string{"now": c.Now().In(clock.Shanghai()).Format(time.RFC3339)})
}

func orElse(s, d string) string {
	if s == "" {
		return d
	}
	return s
}
