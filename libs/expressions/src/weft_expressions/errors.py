"""What stands for a value that could not be had."""

from typing import Any


class ExpressionFailure(Exception):
    """An expression that failed for one item. `evaluate` puts it in the value's place; whoever reads it may raise it.

    `message` is JavaScript's own or ours; `description` says what to do; `expression` is the source between the
    braces; `item_index` counts input items from 0, None where the text itself is at fault; `leaf` is the expression's
    place among those that were evaluated together (`Compiled.places` names its parameter).
    """

    def __init__(
        self,
        message: str,
        *,
        description: str = "",
        code: str = "EXPRESSION_ERROR",
        expression: str = "",
        item_index: int | None = None,
        leaf: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.description = description
        self.code = code
        self.expression = expression
        self.item_index = item_index
        self.leaf = leaf

    def at(self, item_index: int, leaf: int) -> "ExpressionFailure":
        """The same failure, of one item."""
        return ExpressionFailure(
            self.message,
            description=self.description,
            code=self.code,
            expression=self.expression,
            item_index=item_index,
            leaf=leaf,
        )


class CodeFailure(Exception):
    """A Code node's script failed or returned what is no list of items.

    `line` counts from 1 in the script; `item_index` is set in each-item mode; `logs` is what was printed before.
    """

    def __init__(
        self,
        message: str,
        *,
        description: str = "",
        line: int | None = None,
        item_index: int | None = None,
        logs: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.description = description
        self.line = line
        self.item_index = item_index
        self.logs = logs


class EvaluatorUnavailable(Exception):
    """No evaluator process could be started, or the pool is stopped."""


def first_failure(value: Any) -> ExpressionFailure | None:
    """The first failure inside an evaluated parameter value, depth first."""
    if isinstance(value, ExpressionFailure):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        failure = first_failure(part)
        if failure is not None:
            return failure
    return None
