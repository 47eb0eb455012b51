"""Queries from their text, and documents as JSON."""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.dates import parse
from weft_node_sdk.values import value

from weft_nodes.databases.placeholders import filled


def query(parameters: Mapping[str, Any], name: str, held: str, label: str) -> Any:
    """The parameter `name`: JSON, with MongoDB's extended types (`{"$oid": …}`). A text `"$1"` in it stands for the
    first of the parameter `held`. Raises NodeRunError."""
    given = value(parameters.get(name))
    if isinstance(given, str):
        from bson import json_util
        from bson.errors import BSONError

        try:
            given = json_util.loads(given)
        except (ValueError, TypeError, BSONError) as error:
            raise NodeRunError(f"{label} is not valid JSON: {error}") from None
    values = value(parameters.get(held))
    return filled(given, values if isinstance(values, list) else [])


def identifier(given: Any) -> Any:
    """An `_id` as the database makes them, where the text looks like one."""
    from bson import ObjectId

    return ObjectId(given) if isinstance(given, str) and re.fullmatch("[0-9a-fA-F]{24}", given) else given


def moment(given: Any, timezone: str) -> datetime | None:
    """A date from a text or from milliseconds since the epoch; None where it is neither."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            return datetime.fromtimestamp(given / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return parse(given, timezone) if isinstance(given, str) else None


def plain(given: Any) -> Any:
    """A value of a document as JSON."""
    from bson import Decimal128, ObjectId, json_util

    if given is None or isinstance(given, str | bool):
        return given
    if isinstance(given, float):
        return given if given == given and abs(given) != float("inf") else None  # noqa: PLR0124 - NaN
    if isinstance(given, int):
        return int(given)
    if isinstance(given, Mapping):
        return {str(name): plain(member) for name, member in given.items()}
    if isinstance(given, list):
        return [plain(member) for member in given]
    if isinstance(given, ObjectId | UUID):
        return str(given)
    if isinstance(given, datetime):
        return given.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{given.microsecond // 1000:03d}Z"
    if isinstance(given, bytes):
        return b64encode(given).decode()
    if isinstance(given, Decimal128):
        return {"$numberDecimal": str(given)}
    return plain(json_util.default(given))
