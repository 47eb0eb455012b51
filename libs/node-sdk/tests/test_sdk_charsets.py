"""Text by the charset that a header names."""

import pytest
from weft_node_sdk.charsets import decoded


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"\xe4", "iso-8859-1", "ä"),
        (b"\x80", "windows-1252", "€"),
        ("ä".encode(), "utf-8", "ä"),
        (b"a\xff", "UTF8", "a�"),
        (b"\x00\xd8", "utf-16-le", "�"),
    ],
)
def test_charsets(data: bytes, charset: str, text: str) -> None:
    assert decoded(data, charset) == text


@pytest.mark.parametrize(
    "charset", ["nonsense", "", "a\0b", "ж", "base64", "idna", "undefined", "unicode_escape", "UTF-7"]
)
def test_what_is_no_charset_is_read_as_utf_8(charset: str) -> None:
    assert decoded("ä +2AA-".encode(), charset) == "ä +2AA-"


def test_no_charset_takes_longer_than_its_text_deserves() -> None:
    """As punycode this would take hours."""
    assert decoded(b"9a" * 2_000_000, "Puny-Code") == "9a" * 2_000_000
    assert decoded(b"9a" * 2_000_000, "punycode") == "9a" * 2_000_000
