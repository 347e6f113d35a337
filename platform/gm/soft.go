package gm

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"
)

// RootPurpose names the key from which every purpose without a key of its own
// takes one, by HKDF-SM3 over the purpose's name. So a new purpose needs no new
// key ceremony.
const RootPurpose = "root"

// Purposes returns the purposes that get a random key of their own when a key
// file is made.
func Purposes() []string {
	return []string{
		RootPurpose, "field", "index", "draft", "material", "ident", "otp", "session", "grant",
		"setting", "audit", "link", "ledger", "seal", "result", "notice",
	}
}

// The envelope: format (1 byte), key version (4 bytes, big endian), nonce
// (12 bytes), cipher text, tag (16 bytes).
const (
	envelopeV1  = 1
	headerSize  = 1 + 4
	nonceSize   = 12
	tagSize     = 16
	Overhead    = headerSize + nonceSize + tagSize // bytes an envelope adds to its content
	macSize     = 4 + sm3.Size
	secretSize  = 32
	maxPurpose  = 64
	keySize     = 16
	indexKeyVer = 1
)

// Soft is a key store in a file (or in memory). It keeps what it derived, so
// that a call costs the cryptography and nothing else. It is for development:
// see Notice.
type Soft struct {
	path string
	kek  *kek
	ring atomic.Pointer[ring]

	mu   sync.Mutex // one reload at a time
	seen fileMark
}

type fileMark struct {
	mod  time.Time
	size int64
}

// ring is one reading of the key file. Nothing in it changes but the cache.
type ring struct {
	secrets map[string]map[uint32][]byte
	newest  map[string]uint32
	made    sync.Map // cacheKey to *material
}

type cacheKey struct {
	purpose string
	version uint32
}

// material is what the secret of one purpose and version gives.
type material struct {
	aead  cipher.AEAD
	index sync.Pool
	mac   sync.Pool
	priv  *sm2.PrivateKey
	spki  []byte
}

// NewMemory returns a store with fresh random keys that are gone when the
// process ends, for tests.
func NewMemory() (*Soft, error) {
	secrets := map[string]map[uint32][]byte{}
	for _, p := range Purposes() {
		b, err := randomBytes(secretSize)
		if err != nil {
			return nil, err
		}
		secrets[p] = map[uint32][]byte{1: b}
	}
	s := &Soft{}
	s.ring.Store(newRing(secrets))
	return s, nil
}

// Notice returns the sentence that the program shows at start: software keys
// are for development.
func (s *Soft) Notice() string {
	return "正在使用软件密钥：仅供开发、测试和演示。正式环境须接入市密码支撑平台（密码机），密钥不得以文件形式存放。"
}

// Seal encrypts plain under the newest key of purpose; see Keys.
func (s *Soft) Seal(_ context.Context, purpose string, plain, aad []byte) ([]byte, error) {
	m, v, err := s.current(purpose)
	if err != nil {
		return nil, err
	}
	out := make([]byte, headerSize+nonceSize, headerSize+nonceSize+len(plain)+tagSize)
	out[0] = envelopeV1
	binary.BigEndian.PutUint32(out[1:headerSize], v)
	nonce := out[headerSize : headerSize+nonceSize]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return m.aead.Seal(out, nonce, plain, envelopeAAD(out[:headerSize], purpose, aad)), nil
}

// Open decrypts an envelope; see Keys.
func (s *Soft) Open(_ context.Context, purpose string, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrSealed.Wrap(errors.New("too short"))
	}
	if sealed[0] != envelopeV1 {
		return nil, ErrSealed.Wrap(fmt.Errorf("format %d", sealed[0]))
	}
	m, err := s.at(purpose, binary.BigEndian.Uint32(sealed[1:headerSize]))
	if err != nil {
		return nil, err
	}
	nonce, body := sealed[headerSize:headerSize+nonceSize], sealed[headerSize+nonceSize:]
	plain, err := m.aead.Open(make([]byte, 0, len(body)-tagSize), nonce, body, envelopeAAD(sealed[:headerSize], purpose, aad))
	if err != nil {
		return nil, ErrSealed.Wrap(err)
	}
	return plain, nil
}

