"""What a Code node's script gave, as items."""

from typing import Any, Final

from weft_expressions.errors import CodeFailure
from weft_expressions.scope import Item

Made = Item | CodeFailure
"""What a script gave for an item: another, or its own failure."""
_EACH_HINT: Final = (
    "In this mode a script returns one item: an object, for example { json: { name: $json.name } }."
)
_ALL_HINT: Final = "Return a list of items: return [{ json: { name: 'Ada' } }]."
_KEYS: Final = frozenset({"json", "binary", "pairedItem", "error", "index"})


def items_of_all(result: Any, kind: str, width: int, logs: tuple[str, ...]) -> list[Item]:
    """A script over all items: a list or one item; null ends the branch. A single item, or all of a single input's,
    come from item 0; as many as there were come from those at their places; others say nothing. Raises CodeFailure."""
    if kind == "null":
        return []
    if kind == "undefined":
        raise CodeFailure("The code returned nothing", description=_ALL_HINT, logs=logs)
    values = result if isinstance(result, list) else [result]
    wrapped = any(isinstance(value, dict) and "json" in value for value in values)
    made = [_item(value, index, logs, _ALL_HINT, wrapped=wrapped) for index, value in enumerate(values)]
    for index, item in enumerate(made):
        if len(made) == 1 or width == 1:
            item.setdefault("pairedItem", {"item": 0})
        elif len(made) == width:
            item.setdefault("pairedItem", {"item": index})
    return made


def items_of_each(result: Any, logs: tuple[str, ...], *, keep_failures: bool = False) -> list[Made]:
    """A script per item: results in lists of one, an empty one for undefined; null and undefined leave the item out.
    With `keep_failures`, `{"e": [message, description, line]}` is an item's failure. Raises CodeFailure."""
    made: list[Made] = []
    for index, held in enumerate(result if isinstance(result, list) else ()):
        if keep_failures and isinstance(held, dict):
            made.append(_failure(held.get("e"), index))
            continue
        if not isinstance(held, list) or not held or held[0] is None:
            continue
        try:
            made.append(_item_of_each(held[0], index, logs))
        except CodeFailure as failure:
            if not keep_failures:
                raise
            made.append(failure)
    return made


def _item_of_each(value: Any, index: int, logs: tuple[str, ...]) -> Item:
    if isinstance(value, list):
        text = "The code returned a list for one item"
        raise CodeFailure(text, description=_EACH_HINT, item_index=index, logs=logs)
    item = _item(value, index, logs, _EACH_HINT, wrapped=False)
    item["pairedItem"] = {"item": index}
    return item


def _failure(told: Any, index: int) -> CodeFailure:
    message, description, line = told if isinstance(told, list) and len(told) == 3 else ("", "", None)
    return CodeFailure(
        str(message),
        description=str(description),
        line=line if isinstance(line, int) else None,
        item_index=index,
    )


def _item(value: Any, index: int, logs: tuple[str, ...], hint: str, *, wrapped: bool) -> Item:
    """`wrapped`: other items have their fields under `json`."""
    if type(value) is dict and len(value) == 1 and type(value.get("json")) is dict:
        return value  # the commonest form is an item already, and nobody else holds it
    if not isinstance(value, dict):
        text = "A returned item is not an object"
        raise CodeFailure(text, description=hint, item_index=index, logs=logs)
    if "json" not in value and not wrapped and not ("binary" in value and value.keys() <= _KEYS):
        return {"json": value}
    unknown = value.keys() - _KEYS
    if unknown:
        text = (
            f"A returned item has `json` or stands beside such, and the field '{min(unknown)}' outside of it"
        )
        raise CodeFailure(text, description=hint, item_index=index, logs=logs)
    json = value.get("json", {})
    if not isinstance(json, dict):
        text = "The `json` of a returned item is not an object"
        raise CodeFailure(text, description=hint, item_index=index, logs=logs)
    item: Item = {"json": json}
    for name in ("binary", "pairedItem"):
        if value.get(name) is not None:
            item[name] = value[name]
    return item
