#!/usr/bin/env bash
# Fuzzes every decoder for SECONDS_EACH (60) seconds; a finding stops it with the input that shows it.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "fuzz: needs nightly Rust and cargo-fuzz: rustup toolchain install nightly; cargo install cargo-fuzz --locked" >&2
    exit 1
fi
for target in $(cargo +nightly fuzz list); do
    echo "== $target"
    mkdir -p "fuzz/corpus/$target"
    cargo +nightly fuzz run "$target" -- -max_total_time="${SECONDS_EACH:-60}" -max_len=65536
done
