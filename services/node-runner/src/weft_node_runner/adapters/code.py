"""The Code node's scripts, in the jail."""

from collections.abc import Callable

from weft_expressions.code import run_javascript
from weft_expressions.errors import CodeFailure, EvaluatorUnavailable
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_node_sdk.context import NodeRunError, Outputs


class JailedCode:
    """Implements Code of the node SDK, for one node run."""

    def __init__(
        self, pool: EvaluatorPool, project_id: str, scope: Scope, log: Callable[[str], None]
    ) -> None:
        self._pool = pool
        self._project_id = project_id
        self._scope = scope
        self._log = log

    async def javascript(
        self,
        source: str,
        *,
        each_item: bool,
        timeout: float = 60.0,
    ) -> Outputs:
        try:
            items, logs = await run_javascript(
                self._pool, self._project_id, source, each_item, self._scope, timeout
            )
        except CodeFailure as failure:
            for line in failure.logs:
                self._log(line)
            where = f" [line {failure.line}]" if failure.line else ""
            raise NodeRunError(
                f"{failure.message}{where}",
                description=failure.description,
                item_index=failure.item_index,
                code="CODE_ERROR",
            ) from None
        except EvaluatorUnavailable as error:
            raise NodeRunError(str(error), code="EVALUATOR_UNAVAILABLE") from None
        for line in logs:
            self._log(line)
        return [items]
