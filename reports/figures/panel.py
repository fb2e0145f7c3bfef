"""Axes in a picture: ticks, bands, reference lines, names at the ends of lines, and numbers beneath the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from reports.figures import marks
from reports.figures.labels import Points
from reports.figures.style import Dash, signed


@dataclass(frozen=True)
class Panel:
    """Axes and where they are in the picture, in hundredths of an inch from its upper left corner.

    Values beyond the vertical axis are drawn at its edge.
    """

    axes: Axes
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def places(self, xs: marks.Numbers, ys: marks.Numbers) -> Points:
        """Where values of the axes are in the picture, a row a point."""
        parts = (self.axes.transScale + self.axes.transLimits).transform(np.column_stack([xs, self.within(ys)]))
        return np.column_stack([self.left + self.width * parts[:, 0], self.top + self.height * (1 - parts[:, 1])])

    def within(self, ys: marks.Numbers) -> Points:
        """The values, those beyond the vertical axis at its edge."""
        return np.clip(np.asarray(ys, float), min(self.axes.get_ylim()), max(self.axes.get_ylim()))

    def across(self, length: float) -> float:
        """How much of a linear horizontal axis a length in the picture is."""
        low, high = self.axes.get_xlim()
        return length / self.width * (high - low)

    def ticks(self, x: Sequence[float], y: Sequence[float], names: Sequence[str] = ()) -> None:
        """Set the ticks of both axes; ``names`` are what the upright ones are called instead of their numbers."""
        low, high = sorted(self.axes.get_ylim())
        named = zip(y, names or [f"{tick:g}" for tick in y], strict=True)
        shown = [(tick, signed(name)) for tick, name in named if low <= tick <= high]
        self.axes.set_xticks(x, [signed(f"{tick:g}") for tick in x])
        self.axes.set_yticks([tick for tick, _ in shown], [name for _, name in shown])

    def line(
        self, xs: marks.Numbers, ys: marks.Numbers, colour: str, width: float, dash: Dash = (), *, steps: bool = False
    ) -> None:
        """See :func:`marks.line`."""
        marks.line(self.axes, xs, self.within(ys), colour, width, dash, steps=steps)

    def marks(
        self, xs: marks.Numbers, ys: marks.Numbers, shape: str, size: float, colour: str, *, hollow: bool = False
    ) -> None:
        """See :func:`marks.marks`."""
        marks.marks(self.axes, xs, self.within(ys), shape, size, colour, hollow=hollow)

    def band(self, low: float, high: float, colour: str) -> None:
        """Shade a range of the vertical axis beneath all that is drawn."""
        self.axes.axhspan(*self.within([low, high]), facecolor=colour, linewidth=0, zorder=0)
