"""What a picture consists of, in the order in which it is drawn; lengths are hundredths of an inch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
Shape = Literal["circle", "square", "triangle", "diamond", "stroke"]
INK, SOFT, RULE = "#1a1f24", "#5b6670", "#dddddd"


@dataclass(frozen=True)
class Path:
    """A line through points; ``dash`` holds lengths drawn and left out in turn."""

    points: tuple[Point, ...]
    colour: str
    width: float
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Area:
    """A filled rectangle from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True)
class Marks:
    """The same mark at several points; ``size`` is its width. A hollow one is white within its colour."""

    points: tuple[Point, ...]
    shape: Shape
    size: float
    colour: str
    hollow: bool = False


@dataclass(frozen=True)
class Text:
    """One line of text; ``y`` is its base line. ``halo`` keeps it legible over lines."""

    x: float
    y: float
    text: str
    size: float = 13
    anchor: Anchor = "start"
    colour: str = INK
    bold: bool = False
    halo: bool = False


@dataclass
class Scene:
    """A picture of ``width`` and ``height``."""

    width: float
    height: float
    items: list[Path | Area | Marks | Text] = field(default_factory=list)

    def add(self, *items: Path | Area | Marks | Text) -> None:
        """Draw above what is there already."""
        self.items += items


def outline(shape: Shape, size: float) -> tuple[Point, ...]:
    """Corners of a mark about its middle; a circle has none, a stroke stands upright."""
    half = size / 2
    corners: dict[str, Sequence[Point]] = {
        "square": ((-half, -half), (half, -half), (half, half), (-half, half)),
        "triangle": ((0, -half * 1.1), (half * 1.1, half * 0.9), (-half * 1.1, half * 0.9)),
        "diamond": ((0, -half * 1.2), (half * 1.2, 0), (0, half * 1.2), (-half * 1.2, 0)),
        "stroke": ((0, -half), (0, half)),
        "circle": (),
    }
    return tuple(corners[shape])
