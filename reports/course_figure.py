"""Drawing subjects' courses with their median, bands and reference lines."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from reports.drawing.axes import (
    MIDDLE,
    SMALL,
    Axes,
    Entry,
    frame,
    legend,
    name_ends,
)
from reports.drawing.palette import course_style
from reports.drawing.raster import text_width
from reports.drawing.scene import (
    INK,
    Area,
    Marks,
    Path,
    Point,
    Scene,
    Text,
)
from reports.layout.table import Figure, TableLine

LEFT, RIGHT, HIGH = 62.0, 118.0, 440.0
# Where the names of lines begin, from the right edge of the axes.
NAMES = 34.0
# A line that ends before this part of the axis is named where it ends.
EARLY = 0.8
INSIDE = 11.0


def draw_courses(scene: Scene, figure: Figure, top: float) -> float:
    """Draw the courses beneath ``top`` and return where the drawing ends."""
    if figure.hollow:
        entry = Entry(figure.hollow, INK, "circle", hollow=True)
        top += legend(scene, [Entry("Observed value", INK, "circle"), entry], LEFT, top + 12, scene.width)
    width = scene.width - LEFT - RIGHT
    axes = Axes(scene, LEFT, top + 30, width, HIGH, _across(figure, width), figure.y_limits)
    _shade(axes, figure)
    frame(axes, (figure.x_label, figure.x_ticks), (figure.y_label, figure.y_ticks), figure.y_names)
    for limit in figure.reference:
        place = axes.y(limit.low)
        scene.add(Path(((axes.left, place), (axes.right, place)), INK, 0.9, (6, 3)),
                  Text(axes.left + 6, place - 4, limit.label, INSIDE))  # fmt: skip
    for position, line in enumerate(figure.lines):
        _course(axes, line, position)
    if figure.median.x:
        points = axes.points(figure.median.x, figure.median.y)
        scene.add(Path(points, INK, 2.8), Marks(points, "square", 6, INK))
    _name(axes, figure)
    return axes.bottom + 50


def _across(figure: Figure, width: float) -> tuple[float, float]:
    """The axis holds all values and ticks, with room at the left for the names of bands and lines."""
    values = [*figure.x_ticks, *(x for line in figure.lines for x in line.x)]
    low, high = min(values), max(values)
    names = [text_width(band.label, INSIDE) + 18 for band in (*figure.bands, *figure.reference)]
    room = max([0.015 * width, *names])
    return low - room / (width - room) * (high - low), high + 0.01 * (high - low)


def _shade(axes: Axes, figure: Figure) -> None:
    """Bands from light to dark in the order of the list, their names inside at the left."""
    low, high = figure.y_limits
    for position, band in enumerate(figure.bands):
        shade = f"{round(255 * (0.96 - 0.05 * position)):02x}"
        upper, lower = axes.y(min(band.high, high)), axes.y(max(band.low, low))
        axes.scene.add(Area(axes.left, upper, axes.width, lower - upper, f"#{shade * 3}"),
                       Text(axes.left + 6, upper + 14, band.label, INSIDE, colour="#444444"))  # fmt: skip


def _course(axes: Axes, line: TableLine, position: int) -> None:
    colour, dash = course_style(position)
    points = axes.points(line.x, line.y)
    hollow = line.hollow or (False,) * len(points)
    axes.scene.add(Path(points, colour, 1.4, dash))
    for empty in (False, True):
        chosen = tuple(point for point, is_hollow in zip(points, hollow, strict=True) if is_hollow == empty)
        if chosen:
            axes.scene.add(Marks(chosen, "circle", 5 if empty else 3.4, colour, hollow=empty))


def _name(axes: Axes, figure: Figure) -> None:
    """Each line's name at its end: beside it if it ends early, else at the right edge, apart where ends meet."""
    named = [(line, course_style(i)[0], False) for i, line in enumerate(figure.lines) if line.x]
    named += [(figure.median, INK, True)] if figure.median.x else []
    low, high = axes.x_limits
    late, taken = [], _drawn(axes, figure)
    for line, colour, bold in named:
        x, y = axes.x(line.x[-1]), axes.y(line.y[-1])
        if (line.x[-1] - low) / (high - low) > EARLY:
            late.append((line.label, x, y, colour, bold))
            continue
        left, base = _free(taken, x, y, text_width(line.label, SMALL))
        axes.scene.add(Text(left, base, line.label, SMALL, colour=colour, halo=True))
    name_ends(axes, late, axes.right + NAMES)


def _drawn(axes: Axes, figure: Figure) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Places along all lines, close enough to one another to tell what a name would cover."""
    along = np.linspace(0, 1, 40)[:, None]
    places = [np.empty((0, 2))]
    for line in (*figure.lines, figure.median):
        points = np.array(axes.points(line.x, line.y)).reshape(-1, 2)
        places += [start + (end - start) * along for start, end in pairwise(points)]
    return np.concatenate(places)


def _free(taken: np.ndarray[Any, np.dtype[np.float64]], x: float, y: float, width: float) -> Point:
    """Where a name beside ``x, y`` covers least: right of it, above or beneath, near before far."""
    covered = []
    for down in (5.0, -8.0, 14.0, -18.0, 24.0, -28.0):
        left, base = x + 7, y + SMALL * MIDDLE + down
        inside = (abs(taken[:, 0] - left - width / 2) < width / 2 + 2) & (abs(taken[:, 1] - base + 4) < 8)
        covered.append((int(inside.sum()), abs(down), left, base))
    _, _, left, base = min(covered)
    return left, base
