"""Cases that differ here, with a reason that a user can judge: known.json, `{group: {name: reason}}`.

    python -m tests.compat.known [GROUP …]        # brings the file and docs/compatibility.md up to date

drops what is equal by now, adds what differs as "open: …", and marks what needs a node that is not here as "not yet".
Reasons written by hand stay while the case differs.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import Collection
from pathlib import Path

from tests.compat import goldens
from tests.compat.cases import CASES
from tests.compat.run import golden, here, lacking

FILE = Path(__file__).with_name("known.json")
AUTOMATIC = ("not yet: ", "open: ")

Known = dict[str, dict[str, str]]


def read() -> Known:
    known: Known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return known


async def renewed(old: Known, groups: Collection[str]) -> Known:
    """Of other groups, and of the webhooks, which need a server (see hooks.py), what there was."""
    found: Known = {group: reasons for group, reasons in old.items() if group not in groups}
    async with here() as session:
        for group, wanted in ((group, goldens.read(group)) for group in groups):
            for name, case in CASES[group].items():
                reason = old.get(group, {}).get(name, "")
                if missing := lacking(case):
                    text = f"not yet: {', '.join(missing)}"
                else:
                    lines = list(goldens.differences(case, wanted[name], await golden(session, case)))
                    if not lines:
                        continue
                    text = reason if reason and not reason.startswith(AUTOMATIC) else f"open: {lines[0]}"
                found.setdefault(group, {})[name] = text
    return found


def main() -> None:
    text = json.dumps(
        asyncio.run(renewed(read(), sys.argv[1:] or CASES)), ensure_ascii=False, indent=1, sort_keys=True
    )
    FILE.write_text(text + "\n", encoding="utf-8")
    gen_compat = importlib.import_module("scripts.gen_compat")
    gen_compat.main()


if __name__ == "__main__":
    main()
