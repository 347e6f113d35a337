#!/usr/bin/env bash
# All tests, on a Debian machine with Go, Node and npm: brings what is missing,
# then Go on both engines, the stories, the front-end and the browser. At most
# 45 minutes on two cores; what each layer took is printed beside its budget.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/layer.sh
export CGO_ENABLED=0 HAOBAN_ROOT=$PWD

mkdir -p build
rm -f build/accept.tsv build/browser.tsv

binaries() {
	go build -trimpath -tags webdist -o build/ ./cmd/...
}
benches() {
	local packages
	packages=$(grep -rlE '^func Benchmark' --include='*_test.go' --exclude-dir=node_modules --exclude-dir=peers . |
		xargs -rn1 dirname | sort -u)
	# shellcheck disable=SC2086
	[ -z "$packages" ] || go test -vet=off -timeout 10m -run '^$' -bench . -benchtime 1x -short $packages
}

layer needs 300 tools/need.sh postgres chromium cjk poppler ffmpeg
layer fonts 60 tools/fonts.sh
layer web-install 180 tools/web.sh install
layer go 1320 go test -count=1 -vet=off -timeout 22m ./...
layer benchmarks-once 180 benches
layer web-unit 120 npm --prefix web run --silent test
layer web-build 120 tools/web.sh
layer binaries 180 binaries
if script e2e; then
	layer browser 420 env CHROMIUM="${CHROMIUM:-$(command -v chromium || true)}" npm --prefix web run --silent e2e
else
	leave browser "web has no script e2e"
fi

for f in build/accept.tsv build/browser.tsv; do
	[ -s "$f" ] || continue
	awk -F'\t' -v f="$f" '{ n[$4]++ } $4 == "fail" { print "  fail: " $1 " " $2 " " $3 }
		END { printf "%s: %d pass, %d fail\n", f, n["pass"], n["fail"] }' "$f"
done
report test
