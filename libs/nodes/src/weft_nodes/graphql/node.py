"""GraphQL: one query per item."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import HttpAnswer, Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import entries, text_of, value

from weft_nodes.http_request.authentication import (
    answer_challenge,
    authenticate,
    credential_type,
    is_expired,
    signed,
)
from weft_nodes.http_request.draft import Draft

_KINDS = {"customAuth": "httpCustomAuth"}


def _variables(given: Any) -> Any:
    given = value(given)
    if isinstance(given, str):
        if not given.strip():
            return {}
        try:
            given = parse_json(given)
        except ValueError as error:
            raise NodeRunError(f"The variables are not valid JSON: {error}") from None
    return given or {}


def _draft(parameters: Mapping[str, Any]) -> Draft:
    query = str(value(parameters.get("query", "")))
    draft = Draft(str(parameters.get("requestMethod", "POST")), str(value(parameters.get("endpoint", ""))))
    for entry in entries(parameters, "headerParametersUi", "parameter"):
        draft.set_header(str(value(entry.get("name", ""))), text_of(entry.get("value")))
    if draft.method == "GET":
        draft.set_query("query", query)
        return draft
    if parameters.get("requestFormat") == "graphql":
        draft.kind, draft.content, draft.content_type = "raw", query.encode(), "application/graphql"
        return draft
    name = str(value(parameters.get("operationName", "")) or "")
    draft.kind = "json"
    draft.content = {
        "query": query,
        "variables": _variables(parameters.get("variables")),
        "operationName": name or None,
    }
    return draft


def _item(answer: HttpAnswer, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as fields. Raises NodeRunError for errors that the service names."""
    text = answer.body.decode("utf-8", "replace")
    try:
        given = parse_json(text)
    except ValueError:
        given = None
    errors = given.get("errors") if isinstance(given, dict) else None
    if errors:
        listed = errors if isinstance(errors, list) else [errors]
        said = [str(each.get("message", each)) if isinstance(each, dict) else str(each) for each in listed]
        raise NodeRunError(", ".join(said), http_status=answer.status, code="HTTP_ERROR")
    if answer.status >= 400:
        raise NodeRunError(
            f"The service answered with status {answer.status}",
            description=text[:500],
            http_status=answer.status,
            code="HTTP_ERROR",
        )
    if parameters.get("responseFormat", "json") == "string":
        return {str(value(parameters.get("dataPropertyName", "data"))): text if given is None else given}
    if not isinstance(given, dict):
        raise NodeRunError("The answer is no JSON object", description=text[:500])
    return given


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        kind = credential_type(parameters)
        kind = _KINDS.get(kind, kind)
        draft = _draft(parameters)
        found = await authenticate(ctx, draft, kind)

        async def send() -> HttpAnswer:
            headers, body = draft.encoded()
            if found is not None and found.sign_in == "oauth1":
                headers = signed(draft, found.secret, headers, body)
            verify = parameters.get("allowUnauthorizedCerts") is not True
            return await ctx.http.request(
                draft.method,
                draft.url,
                headers=headers,
                query=draft.query,
                body=body,
                verify=verify,
                secret_headers=draft.secret_headers,
            )

        answer = await send()
        if kind == "httpDigestAuth" and await answer_challenge(ctx, draft, answer):
            answer = await send()
        if found is not None and is_expired(found, answer):
            await authenticate(ctx, draft, kind, found.access_token)
            answer = await send()
        return [made(_item(answer, parameters), index)]

    return [await map_items(ctx, handle)]
