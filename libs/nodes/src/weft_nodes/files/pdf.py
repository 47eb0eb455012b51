"""Text of PDF files."""

import asyncio
import io
from typing import Any

from weft_node_sdk.context import NodeRunError


async def read(data: bytes, *, password: str = "", most_pages: int = 0, join: bool = True) -> dict[str, Any]:
    """`{numpages, numrender, info, text, version}`, and `metadata` where it has some; `version` is
    that of the library that read it, `text` is a list by page unless `join`. Raises NodeRunError
    where it is no PDF or another password's."""
    return await asyncio.to_thread(_read, data, password, most_pages, join)


def _read(data: bytes, password: str, most_pages: int, join: bool) -> dict[str, Any]:
    from pypdf import PasswordType, PdfReader
    from pypdf import __version__ as pypdf_version
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and reader.decrypt(password) == PasswordType.NOT_DECRYPTED:
            wrong = "needs a password" if not password else "has another password"
            raise NodeRunError(f"The PDF {wrong}", code="WRONG_PASSWORD")
        count = len(reader.pages)
        shown = min(count, most_pages) if most_pages > 0 else count
        texts = [reader.pages[at].extract_text() for at in range(shown)]
        return {
            "numpages": count,
            "numrender": shown,
            "info": {
                "PDFFormatVersion": reader.pdf_header.removeprefix("%PDF-"),
                "IsAcroFormPresent": "/AcroForm" in reader.root_object,
                **{str(name).lstrip("/"): str(held) for name, held in (reader.metadata or {}).items()},
            },
            **({"metadata": found} if (found := _metadata(reader)) else {}),
            "text": "\n\n".join(texts) if join else texts,
            "version": pypdf_version,
        }
    except (PyPdfError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise NodeRunError(f"The PDF can't be read: {error}") from None


def _metadata(reader: Any) -> dict[str, Any] | None:
    found = reader.xmp_metadata
    if found is None:
        return None
    return {
        name: str(held) if not isinstance(held, list | dict) else {"values": [*held]}
        for name in ("dc_title", "dc_creator", "dc_description", "xmp_create_date", "pdf_producer")
        if (held := getattr(found, name, None))
    }
