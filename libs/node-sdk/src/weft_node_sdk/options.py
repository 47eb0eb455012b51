"""Choices that a node looks up while it is set: names of tables, columns of a table.

A node's folder may hold `options.py` with `LOADERS`, a loader by name. The editor asks for the loader that a parameter
names (`loader` in its definition), else for the one of the parameter's own name.
"""

import importlib
import importlib.util
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Http, NodeRunError
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.data_tables import DataTables
from weft_node_sdk.values import located

PAGE: Final = 100
"""Choices in one answer."""
MOST: Final = 2_000_000_000
"""No cursor counts beyond: the services count with 32 bits."""

FieldType = Literal["", "string", "number", "boolean", "dateTime", "array", "object"]


@dataclass(frozen=True)
class Choice:
    """`type`, `required` and `match` are for columns of a resource mapper; `match`: rows can be found by it alone."""

    name: str
    value: str | int | float | bool
    description: str = ""
    url: str = ""
    type: FieldType = ""
    required: bool = False
    match: bool = False


@dataclass(frozen=True)
class Choices:
    """One page. `next_cursor`: what asks for the next one, empty at the end."""

    options: Sequence[Choice]
    next_cursor: str = ""


class LoadContext(Protocol):
    """Given to a loader. `parameters`: of the node, defaults filled in, expressions not evaluated."""

    http: Http
    parameters: Mapping[str, Any]
    version: float
    search: str
    cursor: str

    @property
    def tables(self) -> DataTables:
        """As RunContext has it."""

    async def credential(self, kind: str) -> dict[str, Any]:
        """As RunContext has it."""

    async def authentication(self, kind: str, stale: str = "") -> Authentication:
        """As RunContext has it."""

    async def connect_address(self, host: str, port: int) -> str:
        """As RunContext has it."""


Loader = Callable[[LoadContext], Awaitable[Choices]]
Loaders = Mapping[str, Loader]


def loader_of(catalogue: Catalogue, type_name: str, name: str) -> Loader | None:
    """Imported at the first call. Raises KeyError for a type that is not installed."""
    folder = catalogue.implementation(type_name).__module__.rpartition(".")[0]
    if importlib.util.find_spec(f"{folder}.options") is None:
        return None
    loaders: Loaders = importlib.import_module(f"{folder}.options").LOADERS
    return loaders.get(name)


def fixed(ctx: LoadContext, name: str, default: str = "") -> str:
    """A parameter that choices depend on; of a resource locator its value. Raises NodeRunError where an expression
    stands there."""
    given = located(ctx.parameters.get(name))
    text = default if given in (None, "") else str(given)
    if text.startswith("="):
        raise NodeRunError(f"Choices can't be listed while an expression stands in '{name}'")
    return text


def number_of(cursor: str, first: int) -> int:
    """The number that a cursor is, `MOST` at most; `first` where it is none."""
    return min(int(cursor), MOST) if cursor.isascii() and cursor.isdigit() else first


def offset(ctx: LoadContext) -> int:
    """Where the page begins that a cursor of `paged` asks for."""
    return number_of(ctx.cursor, 0)


def paged(found: Sequence[Choice], start: int) -> Choices:
    """What a query for `PAGE + 1` rows from `start` on gave."""
    return Choices(found[:PAGE], str(start + PAGE) if len(found) > PAGE else "")


def filtered(choices: Iterable[Choice], ctx: LoadContext) -> Choices:
    """One page of those whose name holds what is searched."""
    wanted, start = ctx.search.casefold(), offset(ctx)
    fitting = [each for each in choices if wanted in each.name.casefold()]
    return paged(fitting[start : start + PAGE + 1], start)
