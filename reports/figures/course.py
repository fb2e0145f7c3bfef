"""Drawing what happened to one subject on one axis of time: doses, results with their limits, and events."""

from __future__ import annotations

from functools import partial

import numpy as np

from reports.figures import marks
from reports.figures.labels import wrapped
from reports.figures.page import Page
from reports.figures.panel import Panel
from reports.figures.sheet import MARGIN, WIDE, Sheet
from reports.figures.style import COLOURS, INK, MIDDLE, REFERENCE, SMALL
from reports.layout.figure import CourseFigure, CoursePanel, TimelineLayer

# Where the axis begins and ends, the height of a panel and of what separates two, and the height of an event's lane.
LEFT, RIGHT, HIGH, BETWEEN, LANE = 190.0, 24.0, 46.0, 13.0, 19.0
NAME = LEFT - MARGIN - 52
SHORTEST = 3.0


def pages(figure: CourseFigure) -> list[Page]:
    """One page."""
    return [Page(partial(_draw, figure))]


def _draw(figure: CourseFigure, sheet: Sheet, top: float) -> float:
    """Draw the panels, and the events beneath them, from ``top`` and return where the drawing ends."""
    across = _across(figure)
    for place, panel in enumerate(figure.panels):
        _panel(sheet, panel, figure, across, top + 8, COLOURS[place % len(COLOURS)])
        top += HIGH + BETWEEN
    height = LANE * max(1, len(figure.lanes))
    lanes = sheet.panel(LEFT, top + 8, WIDE - LEFT - RIGHT, height, across, (height, 0), figure.x_label)
    lanes.ticks(figure.x_ticks, ())
    lanes.axes.spines["left"].set_visible(False)
    lanes.axes.grid(axis="x")
    for place, lane in enumerate(figure.lanes):
        _lane(sheet, lanes, lane, LANE * (place + 0.5))
    return lanes.bottom + 50


def _across(figure: CourseFigure) -> tuple[float, float]:
    """The axis holds all that is shown."""
    days = [*figure.x_ticks, *(x for panel in figure.panels for line in panel.lines for x in line.x)]
    days += [day for lane in figure.lanes for _, *span in (*lane.spans, *lane.points) for day in span]
    low, high = (min(days), max(days)) if days else (0.0, 1.0)
    room = 0.01 * max(high - low, 1.0)
    return low - room, high + room


def _panel(
    sheet: Sheet, panel: CoursePanel, figure: CourseFigure, across: tuple[float, float], top: float, colour: str
) -> None:
    values = [y for line in panel.lines for y in line.y if not np.isnan(y)] + list(panel.limits)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = 0.0 if panel.steps else low
    room = 0.08 * (high - low) or 0.5
    axes = sheet.panel(LEFT, top, WIDE - LEFT - RIGHT, HIGH, across, (low - room, high + room))
    axes.ticks((), sorted({float(f"{low:.3g}"), float(f"{high:.3g}")}))
    axes.axes.set_xticks(figure.x_ticks, [""] * len(figure.x_ticks))
    axes.axes.grid(axis="x")
    for limit in panel.limits:
        axes.line(across, (limit, limit), INK, 0.9, REFERENCE)
    for line in panel.lines:
        axes.line(line.x, line.y, colour, 1.4, steps=panel.steps)
        if not panel.steps:
            axes.marks(line.x, line.y, "circle", 4, colour)
    for row, text in enumerate(wrapped(panel.label, NAME, SMALL)):
        sheet.text(MARGIN, top + SMALL + row * (SMALL + 3), text)


def _lane(sheet: Sheet, panel: Panel, lane: TimelineLayer, middle: float) -> None:
    colour = (*COLOURS, INK)[(lane.colour - 1) % (len(COLOURS) + 1)]
    sheet.text(MARGIN, panel.top + middle + SMALL * MIDDLE, lane.label)
    if lane.spans:
        spans = np.array([span[1:] for span in lane.spans], float)
        height = np.full(len(spans), middle)
        ends = np.maximum(spans[:, 1], spans[:, 0] + panel.across(SHORTEST))
        marks.segments(panel.axes, np.column_stack([spans[:, 0], height]), np.column_stack([ends, height]), colour, 7)
    if lane.points:
        days = [day for _, day in lane.points]
        panel.marks(days, [middle] * len(days), lane.shape or "diamond", 8, colour, hollow=lane.hollow)
