package ident

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Argon says how hard a password hash is. The zero value means 19 MiB, two
// passes, one lane.
type Argon struct {
	KiB    uint32
	Passes uint32
	Lanes  uint8
}

func (a Argon) orDefault() Argon {
	if a.KiB == 0 {
		a.KiB = 19 * 1024
	}
	if a.Passes == 0 {
		a.Passes = 2
	}
	if a.Lanes == 0 {
		a.Lanes = 1
	}
	return a
}

const (
	passwordMin = 12
	passwordMax = 128
	saltLen     = 16
	hashLen     = 32
)

// CheckPassword tells whether a password follows the rules that need no
// history: at least 12 characters, at most 128, three of the four classes
// (small, capital, digit, other), not containing the account name, not one of
// the common ones. The error is ErrPassword with a field for each broken rule.
func CheckPassword(account, password string) error {
	e := ErrPassword
	n := utf8.RuneCountInString(password)
	if n < passwordMin || len(password) > passwordMax {
		e = e.With("password", "length", "口令至少 12 位，最多 128 位")
	}
	if classes(password) < 3 {
		e = e.With("password", "classes", "口令须含大写字母、小写字母、数字、符号中的三种")
	}
	low := strings.ToLower(password)
	if account != "" && strings.Contains(low, strings.ToLower(account)) {
		e = e.With("password", "account", "口令不能包含账号名")
	}
	if common(low) {
		e = e.With("password", "common", "这个口令太常见，请换一个")
	}
	if len(e.Fields) > 0 {
		return e
	}
	return nil
}

func classes(s string) int {
	var small, capital, digit, other int
	for _, r := range s {
		switch {
		case unicode.IsLower(r):
			small = 1
		case unicode.IsUpper(r):
			capital = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			other = 1
		}
	}
	return small + capital + digit + other
}

// common reports whether a lower-case password is one that is tried first:
// a well-known stem with only digits and signs around it, or one character
// over and over.
func common(low string) bool {
	stem := strings.TrimFunc(low, func(r rune) bool { return !unicode.IsLetter(r) })
	stem = strings.NewReplacer("0", "o", "@", "a", "1", "l", "$", "s", "3", "e").Replace(stem)
	if slices.Contains([]string{
		"password", "passwd", "passw", "pass", "qwerty", "qwertyuiop", "asdfgh", "asdfghjkl", "zxcvbn", "zxcvbnm",
		"qwer", "asdf", "abc", "abcd", "abcdef", "admin", "administrator", "root", "welcome", "letmein", "iloveyou",
		"woaini", "shanghai", "monkey", "dragon", "test", "user", "changeme", "haoban",
	}, stem) {
		return true
	}
	for _, s := range []string{"1qaz2wsx", "1qaz@wsx", "qazwsxedc", "1q2w3e4r", "q1w2e3r4", "123qwe", "!qaz2wsx", "qwer1234", "1234qwer"} {
		if strings.HasPrefix(low, s) {
			return true
		}
	}
	seen := map[rune]bool{}
	for _, r := range low {
		seen[r] = true
	}
	return len(seen) < 5
}

// hash returns the password's hash in PHC form, with its own salt.
func (a Argon) hash(password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	sum := argon2.IDKey([]byte(password), salt, a.Passes, a.KiB, a.Lanes, hashLen)
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.KiB, a.Passes, a.Lanes,
		b.EncodeToString(salt), b.EncodeToString(sum)), nil
}

// verify reports whether the password has that hash. A hash that cannot be
// read is checked against nothing and fails, after the same work.
func (a Argon) verify(hash, password string) bool {
	p, salt, want, ok := parseHash(hash)
	if !ok {
		p, salt, want = a, make([]byte, saltLen), make([]byte, hashLen)
	}
	got := argon2.IDKey([]byte(password), salt, p.Passes, p.KiB, p.Lanes, hashLen)
	return subtle.ConstantTimeCompare(got, want) == 1 && ok
}

func parseHash(s string) (Argon, []byte, []byte, bool) {
	f := strings.Split(s, "$")
	if len(f) != 6 || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return Argon{}, nil, nil, false
	}
	var a Argon
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &a.KiB, &a.Passes, &a.Lanes); err != nil {
		return Argon{}, nil, nil, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(f[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(f[5])
	if err1 != nil || err2 != nil || len(sum) != hashLen || a.Passes == 0 || a.Lanes == 0 || a.KiB > 1<<20 {
		return Argon{}, nil, nil, false
	}
	return a, salt, sum, true
}

// newPassword makes a password that follows the rules, for an administrator to
// hand over once.
func newPassword() (string, error) {
	const letters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	for {
		b := make([]byte, 16)
		if _, err := rand.Read(b); err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		for i, c := range b {
			b[i] = letters[int(c)%len(letters)]
		}
		if p := string(b); CheckPassword("", p) == nil {
			return p, nil
		}
	}
}
