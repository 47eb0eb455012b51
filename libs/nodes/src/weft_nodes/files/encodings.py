"""Text encodings by the names that workflows use."""

import codecs
import io
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import IO, Final

from weft_node_sdk import charsets
from weft_node_sdk.context import NodeRunError

_NAMES: Final = {
    "utf8": "utf-8",
    "cesu8": "utf-8",
    "ucs2": "utf-16-le",
    "utf16": "utf-16-le",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    "utf32": "utf-32-le",
    "utf32le": "utf-32-le",
    "utf32be": "utf-32-be",
    "utf7imap": "utf-7",
    "binary": "latin-1",
    "latin1": "latin-1",
    "windows874": "cp874",
    "cp808": "cp866",
    "cp922": "iso8859_4",
    "macroman": "mac_roman",
    "macintosh": "mac_roman",
    "maccenteuro": "mac_latin2",
    "maccroatian": "mac_croatian",
    "maccyrillic": "mac_cyrillic",
    "macukraine": "mac_cyrillic",
    "macgreek": "mac_greek",
    "maciceland": "mac_iceland",
    "macromania": "mac_romanian",
    "macturkish": "mac_turkish",
    "shiftjis": "cp932",
    "eucjp": "euc_jp",
    "koi8r": "koi8_r",
    "koi8u": "koi8_u",
    "koi8t": "koi8_t",
    "rk1048": "kz1048",
    "hproman8": "hp_roman8",
    "tis620": "tis_620",
}
_MARKED: Final = {"utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}
_BYTES: Final = {"base64", "hex"}


def _codec(name: str) -> str:
    short = name.lower().replace("-", "").replace("_", "")
    named = _NAMES.get(short, short)
    if named == short and short.startswith("iso8859"):
        named = f"iso8859_{short[7:]}"
    if named == short and short.startswith("windows"):
        named = f"cp{short[7:]}"
    try:
        return named if named == "utf-7" else charsets.codec(named)
    except LookupError:
        raise NodeRunError(f"The encoding '{name}' is not known here", code="UNSUPPORTED") from None


def decode(data: bytes, encoding: str = "utf8", *, strip_bom: bool = True) -> str:
    """The text; what does not fit the encoding is replaced. base64 and hex show the bytes themselves."""
    if encoding in _BYTES:
        return data.hex() if encoding == "hex" else b64encode(data).decode()
    codec = _codec(encoding)
    if encoding.lower() in {"utf16", "utf32"} and data[:2] in (codecs.BOM_UTF16_BE, b"\0\0"):
        codec = codec.replace("le", "be")
    text = data.decode(codec, "replace")
    return text.removeprefix("\ufeff") if strip_bom else text


def lines(file: IO[bytes], encoding: str = "utf8") -> Iterator[str]:
    """The lines of a file with their ends, without the mark; decoded as they come, which blocks."""
    if encoding in _BYTES:
        yield decode(file.read(), encoding)
        return
    codec = _codec(encoding)
    if encoding.lower() in {"utf16", "utf32"}:
        if file.read(2) in (codecs.BOM_UTF16_BE, b"\0\0"):
            codec = codec.replace("le", "be")
        file.seek(0)
    text = io.TextIOWrapper(file, codec, "replace", newline="")
    try:
        for number, line in enumerate(text):
            yield line if number else line.removeprefix("\ufeff")
    finally:
        if not file.closed:  # else there is nothing to give back
            text.detach()


def encode(text: str, encoding: str = "utf8", *, add_bom: bool = False) -> bytes:
    """The bytes; a character that the encoding lacks becomes a question mark."""
    if encoding in _BYTES:
        try:
            return bytes.fromhex(text) if encoding == "hex" else b64decode(text)
        except ValueError:
            raise NodeRunError(f"The text is no {encoding}") from None
    codec = _codec(encoding)
    marked = add_bom or encoding.lower() in {"utf16", "utf32"}
    return ("\ufeff" + text if marked and codec in _MARKED else text).encode(codec, "replace")
