"""A scene as SVG: its texts stay texts, so that they can be searched, read aloud and copied."""

from __future__ import annotations

from functools import singledispatch

from markupsafe import escape

from reports.drawing.scene import (
    Area,
    Marks,
    Path,
    Scene,
    Text,
    outline,
)

# Verdana has the widths of DejaVu Sans, which the PNG is drawn with.
TYPEFACE = "'DejaVu Sans', Verdana, Geneva, sans-serif"


def svg(scene: Scene, top: float, bottom: float) -> str:
    """The picture from an upper to a lower edge as one element that stands alone and inside a page."""
    view = " ".join(map(_number, (0, top, scene.width, bottom - top)))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" font-family="{TYPEFACE}">'
    shown = (item for item in scene.items if not isinstance(item, Text) or top <= item.y <= bottom)
    return "\n".join([head, *map(_element, shown), "</svg>\n"])


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


@singledispatch
def _element(item: object) -> str:
    raise TypeError(type(item))


@_element.register
def _(item: Path) -> str:
    dash = f' stroke-dasharray="{" ".join(map(_number, item.dash))}"' if item.dash else ""
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in item.points)
    return (f'<polyline points="{points}" fill="none" stroke="{item.colour}" stroke-width="{_number(item.width)}"'
            f' stroke-linejoin="round"{dash}/>')  # fmt: skip


@_element.register
def _(item: Area) -> str:
    place = f'x="{_number(item.x)}" y="{_number(item.y)}"'
    return f'<rect {place} width="{_number(item.width)}" height="{_number(item.height)}" fill="{item.colour}"/>'


@_element.register
def _(item: Marks) -> str:
    fill = "#fff" if item.hollow else item.colour
    style = f'fill="{fill}" stroke="{item.colour}" stroke-width="1.4"'
    if item.shape == "circle":
        radius = _number(item.size / 2)
        body = "".join(f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{radius}"/>' for x, y in item.points)
    else:
        shape = [f"{_number(x)} {_number(y)}" for x, y in outline(item.shape, item.size)]
        steps = "L".join(shape) + ("" if item.shape == "stroke" else "Z")
        body = "".join(f'<path d="M{steps}" transform="translate({_number(x)} {_number(y)})"/>' for x, y in item.points)
    return f"<g {style}>{body}</g>"


@_element.register
def _(item: Text) -> str:
    place = f'x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size)}" fill="{item.colour}"'
    anchor = "" if item.anchor == "start" else f' text-anchor="{item.anchor}"'
    weight = ' font-weight="bold"' if item.bold else ""
    halo = ' stroke="#fff" stroke-width="3" paint-order="stroke" stroke-linejoin="round"' if item.halo else ""
    return f"<text {place}{anchor}{weight}{halo}>{escape(item.text)}</text>"
