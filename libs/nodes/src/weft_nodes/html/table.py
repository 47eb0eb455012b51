"""Items as one HTML table."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item
from weft_node_sdk.paths import MISSING
from weft_node_sdk.values import number_text, value

_LOOKS: Final = {
    "table": "style='border-spacing:0; font-family:helvetica,arial,sans-serif'",
    "head": "style='margin:0; padding:7px 20px 7px 0px; border-bottom:1px solid #eee; text-align:left; "
    "color:#888; font-weight:normal'",
    "cell": "style='margin:0; padding:7px 20px 7px 0px; border-bottom:1px solid #eee'",
}


def _text(given: Any) -> str:
    """As JavaScript puts a value into a text."""
    if given is MISSING:
        return "undefined"
    if given is None:
        return "null"
    if isinstance(given, int | float):
        return number_text(given)
    if isinstance(given, list):
        return ",".join("" if member is None else _text(member) for member in given)
    return "[object Object]" if isinstance(given, dict) else str(given)


def _cell(given: Any) -> str:
    if isinstance(given, bool):
        return '<input type="checkbox" checked="checked"/>' if given else '<input type="checkbox" />'
    return _text(given)


def _capitalized(name: str) -> str:
    return " ".join(part[:1].upper() + part[1:] for part in name.split("_"))


def table(items: list[Item], options: Mapping[str, Any]) -> str:
    """Columns are all fields, in the order of their first item. Cells may hold HTML: nothing is escaped."""
    plain = options.get("customStyling") is True

    def opened(tag: str, look: str, attributes: str) -> str:
        style = "" if plain else _LOOKS.get(look, "")
        return f"<{tag} {style} {value(options.get(attributes)) or ''}>"

    names = list(dict.fromkeys(name for item in items for name in item["json"]))
    shown = [_capitalized(name) for name in names] if options.get("capitalize") is True else names
    caption = str(value(options.get("caption")) or "")
    row, cell = opened("tr", "", "rowAttributes"), opened("td", "cell", "cellAttributes")
    rows = "".join(
        row + "".join(f"{cell}{_cell(item['json'].get(name, MISSING))}</td>" for name in names) + "</tr>"
        for item in items
    )
    return (
        opened("table", "table", "tableAttributes")
        + (f"<caption>{caption}</caption>" if caption else "")
        + opened("thead", "head", "headerAttributes")
        + "<tr>"
        + "".join(f"<th>{name}</th>" for name in shown)
        + f"</tr></thead><tbody>{rows}</tbody></table>"
    )
