#!/usr/bin/env bash
# web.sh [install] brings the front-end's modules when the lock file changed
# and, unless told to install only, builds the pages when a source changed.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root/web"
mkdir -p "$root/build"

lock=$(sha256sum package-lock.json | cut -c1-64)
if [ "$(cat node_modules/.haoban-lock 2>/dev/null)" != "$lock" ]; then
	# A folder that agrees with the lock already is taken as it is.
	if ! npm ls --all >/dev/null 2>&1; then
		npm ci --no-audit --no-fund --loglevel=error
	fi
	echo "$lock" >node_modules/.haoban-lock
fi
[ "${1:-}" = install ] && exit 0

sum=$(find . \( -name node_modules -o -name dist -o -name shots \) -prune -o -type f -print0 |
	sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
if [ "$(cat dist/.sources 2>/dev/null)" = "$sum" ] && [ -s dist/portal/index.html ] && [ -s dist/desk/index.html ]; then
	exit 0
fi
log=$root/build/web.log
npm run --silent build >"$log" 2>&1 || { cat "$log"; exit 1; }
echo "$sum" >dist/.sources
