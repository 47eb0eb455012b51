"""Summarize: fields of all items, or of each group of items, made into one value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.values import compact_json, entries, members, names_in, parse_number, to_text, value

_NAMES: Final = {
    "append": "appended",
    "concatenate": "concatenated",
    "countUnique": "unique_count",
}
_EMPTY: Final = (None, "")


@dataclass(frozen=True)
class Group:
    """`keys`: the values of the fields to group by; `members`: indexes of items."""

    keys: tuple[Any, ...]
    members: list[int]


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _comparable(given: Any) -> float | None:
    if isinstance(given, bool | int | float):
        return float(given)
    return parse_number(given) if isinstance(given, str) else None


def _less(left: Any, right: Any) -> bool:
    """JavaScript's `<` of plain values."""
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    first, second = _comparable(left), _comparable(right)
    return first is not None and second is not None and first < second


def _extreme(found: Iterable[Any], before: Callable[[Any, Any], bool]) -> Any:
    best: Any = None
    for candidate in found:
        if candidate not in _EMPTY and candidate is not MISSING and (best is None or before(candidate, best)):
            best = candidate
    return best


def _text(given: Any) -> str:
    if given is MISSING:
        return "undefined"
    return "null" if given is None else str(to_text(given))


def _mark(given: Any, index: int) -> Any:
    """What makes two values the same: objects and lists are only ever the same as themselves."""
    return (type(given).__name__, index if isinstance(given, dict | list) else given)


def _separator(entry: Mapping[str, Any]) -> str:
    chosen = value(entry.get("separateBy", ","))
    return str(value(entry.get("customSeparator", "")) if chosen == "other" else chosen)


def aggregated(found: list[Any], entry: Mapping[str, Any]) -> Any:
    """One value of a field's values (MISSING where an item has none)."""
    how = entry.get("aggregation", "count")
    if how == "min":
        return _extreme(found, _less)
    if how == "max":
        return _extreme(found, lambda left, right: _less(right, left))
    if how in ("sum", "average"):
        numbers = [number for number in found if _is_number(number)]
        total = sum(numbers)
        return total if how == "sum" else total / len(numbers) if numbers else None
    if value(entry.get("includeEmpty")) is not True:
        found = [member for member in found if member is not MISSING and member not in _EMPTY]
    if how == "append":
        return [None if member is MISSING else member for member in found]
    if how == "concatenate":
        return _separator(entry).join(map(_text, found))
    if how == "countUnique":
        return len({_mark(member, index) for index, member in enumerate(found)})
    return len(found)


def _whole(result: Any) -> Any:
    return int(result) if isinstance(result, float) and result.is_integer() else result


class Summary:
    """One run: what to work out, by which fields. `text_keys`: the values to group by become texts (version 1)."""

    def __init__(self, items: list[Item], parameters: Mapping[str, Any], *, text_keys: bool = False) -> None:
        options = members(parameters)
        self._items = items
        self._text_keys = text_keys
        self._dots = options.get("disableDotNotation") is not True
        self._skip = options.get("skipEmptySplitFields") is True
        self._by = names_in(value(parameters.get("fieldsToSplitBy")))
        self._entries = [
            entry
            for entry in entries(parameters, "fieldsToSummarize", "values")
            if str(value(entry.get("field", ""))).strip()
        ]
        if not self._entries:
            raise NodeRunError(
                "No field to summarize is given", description="Add an aggregation with a field."
            )

    def _read(self, index: int, field: str) -> Any:
        return get(self._items[index]["json"], field, dots=self._dots)

    def require_fields(self) -> None:
        """Raises NodeRunError where a field is in no item."""
        for field in [*(str(entry["field"]) for entry in self._entries), *self._by]:
            if all(self._read(index, field) is MISSING for index in range(len(self._items))):
                raise NodeRunError(f"No item has the field '{field}'")

    def groups(self) -> list[Group]:
        """Nested: by the first field, inside by the second; each in the order of its first item."""
        groups = [Group((), list(range(len(self._items))))]
        for field in self._by:
            groups = [part for group in groups for part in self._parts(group, field)]
        return groups

    def _parts(self, group: Group, field: str) -> list[Group]:
        parts: dict[Any, Group] = {}
        for index in group.members:
            key = self._read(index, field)
            if self._skip and (key is MISSING or key in _EMPTY):
                continue
            if isinstance(key, dict | list):
                key = compact_json(key)
            if self._text_keys:
                key = _text(key)
            mark = (isinstance(key, bool), _is_number(key), key)
            parts.setdefault(mark, Group((*group.keys, key), [])).members.append(index)
        return list(parts.values())

    def results(self, group: Group) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for entry in self._entries:
            field, how = str(entry["field"]).strip(), str(entry.get("aggregation", "count"))
            found = [self._read(index, field) for index in group.members]
            made[f"{_NAMES.get(how, how)}_{field.replace('.', '_')}"] = _whole(aggregated(found, entry))
        return made

    def as_items(self) -> list[Item]:
        made: list[Item] = []
        for group in self.groups():
            json = self.results(group)
            for name, key in zip(reversed(self._by), reversed(group.keys), strict=True):
                if key is not MISSING:
                    json[name.replace(".", "_")] = key
            made.append({"json": json, "pairedItem": [{"item": index} for index in group.members]})
        return made

    def as_one_item(self) -> Item:
        """Groups inside groups, named by the values of the fields."""
        json: dict[str, Any] = {}
        for group in self.groups():
            holder = json
            for key in group.keys:
                holder = holder.setdefault(_text(key), {})
            holder.update(self.results(group))
        return {"json": json, "pairedItem": [{"item": index} for index in range(len(self._items))]}


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    if not ctx.items:
        return [[]]
    try:
        parameters = await ctx.parameters_for(0)
        options = members(parameters)
        summary = Summary(ctx.items, parameters, text_keys=ctx.node.version < 1.1)
        if ctx.node.version < 1.1 and options.get("continueIfFieldNotFound") is not True:
            summary.require_fields()
        single = options.get("outputFormat") == "singleItem"
        return [[summary.as_one_item()] if single else summary.as_items()]
    except NodeRunError as error:
        if not ctx.continues():
            raise
        return [[ctx.failed_item(error, 0)]]
