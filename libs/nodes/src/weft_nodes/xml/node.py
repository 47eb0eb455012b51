"""XML: from XML to JSON and back."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, made
from weft_node_sdk.values import members, shown, value
from weft_node_sdk.whole import told
from weft_node_sdk.xml_reading import Shape, parsed

from weft_nodes.xml.writing import Style, written


def _to_json(item: Item, parameters: dict[str, Any], name: str) -> dict[str, Any]:
    options = members(parameters)
    if name not in item["json"]:
        raise NodeRunError(f"The item has no field '{name}'", description="Name the field with the XML.")
    text = item["json"][name]
    if not isinstance(text, str):
        raise NodeRunError(f"The field '{name}' has no text but {shown(text)}")
    shape = Shape(
        attributes=str(value(options.get("attrkey")) or "$"),
        text=str(value(options.get("charkey")) or "_"),
        merge_attributes=options.get("mergeAttrs", True) is True,
        ignore_attributes=options.get("ignoreAttrs") is True,
        arrays=options.get("explicitArray") is True,
        normalize=options.get("normalize") is True,
        lower_tags=options.get("normalizeTags") is True,
        trim=options.get("trim") is True,
    )
    return parsed(text, shape, with_root=options.get("explicitRoot", True) is True)


def _to_xml(item: Item, parameters: dict[str, Any], name: str) -> dict[str, Any]:
    options = members(parameters)
    style = Style(
        attributes=str(value(options.get("attrkey")) or "$"),
        text=str(value(options.get("charkey")) or "_"),
        cdata=options.get("cdata") is True,
        head=options.get("headless") is not True,
        root=str(value(options.get("rootName")) or "root"),
    )
    return {name: written(told(item["json"]), style)}


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        mode = value(parameters.get("mode", "xmlToJson"))
        name = str(value(parameters.get("dataPropertyName")) or "data")
        if mode not in ("xmlToJson", "jsonToxml"):
            raise NodeRunError(f"'{mode}' is not a known mode")
        work = _to_json if mode == "xmlToJson" else _to_xml
        output.append(made(work(item, parameters, name), index))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]
