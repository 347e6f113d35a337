package db

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"haoban/platform/errs"
)

// Line is the migrations of one room, numbered on their own and recorded in the
// table db_version_<room>.
type Line struct {
	// Room is the room's short name in lower case, which is also the prefix of
	// its tables.
	Room string
	// FS holds the files, at its top or in a folder "migrations":
	// 0001_x.sql for both engines; 0002_y.postgres.sql or 0002_y.sqlite.sql for
	// one engine, where it takes the place of a 0002_y.sql. Files are plain SQL;
	// a statement ends with a semicolon at the end of a line.
	FS fs.FS
}

// CodeNewer is the code of the refusal to work on a database that a newer
// program has already changed.
const CodeNewer = "db.newer"

// Migrate brings every line up to date, each file in a transaction of its own.
// Several processes may call it at once. Before it changes anything it refuses
// a database that is newer than lines in any of them (errs code db.newer).
func (d *DB) Migrate(ctx context.Context, lines []Line) (err error) {
	s, give, err := d.be.migrator(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = closing(err, give) }()
	all := make([]*migration, 0, len(lines))
	for _, l := range lines {
		m, err := d.load(l)
		if err != nil {
			return fmt.Errorf("migrations of %s: %w", l.Room, err)
		}
		all = append(all, m)
	}
	for _, m := range all {
		if err := m.refuseNewer(ctx, d, s); err != nil {
			return err
		}
	}
	for _, m := range all {
		if err := m.up(ctx, d, s); err != nil {
			return fmt.Errorf("migrations of %s: %w", m.room, err)
		}
	}
	if d.engine == SQLite {
		return checkReferences(ctx, s)
	}
	return nil
}

// migration is a line as one engine sees it.
type migration struct {
	room   string
	files  memFS
	newest int64 // of any engine
}

func (m *migration) table() string { return "db_version_" + m.room }

var (
	roomName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	fileName = regexp.MustCompile(`^(\d{4,})_([a-z0-9_]+)(?:\.(postgres|sqlite))?\.sql$`)
)

// load reads the files of l that this engine runs.
func (d *DB) load(l Line) (*migration, error) {
	if !roomName.MatchString(l.Room) {
		return nil, fmt.Errorf("room %q: want a short name in lower case", l.Room)
	}
	dir := "."
	if _, err := fs.Stat(l.FS, "migrations"); err == nil {
		dir = "migrations"
	}
	names, err := fs.Glob(l.FS, path.Join(dir, "*.sql"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("no files")
	}
	m := &migration{room: l.Room, files: memFS{}}
	own := map[int64]string{} // version → file
	for _, name := range names {
		part := fileName.FindStringSubmatch(path.Base(name))
		if part == nil {
			return nil, fmt.Errorf("%s: want a name like 0001_what.sql or 0001_what.postgres.sql", name)
		}
		v, err := strconv.ParseInt(part[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m.newest = max(m.newest, v)
		if part[3] != "" && Engine(part[3]) != d.engine {
			continue
		}
		if old, ok := own[v]; ok {
			oldOwn := strings.Count(path.Base(old), ".") == 2
			if oldOwn == (part[3] != "") {
				return nil, fmt.Errorf("%s and %s have the same number", old, name)
			}
			if oldOwn {
				continue
			}
			delete(m.files, path.Base(old))
		}
		own[v] = name
		text, err := fs.ReadFile(l.FS, name)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(text, []byte("-- +goose Up")) {
			text = append([]byte("-- +goose Up\n"), text...)
		}
		m.files[path.Base(name)] = text
	}
	return m, nil
}

// refuseNewer returns the refusal if the database knows a version that m does
// not.
func (m *migration) refuseNewer(ctx context.Context, d *DB, s *sql.DB) error {
	q := "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '" + m.table() + "'"
	if d.engine == Postgres {
		q = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('" + m.table() + "')"
	}
	var n int
	if err := s.QueryRowContext(ctx, q).Scan(&n); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if n == 0 {
		return nil
	}
	var v int64
	//nolint:gosec // the room's name was checked
	if err := s.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+m.table()).Scan(&v); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if v > m.newest {
		return errs.New(errs.Conflict, CodeNewer, fmt.Sprintf(
			"数据库比程序新（%s：数据库为第 %d 版，程序只到第 %d 版）。请换用新版程序，旧版程序不得连接此库", m.room, v, m.newest))
	}
	return nil
}

// up runs what is pending.
func (m *migration) up(ctx context.Context, d *DB, s *sql.DB) error {
	if len(m.files) == 0 {
		return nil
	}
	dialect := goose.DialectSQLite3
	if d.engine == Postgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, s, m.files, goose.WithTableName(m.table()),
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	done, err := p.Up(ctx)
	for _, r := range done {
		slog.Debug("db: migrated", "room", m.room, "file", path.Base(r.Source.Path), "took", r.Duration)
	}
	return err
}

// checkReferences refuses a SQLite file in which some row refers to nothing.
func checkReferences(ctx context.Context, s *sql.DB) error {
	rows, err := s.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var bad error
	if rows.Next() {
		var table, parent string
		var row sql.NullInt64
		var id int
		if bad = rows.Scan(&table, &row, &parent, &id); bad == nil {
			bad = fmt.Errorf("migrate: row %d of %s refers to nothing in %s", row.Int64, table, parent)
		}
	}
	if bad == nil {
		bad = rows.Err()
	}
	return closing(bad, rows.Close)
}

// memFS is the files of one line that one engine runs, by name.
type memFS map[string][]byte

// Open opens a file, or the only folder ".".
func (m memFS) Open(name string) (fs.File, error) {
	if name == "." {
		return &memDir{m: m}, nil
	}
	text, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memFile{memInfo: memInfo{name: name, size: len(text)}, Reader: bytes.NewReader(text)}, nil
}

// ReadDir lists the files by name.
func (m memFS) ReadDir(string) ([]fs.DirEntry, error) {
	out := make([]fs.DirEntry, 0, len(m))
	for name, text := range m {
		out = append(out, fs.FileInfoToDirEntry(memInfo{name: name, size: len(text)}))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

type memInfo struct {
	name string
	size int
}

func (i memInfo) Name() string { return i.name }
func (i memInfo) Size() int64  { return int64(i.size) }
func (i memInfo) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
func (i memInfo) ModTime() time.Time         { return time.Time{} }
func (i memInfo) IsDir() bool                { return i.name == "." }
func (i memInfo) Sys() any                   { return nil }
func (i memInfo) Stat() (fs.FileInfo, error) { return i, nil }
func (memInfo) Close() error                 { return nil }

type memFile struct {
	memInfo
	*bytes.Reader
}

func (f *memFile) Size() int64 { return f.memInfo.Size() }

type memDir struct {
	memInfo
	m memFS
}

func (d *memDir) Stat() (fs.FileInfo, error) { return memInfo{name: "."}, nil }
func (d *memDir) Read([]byte) (int, error)   { return 0, io.EOF }
func (d *memDir) ReadDir(int) ([]fs.DirEntry, error) {
	return d.m.ReadDir(".")
}
