"""Scripts of Code nodes."""

from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Item, Scope


async def run_javascript(
    pool: EvaluatorPool, project_id: str, source: str, each_item: bool, scope: Scope, timeout: float = 60.0
) -> tuple[list[Item], list[str]]:
    """Runs the script once over all items, or once per item. Gives validated items, with `pairedItem` where the
    script or the counts say so, and the lines printed by `console`. Raises CodeFailure. `timeout` in seconds of wall
    time for the whole run."""
    raise NotImplementedError


def references(source: str) -> tuple[frozenset[str], bool]:
    """(names of nodes that the script reads, whether it computes one)."""
    raise NotImplementedError
