#!/bin/sh
# Brings the Chinese fonts that papers are set in (Noto Sans SC, SIL OFL 1.1)
# into build/fonts. Running it again when they are there does nothing.
set -eu

version=0.4.3
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$root/build/fonts}
stamp=$dir/.version

fresh() {
	[ "$(cat "$stamp" 2>/dev/null)" = "$version" ] &&
		[ -s "$dir/NotoSansSC-Regular.ttf" ] && [ -s "$dir/NotoSansSC-Bold.ttf" ] && [ -s "$dir/OFL.txt" ]
}

fresh && exit 0
mkdir -p "$dir"

# Two test binaries may ask at once: one fetches, the other waits and finds it done.
exec 9>"$dir/.lock"
flock 9
fresh && exit 0

command -v npm >/dev/null || { echo "fonts.sh: npm is needed to fetch the fonts" >&2; exit 1; }
tmp=$(mktemp -d "$dir/.fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && npm pack --silent "@expo-google-fonts/noto-sans-sc@$version" >/dev/null)
tar -xzf "$tmp"/*.tgz -C "$tmp" package/400Regular/NotoSansSC_400Regular.ttf \
	package/700Bold/NotoSansSC_700Bold.ttf package/LICENSE_FONT
mv "$tmp/package/400Regular/NotoSansSC_400Regular.ttf" "$dir/NotoSansSC-Regular.ttf"
mv "$tmp/package/700Bold/NotoSansSC_700Bold.ttf" "$dir/NotoSansSC-Bold.ttf"
mv "$tmp/package/LICENSE_FONT" "$dir/OFL.txt"
echo "$version" >"$stamp"
