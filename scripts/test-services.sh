#!/usr/bin/env bash
# The checks against a real Apache Kafka, started here on loopback and stopped again: the bus's contract, with a
# broker of its own for each test that kills it, and the whole laboratory.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
scripts/setup.sh services
scripts/kafka.sh fetch >/dev/null

cargo test --locked -p coronaz-bus --features services --test contract_kafka -- --test-threads 2

folder=$(mktemp -d)
trap 'scripts/kafka.sh stop "$folder/kafka" || true; rm -rf "$folder"' EXIT
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
scripts/kafka.sh start "$folder/kafka" "$port" >"$folder/started"
CORONAZ_TEST_BROKERS=$(sed -n 's/^bootstrap //p' "$folder/started")
export CORONAZ_TEST_BROKERS
cargo test --locked -p coronaz --features services --test services
