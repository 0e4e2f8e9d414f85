#!/usr/bin/env bash
# Every check that needs no outside service. Nothing is skipped: what is missing is installed or named.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
export npm_config_cache="${npm_config_cache:-$HOME/.cache/coronaz/npm}"

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

scripts/setup.sh test

step "the page: build, types, lints, unit tests, size"
scripts/web.sh build
scripts/web.sh test

step "Rust: format, lints"
cargo fmt --all --check
cargo clippy --locked --all-targets -- -D warnings

step "the embedded broker"
cargo build --release --locked -p coronaz-broker
export CORONAZ_BROKER_BIN="$CARGO_TARGET_DIR/release/coronaz-broker"

step "Rust: unit, contract, simulation and end-to-end tests"
cargo test --locked --no-fail-fast

step "the page in a browser, against the real laboratory"
scripts/browser.sh

step "the interface, by its description"
CORONAZ_BIN="$CARGO_TARGET_DIR/debug/coronaz" scripts/api.sh

step "done"
