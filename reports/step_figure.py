"""Drawing Kaplan-Meier curves: steps, ticks of censoring, and the number at risk beneath the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.table import StepCurve, StepFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

# Heights as parts of the drawing: a line of the table at risk, and what the axis's own labels take.
LINE, AXIS_ROOM = 0.042, 0.155
LEFT, WIDTH = 0.20, 0.77


def draw_steps(drawing: Drawing, figure: StepFigure, colours: tuple[str, ...], dashes: tuple[Any, ...]) -> None:
    """Draw all curves, the first in the first colour, and the table at risk with a row a curve."""
    bottom = AXIS_ROOM + LINE * (len(figure.curves) + 1)
    axes = drawing.add_axes((LEFT, bottom, WIDTH, 0.90 - bottom))
    _frame(axes, figure)
    for position, curve in enumerate(figure.curves):
        colour = colours[position % len(colours)]
        _steps(axes, curve, colour, dashes[position % len(dashes)])
        _at_risk(drawing, figure, curve, colour, bottom - AXIS_ROOM * 0.85 - LINE * (position + 1))
    drawing.text(0.012, bottom - AXIS_ROOM * 0.85, "Number at risk", fontsize=9, fontweight="bold", va="center")
    if len(figure.curves) > 1:
        axes.legend(loc="lower left", frameon=False, fontsize=9.5, handlelength=3)


def _frame(axes: Axes, figure: StepFigure) -> None:
    axes.set_xlabel(figure.x_label)
    axes.set_ylabel(figure.y_label)
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xticks(figure.x_ticks)
    first, last = figure.x_ticks[0], figure.x_ticks[-1]
    end = max([last, *(curve.last for curve in figure.curves)])
    axes.set_xlim(first - 0.015 * (end - first), end + 0.015 * (end - first))
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _steps(axes: Axes, curve: StepCurve, colour: str, dash: Any) -> None:
    """The curve runs level to the last observation; a censoring is a small upright stroke on it."""
    x = [0.0, *(time for time, _ in curve.steps)]
    y = [1.0, *(value for _, value in curve.steps)]
    axes.step([*x, curve.last], [*y, y[-1]], where="post", color=colour, linestyle=dash, linewidth=1.8,
              label=curve.label)  # fmt: skip
    if curve.marks:
        axes.plot([time for time, _ in curve.marks], [value for _, value in curve.marks], color=colour, marker="|",
                  markersize=9, markeredgewidth=1.4, linestyle="none")  # fmt: skip


def _at_risk(drawing: Drawing, figure: StepFigure, curve: StepCurve, colour: str, height: float) -> None:
    axes = drawing.axes[0]
    drawing.text(0.012, height, _short(curve.label), fontsize=9, color=colour, va="center")
    low, high = axes.get_xlim()
    for tick, count in zip(figure.x_ticks, curve.at_risk, strict=True):
        place = LEFT + WIDTH * (tick - low) / (high - low)
        drawing.text(place, height, count, fontsize=9, color=colour, ha="center", va="center")


def _short(label: str) -> str:
    """The name as far as the margin holds it; the legend has the whole."""
    return label if len(label) <= 24 else label[:23].rstrip() + "\u2026"
