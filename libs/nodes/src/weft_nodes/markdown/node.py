"""Markdown: from HTML to Markdown and back."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, made
from weft_node_sdk.paths import put
from weft_node_sdk.values import checked, entries, members, to_text, value

from weft_nodes.markdown.from_html import markdown, style_of
from weft_nodes.markdown.to_html import html


def _pair(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(value(entry.get("pattern")) or ""), str(value(entry.get("replacement")) or "")


def _text(given: Any, name: str) -> str:
    if given is None:
        raise NodeRunError(f"There is no {name}", description="The expression gives null or nothing.")
    return str(to_text(given))


def _to_markdown(parameters: dict[str, Any], options: dict[str, Any]) -> str:
    pairs = [_pair(entry) for entry in entries(options, "textReplace", "values")]
    return markdown(_text(value(parameters.get("html")), "HTML"), style_of(options, pairs, _first(options)))


def _first(options: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Escapes that stand for the built-in ones, by option."""
    found = {name: entries(options, name, "value") for name in ("globalEscape", "lineStartEscape")}
    return {name: _pair(listed[0]) for name, listed in found.items() if listed and _pair(listed[0])[0]}


def _converted(parameters: dict[str, Any], options: dict[str, Any]) -> str:
    if value(parameters.get("mode", "htmlToMarkdown")) == "markdownToHtml":
        return html(_text(value(parameters.get("markdown")), "Markdown"), options)
    return _to_markdown(parameters, options)


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    # a text without expressions is the same for all items
    last: tuple[dict[str, Any], str] = ({}, "")

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        nonlocal last
        if parameters != last[0]:
            last = (parameters, _converted(parameters, dict(checked(members(parameters)))))
        json = dict(item["json"])
        put(json, str(value(parameters.get("destinationKey")) or "data"), last[1])
        output.append(made(json, index, item))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]
