"""What a piece of JavaScript names, from its tokens alone: works for every text that has tokens, parsed or not."""

from dataclasses import dataclass, field
from typing import Final

from weft_expressions.lexer import Token, flatten
from weft_expressions.parser import RESERVED as _RESERVED
from weft_expressions.parser import Parser, Unsupported, unescape
from weft_expressions.values import INHERITED as _INHERITED

EXTENSIONS: Final = frozenset(
    [
        "isEmpty",
        "isNotEmpty",
        "toJsonString",
        "parseJson",
        "toDateTime",
        "toDate",
        "toInt",
        "toFloat",
        "toDecimalNumber",
        "toNumber",
        "toBoolean",
        "extractEmail",
        "extractDomain",
        "extractUrl",
        "extractUrlPath",
        "isEmail",
        "isUrl",
        "isDomain",
        "isNumeric",
        "toTitleCase",
        "toSnakeCase",
        "toSentenceCase",
        "toWholeNumber",
        "removeTags",
        "removeMarkdown",
        "replaceSpecialChars",
        "urlEncode",
        "urlDecode",
        "base64Encode",
        "base64Decode",
        "hash",
        "length",
        "quote",
        "first",
        "last",
        "unique",
        "removeDuplicates",
        "pluck",
        "chunk",
        "compact",
        "append",
        "average",
        "sum",
        "min",
        "max",
        "intersection",
        "difference",
        "union",
        "merge",
        "randomItem",
        "renameKeys",
        "smartJoin",
        "toSpreadsheetDate",
        "keys",
        "values",
        "hasField",
        "removeField",
        "removeFieldsContaining",
        "keepFieldsContaining",
        "round",
        "ceil",
        "floor",
        "abs",
        "isEven",
        "isOdd",
        "isInteger",
        "format",
        "plus",
        "minus",
        "extract",
        "isBetween",
        "isWeekend",
        "beginningOf",
        "endOfMonth",
        "diffTo",
        "diffToNow",
        "isDst",
        "isInLast",
    ]
)
"""n8n's own methods. A call `x.name(` becomes `x[$$.name](`: a symbol, so that no field of that name is in the way."""
_LUXON: Final = frozenset({"$now", "$today", "DateTime", "Duration", "Interval"})
_DATES: Final = frozenset(
    [
        "toDateTime",
        "format",
        "plus",
        "minus",
        "extract",
        "isBetween",
        "isWeekend",
        "beginningOf",
        "endOfMonth",
        "diffTo",
        "diffToNow",
        "isDst",
        "isInLast",
        "toDate",
    ]
)
_ROOTS: Final = _LUXON | frozenset(
    {"$", "process", "require", "module", "document", "self", "global", "Buffer", "Proxy"}
)
_FUNCTIONS: Final = frozenset({"average", "max", "min", "not", "numberList", "zip"})
"""Names of expressions that mean something where they are called."""
_ACCESSORS: Final = frozenset(
    [
        "item",
        "itemMatching",
        "pairedItem",
        "first",
        "last",
        "all",
        "params",
        "context",
        "isExecuted",
        "json",
        "binary",
    ]
)
_CHANGES: Final = frozenset(
    [
        "=",
        "+=",
        "-=",
        "*=",
        "/=",
        "%=",
        "**=",
        "<<=",
        ">>=",
        ">>>=",
        "&=",
        "|=",
        "^=",
        "&&=",
        "||=",
        "??=",
        "++",
        "--",
    ]
)
_READS: Final = (
    EXTENSIONS
    | _ACCESSORS
    | frozenset(
        [
            "map",
            "filter",
            "find",
            "findIndex",
            "findLast",
            "findLastIndex",
            "some",
            "every",
            "reduce",
            "reduceRight",
            "flatMap",
            "flat",
            "join",
            "includes",
            "indexOf",
            "lastIndexOf",
            "slice",
            "concat",
            "entries",
            "forEach",
            "at",
            "toSorted",
            "toReversed",
            "toSpliced",
            "with",
            "hasOwnProperty",
            "split",
            "replace",
            "replaceAll",
            "match",
            "matchAll",
            "test",
            "exec",
            "trim",
            "trimStart",
            "trimEnd",
            "toLowerCase",
            "toUpperCase",
            "toLocaleLowerCase",
            "toLocaleUpperCase",
            "startsWith",
            "endsWith",
            "substring",
            "substr",
            "charAt",
            "charCodeAt",
            "codePointAt",
            "padStart",
            "padEnd",
            "repeat",
            "normalize",
            "search",
            "localeCompare",
            "toFixed",
            "toPrecision",
            "toLocaleString",
            "stringify",
            "parse",
            "isArray",
            "from",
            "of",
            "isNaN",
            "isFinite",
            "now",
            "random",
            "pow",
            "sqrt",
            "trunc",
            "sign",
            "fromEntries",
            "fromCharCode",
            "getTime",
            "getFullYear",
            "getMonth",
            "getDate",
            "getDay",
            "getHours",
            "getMinutes",
            "getSeconds",
            "getMilliseconds",
            "toISOString",
            "toISO",
            "toISODate",
            "toFormat",
            "toSeconds",
            "toUnixInteger",
            "setZone",
            "setLocale",
            "startOf",
            "endOf",
            "fromISO",
            "fromMillis",
            "fromFormat",
            "fromSeconds",
            "diff",
            "toUTC",
            "toLocal",
            "toLocaleDateString",
            "toLocaleTimeString",
            "toDateString",
            "getUTCFullYear",
            "getUTCMonth",
            "getUTCDate",
            "getUTCDay",
            "UTC",
            "log",
            "valueOf",
            "has",
            "get",
        ]
    )
)
"""Methods that change nothing they are called on or given, whatever that is."""
_MUTATORS: Final = frozenset(
    [
        "pop",
        "push",
        "shift",
        "unshift",
        "splice",
        "sort",
        "reverse",
        "fill",
        "copyWithin",
        "assign",
        "set",
        "add",
    ]
)


