#!/usr/bin/env bash
# gen.sh writes generated files anew; gen.sh check wants no difference.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/layer.sh
export CGO_ENABLED=0

# What is generated: its file, and the command that writes it.
files() {
	ls docs/config.md docs/api/openapi.json web/packages/api/openapi.json 2>/dev/null || true
	grep -rlE --include='*.ts' '^// Code generated|DO NOT EDIT' web/packages/*/src web/apps/*/src 2>/dev/null || true
}
sums() { files | sort | xargs -r sha256sum; }

before=$(sums)
go test -count=1 -run TestMarkdownIsCurrent ./platform/config -update >/dev/null
if grep -rlE '^//go:generate' --include='*.go' --exclude-dir=node_modules . >/dev/null; then
	go generate ./...
fi
if script gen; then
	tools/web.sh install
	npm --prefix web run --silent gen
fi
after=$(sums)
[ "${1:-}" = check ] || exit 0
if [ "$before" != "$after" ]; then
	echo "generated files were not up to date; they are now:"
	diff <(echo "$before") <(echo "$after") || true
	exit 1
fi
