# The front door. Meson and Ninja do the work; see `make help`.
SHELL := /bin/bash
BUILD ?= build
PREFIX ?= /usr/local

.PHONY: all everything prefix help deps demo demo-s3 demo-subtensor test fleet bench fuzz install deb format lint clean
.DEFAULT_GOAL := all

all: prefix ## build the program, build/src/cli/sv, and the examples
	@ninja -C $(BUILD) program

everything: prefix ## the same, and the programs of tests and benchmarks
	@ninja -C $(BUILD)

help: ## print this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## install what build and tests need (Debian 12); nothing the second time
	@scripts/install-deps

$(BUILD)/build.ninja:
	@scripts/install-deps build
	@meson setup $(BUILD) --prefix '$(PREFIX)' >/dev/null

# A build that is there has the prefix of its first day; one that is asked for by name takes its place.
prefix: $(BUILD)/build.ninja
ifneq ($(origin PREFIX),file)
	@meson introspect --buildoptions $(BUILD) | grep -qF '"name": "prefix", "value": "$(PREFIX)"' || meson configure $(BUILD) --prefix '$(PREFIX)'
endif

demo: all ## the whole system on this machine, each command shown as it runs
	@SV_BUILD=$(BUILD) demo/run

demo-s3: all ## the same with a real S3 server as its stores (needs what `make deps` installs)
	@SV_BUILD=$(BUILD) DEMO_STORE=s3 demo/run

demo-subtensor: all ## the same on a real Subtensor runtime, with sr25519 keys (needs its data, see README)
	@SV_BUILD=$(BUILD) DEMO_CHAIN=subtensor demo/run

test: deps ## all tests: unit, contract, sanitizers, fuzz, peers, end to end
	@scripts/test

fleet: everything ## three instances under 100,000 requests while everything is broken in turn (ten minutes)
	@SV_BUILD=$(BUILD) SV_FLEET_REQUESTS=100000 SV_FLEET_OUTAGE=60 node --test tests/e2e/fleet_load.test.mjs

bench: everything ## ratios, each measured in one run
	@SV_BUILD=$(BUILD) bench/run

fuzz: deps ## the fuzz targets, for RUNS inputs each (20000)
	@scripts/fuzz

install: all ## install program, manual, completion, units and examples under PREFIX (/usr/local), in DESTDIR if given
	@meson install -C $(BUILD) --no-rebuild

deb: ## make the Debian package, and print its path
	@scripts/install-deps deb
	@packaging/build-deb

format: ## bring the sources into the repository's format
	@git ls-files '*.c' '*.h' | xargs clang-format -i

lint: everything ## clang-format and clang-tidy (packages clang-format, clang-tidy); prints nothing when clean
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
	@git ls-files 'src/*.c' 'examples/*.c' | xargs -P 2 -n 8 clang-tidy -p $(BUILD) --quiet 2>/dev/null

clean: ## remove what was built
	@rm -rf build build-*
