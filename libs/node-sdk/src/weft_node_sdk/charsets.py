"""Text by the charset that a header names."""

import codecs
from typing import Final

_NO_CHARSETS: Final = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
)
"""Python's codecs of text that whoever sends a header must not choose: punycode takes time by the square of the length,
others fail, or make halves of characters. None of them is a charset of the web (encoding.spec.whatwg.org)."""


def codec(name: str) -> str:
    """Python's name of a charset. Raises LookupError."""
    try:
        found = codecs.lookup(name).name
    except ValueError:  # a null byte in the name
        raise LookupError(name) from None
    if found in _NO_CHARSETS:
        raise LookupError(name)
    return found


def decoded(data: bytes, charset: str) -> str:
    """By UTF-8 where the charset is not known; what does not fit is replaced."""
    try:
        return data.decode(codec(charset), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
