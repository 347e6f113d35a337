package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// keeper starts the server and waits. When its standard input closes, because
// stop was called or because the process that started it is gone, however that
// happened, it ends the server and removes what it left. The server has no
// chance to linger: a test killed by a signal cleans up after itself too.
const keeper = `
bin=$1; dir=$2; own=$3; shift 3
"$bin/postgres" -D "$dir/data" "$@" </dev/null >"$dir/log" 2>&1 &
pid=$!
echo started
read _
kill -QUIT $pid
wait $pid
[ "$own" = yes ] && rm -rf "$dir"
exit 0
`

// StartPostgres starts a PostgreSQL server of its own in dir on a Unix socket,
// as an ordinary user even when the caller is root, and waits until it answers.
// An empty dir is a temporary one that is removed with the server. A dir that
// already holds a server's data is started as it is. Settings are name=value
// and override postgresql.conf; without any, commits are as durable as in
// production.
//
// The dsn names the superuser and the database postgres; "dbname=x" may be
// appended. The server ends at stop, which may be called more than once, or
// with this process, or when stop is dropped: keep it.
func StartPostgres(ctx context.Context, dir string, settings ...string) (dsn string, stop func(), err error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	own := "no"
	if dir == "" {
		own = "yes"
		if dir, err = os.MkdirTemp("", "haoban-pg-"); err != nil {
			return "", nil, err
		}
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	cred, err := ordinary(dir)
	if err != nil {
		return "", nil, err
	}
	sock := dir
	if len(sock) > 80 { // a socket's path holds 107 bytes
		if sock, err = os.MkdirTemp("/tmp", "haoban-pg-"); err != nil {
			return "", nil, err
		}
		if _, err := ordinary(sock); err != nil {
			return "", nil, err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := initdb(ctx, bin, dir, cred); err != nil {
			return "", nil, err
		}
	}
	args := []string{"-c", keeper, "keeper", bin, dir, own,
		"-k", sock, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=64MB",
		"-c", "dynamic_shared_memory_type=mmap"}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd := exec.Command("/bin/sh", args...) //nolint:gosec,noctx // our own script; it outlives ctx
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	stop = sync.OnceFunc(func() { end(cmd, in) })
	dsn = "host=" + sock + " user=haoban sslmode=disable dbname=postgres"
	if err := answers(ctx, dsn); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log")) //nolint:gosec,errcheck // it only explains
		stop()
		return "", nil, fmt.Errorf("start PostgreSQL: %w\n%s", err, log)
	}
	return dsn, stop, nil
}

// end closes the keeper's input and waits for it to finish.
func end(cmd *exec.Cmd, in io.Closer) {
	if err := in.Close(); err != nil {
		return
	}
	if err := cmd.Wait(); err != nil {
		return // it is gone all the same
	}
}

// binaries finds the newest PostgreSQL on the machine.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	for _, p := range found {
		if _, err := os.Stat(filepath.Join(filepath.Dir(p), "initdb")); err == nil {
			return filepath.Dir(p), nil
		}
	}
	p, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("no PostgreSQL server in /usr/lib/postgresql or PATH: apt-get install postgresql")
	}
	if p, err = filepath.EvalSymlinks(p); err != nil {
		return "", err
	}
	return filepath.Dir(p), nil
}

func version(p string) int {
	n, err := strconv.Atoi(strings.Split(p, "/")[4])
	if err != nil {
		return 0
	}
	return n
}

// ordinary makes dir usable for the user the server runs as and returns that
// user: nobody when we are root, since PostgreSQL refuses root; nil otherwise.
func ordinary(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // no credential means ourselves
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	// A test's temporary folder is closed to others; let nobody pass through.
	for p := filepath.Dir(dir); strings.HasPrefix(p, os.TempDir()+"/"); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o711); err != nil { //nolint:gosec // a test's folder
			return nil, err
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func initdb(ctx context.Context, bin, dir string, cred *syscall.Credential) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), //nolint:gosec // ours
		"-U", "haoban", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// answers waits until the server takes a query.
func answers(ctx context.Context, dsn string) (err error) {
	d, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := d.Close(); err == nil {
			err = cerr
		}
	}()
	for range 600 {
		if err = d.PingContext(ctx); err == nil {
			return nil
		}
		t := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
	return err
}
