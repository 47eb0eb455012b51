"""Runs the cases here, as goldens: the same shape that record.py writes of n8n.

python -m tests.compat.run [GROUP …]        # prints every difference
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from weft_kit.settings import CoreSettings
from weft_node_runner.local import Result, Session
from weft_node_sdk.catalogue import Catalogue

from tests.compat import goldens
from tests.compat.cases import CASES
from tests.compat.cases.build import Case
from tests.compat.cases.files import FOLDER
from tests.compat.cases.keyed import secrets
from tests.compat.places import Places, given, named, places
from tests.compat.stub import BASE


@dataclass(frozen=True)
class Here:
    session: Session
    names: Places


@asynccontextmanager
async def here() -> AsyncIterator[Here]:
    """May call the stub, and read and write a folder of its own."""
    with places() as names:
        settings = CoreSettings(
            net_allow=(names[BASE].removeprefix("http://"), "127.0.0.1:1"),
            files_allow=(names[FOLDER],),
            allow_nodes=("executeCommand",),
        )
        async with Session(settings, secrets()) as session:
            yield Here(session, names)


async def golden(at: Here, case: Case) -> goldens.Golden:
    """Its trigger's items are pinned. Calls that have no answer here end as error."""
    document, workflows = given([case["document"], case.get("workflows")], at.names)
    result: Result = await at.session.run(document, workflows=workflows, mode="manual")
    found: goldens.Golden = {
        "status": result.status,
        "runs": [[name, goldens.outputs(outputs)] for name, outputs in result.runs],
    }
    if result.error is not None:
        found["failed"] = result.error.node or result.last_node
    told: goldens.Golden = named(found, at.names)
    return told


def lacking(case: Case) -> list[str]:
    """Node types of the case that are not here, or not in that version."""
    catalogue = Catalogue.load()
    nodes = [
        node
        for document in (case["document"], *case.get("workflows", {}).values())
        for node in document["nodes"]
    ]
    return sorted({_name(node) for node in nodes if not catalogue.traits(node).known})


def _name(node: dict[str, Any]) -> str:
    return f"{node['type'].rpartition('.')[2]} {node['typeVersion']:g}"


async def main() -> None:
    tally: Counter[str] = Counter()
    async with here() as session:
        for group in sys.argv[1:] or CASES:
            for name, wanted in goldens.read(group).items():
                case = CASES[group][name]
                if lacking(case):
                    tally["lacking"] += 1
                    continue
                lines = list(goldens.differences(case, wanted, await golden(session, case)))
                tally["different" if lines else "equal"] += 1
                if lines:
                    sys.stdout.write(f"{group} / {name}\n" + "".join(f"    {line}\n" for line in lines[:4]))
    sys.stdout.write(f"{dict(tally)}\n")


if __name__ == "__main__":
    asyncio.run(main())
