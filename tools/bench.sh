#!/usr/bin/env bash
# The benchmarks (ONLY=prefix for some) into build/bench.json: an array of
# {name, value, unit, peer, peer_value, ratio}.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 ONLY=${ONLY:-}
mkdir -p build
tools/need.sh postgres
if [ -n "$(ls bench/cmd/*.go 2>/dev/null)" ]; then
	exec timeout 45m go run ./bench/cmd
fi

rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
packages=$(grep -rlE '^func Benchmark' --include='*_test.go' --exclude-dir=node_modules --exclude-dir=peers . | xargs -rn1 dirname | sort -u)
for p in $packages; do
	go test -timeout 30m -run '^$' -bench . "$p" | tee /dev/stderr |
		awk -v p="${p#./}" '/^Benchmark/ { sub(/^Benchmark/, "", $1); sub(/-[0-9]+$/, "", $1); gsub("/", ".", p)
			printf "{\"name\":\"%s.%s\",\"value\":%s,\"unit\":\"%s\",\"peer\":null,\"peer_value\":null,\"ratio\":null}\n", p, $1, $3, $4 }' >>"$rows"
done
for d in bench/peers/*/; do
	[ -n "$(ls "$d"*.go 2>/dev/null)" ] || continue
	(cd bench/peers && go run "./$(basename "$d")") | tee /dev/stderr | grep '^[{[]' >>"$rows"
done
ONLY=$ONLY node -e '
	const lines = require("fs").readFileSync(process.argv[1], "utf8").split("\n").filter(Boolean)
	const rows = lines.flatMap(l => JSON.parse(l)).filter(r => r.name.startsWith(process.env.ONLY))
	require("fs").writeFileSync("build/bench.json", JSON.stringify(rows, null, 1) + "\n")
	for (const r of rows) console.log(r.name, r.value, r.unit, r.peer ? `${r.ratio}× of ${r.peer} (${r.peer_value})` : "")
' "$rows"
