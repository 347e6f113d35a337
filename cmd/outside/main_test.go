package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haoban/outside/simkit"
)

// TestServe: the outside listens, says that it is a simulation, and stops.
func TestServe(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(secret, []byte("the master key of this test only\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	addr, over := make(chan string, 1), make(chan error, 1)
	go func() {
		over <- run(ctx, []string{"-addr", "127.0.0.1:0", "-secret-file", secret}, io.Discard, func(a string) { addr <- a })
	}()
	select {
	case err := <-over:
		t.Fatal(err)
	case a := <-addr:
		resp, err := http.Get("http://" + a + "/sms/") //nolint:noctx // a test against loopback
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if resp.Header.Get(simkit.Header) == "" {
			t.Error("it does not say that it is a simulation")
		}
	}
	stop()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// TestKeys: the key of each system is written as the outside itself derives it.
func TestKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "master")
	if err := os.WriteFile(secret, []byte("the master key of this test only\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), []string{"-secret-file", secret, "-keys", filepath.Join(dir, "keys")}, io.Discard, nil); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "keys", "sms"))
	if err != nil || string(b) != simkit.DemoKey([]byte("the master key of this test only"), "sms") {
		t.Errorf("%s: %v", b, err)
	}
	if err := run(context.Background(), nil, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "-secret-file") {
		t.Errorf("it ran without a key: %v", err)
	}
}
