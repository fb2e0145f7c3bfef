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
class TableColumn:
    """Head of a column; neighbours with the same ``span`` share a head above. ``text`` columns hold words."""

    label: str
    span: str = ""
    text: bool = False


@dataclass(frozen=True)
class OutputTable:
    """Columns over rows; ``stub`` heads the row labels."""

    stub: str
    columns: tuple[TableColumn, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True)
class Listing:
    """Records, their texts by column.

    The first ``grouped`` columns are printed where they change, and again at the head of a page. ``empty`` is said
    where there are no records.
    """

    columns: tuple[TableColumn, ...]
    texts: tuple[tuple[str, ...], ...]
    caption: str = ""
    grouped: int = 0
    empty: str = ""

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.texts[0]) if self.texts else 0

    def changes(self) -> list[list[bool]]:
        """For each grouped column, whether a record differs from the one before in it or in a column to its left."""
        found: list[list[bool]] = []
        before = [True] + [False] * (self.size - 1)
        for texts in self.texts[: self.grouped]:
            differs = [True, *(one != other for one, other in zip(texts[1:], texts, strict=False))]
            before = [was or now for was, now in zip(before, differs, strict=True)]
            found.append(before)
        return found


@dataclass(frozen=True)
class TableLine:
    """One subject's course (or the median's) in a figure; ``hollow`` marks are drawn so, none where it is empty."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    hollow: tuple[bool, ...] = ()


@dataclass(frozen=True)
class ShadedBand:
    """A shaded range of a figure's vertical axis, with its name."""

    label: str
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """Courses over time with their median: what is drawn, before it is drawn.

    ``y_names`` are what the ticks of a logarithmic axis are called; ``hollow`` says what hollow marks mean.
    """

    x_label: str
    y_label: str
    lines: tuple[TableLine, ...]
    median: TableLine
    x_ticks: tuple[float, ...]
    y_limits: tuple[float, float]
    y_ticks: tuple[float, ...]
    bands: tuple[ShadedBand, ...] = ()
    reference: tuple[ShadedBand, ...] = ()
    description: str = ""
    y_names: tuple[str, ...] = ()
    hollow: str = ""


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
    """Probability of no event over time, with the number at risk; ``note`` stands beneath the curves."""

    x_label: str
    y_label: str
    curves: tuple[StepCurve, ...]
    x_ticks: tuple[float, ...]
    description: str = ""
    note: str = ""


@dataclass(frozen=True)
class Layer:
    """One kind of span or mark of a figure of subjects' times, on its ``track`` of each subject's lane.

    ``spans`` and ``points`` hold (subject, from, to) and (subject, at), the subject by its place; colours are numbered.
    """

    label: str
    track: int
    spans: tuple[tuple[int, float, float], ...] = ()
    points: tuple[tuple[int, float], ...] = ()
    shape: str = ""
    hollow: bool = False
    colour: int = 1


@dataclass(frozen=True)
class Timeline:
    """What happened to each subject when: a lane a subject, layers of spans and marks."""

    x_label: str
    x_ticks: tuple[float, ...]
    subjects: tuple[str, ...]
    layers: tuple[Layer, ...]
    description: str = ""


@dataclass(frozen=True)
class MeanLine:
    """Means of a group with their intervals; ``counts`` stand beneath the axis."""

    label: str
    x: tuple[float, ...]
    means: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    counts: tuple[str, ...]


@dataclass(frozen=True)
class MeanFigure:
    """Means of groups over time."""

    x_label: str
    y_label: str
    x_names: tuple[tuple[float, str], ...]
    y_limits: tuple[float, float]
    y_ticks: tuple[float, ...]
    lines: tuple[MeanLine, ...]
    description: str = ""


AnyFigure = Figure | StepFigure | Timeline | MeanFigure


@dataclass(frozen=True)
class OutputLayout:
    """What one output's page shows."""

    tables: Sequence[OutputTable | Listing] = ()
    figures: Sequence[AnyFigure] = ()