@dataclass
class Names:
    """`nodes[X]` is how node X is used: names from {item, first, last, all, …}; with "()" after those called without
    arguments. `shared_safe`: nothing in the text can change an object, so data may be shared between evaluations.
    `fields`: of `$json` only these are read, unless `whole`."""

    roots: set[str] = field(default_factory=set)
    nodes: dict[str, set[str]] = field(default_factory=dict)
    dynamic: bool = False
    past_runs: bool = False
    shared_safe: bool = True
    fields: set[str] = field(default_factory=set)
    whole: bool = False
    refused: Token | None = None

    @property
    def libraries(self) -> frozenset[str]:
        """Which bundled libraries the text may need."""
        found = {"luxon"} if self.roots & _LUXON else set()
        return frozenset(found | ({"jmespath"} if self.roots & {"$jmespath", "$jmesPath"} else set()))

    @property
    def lineage(self) -> bool:
        followed = {"item", "item()", "itemMatching", "pairedItem", "pairedItem()"}
        return self.dynamic or any(uses & followed for uses in self.nodes.values())


def analyse(tokens: tuple[Token, ...]) -> Names:
    """Raises nothing. Superset semantics: a name that only looks like a root counts as one."""
    names = Names()
    flat = flatten(tokens)
    for at, token in enumerate(flat):
        before = flat[at - 1] if at else None
        if token.kind == "punct":
            computed = token.text == "(" and before is not None and before.text in ("]", ")", "?.")
            if token.text in _CHANGES or computed:
                names.shared_safe = False
        elif (
            token.kind == "template"
            and before is not None
            and (before.kind == "name" or before.text in ("]", ")"))
        ):
            names.shared_safe = False
        elif token.kind == "name":
            if before is not None and before.text in (".", "?.") and before.kind == "punct":
                _member(flat, at, names)
            else:
                _root(flat, at, names)
    return names


def _member(flat: list[Token], at: int, names: Names) -> None:
    called = at + 1 < len(flat) and flat[at + 1].text == "("
    if flat[at].text in _MUTATORS or (called and flat[at].text not in _READS):
        names.shared_safe = False
    if called and flat[at].text in _DATES:
        names.roots.add("DateTime")


def _root(flat: list[Token], at: int, names: Names) -> None:
    token = flat[at]
    if token.text in ("delete", "try", "with"):
        names.shared_safe = False
    following = [t.text for t in flat[at + 1 : at + 5]]
    imports = token.text == "import" and following[:1] in (["("], ["."])
    if token.text == "arguments" or token.text.startswith("$$") or imports:
        names.refused = names.refused or token
    called = token.text in _FUNCTIONS and following[:1] == ["("]
    if token.text[0] == "$" or token.text in _ROOTS or called:
        names.roots.add(token.text)
    if token.text == "$json":
        _field(flat, at, names)
    if token.text in ("$", "$items") and following[:1] == ["("]:
        if token.text == "$items" and following[1:2] == [")"]:
            return
        _reference(flat, at + 2, names, closes=(")", ","), default="all" if token.text == "$items" else "")
    elif token.text == "$node" and following[:1] == ["["]:
        _reference(flat, at + 2, names, closes=("]",), default="legacy")
    elif token.text == "$node" and following[:1] == ["."] and len(following) > 1:
        names.nodes.setdefault(following[1], set()).update(("legacy", "all"))
    elif token.text in ("$", "$node", "$items", "$item"):
        names.dynamic = True


