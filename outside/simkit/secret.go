package simkit

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"log/slog"

	"haoban/links/linkkit/wire"
	"haoban/outside/world"
	"haoban/platform/clock"
	"haoban/platform/gm"
)

// DemoKey derives the key shared with one system from a demonstration's master
// key, as text that fits into a secret file: both sides make the same of it.
func DemoKey(master []byte, system string) string {
	return hex.EncodeToString(gm.HMAC(master, []byte("haoban demo link "+system)))
}

// DemoSecrets returns an Options.Secret over DemoKey.
func DemoSecrets(master []byte) func(system string) wire.Secret {
	return func(system string) wire.Secret {
		s, err := wire.NewSecret([]byte(DemoKey(master, system)))
		if err != nil { // 64 characters are enough
			return wire.Secret{}
		}
		return s
	}
}

// Alone returns the options of one simulator by itself, with one key and
// nobody to call back: what a connector's test needs.
func Alone(w *world.World, key wire.Secret) Options {
	return Options{World: w, Clock: clock.Wall{}, Log: slog.New(slog.DiscardHandler), Secret: func(string) wire.Secret { return key }}
}

// Shares reports whether text is the key shared with haoban: where a contract
// sends it as it is, as a client secret. The zero answer is no.
func (s *Sim) Shares(text string) bool {
	k, err := wire.NewSecret([]byte(text))
	if err != nil {
		return false
	}
	sealed, err := k.Seal("shared")
	if err != nil {
		return false
	}
	plain, err := s.key.Open(sealed)
	return err == nil && plain == "shared"
}

// Random returns 192 random bits as text, for codes and tickets that nobody may
// guess.
func Random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}
