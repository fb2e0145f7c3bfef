"""Template ``mean_figure``: means of each treatment over the visits with their confidence intervals and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from metadata.condition import Condition
from metadata.declaration_limits import Entries, Keyed, Text
from reports.layout.figure import Figure
from reports.layout.table import OutputLayout
from reports.results.analysis_data import AnalysisData
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import COUNT, pattern
from reports.results.index import ResultsIndex
from reports.results.specification import Decimals, NumberVariable, Output, OutputKeys
from reports.statistics.mean_interval import mean_interval
from reports.template_parts.treatment_heads import add_size

if TYPE_CHECKING:
    from reports.figures.page import Page
    from reports.figures.panel import Panel
    from reports.figures.sheet import Sheet

HIGH = 360.0  # the height of the axes; all lengths are hundredths of an inch
SHAPES = ("circle", "square", "triangle", "diamond")
# Groups are drawn this far apart in the picture, and the ends of intervals are so wide to each side.
APART, CAP = 7.0, 4.0


@dataclass(frozen=True)
class VisitAxis:
    """The axis of visits."""

    label: Text


@dataclass(frozen=True)
class ValueAxis:
    """The axis of means."""

    label: Text
    ticks: Annotated[list[float], Entries(2)]
    limits: Annotated[list[float], Entries(2, 2)] | None = None


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Means with intervals at visits; ``visits`` have their places on the axis."""

    dataset: Text
    variable: NumberVariable
    visits: Annotated[dict[str, float], Keyed(2)]
    x: VisitAxis
    y: ValueAxis
    where: Condition | None = None
    decimals: Decimals = 0

    def described(self) -> Iterable[str]:
        """The variable has means."""
        return ["variable"]

    def implied(self) -> Iterable[str]:
        """The visit."""
        return ("AVISIT",)


@dataclass(frozen=True)
class MeanLine:
    """Means of a group with their intervals; ``counts`` are printed beneath the axis."""

    label: str
    x: tuple[float, ...]
    means: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    counts: tuple[str, ...]


@dataclass(frozen=True)
class MeanFigure(Figure):
    """Means of groups over time, in the units of the axes."""

    drawn_by: ClassVar = __name__

    x_label: str
    y_label: str
    x_names: tuple[tuple[float, str], ...]
    y_limits: tuple[float, float]
    y_ticks: tuple[float, ...]
    lines: tuple[MeanLine, ...]
    description: str = ""


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """The number, mean and 95% confidence interval of each treatment at each visit."""
    keys = output.keys_of(Keys)
    shown = pattern(keys.decimals + 1)
    for group in analysis.groups(output):
        add_size(analysis, output, group, builder)
        rows = analysis.select(output, keys.dataset, group).where(keys.where).present(keys.variable)
        for visit in keys.visits:
            chosen = rows.equal("AVISIT", visit)
            chosen.check_once()
            mean = mean_interval(chosen.column(keys.variable))
            place = ResultPlace(f"mean_{visit}", group.label, keys.variable, visit)
            builder.add(output, place, "n", replace(mean, value=float(mean.n), warning=""), COUNT, chosen)
            builder.add(output, place, "mean", mean, shown, chosen)
            builder.add(output, place, "lower", replace(mean, value=mean.lower), shown, chosen)
            builder.add(output, place, "upper", replace(mean, value=mean.upper), shown, chosen)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A line a treatment; all treatments together have none of their own where there are several."""
    keys, groups = output.keys_of(Keys), results.groups()
    shown = groups[:-1] if len(groups) > 1 else groups
    lines = tuple(_line(results, keys, group) for group in shown)
    low, high = keys.y.limits or (keys.y.ticks[0], keys.y.ticks[-1])
    names = tuple((place, visit) for visit, place in keys.visits.items())
    description = f"{output.title}: means with 95% confidence intervals of {', '.join(shown)}."
    return OutputLayout(figures=[MeanFigure(keys.x.label, keys.y.label, names, (low, high), tuple(keys.y.ticks),
                                      lines, description)])  # fmt: skip


def _line(results: ResultsIndex, keys: Keys, group: str) -> MeanLine:
    statistics = ("mean", "lower", "upper", "n")
    found = {visit: {name: results.row(keys.variable, visit, group, name) for name in statistics}
             for visit in keys.visits}  # fmt: skip
    values = {visit: {name: float(row["value"]) for name, row in rows.items() if row is not None}
              for visit, rows in found.items()}  # fmt: skip
    known = {visit: rows for visit, rows in values.items() if rows["mean"] == rows["mean"]}
    return MeanLine(
        group, tuple(keys.visits[visit] for visit in known), tuple(rows["mean"] for rows in known.values()),
        tuple(rows["lower"] for rows in known.values()), tuple(rows["upper"] for rows in known.values()),
        tuple(f"{rows['n']:g}" for rows in known.values()),
    )  # fmt: skip


def pages(figure: MeanFigure) -> list[Page]:
    """One page with all groups; what draws is imported here, so that reading a declaration does not load it."""
    from reports.figures.page import Page

    return [Page(partial(_draw, figure))]


def _draw(figure: MeanFigure, sheet: Sheet, top: float) -> float:
    """Draw all groups beneath ``top``, then the numbers of subjects with a row a group; returns where it ends."""
    from reports.figures.labels import text_width
    from reports.figures.sheet import NAMES, WIDE, End, Numbers
    from reports.figures.style import SMALL, curve_style

    names = max(text_width(line.label, SMALL) for line in figure.lines)
    left, right = max(62.0, names + 36), 24 + names + NAMES
    places = [place for place, _ in figure.x_names]
    room = 0.05 * (places[-1] - places[0])
    panel = sheet.panel(left, top + 30, WIDE - left - right, HIGH, (places[0] - room, places[-1] + room),
                        figure.y_limits, figure.x_label, figure.y_label)  # fmt: skip
    panel.ticks((), figure.y_ticks)
    panel.axes.set_xticks(places, [name for _, name in figure.x_names])
    ends, rows = [], []
    for position, line in enumerate(figure.lines):
        colour = curve_style(position)[0]
        shift = panel.across(APART * (position - (len(figure.lines) - 1) / 2))
        xs = np.array(line.x) + shift
        _means(panel, line, xs, position)
        if line.x:
            x, y = panel.places(xs[-1:], line.means[-1:])[0].tolist()
            ends.append(End(line.label, (x, y), colour))
        rows.append(Numbers(line.label, colour, line.x, line.counts))
    sheet.name_ends(ends, panel.right + NAMES)
    return sheet.numbers(panel, "Number of subjects", rows)


def _means(panel: Panel, line: MeanLine, xs: np.ndarray, position: int) -> None:
    """Draw the means and intervals of one group at ``xs``; a mean without an interval has none drawn."""
    from reports.figures.style import curve_style

    colour, dash = curve_style(position)
    means, lower, upper = (panel.within(values) for values in (line.means, line.lower, line.upper))
    panel.axes.errorbar(xs, means, [means - lower, upper - means], fmt="none", ecolor=colour, elinewidth=1.2,
                        capsize=CAP, capthick=1.2)  # fmt: skip
    panel.line(xs, line.means, colour, 1.6, dash)
    panel.marks(xs, line.means, SHAPES[position % len(SHAPES)], 7, colour)
