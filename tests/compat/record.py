"""Records what an n8n makes of the cases, by its own interface, into recorded/.

    python -m tests.compat.record http://127.0.0.1:5678 EMAIL PASSWORD VERSION FOLDER [GROUP …]

FOLDER is one that it may read and write files in (N8N_RESTRICT_FILE_ACCESS_TO).
Cases whose recording is still true are left alone; of groups that are named, every case is recorded again.
"""

import json
import sys
import urllib.error
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.compat import goldens
from tests.compat.batch import apart, batched, together
from tests.compat.cases import CASES
from tests.compat.cases.build import Case, node
from tests.compat.cases.keyed import secrets
from tests.compat.expressions_record import Peer, unflattened
from tests.compat.places import Places, given, named, places

_BATCH = 40


def publish(peer: Peer, document: dict[str, Any]) -> str:
    """A sub-workflow that others may call."""
    made = peer.call("POST", "/rest/workflows", {**document, "active": False})
    peer.call("POST", f"/rest/workflows/{made['id']}/activate", {"versionId": made["versionId"]})
    return str(made["id"])


def remove(peer: Peer, workflow: str) -> None:
    peer.call("POST", f"/rest/workflows/{workflow}/archive", {})
    peer.call("DELETE", f"/rest/workflows/{workflow}")


def recorded(peer: Peer, case: Case, names: Places) -> goldens.Golden:
    document, workflows = given([case["document"], case.get("workflows", {})], names)
    text, children = json.dumps(document), []
    try:
        for name, document in workflows.items():
            children.append(publish(peer, document))
            text = text.replace(f'"{name}"', json.dumps(children[-1]))
        made = peer.call("POST", "/rest/workflows", {**json.loads(text), "active": False})["id"]
        children.append(made)
        try:
            execution = peer.run_to_end(made, "Trigger")
        except urllib.error.HTTPError as refusal:
            return {"status": "refused", "runs": [], "message": refusal.read().decode()[:200]}
        told: goldens.Golden = named(acyclic(golden(execution), ()), names)
        return told
    finally:
        for workflow in children:
            remove(peer, workflow)


def acyclic(value: Any, above: tuple[int, ...]) -> Any:
    """Items of n8n may hold themselves, null in that place, and say by which of its files an error came. Where it
    gives its HTTP library's stream for an answer, that is kept as one word."""
    if not isinstance(value, (dict, list)):
        return value
    if id(value) in above:
        return None
    path = (*above, id(value))
    if isinstance(value, list):
        return [acyclic(each, path) for each in value]
    if "_readableState" in value:
        return {"stream": "…"}
    return {key: acyclic(each, path) for key, each in value.items() if key != "stack"}


def golden(execution: dict[str, Any]) -> goldens.Golden:
    data = execution["data"]
    result = (unflattened(json.loads(data)) if isinstance(data, str) else data)["resultData"]
    rows = [
        (run["executionIndex"], name, run) for name, runs in result.get("runData", {}).items() for run in runs
    ]
    rows.sort(key=lambda row: row[0])
    found: goldens.Golden = {
        "status": execution["status"],
        "runs": [[name, goldens.outputs((run.get("data") or {}).get("main"))] for _, name, run in rows],
    }
    error = result.get("error") or {}
    if error:
        found["failed"] = (error.get("node") or {}).get("name") or result.get("lastNodeExecuted")
        found["message"] = str(error.get("message"))[:120]
    return found


def main() -> None:
    base, email, password, version, folder, *groups = sys.argv[1:]
    peer = Peer(base, email, password)
    longest = sorted(secrets().items(), key=lambda each: -len(each[0]))  # one name may begin with another
    made = {name: credential(peer, kind, data) for name, (kind, data) in longest}
    try:
        with places(Path(folder)) as names:
            _record(peer, version, groups, {**names, **made})
    finally:
        for each in made.values():
            peer.call("DELETE", f"/rest/credentials/{each}")


def credential(peer: Peer, kind: str, data: Mapping[str, Any]) -> str:
    """Its id there."""
    return str(peer.call("POST", "/rest/credentials", {"name": kind, "type": kind, "data": data})["id"])


def _true(kept: goldens.Golden | None, case: Case) -> bool:
    return kept is not None and kept["of"] == goldens.mark(case)


def _recorded_together(peer: Peer, cases: Sequence[Case], names: Places) -> list[goldens.Golden]:
    """Of the first cases, at least one. A workflow that n8n does not begin, because of one of its nodes, is halved."""
    if len(cases) == 1:
        return [recorded(peer, cases[0], names)]
    before = node("Reset", "noOp", 1, {}, 1)
    told = recorded(peer, {"document": together(cases, before)}, names)
    return (
        apart(told, len(cases)) if told["runs"] else _recorded_together(peer, cases[: len(cases) // 2], names)
    )


def _record(peer: Peer, version: str, groups: list[str], names: Places) -> None:
    for group, cases in CASES.items():
        old = {} if group in groups else goldens.read(group)
        found = {name: old[name] for name, case in cases.items() if _true(old.get(name), case)}
        missing = {name: case for name, case in cases.items() if name not in found}
        try:
            while missing:
                batch = [name for name, case in missing.items() if batched(case)][:_BATCH] or [*missing][:1]
                told = _recorded_together(peer, [missing[name] for name in batch], names)
                for name, each in zip(batch, told, strict=False):
                    found[name] = {"of": goldens.mark(missing.pop(name)), **each}
        finally:  # what is there already need not be recorded again
            goldens.write(group, version, found)
        sys.stdout.write(f"{group}: {len(found)}\n")


if __name__ == "__main__":
    main()