// Index returns the blind index of value; see Keys.
func (s *Soft) Index(_ context.Context, purpose string, value string) (string, error) {
	m, err := s.at(purpose, indexKeyVer)
	if err != nil {
		return "", err
	}
	var sum [sm3.Size]byte
	return hex.EncodeToString(keyed(&m.index, []byte(value), sum[:0])), nil
}

// MAC returns a code over data; see Keys.
func (s *Soft) MAC(_ context.Context, purpose string, data []byte) ([]byte, error) {
	m, v, err := s.current(purpose)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 4, macSize)
	binary.BigEndian.PutUint32(out, v)
	return keyed(&m.mac, data, out), nil
}

// CheckMAC checks a code made by MAC; see Keys.
func (s *Soft) CheckMAC(_ context.Context, purpose string, data, mac []byte) error {
	if len(mac) != macSize {
		return ErrMAC
	}
	m, err := s.at(purpose, binary.BigEndian.Uint32(mac))
	if err != nil {
		return ErrMAC.Wrap(err)
	}
	var sum [sm3.Size]byte
	if !hmac.Equal(keyed(&m.mac, data, sum[:0]), mac[4:]) {
		return ErrMAC
	}
	return nil
}

// Sign signs data by the newest key of purpose; see Keys.
func (s *Soft) Sign(_ context.Context, purpose string, data []byte) ([]byte, error) {
	m, _, err := s.current(purpose)
	if err != nil {
		return nil, err
	}
	sig, err := sm2.SignASN1(rand.Reader, m.priv, data, sm2.DefaultSM2SignerOpts)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", purpose, err)
	}
	return sig, nil
}

// Verify checks a signature by any key of purpose, newest first; see Keys.
func (s *Soft) Verify(_ context.Context, purpose string, data, sig []byte) error {
	_, newest, err := s.current(purpose)
	if err != nil {
		return err
	}
	for v := newest; v >= 1; v-- {
		m, err := s.at(purpose, v)
		if err != nil {
			continue // a version this purpose never had
		}
		if sm2.VerifyASN1WithSM2(&m.priv.PublicKey, nil, data, sig) {
			return nil
		}
	}
	return ErrSignature
}

// Public returns the newest public key of purpose; see Keys.
func (s *Soft) Public(purpose string) ([]byte, error) {
	m, _, err := s.current(purpose)
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), m.spki...), nil
}

// Version returns the number of the newest key of purpose.
func (s *Soft) Version(purpose string) (uint32, error) {
	_, v, err := s.current(purpose)
	return v, err
}

// Reload reads the key file again, so that keys added by Rotate come into use.
// A store in memory has nothing to reload.
func (s *Soft) Reload() error {
	if s.path == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reload()
}

func (s *Soft) reload() error {
	st, err := os.Stat(s.path)
	if err != nil {
		return ErrMissing.Wrap(err)
	}
	secrets, err := readKeyFile(s.path, s.kek)
	if err != nil {
		return err
	}
	s.seen = fileMark{mod: st.ModTime(), size: st.Size()}
	s.ring.Store(newRing(secrets))
	return nil
}

