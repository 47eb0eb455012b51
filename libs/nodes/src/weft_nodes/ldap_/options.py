"""Classes and attributes of a directory's schema."""

import re
from typing import Final

from weft_node_sdk.options import Choice, Choices, LoadContext, Loaders, filtered

from weft_nodes.ldap_.connection import connected

_NAMES: Final = re.compile(r"\bNAME\s+(?:'([^']+)'|\(([^)]*)\))")


async def _schema(ctx: LoadContext, kind: str) -> list[str]:
    """The names that the schema has for `attributeTypes` or `objectClasses`, sorted."""
    async with connected(ctx, await ctx.credential("ldap")) as directory:
        (root,) = await directory.search("", scope="base", attributes=("subschemaSubentry",))
        place = next(iter(root.attributes.get("subschemaSubentry", [])), b"").decode()
        found = await directory.search(place, scope="base", attributes=(kind,))
    names: set[str] = set()
    for entry in found:
        for described in entry.attributes.get(kind, []):
            if match := _NAMES.search(described.decode("utf-8", "replace")):
                names.update([match.group(1)] if match.group(1) else re.findall(r"'([^']+)'", match.group(2)))
    return sorted(names, key=str.casefold)


async def attributes(ctx: LoadContext) -> Choices:
    return filtered([Choice(name, name) for name in await _schema(ctx, "attributeTypes")], ctx)


async def classes(ctx: LoadContext) -> Choices:
    """The first one: a filter of one's own."""
    found = [Choice(name, f"(objectclass={name})") for name in await _schema(ctx, "objectClasses")]
    return filtered([Choice("Custom", "custom"), *found], ctx)


LOADERS: Loaders = {"id": attributes, "attribute": attributes, "attributes": attributes, "searchFor": classes}
