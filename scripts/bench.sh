#!/usr/bin/env bash
# Prints the benchmarks of docs/performance.md. Takes some minutes; run it when nothing else runs.
# PEERS=DIR make bench: beside the fleet engine also the Python programs of that folder, other implementations of the same
# rules, each as `python3 PROGRAM PEOPLE TICKS THREADS` (PYTHON=… for another interpreter).
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
scripts/setup.sh build

part() { printf '\n== %s\n\n' "$1"; }

part "the fleet engine: person-ticks a second, beside the plain version and a memory copy"
cargo bench --locked -p coronaz-model --bench fleet
cargo bench --locked -p coronaz-model --bench fleet -- 1000000 --density 0.002 --aspect 1000
if [ -n "${PEERS:-}" ]; then
  part "the same rules by other programs, of $PEERS"
  for program in "$PEERS"/*.py; do
    for people in 10000 100000 1000000; do
      echo "$(basename "$program"), $people people, $(nproc) threads:"
      "${PYTHON:-python3}" "$program" "$people" "$((20000000 / people))" "$(nproc)" || echo "  failed"
    done
  done
fi
part "frames: people written and read a second, bytes a person"
cargo run --locked --release -p coronaz-wire --example frame_rates
part "simulate: what it costs beside the bare engine"
cargo run --locked --release -p coronaz-simulation --example overhead
part "devices on a real radio: what they hear and cost"
cargo run --locked --release -p coronaz-devices --example hearing
part "reports from the bus into the store, by the number of nodes"
cargo bench --locked -p coronaz-ingest --bench ingest
part "contacts into the store, and a person's contacts out of it"
cargo bench --locked -p coronaz-store --bench contacts
