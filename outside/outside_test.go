package outside_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"haoban/outside"
	"haoban/outside/simkit"
	"haoban/outside/world"
)

func TestAll(t *testing.T) {
	t.Parallel()
	o := outside.New(world.New(1, 1000), outside.Options{Secret: simkit.DemoSecrets([]byte("a master key for a test"))})
	defer o.Close()
	srv := httptest.NewServer(o)
	defer srv.Close()
	get := func(path string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(b)
	}
	resp, page := get("/")
	if !strings.Contains(page, "本页为模拟环境") || resp.Header.Get(simkit.Header) == "" {
		t.Error("the outside does not say that it is a simulation")
	}
	seen := make(map[string]bool)
	for _, s := range o.Systems() {
		if seen[s] {
			t.Errorf("two systems are named %s", s)
		}
		seen[s] = true
		resp, body := get("/" + s + "/api/v1/no-such-thing")
		if resp.StatusCode != http.StatusNotFound || resp.Header.Get(simkit.Header) == "" || !strings.Contains(body, `"1404"`) {
			t.Errorf("%s: unknown path: %d %s", s, resp.StatusCode, body)
		}
		resp, body = get("/_sim/" + s + "/journal")
		var j simkit.Journal
		if err := json.Unmarshal([]byte(body), &j); err != nil || j.System != s || resp.StatusCode != 200 {
			t.Errorf("%s: journal %d %s", s, resp.StatusCode, body)
		}
		if resp, _ := get("/" + s + "/"); resp.StatusCode == 200 {
			if _, body := get("/" + s + "/"); !strings.Contains(body, "模拟环境") {
				t.Errorf("%s: its page does not say that it is a simulation", s)
			}
		}
	}
	if _, body := get("/_sim/"); !strings.Contains(body, `"effects"`) {
		t.Errorf("counters: %s", body)
	}
}
