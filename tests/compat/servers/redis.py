"""Redis: keys of every type, lists, counters and channels."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from weft_kit.testing.servers import Redis

from tests.compat.cases.build import Case, named
from tests.compat.servers.served import Served, asked, chain

ITEM = {"k": "text", "n": 5, "real": 1.5, "yes": True, "none": None, "list": [1, "two", None], "object": {"a": 1, "b": {"c": [1]}, "d": None}, "json": '{"a": "x", "b": 2}', "rows": "[1, 2]"}  # fmt: skip


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = Redis(folder / "redis")
    server.start()
    client = redis.from_url(server.url)
    parts = urlsplit(server.url)
    secret = {"host": parts.hostname, "port": parts.port, "password": parts.password or "", "database": 0}

    def reset() -> None:
        client.flushall()
        client.mset(
            {"text": "value", "number": "41", "json": '{"a": 1}', "é": "ü", "app:1": "one", "app:2": "two"}
        )
        client.hset("hash", mapping={"a": "1", "b": "x"})
        client.rpush("list", "one", '{"a": 1}', "3", "[1]", "last")
        client.sadd("set", "only")
        client.set("brief", "soon", ex=1000)

    try:
        yield Served({"redis": secret}, reset)
    finally:
        client.close()
        server.kill()


def _node(operation: str, parameters: Mapping[str, Any], name: str = "Node", **extra: Any) -> dict[str, Any]:
    return asked("redis", "redis", 1, {"operation": operation, **parameters}, name, **extra)


def _got(key: str) -> dict[str, Any]:
    return _node("get", {"key": key, "propertyName": "seen"}, "Seen")


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for key in ("text", "number", "json", "é", "hash", "list", "set", "nothing", "={{ $json.k }}"):
        for kind in ("automatic", "string", "hash", "list", "sets"):
            given = {"key": key, "keyType": kind, "propertyName": "got"}
            node = _node("get", given, onError="continueRegularOutput")
            found[f"get {key.strip('={} ')} as {kind}"] = chain(node, rows=[ITEM])
    for name, options in named({"": {}, " without dots": {"options": {"dotNotation": False}}}):
        for place in ("a.b", "a[0]", "k", "propertyName"):
            given = {"key": "text", "propertyName": place, **options}
            found[f"get into {place}{name}"] = chain(_node("get", given), rows=[ITEM])
    values = {
        "plain": "plain text", "number": "={{ $json.n }}", "real": "={{ $json.real }}", "boolean": "={{ $json.yes }}",
        "null": "={{ $json.none }}", "missing": "={{ $json.missing }}", "list": "={{ $json.list }}",
        "object": "={{ $json.object }}", "json": "={{ $json.json }}", "rows": "={{ $json.rows }}", "empty": "",
        "pairs": "a 1 b 2", "written json": "={{ JSON.stringify($json.object) }}", "empty list": "={{ [] }}",
    }  # fmt: skip
    for name, written in values.items():
        for kind in ("automatic", "string", "hash", "list", "sets"):
            if kind == "sets" and name in {"list", "pairs"}:
                continue  # members of sets come in no order
            node = _node(
                "set", {"key": "new", "keyType": kind, "value": written}, onError="continueRegularOutput"
            )
            found[f"set {name} as {kind}"] = chain(node, _got("new"), rows=[ITEM])
    loose = {"key": "new", "keyType": "hash", "valueIsJSON": False}
    found["set pairs not as json"] = chain(_node("set", {**loose, "value": "a 1 b 2"}), _got("new"))
    found["set object not as json"] = chain(
        _node("set", {**loose, "value": "={{ $json.object }}"}, onError="continueRegularOutput"),
        _got("new"),
        rows=[ITEM],
    )
    for key in ("text", "hash", "list"):
        node = _node(
            "set", {"key": key, "value": "over", "keyType": "string"}, onError="continueRegularOutput"
        )
        found[f"set over {key}"] = chain(node, _got(key))
    more = _node("set", {"key": "hash", "value": '{"c": "3"}', "keyType": "hash"})
    found["set more of a hash"] = chain(more, _got("hash"))
    again = _node("set", {"key": "list", "value": "={{ ['x', 'y'] }}", "keyType": "list"})
    found["set a list again"] = chain(again, _got("list"))
    found["set expires"] = chain(
        _node("set", {"key": "new", "value": "v", "expire": True, "ttl": 100}), _got("new")
    )
    for key in ("text", "hash", "nothing", "={{ $json.k }}"):
        node = _node("delete", {"key": key})
        found[f"delete {key.strip('={} ')}"] = chain(node, _got("text"), rows=[ITEM])
    for key in ("number", "fresh", "text", "hash"):
        for on_error in ("stopWorkflow", "continueRegularOutput", "continueErrorOutput"):
            if on_error == "stopWorkflow" or key in {"text", "hash"}:
                node = _node("incr", {"key": key}, onError=on_error)
                found[f"incr {key} {on_error}"] = chain(node, rows=[{"a": 1}, {"a": 2}])
    found["incr expires"] = chain(_node("incr", {"key": "fresh", "expire": True, "ttl": 50}))
    for name, pattern in {
        "some": "app:*",
        "one": "text",
        "none": "zzz*",
        "expression": "={{ $json.k }}*",
    }.items():
        for values_too in (True, False):
            if name == "some" and not values_too:
                continue  # names come in no order
            node = _node("keys", {"keyPattern": pattern, "getValues": values_too})
            found[f"keys {name}{'' if values_too else ' without values'}"] = chain(node, rows=[ITEM])
    for kind in ("hash", "list", "set", "brief", "json"):
        found[f"keys of a {kind}"] = chain(_node("keys", {"keyPattern": kind}))
    for key in ("list", "nothing", "text"):
        found[f"llen {key}"] = chain(_node("llen", {"list": key}, onError="continueRegularOutput"))
        for tail in (False, True):
            side = " tail" if tail else ""
            popped = {"list": key, "tail": tail, "propertyName": "got"}
            node = _node("pop", popped, onError="continueRegularOutput")
            found[f"pop {key}{side}"] = chain(node, rows=[{"a": 1}, {"a": 2}, {"a": 3}])
            node = _node(
                "push", {"list": key, "tail": tail, "messageData": "m"}, onError="continueRegularOutput"
            )
            found[f"push {key}{side}"] = chain(node, _got("list"), rows=[{"a": 1}])
    for place in ("a.b", "propertyName"):
        found[f"pop into {place}"] = chain(_node("pop", {"list": "list", "propertyName": place}))
    found["pop without dots"] = chain(
        _node("pop", {"list": "list", "propertyName": "a.b", "options": {"dotNotation": False}})
    )
    for name, written in values.items():
        node = _node(
            "push", {"list": "fresh", "messageData": written, "tail": True}, onError="continueRegularOutput"
        )
        found[f"push {name}"] = chain(node, _got("fresh"), rows=[ITEM])
        node = _node("publish", {"channel": "c", "messageData": written}, onError="continueRegularOutput")
        found[f"publish {name}"] = chain(node, rows=[ITEM])
    return found
