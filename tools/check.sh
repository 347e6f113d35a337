#!/usr/bin/env bash
# The gate beside the tests: format, lint, the import rule and what else the
# tree promises of itself, generated files, licences, known vulnerabilities.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/layer.sh
export CGO_ENABLED=0

formatted() {
	local bad
	bad=$(tools/gofiles.sh | xargs gofmt -l)
	[ -z "$bad" ] || { printf 'not formatted (make fix):\n%s\n' "$bad"; return 1; }
}
lint() {
	(cd tools/lint && go build -o ../../build/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint) &&
		build/bin/golangci-lint config verify --config .golangci.yml &&
		build/bin/golangci-lint run --allow-parallel-runners --timeout 20m
}
web() { tools/web.sh install && npm --prefix web run --silent check; }
vulnerable() {
	if ! curl -fsS --max-time 10 -o /dev/null https://vuln.go.dev/index/db.json 2>/dev/null; then
		echo "the vulnerability database does not answer: left out"
		return 0
	fi
	(cd tools/lint && go build -o ../../build/bin/govulncheck golang.org/x/vuln/cmd/govulncheck) && build/bin/govulncheck ./...
}

layer format 20 formatted
layer vet 300 go vet ./...
layer modules 60 go mod verify
layer house 60 go test -count=1 -run 'TestHouse|TestRule|TestTables|TestNoWall|TestFile|TestHooks|TestMap' ./app
layer generated 120 tools/gen.sh check
layer licences 60 tools/licences.sh
layer lint 600 lint
layer web 180 web
layer vulnerabilities 120 vulnerable
report check
