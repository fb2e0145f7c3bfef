"""Two axes in a scene: from data to places, with ticks, grid and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.drawing.raster import text_width
from reports.drawing.scene import (
    INK,
    RULE,
    Area,
    Marks,
    Path,
    Point,
    Scene,
    Shape,
    Text,
)

SMALL = 12.0
# From the middle of a letter to its base line, as a part of its size.
MIDDLE = 0.36


@dataclass(frozen=True)
class Axes:
    """A part of the scene from its upper left corner, and the data that its edges stand for."""

    scene: Scene
    left: float
    top: float
    width: float
    height: float
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        """The place of a value across."""
        low, high = self.x_limits
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value: float) -> float:
        """The place of a value upwards, kept within the frame."""
        low, high = self.y_limits
        return self.top + self.height * (1 - (min(max(value, low), high) - low) / (high - low))

    def points(self, xs: Sequence[float], ys: Sequence[float]) -> tuple[Point, ...]:
        """The places of several values."""
        return tuple((self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True))


@dataclass(frozen=True)
class Entry:
    """One line of a legend: a mark, or a bar where ``shape`` is none, and what it means."""

    label: str
    colour: str
    shape: Shape | None = None
    hollow: bool = False


def frame(
    axes: Axes, x: tuple[str, Sequence[float]], y: tuple[str, Sequence[float]], names: Sequence[str] = ()
) -> None:
    """Draw the axes: each has its label and its ticks; ``names`` are what the ticks upwards are called."""
    scene = axes.scene
    low, high = axes.y_limits
    for value, name in zip(y[1], names or [f"{tick:g}" for tick in y[1]], strict=True):
        if not low <= value <= high:
            continue
        place = axes.y(value)
        scene.add(Path(((axes.left, place), (axes.right, place)), RULE, 0.7),
                  Text(axes.left - 8, place + SMALL * MIDDLE, _signed(name), SMALL, "end"))  # fmt: skip
    bottom = axes.bottom
    scene.add(Path(((axes.left, axes.top), (axes.left, bottom), (axes.right, bottom)), INK, 0.9))
    ticks_across(axes, x[1])
    scene.add(Text(axes.left + axes.width / 2, bottom + 42, x[0], 13, "middle"),
              Text(axes.left - 40, axes.top - 12, y[0], 13))  # fmt: skip


def ticks_across(axes: Axes, ticks: Sequence[float]) -> None:
    """Ticks beneath the lower edge."""
    for tick in ticks:
        place = axes.x(tick)
        axes.scene.add(Path(((place, axes.bottom), (place, axes.bottom + 5)), INK, 0.9),
                       Text(place, axes.bottom + 20, _signed(f"{tick:g}"), SMALL, "middle"))  # fmt: skip


def legend(scene: Scene, entries: Sequence[Entry], left: float, y: float, right: float) -> float:
    """Draw the entries beside one another, on as many lines as they need; returns the height that they take."""
    x, line = left, 0
    for entry in entries:
        width = 20 + text_width(entry.label, SMALL) + 18
        if x > left and x + width > right:
            x, line = left, line + 1
        place = y + line * 19
        if entry.shape is None:
            scene.add(Area(x, place - 9, 14, 8, entry.colour))
        else:
            scene.add(Marks(((x + 7, place - 4.5),), entry.shape, 8, entry.colour, entry.hollow))
        scene.add(Text(x + 20, place, entry.label, SMALL))
        x += width
    return (line + 1) * 19.0


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """The text in lines of at most ``width``."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


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


def name_ends(axes: Axes, ends: Sequence[tuple[str, float, float, str, bool]], at: float) -> None:
    """Names at the right of lines that end at ``x, y``, apart where ends meet; (name, x, y, colour, bold) each."""
    heights = spread([y for _, _, y, _, _ in ends], SMALL + 2.5)
    for (name, x, y, colour, bold), height in zip(ends, heights, strict=True):
        axes.scene.add(Path(((x + 4, y), (at - 16, height), (at - 4, height)), colour, 0.6),
                       Text(at, height + SMALL * MIDDLE, name, SMALL, colour=colour, bold=bold))  # fmt: skip


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
