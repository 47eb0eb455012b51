"""One address that answers, with everything about it worked out before the first call comes."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal, NamedTuple

import msgspec
import orjson
from weft_contracts.messages import Mode, Route

from weft_webhook_ingress.domain.answers import Answer, Headers, Shape, json_answer, typed

Network = IPv4Network | IPv6Network
_HTML = b"text/html; charset=utf-8"
_RESPONSES: Mapping[str, Literal["accepted", "last_node", "response_node"]] = {
    "lastNode": "last_node",
    "responseNode": "response_node",
    "streaming": "response_node",
}


class Owner(NamedTuple):
    """Whose route it is, and the version that it starts."""

    workflow_id: str
    project_id: str
    version_id: str


class Address(NamedTuple):
    """Where a kind of hook answers, and how its runs are called."""

    prefix: str
    mode: Mode
    execution_mode: str


PRODUCTION = Address("/webhook/", "webhook", "production")
TEST = Address("/webhook-test/", "manual", "test")


@dataclass(slots=True, eq=False)
class Hook:
    """A compiled route. `segments` is None where the path is taken as it stands. `open`: nothing is asked of the
    caller. The item's JSON is `before` headers `,"params":` params `,"query":` query `,"body":` body `after`
    (binary) `end`."""

    owner: Owner
    method: str
    path: str
    node: str
    segments: tuple[str, ...] | None
    mode: Mode
    authentication: str
    credentials: Mapping[str, str]
    response: Literal["accepted", "last_node", "response_node"]
    shape: Shape
    received: Answer
    origins: tuple[str, ...]
    networks: tuple[Network, ...]
    ignore_bots: bool
    raw_body: bool
    binary_name: str
    open: bool
    before: bytes
    after: bytes
    end: bytes
    counts: tuple[int, ...]

    def match(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """Values of the `:name` segments; None where the path is another one."""
        if self.segments is None:
            return {} if "/".join(parts) == self.path else None
        if len(parts) != len(self.segments):
            return None
        found = {}
        for segment, part in zip(self.segments, parts, strict=True):
            if segment.startswith(":"):
                found[segment[1:]] = part
            elif segment != part:
                return None
        return found


def compile_hook(route: Route, owner: Owner, origin: str, address: Address = PRODUCTION) -> Hook:
    """`origin`: the public address of the installation. Parameters that make no sense take their default."""
    parameters = _mapping(msgspec.json.decode(route.parameters))
    options = _mapping(parameters.get("options"))
    shape = _shape(parameters, options, route.type_version)
    authentication = _text(parameters.get("authentication")) or "none"
    networks = _networks(_text(options.get("ipWhitelist")))
    ignore_bots = options.get("ignoreBots") is True
    before, end, counts = _outputs(route.method, parameters)
    about = {"webhookUrl": f"{origin}{address.prefix}{route.path}", "executionMode": address.execution_mode}
    return Hook(
        owner=owner,
        method=route.method,
        path=route.path,
        node=route.node,
        segments=tuple(route.path.split("/")) if route.pattern else None,
        mode=address.mode,
        authentication=authentication,
        credentials=route.credentials,
        response=_RESPONSES.get(_text(parameters.get("responseMode")), "accepted"),
        shape=shape,
        received=_received(options, shape),
        origins=tuple(_words(_text(options.get("allowedOrigins")) or "*")),
        networks=networks,
        ignore_bots=ignore_bots,
        raw_body=options.get("rawBody") is True or options.get("binaryData") is True,
        binary_name=_text(options.get("binaryPropertyName")),
        open=authentication == "none" and not networks and not ignore_bots,
        before=before,
        after=b"," + orjson.dumps(about)[1:],
        end=end,
        counts=counts,
    )


def _shape(parameters: Mapping[str, Any], options: Mapping[str, Any], version: float) -> Shape:
    """The status is a parameter in version 1 and an option from 2 on."""
    values = _mapping(_mapping(options.get("responseCode")).get("values"))
    status = parameters.get("responseCode") if version < 2 else values.get("responseCode")
    if status == "customCode":
        status = values.get("customCode")
    return Shape(
        data=_text(parameters.get("responseData")) or "firstEntryJson",
        status=int(status) if isinstance(status, int | float) and 100 <= status <= 599 else 200,
        headers=_headers(options),
        property_name=_text(options.get("responsePropertyName")),
        content_type=_text(options.get("responseContentType")),
        binary_name=_text(parameters.get("responseBinaryPropertyName")) or "data",
    )


def _received(options: Mapping[str, Any], shape: Shape) -> Answer:
    """The answer that is sent as soon as the run is durable."""
    if options.get("noResponseBody") is True:
        return Answer(shape.status, shape.headers, b"")
    text = _text(options.get("responseData"))
    if text:
        return Answer(shape.status, typed(shape.headers, _HTML), text.encode())
    return json_answer(shape.status, {"message": "Workflow was started"}, shape.headers)


def _outputs(method: str, parameters: Mapping[str, Any]) -> tuple[bytes, bytes, tuple[int, ...]]:
    """What stands around the item, and the counts: with several methods each has an output of its own."""
    methods = parameters.get("httpMethod")
    if parameters.get("multipleMethods") is not True or not isinstance(methods, list):
        methods = [method]
    names = [str(name).upper() for name in methods]
    place = names.index(method) if method in names else 0
    before = b"[" + b"[]," * place + b'[{"json":{"headers":'
    end = b"}]" + b",[]" * (len(names) - place - 1) + b"]"
    return before, end, tuple(int(output == place) for output in range(len(names)))


def _headers(options: Mapping[str, Any]) -> Headers:
    entries = _mapping(options.get("responseHeaders")).get("entries")
    found = []
    for entry in entries if isinstance(entries, list) else ():
        name, value = _text(_mapping(entry).get("name")), _text(_mapping(entry).get("value"))
        if name and not any(mark in name + value for mark in "\r\n\0"):
            found.append((name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")))
    return tuple(found)


def _networks(text: str) -> tuple[Network, ...]:
    """Addresses and CIDRs. A list in which nothing can be read lets nobody in, rather than everybody."""
    found = []
    words = list(_words(text))
    for word in words:
        try:
            found.append(ip_network(word, strict=False))
        except ValueError:
            continue
    return tuple(found) if found or not words else (ip_network("0.0.0.0/32"),)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """A parameter's text. One that is marked as expression but has no `{{ }}` is the text behind the mark."""
    if isinstance(value, str):
        return value[1:] if value.startswith("=") and "{{" not in value else value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
