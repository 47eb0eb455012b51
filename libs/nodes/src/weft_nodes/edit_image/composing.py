"""One image over another, by the operators of Porter and Duff and by arithmetic."""

from collections.abc import Callable, Mapping
from typing import Final

from PIL import Image, ImageChops
from weft_node_sdk.context import NodeRunError

Picture = Image.Image
_NONE: Final = (0, 0, 0, 0)


def _atop(over: Picture, under: Picture) -> Picture:
    found = Image.alpha_composite(under, over)
    found.putalpha(under.getchannel("A"))
    return found


def _inside(over: Picture, under: Picture) -> Picture:
    found = over.copy()
    found.putalpha(ImageChops.multiply(over.getchannel("A"), under.getchannel("A")))
    return found


def _outside(over: Picture, under: Picture) -> Picture:
    found = over.copy()
    found.putalpha(ImageChops.multiply(over.getchannel("A"), ImageChops.invert(under.getchannel("A"))))
    return found


def _xor(over: Picture, under: Picture) -> Picture:
    return Image.alpha_composite(_outside(under, over), _outside(over, under))


def _colors(combine: Callable[[Picture, Picture], Picture]) -> Callable[[Picture, Picture], Picture]:
    """Combines the colors, where the upper image is."""

    def apply(over: Picture, under: Picture) -> Picture:
        colors = combine(over.convert("RGB"), under.convert("RGB"))
        found = colors.convert("RGBA")
        found.putalpha(over.getchannel("A"))
        return Image.alpha_composite(under, found)

    return apply


def _divide(over: Picture, under: Picture) -> Picture:
    bands = []
    for upper, lower in zip(over.split(), under.split(), strict=True):
        levels = zip(upper.tobytes(), lower.tobytes(), strict=True)
        bands.append(
            Image.frombytes(
                "L", over.size, bytes(min(255, b * 255 // a) if a else 255 * (b > 0) for a, b in levels)
            )
        )
    return Image.merge("RGB", bands)


def _bumpmap(over: Picture, under: Picture) -> Picture:
    return ImageChops.multiply(under, over.convert("L").convert("RGB"))


def _channel(*names: str) -> Callable[[Picture, Picture], Picture]:
    def apply(over: Picture, under: Picture) -> Picture:
        bands = {name: under.getchannel(name) for name in "RGBA"}
        mask = over.getchannel("A")
        for name in names:
            bands[name] = Image.composite(over.getchannel(name), bands[name], mask)
        return Image.merge("RGBA", [bands[name] for name in "RGBA"])

    return apply


OPERATORS: Final[Mapping[str, Callable[[Picture, Picture], Picture]]] = {
    "Over": lambda over, under: Image.alpha_composite(under, over),
    "Atop": _atop,
    "In": _inside,
    "Out": _outside,
    "Xor": _xor,
    "Copy": lambda over, under: over,
    "Add": _colors(ImageChops.add_modulo),
    "Plus": _colors(ImageChops.add),
    "Minus": _colors(lambda over, under: ImageChops.subtract(under, over)),
    "Subtract": _colors(lambda over, under: ImageChops.subtract_modulo(under, over)),
    "Difference": _colors(ImageChops.difference),
    "Multiply": _colors(ImageChops.multiply),
    "Divide": _colors(_divide),
    "Bumpmap": _colors(_bumpmap),
    "CopyRed": _channel("R"),
    "CopyGreen": _channel("G"),
    "CopyBlue": _channel("B"),
    # printing colors are what the light ones lack
    "CopyCyan": _channel("R"),
    "CopyMagenta": _channel("G"),
    "CopyYellow": _channel("B"),
    "CopyBlack": _channel("R", "G", "B"),
}


def composed(under: Picture, over: Picture, operator: str, left: int, top: int) -> Picture:
    """`over` laid on `under` at a place."""
    if operator == "CopyOpacity":
        layer = Image.new("L", under.size, 255)
        layer.paste(over.convert("L"), (left, top))
        found = under.copy()
        found.putalpha(ImageChops.multiply(under.getchannel("A"), layer))
        return found
    if operator not in OPERATORS:
        raise NodeRunError(f"The operator '{operator}' is not known", code="UNSUPPORTED")
    layer = Image.new("RGBA", under.size, _NONE)
    layer.paste(over, (left, top))
    combine = OPERATORS[operator]
    if operator not in {"Copy", "In", "Out"}:
        return combine(layer, under)
    # these replace what lies below, but only where the upper image is
    found = under.copy()
    place = Image.new("L", under.size, 0)
    place.paste(255, (left, top, left + over.width, top + over.height))
    found.paste(combine(layer, under), (0, 0), place)
    return found