def _field(flat: list[Token], at: int, names: Names) -> None:
    """The one field that is read of this `$json`; a method of it, or anything else, may look at all."""
    dot, key, after = (*flat[at + 1 : at + 4], None, None, None)[:3]
    if (
        dot is None
        or key is None
        or dot.text not in (".", "?.")
        or key.kind != "name"
        or key.text in _INHERITED
        or "\\" in key.text
        or (after is not None and after.text in ("(", "?."))
    ):
        names.whole = True
    else:
        names.fields.add(key.text)


def _reference(flat: list[Token], at: int, names: Names, *, closes: tuple[str, ...], default: str) -> None:
    """The literal name at `at`, and how the node is used after it."""
    literal = at + 1 < len(flat) and flat[at + 1].text in closes
    if not literal or flat[at].kind not in ("string", "template") or len(flat[at].parts) > 1:
        names.dynamic = True
        return
    try:
        name = unescape(flat[at].text[1:-1])
    except Unsupported:
        names.dynamic = True
        return
    uses = names.nodes.setdefault(name, set())
    if default:
        uses.update((default, "all"))
        names.past_runs = names.past_runs or (default == "all" and flat[at + 1].text == ",")
        return
    use = [t.text for t in flat[at + 2 : at + 6]]
    if len(use) < 2 or use[0] not in (".", "?.") or use[1] not in _ACCESSORS:
        uses.add("all")
    elif use[2:3] == ["("] and use[3:4] != [")"]:
        uses.add(use[1])
        uses.add("all")
        names.past_runs = names.past_runs or use[1] in ("all", "first", "last")
    else:
        uses.add(use[1] + "()" if use[2:3] == ["("] else use[1])


def assigned(tokens: tuple[Token, ...]) -> set[str]:
    """Names that are assigned to, declared or not: `x = 1`, `x += 1`, `x++`, `for (x of …)`."""
    flat = flatten(tokens)
    found = set()
    for at, token in enumerate(flat):
        before = flat[at - 1].text if at else ""
        after = flat[at + 1].text if at + 1 < len(flat) else ""
        if token.kind != "name" or before in (".", "?.") or token.text in _RESERVED:
            continue
        if after in _CHANGES or before in ("++", "--") or (before == "(" and after in ("of", "in")):
            found.add(token.text)
    return found


def rewritten(source: str, tokens: tuple[Token, ...]) -> str:
    """The source with calls of n8n's methods made calls by symbol. Raises nothing."""
    edits: list[tuple[int, int, str]] = []
    flat = flatten(tokens)
    for at, token in enumerate(flat):
        if at == 0 or token.text not in EXTENSIONS:
            continue
        before, after = flat[at - 1], [each.text for each in flat[at + 1 : at + 3]]
        # `$json.first?.name` names a field
        called = after[:1] == ["("] or after == ["?.", "("]
        if called and before.text in (".", "?.") and before.kind == "punct":
            dot = "?." if before.text == "?." else ""
            edits.append((before.start, token.end, f"{dot}[$$.{token.text}]"))
    for start, end in _receivers(tokens):
        edits += [(start, start, "$$null("), (end, end, ")")]
    edits += _choices(flat)
    edits.sort(key=lambda edit: (edit[0], edit[1]))
    out: list[str] = []
    at = 0
    for start, end, replacement in edits:
        out += (source[at:start], replacement)
        at = end
    return "".join(out) + source[at:]


def _choices(flat: list[Token]) -> list[tuple[int, int, str]]:
    """`$if(a, b, c)` is `((a)?(b):(c))`: only the part that is chosen is evaluated."""
    edits: list[tuple[int, int, str]] = []
    for at, token in enumerate(flat[:-1]):
        if token.text == "$if" and token.kind == "name" and flat[at + 1].text == "(":
            marks = _arguments(flat, at + 1)
            if len(marks) not in (2, 3):
                continue
            words = [")?(", "):(", "))"] if len(marks) == 3 else [")?(", "):undefined)"]
            edits.append((token.start, flat[at + 1].end, "(("))
            edits += [(mark.start, mark.end, word) for mark, word in zip(marks, words, strict=True)]
    return edits


def _arguments(flat: list[Token], opening: int) -> list[Token]:
    """The commas between the arguments of the call whose bracket is at `opening`, and the closing bracket."""
    marks: list[Token] = []
    depth = 0
    for token in flat[opening:]:
        if token.kind != "punct":
            continue
        depth += (token.text in "([{") - (token.text in ")]}")
        if depth == 0:
            return [*marks, token]
        if depth == 1 and token.text == ",":
            marks.append(token)
    return []


def _receivers(tokens: tuple[Token, ...]) -> list[tuple[int, int]]:
    parser = Parser(tokens, EXTENSIONS)
    try:
        parser.parse()
    except (Unsupported, RecursionError):
        return []
    return parser.receivers
