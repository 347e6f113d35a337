package blobtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"haoban/platform/blob"
)

// serverModule is the S3 server that tests run against, at its pinned version.
const (
	serverModule  = "github.com/versity/versitygw/cmd/versitygw"
	serverVersion = "v1.8.0"
	accessKey     = "haoban-test"
	secretKey     = "haoban-test-secret" //nolint:gosec // for a server that lives as long as the test
	region        = "us-east-1"
)

// keeper runs a server until the server ends or the script's input does, which
// is when the test process goes, however it goes.
const keeper = `exec 3<&0; "$@" 3<&- & p=$!; (cat <&3 >/dev/null; kill -9 $p) 2>/dev/null & wait $p`

// StartS3 starts a private S3 server on a loopback port for as long as t runs,
// and returns how to reach it; Bucket is empty. The server's program is built
// once into build/bin of the module.
func StartS3(t *testing.T) blob.S3Config {
	t.Helper()
	bin, err := Server(t.Context())
	if err != nil {
		t.Fatalf("build the S3 server: %v", err)
	}
	var cfg blob.S3Config
	for try := range 3 { // another process may take the port first
		if cfg, err = start(t, bin); err == nil {
			return cfg
		}
		t.Logf("try %d: %v", try, err)
	}
	t.Fatalf("start the S3 server: %v", err)
	return cfg
}

// Server returns the path of the S3 server's program, built if it is not there.
// Several processes may call it at once; one builds, the others wait.
func Server(ctx context.Context) (_ string, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "build", "bin")
	bin := filepath.Join(dir, "versitygw-"+serverVersion)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // programs are for all
		return "", err
	}
	lock, err := os.OpenFile(bin+".lock", os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a fixed name under the module
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	tmp, err := os.MkdirTemp(dir, "install-*")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	cmd := exec.CommandContext(ctx, "go", "install", serverModule+"@"+serverVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+tmp, "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, os.Rename(filepath.Join(tmp, "versitygw"), bin)
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working folder")
		}
	}
}

func start(t *testing.T, bin string) (blob.S3Config, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return blob.S3Config{}, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return blob.S3Config{}, err
	}
	dir := t.TempDir()
	data, meta := filepath.Join(dir, "data"), filepath.Join(dir, "meta")
	for _, d := range []string{data, meta} {
		if err := os.Mkdir(d, 0o750); err != nil {
			return blob.S3Config{}, err
		}
	}
	var log strings.Builder
	//nolint:gosec,noctx // our own script; it ends with its input
	cmd := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, "--port", addr, "--access", accessKey, "--secret", secretKey,
		"--region", region, "--quiet", "posix", "--sidecar", meta, data)
	cmd.Stdout, cmd.Stderr = io.Discard, &log
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return blob.S3Config{}, err
	}
	if err := cmd.Start(); err != nil {
		return blob.S3Config{}, err
	}
	var ended error
	gone := make(chan struct{})
	go func() {
		ended = cmd.Wait()
		close(gone)
	}()
	end := func() {
		if err := in.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Log(err)
		}
		<-gone
	}
	for {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			if err := c.Close(); err != nil {
				t.Log(err)
			}
			break
		}
		select {
		case <-gone:
			return blob.S3Config{}, fmt.Errorf("it ended: %w\n%s", ended, log.String())
		case <-t.Context().Done():
			end()
			return blob.S3Config{}, t.Context().Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Cleanup(end)
	return blob.S3Config{Endpoint: addr, Region: region, AccessKey: accessKey, SecretKey: secretKey, TempDir: dir}, nil
}

// Bucket makes a bucket on the server and returns a store in it.
func Bucket(t *testing.T, cfg blob.S3Config, name string) *blob.S3 {
	t.Helper()
	c, err := minio.New(cfg.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Region: cfg.Region})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(t.Context(), name, minio.MakeBucketOptions{Region: cfg.Region}); err != nil {
		t.Fatal(err)
	}
	cfg.Bucket, cfg.Prefix = name, "haoban"
	s, err := blob.OpenS3(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
