"""Edit Image: what comes out, pixel by pixel where that is certain."""

import io
from typing import Any

import pytest
from PIL import Image
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.edit_image import composing, drawing

CATALOGUE = Catalogue.load()
RED, BLUE, CLEAR = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)


def image(width: int = 40, height: int = 20, color: Any = RED, kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    Image.new("RGBA" if kind == "PNG" else "RGB", (width, height), color[: 4 if kind == "PNG" else 3]).save(
        target, kind
    )
    return target.getvalue()


async def run(
    parameters: dict[str, Any], version: float = 1.1, **files: bytes
) -> tuple[dict[str, Any], FakeContext]:
    entries = {name: {"id": name, "mimeType": "image/png", "fileName": f"{name}.png"} for name in files}
    given = CATALOGUE.fill_defaults("editImage", version, parameters)
    ctx = FakeContext(given, [[{"json": {"k": 1}, "binary": entries}]], version=version, type="editImage")
    ctx.stored |= files
    outputs = await CATALOGUE.implementation("editImage")(ctx)
    assert isinstance(outputs, list)
    return outputs[0][0], ctx


async def edited(parameters: dict[str, Any], version: float = 1.1, **files: bytes) -> Image.Image:
    item, ctx = await run(parameters, version, **(files or {"data": image()}))
    return Image.open(io.BytesIO(ctx.stored[item["binary"]["data"]["id"]])).convert("RGBA")


@pytest.mark.parametrize("version", [1, 1.1])
async def test_what_is_known_about_an_image(version: float) -> None:
    item, _ = await run({"operation": "information"}, version, data=image(kind="JPEG"))
    assert item["json"]["format"] == "JPEG"
    assert item["json"]["size"] == {"width": 40, "height": 20}
    assert item["binary"]["data"]["id"] == "data"


@pytest.mark.parametrize(
    ("option", "width", "height", "size"),
    [
        ("ignoreAspectRatio", 10, 10, (10, 10)),
        ("maximumArea", 20, 20, (28, 14)),
        ("maximumArea", 100, 100, (141, 70)),
        ("minimumArea", 20, 20, (40, 20)),
        ("percent", 50, 200, (20, 40)),
        ("onlyIfLarger", 20, 20, (20, 10)),
        ("onlyIfLarger", 80, 80, (40, 20)),
        ("onlyIfSmaller", 80, 80, (80, 40)),
        ("onlyIfSmaller", 20, 20, (40, 20)),
    ],
)
async def test_sizes(option: str, width: int, height: int, size: tuple[int, int]) -> None:
    made = await edited({"operation": "resize", "resizeOption": option, "width": width, "height": height})
    assert made.size == size


async def test_border_crop_and_turn() -> None:
    made = await edited(
        {"operation": "border", "borderWidth": 3, "borderHeight": 2, "borderColor": "#0000ff"}
    )
    assert (made.size, made.getpixel((0, 0)), made.getpixel((3, 2))) == ((46, 24), BLUE, RED)
    made = await edited({"operation": "crop", "width": 10, "height": 50, "positionX": 35, "positionY": 5})
    assert made.size == (5, 15)
    made = await edited({"operation": "rotate", "rotate": 90})
    assert made.size == (20, 40)
    made = await edited({"operation": "shear", "degreesX": 45, "degreesY": 0})
    assert (made.size, made.getpixel((5, 1)), made.getpixel((55, 1))) == ((60, 20), RED, CLEAR)
    made = await edited({"operation": "shear", "degreesX": -45, "degreesY": 0})
    assert (made.size, made.getpixel((5, 1)), made.getpixel((55, 1))) == ((60, 20), CLEAR, RED)
    made = await edited({"operation": "shear", "degreesX": 0, "degreesY": 45})
    assert (made.size, made.getpixel((1, 5)), made.getpixel((1, 55))) == ((40, 60), RED, CLEAR)
    with pytest.raises(NodeRunError, match="become a line"):
        await edited({"operation": "shear", "degreesX": 45, "degreesY": 45})
    made = await edited({"operation": "crop", "width": 9, "height": 9, "positionX": 90, "positionY": 90})
    assert made.size == (40, 20)


async def test_drawing_and_transparency() -> None:
    box = {"startPositionX": 5, "startPositionY": 5, "endPositionX": 10, "endPositionY": 10}
    made = await edited({"operation": "draw", "primitive": "rectangle", "color": "#0000ff", **box})
    assert (made.getpixel((7, 7)), made.getpixel((12, 7))) == (BLUE, RED)
    made = await edited({"operation": "draw", "primitive": "circle", "color": "#0000ff", **box})
    assert (made.getpixel((5, 1)), made.getpixel((20, 5))) == (BLUE, RED)
    made = await edited({"operation": "draw", "primitive": "line", "color": "#0000ff", **box})
    assert made.getpixel((8, 8)) == BLUE
    made = await edited({"operation": "transparent", "color": "#ff0000"})
    assert made.getpixel((0, 0))[3] == 0  # type: ignore[index]
    made = await edited({"operation": "blur"}, data=image(color=BLUE))
    assert made.getpixel((20, 10)) == BLUE


@pytest.mark.parametrize(
    ("version", "more"), [(1, {}), (1.1, {"horizontalAlignment": "west", "verticalAlignment": "north"})]
)
async def test_text_is_written(version: float, more: dict[str, Any]) -> None:
    parameters = {
        "operation": "text",
        "text": "Hé\nyou",
        "fontColor": "#0000ff",
        "positionX": 5,
        "positionY": 40,
        **more,
    }
    made = await edited(parameters, version, data=image(100, 100))
    assert any(pixel[2] > 200 for _, pixel in made.getcolors(100_000) or ())  # type: ignore[index]
    assert drawing.wrapped("one two three\nfour", 7) == "one two\nthree\nfour"


async def test_steps_one_after_the_other() -> None:
    steps = [
        {"operation": "create", "width": 10, "height": 10, "backgroundColor": "#0000ff"},
        {"operation": "composite", "dataPropertyNameComposite": "top", "positionX": 5},
        {"operation": "border", "borderWidth": 1, "borderHeight": 1},
    ]
    options = {"format": "bmp", "fileName": "x.bmp", "destinationKey": "out"}
    parameters = {"operation": "multiStep", "operations": {"operations": steps}, "options": options}
    item, ctx = await run(parameters, top=image(2, 2))
    entry = item["binary"]["out"]
    assert (entry["mimeType"], entry["fileName"], item["json"]) == ("image/bmp", "x.bmp", {"k": 1})
    made = Image.open(io.BytesIO(ctx.stored[entry["id"]])).convert("RGBA")
    assert (made.size, made.getpixel((1, 1)), made.getpixel((6, 1))) == ((12, 12), BLUE, RED)


@pytest.mark.parametrize("kind", ["gif", "jpeg", "png", "tiff", "webp"])
async def test_formats(kind: str) -> None:
    item, ctx = await run({"operation": "blur", "options": {"format": kind, "quality": 80}}, data=image())
    entry = item["binary"]["data"]
    assert entry["fileName"] == f"data.{kind}"
    assert (Image.open(io.BytesIO(ctx.stored[entry["id"]])).format or "").lower() == kind


@pytest.mark.parametrize(
    ("operator", "pixel"),
    [
        ("Over", RED),
        ("Atop", RED),
        ("In", RED),
        ("Out", CLEAR),
        ("Xor", CLEAR),
        ("Copy", RED),
        ("Plus", (255, 0, 255, 255)),
        ("Add", (255, 0, 255, 255)),
        ("Minus", BLUE),
        ("Subtract", (1, 0, 255, 255)),
        ("Difference", (255, 0, 255, 255)),
        ("Multiply", (0, 0, 0, 255)),
        ("Divide", (0, 0, 255, 255)),
        ("CopyRed", (255, 0, 255, 255)),
        ("CopyBlue", (0, 0, 0, 255)),
    ],
)
def test_operators(operator: str, pixel: Any) -> None:
    under, over = Image.new("RGBA", (4, 4), BLUE), Image.new("RGBA", (2, 2), RED)
    made = composing.composed(under, over, operator, 1, 1)
    found = made.getpixel((1, 1))
    assert (found if found and found[3] else CLEAR) == pixel  # type: ignore[index]
    assert made.getpixel((0, 0)) == BLUE


@pytest.mark.parametrize("operator", [*composing.OPERATORS, "CopyOpacity"])
def test_every_operator_keeps_the_size(operator: str) -> None:
    made = composing.composed(
        Image.new("RGBA", (4, 4), BLUE), Image.new("RGBA", (9, 9), RED), operator, -2, 3
    )
    assert (made.size, made.mode) == ((4, 4), "RGBA")


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"operation": "rotate", "rotate": "x"}, "is no number"),
        ({"operation": "border", "borderColor": "nope"}, "is no color"),
        ({"operation": "create", "width": 100_000, "height": 100_000}, "is too large"),
        ({"operation": "shear", "degreesX": 90}, "90 degrees"),
        ({"operation": "multiStep"}, "is no image"),
        ({"operation": "nope"}, "is not known"),
    ],
)
async def test_what_cannot_be_done_is_said(parameters: dict[str, Any], text: str) -> None:
    data = b"no image" if parameters["operation"] == "multiStep" else image()
    with pytest.raises(NodeRunError, match=text):
        await edited(parameters, data=data)
