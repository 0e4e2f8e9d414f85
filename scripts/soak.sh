#!/usr/bin/env bash
# Runs a laboratory for an hour (or SECONDS) and fails when any part of it grows by more than 60 KiB a minute.
# usage: scripts/soak.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
scripts/setup.sh build
export CORONAZ_SOAK_S="${1:-3600}"
export CORONAZ_SOAK_KIB_A_MINUTE="${CORONAZ_SOAK_KIB_A_MINUTE:-60}"
export CORONAZ_BROKER_BIN="${CORONAZ_BROKER_BIN:-$CARGO_TARGET_DIR/release/coronaz-broker}"
exec cargo test --locked --release -p coronaz --test soak -- --nocapture
