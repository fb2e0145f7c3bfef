"""A table before it has a format: heads, rows and cells of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line; ``heading`` lines have no cells of their own, ``indent`` counts levels."""

    label: str
    cells: tuple[str, ...] = ()
    indent: int = 0
    heading: bool = False
    # For tables that print a link, such as to the output a number comes from.
    link: str = ""


@dataclass(frozen=True)
class Column:
    """Head of a column; neighbours with the same ``span`` share a head above. ``text`` columns hold words."""

    label: str
    span: str = ""
    text: bool = False


@dataclass(frozen=True)
class Table:
    """Columns over rows; ``stub`` heads the row labels."""

    stub: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True)
class Listing:
    """Records, their texts by column.

    The first ``grouped`` columns are printed where they change, and again at the head of a page. ``empty`` is said
    where there are no records.
    """

    columns: tuple[Column, ...]
    texts: tuple[tuple[str, ...], ...]
    caption: str = ""
    grouped: int = 0
    empty: str = ""

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.texts[0]) if self.texts else 0


@dataclass(frozen=True)
class Line:
    """One subject's course (or the median's) in a figure."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Band:
    """A shaded range of a figure's vertical axis, with its name."""

    label: str
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """Courses over time with their median: what is drawn, before it is drawn."""

    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    median: Line
    x_ticks: tuple[float, ...]
    y_limits: tuple[float, float]
    y_ticks: tuple[float, ...]
    bands: tuple[Band, ...] = ()
    reference: tuple[Band, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class StepCurve:
    """A curve that starts at one and falls in ``steps``; ``marks`` are censorings, ``at_risk`` stands beneath ticks."""

    label: str
    steps: tuple[tuple[float, float], ...]
    marks: tuple[tuple[float, float], ...]
    last: float
    at_risk: tuple[str, ...]


@dataclass(frozen=True)
class StepFigure:
    """Probability of no event over time, with the number at risk."""

    x_label: str
    y_label: str
    curves: tuple[StepCurve, ...]
    x_ticks: tuple[float, ...]
    description: str = ""


@dataclass(frozen=True)
class Layout:
    """What one output's page shows."""

    tables: Sequence[Table | Listing] = ()
    figures: Sequence[Figure | StepFigure] = ()
