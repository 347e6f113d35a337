package wire

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"haoban/platform/errs"
)

// Alg names a signature algorithm.
type Alg string

// The algorithms.
const (
	HMAC Alg = "HMAC-SM3"
	SM2  Alg = "SM2"
)

// Signer signs what this side says. Implementations are safe for concurrent
// use.
type Signer interface {
	// Alg names the algorithm.
	Alg() Alg
	// Sign returns the signature over text.
	Sign(text []byte) ([]byte, error)
}

// Verifier checks what the other side says. Implementations are safe for
// concurrent use.
type Verifier interface {
	// Alg names the algorithm.
	Alg() Alg
	// Verify reports whether sig is the other side's signature over text.
	Verify(text, sig []byte) bool
}

// Secret is a shared HMAC-SM3 key; it signs and verifies. It never prints.
type Secret struct{ key []byte }

// NewSecret returns the shared key of the given bytes, at least 16 of them. It
// returns an error of kind errs.Invalid for a shorter one.
func NewSecret(key []byte) (Secret, error) {
	if len(key) < 16 {
		return Secret{}, errs.New(errs.Invalid, "wire.secret", "对接密钥过短，至少 16 字节")
	}
	return Secret{key: append([]byte(nil), key...)}, nil
}

// Alg returns HMAC.
func (Secret) Alg() Alg { return HMAC }

// Sign returns the HMAC-SM3 of text.
func (s Secret) Sign(text []byte) ([]byte, error) {
	if len(s.key) == 0 {
		return nil, errs.New(errs.Internal, "wire.secret", "对接密钥未设置")
	}
	m := hmac.New(func() hash.Hash { return sm3.New() }, s.key)
	m.Write(text)
	return m.Sum(nil), nil
}

// Verify compares in constant time.
func (s Secret) Verify(text, sig []byte) bool {
	want, err := s.Sign(text)
	return err == nil && subtle.ConstantTimeCompare(want, sig) == 1
}

// String hides the key.
func (Secret) String() string { return "secret" }

// GoString hides the key.
func (Secret) GoString() string { return "wire.Secret{}" }

type sm2Signer struct{ key *sm2.PrivateKey }

// NewSM2Signer returns a signer with an SM2 key; the signature is ASN.1 DER
// under the default user id.
func NewSM2Signer(key *sm2.PrivateKey) Signer { return sm2Signer{key} }

func (sm2Signer) Alg() Alg { return SM2 }

func (s sm2Signer) Sign(text []byte) ([]byte, error) {
	sig, err := s.key.SignWithSM2(rand.Reader, nil, text)
	if err != nil {
		return nil, fmt.Errorf("sm2 sign: %w", err)
	}
	return sig, nil
}

type sm2Verifier struct{ key *ecdsa.PublicKey }

// NewSM2Verifier returns a verifier for an SM2 public key.
func NewSM2Verifier(key *ecdsa.PublicKey) Verifier { return sm2Verifier{key} }

func (sm2Verifier) Alg() Alg { return SM2 }

func (v sm2Verifier) Verify(text, sig []byte) bool {
	return sm2.VerifyASN1WithSM2(v.key, nil, text, sig)
}

// Digest returns the hex SM3 of b.
func Digest(b []byte) string {
	h := sm3.Sum(b)
	return hex.EncodeToString(h[:])
}

// RequestText returns the string to sign of a request. path is escaped as in
// the request line; a query key with several values keeps their order.
func RequestText(method, path string, query url.Values, timestamp, nonce string, body []byte) []byte {
	return []byte(strings.Join([]string{
		strings.ToUpper(method), path, query.Encode(), timestamp, nonce, Digest(body),
	}, "\n"))
}

// AnswerText returns the string to sign of an answer to the request with the
// given path and nonce.
func AnswerText(path string, status int, timestamp, nonce string, body []byte) []byte {
	return []byte(strings.Join([]string{
		"ANSWER", path, strconv.Itoa(status), timestamp, nonce, Digest(body),
	}, "\n"))
}

// Sign sets the signature headers of a request with the given body. The
// request's own path and query are signed.
func Sign(r *http.Request, s Signer, app, nonce string, now time.Time, body []byte) error {
	ts := strconv.FormatInt(now.UnixMilli(), 10)
	sig, err := s.Sign(RequestText(r.Method, r.URL.EscapedPath(), r.URL.Query(), ts, nonce, body))
	if err != nil {
		return err
	}
	r.Header.Set(HeaderApp, app)
	r.Header.Set(HeaderTimestamp, ts)
	r.Header.Set(HeaderNonce, nonce)
	r.Header.Set(HeaderAlg, string(s.Alg()))
	r.Header.Set(HeaderSign, base64.StdEncoding.EncodeToString(sig))
	return nil
}

// SignAnswer sets the signature headers of the answer to r. Headers must not
// have been written yet.
func SignAnswer(h http.Header, s Signer, r *http.Request, status int, now time.Time, body []byte) error {
	ts := strconv.FormatInt(now.UnixMilli(), 10)
	nonce := r.Header.Get(HeaderNonce)
	sig, err := s.Sign(AnswerText(PathOf(r), status, ts, nonce, body))
	if err != nil {
		return err
	}
	h.Set(HeaderTimestamp, ts)
	h.Set(HeaderNonce, nonce)
	h.Set(HeaderAlg, string(s.Alg()))
	h.Set(HeaderSign, base64.StdEncoding.EncodeToString(sig))
	return nil
}

// PathOf returns the escaped path of a received request as it stood in the
// request line, whatever a mux has stripped from r.URL since.
func PathOf(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		p, _, _ := strings.Cut(r.RequestURI, "?")
		return p
	}
	return r.URL.EscapedPath()
}
