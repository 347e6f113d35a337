package gm_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"haoban/platform/errs"
	"haoban/platform/gm"
)

var _ gm.Keys = (*gm.Soft)(nil)

func memory(tb testing.TB) *gm.Soft {
	tb.Helper()
	s, err := gm.NewMemory()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

const secret = "0123456789abcdef0123456789abcdef"

func TestEnvelope(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	k := memory(t)
	plain, aad := []byte("310199199001010019"), []byte("case-1/applicant.id")
	sealed, err := k.Seal(ctx, "field", plain, aad)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(sealed), len(plain)+gm.Overhead; got != want {
		t.Errorf("envelope of %d bytes, want %d", got, want)
	}
	if bytes.Contains(sealed, plain) {
		t.Error("the plain text shows in the envelope")
	}
	got, err := k.Open(ctx, "field", sealed, aad)
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("Open = %q, %v", got, err)
	}
	twice, err := k.Seal(ctx, "field", plain, aad)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(twice, sealed) {
		t.Error("two envelopes of one text are the same")
	}
	refused := map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return k.Open(ctx, "draft", sealed, aad) },
		"another place":   func() ([]byte, error) { return k.Open(ctx, "field", sealed, []byte("case-2/applicant.id")) },
		"another store":   func() ([]byte, error) { return memory(t).Open(ctx, "field", sealed, aad) },
		"nothing":         func() ([]byte, error) { return k.Open(ctx, "field", nil, aad) },
		"cut short":       func() ([]byte, error) { return k.Open(ctx, "field", sealed[:len(sealed)-1], aad) },
	}
	for what, open := range refused {
		if _, err := open(); !errors.Is(err, gm.ErrSealed) {
			t.Errorf("%s: got %v, want ErrSealed", what, err)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := k.Open(ctx, "field", bad, aad); !errors.Is(err, gm.ErrSealed) {
			t.Fatalf("byte %d changed: got %v, want ErrSealed", i, err)
		}
	}
	empty, err := k.Seal(ctx, "field", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open(ctx, "field", empty, nil); err != nil || len(got) != 0 {
		t.Errorf("an empty text: %q, %v", got, err)
	}
}

func TestPurposes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	k := memory(t)
	// A purpose nobody listed works, and is itself.
	sealed, err := k.Seal(ctx, "link/evidence", []byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(ctx, "link/evidence", sealed, nil); err != nil {
		t.Errorf("unlisted purpose: %v", err)
	}
	if _, err := k.Open(ctx, "link/other", sealed, nil); !errors.Is(err, gm.ErrSealed) {
		t.Errorf("another unlisted purpose: got %v", err)
	}
	for _, bad := range []string{"", "Field", "a b", strings.Repeat("a", 65), "域"} {
		if _, err := k.Seal(ctx, bad, nil, nil); !errors.Is(err, gm.ErrPurpose) {
			t.Errorf("purpose %q: got %v, want ErrPurpose", bad, err)
		}
		if _, err := k.Index(ctx, bad, ""); !errors.Is(err, gm.ErrPurpose) {
			t.Errorf("index for %q: got %v, want ErrPurpose", bad, err)
		}
	}
}

func TestIndexAndMAC(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	k := memory(t)
	index := func(k gm.Keys, p, v string) string {
		t.Helper()
		s, err := k.Index(ctx, p, v)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := hex.DecodeString(s); err != nil || len(b) != 32 {
			t.Fatalf("index %q", s)
		}
		return s
	}
	a := index(k, "index", "13800000001")
	if a != index(k, "index", "13800000001") {
		t.Error("the same value has two indexes")
	}
	for _, other := range []string{index(k, "index", "13800000002"), index(k, "field", "13800000001"), index(memory(t), "index", "13800000001")} {
		if a == other {
			t.Error("two things have one index")
		}
	}
	mac, err := k.MAC(ctx, "audit", []byte("row"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.CheckMAC(ctx, "audit", []byte("row"), mac); err != nil {
		t.Errorf("its own code: %v", err)
	}
	bad := bytes.Clone(mac)
	bad[10] ^= 1
	foreign := bytes.Clone(mac)
	foreign[0] = 9
	for what, err := range map[string]error{
		"another row":     k.CheckMAC(ctx, "audit", []byte("roW"), mac),
		"another purpose": k.CheckMAC(ctx, "grant", []byte("row"), mac),
		"changed":         k.CheckMAC(ctx, "audit", []byte("row"), bad),
		"short":           k.CheckMAC(ctx, "audit", []byte("row"), mac[:4]),
		"unknown version": k.CheckMAC(ctx, "audit", []byte("row"), foreign),
	} {
		if !errors.Is(err, gm.ErrMAC) {
			t.Errorf("%s: got %v, want ErrMAC", what, err)
		}
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	k := memory(t)
	sig, err := k.Sign(ctx, "ledger", []byte("head"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Verify(ctx, "ledger", []byte("head"), sig); err != nil {
		t.Errorf("its own signature: %v", err)
	}
	pub, err := k.Public("ledger")
	if err != nil {
		t.Fatal(err)
	}
	if err := gm.VerifySM2(pub, []byte("head"), sig); err != nil {
		t.Errorf("by the public key: %v", err)
	}
	for what, err := range map[string]error{
		"another text":    k.Verify(ctx, "ledger", []byte("heaD"), sig),
		"another purpose": k.Verify(ctx, "seal", []byte("head"), sig),
		"garbage":         k.Verify(ctx, "ledger", []byte("head"), []byte("sig")),
	} {
		if !errors.Is(err, gm.ErrSignature) {
			t.Errorf("%s: got %v, want ErrSignature", what, err)
		}
	}
}

func TestSoftFile(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "keys", "soft.json")
	if _, err := gm.OpenSoft(path, []byte(secret)); !errors.Is(err, gm.ErrMissing) {
		t.Errorf("no file: got %v, want ErrMissing", err)
	}
	if err := gm.InitSoft(path, []byte("short")); !errors.Is(err, gm.ErrShort) {
		t.Errorf("short secret: got %v, want ErrShort", err)
	}
	if err := gm.InitSoft(path, []byte(secret+"\n")); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", st.Mode(), err)
	}
	if err := gm.InitSoft(path, []byte(secret)); !errors.Is(err, gm.ErrExists) {
		t.Errorf("a second init: got %v, want ErrExists", err)
	}
	k, err := gm.OpenSoft(path, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(k.Notice(), "仅供开发") {
		t.Errorf("notice %q", k.Notice())
	}
	sealed, err := k.Seal(ctx, "field", []byte("甲"), nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := gm.OpenSoft(path, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(ctx, "field", sealed, nil); err != nil || string(got) != "甲" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	_, err = gm.OpenSoft(path, []byte(strings.ToUpper(secret)))
	if !errors.Is(err, gm.ErrSecret) || errs.KindOf(err) != errs.Invalid {
		t.Errorf("wrong secret: got %v, want ErrSecret", err)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the test's own file
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string][]byte{
		"cut":           text[:len(text)/2],
		"a key renamed": bytes.Replace(text, []byte(`"draft"`), []byte(`"drift"`), 1),
		"another field": bytes.Replace(text, []byte(`"keys"`), []byte(`"kees"`), 1),
		"weak kdf":      bytes.Replace(text, []byte(`100000`), []byte(`1`), 1),
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := gm.OpenSoft(path, []byte(secret)); !errors.Is(err, gm.ErrFile) {
			t.Errorf("%s: got %v, want ErrFile", what, err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // the fault under test
		t.Fatal(err)
	}
	if _, err := gm.OpenSoft(path, []byte(secret)); !errors.Is(err, gm.ErrMode) {
		t.Errorf("readable by all: got %v, want ErrMode", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A running process opens what another sealed by a key that came later, and
// everything sealed before a rotation still opens.
func TestRotate(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "soft.json")
	if err := gm.InitSoft(path, []byte(secret)); err != nil {
		t.Fatal(err)
	}
	open := func() *gm.Soft {
		t.Helper()
		k, err := gm.OpenSoft(path, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	running := open()
	purposes := []string{"field", "link/sms", "unseen"}
	type made struct {
		sealed, mac, sig []byte
		index            string
	}
	make1 := func(k *gm.Soft, p string) made {
		t.Helper()
		var m made
		var err [4]error
		m.sealed, err[0] = k.Seal(ctx, p, []byte(p), nil)
		m.mac, err[1] = k.MAC(ctx, p, []byte(p))
		m.sig, err[2] = k.Sign(ctx, p, []byte(p))
		m.index, err[3] = k.Index(ctx, p, p)
		if e := errors.Join(err[:]...); e != nil {
			t.Fatal(e)
		}
		return m
	}
	check := func(k *gm.Soft, p string, m made) {
		t.Helper()
		b, err := k.Open(ctx, p, m.sealed, nil)
		i, ierr := k.Index(ctx, p, p)
		if err := errors.Join(err, ierr, k.CheckMAC(ctx, p, []byte(p), m.mac), k.Verify(ctx, p, []byte(p), m.sig)); err != nil || string(b) != p || i != m.index {
			t.Errorf("%s: %q %v %v", p, b, i == m.index, err)
		}
	}
	var all []made
	var of []string
	for _, rotate := range [][]string{nil, {"field"}, {"link/sms"}, {"root"}, {"link/sms", "field"}} {
		if rotate != nil {
			if err := gm.Rotate(path, []byte(secret), rotate...); err != nil {
				t.Fatal(err)
			}
		}
		k := open()
		for _, p := range purposes {
			all, of = append(all, make1(k, p)), append(of, p)
		}
		for i, m := range all {
			check(k, of[i], m)
			check(running, of[i], m)
		}
	}
	if v, err := open().Version("field"); err != nil || v != 3 {
		t.Errorf("version of field: %d, %v", v, err)
	}
	if err := gm.Rotate(path, []byte(secret)); err != nil {
		t.Fatal(err)
	}
	if err := running.Reload(); err != nil {
		t.Fatal(err)
	}
	if v, err := running.Version("field"); err != nil || v != 4 {
		t.Errorf("version of field after all rotated: %d, %v", v, err)
	}
	for i, m := range all {
		check(running, of[i], m)
	}
	if err := gm.Rotate(path, []byte(secret), "No Good"); !errors.Is(err, gm.ErrPurpose) {
		t.Errorf("bad purpose: %v", err)
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := gm.NewSecret(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path) //nolint:gosec // the test's own file
	if err != nil || len(bytes.TrimSpace(b)) != 64 {
		t.Errorf("secret %q, %v", b, err)
	}
	if err := gm.NewSecret(path); !errors.Is(err, gm.ErrExists) {
		t.Errorf("again: got %v, want ErrExists", err)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	k := memory(t)
	f := gm.NewFields(k, "field")
	sealed, err := f.SealField(ctx, "case1", "applicant.name", "张三")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := gm.OpenField(ctx, k, "case1", "applicant.name", sealed); err != nil || got != "张三" {
		t.Errorf("OpenField = %q, %v", got, err)
	}
	for _, at := range [][2]string{{"case2", "applicant.name"}, {"case1", "owner.name"}, {"case1applicant", ".name"}} {
		if _, err := f.OpenField(ctx, at[0], at[1], sealed); !errors.Is(err, gm.ErrSealed) {
			t.Errorf("at %v: got %v, want ErrSealed", at, err)
		}
	}
	a, err := f.IndexField(ctx, "resident-id", "310199199001010019")
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.IndexField(ctx, "mobile", "310199199001010019")
	if err != nil || a == b {
		t.Errorf("two kinds share an index: %v", err)
	}
	sealed, err = gm.SealField(ctx, k, "c", "p", "v")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.OpenField(ctx, "c", "p", sealed); err != nil || got != "v" {
		t.Errorf("SealField: %q, %v", got, err)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	k := memory(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p := []string{"field", "x/" + string(rune('a'+i%3))}[i%2]
			for range 200 {
				s, err := k.Seal(t.Context(), p, []byte("v"), nil)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := k.Open(t.Context(), p, s, nil); err != nil {
					t.Error(err)
				}
				if _, err := k.Index(t.Context(), p, "v"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// No bytes make Open panic, and none but a sealed envelope opens.
func FuzzOpen(f *testing.F) {
	k := memory(f)
	sealed, err := k.Seal(f.Context(), "field", []byte("plain"), []byte("aad"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0, 1})
	f.Add(slices.Concat([]byte{1, 0xff, 0xff, 0xff, 0xff}, make([]byte, 40)))
	f.Add(slices.Concat(sealed, []byte{0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := k.Open(t.Context(), "field", b, []byte("aad"))
		if err != nil {
			if !errors.Is(err, gm.ErrSealed) {
				t.Fatalf("got %v, want ErrSealed", err)
			}
			return
		}
		if !bytes.Equal(b, sealed) || string(got) != "plain" {
			t.Fatalf("%x opened as %q", b, got)
		}
	})
}

func BenchmarkSeal(b *testing.B)  { benchKeys(b, "seal") }
func BenchmarkOpen(b *testing.B)  { benchKeys(b, "open") }
func BenchmarkIndex(b *testing.B) { benchKeys(b, "index") }
func BenchmarkMAC(b *testing.B)   { benchKeys(b, "mac") }
func BenchmarkSign(b *testing.B)  { benchKeys(b, "sign") }

func benchKeys(b *testing.B, what string) {
	b.Helper()
	k, ctx := memory(b), b.Context()
	plain, aad := []byte("310199199001010019"), []byte("0198f0c4-0000-7000-8000-000000000000/applicant.id")
	sealed, err := k.Seal(ctx, "field", plain, aad)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var err error
		switch what {
		case "seal":
			_, err = k.Seal(ctx, "field", plain, aad)
		case "open":
			_, err = k.Open(ctx, "field", sealed, aad)
		case "index":
			_, err = k.Index(ctx, "field", string(plain))
		case "mac":
			_, err = k.MAC(ctx, "field", plain)
		default:
			_, err = k.Sign(ctx, "field", plain)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
