"""Calls made from the OpenAPI document by schemathesis: none breaks anything, each is answered in the envelope."""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from services.gateway.tests.gateway_world import Client, World

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
EXAMPLES = 6
"""Of each operation and kind; the same ones every time."""
SESSION = {"/api/v1/auth/logout", "/api/v1/auth/change-password"}
"""What would end the session of the rest."""


def cases(document: dict[str, Any], mode: GenerationMode) -> list[Case]:
    found: list[Case] = []
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in SESSION:
            continue

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def collect(case: Case) -> None:
            found.append(case)

        with suppress(Unsatisfiable):  # an operation without inputs has no wrong ones
            collect()
    return found


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_no_call_breaks_anything(world: World, owner: Client, mode: GenerationMode) -> None:
    document = world.services["gateway"].asgi.openapi()  # type: ignore[union-attr]
    sent = 0
    for case in cases(document, mode):
        call = case.as_transport_kwargs(base_url="http://weft.test")
        headers = {**call["headers"], "Authorization": owner.headers["Authorization"]}
        options: dict[str, Any] = {key: call[key] for key in ("params", "json", "data") if call.get(key)}
        if isinstance(options.get("data"), bytes | str):
            options["content"] = options.pop("data")
        answer = await owner.request(call["method"], call["url"], headers=headers, **options)
        sent += 1
        where = f"{call['method']} {call['url']} {options}: {answer.status_code} {answer.text[:500]}"
        assert answer.status_code < 500, where
        if answer.headers.get("content-type") == "application/json" and "export" not in call["url"]:
            body = answer.json()
            assert body["success"] is answer.is_success, where
            assert body["meta"]["request_id"] == answer.headers["x-request-id"], where
    assert sent > 60
