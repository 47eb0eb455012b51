"""Compiled workflow versions, by way of workflow-store. A version never changes, so a copy is good for ever."""

import asyncio
from collections import OrderedDict
from typing import Final

import orjson
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_contracts.rpc.workflow_store import Workflows
from weft_engine.graph import Graph
from weft_node_sdk.catalogue import Catalogue

KEPT: Final = 2000


class StoredVersions:
    """Implements Versions."""

    def __init__(self, workflows: Workflows, catalogue: Catalogue) -> None:
        self._workflows = workflows
        self._catalogue = catalogue
        self._graphs: OrderedDict[str, Graph] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[Graph]] = {}

    def cached(self, version_id: str) -> Graph | None:
        return self._graphs.get(version_id)

    async def graph(self, version_id: str) -> Graph:
        found = self._graphs.get(version_id)
        if found is not None:
            self._graphs.move_to_end(version_id)
            return found
        task = self._fetching.get(version_id)
        if task is None:
            task = self._fetching[version_id] = asyncio.create_task(self._fetch(version_id))
            task.add_done_callback(lambda _: self._fetching.pop(version_id, None))
        return await asyncio.shield(task)

    async def _fetch(self, version_id: str) -> Graph:
        answer = await self._workflows.GetVersion(pb.GetVersionRequest(version_id=version_id))
        graph = Graph.compile(orjson.loads(answer.version.document), self._catalogue.traits)
        self._graphs[version_id] = graph
        while len(self._graphs) > KEPT:
            self._graphs.popitem(last=False)
        return graph
