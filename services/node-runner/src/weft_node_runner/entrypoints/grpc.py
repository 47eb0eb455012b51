"""`NodeTools`: what the editor asks of a runner outside an execution."""

from itertools import zip_longest
from typing import Any

import msgspec
import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Source
from weft_contracts.pb import node_runner_pb2 as pb
from weft_expressions.errors import ExpressionFailure
from weft_expressions.evaluate import evaluate
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Outputs, Scope
from weft_expressions.template import compile_value
from weft_kit.identity.access import AccessPolicy
from weft_kit.items import dumps_js

from weft_node_runner.application.data import Run, origin


class NodeToolsServicer:
    def __init__(self, evaluator: EvaluatorPool, policy: AccessPolicy) -> None:
        self._evaluator = evaluator
        self._policy = policy

    async def Evaluate(self, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        project_id = request.project_id or await self._policy.default_project()
        await self._policy.require(project_id, "workflow:execute")
        items = _json(request.items, list) or []
        runs = _runs(request)

        def run(node: str, index: int | None) -> Run | None:
            found = runs.get(node, [])
            place = len(found) - 1 if index is None else index
            return found[place] if 0 <= place < len(found) else None

        def outputs(node: str, index: int | None) -> Outputs | None:
            found = run(node, index)
            return None if found is None else found.outputs

        came_from = _sources(_json(request.source, list))
        source = came_from[0] if came_from else None
        text = request.expression if request.expression.startswith("=") else f"={request.expression}"
        scope = Scope(
            items=items,
            outputs=outputs,
            exists=runs.__contains__,
            run_count=lambda node: len(runs.get(node, ())),
            ancestor=lambda node, index: origin(run, source, items[index], node) if source else None,
            parameters=_json(request.parameters, dict) or {},
            previous=(
                {"name": source.node, "outputIndex": source.output, "runIndex": source.run} if source else {}
            ),
            strict=True,
        )
        index = request.item_index
        rows = await evaluate([compile_value(text)], scope, index + 1, self._evaluator, project_id)
        value = rows[index][0]
        if isinstance(value, ExpressionFailure):
            return pb.EvaluateResponse(error=f"{value.message} {value.description}".strip())
        try:
            return pb.EvaluateResponse(value=dumps_js(value), type=_type(value))
        except WeftError:
            return pb.EvaluateResponse(value=dumps_js(str(value)), type="string")


def _runs(request: pb.EvaluateRequest) -> dict[str, list[Run]]:
    given: dict[str, list[Outputs]] = _json(request.run_data, dict) or {}
    sources = _json(request.sources, dict) or {}
    return {
        node: [
            Run(None, _sources(came_from), outputs)
            for outputs, came_from in zip_longest(runs, (sources.get(node) or [])[: len(runs)])
        ]
        for node, runs in given.items()
    }


def _sources(value: Any) -> tuple[Source | None, ...]:
    try:
        return tuple(msgspec.convert(value or [], list[Source | None]))
    except msgspec.ValidationError:
        raise WeftError(ErrorCode.VALIDATION_ERROR, "A source is [node, output, run] or null.") from None


def _type(value: Any) -> str:
    kinds = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
    return "null" if value is None else kinds.get(type(value), "object")


def _json(data: bytes, kind: type) -> Any:
    if not data:
        return None
    value = orjson.loads(data)
    if not isinstance(value, kind):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "The data has the wrong shape.")
    return value
