#!/usr/bin/env bash
# The checks against a real Apache Kafka and a MongoDB-compatible server, started here on loopback and stopped again: the
# contracts of bus and store, what happens when a server goes away in between, and the whole laboratory over both. Other
# people's Kafka clients with consumer groups, on both brokers. Last, the laboratory in containers, a device each, on an engine that the test starts.
# With MONGODB_URL in the environment that server is tested instead; each test makes a database of its own there.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
scripts/setup.sh services
scripts/sql.sh
scripts/kafka.sh fetch >/dev/null

folder=$(mktemp -d)
stop() {
    scripts/kafka.sh stop "$folder/kafka" || true
    [ -d "$folder/ferretdb" ] && { scripts/ferretdb.sh stop "$folder/ferretdb" || true; }
    rm -rf "$folder"
}
trap stop EXIT
if [ -z "${MONGODB_URL:-}" ]; then
    scripts/ferretdb.sh start "$folder/ferretdb" >"$folder/store-started"
    MONGODB_URL=$(sed -n 's/^url //p' "$folder/store-started")
fi
export MONGODB_URL

cargo test --locked -p coronaz-store --features services --test contract_mongodb --test faults_mongodb -- --test-threads 2
cargo test --locked -p coronaz-ingest --features services --test stores_agree
cargo test --locked -p coronaz-bus --features services --test contract_kafka -- --test-threads 2

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
scripts/kafka.sh start "$folder/kafka" "$port" >"$folder/started"
CORONAZ_TEST_BROKERS=$(sed -n 's/^bootstrap //p' "$folder/started")
export CORONAZ_TEST_BROKERS
cargo test --locked -p coronaz --features services --test services -- --test-threads 1

cargo build --locked -p coronaz -p coronaz-broker
CORONAZ_BROKER_BIN="$CARGO_TARGET_DIR/debug/coronaz-broker" scripts/clients.sh "$CORONAZ_TEST_BROKERS"
CORONAZ_BIN_DIR="$CARGO_TARGET_DIR/debug" scripts/containers.sh test
