#!/usr/bin/env bash
# The page: `web.sh build` builds it into web/dist if anything changed; `web.sh test` checks it, without a server.
set -euo pipefail
cd "$(dirname "$0")/../web"

install() {
    # Only when the lock file is another one than was installed last. Not `npm ci`: it refuses a lock file
    # without the linter's builds for systems that a registry may not hold; `npm install` takes the rest as locked.
    local want
    want=$(sha256sum package-lock.json | cut -c1-64)
    if [ "$(cat node_modules/.installed 2>/dev/null)" != "$want" ]; then
        npm install --no-save --no-audit --no-fund
        echo "$want" >node_modules/.installed
    fi
}

case "${1:-build}" in
build)
    want=$(find src public index.html package-lock.json vite.config.* tsconfig*.json -type f 2>/dev/null | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-64)
    if [ "$(cat dist/.built 2>/dev/null)" != "$want" ]; then
        install
        npm run build
        echo "$want" >dist/.built
    fi
    ;;
test)
    install
    npm run check
    npm test
    npm run size
    ;;
*)
    echo "usage: web.sh build|test" >&2
    exit 64
    ;;
esac
