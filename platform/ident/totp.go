package ident

import (
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	otpPeriod = 30
	otpSkew   = 1
)

// NewTOTP makes a secret for a one-time code app and the address
// (otpauth://…) that a QR code shows to it.
func NewTOTP(account string) (secret, url string, err error) {
	k, err := totp.Generate(totp.GenerateOpts{Issuer: "好办", AccountName: account, Period: otpPeriod, SecretSize: 20})
	if err != nil {
		return "", "", fmt.Errorf("totp: %w", err)
	}
	return k.Secret(), k.URL(), nil
}

// TOTPCode returns the code that an app with this secret shows at t. It serves
// demos and tests, which list officials with their codes.
func TOTPCode(secret string, t time.Time) (string, error) {
	code, err := hotp.GenerateCodeCustom(secret, uint64(totpStep(t)), totpOpts()) //nolint:gosec // not before 1970
	if err != nil {
		return "", fmt.Errorf("totp: %w", err)
	}
	return code, nil
}

func totpOpts() hotp.ValidateOpts {
	return hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
}

func totpStep(t time.Time) int64 { return t.Unix() / otpPeriod }

// checkTOTP returns the step whose code was given, allowing one step either
// way, and false if there is none after the last step used.
func checkTOTP(secret, code string, t time.Time, last int64) (int64, bool) {
	now := totpStep(t)
	found, ok := int64(0), false
	for step := now - otpSkew; step <= now+otpSkew; step++ {
		if step < 0 {
			continue
		}
		right, err := hotp.ValidateCustom(code, uint64(step), secret, totpOpts()) // constant-time compare
		if err == nil && right && step > last {
			found, ok = step, true
		}
	}
	return found, ok
}
