"""From a parsed expression to a Python closure over one item."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from weft_expressions.analysis import EXTENSIONS as METHODS
from weft_expressions.errors import ExpressionFailure
from weft_expressions.methods import CALLBACK, EXTENSIONS, FUNCTIONS, STATIC, method
from weft_expressions.parser import Node, Unsupported
from weft_expressions.scope import Item, Scope
from weft_expressions.values import (
    BINARY,
    UNDEFINED,
    Bail,
    Thrown,
    element,
    kind_of,
    member,
    to_string,
    truthy,
)


class Frame:
    """One item in its scope, and the arguments of the callbacks that run."""

    __slots__ = ("index", "json", "scope", "slots")

    def __init__(self, scope: Scope, index: int) -> None:
        self.scope = scope
        self.index = index
        self.json: Any = None
        self.slots: dict[str, Any] = {}
        self.move(index)

    def move(self, index: int) -> None:
        """To another item."""
        self.index = index
        items = self.scope.items
        self.json = items[index]["json"] if index < len(items) else {}

    @property
    def item(self) -> Item:
        items = self.scope.items
        return items[self.index] if self.index < len(items) else {"json": {}}


Run = Callable[[Frame], Any]


class _Short(Exception):
    """An optional chain ended early."""


def compile_native(node: Node) -> Run:
    """Raises Unsupported. The closure raises Bail, Thrown, or ExpressionFailure."""
    return _compile(node, frozenset())


def _compile(node: Node, local: frozenset[str]) -> Run:
    match node:
        case ("const", value):
            return lambda _: value
        case ("undefined",):
            return lambda _: UNDEFINED
        case ("name", name):
            return _compile_name(name, local)
        case ("member", _, _, False) if (path := _json_path(node)) is not None and "$json" not in local:
            return _compile_path(path)
        case ("member", _, _, False) if (found := _item_path(node)) is not None:
            return _compile_item_path(*found)
        case ("member", inner, key, optional):
            return _compile_member(inner, key, optional, local)
        case ("index", inner, key, optional):
            return _compile_index(inner, key, optional, local)
        case ("call", callee, arguments, optional):
            return _compile_call(callee, arguments, optional, local)
        case ("chain", inner):
            return _compile_chain(_compile(inner, local))
        case ("unary", operator, inner):
            return _compile_unary(operator, _compile(inner, local))
        case ("binary", operator, left, right):
            return _compile_binary(BINARY[operator], _compile(left, local), _compile(right, local))
        case ("logical", operator, left, right):
            return _LOGICAL[operator](_compile(left, local), _compile(right, local))
        case ("conditional", test, yes, no):
            return _conditional(*(_compile(part, local) for part in (test, yes, no)))
        case ("template", texts, parts):
            return _compile_template(texts, [_compile(part, local) for part in parts])
        case ("array", parts):
            runs = [_compile(part, local) for part in parts]
            return lambda frame: [run(frame) for run in runs]
    raise Unsupported


# --- names and paths ------------------------------------------------------------------------------


ROOTS: Final[dict[str, Run]] = {
    "$json": lambda frame: frame.json,
    "$itemIndex": lambda frame: frame.index,
    "$runIndex": lambda frame: frame.scope.run_index,
    "$vars": lambda frame: frame.scope.variables,
    "$execution": lambda frame: {**frame.scope.execution, "customData": {}},  # its methods are V8's
    "$workflow": lambda frame: frame.scope.workflow,
    "$prevNode": lambda frame: frame.scope.previous,
    "$parameter": lambda frame: frame.scope.parameters,
    "$binary": lambda frame: frame.item.get("binary", {}),
    "$data": lambda frame: frame.json,
    "$position": lambda frame: frame.index,
    "$thisItemIndex": lambda frame: frame.index,
    "$thisRunIndex": lambda frame: frame.scope.run_index,
}


def _compile_name(name: str, local: frozenset[str]) -> Run:
    if name in local:
        return lambda frame: frame.slots[name]
    if name not in ROOTS:
        raise Unsupported
    return ROOTS[name]


def _json_path(node: Node) -> tuple[str, ...] | None:
    """("a", "b") for `$json.a.b`"""
    keys: list[str] = []
    while node[0] == "member" and not node[3]:
        keys.append(node[2])
        node = node[1]
    return tuple(reversed(keys)) if node == ("name", "$json") else None


def _compile_path(path: tuple[str, ...]) -> Run:
    """The commonest of all expressions, without a call per step where every step is an object's own key."""

    def careful(frame: Frame) -> Any:
        value = frame.json
        for key in path:
            value = member(value, key)
        return value

    first = path[0]
    if len(path) == 1:

        def one(frame: Frame) -> Any:
            try:
                return frame.json[first]
            except (KeyError, TypeError):
                return careful(frame)

        return one
    second = path[1]
    if len(path) == 2:

        def two(frame: Frame) -> Any:
            try:
                return frame.json[first][second]
            except (KeyError, TypeError):
                return careful(frame)

        return two

    def many(frame: Frame) -> Any:
        try:
            value = frame.json
            for key in path:
                value = value[key]
        except (KeyError, TypeError):
            return careful(frame)
        return value

    return many


