"""A JSON tree with changing places, rebuilt for every item: the path of every parameter of every node.

The shape becomes one Python expression, in which only names of our own making stand; keys and constant parts are
reached by these names. It takes a tenth of the time of closures that call each other.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

Build = Callable[[Sequence[Any]], Any]
DEEPEST: Final = 60
"""Python's parser allows some 90 brackets within each other."""


class Place(NamedTuple):
    """Stands in a tree for value number `at`."""

    at: int


def rebuild(tree: Any) -> Build:
    """`tree`, its lists and dicts that hold no Place being shared between results."""
    constants: list[Any] = []
    body = _source(tree, constants, 0)
    names = ",".join(f"c{number}" for number in range(len(constants)))
    made: Build = eval(f"lambda {names}: lambda v: {body}", {"__builtins__": {}})(*constants)  # noqa: S307
    return made


def changes(tree: Any) -> bool:
    """Whether there is a Place in it."""
    if isinstance(tree, Place):
        return True
    if isinstance(tree, dict):
        return any(changes(part) for part in tree.values())
    return isinstance(tree, list) and any(changes(part) for part in tree)


def _source(tree: Any, constants: list[Any], depth: int) -> str:
    def constant(value: Any) -> str:
        constants.append(value)
        return f"c{len(constants) - 1}"

    if isinstance(tree, Place):
        return f"v[{tree.at}]"
    if not changes(tree):
        return constant(tree)
    if depth >= DEEPEST:
        return f"{constant(rebuild(tree))}(v)"
    if isinstance(tree, dict):
        parts = (f"{constant(key)}:{_source(part, constants, depth + 1)}" for key, part in tree.items())
        return "{" + ",".join(parts) + "}"
    return "[" + ",".join(_source(part, constants, depth + 1) for part in tree) + "]"
