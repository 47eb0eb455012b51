"""Values of compiled parameters, per item: natively where that is exact, the rest in one crossing to V8."""

from collections.abc import Sequence
from typing import Any, Final

from weft_expressions.errors import EvaluatorUnavailable, ExpressionFailure
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.native import Frame
from weft_expressions.request import Unit, answers, build
from weft_expressions.scope import Scope
from weft_expressions.template import Compiled, Leaf
from weft_expressions.turns import give_way
from weft_expressions.values import Bail, Thrown, border

_AT_ONCE: Final = 250
"""Items between two looks at what else there is to do: a few milliseconds."""

_SIMPLE: Final = frozenset({int, float, str, bool, dict})
"""Values of these types are JSON as they are."""


async def evaluate(
    compiled: Sequence[Compiled], scope: Scope, item_count: int, evaluator: EvaluatorPool, project_id: str
) -> list[list[Any]]:
    """`rows[item][k]` is the value of `compiled[k]` for that item; items count from 0, `item_count` may be over
    `len(scope.items)` (no input: evaluate once over an empty item). Constant parts and values taken from the input
    are shared between rows and with the scope: read only. A failed expression leaves an ExpressionFailure in its
    place. What cannot be had natively crosses to V8 once, for all items and expressions together."""
    leaves = [leaf for each in compiled for leaf in each.leaves]
    if not leaves:
        return [[each.value for each in compiled]] * item_count
    rows = await leaf_values(leaves, scope, item_count, evaluator, project_id)
    if len(compiled) == 1:
        return [[value] for value in await assembled(compiled[0], rows)]
    return [_assembled(compiled, row) for row in rows]


async def leaf_values(
    leaves: Sequence[Leaf], scope: Scope, item_count: int, evaluator: EvaluatorPool, project_id: str
) -> list[list[Any]]:
    """As `evaluate`, for the expressions alone: `rows[item][k]` is the value of `leaves[k]`."""
    rows: list[list[Any]] = []
    missing: list[Unit] = []
    for first in range(0, item_count, _AT_ONCE):
        if first:
            await give_way()
        found, left = native_values(leaves, scope, min(_AT_ONCE, item_count - first), first)
        rows += found
        missing += left
    if missing:
        await _cross(leaves, missing, rows, scope, evaluator, project_id)
    return rows


async def assembled(compiled: Compiled, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The whole value per item, of the values of its leaves."""
    made: list[Any] = []
    for first in range(0, len(rows), _AT_ONCE):
        if first:
            await give_way()
        made += map(compiled.build, rows[first : first + _AT_ONCE])
    return made


def _bail(_: Frame) -> Any:
    raise Bail


def native_values(
    leaves: Sequence[Leaf], scope: Scope, item_count: int, first: int = 0
) -> tuple[list[list[Any]], list[Unit]]:
    """Of the items from `first` on: (`rows[item][leaf]`, (leaf, item) pairs that only V8 can tell)."""
    rows: list[list[Any]] = []
    missing: list[Unit] = []
    runs = [leaf.native or _bail for leaf in leaves]
    frame = Frame(scope, first)
    for index in range(first, first + item_count):
        frame.move(index)
        row: list[Any] = []
        for at, run in enumerate(runs):
            try:
                value = run(frame)
                row.append(value if type(value) in _SIMPLE else border(value))
            except Bail:
                missing.append((at, index))
                row.append(None)
            except Thrown as error:
                row.append(_thrown(error, leaves[at]).at(index, at) if scope.strict else None)
            except ExpressionFailure as failure:
                failure.expression = leaves[at].text.strip()
                row.append(failure.at(index, at))
        rows.append(row)
    return rows, missing


def _thrown(error: Thrown, leaf: Leaf) -> ExpressionFailure:
    return ExpressionFailure(str(error), description=hint(str(error)), expression=leaf.text.strip())


def hint(message: str) -> str:
    """What to do about an error of JavaScript's own."""
    if message.startswith("Cannot read properties of"):
        return "A part of the path is missing in this item. Use ?. where it may be, or ?? with a default."
    if message.endswith("is not defined"):
        return "Check the spelling: data is reached by $json, $input or $('Node name')."
    if message.endswith("is not a function"):
        return "The value has another type than the method needs, or the method's name is misspelt."
    return ""


async def _cross(
    leaves: Sequence[Leaf],
    missing: list[Unit],
    rows: list[list[Any]],
    scope: Scope,
    evaluator: EvaluatorPool,
    project_id: str,
) -> None:
    """Fills in what V8 says for the `missing` places of `rows`."""
    units = []
    for unit in missing:
        failure = leaves[unit[0]].failure
        if failure is None:
            units.append(unit)
        else:
            rows[unit[1]][unit[0]] = failure.at(unit[1], unit[0])
    if not units:
        return
    units.sort()
    try:
        reply = await evaluator.run(project_id, build(leaves, units, scope))
    except EvaluatorUnavailable as error:
        broken = ExpressionFailure(str(error), code="EVALUATOR_UNAVAILABLE")
        for leaf, item in units:
            rows[item][leaf] = broken.at(item, leaf)
        return
    for (leaf, item), value in zip(units, answers(reply, len(units), scope), strict=True):
        if isinstance(value, ExpressionFailure):
            value.expression = leaves[leaf].text.strip()
            value.item_index, value.leaf = item, leaf
            value.description = value.description or hint(value.message)
        rows[item][leaf] = value


def _assembled(compiled: Sequence[Compiled], row: list[Any]) -> list[Any]:
    out: list[Any] = []
    at = 0
    for each in compiled:
        if each.constant:
            out.append(each.value)
            continue
        end = at + len(each.leaves)
        out.append(each.build(row[at:end]))
        at = end
    return out
