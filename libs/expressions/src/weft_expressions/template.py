"""`=` parameter values: text with `{{ }}` segments, each a piece of JavaScript."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from weft_expressions.analysis import Names, analyse, rewritten
from weft_expressions.errors import ExpressionFailure
from weft_expressions.lexer import LexicalError, Token, tokenize
from weft_expressions.native import Run, compile_mixed, compile_native
from weft_expressions.parser import Parser, Unsupported
from weft_expressions.rebuilding import Build, Place, rebuild
from weft_expressions.values import text as as_text
from weft_expressions.values import to_string


@dataclass(frozen=True)
class Segment:
    """The JavaScript between two braces; `start` is its place in the whole text."""

    source: str
    start: int
    tokens: tuple[Token, ...] = ()
    error: ExpressionFailure | None = None


@dataclass(frozen=True)
class Leaf:
    """One text with segments: the unit that is evaluated. `native` is None where V8 must do it; `script` is a
    JavaScript expression for the whole text; `failure` is set where it can never be evaluated."""

    text: str
    native: Run | None
    script: str
    names: Names
    failure: ExpressionFailure | None = None


Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Compiled:
    """A parameter value, any JSON tree, with its templates found and compiled."""

    constant: bool
    """No expression in it; `value` is it."""
    value: Any
    leaves: tuple[Leaf, ...]
    references: frozenset[str]
    """Names of nodes whose output it reads: `$('X')`, `$node["X"]`, `$items("X")`."""
    lineage: bool
    """It follows items back: `.item`, `.itemMatching()`, `.pairedItem()`, `$node[..]`."""
    past_runs: bool
    """It names a run by number, so older runs of `references` are needed."""
    dynamic_reference: bool
    """It computes a node's name: any node may be meant."""
    places: tuple[Path, ...]
    """Where in the tree each of `leaves` stands."""
    build: Build
    """The tree with the values of `leaves` in it, in their order; constant parts are shared."""

    @property
    def failures(self) -> tuple[ExpressionFailure, ...]:
        """Texts that can never be evaluated, for the check of a document."""
        return tuple(leaf.failure for leaf in self.leaves if leaf.failure is not None)


def compile_value(value: Any) -> Compiled:
    """Never raises; what does not parse fails when evaluated."""
    leaves: dict[Path, Leaf] = {}
    tree = _planned(value, leaves, ())
    return _compiled(tree, rebuild(tree) if leaves else None, leaves)


def compile_text(text: str) -> Compiled:
    """A text whose `{{ }}` count without a leading `=` (HTML); undefined prints as "undefined", null as "null"."""
    leaf = compile_leaf(text, html=True)
    if isinstance(leaf, str):
        return _compiled(text, None, {})
    return _compiled(text, lambda values: values[0], {(): leaf})


def _compiled(value: Any, build: Build | None, leaves: dict[Path, Leaf]) -> Compiled:
    names = [leaf.names for leaf in leaves.values()]
    return Compiled(
        constant=not leaves,
        value=value,
        leaves=tuple(leaves.values()),
        references=frozenset(node for each in names for node in each.nodes),
        lineage=any(each.lineage for each in names),
        past_runs=any(each.past_runs for each in names),
        dynamic_reference=any(each.dynamic for each in names),
        places=tuple(leaves),
        build=build or (lambda _: value),
    )


def _planned(value: Any, leaves: dict[Path, Leaf], path: Path) -> Any:
    """`value` with Places for its templates; a new tree, so that nothing of the document is shared with results."""
    if isinstance(value, str):
        if not value.startswith("="):
            return value
        leaf = compile_leaf(value[1:])
        if isinstance(leaf, str):
            return leaf
        leaves[path] = leaf
        return Place(len(leaves) - 1)
    if isinstance(value, list):
        return [_planned(part, leaves, (*path, index)) for index, part in enumerate(value)]
    if isinstance(value, dict):
        return {key: _planned(part, leaves, (*path, key)) for key, part in value.items()}
    return value


