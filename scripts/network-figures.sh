#!/usr/bin/env bash
# The paper's network figures, measured again with a capture on loopback (needs root, for tcpdump): bytes of a broadcast, of a report
# without and with 19 contacts, of 20 devices in 120 s; and of the same 20 people as a fleet.
#
#   scripts/network-figures.sh [SECONDS]        default 120, as the paper
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
seconds=${1:-120}
bin="${CORONAZ_BIN_DIR:-${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}/release}"
command -v tcpdump >/dev/null || { echo "network-figures: tcpdump is missing; run: sudo apt-get install -y tcpdump" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "network-figures: capturing needs root" >&2; exit 1; }
folder=$(mktemp -d)
started=()
cleanup() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap cleanup EXIT

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }

capture() { # NAME BROKER_PORT RADIO_PORT
    tcpdump --interface lo -U --snapshot-length 4096 -B 65536 -w "$folder/$1.pcap" "tcp port $2 or udp port $3" 2>"$folder/$1.tcpdump" &
    tcpdump_pid=$!
    started+=("$tcpdump_pid")
    until grep -qs listening "$folder/$1.tcpdump"; do sleep 0.1; done
}

release() { kill "$tcpdump_pid" && wait "$tcpdump_pid" || true; }

with_broker() { # starts a broker; sets broker_port
    broker_port=$(free_port)
    "$bin/coronaz-broker" --listen "127.0.0.1:$broker_port" --data "$folder/$1" >"$folder/$1.broker" 2>&1 &
    started+=($!)
    until grep -qs "listening on" "$folder/$1.broker"; do sleep 0.1; done
}

devices() { # NAME SECONDS FLAG...
    local name=$1 for_s=$2 radio_port
    shift 2
    with_broker "$name"
    radio_port=$(free_port)
    capture "$name" "$broker_port" "$radio_port"
    # A process for each device, as the paper has a container for each.
    local nodes=()
    for number in $(seq 20); do
        local infected=()
        [ "$number" -eq 1 ] && infected=(--infected)
        "$bin/coronaz" node --broker "127.0.0.1:$broker_port" --radio "127.255.255.255:$radio_port" --scenario paper --for "$for_s" \
            "${infected[@]}" "$@" >/dev/null 2>"$folder/$name.$number.log" &
        nodes+=($!)
    done
    wait "${nodes[@]}" || true
    release
    node "$here/scripts/network-figures.mjs" devices "$folder/$name.pcap" "$broker_port" "$radio_port" "$for_s"
}

echo "== 20 devices, the paper's scenario, $seconds s"
devices paper "$seconds"
echo "== 20 devices all in range of each other, 20 s"
devices close 20 --field-width 1 --field-height 1
echo "== the same 20 people as a fleet, $seconds s"
with_broker fleet
capture fleet "$broker_port" 9
"$bin/coronaz" fleet --broker "127.0.0.1:$broker_port" --scenario paper --people 20 --infected 1 --zombie-lifetime 0 --ticks "$seconds" >/dev/null 2>"$folder/fleet.log"
release
node "$here/scripts/network-figures.mjs" fleet "$folder/fleet.pcap" "$broker_port" 9 "$seconds"
