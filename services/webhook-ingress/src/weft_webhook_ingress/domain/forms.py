"""`a=1&b[c]=2&d[]=3`: query strings and URL-encoded forms, with the nesting that Express callers use."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from weft_contracts.errors import ErrorCode, WeftError

MOST_FIELDS: Final = 10_000
_NESTED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){1,5})")


def parse_form(text: str, *, nested: bool = True) -> dict[str, Any]:
    """Values are strings; a name that comes twice, `a[]` and `a[0]` make lists, `a[b]` makes an object; names stay as
    they are where it is not `nested`. Raises BAD_REQUEST for too many fields."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise WeftError(ErrorCode.BAD_REQUEST, f"The form has more than {MOST_FIELDS} fields.") from None
    found: dict[str, Any] = {}
    for key, value in pairs:
        (put_field if nested else _add)(found, key, value)
    return found


def put_field(found: dict[str, Any], key: str, value: Any) -> None:
    """Adds one field under the name that its key spells."""
    nested = _NESTED.fullmatch(key) if "[" in key else None
    if nested is None:
        _add(found, key, value)
        return
    parts = [nested[1], *nested[2][1:-1].split("][")]
    is_list = not parts[-1] or parts[-1].isdigit()
    if is_list:
        parts.pop()
    for part in parts[:-1]:
        child = found.get(part)
        if not isinstance(child, dict):
            child = found[part] = {}
        found = child
    if is_list and not isinstance(found.get(parts[-1]), list):
        found[parts[-1]] = [found[parts[-1]]] if parts[-1] in found else []
    _add(found, parts[-1], value)


def _add(found: dict[str, Any], name: str, value: Any) -> None:
    old = found.get(name)
    if name not in found:
        found[name] = value
    elif isinstance(old, list):
        old.append(value)
    else:
        found[name] = [old, value]
