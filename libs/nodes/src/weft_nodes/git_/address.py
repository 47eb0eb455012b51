"""Addresses of remote repositories: which kinds there are, and where they lead."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from weft_node_sdk.context import NodeRunError

_PORTS: Final = {"http": 80, "https": 443, "ssh": 22}
_HOST: Final = r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_FULL: Final = re.compile(
    rf"(?P<scheme>https?|ssh)://(?:(?P<user>[^/@:\s\\?#]*)(?::(?P<password>[^/@\s\\?#]*))?@)?{_HOST}(?::(?P<port>\d{{1,5}}))?"
    r"(?P<path>/[^\s\\]*)"
)
_SHORT: Final = re.compile(rf"(?:(?P<user>[^/@:\s\\?#]+)@)?{_HOST}:(?!/)(?P<path>[^\s\\]+)")


@dataclass(frozen=True)
class Address:
    """`text`: as Git is given it. `name`: what messages may show."""

    text: str = field(repr=False)
    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        return self.text.replace(f":{self.password}@", "@") if self.password else self.text


def parsed(text: str) -> Address:
    """Stricter than Git and curl, so that all read the same host: https, http, ssh, and ssh's short form
    `user@host:path`. Raises NodeRunError for all else."""
    full, short = _FULL.fullmatch(text), _SHORT.fullmatch(text)
    found = full or (None if "://" in text or "::" in text else short)
    if found is None or not text.isprintable() or found["host"].startswith("-"):
        raise NodeRunError(
            "The repository's address is not one of https://, http:// or ssh://",
            description="Git reaches it by no other way here, local folders included.",
            code="GIT_REFUSED",
        )
    scheme, port = (full["scheme"], full["port"]) if full else ("ssh", None)
    return Address(
        text,
        scheme,
        found["host"].strip("[]"),
        int(port or _PORTS[scheme]),
        unquote(found["user"] or ""),
        unquote(full["password"] or "") if full else "",
    )
