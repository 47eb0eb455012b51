"""Evaluates `filter` parameters (If, Filter, Switch): `{options, conditions: [{leftValue, operator,
rightValue}], combinator}`.

Strict validation refuses a value of another type, on either side; loose converts it, and refuses what can't be
converted. Loosely every value is a boolean: by JavaScript's rule, and since version 2 of the filter's options the texts
"false" and "0" are false. null is of every type and fulfils only the operations that ask for it (not exists, empty, and
the negated ones).
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from weft_node_sdk import dates, values
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.display import same
from weft_node_sdk.values import NotConvertible, article, shown, type_name

_READY: Final = {"number": frozenset({int, float}), "string": frozenset({str})}
"""Values of these types need no conversion."""
Test = Callable[[Any, Any], bool]
Columns = Mapping[tuple[str | int, ...], int]
Fulfilled = Callable[[Sequence[Any]], bool]


def _regex(left: Any, right: Any) -> bool:
    from weft_node_sdk.patterns import found

    return found(right or "", left or "")


def _negated(test: Test) -> Test:
    return lambda left, right: not test(left, right)


def _both(test: Test) -> Test:
    return lambda left, right: left is not None and right is not None and test(left, right)


def _contains(left: Any, right: Any) -> bool:
    return any(same(member, right) for member in left or ())


def _length(test: Test) -> Test:
    return lambda left, right: right is not None and test(len(left or ()), right)


def _empty(left: Any, _: Any) -> bool:
    return not left


_STRING: Mapping[str, Test] = {
    "equals": operator.eq,
    "contains": lambda left, right: (right or "") in (left or ""),
    "startsWith": lambda left, right: (left or "").startswith(right or ""),
    "endsWith": lambda left, right: (left or "").endswith(right or ""),
    "regex": _regex,
}
_NUMBER: Mapping[str, Test] = {
    "equals": operator.eq,
    "notEquals": operator.ne,
    "gt": _both(operator.gt),
    "lt": _both(operator.lt),
    "gte": _both(operator.ge),
    "lte": _both(operator.le),
}
_DATE: Mapping[str, Test] = {
    "equals": operator.eq,
    "notEquals": operator.ne,
    "after": _both(operator.gt),
    "before": _both(operator.lt),
    "afterOrEquals": _both(operator.ge),
    "beforeOrEquals": _both(operator.le),
}
_BOOLEAN: Mapping[str, Test] = {
    "true": lambda left, _: left is True,
    "false": lambda left, _: not left,
    "equals": operator.is_,
    "notEquals": operator.is_not,
}
_ARRAY: Mapping[str, Test] = {
    "contains": _contains,
    "notContains": _negated(_contains),
    "lengthEquals": _length(operator.eq),
    "lengthNotEquals": _length(operator.ne),
    "lengthGt": _length(operator.gt),
    "lengthLt": _length(operator.lt),
    "lengthGte": _length(operator.ge),
    "lengthLte": _length(operator.le),
}
_ANY: Mapping[str, Test] = {
    "exists": lambda left, _: left is not None,
    "notExists": lambda left, _: left is None,
    "empty": _empty,
    "notEmpty": _negated(_empty),
}
_NULL_ONLY_EMPTY: Mapping[str, Test] = {
    **_ANY,
    "empty": lambda left, _: left is None,
    "notEmpty": lambda left, _: left is not None,
}
_UNARY: Final = frozenset({*_ANY, "true", "false"})
OPERATIONS: Final[Mapping[str, Mapping[str, Test]]] = {
    "string": {
        **_ANY,
        **_STRING,
        **{f"not{name[0].upper()}{name[1:]}": _negated(test) for name, test in _STRING.items()},
    },
    "number": {**_NULL_ONLY_EMPTY, **_NUMBER},
    "dateTime": {**_NULL_ONLY_EMPTY, **_DATE},
    "boolean": {**_NULL_ONLY_EMPTY, **_BOOLEAN},
    "array": {**_ANY, **_ARRAY},
    "object": _ANY,
}
"""Type and operation to test; the right value of a unary one is ignored."""


def _right_type(kind: str, operation: str) -> str:
    if kind == "array":
        return "number" if operation.startswith("length") else "any"
    return kind


class Matcher:
    """One filter parameter of one node run. `loose` and `ignore_case` widen what the filter's own options
    say."""

    __slots__ = ("_converted_text", "_ignore_case", "_loose", "_timezone")

    def __init__(
        self, *, loose: bool = False, ignore_case: bool = False, timezone: str = "UTC", version: float = 2
    ) -> None:
        self._loose = loose
        self._ignore_case = ignore_case
        self._timezone = timezone
        # since version 2.3 of If and Filter a date that can't be read is called a failed conversion
        self._converted_text = version >= 2.3

    def matches(self, conditions: Any) -> bool:
        """Whether the values fulfil the conditions; without any they do. Raises NodeRunError for a wrong
        type, an unknown operation or an expression that failed."""
        return self.prepared(conditions, {})(())

    def prepared(self, conditions: Any, columns: Columns) -> Fulfilled:
        """The test of one row of values. `columns` says where in it a condition's value is: `{(0, "leftValue"): 0}`;
        the values that it doesn't name are those of `conditions`. Raises as `matches`, some of it when called."""
        if type(conditions) is not dict:
            values.value(conditions)
            return lambda _: True
        listed = values.value(conditions.get("conditions"))
        if not listed:
            return lambda _: True
        if type(listed) is not list:
            return _refused(f"The conditions must be a list, not {shown(listed)}")
        options = values.members(conditions)
        loose = self._loose or options.get("typeValidation") == "loose"
        folded = self._ignore_case or options.get("caseSensitive") is False
        wanted = conditions.get("combinator") == "or"
        version = options.get("version")
        words = frozenset({"false", "0"} if isinstance(version, int | float) and version >= 2 else ())
        tests = [
            self._prepared(condition, number, columns, words if loose else None, folded)
            for number, condition in enumerate(listed)
        ]
        if len(tests) == 1:
            return tests[0]

        def fulfilled(row: Sequence[Any]) -> bool:
            for test in tests:
                if test(row) is wanted:
                    return wanted
            return not wanted

        return fulfilled

    def _prepared(
        self,
        condition: Mapping[str, Any],
        number: int,
        columns: Columns,
        loose: frozenset[str] | None,
        folded: bool,
    ) -> Fulfilled:
        """`loose`: the texts that are false by loose validation; None for a strict one."""
        if type(values.value(condition)) is not dict:
            return _refused(f"Condition {number + 1} must be an object, not {shown(condition)}")
        how = values.members(condition, "operator")
        kind = values.text_of(how.get("type", "string"))
        operation = values.text_of(how.get("operation", "equals"))
        test = OPERATIONS.get(kind, {}).get(operation)
        fixed_left, fixed_right = condition.get("leftValue"), condition.get("rightValue")
        left_at, right_at = columns.get((number, "leftValue")), columns.get((number, "rightValue"))
        ready = _READY.get(kind, frozenset())

        def fulfilled(row: Sequence[Any]) -> bool:
            if test is None:
                raise NodeRunError(f"Condition {number + 1} has an unknown operation: {kind} {operation}")
            left = fixed_left if left_at is None else row[left_at]
            right = fixed_right if right_at is None else row[right_at]
            if type(left) not in ready or type(right) not in ready:
                left = values.value(left)
                if operation in ("exists", "notExists"):
                    return test(left, None)
                left = self._converted(left, kind, number, loose)
                if operation in _UNARY:
                    right = None
                else:
                    right = self._converted(values.value(right), _right_type(kind, operation), number, loose)
            if folded:
                left, right = _folded(operation, left, right)
            return test(left, right)

        return fulfilled

    def _converted(self, given: Any, kind: str, number: int, loose: frozenset[str] | None) -> Any:
        """The value in its type. Raises NodeRunError."""
        if given is None or kind == "any":
            return given
        if kind == "dateTime":
            return self._date(given, number, loose is not None)
        if type_name(given) == kind:
            return given
        if loose is None:
            raise _wrong_type(given, kind, number)
        if kind == "boolean":
            return given.lower() not in {"", *loose} if isinstance(given, str) else given != 0
        try:
            return values.CONVERSIONS[kind](given)
        except NotConvertible as error:
            raise NodeRunError(f"Conversion error: {error} (condition {number + 1})") from None

    def _date(self, given: Any, number: int, loose: bool) -> datetime:
        usable = isinstance(given, str) or (loose and isinstance(given, int | float))
        moment = dates.parse(given, self._timezone) if usable else None
        if moment is None:
            if loose or self._converted_text:
                raise NodeRunError(
                    f"Conversion error: {shown(given)} can't be read as a dateTime (condition {number + 1})"
                )
            raise _wrong_type(given, "dateTime", number)
        return moment


def _refused(message: str) -> Fulfilled:
    def fulfilled(_: Sequence[Any]) -> bool:
        raise NodeRunError(message)

    return fulfilled


def _wrong_type(given: Any, kind: str, number: int) -> NodeRunError:
    return NodeRunError(
        f"Wrong type: {shown(given)} is {article(type_name(given))} but {article(kind)} is expected "
        f"(condition {number + 1})",
        description="Convert the value to that type, change the condition's type, or let the node convert "
        "types where required.",
    )


def _folded(operation: str, left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides without case; a pattern that says nothing of it ignores it."""
    if "egex" not in operation:
        return _fold(left), _fold(right)
    bare = isinstance(right, str) and not right.startswith("/")
    return left, f"/{right}/i" if bare else right


def _fold(given: Any) -> Any:
    if isinstance(given, str):
        return given.lower()
    return [_fold(member) for member in given] if isinstance(given, list) else given
