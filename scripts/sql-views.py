"""The store's views through DuckDB: a store of an earlier version, brought up to date, is attached, each view is read
whole, and its rows are those that SQLite gives. What is asked for one person by keys is no scan of joins."""

import pathlib
import shutil
import sqlite3
import sys
import tempfile

import duckdb
import duckdb_extension_sqlite_scanner

STORE = pathlib.Path("crates/coronaz-store")
VIEWS = ["runs", "nodes", "latest", "contacts", "encounters", "infections", "statistics", "movements", "health"]


def brought_up_to_date(folder: pathlib.Path) -> pathlib.Path:
    path = folder / "store.db"
    shutil.copy(STORE / "tests/stores/schema-2.db", path)
    steps = sorted((STORE / "src/sqlite/migrations").glob("*.sql"))
    with sqlite3.connect(path) as store:
        for step in steps[2:]:
            store.executescript(step.read_text())
    return path


def plain(value: object) -> str:
    """Numbers and texts alike: DuckDB gives all columns of some views as text."""
    if value is None:
        return ""
    try:
        return f"{float(value):.9g}"
    except (TypeError, ValueError):
        return str(value)


def rows(answer) -> list[tuple[str, ...]]:
    return sorted(tuple(map(plain, row)) for row in answer)


def main() -> None:
    extension = next(pathlib.Path(duckdb_extension_sqlite_scanner.__file__).parent.rglob("*.duckdb_extension"))
    with tempfile.TemporaryDirectory() as folder:
        path = brought_up_to_date(pathlib.Path(folder))
        store = sqlite3.connect(path)
        duck = duckdb.connect()
        duck.execute(f"load '{extension}'")
        duck.execute(f"attach '{path}' as lab (type sqlite, read_only)")
        for view in VIEWS:
            expected = rows(store.execute(f"select * from {view}"))
            found = rows(duck.execute(f"select * from lab.{view}").fetchall())
            if not expected or found != expected:
                sys.exit(f"{view}: SQLite gives {len(expected)} rows, DuckDB {len(found)}: {found[:1]} for {expected[:1]}")
            print(f"{view}: {len(found)} rows")
        of_one = "select count(*) from lab.contacts where run = {} and person_slot = {}"
        run, slot, count = store.execute(
            "select run, person_slot, count(*) from contacts group by run, person_slot order by 3 desc limit 1"
        ).fetchone()
        found = duck.execute(of_one.format(run, slot)).fetchone()[0]
        assert found == count, (found, count)
        plan = " ".join(row[3] for row in store.execute("explain query plan " + of_one.replace("lab.", "").format(run, slot)))
        assert "SCAN" not in plan, plan


main()
