"""A drawn figure as SVG and PNG, whole and without what a page around it says as well; no time, no program in them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from lxml import etree
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure as Drawing
from PIL import Image

from reports.figures.sheet import INCH, WIDE
from reports.figures.style import INK, RULE

# The part of a picture that a page around it says as well: title, population, footnotes.
AROUND = "around"
# Dots a hundredth of an inch: 150 an inch.
DOTS = 1.5
# A picture has few colours, and a file of 256 is a quarter of one of all; this far apart they stay apart.
MOST, APART, FEWEST_STEPS = 256, 10, 4
COLOURED = ("get_color", "get_facecolor", "get_edgecolor", "get_markerfacecolor")
Colour = tuple[int, int, int]
# As matplotlib writes them into each text.
TYPEFACE, UPRIGHT = "'DejaVu Sans', 'Verdana', 'Geneva', sans-serif", "rotate(-0 "
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Picture:
    """A drawn page of a figure, whole and, for pages that say the same, without title and footnotes."""

    svg: str
    png: bytes
    bare_svg: str
    bare_png: bytes
    # Which page this is and whom it shows, where there are several.
    part: str = ""


def written(drawing: Drawing, top: float, bottom: float, part: str) -> Picture:
    """Write the drawing; the bare pictures are what is between ``top`` and ``bottom``."""
    svg, bare_svg = _svgs(drawing, top, bottom)
    png, bare_png = _pngs(drawing, top, bottom)
    return Picture(svg, png, bare_svg, bare_png, part)


def _svgs(drawing: Drawing, top: float, bottom: float) -> tuple[str, str]:
    written = io.BytesIO()
    FigureCanvasSVG(drawing).print_svg(written, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    root = etree.fromstring(written.getvalue())
    around = root.findall(f".//{SVG}g[@id='{AROUND}']")
    _tidy(root)
    whole = _text(root)
    for group in around:
        _remove(group)
    root.set("viewBox", f"0 {top:g} {WIDE:g} {bottom - top:g}")
    return whole, _text(root)


def _tidy(root: etree._Element) -> None:
    """Take out what two pictures in a page share, a style for the whole page, and the size, to fill the room there is.

    What all texts and lines have is said once.
    """
    for style in root.findall(f".//{SVG}style"):
        _remove(style)
    for name in ("width", "height"):
        root.attrib.pop(name)
    root.attrib.update({"font-family": TYPEFACE, "stroke-linejoin": "round"})
    for group in root.iter(f"{SVG}g"):
        group.attrib.pop("id", "")
    for text in root.iter(f"{SVG}text"):
        text.set("style", text.get("style", "").replace(f" font-family: {TYPEFACE};", ""))
        if text.get("transform", "").startswith(UPRIGHT):
            text.attrib.pop("transform")


def _remove(element: etree._Element) -> None:
    above = element.getparent()
    assert above is not None
    above.remove(element)


def _text(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode") + "\n"


def _pngs(drawing: Drawing, top: float, bottom: float) -> tuple[bytes, bytes]:
    drawing.dpi = DOTS * INCH
    canvas = FigureCanvasAgg(drawing)
    canvas.draw()
    width, height = canvas.get_width_height()
    drawn = Image.frombuffer("RGBA", (width, height), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    image = _few_colours(drawn.convert("RGB"), _colours(drawing))
    return _png(image), _png(image.crop((0, round(top * DOTS), image.width, round(bottom * DOTS))))


def _few_colours(image: Image.Image, colours: list[Colour]) -> Image.Image:
    """The picture in 256 colours, a quarter of the file: those that it is drawn in, and their mixtures with its ground.

    One that is drawn in more than leave room for mixtures keeps all.
    """
    steps = (MOST - 1) // max(1, len(colours))
    if steps < FEWEST_STEPS:
        return image
    shares = np.arange(1, steps) / steps
    mixed = np.rint(255 + (np.array(colours)[:, None, :] - 255) * shares[:, None]).astype(int).reshape(-1, 3)
    apart = mixed[255 - mixed.min(axis=1) >= APART]
    palette = Image.new("P", (1, 1))
    palette.putpalette([255, 255, 255, *np.array(colours).ravel().tolist(), *apart.ravel().tolist()])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def _colours(drawing: Drawing) -> list[Colour]:
    """The colours of all that is drawn, each once; ticks and their names have those of the settings."""
    drawn = [artist for axes in drawing.axes for artist in (*axes.lines, *axes.collections, *axes.patches, *axes.texts)]
    values = [getattr(artist, name)() for artist in drawn for name in COLOURED if hasattr(artist, name)]
    parts = np.concatenate([to_rgba_array([INK, RULE]), *map(to_rgba_array, values)])
    return list(dict.fromkeys(map(tuple, np.rint(parts[parts[:, 3] > 0, :3] * 255).astype(int).tolist())))


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, format="PNG", dpi=(DOTS * 100, DOTS * 100), compress_level=3)
    return written.getvalue()
