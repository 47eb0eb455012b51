"""`NodeTools`: what the editor asks of a runner outside an execution."""

from typing import Any, cast

import msgspec
import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Activation, Source
from weft_contracts.pb import node_runner_pb2 as pb
from weft_expressions.errors import EvaluatorUnavailable, ExpressionFailure
from weft_expressions.evaluate import evaluate
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Outputs, Scope
from weft_expressions.syntax import Written, check
from weft_expressions.template import compile_value
from weft_kit.identity.access import AccessPolicy
from weft_kit.items import dumps_js

from weft_node_runner.application.data import Data
from weft_node_runner.application.ports import Outside
from weft_node_runner.entrypoints.credentials import CredentialTools

SYNTAX_PROJECT = "syntax"
"""An isolate of its own for texts that are only parsed: no project's data was ever in it."""


class NodeToolsServicer:
    def __init__(self, evaluator: EvaluatorPool, policy: AccessPolicy, credentials: CredentialTools) -> None:
        self._evaluator = evaluator
        self._policy = policy
        self._credentials = credentials

    async def TestCredential(self, request: pb.TestCredentialRequest) -> pb.TestCredentialResponse:
        return await self._credentials.test(request)

    async def BeginSignIn(self, request: pb.BeginSignInRequest) -> pb.BeginSignInResponse:
        return await self._credentials.begin(request)

    async def FinishSignIn(self, request: pb.FinishSignInRequest) -> pb.FinishSignInResponse:
        return await self._credentials.finish(request)

    async def Evaluate(self, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        project_id = request.project_id or await self._policy.default_project()
        await self._policy.require(project_id, "workflow:execute")
        items = _json(request.items, list) or []
        runs: dict[str, list[Outputs]] = _json(request.run_data, dict) or {}
        data = _data(runs, _json(request.sources, dict) or {})
        preview = Activation("", 0, _sources(_json(request.source, list)))
        source = preview.inputs[0] if preview.inputs else None
        text = request.expression if request.expression.startswith("=") else f"={request.expression}"
        scope = Scope(
            items=items,
            outputs=data.outputs,
            exists=runs.__contains__,
            run_count=data.count,
            ancestor=lambda node, index: data.ancestor(preview, items, node, index),
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

    async def CheckSyntax(self, request: pb.CheckSyntaxRequest) -> pb.CheckSyntaxResponse:
        texts = [(script.text, _written(script)) for script in request.scripts]
        try:
            errors = await check(texts, self._evaluator, SYNTAX_PROJECT)
            return pb.CheckSyntaxResponse(errors=errors)
        except EvaluatorUnavailable as error:
            raise WeftError(ErrorCode.UNAVAILABLE, str(error)) from None


def _written(script: pb.Script) -> Written:
    if script.python:
        return "python"
    return "javascript" if script.code else "expression"


def _data(runs: dict[str, list[Outputs]], sources: dict[str, Any]) -> Data:
    """Everything is in the request: nothing is ever fetched."""
    data = Data("", {}, cast("Outside", None))
    for node, outputs in runs.items():
        came_from = sources.get(node) or []
        for index, given in enumerate(outputs):
            inputs = _sources(came_from[index] if index < len(came_from) else None)
            data.put(Activation(node, index, inputs), given, None)
    return data


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
