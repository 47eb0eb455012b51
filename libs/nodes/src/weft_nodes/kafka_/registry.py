"""Messages by a schema from a registry (docs.confluent.io/platform/current/schema-registry/develop/api.html). What is
sent is a zero, the schema's number in four bytes, and the message by the schema ("wire format" there)."""

import io
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.json_text import parse_json

_CREDENTIAL: Final = "schemaRegistryApi"
_LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a schema."""


class _Schema(NamedTuple):
    number: int
    avro: Any
    """None: the message is sent as JSON."""


class Registry:
    """Of one run: each subject's newest schema is asked for once."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._schemas: dict[tuple[str, str], _Schema] = {}

    async def encoded(self, url: str, subject: str, message: str) -> bytes:
        """`message`: JSON. Raises NodeRunError where it does not fit the schema."""
        if (url, subject) not in self._schemas:
            self._schemas[url, subject] = await self._newest(url, subject)
        schema = self._schemas[url, subject]
        head = b"\0" + schema.number.to_bytes(4, "big")
        if schema.avro is None:
            return head + message.encode()
        return head + _by_avro(schema.avro, message, subject)

    async def _newest(self, url: str, subject: str) -> _Schema:
        headers = [("accept", "application/vnd.schemaregistry.v1+json, application/json")]
        if self._ctx.node.credentials.get(_CREDENTIAL):
            held = await self._ctx.authentication(_CREDENTIAL)
            url = url or str(held.secret.get("url") or "")
            held.check(url)
            headers += held.headers if held.secret.get("authentication") != "none" else []
        if not url:
            raise NodeRunError("The address of the schema registry is missing")
        answer = await self._ctx.http.request(
            "GET",
            f"{url.rstrip('/')}/subjects/{quote(subject, safe='')}/versions/latest",
            headers=headers,
            timeout=60,
            follow_redirects=False,
            max_bytes=_LARGEST,
        )
        try:
            found = parse_json(answer.body.decode())
        except ValueError:
            found = None
        if answer.status != 200 or not isinstance(found, dict):
            said = found.get("message") if isinstance(found, dict) else None
            text = said or f"{answer.status} {answer.reason}"
            raise NodeRunError(
                f"The schema registry has no '{subject}': {text}",
                code="HTTP_ERROR",
                http_status=answer.status,
            )
        return _read(found, subject)


def _read(found: dict[str, Any], subject: str) -> _Schema:
    from fastavro import parse_schema
    from fastavro.schema import SchemaParseException, UnknownType

    kind, number = str(found.get("schemaType") or "AVRO"), found.get("id")
    if kind not in {"AVRO", "JSON"} or found.get("references"):
        what = f"of the kind {kind}" if kind not in {"AVRO", "JSON"} else "that refer to others"
        raise NodeRunError(f"The schema of '{subject}': schemas {what} can't be used", code="UNSUPPORTED")
    try:
        if not isinstance(number, int):
            raise ValueError("it has no number")
        avro = parse_schema(parse_json(str(found.get("schema")))) if kind == "AVRO" else None
    except (ValueError, SchemaParseException, UnknownType) as error:
        raise NodeRunError(f"The schema of '{subject}' can't be read: {error}") from None
    return _Schema(number, avro)


def _by_avro(schema: Any, message: str, subject: str) -> bytes:
    from fastavro import schemaless_writer

    target = io.BytesIO()
    try:
        schemaless_writer(target, schema, parse_json(message))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError) as error:
        raise NodeRunError(f"The message does not fit the schema of '{subject}': {error}") from None
    return target.getvalue()
