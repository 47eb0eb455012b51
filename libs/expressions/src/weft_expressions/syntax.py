"""Whether texts are JavaScript at all, as V8 sees them, or Python, as CPython does. Nothing of them is run but what a
JavaScript text smuggles out of its function, and that in the jail."""

import contextlib
from collections.abc import Sequence
from typing import Final, Literal

import orjson

from weft_expressions.analysis import Names, rewritten
from weft_expressions.errors import EvaluatorUnavailable, ExpressionFailure
from weft_expressions.evaluator import EvaluatorPool, Interrupted
from weft_expressions.lexer import LexicalError, tokenize
from weft_expressions.request import answers, build
from weft_expressions.scope import Scope
from weft_expressions.template import Leaf, compile_value

MARK: Final = "Syntax error:"
_SECONDS: Final = 1.5

Written = Literal["expression", "javascript", "python"]
"""A parameter's value with its `=`, or a script."""


async def check(texts: Sequence[tuple[str, Written]], pool: EvaluatorPool, project_id: str) -> list[str]:
    """What is wrong with each text, empty where nothing is. Raises EvaluatorUnavailable."""
    found = [""] * len(texts)
    python = [place for place, (_, written) in enumerate(texts) if written == "python"]
    if python:
        errors = await _python([texts[place][0] for place in python], pool)
        for place, error in zip(python, errors, strict=True):
            found[place] = f"{MARK} {error}" if error else ""
    leaves: list[Leaf] = []
    owners: list[int] = []
    for place, (text, written) in enumerate(texts):
        if written != "python":
            for script in [_of_code(text)] if written == "javascript" else _of_expressions(text):
                leaves.append(Leaf(script, None, script, Names()))
                owners.append(place)
    if not leaves:
        return found
    units = [(leaf, 0) for leaf in range(len(leaves))]
    scope = Scope(items=[], strict=True)
    reply = await pool.run(project_id, build(leaves, units, scope))
    for owner, value in zip(owners, answers(reply, len(units), scope), strict=True):
        if isinstance(value, ExpressionFailure) and value.message.startswith(MARK):
            found[owner] = found[owner] or value.message
    return found


async def _python(sources: Sequence[str], pool: EvaluatorPool) -> list[str]:
    """Compiled in the jail, never run."""
    try:
        answer = orjson.loads(await pool.python_aside(orjson.dumps({"check": sources}), _SECONDS))
    except Interrupted as stop:
        raise EvaluatorUnavailable(str(stop)) from None
    errors = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(errors, list) or len(errors) != len(sources):
        raise EvaluatorUnavailable("The code's process gave no answer.")
    return [str(error) for error in errors]


def possible(text: str) -> bool:
    """Whether V8 has to be asked about a parameter's value: our own parser knows the commonest forms."""
    return bool(_of_expressions(text))


def _of_expressions(text: str) -> list[str]:
    leaves = compile_value(text).leaves
    return [f"(() => ({leaf.script}\n), 1)" for leaf in leaves if leaf.native is None and not leaf.failure]


def _of_code(source: str) -> str:
    with contextlib.suppress(LexicalError, RecursionError):  # V8 says it better
        source = rewritten(source, tokenize(source)[0])
    return f"(async function () {{{source}\n}}, 1)"
