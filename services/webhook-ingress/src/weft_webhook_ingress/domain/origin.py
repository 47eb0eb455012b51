"""What a workflow's answer may do to the origin that it shares with the editor."""

from typing import Final

from weft_webhook_ingress.domain.answers import Headers

_OURS: Final = frozenset(
    {
        b"clear-site-data",
        b"connection",
        b"content-length",
        b"keep-alive",
        b"service-worker-allowed",
        b"strict-transport-security",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-content-type-options",
    }
)
"""Headers that are the server's, or hold for everything at its origin."""
_HARMLESS: Final = frozenset(
    {
        b"application/json",
        b"application/octet-stream",
        b"application/pdf",
        b"application/zip",
        b"text/csv",
        b"text/plain",
    }
)
"""Types that nothing runs in. A browser's viewer of PDF needs to be out of a sandbox."""
_SHOWN: Final = (b"audio/", b"font/", b"image/", b"video/")


def may_answer(name: bytes, value: bytes) -> bool:
    """Whether a workflow may set this header. A cookie of ours could make somebody's browser go on as another user;
    browsers take one without a name by its value, too."""
    name = name.lower()
    if name == b"set-cookie":
        return b"weft_" not in value.partition(b";")[0].lower()
    return name not in _OURS


def may_run(headers: Headers) -> bool:
    """Whether a browser might run something of an answer with these headers: no type, one that is not known as
    harmless, or one of several, of which browsers take the last."""
    kinds = [value.lower() for name, value in headers if name.lower() == b"content-type"]
    if len(kinds) != 1 or b"," in kinds[0]:
        return True
    kind = kinds[0].partition(b";")[0].strip()
    return kind not in _HARMLESS and (not kind.startswith(_SHOWN) or b"xml" in kind)
