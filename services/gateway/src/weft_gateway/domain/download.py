"""How a file of somebody's is given out: never as a page of ours."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

_SHOWN: Final = re.compile(
    r"image/(png|jpeg|gif|webp|avif|bmp|x-icon)|audio/[\w.+-]+|video/[\w.+-]+|text/(plain|csv)|application/json",
    re.ASCII,
)
"""Types that a browser may show in place: none of them runs."""
_PLAIN: Final = "application/octet-stream"
_LONGEST: Final = 200
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Part(NamedTuple):
    """Bytes `start` to before `end` of a file."""

    start: int
    end: int


def part_of(header: str, size: int) -> Part | None:
    """What a Range header asks for. None: all of it, as for what can't be read and for several ranges (RFC 9110, 14.2
    lets a server do so). Raises ValueError where the file has nothing of it."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(size - int(found[2]), 0), size
    else:
        start = int(found[1])
        if found[2] and int(found[2]) < start:
            return None
        end = min(int(found[2]) + 1, size) if found[2] else size
    if start >= end:
        raise ValueError(f"nothing of {size} bytes")
    return Part(start, end)


def headers_of(entry: Mapping[str, Any], *, shown: bool) -> dict[str, str]:
    """`shown`: in place, where its type can do no harm; everything else is saved. A type that isn't on the list is
    not even named, and a page that is opened all the same has no origin and may load nothing."""
    kind = str(entry.get("mimeType") or "").partition(";")[0].strip().lower()
    harmless = bool(_SHOWN.fullmatch(kind))
    text = "; charset=utf-8" if kind.startswith("text/") else ""
    how = "inline" if shown and harmless else "attachment"
    return {
        "Content-Type": f"{kind}{text}" if harmless else _PLAIN,
        "Content-Disposition": f"{how}; {_named(str(entry.get('fileName') or 'file'))}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
    }


def _named(name: str) -> str:
    """RFC 6266: the name in ASCII, and as it is; without anything that would be a folder or a line."""
    plain = re.sub(r"[\x00-\x1f\x7f/\\]", "_", name)[-_LONGEST:].strip() or "file"
    ascii_only = re.sub(r"[^ -~]|[\"%]", "_", plain)
    encoded = quote(plain.encode("utf-8", "replace"), safe="")
    return f"filename=\"{ascii_only}\"; filename*=UTF-8''{encoded}"
