"""Operations on images. Parameters are as the node has them."""

import io
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont, UnidentifiedImageError
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import value

MAX_PIXELS: Final = 64_000_000
_SAVED: Final = {"bmp": "BMP", "gif": "GIF", "jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "webp": "WEBP"}
Picture = Image.Image
Parameters = Mapping[str, Any]


def number(parameters: Parameters, name: str, default: float = 0) -> float:
    given = value(parameters.get(name, default))
    if not isinstance(given, int | float) or isinstance(given, bool) or not math.isfinite(given):
        raise NodeRunError(f"The {name}, {given!r}, is no number")
    return given


def whole(parameters: Parameters, name: str, default: float = 0) -> int:
    return round(number(parameters, name, default))


def _checked(width: float, height: float) -> tuple[int, int]:
    size = max(1, round(width)), max(1, round(height))
    if size[0] * size[1] > MAX_PIXELS:
        raise NodeRunError(f"An image of {size[0]} x {size[1]} pixels is too large", code="TOO_LARGE")
    return size


def color(parameters: Parameters, name: str, default: str = "#000000") -> tuple[int, int, int, int]:
    """As RGBA."""
    given = str(value(parameters.get(name)) or default)
    try:
        red, green, blue, alpha = ImageColor.getcolor(given, "RGBA")  # type: ignore[misc]
    except ValueError:
        raise NodeRunError(f"'{given}' is no color") from None
    return red, green, blue, alpha


def opened(data: bytes) -> Picture:
    """Raises NodeRunError for what is no image or too large a one."""
    try:
        picture = Image.open(io.BytesIO(data))
        _checked(*picture.size)
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NodeRunError(f"The file is no image that can be read: {error}") from None
    return picture


def saved(picture: Picture, kind: str, quality: int) -> bytes:
    target = io.BytesIO()
    if kind not in _SAVED:
        raise NodeRunError(f"The format '{kind}' is not known", code="UNSUPPORTED")
    if kind in {"jpeg", "bmp"} and picture.mode != "RGB":
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    more = {"quality": max(1, min(quality, 100))} if kind in {"jpeg", "webp"} else {}
    picture.save(target, _SAVED[kind], **more)
    return target.getvalue()


def _blur(picture: Picture, parameters: Parameters) -> Picture:
    return picture.filter(ImageFilter.GaussianBlur(max(0.0, number(parameters, "sigma", 2))))


def _border(picture: Picture, parameters: Parameters) -> Picture:
    wide, high = max(0, whole(parameters, "borderWidth", 10)), max(0, whole(parameters, "borderHeight", 10))
    size = _checked(picture.width + 2 * wide, picture.height + 2 * high)
    framed = Image.new("RGBA", size, color(parameters, "borderColor"))
    framed.paste(picture, (wide, high), picture)
    return framed


def _crop(picture: Picture, parameters: Parameters) -> Picture:
    left, top = whole(parameters, "positionX"), whole(parameters, "positionY")
    right, bottom = left + whole(parameters, "width", 500), top + whole(parameters, "height", 500)
    box = max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom)
    if box[0] >= box[2] or box[1] >= box[3]:
        return picture
    return picture.crop(box)


def _create(_: Picture | None, parameters: Parameters) -> Picture:
    size = _checked(number(parameters, "width", 50), number(parameters, "height", 50))
    return Image.new("RGBA", size, color(parameters, "backgroundColor", "#ffffff00"))


def _draw(picture: Picture, parameters: Parameters) -> Picture:
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    drawing, paint = ImageDraw.Draw(layer), color(parameters, "color", "#ff000000")
    names = ("startPositionX", "startPositionY", "endPositionX", "endPositionY")
    left, top, right, bottom = (number(parameters, name, 50) for name in names)
    match parameters.get("primitive", "rectangle"):
        case "line":
            drawing.line((left, top, right, bottom), fill=paint)
        case "circle":
            # the end is a point of the circle, the start its middle
            radius = math.hypot(right - left, bottom - top)
            drawing.ellipse((left - radius, top - radius, left + radius, top + radius), fill=paint)
        case _:
            box = min(left, right), min(top, bottom), max(left, right), max(top, bottom)
            drawing.rounded_rectangle(box, radius=max(0.0, number(parameters, "cornerRadius")), fill=paint)
    return Image.alpha_composite(picture, layer)


