package app

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"haoban/links/assist"
	"haoban/links/bigreg"
	"haoban/links/caserepo"
	"haoban/links/company"
	"haoban/links/housing"
	"haoban/links/invest"
	"haoban/links/land"
	"haoban/links/licence"
	"haoban/links/marriage"
	"haoban/links/pay"
	"haoban/links/seal"
	"haoban/links/sms"
	"haoban/links/will"
	"haoban/platform/clock"
	"haoban/platform/config"
	"haoban/platform/doc"
	"haoban/platform/errs"
)

// partnerName is what a partner is called, or its short name.
func partnerName(system string) string {
	if n, ok := map[string]string{
		"assist": assist.Name, "bigreg": bigreg.Name, "caserepo": caserepo.Name, "company": company.Name, "housing": housing.Name, "invest": invest.Name,
		"land": land.Name, "licence": licence.Name, "marriage": marriage.Name, "pay": pay.Name, "population": "市人口库", "seal": seal.Name, "sms": sms.Name,
		"will": will.Name, "ywtb": "一网通办", "fryzt": "法人一证通", "ssb": "随申办",
	}[system]; ok {
		return n
	}
	return system
}

// line is one line of the table of a check.
type line struct{ what, state, note string }

// check goes through everything the program needs and prints what it found. An
// error says that the program would not work as it is set.
func (c *command) check(ctx context.Context) error {
	rows := []line{{"设置", "正常", c.confName()}}
	bad := 0
	put := func(what, note string, err error) {
		if err != nil {
			bad++
			rows = append(rows, line{what, "不行", strings.ReplaceAll(sentence(err), "\n", "；")})
			return
		}
		rows = append(rows, line{what, "正常", note})
	}
	_, err := openKeys(c.cfg.Keys)
	put("密钥", c.cfg.Keys.Kind, err)
	put("数据库", c.cfg.DB.Engine, c.checkDB(ctx))
	put("文件", c.cfg.Blob.Kind, c.checkBlobs())
	_, err = doc.LoadFonts(c.fonts)
	put("字体", c.fonts, err)
	for _, system := range slices.Sorted(maps.Keys(c.cfg.Links)) {
		l := c.cfg.Links[system]
		name := partnerName(system) + "（" + system + "）"
		if !l.Enabled {
			rows = append(rows, line{name, "停用", "依赖它的功能会提示暂不可用"})
			continue
		}
		took, err := probe(ctx, l, clock.Wall{})
		put(name, fmt.Sprintf("%s，%d 毫秒", l.URL, took.Milliseconds()), err)
	}
	c.table(rows)
	if bad > 0 {
		return errs.New(errs.Invalid, "check.bad", fmt.Sprintf("有 %d 项不行", bad))
	}
	return nil
}

func (c *command) confName() string {
	if c.conf == "" {
		return "默认设置"
	}
	return c.conf
}

func (c *command) checkDB(ctx context.Context) error {
	d, err := c.openDB(ctx)
	if err != nil {
		return err
	}
	var one int
	err = d.Q().QueryRow(ctx, `SELECT 1`).Scan(&one)
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

func (c *command) checkBlobs() error {
	if err := os.MkdirAll(c.cfg.Blob.Dir, 0o700); err != nil {
		return fmt.Errorf("files: %w", err)
	}
	f, err := os.CreateTemp(c.cfg.Blob.Dir, "check-*")
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("files: %w", err)
	}
	if c.cfg.Blob.Kind == "s3" {
		if _, err := config.ReadSecret(c.cfg.Blob.S3.SecretKeyFile); err != nil {
			return err
		}
	}
	return os.Remove(f.Name())
}

// probe tells whether somebody answers at the address of a partner and the key
// shared with it can be read. Any answer will do: it asks for nothing and signs
// nothing, so it leaves no trace in the partner's books.
func probe(ctx context.Context, l config.Link, wall clock.Clock) (time.Duration, error) {
	if l.SecretFile != "" {
		if _, err := config.ReadSecret(l.SecretFile); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, orTime(time.Duration(l.Timeout), 10*time.Second))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL, nil)
	if err != nil {
		return 0, fmt.Errorf("地址不正确：%w", err)
	}
	at := wall.Now()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("连不上：%w", err)
	}
	if err := resp.Body.Close(); err != nil {
		return 0, fmt.Errorf("连不上：%w", err)
	}
	return wall.Now().Sub(at), nil
}

// table prints rows in columns; a Chinese character takes two.
func (c *command) table(rows []line) {
	width := func(s string) int {
		n := 0
		for _, r := range s {
			n++
			if r >= 0x1100 {
				n++
			}
		}
		return n
	}
	most := 0
	for _, r := range rows {
		most = max(most, width(r.what))
	}
	pad := func(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }
	fmt.Fprintf(c.out, "%s  %s  %s\n", pad("项目", most), pad("状态", 4), "说明")
	for _, r := range rows {
		fmt.Fprintf(c.out, "%s  %s  %s\n", pad(r.what, most), pad(r.state, 4), r.note)
	}
}
