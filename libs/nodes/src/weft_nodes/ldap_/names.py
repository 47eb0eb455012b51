"""Distinguished names (RFC 4514)."""

import re
from typing import Final

from weft_node_sdk.context import NodeRunError

_FIRST: Final = re.compile(r'((?:[^\\,;"]|\\.|"(?:[^\\"]|\\.)*")+)(?:[,;]\s*(.*))?', re.DOTALL)


def parted(dn: str) -> tuple[str, str]:
    """The first part and the parent's name. Raises NodeRunError for what is no name."""
    found = _FIRST.fullmatch(dn.strip())
    if found is None or "=" not in found.group(1):
        raise NodeRunError(f"'{dn}' is no distinguished name", code="LDAP_ERROR")
    return found.group(1).strip(), found.group(2) or ""
