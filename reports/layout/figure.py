"""A figure before it is drawn: what it shows, in the units of its axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class Figure:
    """A kind of figure; each kind derives from it.

    ``drawn_by`` is the module whose ``pages`` draws the kind. It is imported when there is a figure to draw, because
    that loads matplotlib. ``description`` is what a reader who cannot see the figure is given.
    """

    drawn_by: ClassVar[str]
    description: str


@dataclass(frozen=True)
class ProfileLine:
    """The values of one subject, or the medians, over time; ``hollow`` tells which marks are hollow; empty for none."""

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
class ProfileFigure(Figure):
    """Values of each subject over time with their median.

    ``y_names`` are the labels of the ticks of a logarithmic axis; ``hollow`` is what hollow marks mean.
    """

    drawn_by: ClassVar = "reports.figures.profile"

    x_label: str
    y_label: str
    lines: tuple[ProfileLine, ...]
    median: ProfileLine
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
    """A curve that starts at one and falls in ``steps``; ``marks`` are censorings, ``at_risk`` numbers under ticks."""

    label: str
    steps: tuple[tuple[float, float], ...]
    marks: tuple[tuple[float, float], ...]
    last: float
    at_risk: tuple[str, ...]


@dataclass(frozen=True)
class StepFigure(Figure):
    """Probability of no event over time, with the number at risk; ``note`` is printed beneath the curves."""

    drawn_by: ClassVar = "reports.figures.step"

    x_label: str
    y_label: str
    curves: tuple[StepCurve, ...]
    x_ticks: tuple[float, ...]
    description: str = ""
    note: str = ""


@dataclass(frozen=True)
class TimelineLayer:
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
class TimelineFigure(Figure):
    """What happened to each subject when: a lane a subject, layers of spans and marks."""

    drawn_by: ClassVar = "reports.figures.timeline"

    x_label: str
    x_ticks: tuple[float, ...]
    subjects: tuple[str, ...]
    layers: tuple[TimelineLayer, ...]
    description: str = ""


@dataclass(frozen=True)
class CoursePanel:
    """A test or drug of one subject over time: its lines and limits; what holds until the next value ``steps``."""

    label: str
    lines: tuple[ProfileLine, ...]
    limits: tuple[float, ...] = ()
    steps: bool = False


@dataclass(frozen=True)
class CourseFigure(Figure):
    """Everything of one subject on one axis of time: a panel a test or drug, then a lane a kind of event."""

    drawn_by: ClassVar = "reports.figures.course"

    x_label: str
    x_ticks: tuple[float, ...]
    panels: tuple[CoursePanel, ...]
    lanes: tuple[TimelineLayer, ...]
    description: str = ""
