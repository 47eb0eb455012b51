"""Edit Fields: sets fields of each item, one by one or as JSON, and says which others stay."""

from collections.abc import Iterable, Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.paths import MISSING, drop, get, put
from weft_node_sdk.values import (
    CONVERSIONS,
    NotConvertible,
    article,
    checked,
    entries,
    members,
    names_in,
    shown,
    to_number,
    value,
)

Field = tuple[str, str, Any]
"""Name, type, value."""

_PLAIN = {"string": frozenset({str}), "number": frozenset({int, float}), "boolean": frozenset({bool})}


def _fields(parameters: Mapping[str, Any], version: float) -> Iterable[Field]:
    if version >= 3.3:
        held = value(parameters.get("assignments"))
        listed = held.get("assignments") if isinstance(held, dict) else held
        for entry in listed if isinstance(listed, list) else ():
            yield entry.get("name", ""), entry.get("type", "string"), entry.get("value")
    else:
        for entry in entries(parameters, "fields", "values"):
            kind = entry.get("type", "stringValue")
            yield entry.get("name", ""), kind.removesuffix("Value"), entry.get(kind)


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


def _kept(json: dict[str, Any], parameters: Mapping[str, Any], version: float, dots: bool) -> dict[str, Any]:
    """The fields of the input that stay: a copy that may be changed on top."""
    include = parameters.get("include", "all")
    if version >= 3.3 and parameters.get("includeOtherFields") is not True:
        include = "none"
    if include == "none":
        return {}
    if include == "selected":
        kept: dict[str, Any] = {}
        for name in names_in(value(parameters.get("includeFields"))):
            found = get(json, name, dots=dots)
            if found is not MISSING:
                put(kept, name, found, dots=dots)
        return kept
    kept = dict(json)
    if include == "except":
        for name in names_in(value(parameters.get("excludeFields"))):
            drop(kept, name, dots=dots)
    return kept


def _keeps_binary(parameters: Mapping[str, Any], options: Mapping[str, Any], version: float) -> bool:
    if version >= 3.4:
        return parameters.get("includeOtherFields") is True and options.get("stripBinary") is not True
    return options.get("includeBinary", True) is not False


def _object(given: Any) -> dict[str, Any]:
    """The JSON mode's object, from a text or an expression's value. Raises NodeRunError."""
    given = checked(given)
    if isinstance(given, str):
        try:
            given = parse_json(given)
        except ValueError as error:
            raise NodeRunError(f"The JSON output is not valid JSON: {error}") from None
    if not isinstance(given, dict):
        raise NodeRunError(
            f"The JSON output must be an object, not {shown(given)}",
            description='Write it as {"name": value}.',
        )
    return given


def _set(json: dict[str, Any], fields: Iterable[Field], dots: bool, lenient: bool) -> None:
    for name, kind, given in fields:
        plain = _PLAIN.get(kind)
        if plain is None or type(given) not in plain:
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
        options = members(parameters)
        dots = options.get("dotNotation", True) is not False
        json = _kept(item["json"], parameters, version, dots)
        if parameters.get("mode") == "raw":
            json.update(_object(parameters.get("jsonOutput")))
        else:
            lenient = options.get("ignoreConversionErrors") is True
            _set(json, _fields(parameters, version), dots, lenient)
        made: Item = {"json": json, "pairedItem": {"item": index}}
        if "binary" in item and _keeps_binary(parameters, options, version):
            made["binary"] = item["binary"]
        output.append(made)
        if parameters.get("duplicateItem") is True and ctx.execution.mode == "manual":
            output.extend({**made, "json": dict(json)} for _ in range(_copies(parameters)))

    def handle_old(index: int, item: Item, parameters: dict[str, Any]) -> None:
        output.append(_set_old(index, item, parameters, version))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle if version >= 3 else handle_old, failed)
    return [output]


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
    fields = (
        (entry.get("name", "propertyName"), "", _old_value(kind, entry.get("value"), version))
        for kind in ("boolean", "number", "string")
        for entry in entries(parameters, "values", kind)
    )
    _set(json, fields, dots, lenient=True)
    made: Item = {"json": json, "pairedItem": {"item": index}}
    if "binary" in item and not only:
        made["binary"] = item["binary"]
    return made
