"""Redis against a real server."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import redis.asyncio
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration


@pytest.fixture
async def secret(redis_url: str) -> dict[str, Any]:
    client = redis.asyncio.from_url(redis_url)
    await client.flushall()
    await client.aclose()
    parts = urlsplit(redis_url)
    return {"host": parts.hostname, "port": parts.port, "password": parts.password or ""}


async def run(
    secret: dict[str, Any],
    operation: str,
    items: Any = ({},),
    on_error: str = "stopWorkflow",
    **parameters: Any,
) -> Any:
    ctx = FakeContext(
        CATALOGUE.fill_defaults("redis", 1, {"operation": operation, **parameters}),
        [[{"json": each} for each in items]],
        version=1,
        type="redis",
        credentials={"redis": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        on_error=on_error,
        refused_hosts=frozenset({"inside"}),
    )
    outputs = await CATALOGUE.implementation("redis")(ctx)
    assert isinstance(outputs, list)
    assert ctx.connected == [(secret["host"], secret["port"])]
    return [item["json"] for item in outputs[0]]


async def get(secret: dict[str, Any], key: str, kind: str = "automatic") -> Any:
    (found,) = await run(secret, "get", key=key, keyType=kind, propertyName="v")
    return found["v"]


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        ("é", "automatic", "é"),
        (1.5, "string", "1.5"),
        ({"a": 1, "b": {"c": True}}, "automatic", {"a": "1", "b": '{"c":true}'}),
        ('{"a": "x"}', "hash", {"a": "x"}),
        (["x", 2], "automatic", ["x", "2"]),
        ('["y"]', "list", ["y"]),
        (["b", "a", "b"], "sets", ["a", "b"]),
        ("one two", "sets", ["one", "two"]),
    ],
)
async def test_a_value_comes_back(secret: dict[str, Any], given: Any, kind: str, expected: Any) -> None:
    (passed,) = await run(secret, "set", [{"v": given}], key="k", value="={{ $json.v }}", keyType=kind)
    assert passed == {"v": given}
    assert await get(secret, "k") == expected


async def test_what_is_not_there_is_null(secret: dict[str, Any]) -> None:
    assert await get(secret, "none") is None
    assert await get(secret, "none", "list") == []
    assert await run(secret, "pop", list="none", propertyName="v") == [{"v": None}]


async def test_names_with_dots(secret: dict[str, Any]) -> None:
    await run(secret, "set", key="k", value="1")
    assert await run(secret, "get", key="k", propertyName="a.b") == [{"a": {"b": "1"}}]
    assert await run(secret, "get", key="k", propertyName="a.b", options={"dotNotation": False}) == [
        {"a.b": "1"}
    ]


async def test_counting_and_expiry(secret: dict[str, Any]) -> None:
    assert await run(secret, "incr", [{}, {}], key="n") == [{"n": 1}, {"n": 2}]
    await run(secret, "incr", key="m", expire=True, ttl=500)
    await run(secret, "set", key="s", value="x", expire=True, ttl=500)
    client = redis.asyncio.Redis(
        host=secret["host"], port=secret["port"], password=secret["password"] or None
    )
    assert await client.ttl("n") == -1
    assert 0 < await client.ttl("m") <= 500
    assert 0 < await client.ttl("s") <= 500
    await client.aclose()
    with pytest.raises(NodeRunError, match="The TTL 0"):
        await run(secret, "set", key="s", value="x", expire=True, ttl=0)


async def test_lists(secret: dict[str, Any]) -> None:
    await run(
        secret, "push", [{"d": '{"a":1}'}, {"d": "two"}], list="l", messageData="={{ $json.d }}", tail=True
    )
    await run(secret, "push", list="l", messageData="zero")
    assert await run(secret, "llen", list="l") == [{"l": 3}]
    assert await run(secret, "pop", list="l", propertyName="v") == [{"v": "zero"}]
    assert await run(secret, "pop", list="l", propertyName="v") == [{"v": {"a": 1}}]
    assert await run(secret, "pop", list="l", propertyName="v", tail=True) == [{"v": "two"}]


async def test_keys_by_pattern(secret: dict[str, Any]) -> None:
    for name in ("user:1", "user:2", "other"):
        await run(secret, "set", key=name, value=name)
    assert await run(secret, "keys", keyPattern="user:*") == [{"user:1": "user:1", "user:2": "user:2"}]
    assert await run(secret, "keys", keyPattern="user:*", getValues=False) == [{"keys": ["user:1", "user:2"]}]
    await run(secret, "delete", key="user:1")
    assert await run(secret, "keys", keyPattern="user:*", getValues=False) == [{"keys": ["user:2"]}]


async def test_a_message_is_published(secret: dict[str, Any]) -> None:
    client = redis.asyncio.Redis(
        host=secret["host"], port=secret["port"], password=secret["password"] or None
    )
    async with client.pubsub() as listener:
        await listener.subscribe("c")
        while (await listener.get_message(timeout=30) or {}).get("type") != "subscribe":
            pass
        await run(secret, "publish", channel="c", messageData="hé")
        message = await listener.get_message(ignore_subscribe_messages=True, timeout=30)
    assert message is not None
    assert message["data"] == "hé".encode()
    await client.aclose()


async def test_about_the_server(secret: dict[str, Any]) -> None:
    (found,) = await run(secret, "info")
    assert found["redis_mode"] == "standalone"


async def test_errors_are_the_item_s(secret: dict[str, Any]) -> None:
    await run(secret, "set", key="t", value="text")
    found = await run(secret, "incr", [{"k": "t"}, {"k": "n"}], "continueRegularOutput", key="={{ $json.k }}")
    assert found[0]["error"].startswith("Redis: ")
    assert found[1] == {"n": 1}
    with pytest.raises(NodeRunError, match="not valid JSON"):
        await run(secret, "set", key="h", keyType="hash", value="{")
    with pytest.raises(NodeRunError) as caught:
        await run({**secret, "host": "inside"}, "info")
    assert caught.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError, match="Redis: "):
        await run({**secret, "ssl": True}, "info")
