package gm_test

import (
	"bytes"
	"crypto/cipher"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"

	"haoban/platform/gm"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The published SM3 values (GB/T 32905) and one reckoned HMAC.
func TestSM3(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                         "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
		"abc":                      "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
		strings.Repeat("abcd", 16): "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
	} {
		if got := gm.SM3([]byte(in)); got != want {
			t.Errorf("SM3(%q) = %s, want %s", in, got, want)
		}
		h := gm.NewSM3()
		h.Write([]byte(in))
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("running SM3(%q) = %s, want %s", in, got, want)
		}
		if got := hex.EncodeToString(gm.SM3Sum([]byte(in))); got != want {
			t.Errorf("SM3Sum(%q) = %s, want %s", in, got, want)
		}
	}
	got := hex.EncodeToString(gm.HMAC([]byte("key"), []byte("The quick brown fox jumps over the lazy dog")))
	if want := "bd4a34077888162b210645b8ebf74b9af357303789357a27c7fc457244ebd398"; got != want {
		t.Errorf("HMAC-SM3 = %s, want %s", got, want)
	}
}

// GB/T 32907, GB/T 36624 C.5 and the handbook's CBC value: the block cipher
// and the mode under the envelope are the standard's.
func TestSM4(t *testing.T) {
	t.Parallel()
	key := unhex(t, "0123456789abcdeffedcba9876543210")
	b, err := sm4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 16)
	b.Encrypt(out, key)
	if got, want := hex.EncodeToString(out), "681edf34d206965e86b3e94f536e4246"; got != want {
		t.Errorf("ECB = %s, want %s", got, want)
	}
	pt := unhex(t, "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb")
	ct := make([]byte, len(pt))
	cipher.NewCBCEncrypter(b, unhex(t, "000102030405060708090a0b0c0d0e0f")).CryptBlocks(ct, pt)
	if got, want := hex.EncodeToString(ct), "78ebb11cc40b0a48312aaeb2040244cb4cb7016951909226979b0d15dc6a8f6d"; got != want {
		t.Errorf("CBC = %s, want %s", got, want)
	}
	zero, err := sm4.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(zero)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, 12)
	if got, want := hex.EncodeToString(aead.Seal(nil, nonce, nil, nil)), "232f0cfe308b49ea6fc88229b5dc858d"; got != want {
		t.Errorf("GCM tag = %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(aead.Seal(nil, nonce, make([]byte, 16), nil)),
		"7de2aa7f1110188218063be1bfeb6d89b851b5f39493752be508f1bb4482c557"; got != want {
		t.Errorf("GCM = %s, want %s", got, want)
	}
}

// SM4 a million times over itself, as GB/T 32907 A.2 has it.
func TestSM4Million(t *testing.T) {
	t.Parallel()
	key := unhex(t, "0123456789abcdeffedcba9876543210")
	b, err := sm4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(key)
	for range 1_000_000 {
		b.Encrypt(out, out)
	}
	if got, want := hex.EncodeToString(out), "595298c7c6fd271f0402f804c33d3f66"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The signature of GB/T 32918.5 A.2 holds by our verifier, its ZA is ours, and
// one changed bit of it does not hold.
func TestSM2KnownSignature(t *testing.T) {
	t.Parallel()
	priv, err := sm2.NewPrivateKey(unhex(t, "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(priv.X.Bytes()), "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"; got != want {
		t.Errorf("Px = %s, want %s", got, want)
	}
	za, err := sm2.CalculateZA(&priv.PublicKey, []byte("1234567812345678"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(za), "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"; got != want {
		t.Errorf("ZA = %s, want %s", got, want)
	}
	spki, err := smx509.MarshalPKIXPublicKey(&priv.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r := new(big.Int).SetBytes(unhex(t, "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"))
	s := new(big.Int).SetBytes(unhex(t, "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"))
	sig, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	if err := gm.VerifySM2(spki, []byte("message digest"), sig); err != nil {
		t.Errorf("the standard's signature: %v", err)
	}
	for what, err := range map[string]error{
		"another message": gm.VerifySM2(spki, []byte("message digesT"), sig),
		"another key":     gm.VerifySM2(spki[:len(spki)-1], []byte("message digest"), sig),
		"no signature":    gm.VerifySM2(spki, []byte("message digest"), nil),
		"garbage key":     gm.VerifySM2([]byte("x"), []byte("message digest"), sig),
	} {
		if !errors.Is(err, gm.ErrSignature) {
			t.Errorf("%s: got %v, want ErrSignature", what, err)
		}
	}
}

// openssl runs the machine's openssl, or gives nil where there is none: it is a
// second opinion, the known answers above are the first.
func openssl(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	bin, err := exec.LookPath("openssl")
	if err != nil {
		t.Logf("no openssl on this machine: no second opinion")
		return nil
	}
	cmd := exec.CommandContext(t.Context(), bin, args...) //nolint:gosec // the machine's openssl
	cmd.Stdin = bytes.NewReader(in)
	var errb bytes.Buffer
	cmd.Stderr = &errb
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s%s", args, err, out, errb.String())
	}
	return out
}

func TestOpenSSLDigestAndCipher(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 55, 56, 63, 64, 65, 1000, 100_000} {
		in := bytes.Repeat([]byte{0xa7, 3, 1}, n)[:n]
		out := openssl(t, in, "dgst", "-sm3", "-binary")
		if out != nil && hex.EncodeToString(out) != gm.SM3(in) {
			t.Errorf("%d bytes: openssl %x, here %s", n, out, gm.SM3(in))
		}
	}
	key := unhex(t, "00112233445566778899aabbccddeeff")
	b, err := sm4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	pt := bytes.Repeat([]byte("自然资源登记0123"), 64)
	ct := make([]byte, len(pt))
	iv := make([]byte, 16)
	cipher.NewCTR(b, iv).XORKeyStream(ct, pt) //nolint:gosec // a comparison, nothing is kept secret
	out := openssl(t, pt, "enc", "-sm4-ctr", "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv))
	if out != nil && !bytes.Equal(out, ct) {
		t.Error("SM4-CTR differs from openssl")
	}
}

func TestOpenSSLSignature(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	msg := []byte("上海市不动产权第000001号")
	data := file("data", msg)

	// Ours, checked by openssl.
	keys := memory(t)
	sig, err := keys.Sign(t.Context(), "seal", msg)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := keys.Public("seal")
	if err != nil {
		t.Fatal(err)
	}
	pub := file("pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	out := openssl(t, nil, "dgst", "-sm3", "-sigopt", "distid:1234567812345678", "-verify", pub, "-signature", file("sig", sig), data)
	if out == nil {
		return
	}
	if !strings.Contains(string(out), "Verified OK") {
		t.Errorf("openssl says %q", out)
	}

	// Theirs, checked by us.
	priv := filepath.Join(dir, "priv.pem")
	openssl(t, nil, "genpkey", "-algorithm", "SM2", "-out", priv)
	der := openssl(t, nil, "pkey", "-in", priv, "-pubout", "-outform", "DER")
	theirs := openssl(t, nil, "dgst", "-sm3", "-sigopt", "distid:1234567812345678", "-sign", priv, data)
	if err := gm.VerifySM2(der, msg, theirs); err != nil {
		t.Errorf("a signature by openssl: %v", err)
	}
}
