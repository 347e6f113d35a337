package story_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"haoban/story"
)

// browser follows redirects and keeps cookies, as a person's does.
func browser(h *house) *http.Client {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func fetch(h *house, c *http.Client, path string) string {
	h.t.Helper()
	resp, err := c.Get(path) //nolint:noctx // a test against loopback
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

// TestLogin: a citizen comes by 一网通办 with code and PKCE, a company by
// 法人一证通; a state that is used or another browser's opens nothing.
func TestLogin(t *testing.T) {
	t.Parallel()
	engines(t, "N1/login", func(act *story.Act, h *house) {
		t := act.T
		b := browser(h)
		var seen string
		b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if strings.Contains(r.URL.Path, "/callback/") {
				seen = r.URL.String()
			}
			return nil
		}
		resp, err := b.Get(h.url + "/api/v1/public/login/ywtb?to=/api/v1/public/session") //nolint:noctx // a test against loopback
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		login := *resp.Request.URL
		q := login.Query()
		q.Set("login_hint", h.cast.ZhangMing.ID)
		login.RawQuery = q.Encode()
		if body := fetch(h, b, login.String()); !strings.Contains(body, "张*") {
			t.Fatalf("after logging in: %s", body)
		}
		if body := fetch(h, b, seen); !strings.Contains(body, "oidc.state") {
			t.Errorf("the same answer twice: %s", body)
		}
		act.Refused()
		if body := fetch(h, browser(h), h.url+"/api/v1/public/callback/ywtb?code=x&state=y"); !strings.Contains(body, "oidc.state") {
			t.Errorf("a made-up answer: %s", body)
		}
		act.Refused()
		if body := fetch(h, browser(h), h.url+"/api/v1/public/login/ywtb?to="+url.QueryEscape("https://example.com/")); !strings.Contains(body, "oidc.to") {
			t.Errorf("an open redirect: %s", body)
		}
		act.Refused()
		c := browser(h)
		if resp, err = c.Get(h.url + "/api/v1/public/login/fryzt?to=/api/v1/public/session"); err != nil { //nolint:noctx // a test against loopback
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		login = *resp.Request.URL
		q = login.Query()
		q.Set("login_hint", h.cast.Developer.USCC)
		login.RawQuery = q.Encode()
		if body := fetch(h, c, login.String()); !strings.Contains(body, h.cast.Developer.Name) {
			t.Errorf("the company: %s", body)
		}
	})
}
