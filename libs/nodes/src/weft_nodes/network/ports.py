"""Ports as credentials hold them."""

from typing import Any, Final

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import to_text

UNREACHABLE: Final = (
    "Check the credential's host and port, and that the server runs and takes connections from here."
)
"""What to do about a server that does not answer."""


def port_of(given: Any, default: int) -> int:
    """The port of a credential, or its kind's own. Raises NodeRunError for what is no port."""
    text = str(to_text(given) or "").strip()
    if not text or text == "0":
        return default
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]) < 65_536 or len(text) > 5:
        raise NodeRunError(f"The credential's port '{text[:20]}' is no port", code="CREDENTIAL_INVALID")
    return int(text)
