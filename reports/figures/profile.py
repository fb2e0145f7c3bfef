"""Drawing the values of each subject over time with their median, bands and reference lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.collections import LineCollection

from reports.figures import labels
from reports.figures.labels import text_width
from reports.figures.page import Page
from reports.figures.panel import Panel
from reports.figures.sheet import NAMES, WIDE, End, Entry, Sheet
from reports.figures.style import COLOURS, DASHES, INK, INSIDE, REFERENCE, SMALL, profile_style
from reports.layout.figure import ProfileFigure, ProfileLine

LEFT, RIGHT, HIGH = 62.0, 118.0, 440.0
# A line that ends before this part of the axis is named where it ends.
EARLY = 0.8
BAND_NAME = "#444444"
# More subjects than colours and dashes tell apart are drawn alike, thin and without names.
MOST_NAMED = len(COLOURS) * len(DASHES)
ALIKE, THIN, FAINTEST, CLEAREST = COLOURS[0], 0.8, 0.06, 0.6


def pages(figure: ProfileFigure) -> list[Page]:
    """One page."""
    return [Page(partial(_draw, figure))]


def _draw(figure: ProfileFigure, sheet: Sheet, top: float) -> float:
    """Draw the lines beneath ``top`` and return where the drawing ends."""
    named = len(figure.lines) <= MOST_NAMED
    if entries := _entries(figure, named):
        top += sheet.legend(entries, LEFT, top + 12, WIDE)
    width = WIDE - LEFT - RIGHT
    panel = sheet.panel(LEFT, top + 30, width, HIGH, _across(figure, width), figure.y_limits,
                        figure.x_label, figure.y_label)  # fmt: skip
    panel.ticks(figure.x_ticks, figure.y_ticks, figure.y_names)
    _shade(sheet, panel, figure)
    if named:
        for position, line in enumerate(figure.lines):
            _profile(panel, line, position)
    else:
        _all_alike(panel, figure.lines)
    if figure.median.x:
        panel.line(figure.median.x, figure.median.y, INK, 2.8)
        panel.marks(figure.median.x, figure.median.y, "square", 6, INK)
    _name(sheet, panel, figure, named)
    return panel.bottom + 50


def _entries(figure: ProfileFigure, named: bool) -> list[Entry]:
    """What the legend explains: hollow marks, and lines without names."""
    alike = [] if named else [Entry(f"Course of each of {len(figure.lines):,} patients", ALIKE, "line")]
    if not figure.hollow:
        return alike
    observed = [Entry("Observed value", INK, "circle")] if named else []
    return [*alike, *observed, Entry(figure.hollow, INK if named else ALIKE, "circle", hollow=True)]


def _across(figure: ProfileFigure, width: float) -> tuple[float, float]:
    """The axis holds all values and ticks, with room at the left for the names of bands and lines."""
    values = [*figure.x_ticks, *(x for line in figure.lines for x in line.x)]
    low, high = min(values), max(values)
    names = [text_width(band.label, INSIDE) + 18 for band in (*figure.bands, *figure.reference)]
    room = max([0.015 * width, *names])
    return low - room / (width - room) * (high - low), high + 0.01 * (high - low)


def _shade(sheet: Sheet, panel: Panel, figure: ProfileFigure) -> None:
    """Bands from light to dark in the order of the list and dashed lines, their names inside at the left."""
    left = panel.axes.get_xlim()[0]
    for position, band in enumerate(figure.bands):
        shade = f"{round(255 * (0.96 - 0.05 * position)):02x}"
        panel.band(band.low, band.high, f"#{shade * 3}")
        ((x, upper),) = panel.places([left], [band.high])
        sheet.text(x + 6, upper + 14, band.label, INSIDE, colour=BAND_NAME)
    for limit in figure.reference:
        panel.line(panel.axes.get_xlim(), (limit.low, limit.low), INK, 0.9, REFERENCE)
        ((x, y),) = panel.places([left], [limit.low])
        sheet.text(x + 6, y - 4, limit.label, INSIDE)


def _profile(panel: Panel, line: ProfileLine, position: int) -> None:
    colour, dash = profile_style(position)
    panel.line(line.x, line.y, colour, 1.4, dash)
    x, y, hollow = np.array(line.x), np.array(line.y), np.array(line.hollow or [False] * len(line.x))
    for empty, size in ((False, 3.4), (True, 5.0)):
        if (hollow == empty).any():
            panel.marks(x[hollow == empty], y[hollow == empty], "circle", size, colour, hollow=empty)


def _all_alike(panel: Panel, lines: Sequence[ProfileLine]) -> None:
    """All lines alike, so faint that many at one place are dark, and of their marks the hollow ones."""
    clear = float(np.clip(4 / np.sqrt(len(lines)), FAINTEST, CLEAREST))
    paths = [np.column_stack([line.x, panel.within(line.y)]) for line in lines]
    panel.axes.add_collection(
        LineCollection(paths, colors=ALIKE, linewidths=THIN, alpha=clear, clip_on=False, zorder=1.5), autolim=False
    )
    hollow = [
        point for path, line in zip(paths, lines, strict=True) if any(line.hollow) for point in path[list(line.hollow)]
    ]
    if hollow:
        xs, ys = np.transpose(hollow)
        panel.marks(xs, ys, "circle", 2.5, ALIKE, hollow=True)


def _name(sheet: Sheet, panel: Panel, figure: ProfileFigure, named: bool) -> None:
    """Each line's name at its end: next to it if it ends early, else at the right edge, apart where ends meet."""
    shown = [(line, profile_style(i)[0], False) for i, line in enumerate(figure.lines) if line.x] if named else []
    shown += [(figure.median, INK, True)] if figure.median.x else []
    low, high = panel.axes.get_xlim()
    taken = labels.along([panel.places(line.x, line.y) for line, _, _ in shown])
    late = []
    for line, colour, bold in shown:
        x, y = panel.places(line.x[-1:], line.y[-1:])[0].tolist()
        if (line.x[-1] - low) / (high - low) > EARLY:
            late.append(End(line.label, (x, y), colour, bold))
            continue
        left, base = labels.free_place(taken, (x, y), text_width(line.label, SMALL))
        sheet.text(left, base, line.label, colour=colour, halo=True)
    sheet.name_ends(late, panel.right + NAMES)
