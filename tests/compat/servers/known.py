"""Brings known.json and docs/compatibility.md up to date.

    python -m tests.compat.servers.known [GROUP …]        # of these groups, or of all

drops what is equal by now and adds what differs as "open: …". Reasons written by hand stay while the case differs.
"""

import asyncio
import importlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.compat.servers import GROUPS, KNOWN, known
from tests.compat.servers.run import differences


def main() -> None:
    held = known()
    for group in sys.argv[1:] or GROUPS:
        with TemporaryDirectory() as folder:
            found = asyncio.run(differences(group, Path(folder)))
        reasons = held.pop(group, {})
        if found:
            held[group] = {name: reasons.get(name, f"open: {lines[0]}") for name, lines in found.items()}
    KNOWN.write_text(json.dumps(held, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    importlib.import_module("scripts.gen_compat").main()


if __name__ == "__main__":
    main()
