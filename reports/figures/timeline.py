"""Drawing what happened to each subject when: a lane a subject, spans and marks on the tracks of the lane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.figures import marks
from reports.figures.labels import Points, text_width
from reports.figures.page import Page, shares
from reports.figures.panel import Panel
from reports.figures.sheet import MARGIN, WIDE, Entry, Sheet
from reports.figures.style import COLOURS, INK, MIDDLE, RULE, SMALL
from reports.layout.figure import TimelineFigure, TimelineLayer

# Height of a track, and of what separates two lanes.
TRACK, BETWEEN = 11.0, 9.0
# Size of a mark, height of a span, and how wide one of few days is at least.
MARK, SPAN, SHORTEST = 8.0, 7.0, 2.0
# How high all lanes of a page may be, so that names are legible on a printed page, and how many names are measured.
HIGHEST, LONGEST = 720.0, 50


@dataclass(frozen=True)
class Lanes:
    """The empty lanes of ``count`` subjects with legend and axis: what pages of as many subjects share."""

    figure: TimelineFigure
    count: int
    names_width: float
    limits: tuple[float, float]

    def draw(self, sheet: Sheet, top: float) -> float:
        """Draw all beneath ``top`` and return where it ends."""
        figure, lane, height = self.figure, _lane(self.figure), _lane(self.figure) * max(1, self.count)
        entries = [Entry(layer.label, _colour(layer), layer.shape, layer.hollow) for layer in figure.layers]
        top += sheet.legend(entries, MARGIN, top + 14, WIDE - MARGIN) + 10
        left = self.names_width + 26
        panel = sheet.panel(left, top, WIDE - left - 24, height, self.limits, (height, 0), figure.x_label)
        panel.ticks(figure.x_ticks, ())
        panel.axes.spines["left"].set_visible(False)
        panel.axes.grid(axis="x")
        tops = top + lane * np.arange(self.count)
        marks.segments(sheet.paper, _at(MARGIN, tops), _at(panel.right, tops), RULE, 0.9)
        return panel.bottom + 52


@dataclass(frozen=True)
class TimelinePage:
    """The subjects of a page and, for each layer, their spans (place, from, to) and points (place, at), a row each."""

    figure: TimelineFigure
    names: tuple[str, ...]
    spans: list[Points]
    points: list[Points]

    def draw(self, sheet: Sheet) -> None:
        """Draw them in their lanes."""
        panel, lane = sheet.panels[0], _lane(self.figure)
        for place, name in enumerate(self.names):
            sheet.text(MARGIN, panel.top + lane * (place + 0.5) + SMALL * MIDDLE, name)
        for layer, spans, points in zip(self.figure.layers, self.spans, self.points, strict=True):
            _layer(panel, layer, spans, points, lane)


def pages(figure: TimelineFigure) -> list[Page]:
    """As many subjects on a page as it holds, all pages with the same axis and legend."""
    spans = [_by_lane(layer.spans, 3) for layer in figure.layers]
    points = [_by_lane(layer.points, 2) for layer in figure.layers]
    edges = shares(len(figure.subjects), int(HIGHEST // _lane(figure)))
    # The widest name is among the longest ones.
    longest = sorted(figure.subjects, key=len)[-LONGEST:]
    width = max((text_width(name, SMALL) for name in longest), default=0.0)
    limits = _across(figure, spans, points)
    grounds = {count: Lanes(figure, count, width, limits).draw for count in {end - first for first, end in edges}}
    made = []
    for first, end in edges:
        own_spans, own_points = ([_among(rows, first, end) for rows in layers] for layers in (spans, points))
        subjects = TimelinePage(figure, figure.subjects[first:end], own_spans, own_points)
        made.append(Page(grounds[end - first], subjects.draw, subjects.names))
    return made


def _by_lane(rows: tuple[tuple[float, ...], ...], width: int) -> Points:
    table = np.array(rows, float).reshape(-1, width)
    return table[np.argsort(table[:, 0], kind="stable")]


def _among(rows: Points, first: int, end: int) -> Points:
    """The rows of the subjects from ``first`` to before ``end``, counted from the first."""
    start, stop = np.searchsorted(rows[:, 0], [first, end])
    return rows[start:stop] - [first, *[0] * (rows.shape[1] - 1)]


def _across(figure: TimelineFigure, spans: list[Points], points: list[Points]) -> tuple[float, float]:
    """The axis holds all ticks, spans and points."""
    days = np.concatenate([figure.x_ticks, *(rows[:, 1:].ravel() for rows in (*spans, *points))])
    room = 0.01 * (days.max() - days.min())
    return days.min() - room, days.max() + room


def _layer(panel: Panel, layer: TimelineLayer, spans: Points, points: Points, lane: float) -> None:
    middle = BETWEEN / 2 + TRACK * (layer.track - 0.5)
    if len(spans):
        height = spans[:, 0] * lane + middle
        ends = np.maximum(spans[:, 2], spans[:, 1] + panel.across(SHORTEST))
        starts = np.column_stack([spans[:, 1], height])
        marks.segments(panel.axes, starts, np.column_stack([ends, height]), _colour(layer), SPAN)
    if len(points):
        panel.marks(points[:, 1], points[:, 0] * lane + middle, layer.shape, MARK, _colour(layer), hollow=layer.hollow)


def _at(x: float, ys: Points) -> Points:
    return np.column_stack([np.full(len(ys), x), ys])


def _lane(figure: TimelineFigure) -> float:
    return max(layer.track for layer in figure.layers) * TRACK + BETWEEN


def _colour(layer: TimelineLayer) -> str:
    return (*COLOURS, INK)[(layer.colour - 1) % (len(COLOURS) + 1)]
