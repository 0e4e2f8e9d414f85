#!/usr/bin/env bash
# The store's views as other programs read them: each of them through DuckDB's ATTACH, compared with SQLite's own answer.
# DuckDB and its SQLite extension come from PyPI, into a folder of their own outside the checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="${CORONAZ_SQL_TOOLS:-$HOME/.cache/coronaz/sql-1.5.5}"
if [ ! -x "$tools/bin/python" ] || [ ! -e "$tools/complete" ]; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-sqlite-scanner==1.5.5
    touch "$tools/complete"
fi
"$tools/bin/python" scripts/sql-views.py
