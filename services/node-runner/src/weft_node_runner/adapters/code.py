"""The Code node's scripts, in the jail."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from weft_expressions.code import run_javascript, run_python
from weft_expressions.errors import CodeFailure, EvaluatorUnavailable
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.returned import Made
from weft_expressions.scope import Item, Scope
from weft_expressions.turns import give_way
from weft_kit.items import MAX_DEPTH, too_deep
from weft_node_sdk.context import NodeRunError, Outputs

from weft_node_runner.adapters.code_calls import CodeCalls

OnFailure = Callable[[NodeRunError], Item]


class JailedCode:
    """Implements Code of the node SDK, for one node run."""

    def __init__(
        self,
        pool: EvaluatorPool,
        project_id: str,
        scope: Scope,
        log: Callable[[str], None],
        calls: CodeCalls,
        modules: Collection[str] = (),
    ) -> None:
        self._pool = pool
        self._project_id = project_id
        # to a script, an item comes from its own place in the input, wherever it came from before
        items = [{**item, "pairedItem": {"item": index}} for index, item in enumerate(scope.items)]
        self._scope = replace(scope, items=items)
        self._log = log
        self._calls = calls
        self._modules = modules

    async def javascript(
        self, source: str, *, each_item: bool, timeout: float = 60.0, on_failure: OnFailure | None = None
    ) -> Outputs:
        script = run_javascript(
            self._pool,
            self._project_id,
            source,
            each_item,
            self._scope,
            timeout,
            self._calls.send,
            keep_failures=on_failure is not None,
            modules=self._modules,
        )
        return await self._run(script, on_failure)

    async def python(
        self, source: str, *, each_item: bool, timeout: float = 60.0, on_failure: OnFailure | None = None
    ) -> Outputs:
        keep = on_failure is not None
        script = run_python(self._pool, source, each_item, self._scope, timeout, keep_failures=keep)
        return await self._run(script, on_failure)

    async def _run(
        self, script: Awaitable[tuple[list[Made], list[str]]], on_failure: OnFailure | None
    ) -> Outputs:
        try:
            made, logs = await script
        except CodeFailure as failure:
            for line in failure.logs:
                self._log(line)
            raise _told(failure) from None
        except EvaluatorUnavailable as error:
            raise NodeRunError(str(error), code="EVALUATOR_UNAVAILABLE") from None
        items: list[Item] = [
            on_failure(_told(each)) if isinstance(each, CodeFailure) and on_failure else each  # type: ignore[misc]
            for each in made
        ]
        await give_way()  # reading a large answer has taken its time
        if too_deep([item["json"] for item in items if "json" in item]):
            text = f"The code returned items nested over {MAX_DEPTH} levels deep"
            raise NodeRunError(text, code="CODE_ERROR")
        for line in logs:
            self._log(line)
        return [items]


def _told(failure: CodeFailure) -> NodeRunError:
    where = f" [line {failure.line}]" if failure.line else ""
    return NodeRunError(
        f"{failure.message}{where}",
        description=failure.description,
        item_index=failure.item_index,
        code="CODE_ERROR",
    )
