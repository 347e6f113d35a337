package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// serve runs the program until ctx ends, then stops in order.
func (c *command) serve(ctx context.Context) error {
	if _, err := openKeys(c.cfg.Keys); err != nil {
		return err
	}
	d, err := c.openDB(ctx) // its folder is made, and it answers before anything else is opened
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	a, err := New(ctx, Options{Config: c.cfg, Log: c.log, Fonts: c.fonts})
	if err != nil {
		return err
	}
	err = a.Serve(ctx)
	return errors.Join(err, a.Close())
}

// Serve listens as the settings say, works jobs and answers requests until ctx
// ends. Then it stops in order: /readyz says so, event streams end, requests
// under way and running jobs are given their time. It returns nil after a stop
// in order.
func (a *App) Serve(ctx context.Context) error {
	s := a.Config.Server
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if s.TLSCertFile != "" {
		cert, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile)
		if err != nil {
			return errors.Join(fmt.Errorf("certificate: %w", err), ln.Close())
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := []func() error{
		func() error { return a.answer(ctx, ln, stopping(ctx, a.Handler())) },
		func() error { return a.Run(ctx) },
	}
	if a.Config.Log.Metrics != "" {
		own, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.Config.Log.Metrics)
		if err != nil {
			return errors.Join(fmt.Errorf("listen for operators: %w", err), ln.Close())
		}
		parts = append(parts, func() error { return a.answer(ctx, own, stopping(ctx, a.Server.Admin())) })
	}
	a.o.Log.InfoContext(ctx, "serving", "addr", ln.Addr().String(), "url", s.PublicURL, "metrics", a.Config.Log.Metrics)
	// The first part to end ends the others.
	over := make(chan error, len(parts))
	for _, p := range parts {
		go func() { over <- p() }()
	}
	var all error
	for range parts {
		all = errors.Join(all, <-over)
		cancel()
	}
	a.o.Log.InfoContext(ctx, "stopped")
	return all
}

// answer serves h on ln until ctx ends and then lets requests finish.
func (a *App) answer(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: orTime(time.Duration(a.Config.Server.ReadTimeout), 10*time.Second), IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(a.o.Log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), orTime(time.Duration(a.Config.Server.ShutdownTimeout), 20*time.Second))
	defer cancel()
	err := srv.Shutdown(wait)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop: %w", err), srv.Close())
	}
	if over := <-done; !errors.Is(over, http.ErrServerClosed) {
		err = errors.Join(err, over)
	}
	return err
}

// stopping has /readyz say that the program stops once ctx has ended, and ends
// event streams then, which would otherwise hold it up.
func stopping(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" && ctx.Err() != nil {
			http.Error(w, "stopping", http.StatusServiceUnavailable)
			return
		}
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			stream, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			r = r.WithContext(stream)
		}
		h.ServeHTTP(w, r)
	})
}

func orTime(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}
