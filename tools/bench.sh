#!/usr/bin/env bash
# The benchmarks (ONLY=prefix for some) into build/bench.json: an array of
# {name, value, unit, peer, peer_value, ratio}.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 ONLY=${ONLY:-}
mkdir -p build
tools/need.sh postgres chromium
tools/fonts.sh
tools/web.sh

rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
failed=0

# wanted NAME tells whether figures that begin with NAME can begin with ONLY.
wanted() { [[ $1 == "$ONLY"* || $ONLY == "$1"* ]]; }

# The whole house, in earnest; its figures choose by ONLY themselves.
SIZE=full OUT=$rows CHROMIUM=${CHROMIUM:-$(command -v chromium || true)} \
	go test -count=1 -timeout 40m -tags webdist -v ./bench || failed=1

# Beside other people's libraries, which sit in a module of their own.
for d in bench/peers/*/; do
	name=$(basename "$d")
	if [ -n "$(ls "$d"*.go 2>/dev/null)" ] && wanted "$name"; then
		(cd bench/peers && go run "./$name") | tee /dev/stderr | grep '^[{[]' >>"$rows" || failed=1
	fi
done

# The benchmarks of single packages.
for p in $(grep -rlE '^func Benchmark' --include='*_test.go' --exclude-dir=node_modules --exclude-dir=peers . | xargs -rn1 dirname | sort -u); do
	name=${p#./} name=${name//\//.}
	wanted "$name" || continue
	go test -timeout 30m -run '^$' -bench . "$p" | tee /dev/stderr |
		awk -v p="$name" '/^Benchmark/ { sub(/^Benchmark/, "", $1); sub(/-[0-9]+$/, "", $1)
			printf "{\"name\":\"%s.%s\",\"value\":%s,\"unit\":\"%s\",\"peer\":null,\"peer_value\":null,\"ratio\":null}\n", p, $1, $3, $4 }' >>"$rows" || failed=1
done
ONLY=$ONLY node -e '
	const lines = require("fs").readFileSync(process.argv[1], "utf8").split("\n").filter(Boolean)
	const rows = lines.flatMap(l => JSON.parse(l)).filter(r => r.name.startsWith(process.env.ONLY))
	require("fs").writeFileSync("build/bench.json", JSON.stringify(rows, null, 1) + "\n")
	for (const r of rows) console.log(r.name, r.value, r.unit, r.peer ? `${r.ratio}× of ${r.peer} (${r.peer_value})` : "")
' "$rows"
exit $failed
