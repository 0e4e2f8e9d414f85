#!/usr/bin/env bash
# Makes sure that what a target needs is on this machine: `setup.sh build`, `setup.sh test` or `setup.sh services`.
# Debian packages that are missing are installed when this runs as root; otherwise the command is named.
set -euo pipefail

need_package() { # PACKAGE CHECK...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_header() { echo "#include <$1>" | cc -E - ; }

for tool in cargo cc make node npm; do
    if ! command -v "$tool" >/dev/null; then
        echo "setup: '$tool' is missing; this needs the Rust toolchain, gcc, make and Node.js" >&2
        exit 1
    fi
done

missing=()
need_package zlib1g-dev has_header zlib.h
if [ "${1:-build}" = test ]; then
    need_package chromium command -v chromium
    need_package iproute2 command -v ip
    # A proxy in front of the page, and what checks the description of the interface.
    need_package nginx-light test -x /usr/sbin/nginx
    need_package python3-venv python3 -c 'import ensurepip, venv'
fi
if [ "${1:-build}" = services ]; then
    need_package default-jre-headless command -v java
    need_package maven command -v mvn
    # An engine for containers, started by the test with folders of its own.
    need_package docker.io command -v dockerd
    need_package docker-compose command -v docker-compose
    need_package binutils command -v strip
    need_package curl command -v curl
    # For FerretDB, and for the Kafka client that is written in Go.
    need_package golang-go command -v go
    need_package python3-venv python3 -c "import ensurepip, venv"
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "setup: missing; run: sudo apt-get install -y ${missing[*]}" >&2
    exit 1
fi
echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Debian starts what it installs as a service (nginx on port 80, an engine for containers): tests start their own.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
