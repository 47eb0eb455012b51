"""Choices that nodes look up while they are set, with the credential and through the guard, remembered for a moment."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.identity.expiring import Expiring
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Http, NodeRunError
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.data_tables import DataTables
from weft_node_sdk.options import Choices, loader_of

from weft_node_runner.application.ports import Outside

SECONDS: Final = 10.0
KEPT_SECONDS: Final = 20.0
KEPT: Final = 500


@dataclass(frozen=True)
class Wanted:
    """One page of what a loader gives. `credentials`: as a document's node has them."""

    project_id: str
    type: str
    version: float
    loader: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, Any] = field(default_factory=dict)
    search: str = ""
    cursor: str = ""


class _Context:
    """Implements LoadContext."""

    def __init__(self, wanted: Wanted, parameters: Mapping[str, Any], outside: Outside) -> None:
        self.http: Http = outside.http
        self.parameters = parameters
        self.version = wanted.version
        self.search = wanted.search
        self.cursor = wanted.cursor
        self._wanted = wanted
        self._outside = outside

    @property
    def tables(self) -> DataTables:
        return self._outside.tables(self._wanted.project_id)

    async def credential(self, kind: str) -> dict[str, Any]:
        return await self._outside.credential(self._credential_id(kind), self._wanted.project_id)

    async def authentication(self, kind: str, stale: str = "") -> Authentication:
        return await self._outside.authentication(self._credential_id(kind), self._wanted.project_id, stale)

    def _credential_id(self, kind: str) -> str:
        held = self._wanted.credentials.get(kind)
        credential_id = str(held.get("id") or "") if isinstance(held, Mapping) else ""
        if not credential_id:
            raise NodeRunError(f"Choose a credential of type '{kind}' first")
        return credential_id

    async def connect_address(self, host: str, port: int) -> str:
        return await self._outside.addresses.connect_address(host, port)


class Options:
    def __init__(self, catalogue: Catalogue, outside: Outside) -> None:
        self._catalogue = catalogue
        self._outside = outside
        self._kept: Expiring[bytes, Choices] = Expiring(KEPT)

    async def list(self, wanted: Wanted) -> Choices:
        """Raises NOT_FOUND, UNPROCESSABLE, TIMEOUT."""
        key = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
        found = self._kept.get(key)
        if found is None:
            found = await self._load(wanted)
            self._kept.put(key, found, KEPT_SECONDS)
        return found

    async def _load(self, wanted: Wanted) -> Choices:
        try:
            loader = loader_of(self._catalogue, wanted.type, wanted.loader)
            parameters = self._catalogue.fill_defaults(wanted.type, wanted.version, wanted.parameters)
        except KeyError:
            text = f"The node type '{wanted.type}' {wanted.version:g} is not installed."
            raise WeftError(ErrorCode.NOT_FOUND, text) from None
        if loader is None:
            raise WeftError(ErrorCode.NOT_FOUND, f"'{wanted.type}' has no choices named '{wanted.loader}'.")
        try:
            async with asyncio.timeout(SECONDS):
                return await loader(_Context(wanted, parameters, self._outside))
        except NodeRunError as error:
            text = f"{error.message}. {error.description}".rstrip(". ") + "."
            raise WeftError(ErrorCode.UNPROCESSABLE, text) from None
        except TimeoutError:
            raise WeftError(ErrorCode.TIMEOUT, f"No answer within {SECONDS:g} s.") from None
