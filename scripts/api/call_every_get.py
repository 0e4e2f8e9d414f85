"""Calls every GET of the interface with the client that was generated from its description.

Usage: call_every_get.py OPENAPI_JSON CLIENT_FOLDER URL TOKEN
"""

import importlib
import json
import re
import sys
import time
from pathlib import Path
from uuid import UUID


def module_of(package: str, operation: str):
    """The generated module of an operation, which lies below one folder or another by its tags."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    found = [path for path in Path(sys.argv[2]).rglob(f"{name}.py") if "models" not in path.parts]
    assert len(found) == 1, f"{operation}: {found}"
    inside = found[0].relative_to(sys.argv[2]).with_suffix("").parts
    return importlib.import_module(".".join((package, *inside)))


def first_people(package: str, client):
    """A run with people in it, once there is one."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for run in module_of(package, "runs").sync(client=client).runs:
            if names := module_of(package, "nodes").sync(run.id, client=client).nodes:
                if run.moments > 0:
                    return run.id, names
        time.sleep(0.1)
    raise SystemExit("no run has anybody in it")


def main() -> None:
    description, folder, url, token = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), *sys.argv[3:]
    sys.path.insert(0, str(folder.parent))
    package = folder.name
    client = importlib.import_module(package).AuthenticatedClient(
        base_url=url, token=token, raise_on_unexpected_status=True
    )
    run, names = first_people(package, client)
    known = {"run": run, "id": names[0].id, "table": "nodes"}
    called = []
    for path, methods in description["paths"].items():
        operation = methods.get("get")
        if operation is None:
            continue
        place = [known[name] for name in re.findall(r"{(\w+)}", path)]
        if "table" in path:
            export = module_of(package, operation["operationId"])
            place[1] = next(
                (getattr(export, kind)("nodes") for kind in dir(export) if kind.endswith("Table")), "nodes"
            )
        answer = module_of(package, operation["operationId"]).sync_detailed(*place, client=client)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.content[:200]!r}"
        assert answer.parsed is not None, f"{path}: the answer was not understood: {answer.content[:200]!r}"
        called.append(path)
    assert len(called) >= 17, called
    assert isinstance(run, UUID)
    print(f"called {len(called)} GETs with the generated client, all understood")


if __name__ == "__main__":
    main()
