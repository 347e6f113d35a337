package gm

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/pbkdf2"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emmansun/gmsm/sm3"
)

const (
	fileFormat = "haoban-soft-keys/1"
	fileNotice = "软件密钥，仅供开发、测试和演示；正式环境使用市密码支撑平台"
	minSecret  = 16
	saltSize   = 16
	iterations = 100_000
	minIter    = 10_000
	maxIter    = 10_000_000
	maxFile    = 4 << 20
)

// keyFile is the stored form. Check tells a wrong secret from a changed file;
// MAC covers everything else.
type keyFile struct {
	Format string    `json:"format"`
	Notice string    `json:"notice"`
	KDF    string    `json:"kdf"` // PBKDF2-SM3
	Iter   int       `json:"iterations"`
	Salt   []byte    `json:"salt"`
	Check  string    `json:"check"`
	Keys   []wrapped `json:"keys"`
	MAC    string    `json:"mac"`
}

type wrapped struct {
	Purpose string `json:"purpose"`
	Version uint32 `json:"version"`
	Secret  []byte `json:"secret"` // nonce, SM4-GCM cipher text, tag
}

// kek is what the secret gives: a key to wrap keys, one to vouch for the file.
type kek struct {
	iter int
	salt []byte
	aead cipher.AEAD
	mac  []byte
}

// NewSecret writes a fresh random wrapping secret (64 hex digits) to path,
// readable by its owner only. It returns ErrExists when path is taken.
func NewSecret(path string) error {
	b, err := randomBytes(secretSize)
	if err != nil {
		return err
	}
	return writeNew(path, []byte(hex.EncodeToString(b)+"\n"))
}

// InitSoft makes a key file at path with a fresh random key for each of
// Purposes, wrapped by secret (white space around it does not count), mode
// 0600. It returns ErrExists when path is taken and ErrShort when secret has
// fewer than 16 bytes.
func InitSoft(path string, secret []byte) error {
	salt, err := randomBytes(saltSize)
	if err != nil {
		return err
	}
	k, err := newKEK(secret, salt, iterations)
	if err != nil {
		return err
	}
	secrets := map[string]map[uint32][]byte{}
	for _, p := range Purposes() {
		b, err := randomBytes(secretSize)
		if err != nil {
			return err
		}
		secrets[p] = map[uint32][]byte{1: b}
	}
	text, err := encodeKeyFile(secrets, k)
	if err != nil {
		return err
	}
	return writeNew(path, text)
}

// OpenSoft reads the key file at path. It returns ErrMissing, ErrMode, ErrFile
// or ErrSecret, each saying what to mend.
func OpenSoft(path string, secret []byte) (*Soft, error) {
	f, err := loadKeyFile(path)
	if err != nil {
		return nil, err
	}
	k, err := newKEK(secret, f.Salt, f.Iter)
	if err != nil {
		return nil, err
	}
	s := &Soft{path: path, kek: k}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Rotate adds a new version of each named purpose's key to the file; old
// versions stay, so that what they sealed still opens. Running processes take
// the new keys up when they meet one or when they reload. A purpose that had
// no key of its own gets one. With no purposes named, all in the file rotate.
func Rotate(path string, secret []byte, purposes ...string) error {
	s, err := OpenSoft(path, secret)
	if err != nil {
		return err
	}
	r := s.ring.Load()
	if len(purposes) == 0 {
		for p := range r.secrets {
			purposes = append(purposes, p)
		}
	}
	root := r.newest[RootPurpose]
	for _, p := range purposes {
		if !validPurpose(p) {
			return ErrPurpose.Wrap(fmt.Errorf("%q", p))
		}
		next := root + 1
		if v, ok := r.newest[p]; ok {
			next = v + 1
		} else {
			r.secrets[p] = map[uint32][]byte{}
		}
		if r.secrets[p][next], err = randomBytes(secretSize); err != nil {
			return err
		}
	}
	text, err := encodeKeyFile(r.secrets, s.kek)
	if err != nil {
		return err
	}
	return replace(path, text)
}

func newKEK(secret, salt []byte, iter int) (*kek, error) {
	secret = bytes.TrimSpace(secret)
	if len(secret) < minSecret {
		return nil, ErrShort
	}
	if iter < minIter || iter > maxIter || len(salt) < saltSize {
		return nil, ErrFile.Wrap(errors.New("kdf parameters"))
	}
	base, err := pbkdf2.Key(sm3.New, string(secret), salt, iter, secretSize)
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	wrap, err := hkdf.Key(sm3.New, base, nil, "haoban wrap", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	mac, err := hkdf.Key(sm3.New, base, nil, "haoban file", secretSize)
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	aead, err := newAEAD(wrap)
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	return &kek{iter: iter, salt: salt, aead: aead, mac: mac}, nil
}

func loadKeyFile(path string) (*keyFile, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing.Wrap(err)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, ErrMode.Wrap(fmt.Errorf("%s has mode %o", path, st.Mode().Perm()))
	}
	if st.Size() > maxFile {
		return nil, ErrFile.Wrap(errors.New("too large"))
	}
	text, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return parseKeyFile(text)
}

func parseKeyFile(text []byte) (*keyFile, error) {
	var f keyFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, ErrFile.Wrap(err)
	}
	if f.Format != fileFormat || f.KDF != "PBKDF2-SM3" {
		return nil, ErrFile.Wrap(fmt.Errorf("format %q, kdf %q", f.Format, f.KDF))
	}
	return &f, nil
}

