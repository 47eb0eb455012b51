"""Values of compiled parameters, per item."""

from collections.abc import Sequence
from typing import Any

from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import Compiled


async def evaluate(
    compiled: Sequence[Compiled], scope: Scope, item_count: int, evaluator: EvaluatorPool, project_id: str
) -> list[list[Any]]:
    """`rows[item][k]` is the value of `compiled[k]` for that item; items count from 0, `item_count` may be over
    `len(scope.items)` (no input: evaluate once over an empty item). Constant parts and values taken from the input
    are shared between rows and with the scope: read only. A failed expression leaves an ExpressionFailure in its
    place. What cannot be had natively crosses to V8 once, for all items and expressions together."""
    raise NotImplementedError
