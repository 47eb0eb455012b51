"""Entries of items' files that were looked up a moment ago: a file is read in many parts, a page shows many files."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

Run = tuple[str, str, int, int]
"""Execution, node, run index, seq: what has another output has another seq."""

MOST_BYTES: Final = 8 * 1024 * 1024
ENTRY_BYTES: Final = 400
"""What the place of an entry takes, however small it is."""
AHEAD: Final = 200
"""So many items from the one that was asked for on are kept."""


class FileEntries:
    """The ones used last, of at most `most` bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._held: OrderedDict[tuple[Run, int, int], bytes] = OrderedDict()

    def get(self, run: Run, output: int, item: int) -> Mapping[str, Any] | None:
        """The files of an item by name; None where they are not known here."""
        held = self._held.get((run, output, item))
        if held is None:
            return None
        self._held.move_to_end((run, output, item))
        found: Mapping[str, Any] = orjson.loads(held)
        return found

    def keep(self, run: Run, output: int, item: int, items: Sequence[Mapping[str, Any]]) -> None:
        """`items`: of the output, the one of that index first."""
        for index, each in enumerate(items[:AHEAD]):
            key, binary = (run, output, item + index), each.get("binary")
            if (known := self._held.pop(key, None)) is not None:
                self._bytes -= len(known) + ENTRY_BYTES
            held = orjson.dumps(binary) if binary else b"{}"
            self._held[key] = held
            self._bytes += len(held) + ENTRY_BYTES
        while self._bytes > self._most:
            _, dropped = self._held.popitem(last=False)
            self._bytes -= len(dropped) + ENTRY_BYTES
