"""What a workflow remembers between runs, as one segment sees and changes it."""

from typing import Any

import orjson
from weft_contracts.messages import HISTORY
from weft_kit import items

from weft_node_runner.application.ports import Outside


class StaticData:
    """`changes`: what earlier nodes of the execution have changed, JSON. Read from the store when a node first asks."""

    def __init__(self, workflow_id: str, changes: bytes, outside: Outside) -> None:
        self._workflow_id = workflow_id
        self._changes: dict[str, Any] = orjson.loads(changes) if changes else {}
        self._outside = outside
        self._data: dict[str, Any] | None = None
        self._before: dict[str, bytes] = {}

    async def of(self, kind: str, node: str, *, history: bool = False) -> dict[str, Any]:
        """The entry, to be changed in place. `history`: that which manual runs keep, too."""
        if self._data is None:
            self._data = {**await self._outside.static_data(self._workflow_id), **self._changes}
        key = "global" if kind == "global" else f"node:{node}"
        if history:
            key = HISTORY + key
        entry = self._data.get(key)
        if not isinstance(entry, dict):
            entry = self._data[key] = {}
        self._before.setdefault(key, items.dumps_js(entry))
        return entry

    def changed(self) -> bytes:
        """All that the execution has changed so far, where the last node has changed something; else nothing."""
        if self._data is None:
            return b""
        fresh = {}
        for key, before in self._before.items():
            now = items.dumps_js(self._data[key])
            if now != before:
                fresh[key] = orjson.loads(now)
                self._before[key] = now
        if not fresh:
            return b""
        self._changes |= fresh
        return orjson.dumps(self._changes)
