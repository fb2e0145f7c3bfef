"""Drawing means of groups over time with their intervals, and the number of subjects beneath the axis."""

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
    INK,
    Marks,
    Path,
    Scene,
    Shape,
    Text,
)
from reports.layout.table import MeanFigure, MeanLine

HIGH, LINE, AXIS_ROOM, NAMES = 360.0, 18.0, 62.0, 34.0
SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond")
# Groups stand beside one another, this far apart in the scene, and the ends of intervals are so wide.
APART, CAP = 7.0, 4.0


def draw_means(scene: Scene, figure: MeanFigure, top: float) -> float:
    """Draw all groups beneath ``top``, then the numbers of subjects with a row a group; returns where it ends."""
    names = max(text_width(line.label, SMALL) for line in figure.lines)
    left, right = max(62.0, names + 36), 24 + names + NAMES
    places = [place for place, _ in figure.x_names]
    room = 0.05 * (places[-1] - places[0])
    axes = Axes(scene, left, top + 30, scene.width - left - right, HIGH, (places[0] - room, places[-1] + room),
                figure.y_limits)  # fmt: skip
    frame(axes, (figure.x_label, ()), (figure.y_label, figure.y_ticks))
    for place, name in figure.x_names:
        scene.add(Path(((axes.x(place), axes.bottom), (axes.x(place), axes.bottom + 5)), INK, 0.9),
                  Text(axes.x(place), axes.bottom + 20, name, SMALL, "middle"))  # fmt: skip
    ends = []
    for position, line in enumerate(figure.lines):
        shift = APART * (position - (len(figure.lines) - 1) / 2)
        x, y = _means(axes, line, position, shift)
        ends.append((line.label, x, y, curve_style(position)[0], False))
        _counts(axes, line, curve_style(position)[0], axes.bottom + AXIS_ROOM + LINE * (position + 1))
    scene.add(Text(12, axes.bottom + AXIS_ROOM, "Number of subjects", SMALL, bold=True))
    name_ends(axes, ends, axes.right + NAMES)
    return axes.bottom + AXIS_ROOM + LINE * (len(figure.lines) + 0.5)


def _means(axes: Axes, line: MeanLine, position: int, shift: float) -> tuple[float, float]:
    """Draw one group and return where it ends."""
    colour, dash = curve_style(position)
    points = tuple((x + shift, y) for x, y in axes.points(line.x, line.means))
    for (x, _), low, high in zip(points, line.lower, line.upper, strict=True):
        if low == low:
            bottom, top = axes.y(low), axes.y(high)
            axes.scene.add(Path(((x, bottom), (x, top)), colour, 1.2),
                           Path(((x - CAP, bottom), (x + CAP, bottom)), colour, 1.2),
                           Path(((x - CAP, top), (x + CAP, top)), colour, 1.2))  # fmt: skip
    axes.scene.add(Path(points, colour, 1.6, dash), Marks(points, SHAPES[position % len(SHAPES)], 7, colour))
    return points[-1]


def _counts(axes: Axes, line: MeanLine, colour: str, height: float) -> None:
    axes.scene.add(Text(12, height, line.label, SMALL, colour=colour))
    for x, count in zip(line.x, line.counts, strict=True):
        axes.scene.add(Text(axes.x(x), height, count, SMALL, "middle", colour))