@lru_cache(maxsize=8192)
def compile_leaf(text: str, *, html: bool = False) -> Leaf | str:
    """The text after the `=`; a plain str where it has no segment."""
    parts = split(text)
    segments = [part for part in parts if isinstance(part, Segment)]
    if not segments:
        return text
    names = analyse(tuple(token for segment in segments for token in segment.tokens))
    failure = next((segment.error for segment in segments if segment.error), None) or _refused(names, text)
    if failure is not None:
        return Leaf(text, None, "", names, failure)
    whole = len(parts) == 1 and not html
    return Leaf(text, _native(parts, whole, html), _script(parts, whole, html), names)


def _refused(names: Names, text: str) -> ExpressionFailure | None:
    if names.refused is None:
        return None
    return ExpressionFailure(
        f"The name '{names.refused.text}' is not allowed in expressions",
        description="Use another name.",
        expression=text,
    )


def _native(parts: list[str | Segment], whole: bool, html: bool) -> Run | None:
    runs: list[str | Run] = []
    for part in parts:
        if isinstance(part, str):
            runs.append(part)
            continue
        try:
            runs.append(compile_native(Parser(part.tokens).parse() if part.tokens else ("undefined",)))
        except (Unsupported, RecursionError):
            return None
    if whole:
        return runs[0] if callable(runs[0]) else None
    return compile_mixed(runs, to_string if html else as_text)


def _script(parts: list[str | Segment], whole: bool, html: bool) -> str:
    sources = []
    for part in parts:
        if isinstance(part, str):
            sources.append(_quoted(part))
        else:
            source = rewritten(part.source, part.tokens) if part.tokens else "undefined"
            sources.append(
                f"({source}\n)" if whole else f"{'$$html' if html else '$$text'}(()=>({source}\n))"
            )
    return "+".join(sources)


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{text}"'


def split(text: str) -> list[str | Segment]:
    """Text and segments in turn. What is opened and never closed is text."""
    parts: list[str | Segment] = []
    at = 0
    start = 0
    while (begin := text.find("{{", start)) >= 0:
        if begin > at and text[begin - 1] == "\\":
            start = begin + 2  # \{{ is text
            continue
        segment, end = _segment(text, begin + 2)
        if segment is None:
            break
        if begin > at:
            parts.append(text[at:begin])
        parts.append(segment)
        at = start = end + 2
    if at < len(text):
        parts.append(text[at:])
    return parts


def _segment(text: str, start: int) -> tuple[Segment | None, int]:
    """The segment that starts at `start`, and where its closing braces are."""
    try:
        tokens, end = tokenize(text, start, stop="}}")
        if end >= 0:
            return _segment_of(text, start, end, tokens), end
    except LexicalError:
        pass
    except RecursionError:
        return _failed(text, start, LexicalError("the expression is nested too deeply", start))
    end = text.find("}}", start)
    if end < 0:
        return None, end
    try:
        tokens, _ = tokenize(text[:end], start)
    except LexicalError as error:
        return _failed(text, start, error)
    return _segment_of(text, start, end, tokens), end


def _segment_of(text: str, start: int, end: int, tokens: tuple[Token, ...]) -> Segment:
    """Positions of `tokens` are made relative to the segment. The value is that of the first statement, as in n8n."""
    first = _first_statement(tokens)
    if first < len(tokens):
        end, tokens = tokens[first].start, tokens[:first]
    source = text[start:end]
    if start and tokens:
        tokens, _ = tokenize(source)
    return Segment(source, start, tokens)


def _first_statement(tokens: tuple[Token, ...]) -> int:
    """How many tokens come before its semicolon."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.kind == "punct":
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == ";" and depth == 0 and at:
                return at
    return len(tokens)


def _failed(text: str, start: int, error: LexicalError) -> tuple[Segment, int]:
    end = max(text.find("}}", start), start)
    source = text[start:end]
    failure = ExpressionFailure(
        f"Syntax error: {error.message}",
        description=f"At character {error.position - start + 1} of the expression.",
        expression=source.strip(),
    )
    return Segment(source, start, error=failure), end
