"""Where a blob lies in a store: no key chooses a path."""

import hashlib
import re
from typing import Final

from weft_kit.blobs import is_file

FILE_MARK: Final = "f-"
"""Before the name of an item's file."""
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(name: str) -> bool:
    return _ID.fullmatch(name) is not None


def name_of(group: str) -> str:
    """The name of its folder: the group itself where it is an id, else a hash."""
    return group if is_id(group) else hashlib.sha256(group.encode()).hexdigest()


def place_of(key: str) -> str:
    """`group/blob`, which the store's own list shows, too."""
    group, _, name = key.partition("/")
    mark = FILE_MARK if is_file(key) else ""
    return f"{name_of(group)}/{mark}{hashlib.sha256(name.encode()).hexdigest()}"