def _item_path(node: Node) -> tuple[str, tuple[str, ...]] | None:
    """("X", ("json", "a")) for `$('X').item.json.a`"""
    keys: list[str] = []
    while node[0] == "member" and not node[3]:
        keys.append(node[2])
        node = node[1]
    name = _node_name(node)
    return (name, tuple(keys[-2::-1])) if name is not None and keys[1:] and keys[-1] == "item" else None


def _compile_item_path(name: str, path: tuple[str, ...]) -> Run:
    """The commonest way to another node, as `_compile_path` has it."""

    def careful(frame: Frame) -> Any:
        value: Any = paired_item(frame.scope, name, frame.index)
        for key in path:
            value = member(value, key)
        return value

    def run(frame: Frame) -> Any:
        value: Any = frame.scope.ancestor(name, frame.index)
        try:
            for key in path:
                value = value[key]
        except (KeyError, TypeError):
            return careful(frame)
        return value

    return run


def _compile_member(inner: Node, key: str, optional: bool, local: frozenset[str]) -> Run:
    accessor = _node_member(inner, key) or _input_member(inner, key)
    if accessor is not None:
        return accessor
    run = _compile(inner, local)
    if optional:
        return lambda frame: member(_present(run(frame)), key)
    return lambda frame: member(run(frame), key)


def _compile_index(inner: Node, key: Node, optional: bool, local: frozenset[str]) -> Run:
    run, index = _compile(inner, local), _compile(key, local)

    def indexed(frame: Frame) -> Any:
        value = run(frame)
        if optional:
            _present(value)
        return element(value, index(frame))

    return indexed


def _present(value: Any) -> Any:
    if value is None or value is UNDEFINED:
        raise _Short
    return value


# --- other nodes and the input --------------------------------------------------------------------


def _node_name(node: Node) -> str | None:
    """X for `$('X')`, the name being a literal."""
    match node:
        case ("call", ("name", "$"), (("const", str(name)),), False):
            return name
    return None


def is_executed(scope: Scope, name: str) -> bool:
    """Raises ExpressionFailure for a node that the workflow has not."""
    if scope.outputs(name, None) is not None:
        return True
    if scope.exists(name):
        return False
    raise ExpressionFailure(
        f"Referenced node '{name}' doesn't exist",
        description="Check the name in the expression: a renamed or deleted node keeps its old name there.",
    )


def executed(scope: Scope, name: str) -> list[list[Item]]:
    """The last run's outputs. Raises ExpressionFailure with the words that say why there are none."""
    outputs = scope.outputs(name, None)
    if outputs is None:
        is_executed(scope, name)
        raise ExpressionFailure(
            f"Referenced node '{name}' hasn't been executed",
            description=f"Connect '{name}' so that it runs before this node, or check "
            f"$('{name}').isExecuted first.",
        )
    return outputs


