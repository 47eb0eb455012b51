"""Values of databases as the field knows them from JavaScript."""

import re
from typing import Any

_MOMENT = re.compile(r"(\d{4,6})(-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)(\.\d+)?)?(?:\+00)?( BC)?")


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
    year = 1 - int(found[1]) if found[5] else int(found[1])
    # ISO 8601 as JavaScript writes it: six digits and a sign where four don't do
    years = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+07d}"
    return f"{years}{found[2]}T{found[3] or '00:00:00'}.{(found[4] or '.').lstrip('.')[:3].ljust(3, '0')}Z"


def buffer(data: bytes) -> dict[str, Any]:
    """Bytes, as JSON.stringify writes a Buffer."""
    return {"type": "Buffer", "data": list(data)}