func readKeyFile(path string, k *kek) (map[string]map[uint32][]byte, error) {
	f, err := loadKeyFile(path)
	if err != nil {
		return nil, err
	}
	return f.unwrap(k)
}

func (f *keyFile) unwrap(k *kek) (map[string]map[uint32][]byte, error) {
	if !hmac.Equal([]byte(f.Check), []byte(k.check())) {
		return nil, ErrSecret
	}
	if !hmac.Equal([]byte(f.MAC), []byte(f.code(k))) {
		return nil, ErrFile.Wrap(errors.New("the file's code does not hold"))
	}
	out := map[string]map[uint32][]byte{}
	for _, w := range f.Keys {
		if len(w.Secret) < nonceSize || !validPurpose(w.Purpose) || w.Version == 0 {
			return nil, ErrFile.Wrap(fmt.Errorf("key %q", w.Purpose))
		}
		b, err := k.aead.Open(nil, w.Secret[:nonceSize], w.Secret[nonceSize:], w.aad())
		if err != nil {
			return nil, ErrFile.Wrap(fmt.Errorf("key %s/%d: %w", w.Purpose, w.Version, err))
		}
		if out[w.Purpose] == nil {
			out[w.Purpose] = map[uint32][]byte{}
		}
		out[w.Purpose][w.Version] = b
	}
	if out[RootPurpose][indexKeyVer] == nil {
		return nil, ErrFile.Wrap(errors.New("no root key"))
	}
	return out, nil
}

func encodeKeyFile(secrets map[string]map[uint32][]byte, k *kek) ([]byte, error) {
	f := keyFile{Format: fileFormat, Notice: fileNotice, KDF: "PBKDF2-SM3", Iter: k.iter, Salt: k.salt, Check: k.check()}
	for p, vs := range secrets {
		for v, b := range vs {
			nonce, err := randomBytes(nonceSize)
			if err != nil {
				return nil, err
			}
			w := wrapped{Purpose: p, Version: v}
			w.Secret = k.aead.Seal(nonce, nonce, b, w.aad())
			f.Keys = append(f.Keys, w)
		}
	}
	slices.SortFunc(f.Keys, func(a, b wrapped) int {
		if c := strings.Compare(a.Purpose, b.Purpose); c != 0 {
			return c
		}
		return int(a.Version) - int(b.Version)
	})
	f.MAC = f.code(k)
	text, err := json.MarshalIndent(&f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return append(text, '\n'), nil
}

func (w wrapped) aad() []byte { return []byte(fmt.Sprintf("%s/%d", w.Purpose, w.Version)) }

func (k *kek) check() string { return hex.EncodeToString(HMAC(k.mac, []byte("haoban check"))) }

// code vouches for which keys there are, so that none can be taken away or put
// in another's place.
func (f *keyFile) code(k *kek) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s\n%d\n%x\n", f.Format, f.KDF, f.Iter, f.Salt)
	for _, w := range f.Keys {
		fmt.Fprintf(&b, "%s/%d %x\n", w.Purpose, w.Version, w.Secret)
	}
	return hex.EncodeToString(HMAC(k.mac, b.Bytes()))
}

// writeNew writes a file that must not be there yet, whole and on disk, or not
// at all.
func writeNew(path string, text []byte) error {
	tmp, err := writeTemp(path, text)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }()
	if err := os.Link(tmp, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return ErrExists.Wrap(err)
		}
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func replace(path string, text []byte) error {
	tmp, err := writeTemp(path, text)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(tmp))
	}
	return syncDir(filepath.Dir(path))
}

func writeTemp(path string, text []byte) (string, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.CreateTemp(dir, ".keys-*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	_, werr := f.Write(text)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory of the operator's own file
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
