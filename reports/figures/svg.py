"""A drawing as SVG in which texts stay texts, without time and program, fit for a page that has other pictures too."""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence

from lxml import etree
from matplotlib.artist import Artist
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure as Drawing

from reports.figures.sheet import AROUND, INCH, WIDE

NOT_SAID = dict.fromkeys(("Creator", "Date", "Format", "Type"))
SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
# As matplotlib writes them into each text.
TYPEFACE, UPRIGHT = "'DejaVu Sans', 'Verdana', 'Geneva', sans-serif", "rotate(-0 "


def whole(drawing: Drawing) -> etree._Element:
    """Draw everything."""
    written = io.BytesIO()
    FigureCanvasSVG(drawing).print_svg(written, metadata=NOT_SAID)
    return _tidied(written.getvalue())


def with_own(ground: etree._Element, artists: Sequence[Artist], height: float, number: int) -> etree._Element:
    """A copy of ``ground``, its identifiers with ``number``, beneath these artists; ``ground`` where there are none."""
    if not artists:
        return ground
    written = io.StringIO()
    renderer = RendererSVG(WIDE, height, written, image_dpi=int(INCH), metadata=NOT_SAID)
    for artist in artists:
        artist.draw(renderer)
    renderer.finalize()
    root = copy.deepcopy(ground)
    for element in root.iter():
        for name in ("id", LINK, "clip-path"):
            value = element.get(name)
            if value is not None:
                element.set(name, f"{value.removesuffix(')')}-{number}{')' * value.endswith(')')}")
    root.extend(_tidied(written.getvalue().encode()))
    return root


def text(root: etree._Element) -> str:
    """The file."""
    return etree.tostring(root, encoding="unicode") + "\n"


def bare(root: etree._Element, top: float, bottom: float) -> str:
    """The file of what is between two heights, without what a page around it says."""
    shown = copy.deepcopy(root)
    for group in shown.findall(f".//{SVG}g[@class='{AROUND}']"):
        _remove(group)
    shown.set("viewBox", f"0 {top:g} {WIDE:g} {bottom - top:g}")
    return text(shown)


def _tidied(written: bytes) -> etree._Element:
    """Take out what two pictures in a page share, a style for the whole page, and the size, to fill the room there is.

    What all texts and lines have is written once.
    """
    root = etree.fromstring(written)
    for style in root.findall(f".//{SVG}style"):
        _remove(style)
    for name in ("width", "height"):
        root.attrib.pop(name)
    root.attrib.update({"font-family": TYPEFACE, "stroke-linejoin": "round"})
    for group in root.iter(f"{SVG}g"):
        if group.attrib.pop("id", "") == AROUND:
            group.set("class", AROUND)
    for line in root.iter(f"{SVG}text"):
        line.set("style", line.get("style", "").replace(f" font-family: {TYPEFACE};", ""))
        if line.get("transform", "").startswith(UPRIGHT):
            line.attrib.pop("transform")
    return root


def _remove(element: etree._Element) -> None:
    above = element.getparent()
    assert above is not None
    above.remove(element)
