// Command outside serves the simulated outside world alone: every system that
// haoban talks to, over one population. It is for development and tests and is
// no part of a release.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"haoban/outside"
	"haoban/outside/simkit"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/config"
	"haoban/platform/errs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr, nil)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "outside:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. started is told the address once it listens.
func run(ctx context.Context, args []string, errOut io.Writer, started func(addr string)) error {
	fs := flag.NewFlagSet("outside", flag.ContinueOnError)
	fs.SetOutput(errOut)
	addr := fs.String("addr", "127.0.0.1:8090", "where to listen")
	house := fs.String("haoban", "", "root address of haoban, for callbacks; empty calls nobody back")
	people := fs.Int("people", 1000, "how many people there are")
	seed := fs.Uint64("seed", 1, "which world")
	secretFile := fs.String("secret-file", "", "file with the master key that the keys shared with haoban derive from")
	keys := fs.String("keys", "", "folder to write the key of each system into, for haoban's links.*.secret_file; then ends")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *secretFile == "" {
		return errs.New(errs.Invalid, "outside.secret", "请用 -secret-file 指明主密钥文件")
	}
	master, err := config.ReadSecret(*secretFile)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(errOut, nil))
	sims := outside.New(world.New(*seed, *people), simkit.Options{
		Clock: clock.Wall{}, Secret: simkit.DemoSecrets(master), Haoban: *house, Log: log,
	})
	defer sims.Close()
	if *keys != "" {
		return writeKeys(*keys, master, sims)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	log.InfoContext(ctx, "serving the simulated outside", "addr", ln.Addr().String(), "people", *people)
	if started != nil {
		started(ln.Addr().String())
	}
	srv := &http.Server{Handler: sims, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(wait); err != nil {
		return errors.Join(fmt.Errorf("stop: %w", err), srv.Close())
	}
	return nil
}

// writeKeys writes the key shared with each system into a file of its name.
func writeKeys(dir string, master []byte, sims *outside.Outside) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	for _, s := range sims.Systems() {
		if err := os.WriteFile(filepath.Join(dir, s), []byte(simkit.DemoKey(master, s)), 0o600); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
	return nil
}