def _resize(picture: Picture, parameters: Parameters) -> Picture:
    width, height = number(parameters, "width", 500), number(parameters, "height", 500)
    option = parameters.get("resizeOption", "maximumArea")
    across, down = width / picture.width, height / picture.height
    match option:
        case "ignoreAspectRatio":
            size = _checked(width, height)
        case "percent":
            size = _checked(picture.width * width / 100, picture.height * height / 100)
        case "maximumArea":
            # of as many pixels, larger or smaller; the quarter is how the peer's library rounds
            scale = math.sqrt(max(0.0, across * down))
            return picture.resize(
                _checked(math.floor(picture.width * scale + 0.25), math.floor(picture.height * scale + 0.25)),
                Image.Resampling.LANCZOS,
            )
        case "minimumArea":
            scale = max(across, down)
            size = _checked(picture.width * scale, picture.height * scale)
        case _:
            scale = min(across, down)
            if (option == "onlyIfLarger" and scale >= 1) or (
                option == "onlyIfSmaller" and (picture.width >= width or picture.height >= height)
            ):
                return picture
            size = _checked(picture.width * scale, picture.height * scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _rotate(picture: Picture, parameters: Parameters) -> Picture:
    ground = color(parameters, "backgroundColor", "#ffffffff")
    # the library turns to the left, everybody else to the right
    return picture.rotate(
        -number(parameters, "rotate"), Image.Resampling.BICUBIC, expand=True, fillcolor=ground
    )


def _shear(picture: Picture, parameters: Parameters) -> Picture:
    if any(abs(number(parameters, name)) >= 90 for name in ("degreesX", "degreesY")):
        raise NodeRunError("An image can't be sheared by 90 degrees or more")
    across, down = (math.tan(math.radians(number(parameters, name))) for name in ("degreesX", "degreesY"))
    flat = 1 - across * down
    if abs(flat) < 1e-6:
        raise NodeRunError("By these degrees the image would become a line")
    wide, high = picture.size
    size = _checked(wide + abs(across) * high, high + abs(down) * wide)
    left, top = max(0.0, -across * high), max(0.0, -down * wide)
    # the library asks where each pixel comes from
    matrix = (
        1 / flat,
        -across / flat,
        (across * top - left) / flat,
        -down / flat,
        1 / flat,
        (down * left - top) / flat,
    )
    return picture.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def wrapped(text: str, length: int) -> str:
    """Lines of at most `length` characters, broken between words."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > length:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return "\n".join(lines)


def _text(picture: Picture, parameters: Parameters) -> Picture:
    font = ImageFont.load_default(max(1.0, number(parameters, "fontSize", 18)))
    text = wrapped(str(value(parameters.get("text", ""))), max(1, whole(parameters, "lineLength", 80)))
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    across = {"west": "l", "east": "r"}.get(str(parameters.get("horizontalAlignment", "west")), "m")
    down = {"north": "a", "south": "d"}.get(str(parameters.get("verticalAlignment", "south")), "m")
    ImageDraw.Draw(layer).multiline_text(
        (number(parameters, "positionX", 50), number(parameters, "positionY", 50)),
        text,
        fill=color(parameters, "fontColor"),
        font=font,
        anchor=f"{across}{down}",
        align={"l": "left", "r": "right", "m": "center"}[across],
    )
    return Image.alpha_composite(picture, layer)


def _transparent(picture: Picture, parameters: Parameters) -> Picture:
    away = color(parameters, "color", "#ff0000")[:3]
    red, green, blue, alpha = picture.split()
    same = Image.new("L", picture.size, 255)
    for band, wanted in zip((red, green, blue), away, strict=True):
        same = ImageChops.multiply(same, band.point([255 if level == wanted else 0 for level in range(256)]))
    picture.putalpha(ImageChops.subtract(alpha, same))
    return picture


OPERATIONS: Mapping[str, Callable[[Picture, Parameters], Picture]] = {
    "blur": _blur,
    "border": _border,
    "crop": _crop,
    "draw": _draw,
    "resize": _resize,
    "rotate": _rotate,
    "shear": _shear,
    "text": _text,
    "transparent": _transparent,
}


def created(parameters: Parameters) -> Picture:
    return _create(None, parameters)
