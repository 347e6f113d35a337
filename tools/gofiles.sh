#!/bin/sh
# Names every Go file of the tree, without what is fetched or built.
cd "$(dirname "$0")/.." && exec find . \( -name node_modules -o -name .git -o -name build -o -name dist \) -prune \
	-o -name '*.go' -print
