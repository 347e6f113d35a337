package wire_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"haoban/links/linkkit/wire"
	"haoban/platform/errs"
)

// Both are reckoned apart, with openssl dgst -sm3 [-hmac key].
const (
	sampleBodySM3 = "dddf673032d7d6f091a0ad69180d24cfe0e7a09adf9320c16886eda65bf74e83"
	sampleHMAC    = "f768d1ab5e9786f54eafdf1ea1dd6db9101635f2e2516a42342ec3dedcb1ee94"
)

func TestSampleHMAC(t *testing.T) {
	t.Parallel()
	secret, err := wire.NewSecret([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	text := wire.RequestText("post", "/caserepo/api/v1/case-repo/push",
		url.Values{"b": {"2"}, "a": {"1", "0"}}, "1790000000000", "6b1f6f3e-0000-4000-8000-000000000001", []byte(`{"case":{}}`))
	want := strings.Join([]string{
		"POST", "/caserepo/api/v1/case-repo/push", "a=1&a=0&b=2", "1790000000000",
		"6b1f6f3e-0000-4000-8000-000000000001", sampleBodySM3,
	}, "\n")
	if string(text) != want {
		t.Errorf("text to sign:\n%s\nwant:\n%s", text, want)
	}
	sig, err := secret.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sig); got != sampleHMAC {
		t.Errorf("hmac-sm3 = %s, want %s", got, sampleHMAC)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", secret, secret, secret, secret); strings.Contains(s, "0123") || strings.Contains(s, "48") {
		t.Errorf("secret printed: %s", s)
	}
}

func TestShortSecret(t *testing.T) {
	t.Parallel()
	if _, err := wire.NewSecret([]byte("short")); errs.KindOf(err) != errs.Invalid {
		t.Errorf("short secret: %v", err)
	}
	if _, err := (wire.Secret{}).Sign(nil); err == nil {
		t.Error("an empty secret signed")
	}
	if (wire.Secret{}).Verify(nil, nil) {
		t.Error("an empty secret verified")
	}
}

func TestSampleSM3(t *testing.T) {
	t.Parallel()
	// GB/T 32905, example 1.
	if got := wire.Digest([]byte("abc")); got != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("SM3(abc) = %s", got)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1790000000000)
	secret, err := wire.NewSecret([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := wire.NewSecret([]byte("fedcba9876543210"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := sm2.NewPrivateKeyFromInt(big.NewInt(20261123))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		s    wire.Signer
		v    wire.Verifier
		warp func(r *http.Request)
		at   time.Time
		want error
	}{
		{"hmac", secret, secret, nil, now, nil},
		{"sm2", wire.NewSM2Signer(key), wire.NewSM2Verifier(&key.PublicKey), nil, now, nil},
		{"edge of window", secret, secret, nil, now.Add(300 * time.Second), nil},
		{"our clock slow", secret, secret, nil, now.Add(-301 * time.Second), wire.ErrClock},
		{"our clock fast", secret, secret, nil, now.Add(301 * time.Second), wire.ErrClock},
		{"another key", other, secret, nil, now, wire.ErrSignature},
		{"another algorithm", secret, wire.NewSM2Verifier(&key.PublicKey), nil, now, wire.ErrSignature},
		{"another method", secret, secret, func(r *http.Request) { r.Method = "PUT" }, now, wire.ErrSignature},
		{"another path", secret, secret, func(r *http.Request) { r.RequestURI = "/x/api/v1/b?q=1&a=%E6%B5%8B" }, now, wire.ErrSignature},
		{"another query", secret, secret, func(r *http.Request) { r.URL.RawQuery = "q=2" }, now, wire.ErrSignature},
		{"another time", secret, secret, func(r *http.Request) { r.Header.Set(wire.HeaderTimestamp, "1790000000001") }, now, wire.ErrSignature},
		{"no time", secret, secret, func(r *http.Request) { r.Header.Del(wire.HeaderTimestamp) }, now, wire.ErrSignature},
		{"no nonce", secret, secret, func(r *http.Request) { r.Header.Del(wire.HeaderNonce) }, now, wire.ErrSignature},
		{"no signature", secret, secret, func(r *http.Request) { r.Header.Del(wire.HeaderSign) }, now, wire.ErrSignature},
		{"not base64", secret, secret, func(r *http.Request) { r.Header.Set(wire.HeaderSign, "***") }, now, wire.ErrSignature},
		{"query in another order", secret, secret, func(r *http.Request) { r.URL.RawQuery = "a=%E6%B5%8B&q=1" }, now, nil},
		{"stripped by a mux", secret, secret, func(r *http.Request) { r.URL.Path = "/b" }, now, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := []byte(`{"x":1}`)
			out, err := http.NewRequestWithContext(t.Context(), "POST", "http://h/x/api/v1/a?q=1&a=%E6%B5%8B", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := wire.Sign(out, tt.s, "haoban", "n-1", now, body); err != nil {
				t.Fatal(err)
			}
			in := httptest.NewRequestWithContext(t.Context(), "POST", out.URL.RequestURI(), nil)
			in.Header = out.Header.Clone()
			if tt.warp != nil {
				tt.warp(in)
			}
			var nonces wire.MemoryNonces
			if err := wire.Verify(t.Context(), in, tt.v, &nonces, tt.at, body); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("verify: %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if err := wire.Verify(t.Context(), in, tt.v, &nonces, tt.at, body); !errors.Is(err, wire.ErrReplay) {
				t.Errorf("second time: %v, want replay", err)
			}
			if err := wire.Verify(t.Context(), in, tt.v, nil, tt.at, []byte(`{"x":2}`)); !errors.Is(err, wire.ErrSignature) {
				t.Errorf("another body: %v", err)
			}
		})
	}
}

func TestVerifyAnswer(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1790000000000)
	secret, err := wire.NewSecret([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/x/a", nil)
	r.Header.Set(wire.HeaderNonce, "n-7")
	h := http.Header{}
	body := []byte(`{"code":"0"}`)
	if err := wire.SignAnswer(h, secret, r, 200, now, body); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, nonce string
		status            int
		at                time.Time
		body              string
		want              error
	}{
		{"right", "/x/a", "n-7", 200, now, string(body), nil},
		{"another request's", "/x/a", "n-8", 200, now, string(body), wire.ErrSignature},
		{"another path's", "/x/b", "n-7", 200, now, string(body), wire.ErrSignature},
		{"another status", "/x/a", "n-7", 500, now, string(body), wire.ErrSignature},
		{"another body", "/x/a", "n-7", 200, now, "{}", wire.ErrSignature},
		{"old", "/x/a", "n-7", 200, now.Add(time.Hour), string(body), wire.ErrClock},
	} {
		if err := wire.VerifyAnswer(h, secret, tt.path, tt.nonce, tt.status, tt.at, []byte(tt.body)); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	h.Set(wire.HeaderSign, base64.StdEncoding.EncodeToString([]byte("x")))
	if err := wire.VerifyAnswer(h, secret, "/x/a", "n-7", 200, now, body); !errors.Is(err, wire.ErrSignature) {
		t.Errorf("bad signature: %v", err)
	}
}

func TestClassOf(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]wire.Class{
		"0": wire.ClassOK, "1001": wire.ClassInvalid, "2002": wire.ClassAuth, "3120": wire.ClassRefused,
		"4000": wire.ClassNotReady, "5999": wire.ClassFault, "": wire.ClassUnknown, "200": wire.ClassUnknown,
		"6001": wire.ClassUnknown, "3xx1": wire.ClassUnknown, "00": wire.ClassUnknown,
	} {
		if got := wire.ClassOf(code); got != want {
			t.Errorf("class of %q = %d, want %d", code, got, want)
		}
	}
}

func TestCodeFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{wire.ErrSignature, "2001"}, {wire.ErrClock, "2002"}, {fmt.Errorf("in: %w", wire.ErrReplay), "2003"},
		{errs.New(errs.Invalid, "a", "b"), "1001"}, {errs.New(errs.Conflict, "a", "b"), "3001"},
		{errs.New(errs.Unavailable, "a", "b"), "4001"}, {errors.New("x"), "5001"},
	} {
		if got := wire.CodeFor(tt.err); got != tt.want {
			t.Errorf("code for %v = %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestMemoryNoncesForget(t *testing.T) {
	t.Parallel()
	var m wire.MemoryNonces
	at := time.UnixMilli(1790000000000)
	use := func(at time.Time) bool {
		free, err := m.Use(context.Background(), "a", "n", at)
		if err != nil {
			t.Fatal(err)
		}
		return free
	}
	if !use(at) || use(at.Add(10*time.Minute)) || !use(at.Add(10*time.Minute+time.Millisecond)) {
		t.Error("a nonce must be remembered for ten minutes and no longer")
	}
}

func TestField(t *testing.T) {
	t.Parallel()
	a, err := wire.NewSecret([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := wire.NewSecret([]byte("fedcba9876543210"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := a.Seal("310199199001010018")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Open(sealed); err != nil || got != "310199199001010018" {
		t.Errorf("open: %q, %v", got, err)
	}
	again, err := a.Seal("310199199001010018")
	if err != nil || again != sealed {
		t.Errorf("a message sent again must be the same: %v", err)
	}
	other, err := a.Seal("310199199001010026")
	if err != nil || other[:16] == sealed[:16] {
		t.Errorf("two texts under one nonce: %v", err)
	}
	for _, bad := range []string{"", "***", "AAAA", sealed[:len(sealed)-8] + "AAAAAAA="} {
		if _, err := a.Open(bad); errs.KindOf(err) != errs.Invalid {
			t.Errorf("open %q: %v", bad, err)
		}
	}
	if _, err := b.Open(sealed); errs.KindOf(err) != errs.Invalid {
		t.Errorf("another key: %v", err)
	}
}
