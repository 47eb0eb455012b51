"""Redis: keys, lists and channels."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.paths import put
from weft_node_sdk.values import compact_json, members, text_of, value

from weft_nodes.redis_.connection import client_of

_TYPES = {"set": "sets", "zset": "sets"}
_SCANNED = 1000


async def _read(client: Any, key: str, kind: str) -> Any:
    """The value of a key; None where there is none."""
    if kind == "automatic":
        found = await client.type(key)
        kind = _TYPES.get(found, found)
    match kind:
        case "hash":
            return await client.hgetall(key)
        case "list":
            return await client.lrange(key, 0, -1)
        case "sets":
            if await client.type(key) == "zset":
                return await client.zrange(key, 0, -1)
            return sorted(await client.smembers(key))
        case "string" | "none":
            return await client.get(key)
        case _:
            raise NodeRunError(f"A value of type '{kind}' can't be read")


def _fields(given: Any, *, is_json: bool) -> dict[str, str]:
    """The fields of a hash."""
    given = value(given)
    if isinstance(given, str):
        if not is_json:
            words = given.split()
            return dict(zip(words[::2], words[1::2], strict=False))
        try:
            given = parse_json(given)
        except ValueError as error:
            raise NodeRunError(f"The value is not valid JSON: {error}") from None
    if not isinstance(given, dict) or not given:
        raise NodeRunError("A hash is written from an object with fields")
    return {name: text_of(held) for name, held in given.items()}


async def _write(client: Any, key: str, parameters: Mapping[str, Any]) -> None:
    given = value(parameters.get("value"))
    kind = str(parameters.get("keyType", "automatic"))
    if kind == "automatic":
        kind = "list" if isinstance(given, list) else "hash" if isinstance(given, dict) else "string"
    if kind == "string":
        await client.set(key, text_of(given))
    elif kind == "hash":
        await client.hset(
            key, mapping=_fields(given, is_json=parameters.get("valueIsJSON", True) is not False)
        )
    elif kind in {"list", "sets"}:
        parts = given if isinstance(given, list) else _listed(given, kind)
        await client.delete(key)
        if parts:
            texts = [text_of(part) for part in parts]
            await (client.rpush(key, *texts) if kind == "list" else client.sadd(key, *texts))
    else:
        raise NodeRunError(f"The type '{kind}' is not known")
    if parameters.get("expire") is True:
        await client.expire(key, _ttl(parameters))


def _listed(given: Any, kind: str) -> list[Any]:
    if isinstance(given, str):
        try:
            parsed = parse_json(given)
        except ValueError:
            return given.split() if kind == "sets" else [given]
        return parsed if isinstance(parsed, list) else [given]
    return [given]


def _ttl(parameters: Mapping[str, Any]) -> int:
    seconds = value(parameters.get("ttl", 60))
    if not isinstance(seconds, int | float) or seconds < 1:
        raise NodeRunError(f"The TTL {seconds!r} is no number of seconds")
    return int(seconds)


def _info(sections: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: held if isinstance(held, int | float | str) else compact_json(held)
        for name, held in sections.items()
    }


async def _keys(client: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    pattern = text_of(parameters.get("keyPattern"))
    names = sorted({name async for name in client.scan_iter(match=pattern, count=_SCANNED)})
    if parameters.get("getValues", True) is False:
        return {"keys": names}
    return {name: await _read(client, name, "automatic") for name in names}


def _under(ctx: RunContext, index: int, parameters: Mapping[str, Any], held: Any) -> dict[str, Any]:
    """The item's fields with the value in its field."""
    json: dict[str, Any] = {}
    dots = members(parameters).get("dotNotation", True) is not False
    put(json, str(value(parameters.get("propertyName", "propertyName"))) or "propertyName", held, dots=dots)
    return json


async def _popped(client: Any, parameters: Mapping[str, Any]) -> Any:
    pop = client.rpop if parameters.get("tail") is True else client.lpop
    text = await pop(text_of(parameters.get("list")))
    try:
        return parse_json(text) if isinstance(text, str) else text
    except ValueError:
        return text


async def _perform(ctx: RunContext, client: Any, index: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
    json = ctx.items[index]["json"]
    key = text_of(parameters.get("key"))
    match parameters.get("operation", "info"):
        case "info":
            return _info(await client.info())
        case "get":
            held = await _read(client, key, str(parameters.get("keyType", "automatic")))
            return _under(ctx, index, parameters, held)
        case "keys":
            return await _keys(client, parameters)
        case "llen":
            name = text_of(parameters.get("list"))
            return {name: await client.llen(name)}
        case "incr":
            count = await client.incr(key)
            if parameters.get("expire") is True:
                await client.expire(key, _ttl(parameters))
            return {key: count}
        case "pop":
            return _under(ctx, index, parameters, await _popped(client, parameters))
        case "delete":
            await client.delete(key)
        case "set":
            await _write(client, key, parameters)
        case "publish":
            await client.publish(text_of(parameters.get("channel")), text_of(parameters.get("messageData")))
        case "push":
            push = client.rpush if parameters.get("tail") is True else client.lpush
            await push(text_of(parameters.get("list")), text_of(parameters.get("messageData")))
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")
    return dict(json)


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    from redis.exceptions import RedisError

    client = await client_of(ctx, await ctx.credential("redis"))

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        try:
            return [made(await _perform(ctx, client, index, parameters), index)]
        except (RedisError, OSError) as error:
            raise NodeRunError(f"Redis: {error}", code="DATABASE_ERROR") from None

    try:
        return [await map_items(ctx, handle)]
    finally:
        await client.aclose()
        await client.connection_pool.disconnect()
