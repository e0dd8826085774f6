# make demo            a QQ group and a Jabber room on this machine, and the gateway between them; Ctrl-C ends it
# make demo CHECK=1    the same without a person: a line each way, read back on the other side
# make chaos           faults of every kind under traffic, and what became of each message: nothing lost, nothing doubled. Five minutes
#                      of faults; SEED= MINUTES= ROOMS= RATE= JABBER= SERVER=prosody|ejabberd, FAULTS=kill-gateway,wire (only these
#                      kinds), KILLS=200 (in their place so many kill -9 of the gateway). As root it can also fill a disk
# make test            everything that a change has to pass
# make bench           how fast the gateway is beside the most that the server can do; SERVER=prosody|ejabberd, and ARGS for the
#                      program (ARGS='--parts down,up --runs 3'; ARGS=--help); see docs/performance.md
#
# All install what they need from Debian's packages, when they may (root, or sudo without a password), and else print the
# line to run. Everything that is built lies in target/, or where CARGO_TARGET_DIR says.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

target := $(abspath $(or $(CARGO_TARGET_DIR),target))
converse := $(target)/demo/node_modules/converse.js/dist
interop := $(target)/interop

# gcc: the linker of Rust, and the compiler of SQLite and of the cryptography. Nothing is fetched for what is there already.
demo_packages := gcc libc6-dev prosody
chaos_packages := $(demo_packages) ejabberd
bench_packages := $(demo_packages) ejabberd
test_packages := $(demo_packages) prosody-modules ejabberd python3-venv iproute2

.NOTPARALLEL:
.PHONY: help demo chaos test bench
.PHONY: packages-demo packages-chaos packages-test packages-bench build converse

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: packages-demo build converse
	@echo '== demo'
	@'$(target)/debug/demo' $(if $(CHECK),--check) --converse '$(converse)'

# The parameters are in the environment of the recipe, be they of the command line or of make's own.
chaos: packages-chaos
	@echo '== build, release'
	@cargo build --workspace --bins --release --locked
	@echo '== chaos'
	@'$(target)/release/chaos'

# CI=true: a missing server or client is a failure, where a plain `cargo test` skips what needs it.
test: packages-test $(interop)/installed
	@echo '== formatting'
	@cargo fmt --all --check
	@echo '== clippy'
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@echo '== build'
	@cargo build --workspace --bins --locked
	@echo '== tests'
	@CI=true PYTHON='$(interop)/bin/python' cargo test --workspace --locked
	@echo '== all passed'

# Release binaries: the gateway and the sandbox run as programs of their own. Not in CI: nothing here is judged by the clock.
bench: packages-bench
	@echo '== build'
	@cargo build --workspace --release --bins --locked
	@echo '== bench'
	@cargo bench --workspace --bench throughput --locked -- --server '$(or $(SERVER),both)' \
	    --json '$(target)/bench.json' --chart '$(target)/bench.svg' $(ARGS)
	@echo "== figures: $(target)/bench.json, chart: $(target)/bench.svg"

build:
	@echo '== build'
	@cargo build --workspace --bins --locked

packages-demo: packages := $(demo_packages)
packages-chaos: packages := $(chaos_packages)
packages-test: packages := $(test_packages)
packages-bench: packages := $(bench_packages)
packages-demo packages-chaos packages-test packages-bench:
	@echo '== packages: $(packages)'
	@command -v cargo > /dev/null || { echo 'cargo not found: install Rust, see https://rustup.rs' >&2; exit 1; }
	@command -v dpkg-query > /dev/null || { echo 'this is no Debian: nothing is installed, what is missing will be told'; exit 0; }; \
	missing=; \
	for package in $(packages); do \
	    status=$$(dpkg-query --show --showformat='$${db:Status-Status}' "$$package" 2> /dev/null || true); \
	    test "$$status" = installed || missing+=" $$package"; \
	done; \
	test -n "$$missing" || exit 0; \
	install="apt-get update && apt-get install -y --no-install-recommends$$missing"; \
	if test "$$(id -u)" = 0; then root=; \
	elif sudo -n true 2> /dev/null; then root='sudo -n'; \
	else echo "Debian packages are missing; run as root: $$install" >&2; exit 1; fi; \
	echo "installing$$missing (Debian may start a server that it installs; nothing here needs that one)"; \
	mkdir -p '$(target)'; \
	$$root env DEBIAN_FRONTEND=noninteractive bash -ec "$$install" > '$(target)/packages.log' 2>&1 \
	    || { tail -n 20 '$(target)/packages.log' >&2; exit 1; }

# Other people's programs for the tests, in an environment of their own: Python packages (one of them is Deno), and the mock
# OneBot server that Deno runs.
$(interop)/installed: tests/interop/requirements.txt tests/interop/onebot_mock.sh tests/interop/onebot_mock.sha256
	@echo '== interop: $^'
	@mkdir -p '$(target)'
	@python3 -m venv --clear '$(interop)'
	@'$(interop)/bin/python' -m pip install --quiet --disable-pip-version-check --requirement $<
	@tests/interop/onebot_mock.sh '$(interop)/onebot-mock'
	@touch $@

# The demo goes on without the page when npm or the package cannot be had.
converse:
	@test ! -f '$(converse)/converse.min.js' || exit 0; \
	echo '== converse.js'; \
	command -v npm > /dev/null || { echo 'npm not found: the demo goes on without the page of Converse.js'; exit 0; }; \
	mkdir -p '$(target)/demo'; \
	timeout 180 npm install --prefix '$(target)/demo' --no-audit --no-fund --silent converse.js@14 \
	    || echo 'npm could not install converse.js@14: the demo goes on without its page'
