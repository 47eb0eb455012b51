"""Values of databases as the field knows them from JavaScript."""

import re
from typing import Any

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)(\.\d+)?)?(?:\+00)?")


def number(text: str) -> int | float | str | None:
    """A number of any type, as JavaScript holds it; NaN is null, infinity stays text."""
    if text == "NaN":
        return None
    try:
        found = float(text)
    except ValueError:
        return text
    if abs(found) == float("inf"):
        return text
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def moment(text: str) -> str:
    """A date or a time stamp in UTC as ISO 8601, with milliseconds."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    return f"{found[1]}T{found[2] or '00:00:00'}.{(found[3] or '.').lstrip('.')[:3].ljust(3, '0')}Z"


def buffer(data: bytes) -> dict[str, Any]:
    """Bytes, as JSON.stringify writes a Buffer."""
    return {"type": "Buffer", "data": list(data)}
