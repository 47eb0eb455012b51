"""Edit Image, compared by the sizes, formats and names of what comes out: no two libraries draw the same pixels."""

import io
from typing import Any, Final

from PIL import Image

from tests.compat.cases.build import Case, document, named, node
from tests.compat.cases.files import file_source

_TOLD: Final = """return $input.all().map((item, i) => {
  const {format, size, ...others} = item.json;
  return {json: {format, size}, pairedItem: i};
});"""
_FILES: Final = """return $input.all().map((item, i) => ({pairedItem: i, binary: item.binary, json: {...item.json, files:
  Object.fromEntries(Object.entries(item.binary ?? {}).map(([name, {fileName, mimeType, fileExtension, fileType}]) =>
    [name, {fileName: fileName ?? null, mimeType, ending: fileExtension ?? null, kind: fileType ?? null}]))}}));"""


def _image(kind: str, mode: str = "RGB") -> dict[str, Any]:
    made = io.BytesIO()
    Image.new(mode, (40, 20), "red").save(made, kind)
    return file_source(made.getvalue(), f"a.{kind.lower()}", f"image/{kind.lower()}")


def _edited(parameters: dict[str, Any], kind: str = "PNG", data: str = "data", **extra: Any) -> Case:
    """Trigger > File > Node > Files > Info > Told."""
    info = {"operation": "information", "dataPropertyName": data}
    nodes = [
        _image(kind),
        node("Node", "editImage", 1, {"options": {}, **parameters}, 2, **extra),
        node("Files", "code", 2, {"jsCode": _FILES}, 3),
        node("Info", "editImage", 1, info, 4),
        node("Told", "code", 2, {"jsCode": _TOLD}, 5),
    ]
    wires = "Trigger > File > Node > Files > Info > Told"
    return {"document": document(nodes, wires, {"Trigger": [{"n": 1}]}), "unlike": ["Info"]}


def cases() -> dict[str, dict[str, Case]]:
    resize = {"operation": "resize", "width": 30, "height": 30}
    draw = {
        "operation": "draw",
        "startPositionX": 2,
        "startPositionY": 2,
        "endPositionX": 30,
        "endPositionY": 15,
    }
    steps = [{"operation": "crop", "width": 20, "height": 10, "positionX": 1, "positionY": 1},
             {"operation": "border", "borderWidth": 3, "borderHeight": 4}, {"operation": "rotate", "rotate": 90}]  # fmt: skip
    tables: dict[str, dict[str, Any]] = {
        "blur": {"operation": "blur", "blur": 5, "sigma": 2},
        "border": {"operation": "border", "borderWidth": 5, "borderHeight": 7, "borderColor": "#00ff00"},
        "crop": {"operation": "crop", "width": 10, "height": 8, "positionX": 4, "positionY": 2},
        "crop beyond": {"operation": "crop", "width": 100, "height": 100, "positionX": 30, "positionY": 10},
        "crop outside": {"operation": "crop", "width": 10, "height": 10, "positionX": 90, "positionY": 90},
        "create": {"operation": "create", "backgroundColor": "#112233", "width": 12, "height": 9},
        "create elsewhere": {"operation": "create", "width": 12, "height": 9, "options": {"destinationKey": "data", "fileName": "new.png"}},
        **{f"resize {option}": {**resize, "resizeOption": option}
           for option in ("ignoreAspectRatio", "maximumArea", "minimumArea", "onlyIfLarger", "onlyIfSmaller")},
        "resize percent": {"operation": "resize", "width": 50, "height": 25, "resizeOption": "percent"},
        "resize larger": {"operation": "resize", "width": 90, "height": 90, "resizeOption": "onlyIfSmaller"},
        "resize smaller": {"operation": "resize", "width": 90, "height": 90, "resizeOption": "onlyIfLarger"},
        **{f"rotate {angle}": {"operation": "rotate", "rotate": angle} for angle in (0, 90, 180, -90, 360)},
        "transparent": {"operation": "transparent", "color": "#ff0000"},
        **{f"draw {shape}": {**draw, "primitive": shape} for shape in ("circle", "line", "rectangle")},
        "steps": {"operation": "multiStep", "operations": {"operations": steps}},
        "create and draw": {"operation": "multiStep", "operations": {"operations": [
            {"operation": "create", "width": 15, "height": 25}, {**draw, "primitive": "line"}]}},
        **{f"as {kind}": {**resize, "options": {"format": kind}} for kind in ("bmp", "gif", "jpeg", "png", "tiff", "webp")},
        "as jpeg of a quality": {**resize, "options": {"format": "jpeg", "quality": 30}},
        "named": {**resize, "options": {"fileName": "b.png"}},
        "named with a format": {**resize, "options": {"fileName": "b.x", "format": "jpeg"}},
    }  # fmt: skip
    found: dict[str, Case] = {}
    for name, parameters in named(tables):
        found[f"{name} v1"] = _edited(parameters)
    for kind in ("GIF", "JPEG", "BMP", "TIFF"):
        found[f"resize of a {kind} v1"] = _edited(resize, kind)
        found[f"{kind} as png v1"] = _edited({**resize, "options": {"format": "png"}}, kind)
    found["into another v1"] = _edited({**resize, "options": {"destinationKey": "small"}}, data="small")
    for on_error in ("stopWorkflow", "continueRegularOutput"):
        for name, parameters in named({"missing": {**resize, "dataPropertyName": "none"}}):
            nodes = [_image("PNG"), node("Node", "editImage", 1, parameters, 2, onError=on_error)]
            found[f"{name} {on_error} v1"] = {
                "document": document(nodes, "Trigger > File > Node", {"Trigger": [{"n": 1}]})
            }
        text = file_source("no image", "a.png", "image/png")
        nodes = [text, node("Node", "editImage", 1, resize, 2, onError=on_error)]
        found[f"no image {on_error} v1"] = {
            "document": document(nodes, "Trigger > File > Node", {"Trigger": [{"n": 1}]})
        }
    nodes = [
        _image("PNG"),
        node("Node", "editImage", 1, {"operation": "information"}, 2),
        node("Told", "code", 2, {"jsCode": _TOLD}, 3),
    ]
    found["information v1"] = {
        "document": document(nodes, "Trigger > File > Node > Told", {"Trigger": [{"n": 1}]}),
        "unlike": ["Node"],
    }
    return {"editImage": found}
