"""Kinds of files: type, extension, size, as an item's file says them."""

import mimetypes
from typing import Any, Final

TABLE_TYPES: Final = {
    "csv": "text/csv",
    "html": "text/html",
    "rtf": "application/rtf",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TYPES: Final = {
    "txt": "text/plain",
    "md": "text/markdown",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "ics": "text/calendar",
    "log": "text/plain",
    "gz": "application/gzip",
    "gzip": "application/gzip",
    "webp": "image/webp",
    **TABLE_TYPES,
}


_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def extension_of(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def extension_for(mime_type: str) -> str:
    """The usual extension of a type, without the dot; empty where there is none."""
    for extension, known in TYPES.items():
        if known == mime_type:
            return extension
    return (mimetypes.guess_extension(mime_type) or "").lstrip(".")


def described(mime_type: str, file_name: str, size: int) -> dict[str, Any]:
    """What an item says of its file: `mimeType`, `fileSize` as text ("1.2 MB"), `bytes`, and where they are known
    `fileName`, `fileExtension` (by the name, else by the type) and `fileType`."""
    extension = extension_of(file_name)
    if not extension and not (
        file_name and mime_type == "text/plain"
    ):  # which stands for a type that is not known
        extension = extension_for(mime_type)
    known = {"fileName": file_name, "fileExtension": extension, "fileType": _kind(mime_type)}
    return {
        "mimeType": mime_type,
        **{key: text for key, text in known.items() if text},
        "fileSize": size_text(size),
        "bytes": size,
    }


def _kind(mime_type: str) -> str:
    """What a viewer goes by: image, audio, video, text, html, json, pdf; empty for the others."""
    whole = {"application/json": "json", "text/html": "html", "application/pdf": "pdf"}
    first = mime_type.partition("/")[0]
    return whole.get(mime_type) or (first if first in ("image", "audio", "video", "text") else "")


def size_text(size: int) -> str:
    """In powers of 1,000 with three digits: 999 B, 1.23 MB."""
    number, unit = float(size), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{float(f'{number:.3g}'):g} {_UNITS[unit]}"
