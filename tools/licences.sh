#!/usr/bin/env bash
# Wants every module that goes into a binary to stand in docs/licences.tsv
# (module, licence), and the licence there to be what its file says. With -w it
# writes the page anew; what it cannot name it marks "?" for a person.
set -euo pipefail
cd "$(dirname "$0")/.."
page=docs/licences.tsv
allowed=' MIT BSD-2-Clause BSD-3-Clause Apache-2.0 ISC MPL-2.0 OFL-1.1 Unlicense '

name() { # DIR
	local f
	f=$(find "$1" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' -o -iname 'unlicense*' \) ! -iname '*3rd*' ! -iname '*libyaml*' | sort | head -1)
	[ -n "$f" ] || { echo '?'; return; }
	local text
	text=$(tr -s '[:space:]' ' ' <"$f")
	case $text in
	*'Apache License'*'Version 2.0'*) echo Apache-2.0 ;;
	*'Mozilla Public License'*'2.0'*) echo MPL-2.0 ;;
	*'released into the public domain'*) echo Unlicense ;;
	*'GNU '*) echo GPL ;;
	*'Permission is hereby granted, free of charge'*) echo MIT ;;
	*'ermission to use, copy, modify, and/or distribute'* | *'ermission to use, copy, modify, and distribute'*) echo ISC ;;
	*'Redistribution and use in source and binary forms'*'either the name'* | *'Redistribution and use in source and binary forms'*'ay not be used to endorse'*) echo BSD-3-Clause ;;
	*'Redistribution and use in source and binary forms'*) echo BSD-2-Clause ;;
	*) echo '?' ;;
	esac
}

# A module that is left out of the build list has no folder to read.
modules() {
	go list -deps -e -tags webdist -f '{{with .Module}}{{if not .Main}}{{.Path}}	{{.Dir}}{{end}}{{end}}' ./... | sort -u
}

found=$(modules | while IFS=$'\t' read -r path dir; do printf '%s\t%s\n' "$path" "$(name "$dir")"; done)
[ -n "$found" ] || { echo "licences: no modules found"; exit 1; }
if [ "${1:-}" = -w ]; then
	printf '%s\n' "$found" >"$page"
fi
bad=0
while IFS=$'\t' read -r path licence; do
	listed=$(awk -F'\t' -v p="$path" '$1 == p { print $2 }' "$page")
	if [ -z "$listed" ]; then
		echo "licences: $path ($licence) is not in $page"
		bad=1
	elif [ "$licence" != '?' ] && [ "$listed" != "$licence" ]; then
		echo "licences: $path is $licence, $page says $listed"
		bad=1
	elif [[ $allowed != *" $listed "* ]]; then
		echo "licences: $path is $listed, which is not allowed"
		bad=1
	fi
done <<<"$found"
exit $bad
