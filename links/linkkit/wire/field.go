package wire

import (
	"crypto/cipher"
	"encoding/base64"
	"fmt"

	"github.com/emmansun/gmsm/sm4"

	"haoban/platform/errs"
)

// Cipher seals single fields inside a message, those that contracts mark
// "(enc)": identity numbers and phones are never in clear, even under TLS.
type Cipher interface {
	// Seal returns plain, sealed, as base64.
	Seal(plain string) (string, error)
	// Open returns what Seal was given. It returns an error of kind
	// errs.Invalid for anything else.
	Open(sealed string) (string, error)
}

// Seal implements Cipher: SM4-GCM under the first 16 bytes of
// HMAC-SM3(secret, "haoban field"), as base64(nonce ‖ text ‖ tag). The nonce is
// made of the text, so that a message sent again is the same to the byte and
// its idempotency key still fits.
func (s Secret) Seal(plain string) (string, error) {
	a, err := s.aead()
	if err != nil {
		return "", err
	}
	nonce, err := s.Sign([]byte("haoban nonce\n" + plain))
	if err != nil {
		return "", err
	}
	nonce = nonce[:a.NonceSize()]
	return base64.StdEncoding.EncodeToString(a.Seal(nonce, nonce, []byte(plain), nil)), nil
}

// Open implements Cipher.
func (s Secret) Open(sealed string) (string, error) {
	a, err := s.aead()
	if err != nil {
		return "", err
	}
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(b) < a.NonceSize() {
		return "", errs.New(errs.Invalid, "wire.field", "加密字段无法解开")
	}
	plain, err := a.Open(nil, b[:a.NonceSize()], b[a.NonceSize():], nil)
	if err != nil {
		return "", errs.New(errs.Invalid, "wire.field", "加密字段无法解开").Wrap(err)
	}
	return string(plain), nil
}

func (s Secret) aead() (cipher.AEAD, error) {
	key, err := s.Sign([]byte("haoban field"))
	if err != nil {
		return nil, err
	}
	block, err := sm4.NewCipher(key[:16])
	if err != nil {
		return nil, fmt.Errorf("sm4: %w", err)
	}
	return cipher.NewGCM(block)
}
