#!/usr/bin/env bash
# The interface is what its description says: the description is valid, a client is generated from it and calls every GET, and
# schemathesis finds nothing. All of it against a real laboratory on loopback, whose orders are not carried out. Needs
# CORONAZ_BIN and CORONAZ_BROKER_BIN. EXAMPLES is how often each operation is asked.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CORONAZ_BIN:?names the program coronaz}" "${CORONAZ_BROKER_BIN:?names the program coronaz-broker}"
export CORONAZ_BROKER_BIN
here=$PWD
description=$PWD/web/openapi.json

tools="$HOME/.cache/coronaz/api-tools"
want=$(sha256sum scripts/api/requirements.txt | cut -c1-64)
if [ "$(cat "$tools/.installed" 2>/dev/null)" != "$want" ]; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --require-virtualenv -r scripts/api/requirements.txt
    echo "$want" >"$tools/.installed"
fi

folder=$(mktemp -d)
started=()
finish() {
    local code=$?
    for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    [ $code -eq 0 ] || tail -n 20 "$folder"/*.log >&2
    rm -rf "$folder"
    exit $code
}
trap finish EXIT
begin() { # LOG COMMAND...
    local log=$1
    shift
    "$@" >"$folder/$log.out" 2>"$folder/$log.log" &
    started+=($!)
}
wait_for() { # FILE LINE
    for _ in $(seq 600); do
        grep -q "$2" "$folder/$1" 2>/dev/null && return
        sleep 0.1
    done
    echo "api: '$2' was never said" >&2
    exit 1
}

"$tools/bin/python" -m openapi_spec_validator "$description"

printf 'post_hooks: []\nproject_name_override: coronaz-client\npackage_name_override: coronaz_client\n' >"$folder/client.yaml"
"$tools/bin/openapi-python-client" generate --path "$description" --meta none --output-path "$folder/coronaz_client" \
    --config "$folder/client.yaml" --fail-on-warning

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
data="$folder/data"
begin up "$CORONAZ_BIN" up --no-menu --listen "127.0.0.1:$port" --data-dir "$data" --scenario town --nodes 20 --seed 7 \
    --radio "127.255.255.255:$((port % 12000 + 20000))"
wait_for up.out '^CoronaZ is at'
begin careful python3 scripts/api/careful_laboratory.py "$data/control.sock" "$folder/control.sock"
wait_for careful.out '^listening'
begin serve "$CORONAZ_BIN" serve --listen 127.0.0.1:0 --store "sqlite:$data/store.db" --token-file "$data/operator-token" \
    --control "$folder/control.sock"
wait_for serve.out '^listening on'
url=$(sed -n 's/^listening on //p' "$folder/serve.out")
token=$(cat "$data/operator-token")
"$tools/bin/python" scripts/api/call_every_get.py "$description" "$folder/coronaz_client" "$url" "$token"

cd "$folder"
# Orders are not carried out, so a run that was started is not found afterwards.
"$tools/bin/schemathesis" --config-file "$here/scripts/api/schemathesis.toml" run "$description" --url "$url" --header "Authorization: Bearer $token" --checks all \
    --exclude-checks ensure_resource_availability \
    --max-examples "${EXAMPLES:-20}" --generation-deterministic --no-color --request-timeout 20 --continue-on-failure
