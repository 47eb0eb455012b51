"""`$execution.customData`: texts that an execution keeps of itself, to be found by later. Limits as n8n's."""

import re
from typing import Any, Final

MOST_KEYS: Final = 10
LONGEST_KEY: Final = 50
LONGEST_VALUE: Final = 512
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_]")


def note(held: dict[str, str], key: Any, value: Any) -> None:
    """Keeps a value, cut to its length; once there are as many keys as may be, others are left out. Raises ValueError
    for what is no key or no value."""
    if not isinstance(key, str):
        raise ValueError(f"A key of custom data is a text, and {key!r} is none")
    if _FOREIGN.search(key):
        raise ValueError(f"A key of custom data has letters, digits and underscores only: '{key}'")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"A value of custom data is a text, and that of '{key}' is none")
    key = key[:LONGEST_KEY]
    if key in held or len(held) < MOST_KEYS:
        # the zero character: PostgreSQL has no text with it
        held[key] = str(value).replace("\0", "")[:LONGEST_VALUE]


def note_all(held: dict[str, str], values: Any) -> None:
    """What a process of user code says that its scripts have kept; what is no such thing is left out."""
    for key, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, str) and not _FOREIGN.search(key):
            note(held, key, value)
