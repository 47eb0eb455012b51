"""Whether texts are JavaScript at all, as V8 sees them. Nothing of them is run but what a text smuggles out of its
function, and that in the jail."""

import contextlib
from collections.abc import Sequence
from typing import Final

from weft_expressions.analysis import Names, rewritten
from weft_expressions.errors import ExpressionFailure
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.lexer import LexicalError, tokenize
from weft_expressions.request import answers, build
from weft_expressions.scope import Scope
from weft_expressions.template import Leaf, compile_value

MARK: Final = "Syntax error:"


async def check(texts: Sequence[tuple[str, bool]], pool: EvaluatorPool, project_id: str) -> list[str]:
    """What is wrong with each text, empty where nothing is; `(text, code)`: a parameter's value with its `=`, or a
    script. Raises EvaluatorUnavailable."""
    leaves: list[Leaf] = []
    owners: list[int] = []
    for place, (text, code) in enumerate(texts):
        for script in [_of_code(text)] if code else _of_expressions(text):
            leaves.append(Leaf(script, None, script, Names()))
            owners.append(place)
    found = [""] * len(texts)
    if not leaves:
        return found
    units = [(leaf, 0) for leaf in range(len(leaves))]
    scope = Scope(items=[], strict=True)
    reply = await pool.run(project_id, build(leaves, units, scope))
    for owner, value in zip(owners, answers(reply, len(units), scope), strict=True):
        if isinstance(value, ExpressionFailure) and value.message.startswith(MARK):
            found[owner] = found[owner] or value.message
    return found


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
