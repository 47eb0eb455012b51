"""Edit Fields: sets fields of each item, one by one or as JSON, and says which others stay."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from pyjson5 import Json5Exception, decode
from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext, Varying
from weft_node_sdk.items import for_each, for_each_row
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.paths import MISSING, drop, get, last_name, put
from weft_node_sdk.values import (
    CONVERSIONS,
    NotConvertible,
    article,
    checked,
    entries,
    members,
    names_in,
    shown,
    text_of,
    to_number,
    value,
)

Column = tuple[str, str, Any, int]
"""A field: name, type, value, and where in its row an item has its own value; -1: it has none."""

_PLAIN = {"string": frozenset({str}), "number": frozenset({int, float}), "boolean": frozenset({bool})}
_NONE: frozenset[type] = frozenset()


def _type(given: Any) -> str:
    return given if type(given) is str else text_of(given)


def _fields(parameters: Mapping[str, Any], version: float) -> Iterable[Column]:
    if version >= 3.3:
        held = value(parameters.get("assignments"))
        listed = held.get("assignments") if isinstance(held, dict) else held
        for entry in listed if isinstance(listed, list) else ():
            if type(entry) is dict:
                yield entry.get("name", ""), _type(entry.get("type", "string")), entry.get("value"), -1
            else:
                value(entry)  # an expression that failed
    else:
        for entry in entries(parameters, "fields", "values"):
            kind = _type(entry.get("type", "stringValue"))
            yield entry.get("name", ""), kind.removesuffix("Value"), entry.get(kind), -1


def _converted(name: str, kind: str, given: Any, lenient: bool) -> Any:
    given = value(given)
    convert = CONVERSIONS.get(kind)
    if convert is None:
        return checked(given)
    try:
        return convert(given)
    except NotConvertible:
        if lenient:
            return given
        raise NodeRunError(
            f"'{name}' expects {article(kind)} but we got {shown(given)}",
            description="Change the field's type, or let the node ignore type conversion errors.",
        ) from None


Keep = Callable[[dict[str, Any]], dict[str, Any]]


def _keeper(parameters: Mapping[str, Any], version: float, dots: bool) -> Keep:
    """Gives the fields of an input that stay: a copy that may be changed on top."""
    include = parameters.get("include", "all")
    if version >= 3.3 and parameters.get("includeOtherFields") is not True:
        include = "none"
    if include == "none":
        return lambda json: {}
    if include == "selected":
        wanted = names_in(value(parameters.get("includeFields")))

        def selected(json: dict[str, Any]) -> dict[str, Any]:
            kept: dict[str, Any] = {}
            for name in wanted:
                found = get(json, name, dots=dots)
                if found is not MISSING:
                    kept[last_name(name, dots=dots)] = found
            return kept

        return selected
    if include == "except":
        unwanted = names_in(value(parameters.get("excludeFields")))

        def others(json: dict[str, Any]) -> dict[str, Any]:
            kept = dict(json)
            for name in unwanted:
                drop(kept, name, dots=dots)
            return kept

        return others
    return dict


def _keeps_binary(parameters: Mapping[str, Any], options: Mapping[str, Any], version: float) -> bool:
    if version >= 3.4:
        return parameters.get("includeOtherFields") is True and options.get("stripBinary") is not True
    return options.get("includeBinary", True) is not False


def _parsed(text: str) -> Any:
    """Raises NodeRunError. People write names without quotes, single quotes and commas at the end, and n8n takes
    them."""
    try:
        return parse_json(text)
    except ValueError as error:
        try:
            return parse_json(orjson.dumps(decode(text, maxdepth=200)))
        except (Json5Exception, orjson.JSONEncodeError):
            raise NodeRunError(f"The JSON output is not valid JSON: {error}") from None


def _object(given: Any) -> dict[str, Any]:
    """The JSON mode's object, from a text or an expression's value. Raises NodeRunError."""
    given = checked(given)
    if isinstance(given, str):
        given = _parsed(given)
    if not isinstance(given, dict):
        raise NodeRunError(
            f"The JSON output must be an object, not {shown(given)}",
            description='Write it as {"name": value}.',
        )
    return given


def _set(
    json: dict[str, Any], columns: Iterable[Column], row: Sequence[Any], dots: bool, lenient: bool
) -> None:
    for name, kind, given, at in columns:
        if at >= 0:
            given = row[at]  # noqa: PLW2901 - this item's
        if type(given) not in _PLAIN.get(kind, _NONE):
            given = _converted(name, kind, given, lenient)  # noqa: PLW2901 - the same value, converted
        if type(name) is not str:
            name = str(value(name))  # noqa: PLW2901
        if dots and ("." in name or "[" in name):
            try:
                put(json, name, given)
            except ValueError as error:
                raise NodeRunError(f"'{name}' can't be set: {error}") from None
        else:
            json[name] = given


async def run(ctx: RunContext) -> Outputs:
    version = ctx.node.version
    output: list[Item] = []

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        _Editing(parameters, version).edit(ctx, index, item, _fields(parameters, version), (), output)

    def handle_old(index: int, item: Item, parameters: dict[str, Any]) -> None:
        output.append(_set_old(index, item, parameters, version))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    if version >= 3:
        varying = await ctx.varying()
        columns, editing = ctx.once(lambda: (_columns(varying, version), _Editing(varying.fixed, version)))
        if columns is not None:
            await _edit_all(ctx, varying.rows, columns, editing, output, failed)
            return [output]
    await for_each(ctx, handle if version >= 3 else handle_old, failed)
    return [output]


def _columns(varying: Varying, version: float) -> list[Column] | None:
    """None where more than values varies."""
    where = (
        varying.inside("assignments", "assignments") if version >= 3.3 else varying.inside("fields", "values")
    )
    if where is None:
        return None
    columns: list[Column] = []
    for number, (name, kind, given, _) in enumerate(_fields(varying.fixed, version)):
        at = where.pop((number, "value" if version >= 3.3 else f"{kind}Value"), -1)
        columns.append((name, kind, given, at))
    return None if where else columns


async def _edit_all(
    ctx: RunContext,
    rows: Sequence[Sequence[Any]],
    columns: list[Column],
    editing: "_Editing",
    output: list[Item],
    failed: Callable[[int, NodeRunError], None],
) -> None:
    """All that is the same for all items is worked out already."""

    def handle(index: int, item: Item, row: Sequence[Any]) -> None:
        editing.edit(ctx, index, item, columns, row, output)

    await for_each_row(ctx, rows, handle, failed)


class _Editing:
    """What the node makes of an item, by everything but the fields' values."""

    def __init__(self, parameters: Mapping[str, Any], version: float) -> None:
        options = members(parameters)
        self._parameters = parameters
        self._dots = options.get("dotNotation", True) is not False
        self._lenient = options.get("ignoreConversionErrors") is True
        self._raw = parameters.get("mode") == "raw"
        self._keep = _keeper(parameters, version, self._dots)
        self._binary = _keeps_binary(parameters, options, version)
        self._copies = _copies(parameters) if parameters.get("duplicateItem") is True else 0

    def edit(
        self,
        ctx: RunContext,
        index: int,
        item: Item,
        columns: Iterable[Column],
        row: Sequence[Any],
        output: list[Item],
    ) -> None:
        json = self._keep(item["json"])
        if self._raw:
            for name, given in _object(self._parameters.get("jsonOutput")).items():
                try:
                    put(json, name, given, dots=self._dots)
                except ValueError as error:
                    raise NodeRunError(f"'{name}' can't be set: {error}") from None
        else:
            _set(json, columns, row, self._dots, self._lenient)
        made: Item = {"json": json, "pairedItem": {"item": index}}
        if self._binary and "binary" in item:
            made["binary"] = item["binary"]
        output.append(made)
        if self._copies and ctx.execution.mode == "manual":
            output.extend({**made, "json": dict(json)} for _ in range(self._copies))


