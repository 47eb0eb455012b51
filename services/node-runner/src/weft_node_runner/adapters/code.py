"""The Code node's scripts, in the jail."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from weft_expressions.code import run_javascript, run_python
from weft_expressions.errors import CodeFailure, EvaluatorUnavailable
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Item, Scope
from weft_kit.items import MAX_DEPTH, too_deep
from weft_node_sdk.context import Http, NodeRunError, Outputs

from weft_node_runner.adapters.code_requests import CodeRequests
from weft_node_runner.application.turns import give_way


class JailedCode:
    """Implements Code of the node SDK, for one node run."""

    def __init__(
        self, pool: EvaluatorPool, project_id: str, scope: Scope, log: Callable[[str], None], http: Http
    ) -> None:
        self._pool = pool
        self._project_id = project_id
        # to a script, an item comes from its own place in the input, wherever it came from before
        items = [{**item, "pairedItem": {"item": index}} for index, item in enumerate(scope.items)]
        self._scope = replace(scope, items=items)
        self._log = log
        self._requests = CodeRequests(http)

    async def javascript(self, source: str, *, each_item: bool, timeout: float = 60.0) -> Outputs:
        return await self._run(
            run_javascript(
                self._pool, self._project_id, source, each_item, self._scope, timeout, self._requests.send
            )
        )

    async def python(self, source: str, *, each_item: bool, timeout: float = 60.0) -> Outputs:
        return await self._run(run_python(self._pool, source, each_item, self._scope, timeout))

    async def _run(self, script: Awaitable[tuple[list[Item], list[str]]]) -> Outputs:
        try:
            items, logs = await script
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
        await give_way()  # reading a large answer has taken its time
        if too_deep([item["json"] for item in items if "json" in item]):
            text = f"The code returned items nested over {MAX_DEPTH} levels deep"
            raise NodeRunError(text, code="CODE_ERROR")
        for line in logs:
            self._log(line)
        return [items]
