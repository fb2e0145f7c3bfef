"""A scene as PNG, drawn by Pillow: shapes at twice the size and brought down, which smooths their edges, then texts.

Pillow is imported here and only when something is drawn.
"""

from __future__ import annotations

import io
from functools import cache
from itertools import pairwise
from math import hypot
from pathlib import Path as File
from typing import TYPE_CHECKING

from reports.drawing.scene import (
    Area,
    Marks,
    Path,
    Point,
    Scene,
    Text,
    outline,
)

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

# Dots a unit of the scene (150 dots an inch), and how much larger shapes are drawn.
DOTS, FINER = 1.5, 2
# A picture has few colours, and a file of 256 is a tenth of the work of one of all; this far apart they stay apart.
MOST, APART = 256, 10
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
LETTERS = File(__file__).parent


def pngs(scene: Scene, *parts: tuple[float, float]) -> list[bytes]:
    """The parts of the picture from an upper to a lower edge as PNG files without time or program."""
    from PIL import Image

    image = _drawn(scene).quantize(palette=_palette(scene), dither=Image.Dither.NONE)
    made = []
    for top, bottom in parts:
        data = io.BytesIO()
        part = image.crop((0, round(top * DOTS), image.width, round(bottom * DOTS)))
        part.save(data, format="PNG", dpi=(DOTS * 100, DOTS * 100), compress_level=5)
        made.append(data.getvalue())
    return made


def _drawn(scene: Scene) -> Image:
    from PIL import Image, ImageDraw

    scale = DOTS * FINER
    image = Image.new("RGB", (round(scene.width * scale), round(scene.height * scale)), "white")
    draw = ImageDraw.Draw(image)
    for item in scene.items:
        _shape(draw, item, scale)
    image = image.reduce(FINER)
    draw = ImageDraw.Draw(image)
    for item in scene.items:
        if isinstance(item, Text):
            _text(draw, item)
    return image


def _palette(scene: Scene) -> Image:
    """White, the colours of the scene, and their mixtures with white, which smooth the edges."""
    from PIL import Image, ImageColor

    colours = list(dict.fromkeys(item.colour for item in scene.items))
    steps = (MOST - 1) // max(1, len(colours))
    chosen: list[tuple[int, ...]] = [(255, 255, 255), *(ImageColor.getrgb(colour)[:3] for colour in colours)]
    for colour in colours:
        for step in range(1, steps):
            mixed = tuple(round(255 + (part - 255) * step / steps) for part in ImageColor.getrgb(colour)[:3])
            if 255 - min(mixed) >= APART:
                chosen.append(mixed)
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in chosen[:MOST] for part in colour])
    return palette


def _shape(draw: ImageDraw, item: Path | Area | Marks | Text, scale: float) -> None:
    if isinstance(item, Path):
        width = max(1, round(item.width * scale))
        for points in dashed(item.points, item.dash):
            draw.line([(x * scale, y * scale) for x, y in points], fill=item.colour, width=width, joint="curve")
    elif isinstance(item, Area):
        right, low = item.x + item.width, item.y + item.height
        draw.rectangle((item.x * scale, item.y * scale, right * scale - 1, low * scale - 1), fill=item.colour)
    elif isinstance(item, Marks):
        _marks(draw, item, scale)


def _marks(draw: ImageDraw, item: Marks, scale: float) -> None:
    corners, radius = outline(item.shape, item.size), item.size / 2 + 0.7
    fill, width = "white" if item.hollow else item.colour, round(1.4 * scale)
    for x, y in item.points:
        if item.shape == "circle":
            box = ((x - radius) * scale, (y - radius) * scale, (x + radius) * scale, (y + radius) * scale)
            draw.ellipse(box, fill=fill, outline=item.colour, width=width)
            continue
        places = [((x + dx) * scale, (y + dy) * scale) for dx, dy in corners]
        if item.shape == "stroke":
            draw.line(places, fill=item.colour, width=width)
        else:
            draw.polygon(places, fill=fill)
            draw.line([*places, places[0], places[1]], fill=item.colour, width=width, joint="curve")


def _text(draw: ImageDraw, item: Text) -> None:
    place = (item.x * DOTS, item.y * DOTS)
    halo = max(1, round(1.5 * DOTS)) if item.halo else 0
    draw.text(place, item.text, fill=item.colour, font=_font(item.size, item.bold), anchor=ANCHORS[item.anchor],
              stroke_width=halo, stroke_fill="white")  # fmt: skip


@cache
def _font(size: float, bold: bool) -> FreeTypeFont:
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(LETTERS / name), size * DOTS, layout_engine=ImageFont.Layout.BASIC)


def text_width(text: str, size: float, bold: bool = False) -> float:
    """How wide a line of text is, in units of the scene."""
    return _font(size, bold).getlength(text) / DOTS


def dashed(points: tuple[Point, ...], dash: tuple[float, ...]) -> list[list[Point]]:
    """The parts of a line that are drawn: ``dash`` lengths drawn and left out in turn, along the whole line."""
    if not dash:
        return [list(points)]
    parts: list[list[Point]] = [[points[0]]]
    turn, left = 0, dash[0]
    for (x, y), (to_x, to_y) in pairwise(points):
        length, done = hypot(to_x - x, to_y - y), 0.0
        while length - done > left:
            done += left
            place = (x + (to_x - x) * done / length, y + (to_y - y) * done / length)
            if turn % 2 == 0:
                parts[-1].append(place)
            else:
                parts.append([place])
            turn, left = turn + 1, dash[(turn + 1) % len(dash)]
        left -= length - done
        if turn % 2 == 0:
            parts[-1].append((to_x, to_y))
    return [part for part in parts if len(part) > 1]
