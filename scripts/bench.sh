#!/usr/bin/env bash
# Prints the benchmarks of docs/performance.md.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
scripts/setup.sh build
cargo bench --locked "$@"
