"""Outputs of node runs that a segment can see, decoded when somebody looks."""

from collections.abc import Callable, Iterable
from typing import Any

from weft_contracts.messages import EMPTY_ITEM, Activation, NodeOutput, Source
from weft_contracts.payload import Payload
from weft_kit import items
from weft_node_sdk.context import Item, Outputs

from weft_node_runner.application.custom_data import CustomData
from weft_node_runner.application.ports import Outside
from weft_node_runner.application.static_data import StaticData


class Run:
    """One node run's output. `state` is what the node keeps for its next run."""

    __slots__ = ("_payload", "_value", "inputs", "state")

    def __init__(
        self, payload: Payload | None, inputs: tuple[Source | None, ...], value: Outputs | None = None
    ) -> None:
        self._payload = payload
        self._value = value
        self.inputs = inputs
        self.state: dict[str, Any] | None = None

    async def fetch(self, outside: Outside) -> None:
        """Brings the bytes here where they are elsewhere."""
        if self._payload is not None and self._payload.ref:
            self._payload = await items.unclaim(self._payload, outside.blobs)

    @property
    def outputs(self) -> Outputs:
        if self._value is None:
            decoded = items.decode(self._payload) if self._payload is not None else []
            if isinstance(decoded, dict):
                self.state = decoded.get("state")
            self._value = items.outputs_of(decoded)
        return self._value


class Data:
    """`runs`: how often each node has begun a run before this segment."""

    def __init__(
        self,
        execution_id: str,
        runs: dict[str, int],
        outside: Outside,
        static: StaticData | None = None,
        custom: CustomData | None = None,
    ) -> None:
        self._execution_id = execution_id
        self.static = static or StaticData("", b"", outside)
        self.custom = custom or CustomData()
        self._begun = runs
        self._outside = outside
        self._runs: dict[str, dict[int, Run]] = {}
        self._absent: set[tuple[str, int]] = set()

    def add(self, outputs: Iterable[NodeOutput]) -> None:
        for each in outputs:
            self._runs.setdefault(each.node, {})[each.run_index] = Run(each.output, each.inputs)

    def put(self, activation: Activation, outputs: Outputs, state: dict[str, Any] | None) -> None:
        run = Run(None, activation.inputs, outputs)
        run.state = state
        self._runs.setdefault(activation.node, {})[activation.run_index] = run

    def run(self, node: str, index: int | None) -> Run | None:
        """None: the newest."""
        runs = self._runs.get(node)
        if not runs:
            return None
        return runs.get(max(runs) if index is None else index)

    def outputs(self, node: str, index: int | None) -> Outputs | None:
        run = self.run(node, index)
        return None if run is None else run.outputs

    def count(self, node: str) -> int:
        runs = self._runs.get(node)
        return max(self._begun.get(node, 0), max(runs) + 1 if runs else 0)

    async def need(self, keys: Iterable[tuple[str, int | None]]) -> None:
        """Fetches what is not here, in one call."""
        wanted = []
        for node, index in keys:
            run = self.run(node, index)
            if run is not None:
                await run.fetch(self._outside)
            elif self._begun.get(node, 0) > 0:
                key = (node, -1 if index is None else index)
                if key not in self._absent:
                    wanted.append(key)
        if wanted:
            self.add(await self._outside.outputs(self._execution_id, wanted))
            for node, index in wanted:
                run = self.run(node, None if index < 0 else index)
                if run is None:
                    self._absent.add((node, index))
                else:
                    await run.fetch(self._outside)

    async def inputs(self, activation: Activation) -> list[list[Item]]:
        sources = [source for source in activation.inputs if source is not None]
        await self.need((source.node, source.run) for source in sources)
        found: list[list[Item]] = []
        for source in activation.inputs:
            outputs = None if source is None else self.outputs(source.node, source.run)
            if source is not None and source.output == EMPTY_ITEM:
                found.append([{"json": {}, "pairedItem": {"item": 0}}])
                continue
            usable = outputs is not None and source is not None and source.output < len(outputs)
            found.append(outputs[source.output] if usable else [])  # type: ignore[index, union-attr]
        return found

    async def lineage(self, activation: Activation, wanted: frozenset[str]) -> None:
        """Fetches every run on the ways back to the wanted nodes."""
        seen: set[tuple[str, int]] = set()
        ends = [source for source in activation.inputs if source is not None]
        while ends:
            keys = {(source.node, source.run) for source in ends} - seen
            seen |= keys
            await self.need(keys)
            ends = [
                source
                for node, index in keys
                if node not in wanted and (run := self.run(node, index)) is not None
                for source in run.inputs
                if source is not None and (source.node, source.run) not in seen
            ]

    def ancestor(self, activation: Activation, items_in: list[Item], node: str, index: int) -> Item | None:
        """The item of `node` from which input item `index` came, as `origin` has it."""
        source = activation.inputs[0] if activation.inputs else None
        if source is None or index >= len(items_in):
            return None
        item = items_in[index]
        if source.output == EMPTY_ITEM:  # it stands for the first item of the run that it is there because of
            held = self.outputs(source.node, source.run)
            item = held[0][0] if held and held[0] else item
        return origin(self.run, source, item, node)


