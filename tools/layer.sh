# Sourced by test.sh and check.sh: runs layers one after another, keeps going
# after a failure, and ends with a table of what each took against its budget.
layers=() passed=0 failed=0

# layer NAME SECONDS COMMAND…
layer() {
	local name=$1 budget=$2 start=$SECONDS result took
	shift 2
	echo "== $name"
	if "$@"; then result=pass passed=$((passed + 1)); else result=FAIL failed=$((failed + 1)); fi
	took=$((SECONDS - start))
	[ "$took" -le "$budget" ] || result="$result, over budget"
	layers+=("$(printf '%-16s %5ds of %5ds  %s' "$name" "$took" "$budget" "$result")")
}

# leave WHAT WHY notes a layer that did not run, and why.
leave() { layers+=("$(printf '%-16s %s' "$1" "left out: $2")"); }

# report prints the table; it answers false when a layer failed.
report() {
	echo
	printf '%s\n' "${layers[@]}"
	echo "$1: $passed passed, $failed failed, ${SECONDS}s"
	[ "$failed" = 0 ]
}

# script NAME tells whether web/package.json has a script of that name.
script() { node -e 'process.exit(require("./web/package.json").scripts[process.argv[1]] ? 0 : 1)' "$1"; }
