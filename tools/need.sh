#!/usr/bin/env bash
# need.sh NAME… brings what tests and benchmarks need on a Debian machine:
# postgres chromium cjk poppler ffmpeg. What is there already is left alone;
# asked again it does nothing. Only root can install; anybody else is told what
# is missing. ffmpeg may be missing.
set -euo pipefail

there() {
	case $1 in
	postgres) command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
	chromium) [ -n "${CHROMIUM:-}" ] && [ -x "$CHROMIUM" ] || command -v chromium >/dev/null ;;
	cjk) ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc >/dev/null 2>&1 || fc-list :lang=zh-cn 2>/dev/null | grep -q . ;;
	poppler) command -v pdftotext >/dev/null && command -v pdftoppm >/dev/null ;;
	ffmpeg) command -v ffmpeg >/dev/null ;;
	*) echo "need.sh: nobody knows $1" >&2; exit 2 ;;
	esac
}

package() {
	case $1 in
	postgres) echo postgresql ;;
	chromium) echo chromium ;;
	cjk) echo fonts-noto-cjk ;;
	poppler) echo poppler-utils ;;
	ffmpeg) echo ffmpeg ;;
	esac
}

missing=()
for n in "$@"; do there "$n" || missing+=("$n"); done
[ ${#missing[@]} -gt 0 ] || exit 0

packages=()
for n in "${missing[@]}"; do packages+=("$(package "$n")"); done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "need.sh: missing: ${packages[*]}. As root: apt-get install ${packages[*]}" >&2
	[ "${missing[*]}" = ffmpeg ] && exit 0
	exit 1
fi

echo "need.sh: installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
try() { "$@" >"$log" 2>&1 || { tail -20 "$log" >&2; return 1; }; }
try apt-get update -qq || echo "need.sh: apt-get update failed; trying with the old lists" >&2
try apt-get install -y -qq --no-install-recommends "${packages[@]}" || true
failed=0
for n in "${missing[@]}"; do
	there "$n" && continue
	[ "$n" = ffmpeg ] && { echo "need.sh: no ffmpeg; going on without" >&2; continue; }
	echo "need.sh: could not install $n" >&2
	failed=1
done
exit $failed
