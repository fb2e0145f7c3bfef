"""Template ``mean_figure``: means of each treatment over the visits with their confidence intervals and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from metadata.condition import Condition
from metadata.declaration_limits import Entries, Keyed, Text
from reports.layout.figure import MeanFigure, MeanLine
from reports.layout.table import OutputLayout
from reports.results.analysis_data import AnalysisData, decimals_of
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.declared_condition import declared_condition
from reports.results.formats import COUNT, pattern
from reports.results.index import ResultsIndex
from reports.results.specification import Decimals, NumberVariable, Output, OutputKeys
from reports.statistics.mean_interval import mean_interval
from reports.template_parts.treatment_heads import add_size


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

    def implied(self) -> Iterable[str]:
        """The visit."""
        return ("AVISIT",)


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """The number, mean and 95% confidence interval of each treatment at each visit."""
    node, variable = output.node, str(output.node["variable"])
    shown = pattern(decimals_of(node) + 1)
    for group in analysis.groups(output):
        add_size(analysis, output, group, builder)
        rows = analysis.select(output, str(node["dataset"]), group).where(declared_condition(node)).present(variable)
        for visit in node["visits"]:
            chosen = rows.equal("AVISIT", str(visit))
            mean = mean_interval(chosen.column(variable))
            place = ResultPlace(f"mean_{visit}", group.label, variable, str(visit))
            builder.add(output, place, "n", replace(mean, value=float(mean.n), warning=""), COUNT, chosen)
            builder.add(output, place, "mean", mean, shown, chosen)
            builder.add(output, place, "lower", replace(mean, value=mean.lower), shown, chosen)
            builder.add(output, place, "upper", replace(mean, value=mean.upper), shown, chosen)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A line a treatment; all treatments together have none of their own where there are several."""
    node, groups = output.node, results.groups()
    shown = groups[:-1] if len(groups) > 1 else groups
    lines = tuple(_line(results, node, group) for group in shown)
    ticks = tuple(float(tick) for tick in node["y"]["ticks"])
    low, high = node["y"].get("limits", (ticks[0], ticks[-1]))
    names = tuple((float(place), str(visit)) for visit, place in node["visits"].items())
    description = f"{output.title}: means with 95% confidence intervals of {', '.join(shown)}."
    return OutputLayout(figures=[MeanFigure(str(node["x"]["label"]), str(node["y"]["label"]), names,
                                      (float(low), float(high)), ticks, lines, description)])  # fmt: skip


def _line(results: ResultsIndex, node: Mapping[str, Any], group: str) -> MeanLine:
    variable = str(node["variable"])
    names = ("mean", "lower", "upper", "n")
    found = {
        str(visit): {name: results.row(variable, str(visit), group, name) for name in names} for visit in node["visits"]
    }
    values = {visit: {name: float(row["value"]) for name, row in rows.items() if row is not None}
              for visit, rows in found.items()}  # fmt: skip
    known = {visit: rows for visit, rows in values.items() if rows["mean"] == rows["mean"]}
    return MeanLine(
        group, tuple(float(node["visits"][visit]) for visit in known), tuple(rows["mean"] for rows in known.values()),
        tuple(rows["lower"] for rows in known.values()), tuple(rows["upper"] for rows in known.values()),
        tuple(f"{rows['n']:g}" for rows in known.values()),
    )  # fmt: skip
