"""Template ``box_figure``: quartiles, median, mean and range of each treatment at the visits, with the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from reports.layout.figure import Figure
from reports.layout.table import OutputLayout
from reports.results.analysis_data import AnalysisData
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.index import ResultsIndex
from reports.results.specification import Output
from reports.statistics.descriptive import describe
from reports.template_parts.treatment_heads import add_size
from reports.templates import mean_figure

if TYPE_CHECKING:
    from reports.figures.page import Page
    from reports.figures.panel import Panel
    from reports.figures.sheet import Sheet

HIGH = 360.0  # the height of the axes; all lengths are hundredths of an inch
BOX, GAP = 16.0, 5.0
"""How wide a box is, and how far from its neighbour of the same visit."""
DRAWN = ("min", "q1", "median", "q3", "max", "mean")


@dataclass(frozen=True, kw_only=True)
class Keys(mean_figure.Keys):
    """Boxes at visits; ``visits`` have their places on the axis."""


@dataclass(frozen=True)
class BoxSeries:
    """The boxes of a group: of each its place, its smallest value, quartiles, largest value and mean, and its n."""

    label: str
    x: tuple[float, ...]
    boxes: tuple[dict[str, float], ...]
    counts: tuple[str, ...]


@dataclass(frozen=True)
class BoxFigure(Figure):
    """Boxes of groups over time, in the units of the axes."""

    drawn_by: ClassVar = __name__

    x_label: str
    y_label: str
    x_names: tuple[tuple[float, str], ...]
    y_limits: tuple[float, float]
    y_ticks: tuple[float, ...]
    series: tuple[BoxSeries, ...]
    description: str = ""


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Describe the values of each treatment at each visit, one a subject."""
    keys = output.keys_of(Keys)
    for group in analysis.groups(output):
        add_size(analysis, output, group, builder)
        rows = analysis.select(output, keys.dataset, group).where(keys.where).present(keys.variable)
        for visit in keys.visits:
            chosen = rows.equal("AVISIT", visit)
            chosen.check_once()
            place = ResultPlace(f"box_{visit}", group.label, keys.variable, visit)
            builder.add_description(output, place, describe(chosen.column(keys.variable)), keys.decimals, chosen)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """Boxes of each treatment; all treatments together have none of their own where there are several."""
    keys, groups = output.keys_of(Keys), results.groups()
    shown = groups[:-1] if len(groups) > 1 else groups
    low, high = keys.y.limits or (keys.y.ticks[0], keys.y.ticks[-1])
    names = tuple((place, visit) for visit, place in keys.visits.items())
    drawn = "boxes of the quartiles with median (line), mean (mark), smallest and largest value"
    figure = BoxFigure(keys.x.label, keys.y.label, names, (low, high), tuple(keys.y.ticks),
                       tuple(_series(results, keys, group) for group in shown),
                       f"{output.title}: {drawn} of {', '.join(shown)}.")  # fmt: skip
    return OutputLayout(figures=[figure])


def _series(results: ResultsIndex, keys: Keys, group: str) -> BoxSeries:
    found = {
        visit: {name: results.row(keys.variable, visit, group, name) for name in (*DRAWN, "n")} for visit in keys.visits
    }
    known = {visit: {name: float(row["value"]) for name, row in rows.items() if row} for visit, rows in found.items()}
    boxes = {visit: values for visit, values in known.items() if values["n"] > 0}
    places = tuple(keys.visits[visit] for visit in boxes)
    return BoxSeries(group, places, tuple(boxes.values()), tuple(f"{box['n']:g}" for box in boxes.values()))


def pages(figure: BoxFigure) -> list[Page]:
    """One page with all groups; what draws is imported here, so that reading a declaration does not load it."""
    from reports.figures.page import Page

    return [Page(partial(_draw, figure))]


def _draw(figure: BoxFigure, sheet: Sheet, top: float) -> float:
    """Draw all boxes beneath ``top``, then the numbers of subjects with a row a group; returns where it ends."""
    from reports.figures.labels import text_width
    from reports.figures.sheet import WIDE, Numbers
    from reports.figures.style import SMALL, curve_style

    names = max(text_width(one.label, SMALL) for one in figure.series)
    left = max(62.0, names + 36)
    places = [place for place, _ in figure.x_names]
    room = 0.12 * (places[-1] - places[0])
    panel = sheet.panel(left, top + 30, WIDE - left - 24, HIGH, (places[0] - room, places[-1] + room), figure.y_limits,
                        figure.x_label, figure.y_label)  # fmt: skip
    panel.ticks((), figure.y_ticks)
    panel.axes.set_xticks(places, [name for _, name in figure.x_names])
    rows = []
    for position, one in enumerate(figure.series):
        colour = curve_style(position)[0]
        shift = panel.across((BOX + GAP) * (position - (len(figure.series) - 1) / 2))
        _boxes(panel, one, shift, position)
        rows.append(Numbers(one.label, colour, one.x, one.counts))
    return sheet.numbers(panel, "Number of subjects", rows)


def _boxes(panel: Panel, series: BoxSeries, shift: float, position: int) -> None:
    """Draw the boxes of one group, so far from the places of their visits."""
    from reports.figures.style import PAPER, curve_style

    colour, _ = curve_style(position)
    if not series.x:
        return
    ends = {"q1": "q1", "med": "median", "q3": "q3", "whislo": "min", "whishi": "max", "mean": "mean"}
    drawn = [{name: box[own] for name, own in ends.items()} for box in series.boxes]
    line = {"color": colour, "linewidth": 1.2}
    shape = mean_figure.SHAPES[position % len(mean_figure.SHAPES)]
    panel.axes.bxp(
        drawn, [place + shift for place in series.x], widths=panel.across(BOX), showfliers=False, manage_ticks=False,
        patch_artist=True, boxprops={"edgecolor": colour, "facecolor": PAPER, "linewidth": 1.2},
        medianprops={"color": colour, "linewidth": 2.4}, whiskerprops=line, capprops=line,
    )  # fmt: skip
    panel.marks([place + shift for place in series.x], [box["mean"] for box in series.boxes], shape, 6, colour)
