#!/usr/bin/env bash
# Drives the page in headless Chromium: first against a mock server, which can fail on demand, then against a real
# laboratory, which it starts, breaks and stops. The tests find the page in CORONAZ_URL, and break parts with CORONAZ_BIN and CORONAZ_DATA_DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
export CORONAZ_BROKER_BIN="${CORONAZ_BROKER_BIN:-$CARGO_TARGET_DIR/release/coronaz-broker}"
cargo build --locked -p coronaz
(cd web && env -u CORONAZ_URL npm run e2e)
export CORONAZ_BIN="$CARGO_TARGET_DIR/debug/coronaz"
scripts/sign-in.sh

folder=$(mktemp -d)
export CORONAZ_DATA_DIR="$folder/data"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
"$CORONAZ_BIN" up --no-menu --listen "127.0.0.1:$port" --data-dir "$CORONAZ_DATA_DIR" \
    --radio "127.255.255.255:$((port % 12000 + 20000))" --scenario town --seed 7 >"$folder/out" 2>"$folder/log" &
laboratory=$!
finish() {
    kill -INT "$laboratory" 2>/dev/null || true
    wait "$laboratory" || true
    rm -rf "$folder"
}
trap finish EXIT

for _ in $(seq 600); do
    grep -q '^CoronaZ is at' "$folder/out" && break
    kill -0 "$laboratory" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
done
CORONAZ_URL=$(sed -n 's/^CoronaZ is at //p' "$folder/out")
[ -n "$CORONAZ_URL" ] || { tail -50 "$folder/log" >&2; echo "the laboratory did not start" >&2; exit 1; }
export CORONAZ_URL
cd web
npm run e2e:laboratory || { tail -50 "$folder/log" >&2; exit 1; }