// refresh reloads if the file changed since it was last read, and says whether
// it did.
func (s *Soft) refresh() (bool, error) {
	if s.path == "" {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := os.Stat(s.path)
	if err != nil {
		return false, ErrMissing.Wrap(err)
	}
	if (fileMark{mod: st.ModTime(), size: st.Size()}) == s.seen {
		return false, nil
	}
	return true, s.reload()
}

func (s *Soft) current(purpose string) (*material, uint32, error) {
	r := s.ring.Load()
	v, ok := r.newest[purpose]
	if !ok {
		v = r.newest[RootPurpose]
	}
	m, err := r.material(purpose, v)
	return m, v, err
}

// at returns the material of a version; one that is not known may have been
// added by another process, so the file is looked at again.
func (s *Soft) at(purpose string, version uint32) (*material, error) {
	m, err := s.ring.Load().material(purpose, version)
	if err == nil || errors.Is(err, ErrPurpose) {
		return m, err
	}
	if again, rerr := s.refresh(); rerr != nil || !again {
		return nil, errors.Join(err, rerr)
	}
	return s.ring.Load().material(purpose, version)
}

func newRing(secrets map[string]map[uint32][]byte) *ring {
	r := &ring{secrets: secrets, newest: map[string]uint32{}}
	for p, vs := range secrets {
		for v := range vs {
			r.newest[p] = max(r.newest[p], v)
		}
	}
	return r
}

func (r *ring) material(purpose string, version uint32) (*material, error) {
	k := cacheKey{purpose, version}
	if m, ok := r.made.Load(k); ok {
		return m.(*material), nil
	}
	secret, err := r.secret(purpose, version)
	if err != nil {
		return nil, err
	}
	m, err := newMaterial(secret)
	if err != nil {
		return nil, fmt.Errorf("key %s/%d: %w", purpose, version, err)
	}
	got, _ := r.made.LoadOrStore(k, m)
	return got.(*material), nil
}

func (r *ring) secret(purpose string, version uint32) ([]byte, error) {
	if !validPurpose(purpose) {
		return nil, ErrPurpose.Wrap(fmt.Errorf("%q", purpose))
	}
	if b, ok := r.secrets[purpose][version]; ok {
		return b, nil
	}
	root, ok := r.secrets[RootPurpose][version]
	if !ok {
		return nil, ErrSealed.Wrap(fmt.Errorf("no key %s version %d", purpose, version))
	}
	return hkdf.Key(sm3.New, root, nil, "haoban purpose "+purpose, secretSize)
}

func newMaterial(secret []byte) (*material, error) {
	seal, err := hkdf.Key(sm3.New, secret, nil, "haoban sm4-gcm", keySize)
	if err != nil {
		return nil, err
	}
	index, err := hkdf.Key(sm3.New, secret, nil, "haoban index", secretSize)
	if err != nil {
		return nil, err
	}
	mac, err := hkdf.Key(sm3.New, secret, nil, "haoban mac", secretSize)
	if err != nil {
		return nil, err
	}
	sign, err := hkdf.Key(sm3.New, secret, nil, "haoban sm2", secretSize+8)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(seal)
	if err != nil {
		return nil, err
	}
	priv, err := scalar(sign)
	if err != nil {
		return nil, err
	}
	spki, err := smx509.MarshalPKIXPublicKey(&priv.PublicKey)
	if err != nil {
		return nil, err
	}
	return &material{
		aead:  aead,
		index: sync.Pool{New: func() any { return hmac.New(sm3.New, index) }},
		mac:   sync.Pool{New: func() any { return hmac.New(sm3.New, mac) }},
		priv:  priv,
		spki:  spki,
	}, nil
}

// scalar makes an SM2 private key in [1, n-2] of 40 uniform bytes.
func scalar(b []byte) (*sm2.PrivateKey, error) {
	n := new(big.Int).Sub(sm2.P256().Params().N, big.NewInt(2))
	d := new(big.Int).SetBytes(b)
	d.Mod(d, n).Add(d, big.NewInt(1))
	return sm2.NewPrivateKey(d.FillBytes(make([]byte, 32)))
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	b, err := sm4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// keyed appends to out the code over data by a pooled HMAC.
func keyed(pool *sync.Pool, data, out []byte) []byte {
	h, ok := pool.Get().(hash.Hash)
	if !ok {
		panic("gm: pool holds no hash") // New always makes one
	}
	h.Reset()
	h.Write(data)
	out = h.Sum(out)
	pool.Put(h)
	return out
}

// envelopeAAD binds header, purpose and the caller's place together; lengths
// make it unambiguous.
func envelopeAAD(header []byte, purpose string, aad []byte) []byte {
	out := make([]byte, 0, headerSize+1+len(purpose)+len(aad))
	out = append(out, header...)
	out = append(out, byte(len(purpose))) //nolint:gosec // at most maxPurpose
	out = append(out, purpose...)
	return append(out, aad...)
}

func validPurpose(p string) bool {
	if p == "" || len(p) > maxPurpose {
		return false
	}
	for _, c := range []byte(p) {
		ok := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' || c == '/'
		if !ok {
			return false
		}
	}
	return true
}

func randomBytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("random: %w", err)
	}
	return b, nil
}
