#!/usr/bin/env bash
# The bus's contract against a real Apache Kafka, started here on loopback and stopped again.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
scripts/setup.sh build