def node_items(scope: Scope, name: str) -> list[Item]:
    """What `$('X').all()` gives."""
    outputs, index = executed(scope, name), scope.output_index(name)
    return outputs[index] if index < len(outputs) else []


def paired_item(scope: Scope, name: str, index: int) -> Item:
    """What `$('X').item` gives. Raises ExpressionFailure where there is no path."""
    found = scope.ancestor(name, index)
    if found is not None:
        return found
    executed(scope, name)
    raise ExpressionFailure(
        f"Paired item data for item from node '{name}' is unavailable",
        description=f"There is no path back from item {index} to '{name}'. A node between them gave items that do "
        f"not say where they come from: use .first(), .last() or .all() instead.",
    )


def legacy_item(scope: Scope, name: str, index: int) -> Item:
    """What `$node["X"]` shows: the item with the same index."""
    items = node_items(scope, name)
    if index < len(items):
        return items[index]
    raise ExpressionFailure(
        f"Node '{name}' has no item {index}",
        description=f"It gave {len(items)}. Use $('{name}').item for the item that this one comes from, or .first().",
    )


def _node_member(inner: Node, key: str) -> Run | None:
    name = _node_name(inner)
    if name is not None:
        if key == "item":
            return lambda frame: paired_item(frame.scope, name, frame.index)
        if key == "isExecuted":
            return lambda frame: is_executed(frame.scope, name)
        raise Unsupported
    match inner:
        case ("member", ("name", "$node"), str(legacy), False) if key == "json":
            return lambda frame: legacy_item(frame.scope, legacy, frame.index)["json"]
        case ("name", "$node") | ("member", ("name", "$node"), _, _):
            raise Unsupported
    return None


def _input_member(inner: Node, key: str) -> Run | None:
    if inner != ("name", "$input"):
        return None
    if key == "item":
        return lambda frame: frame.item
    raise Unsupported


def _accessor_call(inner: Node, key: str) -> Run | None:
    """`$input.all()`, `$('X').first()` and their like, without arguments."""
    if inner == ("name", "$input"):
        return _pick(lambda frame: list(frame.scope.items), key)
    name = _node_name(inner)
    if name is not None:
        return _pick(lambda frame: node_items(frame.scope, name), key)
    return None


def _pick(items: Run, key: str) -> Run:
    match key:
        case "all":
            return items
        case "first":
            return lambda frame: (items(frame) or [UNDEFINED])[0]
        case "last":
            return lambda frame: (items(frame) or [UNDEFINED])[-1]
    raise Unsupported


# --- calls ----------------------------------------------------------------------------------------


def _compile_call(callee: Node, arguments: tuple[Node, ...], optional: bool, local: frozenset[str]) -> Run:
    if optional:
        raise Unsupported
    match callee:
        case ("name", str(name)) if name in FUNCTIONS and name not in local:
            return _applied(FUNCTIONS[name], [_compile(part, local) for part in arguments])
        case ("member", ("name", str(owner)), str(name), False) if (
            owner,
            name,
        ) in STATIC and owner not in local:
            return _applied(STATIC[owner, name], [_compile(part, local) for part in arguments])
        case ("member", inner, str(name), bool(short)):
            accessor = _accessor_call(inner, name)
            if accessor is not None and not arguments and not short:
                return accessor
            return _compile_method(_compile(inner, local), name, arguments, short, local)
    raise Unsupported


def _applied(call: Callable[..., Any], arguments: list[Run]) -> Run:
    def apply(frame: Frame) -> Any:
        try:
            return call(*[argument(frame) for argument in arguments])
        except TypeError:
            raise Bail from None

    return apply


