"""Edit Image: draws, resizes, turns and combines images, or tells about one."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import entries, members, value

_ENDINGS: Final = {"jpeg": "jpg", "tiff": "tif"}


def _steps(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if parameters.get("operation") != "multiStep":
        return [parameters]
    return list(entries(parameters, "operations", "operations"))


async def _second(ctx: RunContext, index: int, steps: list[Mapping[str, Any]]) -> dict[str, bytes]:
    """The images that are laid over, by name."""
    names = {
        str(value(s.get("dataPropertyNameComposite", ""))) for s in steps if s.get("operation") == "composite"
    }
    return {name: await ctx.read_binary(index, name) for name in names}


def _edited(
    data: bytes | None, steps: list[Mapping[str, Any]], others: Mapping[str, bytes], wanted: str, quality: int
) -> tuple[bytes, str]:
    """The image after all steps, and its format."""
    from weft_nodes.edit_image import composing, drawing

    kind = wanted or "png"
    picture = None
    if data is not None:
        source = drawing.opened(data)
        kind = wanted or (source.format or "PNG").lower()
        picture = source.convert("RGBA")
    for step in steps:
        operation = str(step.get("operation", "border"))
        if operation == "create":
            picture = drawing.created(step)
        elif picture is None:
            raise NodeRunError("There is no image to work on")
        elif operation == "composite":
            over = drawing.opened(others[str(value(step.get("dataPropertyNameComposite", "")))]).convert(
                "RGBA"
            )
            left, top = drawing.whole(step, "positionX"), drawing.whole(step, "positionY")
            picture = composing.composed(picture, over, str(step.get("operator", "Over")), left, top)
        elif operation in drawing.OPERATIONS:
            picture = drawing.OPERATIONS[operation](picture, step)
        else:
            raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
    if picture is None:
        raise NodeRunError("There is no image to work on")
    kind = "jpeg" if kind in {"mpo", "jpg"} else kind
    return drawing.saved(picture, kind, quality), kind


def _information(data: bytes) -> dict[str, Any]:
    from weft_nodes.edit_image import drawing

    picture = drawing.opened(data)
    depths = {"1": 1, "I": 32, "F": 32, "I;16": 16}
    return {
        "format": picture.format,
        "mode": picture.mode,
        "size": {"width": picture.width, "height": picture.height},
        "depth": depths.get(picture.mode, 8),
        "filesize": len(data),
        "frames": int(getattr(picture, "n_frames", 1)),
    }


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        item, options = ctx.items[index], members(parameters)
        name = str(value(parameters.get("dataPropertyName", "data")) or "data")
        operation = parameters.get("operation", "border")
        if operation == "information":
            data = await ctx.read_binary(index, name)
            return [made(await asyncio.to_thread(_information, data), index, item)]
        if options.get("font"):
            raise NodeRunError("Another font than the default one can't be used here yet", code="UNSUPPORTED")
        steps = _steps(parameters)
        creates = bool(steps) and steps[0].get("operation") == "create"
        source = None if creates else await ctx.read_binary(index, name)
        others = await _second(ctx, index, steps)
        quality = value(options.get("quality", 100))
        quality = int(quality) if isinstance(quality, int | float) else 100
        wanted = str(value(options.get("format", "")) or "")
        data, kind = await asyncio.to_thread(_edited, source, steps, others, wanted, quality)
        target = str(value(options.get("destinationKey")) or name)
        before = item.get("binary", {}).get(target, {})
        old = str(before.get("fileName") or "")
        default = f"{old.rpartition('.')[0] or old}.{kind}" if wanted and old else old
        entry = await ctx.store_binary(
            data, mime_type=f"image/{kind}", file_name=str(value(options.get("fileName")) or default)
        )
        file = {**entry, "fileExtension": _ENDINGS.get(kind, kind)}
        return [{**made(item["json"], index), "binary": {**item.get("binary", {}), target: file}}]

    return [await map_items(ctx, handle)]
