"""QuickChart: a chart of data as a file, drawn by the public service (https://quickchart.io/documentation)."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made
from weft_node_sdk.json_text import json_bytes
from weft_node_sdk.values import NotConvertible, entries, members, shown, to_array, value

_ADDRESS: Final = "https://quickchart.io/chart"
_TYPES: Final = {
    "png": "image/png",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
_LOOKS: Final = ("backgroundColor", "borderColor", "fill", "label", "pointStyle")


def _list(given: Any, name: str) -> list[Any]:
    try:
        found = to_array(value(given))
    except NotConvertible:
        found = None
    if found is None:
        raise NodeRunError(f"The {name} must be a list, not {shown(given)}")
    return list(found)


def _labels(parameters: Mapping[str, Any]) -> list[Any]:
    if parameters.get("labelsMode") == "array":
        return _list(parameters.get("labelsArray"), "labels")
    return [value(entry.get("label")) for entry in entries(parameters, "labelsUi", "labelsValues")]


def chart(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What Chart.js draws. Raises NodeRunError."""
    looks = members(parameters, "datasetOptions")
    kind = value(parameters.get("chartType", "bar"))
    if kind == "bar" and members(parameters, "chartOptions").get("horizontal") is True:
        kind = "horizontalBar"
    dataset = {name: value(looks[name]) for name in _LOOKS if name in looks}
    dataset["data"] = _list(parameters.get("data"), "data")
    return {"type": kind, "data": {"labels": _labels(parameters), "datasets": [dataset]}}


async def _drawn(ctx: RunContext, parameters: Mapping[str, Any], item: Item, index: int) -> Item:
    options = members(parameters, "chartOptions")
    kind = str(value(options.get("format", "png")))
    if kind not in _TYPES:
        raise NodeRunError(f"'{kind}' is no kind of file that charts have")
    drawing = chart(parameters)
    request = {
        "version": "2",
        "format": kind,
        "width": value(options.get("width", 500)),
        "height": value(options.get("height", 300)),
        "devicePixelRatio": value(options.get("devicePixelRatio", 2)),
        "backgroundColor": value(options.get("backgroundColor")) or "transparent",
        "chart": drawing,
    }
    headers = [("content-type", "application/json")]
    answer = await ctx.http.request("POST", _ADDRESS, headers=headers, body=json_bytes(request))
    if answer.status >= 400:
        told = next((text for name, text in answer.headers if name.lower() == "x-quickchart-error"), "")
        raise NodeRunError(
            f"The chart could not be drawn: {told or answer.reason or answer.status}",
            http_status=answer.status,
        )
    file = await ctx.store_binary(answer.body, mime_type=_TYPES[kind], file_name=f"chart.{kind}")
    name = str(value(parameters.get("output")) or "data")
    drawn = made({**item["json"], "chart": drawing}, index, item)
    drawn["binary"] = {**item.get("binary", {}), name: file}
    return drawn


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    await ctx.checkpoint()
    parameters = await ctx.parameters()
    for index, item in enumerate(ctx.items):
        await ctx.checkpoint()
        try:
            output.append(await _drawn(ctx, parameters[index], item, index))
        except NodeRunError as error:
            if error.item_index is None:
                error.item_index = index
            if error.fatal or not ctx.continues():
                raise
            output.append(ctx.failed_item(error, index))
    return [output]