def _compile_method(
    inner: Run, name: str, arguments: tuple[Node, ...], short: bool, local: frozenset[str]
) -> Run:
    if len(arguments) == 1 and arguments[0][0] == "arrow" and name in CALLBACK:
        return _compile_callback(inner, name, arguments[0], short, local)
    extension = EXTENSIONS.get(name)
    runs = [_compile(part, local) for part in arguments]

    def call(frame: Frame) -> Any:
        receiver = inner(frame)
        if short:
            _present(receiver)
        if extension is not None:
            found = extension
        else:
            if receiver is None or receiver is UNDEFINED:
                if name in METHODS:
                    raise Bail  # the words are the runtime's
                member(receiver, name)
            found = method(receiver, name)
        values = [run(frame) for run in runs]
        try:
            return found(receiver, *values)
        except TypeError:
            raise Bail from None

    return call


def _compile_callback(inner: Run, name: str, arrow: Node, short: bool, local: frozenset[str]) -> Run:
    names: tuple[str, ...] = arrow[1]
    if len(names) > 2 or len(set(names)) < len(names) or local & set(names):
        raise Unsupported
    body = _compile(arrow[2], local | set(names))
    iterate = CALLBACK[name]

    def call(frame: Frame) -> Any:
        receiver = inner(frame)
        if short:
            _present(receiver)
        if type(receiver) is not list:
            member(receiver, name)
            raise Bail
        slots = frame.slots

        def each(*arguments: Any) -> Any:
            slots.update(zip(names, arguments, strict=False))
            return body(frame)

        return iterate(receiver, each)

    return call


# --- operators ------------------------------------------------------------------------------------


def _compile_chain(inner: Run) -> Run:
    def chain(frame: Frame) -> Any:
        try:
            return inner(frame)
        except _Short:
            return UNDEFINED

    return chain


def _compile_binary(operate: Callable[[Any, Any], Any], left: Run, right: Run) -> Run:
    return lambda frame: operate(left(frame), right(frame))


def _compile_unary(operator: str, inner: Run) -> Run:
    if operator == "!":
        return lambda frame: not truthy(inner(frame))
    if operator == "typeof":
        return lambda frame: kind_of(inner(frame))
    subtract = BINARY["-"]
    if operator == "-":
        return lambda frame: subtract(0, inner(frame))
    return lambda frame: subtract(inner(frame), 0)


def _conditional(test: Run, yes: Run, no: Run) -> Run:
    return lambda frame: yes(frame) if truthy(test(frame)) else no(frame)


def _and(left: Run, right: Run) -> Run:
    def both(frame: Frame) -> Any:
        value = left(frame)
        return right(frame) if truthy(value) else value

    return both


def _or(left: Run, right: Run) -> Run:
    def either(frame: Frame) -> Any:
        value = left(frame)
        return value if truthy(value) else right(frame)

    return either


def _coalesce(left: Run, right: Run) -> Run:
    def coalesce(frame: Frame) -> Any:
        value = left(frame)
        return right(frame) if value is None or value is UNDEFINED else value

    return coalesce


_LOGICAL: Final[dict[str, Callable[[Run, Run], Run]]] = {"&&": _and, "||": _or, "??": _coalesce}


def _compile_template(texts: tuple[str, ...], runs: list[Run]) -> Run:
    def concatenate(frame: Frame) -> str:
        out = [texts[0]]
        for run, following in zip(runs, texts[1:], strict=True):
            out.append(to_string(run(frame)))
            out.append(following)
        return "".join(out)

    return concatenate


def compile_mixed(parts: Sequence[str | Run], show: Callable[[Any], str]) -> Run:
    """Text with values in it, each as `show` has it."""

    def mixed(frame: Frame) -> str:
        out = []
        for part in parts:
            try:
                out.append(part if isinstance(part, str) else show(part(frame)))
            except Thrown:
                if frame.scope.strict:
                    raise
                out.append(show(UNDEFINED))
        return "".join(out)

    return mixed
