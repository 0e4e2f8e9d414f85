#!/usr/bin/env bash
# Other people's Kafka clients with consumer groups, against the embedded broker and, if one is given, a real Kafka:
# the Java console tools, kafka-python 2 and 3, confluent-kafka, aiokafka, kafkajs, franz-go.
#
#   scripts/clients.sh                      the embedded broker (CORONAZ_BROKER_BIN, or the debug build), started here
#   scripts/clients.sh HOST:PORT            that, and the Apache Kafka at this address
#   CLIENTS="java kafkajs" scripts/clients.sh    some of the clients
#
# The pinned versions are installed into $HOME/.cache/coronaz/clients, never into the repository. What the clients do
# is in crates/coronaz-broker/tests/clients/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}"
export npm_config_cache="${npm_config_cache:-$HOME/.cache/coronaz/npm}"
programs=crates/coronaz-broker/tests/clients
cache="$HOME/.cache/coronaz/clients"
mkdir -p "$cache"

# Installs a client with COMMAND FOLDER, unless it is there in the version that FILE pins.
install() { # NAME FILE COMMAND...
    local name=$1 pins=$2 marker
    shift 2
    marker="$cache/$name.$(sha256sum "$pins" | cut -c1-16)"
    [ -f "$marker" ] && return 0
    echo "clients: installing $name" >&2
    rm -rf "${cache:?}/$name" "$cache/$name".*
    "$@" "$cache/$name" >"$cache/$name-install.log" 2>&1 || {
        cat "$cache/$name-install.log" >&2
        echo "clients: $name was not installed" >&2
        return 1
    }
    : >"$marker"
}

python() { # PINS FOLDER
    python3 -m venv "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$1"
}
node_modules() { # FOLDER
    mkdir -p "$1"
    cp "$programs/node/package.json" "$programs/node/package-lock.json" "$1"
    (cd "$1" && npm ci --no-audit --no-fund)
}
jars() { # FOLDER
    mvn -B -q -f "$programs/java/pom.xml" dependency:copy-dependencies -DoutputDirectory="$1"
}
go_program() { # FOLDER
    mkdir -p "$1"
    (cd "$programs/franz" && go build -trimpath -o "$1/franz" .)
}

for name in kafka-python-2 kafka-python-3 confluent-kafka aiokafka; do
    install "$name" "$programs/python/$name.txt" python "$programs/python/$name.txt"
done
install kafkajs "$programs/node/package-lock.json" node_modules
install java "$programs/java/pom.xml" jars
install franz-go <(cat "$programs"/franz/*) go_program

if [ -z "${CORONAZ_BROKER_BIN:-}" ]; then
    cargo build --locked -p coronaz-broker
    CORONAZ_BROKER_BIN="$CARGO_TARGET_DIR/debug/coronaz-broker"
fi
folder=$(mktemp -d)
stop() {
    [ -n "${broker:-}" ] && { kill "$broker" 2>/dev/null || true; }
    rm -rf "$folder"
}
trap stop EXIT
"$CORONAZ_BROKER_BIN" --listen 127.0.0.1:0 --data "$folder/broker" >"$folder/out" 2>"$folder/log" &
broker=$!
for _ in $(seq 300); do
    address=$(sed -n 's/^listening on //p' "$folder/out")
    [ -n "$address" ] && break
    sleep 0.1
done
[ -n "$address" ] || { cat "$folder/log" >&2; echo "clients: the embedded broker did not start" >&2; exit 1; }

failed=0
# shellcheck disable=SC2086 # a list of names
python3 "$programs/run.py" "$address" embedded "$cache" ${CLIENTS:-} || failed=1
if [ $# -gt 0 ]; then
    # shellcheck disable=SC2086
    python3 "$programs/run.py" "$1" kafka "$cache" ${CLIENTS:-} || failed=1
fi
[ "$failed" = 0 ] || tail -n 40 "$folder/log" >&2
exit "$failed"
