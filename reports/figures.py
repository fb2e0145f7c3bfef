"""Drawing a figure as SVG and PNG, the same bytes on every run.

matplotlib is imported only here and only when something is drawn: it takes longer to load than all tables to compute.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.table import Band, Figure, Line, StepFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

# Okabe and Ito's palette without black (kept for the median) and yellow (too pale for a line).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.5, 1.5)))
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "svg.hashsalt": "redcap-cdisc",
    "svg.fonttype": "path",
    "path.simplify": False,
}
INCHES, DOTS = (9.2, 5.6), 150
TITLE_WIDTH = 88  # characters, so that two lines hold 176
TITLE_PLACE = (0.012, 0.985)  # a picture taken out of its page still says what it shows, and that data are invented
# Smallest distance of two end labels, as a part of the axis.
LABEL_ROOM = 0.034
# A line that ends before this part of the axis is named where it ends.
EARLY = 0.8


@dataclass(frozen=True)
class Picture:
    """A drawn figure."""

    svg: str
    png: bytes


def draw(figure: Figure | StepFigure, title: str) -> Picture:
    """Draw a figure under its title, each of its lines named beside itself or in its colour."""
    import matplotlib
    from matplotlib.figure import Figure as Drawing

    from reports.step_figure import draw_steps

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for setting, value in STYLE.items():
            matplotlib.rcParams[setting] = value  # type: ignore[index]
        drawing = Drawing(figsize=INCHES)
        lines = "\n".join(textwrap.wrap(title, TITLE_WIDTH))
        drawing.text(TITLE_PLACE[0], TITLE_PLACE[1], lines, fontsize=10, fontweight="bold", va="top")
        if isinstance(figure, StepFigure):
            draw_steps(drawing, figure, COLOURS, DASHES)
        else:
            _courses(drawing.add_axes((0.075, 0.115, 0.77, 0.785)), figure)
        return Picture(_svg(drawing), _png(drawing))


def _courses(axes: Axes, figure: Figure) -> None:
    """Courses, their median, bands and reference lines."""
    _frame(axes, figure)
    _shade(axes, figure)
    for position, line in enumerate(figure.lines):
        _course(axes, line, position)
    if figure.median.x:
        axes.plot(figure.median.x, figure.median.y, color="black", linewidth=2.8, marker="s", markersize=5, zorder=5)
    _name_ends(axes, figure)


def _frame(axes: Axes, figure: Figure) -> None:
    axes.set_xlabel(figure.x_label)
    axes.set_ylabel(figure.y_label)
    axes.set_xticks(figure.x_ticks)
    axes.set_yticks(figure.y_ticks)
    axes.set_ylim(*figure.y_limits)
    left = min((x for line in figure.lines for x in line.x), default=0.0)
    right = max((x for line in figure.lines for x in line.x), default=1.0)
    low, high = min(left, figure.x_ticks[0]), max(right, figure.x_ticks[-1])
    # Room at the left for the names of bands and lines, where no course runs.
    room = 0.135 if figure.bands or figure.reference else 0.015
    axes.set_xlim(low - room * (high - low), high + 0.01 * (high - low))
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _shade(axes: Axes, figure: Figure) -> None:
    """Bands from light to dark upwards in the list, their names inside at the left; reference lines dashed."""
    low, high = figure.y_limits
    for position, band in enumerate(figure.bands):
        shade = 0.96 - 0.05 * position
        axes.axhspan(max(band.low, low), min(band.high, high), color=(shade, shade, shade), zorder=0, linewidth=0)
        _inside(axes, band, max(band.low, low), min(band.high, high))
    for line in figure.reference:
        axes.axhline(line.low, color="black", linewidth=0.9, linestyle=(0, (6, 3)), zorder=1)
        axes.annotate(line.label, (0.008, line.low), xycoords=("axes fraction", "data"), xytext=(0, 3),
                      textcoords="offset points", ha="left", fontsize=8.5)  # fmt: skip


def _inside(axes: Axes, band: Band, low: float, high: float) -> None:
    axes.annotate(band.label, (0.008, high), xycoords=("axes fraction", "data"), xytext=(0, -3), ha="left", va="top",
                  textcoords="offset points", fontsize=8.5, color="#444444")  # fmt: skip


def _course(axes: Axes, line: Line, position: int) -> None:
    colour, dash = COLOURS[position % len(COLOURS)], DASHES[(position // len(COLOURS)) % len(DASHES)]
    axes.plot(line.x, line.y, color=colour, linestyle=dash, linewidth=1.3, marker="o", markersize=2.6, zorder=3)


def _name_ends(axes: Axes, figure: Figure) -> None:
    """Each line's name at its end: beside it if it ends early, else at the right edge, pushed apart where ends meet."""
    courses = [(line, COLOURS[i % len(COLOURS)], "normal") for i, line in enumerate(figure.lines) if line.x]
    courses += [(figure.median, "black", "bold")] if figure.median.x else []
    low, high = figure.y_limits
    left, right = axes.get_xlim()
    named = [course for course in courses if (course[0].x[-1] - left) / (right - left) > EARLY]
    for line, colour, _ in (course for course in courses if course not in named):
        axes.annotate(line.label, (line.x[-1], line.y[-1]), xytext=(5, -1), textcoords="offset points", color=colour,
                      fontsize=9, va="top", zorder=6, path_effects=_halo())  # fmt: skip
    ends = [(line.y[-1] - low) / (high - low) for line, *_ in named]
    heights = spread(ends, LABEL_ROOM)
    for (line, colour, weight), height in zip(named, heights, strict=True):
        axes.annotate(
            line.label, (line.x[-1], line.y[-1]), xycoords="data", xytext=(1.045, height), textcoords="axes fraction",
            color=colour, fontsize=9, fontweight=weight, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def _halo() -> list[Any]:
    """A white edge that keeps a name legible over lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground="white")]


def spread(heights: list[float], room: float) -> list[float]:
    """Heights at least ``room`` apart, in their order: what is too close forms a block about its own middle."""
    order = sorted(range(len(heights)), key=lambda position: (heights[position], position))
    blocks: list[list[float]] = []
    for position in order:
        blocks.append([heights[position], 1.0])
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < room * (blocks[-1][1] + blocks[-2][1]) / 2:
            (upper, many), (lower, few) = blocks.pop(), blocks.pop()
            blocks.append([(upper * many + lower * few) / (many + few), many + few])
    apart = [middle + room * (step - (many - 1) / 2) for middle, many in blocks for step in range(int(many))]
    return [height for _, height in sorted(zip(order, apart, strict=True))]


def _svg(drawing: Drawing) -> str:
    """SVG without date, creator or XML head, so that it stands alone and inside a page."""
    text = io.StringIO()
    drawing.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _png(drawing: Drawing) -> bytes:
    data = io.BytesIO()
    drawing.savefig(data, format="png", dpi=DOTS, metadata={"Software": None})
    return data.getvalue()
