"""Lines, bars and marks in the palette's way, on any axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from reports.figures.labels import Points
from reports.figures.style import MARKS, PAPER, Dash

Numbers = Sequence[float] | Points


def line(
    axes: Axes, xs: Numbers, ys: Numbers, colour: str, width: float, dash: Dash = (), *, steps: bool = False
) -> None:
    """A line through points, or level from each point to the next where it ``steps``; a missing value breaks it."""
    axes.plot(xs, ys, color=colour, linewidth=width, linestyle=(0, dash) if dash else "solid",
              drawstyle="steps-post" if steps else "default", clip_on=False)  # fmt: skip


def marks(axes: Axes, xs: Numbers, ys: Numbers, shape: str, size: float, colour: str, *, hollow: bool = False) -> None:
    """The same mark at each point; a hollow one is white within its colour."""
    sign, scale = MARKS[shape]
    axes.plot(xs, ys, linestyle="none", marker=sign, markersize=size * scale, color=colour,
              markerfacecolor=PAPER if hollow else colour, markeredgewidth=1.4, clip_on=False)  # fmt: skip


def segments(axes: Axes, starts: Points, ends: Points, colour: str, width: float) -> None:
    """Straight lines from each start to its end, such as bars of ``width`` or rules; both have a row a line."""
    points = np.full((len(starts), 3, 2), np.nan)
    points[:, 0], points[:, 1] = starts, ends
    xs, ys = points.reshape(-1, 2).T
    line(axes, xs, ys, colour, width)
