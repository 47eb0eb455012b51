"""Rows of BigQuery as fields: https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from weft_nodes.databases.values import number

_NUMBERS: Final = {"INTEGER", "INT64", "FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def row(fields: Sequence[Mapping[str, Any]], given: Mapping[str, Any], *, numbers: bool) -> dict[str, Any]:
    """Of `{f: [{v}]}`. Numbers are texts unless `numbers`, booleans are booleans, time stamps ISO 8601 in UTC."""
    return {
        str(field["name"]): _value(field, cell.get("v"), numbers=numbers)
        for field, cell in zip(fields, given.get("f") or [], strict=False)
    }


def _value(field: Mapping[str, Any], held: Any, *, numbers: bool) -> Any:
    if held is None:
        return None
    if field.get("mode") == "REPEATED":
        single = {**field, "mode": ""}
        return [_value(single, each.get("v"), numbers=numbers) for each in held]
    kind = field.get("type")
    if kind in {"RECORD", "STRUCT"}:
        return row(field.get("fields") or [], held, numbers=numbers)
    if kind in {"BOOLEAN", "BOOL"}:
        return held == "true"
    if kind == "TIMESTAMP":
        return _moment(str(held))
    return number(held) if numbers and kind in _NUMBERS and isinstance(held, str) else held


def _moment(text: str) -> str:
    """Of seconds since the epoch; microseconds are kept where there are some below a millisecond."""
    try:
        found = _EPOCH + timedelta(microseconds=round(float(text) * 1_000_000))
    except (ValueError, OverflowError):
        return text
    precision = "microseconds" if found.microsecond % 1000 else "milliseconds"
    return found.isoformat(timespec=precision).replace("+00:00", "Z")
