"""A picture that is filled from its upper edge downwards.

Lengths are hundredths of an inch; heights count downwards, as on a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from reports.figures import marks
from reports.figures.labels import spread, text_width
from reports.figures.panel import Panel
from reports.figures.style import INK, LABEL, MIDDLE, PAPER, SMALL

WIDE, MARGIN = 920.0, 12.0
# matplotlib's points of an inch; a point is a hundredth of an inch of ours.
INCH = 72.0
# Between the right edge of axes and the names of lines; from the lower edge to the first row of numbers; of a row.
NAMES, BENEATH, ROW = 34.0, 62.0, 18.0
# From the lower edge of axes to the upper edge of the name of the horizontal one.
X_NAME = 31.0
# The part of a picture that a page around it says as well: title, population, footnotes.
AROUND = "around"
Anchor = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Entry:
    """One item of a legend and what it means: a mark, a line, or a bar where there is no ``shape``."""

    label: str
    colour: str
    shape: str = ""
    hollow: bool = False


@dataclass(frozen=True)
class End:
    """A line's name and where the line ends in the picture."""

    name: str
    place: tuple[float, float]
    colour: str
    bold: bool = False


@dataclass(frozen=True)
class Numbers:
    """A row of numbers beneath an axis, each at its value of the axis."""

    name: str
    colour: str
    at: Sequence[float]
    texts: Sequence[str]


class Sheet:
    """The picture; ``paper`` are axes over all of it whose values are places in it."""

    def __init__(self) -> None:
        self.drawing = Drawing()
        self.paper = self.drawing.add_axes((0, 0, 1, 1), xlim=(0, WIDE), ylim=(1, 0), zorder=1)
        self.paper.set_axis_off()
        self.panels: list[Panel] = []

    def finish(self, height: float) -> None:
        """Give the picture its height."""
        self.drawing.set_size_inches(WIDE / INCH, height / INCH)
        self.paper.set_ylim(height, 0)
        for panel in self.panels:
            place = (panel.left / WIDE, 1 - panel.bottom / height, panel.width / WIDE, panel.height / height)
            panel.axes.set_position(place)

    def text(
        self, x: float, y: float, text: str, size: float = SMALL, anchor: Anchor = "left", colour: str = INK,
        bold: bool = False, part: str | None = None, halo: bool = False,
    ) -> None:  # fmt: skip
        """One line of text with ``y`` as its base line.

        ``part`` names the part of the picture that it belongs to; ``halo`` keeps it legible over lines.
        """
        if halo:
            outline = TextPath((0, 0), text, size).transformed(Affine2D().scale(1, -1).translate(x, y))
            self.paper.add_patch(PathPatch(outline, facecolor=PAPER, edgecolor=PAPER, linewidth=3, clip_on=False))
        self.paper.text(x, y, text, fontsize=size, ha=anchor, va="baseline", color=colour,
                        fontweight="bold" if bold else "normal", gid=part)  # fmt: skip

    def panel(
        self, left: float, top: float, width: float, height: float, x: tuple[float, float], y: tuple[float, float],
        x_label: str = "", y_label: str = "",
    ) -> Panel:  # fmt: skip
        """Axes whose edges are the values of ``x`` and ``y``; the vertical one is named above its upper end."""
        axes = self.drawing.add_axes((0, 0, 1, 1), xlim=x, ylim=y, label=str(len(self.panels)), xlabel=x_label)
        axes.xaxis.set_label_coords(0.5, -X_NAME / height)
        self.panels.append(Panel(axes, left, top, width, height))
        self.text(left - 40, top - 12, y_label, LABEL)
        return self.panels[-1]

    def legend(self, entries: Sequence[Entry], left: float, y: float, right: float) -> float:
        """Draw the entries in lines, on as many as they need; returns the height that they take."""
        x, row = left, 0
        for entry in entries:
            width = 20 + text_width(entry.label, SMALL) + 18
            if x > left and x + width > right:
                x, row = left, row + 1
            place = y + row * 19
            middle = place - 4.5
            if entry.shape == "line":
                marks.line(self.paper, [x, x + 14], [middle, middle], entry.colour, 1.4)
            elif entry.shape:
                marks.marks(self.paper, [x + 7], [middle], entry.shape, 8, entry.colour, hollow=entry.hollow)
            else:
                marks.line(self.paper, [x, x + 14], [middle, middle], entry.colour, 8)
            self.text(x + 20, place, entry.label)
            x += width
        return (row + 1) * 19.0

    def name_ends(self, ends: Sequence[End], at: float) -> None:
        """Name lines to the right of their ends, from ``at``, the names apart where ends meet."""
        heights = spread([end.place[1] for end in ends], SMALL + 2.5)
        for end, height in zip(ends, heights, strict=True):
            x, y = end.place
            marks.line(self.paper, [x + 4, at - 16, at - 4], [y, height, height], end.colour, 0.6)
            self.text(at, height + SMALL * MIDDLE, end.name, colour=end.colour, bold=end.bold)

    def numbers(self, panel: Panel, heading: str, rows: Sequence[Numbers]) -> float:
        """Rows of numbers beneath an axis, under their heading or, without a name, next to it; returns their end."""
        base = panel.bottom + BENEATH
        self.text(MARGIN, base, heading, bold=True)
        for row in rows:
            base += ROW * bool(row.name)
            self.text(MARGIN, base, row.name, colour=row.colour)
            places = panel.places(row.at, np.zeros(len(row.at)))
            for x, text in zip(places[:, 0], row.texts, strict=True):
                self.text(x, base, text, anchor="center", colour=row.colour)
        return base + ROW / 2
