package codes

import (
	"math/big"
	"strconv"
	"strings"
)

// Share is a part of a property 份额, above nothing and at most the whole, kept
// as an exact fraction in lowest terms. The zero Share is no share. Shares are
// comparable with ==.
type Share struct{ num, den int64 }

// ParseShare reads 1/2, 50%, 33.33% or 1 exactly.
func ParseShare(s string) (Share, error) {
	s = Normalise(s)
	bad := func(because string) (Share, error) { return Share{}, refuse("share", "份额", because) }
	r := new(big.Rat)
	if a, b, ok := strings.Cut(s, "/"); ok {
		if !shortDigits(a) || !shortDigits(b) {
			return bad("应写成 1/2 或 50% 的样子")
		}
		d := big.NewInt(int64(atoi(b)))
		if d.Sign() == 0 {
			return bad("的分母不能是 0")
		}
		r.SetFrac(big.NewInt(int64(atoi(a))), d)
	} else {
		n, pct := strings.CutSuffix(s, "%")
		whole, frac, dot := strings.Cut(n, ".")
		if !shortDigits(whole) || dot && !shortDigits(frac) || !pct && dot {
			return bad("应写成 1/2 或 50% 的样子")
		}
		r.SetString(n)
		if pct {
			r.Quo(r, big.NewRat(100, 1))
		}
	}
	switch {
	case r.Sign() <= 0:
		return bad("应大于 0")
	case r.Cmp(big.NewRat(1, 1)) > 0:
		return bad("不能超过全部（1/1 或 100%）")
	}
	return Share{r.Num().Int64(), r.Denom().Int64()}, nil
}

func shortDigits(s string) bool { return len(s) <= 8 && digits(s) }

// IsZero reports whether there is no share.
func (s Share) IsZero() bool { return s.den == 0 }

// Rat returns the share as a fresh exact fraction; 0 for no share.
func (s Share) Rat() *big.Rat {
	if s.den == 0 {
		return new(big.Rat)
	}
	return big.NewRat(s.num, s.den)
}

// String gives 1/2; the whole is 1/1.
func (s Share) String() string {
	if s.den == 0 {
		return ""
	}
	return strconv.FormatInt(s.num, 10) + "/" + strconv.FormatInt(s.den, 10)
}

// MarshalText writes 1/2.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a share as ParseShare does; empty text is no share.
func (s *Share) UnmarshalText(b []byte) error { return unmarshal(s, b, ParseShare) }

// SumShares adds shares exactly.
func SumShares(shares ...Share) *big.Rat {
	sum := new(big.Rat)
	for _, s := range shares {
		sum.Add(sum, s.Rat())
	}
	return sum
}

// Whole reports whether the shares add up to exactly one.
func Whole(shares ...Share) bool { return SumShares(shares...).Cmp(big.NewRat(1, 1)) == 0 }

// Equal reports whether the shares are all the same 1/n of n shares（等额）.
func Equal(shares ...Share) bool {
	for _, s := range shares {
		if s.Rat().Cmp(big.NewRat(1, int64(len(shares)))) != 0 {
			return false
		}
	}
	return len(shares) > 0
}
