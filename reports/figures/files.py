"""A drawn figure as SVG and PNG, whole and without what a page around it says as well.

What all pages of a figure share, their ground, is drawn once.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.figure import Figure as Drawing

from reports.figures import svg
from reports.figures.png import Dots, colours_of, png
from reports.figures.sheet import INCH


@dataclass(frozen=True)
class Picture:
    """A drawn page of a figure, whole and, for pages that say the same, without title and footnotes.

    ``part`` says which page this is and whom it shows, where there are several.
    """

    svg: str
    png: bytes
    bare_svg: str
    bare_png: bytes
    part: str = ""


class Ground:
    """A drawing of what all pages share; the bare pictures are what is between ``top`` and ``bottom``."""

    def __init__(self, drawing: Drawing, top: float, bottom: float) -> None:
        self.drawing, self.top, self.bottom = drawing, top, bottom
        self.height = float(drawing.get_figheight() * INCH)
        self._shared = set(_artists(drawing))
        self._svg = svg.whole(drawing)
        self._dots = Dots(drawing)

    def picture(self, number: int = 1, part: str = "") -> Picture:
        """The page with what was added to the drawing since, which is then taken away from it."""
        artists = _artists(self.drawing)
        own = [artist for artist in artists if artist not in self._shared]
        self.drawing.dpi = INCH
        root = svg.with_own(self._svg, own, self.height, number)
        image = self._dots.image(own, colours_of(artists))
        for artist in own:
            artist.remove()
        return Picture(
            svg.text(root), png(image, 0, self.height), svg.bare(root, self.top, self.bottom),
            png(image, self.top, self.bottom), part,
        )  # fmt: skip


def _artists(drawing: Drawing) -> list[Artist]:
    """All lines, areas and texts on axes, the lower ones first."""
    axes = sorted(drawing.axes, key=lambda one: one.get_zorder())
    return [artist for one in axes for artist in sorted(
        (*one.patches, *one.collections, *one.lines, *one.texts), key=lambda artist: artist.get_zorder())]  # fmt: skip
