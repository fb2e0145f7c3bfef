"""Drawing Kaplan-Meier curves: steps, ticks of censoring, and the number at risk beneath the axis."""

from __future__ import annotations

from functools import partial

from reports.figures.labels import shortened, text_width
from reports.figures.page import Page
from reports.figures.panel import Panel
from reports.figures.sheet import NAMES, WIDE, End, Numbers, Sheet
from reports.figures.style import SMALL, Dash, curve_style
from reports.layout.figure import StepCurve, StepFigure

HIGH, WIDEST = 360.0, 250.0
AT_RISK = "Number at risk"
TICKS = (0, 0.25, 0.5, 0.75, 1)


def pages(figure: StepFigure) -> list[Page]:
    """One page."""
    return [Page(partial(_draw, figure))]


def _draw(figure: StepFigure, sheet: Sheet, top: float) -> float:
    """Draw all curves beneath ``top``, then the table at risk with a row a curve; returns where the drawing ends."""
    several = len(figure.curves) > 1
    names = [shortened(curve.label, WIDEST, SMALL) if several else "" for curve in figure.curves]
    widest = max(text_width(name, SMALL) for name in names)
    left = max(text_width(AT_RISK, SMALL, bold=True), widest) + 36
    right = 24 + (widest + NAMES if several else 0)
    panel = sheet.panel(left, top + 30, WIDE - left - right, HIGH, _across(figure), (0, 1.02),
                        figure.x_label, figure.y_label)  # fmt: skip
    panel.ticks(figure.x_ticks, TICKS, [f"{tick:.2f}" for tick in TICKS])
    sheet.text(panel.left + 10, panel.bottom - 10, figure.note)
    ends, rows = [], []
    for position, (curve, name) in enumerate(zip(figure.curves, names, strict=True)):
        colour, dash = curve_style(position)
        ends.append(End(name, _steps(panel, curve, colour, dash), colour))
        rows.append(Numbers(name, colour, figure.x_ticks, curve.at_risk))
    if several:
        sheet.name_ends(ends, panel.right + NAMES)
    return sheet.numbers(panel, AT_RISK, rows)


def _across(figure: StepFigure) -> tuple[float, float]:
    first, last = figure.x_ticks[0], figure.x_ticks[-1]
    end = max([last, *(curve.last for curve in figure.curves)])
    return first - 0.015 * (end - first), end + 0.015 * (end - first)


def _steps(panel: Panel, curve: StepCurve, colour: str, dash: Dash) -> tuple[float, float]:
    """The curve runs level to the last observation; a censoring is a small upright stroke on it. Returns its end."""
    times = [0.0, *(time for time, _ in curve.steps), curve.last]
    heights = [1.0, *(height for _, height in curve.steps)]
    heights.append(heights[-1])
    panel.line(times, heights, colour, 2, dash, steps=True)
    if curve.marks:
        panel.marks([time for time, _ in curve.marks], [height for _, height in curve.marks], "stroke", 10, colour)
    x, y = panel.places(times[-1:], heights[-1:])[0].tolist()
    return x, y
