# The two commands of the README, and what they are made of. Everything they need they install or name.
.DEFAULT_GOAL := help
.PHONY: help build web run test test-services bench lint fmt deny fuzz

# Where everything is built: a stable place outside the checkout, so that a fresh clone builds fast.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/coronaz/target
export npm_config_cache ?= $(HOME)/.cache/coronaz/npm
BIN := $(CARGO_TARGET_DIR)/release

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: web ## Build the laboratory: page, command line, embedded broker
	scripts/setup.sh build
	cargo build --release --locked -p coronaz -p coronaz-broker

web: ## Build the page
	scripts/web.sh build

run: build ## Build what is needed and start the laboratory (ARGS="--scenario paper" and so on)
	$(BIN)/coronaz up $(ARGS)

test: ## Every check that needs no outside service, the browser tests included
	scripts/test.sh

test-services: ## The checks against a real Kafka and a MongoDB-compatible server, started here
	scripts/test-services.sh

bench: ## Print the benchmarks
	scripts/bench.sh

lint: ## Formatting and lints of the Rust code
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings

fmt: ## Format the Rust code and the page
	cargo fmt --all
	cd web && npx biome check --write .

deny: ## Licences, sources and who may use which library (needs cargo-deny)
	cargo deny check bans licenses sources

fuzz: ## Fuzz every decoder for a minute each (needs nightly Rust and cargo-fuzz)
	scripts/fuzz.sh
