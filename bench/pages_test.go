package bench_test

import (
	"bytes"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

var encoded = regexp.MustCompile(`(?m)^(\w+): \d+ scripts, (\d+) bytes encoded`)

// scripts reads what scripts/size.mjs of the front-end prints: how many bytes of
// scripts a browser fetched at a first visit.
func scripts(t *testing.T, app string, out []byte) float64 {
	t.Helper()
	m := encoded.FindSubmatch(out)
	if m == nil || string(m[1]) != app {
		t.Fatalf("%s: %s", app, out)
	}
	n, err := strconv.Atoi(string(m[2]))
	if err != nil {
		t.Fatal(err)
	}
	return float64(n) / 1000
}

// TestPages is web.portal_js_kb and web.desk_js_kb: the encoded scripts that a
// real browser fetches at a first visit. It needs built pages, Node and Chromium,
// so the tiny run only reads what would be printed.
func TestPages(t *testing.T) {
	for _, app := range []string{"portal", "desk"} {
		name := "web." + app + "_js_kb"
		if !wanted(name) {
			continue
		}
		if !full() {
			if kb := scripts(t, app, []byte(app+": 11 scripts, 59980 bytes encoded, budget 250000\n")); kb != 59.98 {
				t.Errorf("%s: %v", app, kb)
			}
			continue
		}
		cmd := exec.CommandContext(t.Context(), "node", "scripts/size.mjs", app)
		cmd.Dir = "../web"
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil { // it ends with 1 above its budget, too
			t.Errorf("%s: %v: %s%s", app, err, out, errs.Bytes())
		}
		tell(t, name, scripts(t, app, out), "kB")
	}
}
