# haoban 好办. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export CGO_ENABLED := 0
ADDR ?= 127.0.0.1:8080
export ADDR
ONLY ?=

.PHONY: help run demo outside test test-one bench check fix soak build gen fonts web

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 18

run: demo ## everything on embedded storage, seeded, on ADDR (127.0.0.1:8080)
	@exec build/demo

demo: fonts web
	@go build -trimpath -tags webdist -o build/demo ./cmd/demo

test: ## brings what tests need and runs all of them
	@tools/test.sh

test-one: ## the Go tests below ROOM, e.g. ROOM=casework/form
	@go test ./$(ROOM)/...

bench: ## the benchmarks (ONLY=prefix for some) into build/bench.json
	@ONLY='$(ONLY)' tools/bench.sh

check: ## format, lint, import rule, generated files, licences, vulnerabilities
	@tools/check.sh

fix: ## formats the Go sources
	@gofmt -w $$(tools/gofiles.sh)

soak: fonts ## the long kill, outage and month runs
	@tools/need.sh postgres && go test -count=1 -timeout 6h -run Soak -tags soak ./story/...

build: fonts web ## the release binary, build/haoban
	@go build -trimpath -tags webdist -ldflags '-s -w' -o build/haoban ./cmd/haoban
	@if [ -n "$$(ls cmd/outside/*.go 2>/dev/null)" ]; then go build -trimpath -o build/outside ./cmd/outside; fi

gen: ## writes generated files anew
	@tools/gen.sh

fonts: ## brings the fonts of papers into build/fonts
	@tools/fonts.sh

web: ## builds the pages into web/dist
	@tools/web.sh
