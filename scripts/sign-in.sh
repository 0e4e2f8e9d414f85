#!/usr/bin/env bash
# Signs in at the real laboratory with a browser in the three ways people reach it: on the machine itself, from another machine,
# and below a prefix behind nginx. The two machines are network namespaces, joined by a cable of their own; nothing is seen
# outside of them. Needs root, or a system that lets users make namespaces. Needs CORONAZ_BIN and CORONAZ_BROKER_BIN.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ]; then
    exec unshare --user --map-root-user --net --mount -- bash -c 'mount -t tmpfs none /run && exec "$0"' "$PWD/scripts/sign-in.sh" || {
        echo "sign-in: this makes network namespaces: run the tests as root, or let users make namespaces" >&2
        exit 1
    }
fi
: "${CORONAZ_BIN:?names the program coronaz}" "${CORONAZ_BROKER_BIN:?names the program coronaz-broker}"
export CORONAZ_BROKER_BIN

folder=$(mktemp -d)
laboratory_side="coronaz-lab-$$" browser_side="coronaz-web-$$"
started=()
finish() {
    local code=$?
    for pid in "${started[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    [ $code -eq 0 ] || tail -n 30 "$folder"/*.log >&2
    ip netns delete "$laboratory_side" 2>/dev/null || true
    ip netns delete "$browser_side" 2>/dev/null || true
    rm -rf "$folder"
    exit $code
}
trap finish EXIT

# Two machines with a cable between them.
ip netns add "$laboratory_side"
ip netns add "$browser_side"
ip link add lab netns "$laboratory_side" type veth peer name web netns "$browser_side"
for side in "$laboratory_side lab 10.231.77.1/24" "$browser_side web 10.231.77.2/24"; do
    read -r name card address <<<"$side"
    ip -n "$name" address add "$address" dev "$card"
    ip -n "$name" link set "$card" up
    ip -n "$name" link set lo up
done

begin() { # LOG COMMAND...: in the laboratory's namespace, until the end
    local log=$1
    shift
    ip netns exec "$laboratory_side" "$@" >"$folder/$log.out" 2>"$folder/$log.log" &
    started+=($!)
}
wait_for() { # FILE LINE
    for _ in $(seq 600); do
        grep -q "$2" "$folder/$1" 2>/dev/null && return
        sleep 0.1
    done
    echo "sign-in: '$2' was never said" >&2
    exit 1
}

data="$folder/data"
begin up "$CORONAZ_BIN" up --no-menu --listen 0.0.0.0:3000 --data-dir "$data" --scenario town --nodes 30 --seed 7
wait_for up.out '^CoronaZ is at'
begin serve "$CORONAZ_BIN" serve --listen 127.0.0.1:3001 --store "sqlite:$data/store.db" --token-file "$data/operator-token" \
    --control "$data/control.sock" --allow-host 10.231.77.1
wait_for serve.out '^listening on'

# As docs/operations.md has it.
cat >"$folder/nginx.conf" <<END
daemon off;
user root;
pid $folder/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server {
        listen 10.231.77.1:8080;
        location /labs/coronaz/ {
            proxy_pass http://127.0.0.1:3001/;
            proxy_http_version 1.1;
            proxy_set_header Host \$http_host;
            proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection \$http_connection;
            proxy_read_timeout 90s;
        }
    }
}
END
begin nginx /usr/sbin/nginx -c "$folder/nginx.conf" -p "$folder"
for _ in $(seq 100); do [ -s "$folder/nginx.pid" ] && break; sleep 0.1; done
[ -s "$folder/nginx.pid" ] || { echo "sign-in: nginx did not start" >&2; exit 1; }

CORONAZ_TOKEN=$(cat "$data/operator-token")
export CORONAZ_TOKEN
in_browser() { # SIDE URL
    CORONAZ_URL=$2 ip netns exec "$1" npm --prefix web run e2e:sign-in
}
in_browser "$laboratory_side" http://127.0.0.1:3001
in_browser "$browser_side" http://10.231.77.1:3000
in_browser "$browser_side" http://10.231.77.1:8080/labs/coronaz