RunOf = Callable[[str, int | None], Run | None]


def origin(run_of: RunOf, source: Source, item: Item, node: str) -> Item | None:
    """The item of `node` from which an item of `source` came, run by run. None where an item on the way does not
    say where it came from, or where it came from several; an empty item where all ways end elsewhere."""
    found = _ends(run_of, source, item, node)
    return None if found is None or len(found) > 1 else next(iter(found.values()), {})


def beginning(run_of: RunOf, source: Source, item: Item) -> int | None:
    """Which item of the execution's first run an item of `source` came from. None where that is not known, or where
    it came from several."""
    found = _ends(run_of, source, item, None)
    return next(iter(found))[1] if found and len(found) == 1 else None


def _ends(
    run_of: RunOf, source: Source, item: Item, node: str | None
) -> dict[tuple[Source | None, int], Item] | None:
    """Where the ways back from an item end, two places at most: at items of `node`, or where that is None at starts,
    of which only the items' numbers tell one from another. None where an item on a way does not say where it came
    from."""
    found: dict[tuple[Source | None, int], Item] = {}
    seen: set[tuple[Source, int]] = set()
    ways = [(source, -1, item)]
    while ways and len(found) < 2:
        place, number, at = ways.pop()
        if (place, number) in seen:
            continue
        seen.add((place, number))
        if place.node == node:
            found[place, number] = at
            continue
        before = before_it(run_of, place, at)
        if before is None:
            return None
        if node is None and not before:
            found[None, number] = at
        ways.extend(before)
    return found


def before_it(run_of: RunOf, source: Source, item: Item) -> list[tuple[Source, int, Item]] | None:
    """The items that an item of a run came from: none at a start, None where that is not known."""
    run = run_of(source.node, source.run)
    if run is None:
        return None
    if not run.inputs:
        return []
    lineage = item.get("pairedItem")
    found = []
    for each in lineage if isinstance(lineage, list) else [lineage]:
        step = {"item": each} if isinstance(each, int) else each
        if not isinstance(step, dict):
            return None
        place, number, index = step.get("input", 0), step.get("item", 0), step.get("run", source.run)
        if not all(isinstance(each, int) and each >= 0 for each in (place, number, index)):
            return None  # code says what it likes
        inputs = (run_of(source.node, index) or run).inputs
        before = inputs[place] if place < len(inputs) else None
        held = None if before is None else run_of(before.node, before.run)
        output = 0 if before is None else max(before.output, 0)
        if before is None or held is None or output >= len(held.outputs):
            return None
        if number >= len(held.outputs[output]):
            return None
        found.append((before, number, held.outputs[output][number]))
    return found
