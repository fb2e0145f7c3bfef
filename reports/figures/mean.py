"""Drawing means of groups over time with their intervals, and the number of subjects beneath the axis."""

from __future__ import annotations

from functools import partial

import numpy as np

from reports.figures.labels import Points, text_width
from reports.figures.page import Page
from reports.figures.panel import Panel
from reports.figures.sheet import NAMES, WIDE, End, Numbers, Sheet
from reports.figures.style import SMALL, curve_style
from reports.layout.figure import MeanFigure, MeanLine

HIGH = 360.0
SHAPES = ("circle", "square", "triangle", "diamond")
# Groups are drawn this far apart in the picture, and the ends of intervals are so wide to each side.
APART, CAP = 7.0, 4.0


def pages(figure: MeanFigure) -> list[Page]:
    """One page."""
    return [Page(partial(_draw, figure))]


def _draw(figure: MeanFigure, sheet: Sheet, top: float) -> float:
    """Draw all groups beneath ``top``, then the numbers of subjects with a row a group; returns where it ends."""
    names = max(text_width(line.label, SMALL) for line in figure.lines)
    left, right = max(62.0, names + 36), 24 + names + NAMES
    places = [place for place, _ in figure.x_names]
    room = 0.05 * (places[-1] - places[0])
    panel = sheet.panel(left, top + 30, WIDE - left - right, HIGH, (places[0] - room, places[-1] + room),
                        figure.y_limits, figure.x_label, figure.y_label)  # fmt: skip
    panel.ticks((), figure.y_ticks)
    panel.axes.set_xticks(places, [name for _, name in figure.x_names])
    ends, rows = [], []
    for position, line in enumerate(figure.lines):
        colour = curve_style(position)[0]
        shift = panel.across(APART * (position - (len(figure.lines) - 1) / 2))
        xs = np.array(line.x) + shift
        _means(panel, line, xs, position)
        if line.x:
            x, y = panel.places(xs[-1:], line.means[-1:])[0].tolist()
            ends.append(End(line.label, (x, y), colour))
        rows.append(Numbers(line.label, colour, line.x, line.counts))
    sheet.name_ends(ends, panel.right + NAMES)
    return sheet.numbers(panel, "Number of subjects", rows)


def _means(panel: Panel, line: MeanLine, xs: Points, position: int) -> None:
    """Draw the means and intervals of one group at ``xs``; a mean without an interval has none drawn."""
    colour, dash = curve_style(position)
    means, lower, upper = (panel.within(values) for values in (line.means, line.lower, line.upper))
    panel.axes.errorbar(xs, means, [means - lower, upper - means], fmt="none", ecolor=colour, elinewidth=1.2,
                        capsize=CAP, capthick=1.2)  # fmt: skip
    panel.line(xs, line.means, colour, 1.6, dash)
    panel.marks(xs, line.means, SHAPES[position % len(SHAPES)], 7, colour)