def _copies(parameters: Mapping[str, Any]) -> int:
    count = parameters.get("duplicateCount")
    return min(int(count), 1000) if isinstance(count, int | float) else 0


def _old_value(kind: str, given: Any, version: float) -> Any:
    """As seen of n8n: a boolean is whether JavaScript takes the value for true, a number (since version 2) what a
    text says if it says one; everything else keeps its type."""
    given = value(given)
    if kind == "boolean":
        return given not in (None, False, 0, "") or isinstance(given, (list, dict))
    if kind == "number" and version >= 2 and isinstance(given, str):
        try:
            return to_number(given) if given.strip() else 0
        except ValueError:
            return given
    return given


def _set_old(index: int, item: Item, parameters: dict[str, Any], version: float) -> Item:
    """Versions 1 and 2: values grouped by type, on top of the item or alone."""
    only = parameters.get("keepOnlySet") is True
    dots = members(parameters).get("dotNotation", True) is not False
    json = {} if only else dict(item["json"])
    columns = (
        (entry.get("name", "propertyName"), "", _old_value(kind, entry.get("value"), version), -1)
        for kind in ("boolean", "number", "string")
        for entry in entries(parameters, "values", kind)
    )
    _set(json, columns, (), dots, lenient=True)
    made: Item = {"json": json, "pairedItem": {"item": index}}
    if "binary" in item and not only:
        made["binary"] = item["binary"]
    return made
