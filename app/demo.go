package app

import (
	"encoding/base32"
	"errors"
	"os"
	"path/filepath"
	"time"

	"haoban/platform/config"
	"haoban/platform/gm"
)

// Partners are the systems this house has links to, by short name.
func Partners() []string {
	return []string{
		"assist", "bigreg", "caserepo", "company", "fryzt", "housing", "invest", "land", "licence", "marriage", "pay", "population", "seal", "sms", "ssb", "will", "ywtb",
	}
}

// LocalConfig writes keys and partner secrets into dir, where they are not there
// yet, and returns settings for a house that stands in dir alone and finds the
// outside at outsideURL. linkKey gives the key shared with a partner.
func LocalConfig(dir, addr, publicURL, outsideURL string, linkKey func(system string) string) (*config.Config, error) {
	if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
		return nil, err
	}
	c := config.Default()
	c.Server.Addr, c.Server.PublicURL = addr, publicURL
	c.DB.DSN = filepath.Join(dir, "haoban.db")
	c.Blob.Dir = filepath.Join(dir, "blob")
	c.Keys.File, c.Keys.SecretFile = filepath.Join(dir, "keys.json"), filepath.Join(dir, "secrets", "keys")
	c.Limits.PerMinute = 6000
	if _, err := os.Stat(c.Keys.SecretFile); errors.Is(err, os.ErrNotExist) {
		if err := gm.NewSecret(c.Keys.SecretFile); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(c.Keys.File); errors.Is(err, os.ErrNotExist) {
		secret, err := config.ReadSecret(c.Keys.SecretFile)
		if err != nil {
			return nil, err
		}
		if err := gm.InitSoft(c.Keys.File, secret); err != nil {
			return nil, err
		}
	}
	for _, p := range Partners() {
		f := filepath.Join(dir, "secrets", p)
		if err := os.WriteFile(f, []byte(linkKey(p)), 0o600); err != nil {
			return nil, err
		}
		c.Links[p] = config.Link{Enabled: true, URL: outsideURL + "/" + p, AppID: "haoban", SecretFile: f, Timeout: config.Duration(5 * time.Second)}
	}
	return c, nil
}

// DemoOTP derives the one-time secret of a demonstration account from its
// master key.
func DemoOTP(master []byte, account string) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(gm.HMAC(master, []byte("otp "+account)))[:32]
}
