#!/usr/bin/env bash
# The containers of compose.yaml, without a registry.
#
#   containers.sh tree BIN_DIR OUT [libraries]   lay out the programs of BIN_DIR as the image's last stage takes them;
#                                                with `libraries` also the shared ones they name, for an image FROM scratch
#   containers.sh image NAME                     build the image from this machine's build, FROM scratch
#   containers.sh test                           start an engine for the purpose, run compose.embedded.yaml with 20 devices,
#                                                kill containers at random, audit; stop everything again (needs root)
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
# The build that goes into the image: a release build, unless told otherwise.
bin="${CORONAZ_BIN_DIR:-${CARGO_TARGET_DIR:-$HOME/.cache/coronaz/target}/release}"

# The program that knows BuildKit by itself, where there are two of the name.
docker() { command "${CORONAZ_DOCKER:-/usr/bin/docker}" "$@"; }

tree() { # BIN_DIR OUT [libraries]
    local programs=("$1/coronaz" "$1/coronaz-broker") out=$2
    mkdir -p "$out/usr/local/bin" "$out/data" "$out/tmp"
    # Any user may write there: a volume takes the folder's owner and mode over when it is first used.
    chmod 1777 "$out/data" "$out/tmp"
    for program in "${programs[@]}"; do
        strip -o "$out/usr/local/bin/$(basename "$program")" "$program"
    done
    [ "${3:-}" = libraries ] || return 0
    ldd "${programs[@]}" | grep -o '/[^ :]*\.so[^ :]*' | sort -u | while read -r library; do
        install -D "$library" "$out$library"
    done
}

image() { # NAME
    local folder
    folder=$(mktemp -d)
    tree "$bin" "$folder/tree" libraries
    printf 'FROM scratch\nCOPY tree /programs\n' >"$folder/Dockerfile"
    DOCKER_BUILDKIT=1 docker build --quiet --tag coronaz-programs "$folder" >/dev/null
    rm -rf "$folder"
    DOCKER_BUILDKIT=1 docker build --quiet --build-arg BASE=scratch --build-arg PROGRAMS=coronaz-programs --tag "$1" "$here"
}

case "${1:-}" in
tree) tree "${@:2}" ;;
image) image "$2" ;;
test) exec "$here/scripts/containers-test.sh" ;;
*)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
