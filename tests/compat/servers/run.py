"""Runs the cases here, as goldens.

python -m tests.compat.servers.run [GROUP …]        # prints every difference
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from weft_kit.settings import CoreSettings
from weft_node_runner.local import Session

from tests.compat import goldens, run
from tests.compat.cases.build import Case
from tests.compat.servers import GROUPS, Group
from tests.compat.servers.served import HOST, Served, secret_id


@asynccontextmanager
async def here(group: Group, folder: Path) -> AsyncIterator[tuple[run.Here, Served]]:
    with group.serve(folder) as served:
        settings = CoreSettings(net_allow=(HOST,), files_allow=(str(folder),))
        secrets = {secret_id(kind): (kind, secret) for kind, secret in served.secrets.items()}
        async with Session(settings, secrets) as session:
            yield run.Here(session, served.names), served


async def golden(at: run.Here, served: Served, case: Case) -> goldens.Golden:
    await asyncio.to_thread(served.reset)
    return served.kept(await run.golden(at, case))


async def differences(name: str, folder: Path) -> dict[str, list[str]]:
    """Of every case of the group that differs."""
    group, recorded, found = GROUPS[name], goldens.read(name), {}
    async with here(group, folder) as (at, served):
        for case_name, case in group.cases.items():
            if case_name not in recorded:
                continue
            mine = await golden(at, served, case)
            if lines := list(goldens.differences(case, recorded[case_name], mine)):
                found[case_name] = lines
    return found


def main() -> None:
    tally: Counter[str] = Counter()
    for name in sys.argv[1:] or GROUPS:
        with TemporaryDirectory() as folder:
            found: dict[str, Any] = asyncio.run(differences(name, Path(folder)))
        tally["different"] += len(found)
        tally["equal"] += len(GROUPS[name].cases) - len(found)
        for case, lines in found.items():
            sys.stdout.write(f"{name} / {case}\n" + "".join(f"    {line}\n" for line in lines[:4]))
    sys.stdout.write(f"{dict(tally)}\n")


if __name__ == "__main__":
    main()
