// Package codes reads, checks, masks and writes the numbers that people,
// bodies, land, papers and projects carry: identity numbers, credit codes, unit
// codes, certificate numbers and their like. It knows their shape and check
// digit, never whether the thing exists.
//
// Every number is a type with one ParseX. ParseX first normalises（全角转半角、
// 去空白、转大写，保留六角括号〔〕）and returns errs.Invalid with code codes.<kind>
// and a Chinese sentence when the number cannot be right.
package codes

import (
	"errors"
	"strings"
	"unicode"

	"haoban/platform/errs"
)

// num is what every number is inside: its normalised text.
type num struct{ s string }

// String gives the number as it is stored.
func (n num) String() string { return n.s }

// IsZero reports whether there is no number.
func (n num) IsZero() bool { return n.s == "" }

// MarshalText writes the number as it is stored.
func (n num) MarshalText() ([]byte, error) { return []byte(n.s), nil }

// why is the part of a refusal that follows the name of what was refused.
type why string

func (w why) Error() string { return string(w) }

func refuse(code, noun, because string) error {
	return errs.New(errs.Invalid, "codes."+code, noun+because).Wrap(why(because))
}

// Why returns the part of a refusal of this package that can follow any name
// of the field, such as 应为 11 位数字, so that a form can say
// 购房人手机号应为 11 位数字. For other errors it is 填写的内容不对.
func Why(err error) string {
	var w why
	if errors.As(err, &w) {
		return string(w)
	}
	return "填写的内容不对"
}

// Normalise returns s as numbers are stored: full-width characters made
// half-width, white space and invisible marks removed, the many dashes made
// "-", letters in upper case. The hexagonal brackets〔〕of document numbers
// stay.
func Normalise(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case r >= 0x2010 && r <= 0x2015, r == 0x2212:
			r = '-'
		}
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
