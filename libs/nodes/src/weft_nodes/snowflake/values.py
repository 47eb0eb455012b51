"""Results of Snowflake's SQL API, which are all texts, as the field knows them from JavaScript.

https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from weft_node_sdk.json_text import parse_json

from weft_nodes.databases.values import number

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def row(columns: Sequence[Mapping[str, Any]], given: Sequence[Any]) -> dict[str, Any]:
    return {
        str(column.get("name")): None if held is None else _value(str(column.get("type")).lower(), held)
        for column, held in zip(columns, given, strict=False)
    }


def _value(kind: str, held: Any) -> Any:
    text = str(held)
    try:
        match kind:
            case "fixed" | "real":
                return number(text)
            case "boolean":
                return text.lower() in {"true", "1"}
            case "date":
                return (date(1970, 1, 1) + timedelta(days=int(text))).isoformat()
            case "time":
                return (_EPOCH + _seconds(text)).time().isoformat()
            case "timestamp_ntz" | "timestamp_ltz":
                return _moment(text)
            case "timestamp_tz":
                # the second number is the zone's offset in minutes, of which the moment is independent
                return _moment(text.partition(" ")[0])
            case "variant" | "object" | "array":
                return parse_json(text)
    except (ValueError, OverflowError, InvalidOperation):
        pass
    return held


def _seconds(text: str) -> timedelta:
    return timedelta(microseconds=int(Decimal(text) * 1_000_000))


def _moment(text: str) -> str:
    found = _EPOCH + _seconds(text)
    precision = "microseconds" if found.microsecond % 1000 else "milliseconds"
    return found.isoformat(timespec=precision).replace("+00:00", "Z")
