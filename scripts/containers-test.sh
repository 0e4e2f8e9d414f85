#!/usr/bin/env bash
# Called by `containers.sh test`: 20 devices in 20 containers, broadcasting to 255.255.255.255, killed at random; then the audit.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
if [ "$(id -u)" -ne 0 ]; then
    echo "containers: this starts an engine of its own and needs root: sudo scripts/containers.sh test" >&2
    exit 1
fi

folder=$(mktemp -d)
export DOCKER_HOST="unix://$folder/docker.sock"
cleanup() {
    local code=$?
    [ $code -eq 0 ] || (compose logs --tail 20 2>/dev/null || true; tail -5 "$folder/dockerd.log") >&2
    compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    if [ -s "$folder/pid" ]; then
        kill "$(cat "$folder/pid")" && while kill -0 "$(cat "$folder/pid" 2>/dev/null)" 2>/dev/null; do sleep 0.1; done
    fi
    rm -rf "$folder"
    exit $code
}

say() { printf 'containers: %s (%s s)\n' "$*" "$SECONDS"; }
docker() { command "${CORONAZ_DOCKER:-/usr/bin/docker}" "$@"; }
compose() { (cd "$folder/deploy" && docker-compose --file compose.embedded.yaml "$@"); }
inside() { compose exec -T ingest /usr/local/bin/coronaz "$@"; }

# No rules of a firewall, no way out: the engine only joins containers on a bridge.
mkdir -p "$folder/deploy"
dockerd --data-root "$folder/root" --exec-root "$folder/exec" --host "$DOCKER_HOST" --pidfile "$folder/pid" \
    --iptables=false --ip6tables=false --ip-masq=false >"$folder/dockerd.log" 2>&1 &
trap cleanup EXIT
for _ in $(seq 100); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
docker version >/dev/null

say "an image from this machine's build, FROM scratch"
"$here/scripts/containers.sh" image coronaz:latest
docker run --rm coronaz:latest --version

say "the files that compose reads"
cp "$here"/compose*.yaml "$folder/deploy"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
"${CORONAZ_BIN_DIR:-${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}/release}/coronaz" init --yes --dir "$folder/deploy" --nodes 20 --infected 1 --port "$port"
# Close together and long enough alive that many meet while they are killed.
sed -i 's/^field_\(width\|height\) = .*/field_\1 = 20/; s/^zombie_lifetime = .*/zombie_lifetime = 0/' "$folder/deploy/scenario.toml"
(cd "$folder/deploy" && docker-compose --file compose.yaml config --quiet)

say "20 devices, a container each"
compose up --detach --no-build >"$folder/up.log" 2>&1 || { cat "$folder/up.log"; exit 1; }
token=$(cat "$folder/deploy/secrets/operator-token")
page() { curl -s -o /dev/null -w '%{http_code}' "$@" "http://127.0.0.1:$port/api/v1/runs"; }
for _ in $(seq 100); do [ "$(page -H "Authorization: Bearer $token")" = 200 ] && break; sleep 0.2; done
[ "$(page -H "Authorization: Bearer $token")" = 200 ] || { say "the page does not answer"; exit 1; }
[ "$(page)" = 401 ] || { say "the page lets strangers in"; exit 1; }

RANDOM=${CORONAZ_TEST_SEED:-7}
say "killing at random for a minute, seed ${CORONAZ_TEST_SEED:-7}"
end=$((SECONDS + 60))
while [ $SECONDS -lt $end ]; do
    sleep 3
    mapfile -t running < <(compose ps -q)
    victim=${running[RANDOM % ${#running[@]}]}
    docker kill --signal KILL "$victim" >/dev/null
    say "killed $(docker inspect --format '{{.Name}}' "$victim")"
    # An engine starts again what ended by itself; what it was told to kill, one has to start.
    docker start "$victim" >/dev/null
done

say "the devices stop, the consumer catches up"
compose stop --timeout 15 node infected-node >/dev/null 2>&1
sleep 3
contacts=$(curl -s -H "Authorization: Bearer $token" "http://127.0.0.1:$port/api/v1/runs" | node -e '
let text = ""; process.stdin.on("data", (d) => (text += d)).on("end", () => { const [run] = JSON.parse(text).runs; console.log(run.nodes, run.contacts); });')
say "devices and contacts in the store: $contacts"
[ "${contacts%% *}" = 20 ] || { say "not all 20 devices reported"; exit 1; }
[ "${contacts##* }" -gt 100 ] || { say "devices in containers do not hear each other"; exit 1; }
inside audit --store sqlite:/data/store.db
say "done"
