"""LDAP: entries of a directory."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, text_of, value

from weft_nodes.ldap_ import filters, names
from weft_nodes.ldap_.connection import connected
from weft_nodes.ldap_.directory import CHANGES, Directory, Entry

_LIMIT, _PAGE = 50, 1000


def _name(parameters: Mapping[str, Any], parameter: str = "dn") -> str:
    text = text_of(parameters.get(parameter)).strip()
    if not text:
        raise NodeRunError("The entry's distinguished name is missing", code="LDAP_ERROR")
    return text


def _number(given: Any, default: int) -> int:
    given = value(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        return default
    return int(given)


def _shown(held: bytes) -> Any:
    """A value as JSON has it: text, else its bytes as n8n writes them."""
    try:
        return held.decode()
    except UnicodeDecodeError:
        return {"type": "Buffer", "data": list(held)}


def _json(entry: Entry, wanted: Sequence[str]) -> dict[str, Any]:
    """A single value stands for itself; an attribute that was asked for by its name and has none is an empty list."""
    shown = {name: [_shown(each) for each in values] for name, values in entry.attributes.items()}
    names_held = {name.casefold() for name in (*shown, "dn")}
    shown |= {name: [] for name in wanted if name[:1].isalpha() and name.casefold() not in names_held}
    return {"dn": entry.dn, **{name: held[0] if len(held) == 1 else held for name, held in shown.items()}}


def _values(given: Any) -> list[bytes]:
    given = value(given)
    return [text_of(each).encode() for each in (given if isinstance(given, list) else [given])]


def _pairs(parameters: Mapping[str, Any], group: str) -> list[tuple[str, list[bytes]]]:
    """Names and values of attributes; what is given twice has both values."""
    found: dict[str, list[bytes]] = {}
    for pair in members(parameters, "attributes").get(group) or ():
        name = text_of(pair.get("id")).strip()
        if not name:
            raise NodeRunError("An attribute has no name", code="LDAP_ERROR")
        found.setdefault(name, []).extend(_values(pair.get("value")))
    return list(found.items())


def _filter(parameters: Mapping[str, Any]) -> str:
    kind = text_of(parameters.get("searchFor")) or "custom"
    if kind == "custom":
        return text_of(parameters.get("customFilter")).strip() or "(objectclass=*)"
    if not kind.startswith("("):
        kind = f"(objectclass={filters.pattern(kind)})"
    attribute = text_of(parameters.get("attribute")).strip()
    return f"(&{kind}({attribute}={filters.pattern(text_of(parameters.get('searchText')))}))"


async def _search(directory: Directory, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    options = members(parameters)
    given = value(options.get("attributes")) or []
    wanted = [text_of(each) for each in (given if isinstance(given, list) else text_of(given).split(","))]
    found = await directory.search(
        text_of(parameters.get("baseDN")).strip(),
        _filter(parameters),
        scope=text_of(options.get("scope")) or "sub",
        attributes=wanted,
        limit=0 if parameters.get("returnAll") is True else max(1, _number(parameters.get("limit"), _LIMIT)),
        page=_number(options.get("pageSize"), _PAGE),
    )
    return [_json(entry, wanted) for entry in found]


async def _update(directory: Directory, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Taking away an attribute without naming a value takes away all of them."""
    dn = _name(parameters)
    changes = [
        (how, name, [] if how == "delete" and values == [b""] else values)
        for how in CHANGES
        for name, values in _pairs(parameters, how)
    ]
    if changes:
        await directory.modify(dn, changes)
    shown = [
        {
            "operation": how,
            "modification": {"buffers": [], "type": name, "values": [_shown(each) for each in values]},
        }
        for how, name, values in changes
    ]
    return {"dn": dn, "result": "success", "changes": shown}


async def _rename(directory: Directory, parameters: Mapping[str, Any]) -> str:
    """A parent is named only where it is another one: not all servers move entries."""
    dn, target = _name(parameters), _name(parameters, "targetDn")
    (_, old), (name, new) = names.parted(dn), names.parted(target)
    await directory.rename(dn, name, "" if old.casefold() == new.casefold() else new)
    return target


async def _perform(directory: Directory, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    dn = ""
    match parameters.get("operation", "search"):
        case "search":
            return await _search(directory, parameters)
        case "compare":
            dn, attribute = _name(parameters), text_of(parameters.get("id")).strip()
            held = text_of(parameters.get("value")).encode()
            return [
                {"dn": dn, "attribute": attribute, "result": await directory.compare(dn, attribute, held)}
            ]
        case "update":
            return [await _update(directory, parameters)]
        case "create":
            dn = _name(parameters)
            await directory.add(dn, dict(_pairs(parameters, "attribute")))
        case "delete":
            dn = _name(parameters)
            await directory.delete(dn)
        case "rename":
            dn = await _rename(directory, parameters)
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")
    return [{"dn": dn, "result": "success"}]


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    async with AsyncExitStack() as stack:
        held: list[Directory] = []

        async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
            if parameters.get("nodeDebug") is True:
                ctx.log(f"LDAP: {parameters.get('operation', 'search')}, {_subject(parameters)}")
            if not held:
                secret = await ctx.credential("ldap")
                held.append(await stack.enter_async_context(connected(ctx, secret)))
            try:
                return [made(json, index) for json in await _perform(held[0], parameters)]
            except NodeRunError as error:
                if error.code in {"CONNECTION_ERROR", "PROTOCOL_ERROR", "TIMEOUT", "TOO_LARGE"}:
                    held.clear()
                    await stack.aclose()
                raise

        return [await map_items(ctx, handle)]


def _subject(parameters: Mapping[str, Any]) -> str:
    if parameters.get("operation", "search") == "search":
        return f"below '{text_of(parameters.get('baseDN'))}': {_filter(parameters)}"
    return f"'{text_of(parameters.get('dn'))}'"
