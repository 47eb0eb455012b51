"""Protobuf answers as the JSON of the REST API.

Differs from protobuf's own JSON mapping where API clients would stumble: 64-bit integers are numbers, `bytes`
fields are JSON documents and are put in as they are, an unset time or an empty `bytes` field is null.
"""

from datetime import UTC, datetime
from typing import Any

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Raw = orjson.Fragment
"""A part that already is JSON."""


def view(message: Message) -> dict[str, Any]:
    """A message as a dict that orjson can write; field names as in the proto file."""
    out: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            out[field.name] = dict(value)
        elif field.is_repeated:
            out[field.name] = [_part(field, item) for item in value]
        elif field.message_type is not None and not message.HasField(field.name):
            out[field.name] = None
        else:
            out[field.name] = _part(field, value)
    return out


def _part(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        if field.message_type.full_name == "google.protobuf.Timestamp":
            return moment(value)
        return view(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return Raw(value) if value else None
    return value


def moment(value: Any) -> str | None:
    """A protobuf timestamp as ISO 8601 in UTC with microseconds; None where it is unset."""
    if not value.seconds and not value.nanos:
        return None
    when: datetime = value.ToDatetime(tzinfo=UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
