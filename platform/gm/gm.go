// Package gm is the national cryptography 国密 of the house: SM3 digests, SM4
// envelopes, keyed SM3 indexes and codes, SM2 signatures, and the one interface
// behind which all keys live.
//
// Keys are named by purpose and carry a version. Production keeps them in the
// city's 密码支撑平台 behind Keys; Soft keeps them in a file wrapped by a secret
// and says that it is for development.
package gm

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"encoding/hex"
	"hash"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"

	"haoban/platform/errs"
)

// Keys does everything that needs a key. A purpose names what the key is for
// ("field", "audit"); keys of two purposes never open each other's envelopes.
// Implementations are safe for concurrent use. A key service that does not
// answer gives an error of kind errs.Unavailable.
type Keys interface {
	// Seal encrypts plain with SM4-GCM under the newest key of purpose and
	// binds it to aad. The envelope carries the key's version.
	Seal(ctx context.Context, purpose string, plain, aad []byte) ([]byte, error)
	// Open decrypts an envelope made by Seal with the same purpose and aad. It
	// returns ErrSealed when the bytes are not such an envelope.
	Open(ctx context.Context, purpose string, sealed, aad []byte) ([]byte, error)
	// Index returns the blind index of value: HMAC-SM3 in hex, the same for the
	// same value for ever. It uses the first key of purpose, which rotation
	// does not change.
	Index(ctx context.Context, purpose string, value string) (string, error)
	// MAC returns a code over data: 4 bytes of key version, then HMAC-SM3.
	MAC(ctx context.Context, purpose string, data []byte) ([]byte, error)
	// CheckMAC returns ErrMAC when mac is not a code over data by any key of
	// purpose.
	CheckMAC(ctx context.Context, purpose string, data, mac []byte) error
	// Sign returns an SM2 signature (DER, default signer ID 1234567812345678)
	// over data by the newest key of purpose.
	Sign(ctx context.Context, purpose string, data []byte) ([]byte, error)
	// Verify returns ErrSignature when sig is not a signature over data by any
	// key of purpose.
	Verify(ctx context.Context, purpose string, data, sig []byte) error
	// Public returns the newest public key of purpose, as a DER
	// SubjectPublicKeyInfo.
	Public(purpose string) ([]byte, error)
}

// What a key store answers.
var (
	// ErrSealed says that bytes do not open: another key, another place (aad),
	// or changed.
	ErrSealed = errs.New(errs.Internal, "gm.sealed", "密文无法解开：密钥不符，或数据被改动")
	// ErrMAC says that data and its code do not belong together.
	ErrMAC = errs.New(errs.Internal, "gm.mac", "完整性校验不通过：数据被改动，或密钥不符")
	// ErrSignature says that a signature does not hold.
	ErrSignature = errs.New(errs.Invalid, "gm.signature", "签名验证不通过")
	// ErrSecret says that the wrapping secret does not fit the key file.
	ErrSecret = errs.New(errs.Invalid, "gm.secret", "口令与密钥文件不符，无法打开密钥")
	// ErrShort says that a wrapping secret is too short to protect anything.
	ErrShort = errs.New(errs.Invalid, "gm.secret.short", "密钥口令太短：至少 16 个字节")
	// ErrExists says that a key file is already there. Keys are never
	// overwritten.
	ErrExists = errs.New(errs.Conflict, "gm.exists", "密钥文件已经存在，不会覆盖")
	// ErrMissing says that there is no key file.
	ErrMissing = errs.New(errs.NotFound, "gm.missing", "没有找到密钥文件，请先运行 haoban keys init")
	// ErrFile says that a key file cannot be trusted as it stands.
	ErrFile = errs.New(errs.Invalid, "gm.file", "密钥文件不完整或被改动")
	// ErrMode says that others may read the key file.
	ErrMode = errs.New(errs.Invalid, "gm.mode", "密钥文件权限过宽：只能由运行用户读取（0600）")
	// ErrPurpose says that no key can have this name.
	ErrPurpose = errs.New(errs.Internal, "gm.purpose", "密钥用途名称不正确")
)

// SM3 returns the SM3 digest of b in lower-case hex.
func SM3(b []byte) string {
	d := sm3.Sum(b)
	return hex.EncodeToString(d[:])
}

// SM3Sum returns the 32 bytes of the SM3 digest of b.
func SM3Sum(b []byte) []byte {
	d := sm3.Sum(b)
	return d[:]
}

// NewSM3 returns a running SM3 digest.
func NewSM3() hash.Hash { return sm3.New() }

// HMAC returns HMAC-SM3 of data under key.
func HMAC(key, data []byte) []byte {
	h := hmac.New(sm3.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// VerifySM2 checks a DER signature over data against a public key given as DER
// SubjectPublicKeyInfo, with the default signer ID. It returns ErrSignature when
// either does not fit; it needs no key store.
func VerifySM2(spki, data, sig []byte) error {
	k, err := smx509.ParsePKIXPublicKey(spki)
	if err != nil {
		return ErrSignature.Wrap(err)
	}
	pub, ok := k.(*ecdsa.PublicKey)
	if !ok || !sm2.IsSM2PublicKey(pub) {
		return ErrSignature
	}
	if !sm2.VerifyASN1WithSM2(pub, nil, data, sig) {
		return ErrSignature
	}
	return nil
}
