"""Drawing Kaplan-Meier curves: steps, ticks of censoring, and the number at risk beneath the axis."""

from __future__ import annotations

from reports.drawing.axes import (
    SMALL,
    Axes,
    frame,
    name_ends,
)
from reports.drawing.palette import curve_style
from reports.drawing.raster import text_width
from reports.drawing.scene import (
    Marks,
    Path,
    Point,
    Scene,
    Text,
)
from reports.layout.table import StepCurve, StepFigure

HIGH, LINE, AXIS_ROOM = 360.0, 18.0, 62.0
WIDEST, AT_RISK = 250.0, "Number at risk"
NAMES = 34.0


def draw_steps(scene: Scene, figure: StepFigure, top: float) -> float:
    """Draw all curves beneath ``top``, then the table at risk with a row a curve; returns where the drawing ends."""
    several = len(figure.curves) > 1
    names = max(text_width(curve.label, SMALL) for curve in figure.curves) if several else 0
    left = max(text_width(AT_RISK, SMALL, bold=True), min(names, WIDEST)) + 36
    right = 24 + (min(names, WIDEST) + NAMES if several else 0)
    axes = Axes(scene, left, top + 30, scene.width - left - right, HIGH, _across(figure), (0, 1.02))
    ticks = (0, 0.25, 0.5, 0.75, 1)
    frame(axes, (figure.x_label, figure.x_ticks), (figure.y_label, ticks), [f"{tick:.2f}" for tick in ticks])
    scene.add(Text(axes.left + 10, axes.bottom - 10, figure.note, SMALL))
    ends = []
    for position, curve in enumerate(figure.curves):
        colour, dash = curve_style(position)
        last = _steps(axes, curve, colour, dash)
        ends.append((_short(curve.label), last[0], last[1], colour, False))
        height = axes.bottom + AXIS_ROOM + LINE * (position + several)
        _at_risk(axes, figure, curve, colour, height, _short(curve.label) if several else "")
    scene.add(Text(12, axes.bottom + AXIS_ROOM, AT_RISK, SMALL, bold=True))
    if several:
        name_ends(axes, ends, axes.right + NAMES)
    return height + LINE / 2


def _across(figure: StepFigure) -> tuple[float, float]:
    first, last = figure.x_ticks[0], figure.x_ticks[-1]
    end = max([last, *(curve.last for curve in figure.curves)])
    return first - 0.015 * (end - first), end + 0.015 * (end - first)


def _steps(axes: Axes, curve: StepCurve, colour: str, dash: tuple[float, ...]) -> Point:
    """The curve runs level to the last observation; a censoring is a small upright stroke on it. Returns its end."""
    points, height = [(axes.x(0), axes.y(1))], 1.0
    for time, value in curve.steps:
        points += [(axes.x(time), axes.y(height)), (axes.x(time), axes.y(value))]
        height = value
    points.append((axes.x(curve.last), axes.y(height)))
    axes.scene.add(Path(tuple(points), colour, 2, dash))
    if curve.marks:
        marks = axes.points([time for time, _ in curve.marks], [value for _, value in curve.marks])
        axes.scene.add(Marks(marks, "stroke", 10, colour))
    return points[-1]


def _at_risk(axes: Axes, figure: StepFigure, curve: StepCurve, colour: str, height: float, name: str) -> None:
    """The row of one curve; one that stands alone needs no name."""
    axes.scene.add(Text(12, height, name, SMALL, colour=colour))
    for tick, count in zip(figure.x_ticks, curve.at_risk, strict=True):
        axes.scene.add(Text(axes.x(tick), height, count, SMALL, "middle", colour))


def _short(label: str) -> str:
    """The name as far as the margin holds it."""
    while text_width(label, SMALL) > WIDEST:
        label = label[:-2].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return label
