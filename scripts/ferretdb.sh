#!/bin/sh
# FerretDB for tests: a server that speaks MongoDB's protocol, on loopback, over SQLite; built with Go into a cache
# directory, never into the repository. A stand-in: it takes transactions without an error and ignores them, keeps no
# promise about concurrent updates, and looks through whole collections for most questions.
#
#   scripts/ferretdb.sh fetch             build it if it is not there; prints the program
#   scripts/ferretdb.sh start DIR [PORT]  start on 127.0.0.1:PORT (default: a free one) with its data in DIR, wait until
#                                         it answers, print "pid PID" and "url mongodb://…"
#                                         With FERRETDB_DEBUG=ADDR:PORT its profiles are at http://ADDR:PORT/debug
#   scripts/ferretdb.sh stop DIR          stop the one that was started in DIR
#   scripts/ferretdb.sh kill DIR          the same with SIGKILL
#
# Needs go 1.24 or later for fetching, and node to find a free port. Starting in a DIR that has data goes on with it.
set -eu

VERSION=v1.24.2
MODULE=github.com/FerretDB/FerretDB
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/coronaz/ferretdb/$VERSION
PROGRAM=$CACHE/ferretdb
WAIT_TENTHS=300

say() { echo "ferretdb.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n '6,11s/^# *//p' "$0" >&2; exit 64; }

fetch() {
    [ -x "$PROGRAM" ] && return 0
    command -v go >/dev/null || fail "go is needed to build FerretDB $VERSION"
    mkdir -p "$CACHE"
    say "building FerretDB $VERSION into $CACHE"
    # Not `go install`: what that builds does not know its version, and refuses to start. So it is written where it looks.
    folder=$(go mod download -json "$MODULE@$VERSION" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
    [ -n "$folder" ] || fail "go could not fetch $MODULE $VERSION"
    rm -rf "$CACHE/source"
    cp -r "$folder" "$CACHE/source"
    chmod -R u+w "$CACHE/source"
    echo "$VERSION" > "$CACHE/source/build/version/version.txt"
    (cd "$CACHE/source" && go build -trimpath -buildvcs=false -o "$PROGRAM" ./cmd/ferretdb) ||
        fail "go could not build FerretDB $VERSION"
    rm -rf "$CACHE/source"
}

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'
}

running() { [ -f "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null; }

answers() {
    node -e 'const s = require("net").connect(+process.argv[1], "127.0.0.1", () => process.exit(0)); s.on("error", () => process.exit(1))' "$1"
}

start() {
    dir=$1
    mkdir -p "$dir/data"
    dir=$(cd "$dir" && pwd)
    running "$dir" && fail "one is running already in $dir: pid $(cat "$dir/pid")"
    fetch
    port=${2:-$(free_port)}
    # Like our own SQLite, it waits for the disk now and then and not at each write.
    "$PROGRAM" --handler=sqlite "--sqlite-url=file:$dir/data/?_pragma=synchronous(normal)" "--listen-addr=127.0.0.1:$port" "--debug-addr=${FERRETDB_DEBUG:--}" \
        --telemetry=disable --mode=normal "--state-dir=$dir" --log-level=error \
        > "$dir/ferretdb.log" 2>&1 < /dev/null &
    echo $! > "$dir/pid"
    waited=0
    until answers "$port"; do
        running "$dir" || fail "it ended while starting, see $dir/ferretdb.log"
        [ "$waited" -ge "$WAIT_TENTHS" ] && fail "no answer on 127.0.0.1:$port, see $dir/ferretdb.log"
        waited=$((waited + 1))
        sleep 0.1
    done
    echo "pid $(cat "$dir/pid")"
    echo "url mongodb://127.0.0.1:$port/"
}

# Ends the process whose id stands in DIR/pid, by that id alone.
end() {
    signal=$1 dir=$2
    running "$dir" || { say "none is running in $dir"; rm -f "$dir/pid"; return 0; }
    pid=$(cat "$dir/pid")
    kill "-$signal" "$pid"
    waited=0
    while kill -0 "$pid" 2>/dev/null; do
        [ "$waited" -ge 300 ] && fail "pid $pid does not end"
        waited=$((waited + 1))
        sleep 0.1
    done
    rm -f "$dir/pid"
}

case "${1:-}" in
    fetch) fetch; echo "$PROGRAM" ;;
    start) [ $# -ge 2 ] || usage; shift; start "$@" ;;
    stop) [ $# -eq 2 ] || usage; end TERM "$2" ;;
    kill) [ $# -eq 2 ] || usage; end KILL "$2" ;;
    *) usage ;;
esac
