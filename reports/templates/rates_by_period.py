"""Template ``rates_by_period``: events per person-time in each period, and ratios between periods within subjects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from metadata.condition import Condition
from metadata.declaration_limits import Entries, Keyed, OneOf, Text
from metadata.errors import Gather
from metadata.yaml_source import complain
from reports.layout.table import (
    OutputLayout,
    OutputTable,
    Row,
    TableColumn,
)
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.declared_condition import declared_condition
from reports.results.formats import P_VALUE, pattern
from reports.results.index import LineResults, ResultsIndex
from reports.results.selection import Selection
from reports.results.specification import Decimals, Labels, Output, OutputKeys, ReportSpecification, TextsOf, Variable
from reports.statistics.estimate import Estimate
from reports.statistics.event_rate import conditional_rate_ratio, conditional_rate_test
from reports.statistics.poisson_regression import RateRatio, poisson_rate_ratio
from reports.statistics.signed_rank import signed_rank
from reports.template_parts.person_time import (
    PersonTimeRows,
    RateKeys,
    add_bounded,
    add_rate,
    counted,
    person_time,
)
from reports.template_parts.treatment_heads import add_size

# A rate is a quotient: rates that differ by less than this count as tied in a rank test.
RATE_DECIMALS = 9


@dataclass(frozen=True)
class Method:
    """A comparison of two periods: a ratio with its test, or a test alone."""

    label: str
    run: Callable[[PersonTimeRows, PersonTimeRows], RateRatio]


def _exact(period: PersonTimeRows, reference: PersonTimeRows) -> RateRatio:
    n = len(set(period.subjects) | set(reference.subjects))
    rates = (period.count, period.total, reference.count, reference.total, n)
    return RateRatio(conditional_rate_ratio(*rates), conditional_rate_test(*rates))


def _poisson(period: PersonTimeRows, reference: PersonTimeRows) -> RateRatio:
    return poisson_rate_ratio(*_stacked(period, reference), subjects=[*period.subjects, *reference.subjects])


def _poisson_without_subjects(period: PersonTimeRows, reference: PersonTimeRows) -> RateRatio:
    found = poisson_rate_ratio(*_stacked(period, reference))
    # The regression counts rows, which are subjects' periods here.
    n = len(set(period.subjects) | set(reference.subjects))
    return RateRatio(replace(found.ratio, n=n), replace(found.test, n=n))


def _stacked(period: PersonTimeRows, reference: PersonTimeRows) -> tuple[Any, Any, list[bool]]:
    events, time = np.concatenate([period.events, reference.events]), np.concatenate([period.time, reference.time])
    return events, time, [True] * period.n + [False] * reference.n


def _ranks(period: PersonTimeRows, reference: PersonTimeRows) -> RateRatio:
    rates = [dict(zip(part.subjects, part.events / part.time, strict=True)) for part in (period, reference)]
    both = [subject for subject in period.subjects if subject in rates[1]]
    test = signed_rank([rates[0][subject] - rates[1][subject] for subject in both], RATE_DECIMALS)
    return RateRatio(Estimate(float("nan"), "", test.n), test)


METHODS = {
    "conditional": Method("Ratio of group rates, exact conditional", _exact),
    "poisson": Method("Poisson regression, fixed subject effect", _poisson),
    "poisson_without_subjects": Method("Poisson regression, no subject effect", _poisson_without_subjects),
    "signed_rank": Method("Wilcoxon signed rank on subjects' rates (Pratt)", _ranks),
}


@dataclass(frozen=True)
class PeriodComparison:
    """A period compared with another."""

    method: Annotated[str, OneOf(tuple(METHODS))]
    period: Text
    reference: Text
    population: Text = ""
    purpose: Text = ""


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Events per person-time in each period, and ratios of periods; ``periods`` have their labels."""

    dataset: Text
    period: Variable
    periods: Annotated[Labels, Keyed(1)]
    rate: RateKeys
    where: Condition | None = None
    decimals: Decimals = 3
    comparisons: Annotated[list[PeriodComparison], Entries(0)] | None = None

    def texts_of(self) -> TextsOf:
        """The periods."""
        return [("periods", self.period, self.periods)]


HEADS = ("Subjects", "Events", "", "Rate (95% CI)", "Mean of subjects' rates")


def check(_: ReportSpecification, output: Output) -> None:
    """Comparisons of periods that the output has."""
    with Gather() as gather:
        for comparison in output.node.get("comparisons", []):
            for key in ("period", "reference"):
                with gather.part():
                    _known(output.node, comparison, key)


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Record the rate of every period in each treatment column, then the comparisons."""
    node = output.node
    for group in analysis.groups(output):
        add_size(analysis, output, group, builder)
        for period in node["periods"]:
            rows = _rows(analysis, output, group, output.population).equal(str(node["period"]), str(period))
            place = ResultPlace(f"rate_{period}", group.label, "rate", str(period), analysed=counted(node["rate"]))
            add_rate(output, builder, place, node["rate"], rows)
        for number, comparison in enumerate(node.get("comparisons", []), start=1):
            _compare(analysis, output, builder, group, number, comparison)


def _rows(analysis: AnalysisData, output: Output, group: Group, population: str) -> Selection:
    rows = analysis.select(output, str(output.node["dataset"]), group, population=population)
    return rows.where(declared_condition(output.node))


def _compare(
    analysis: AnalysisData,
    output: Output,
    builder: ResultsBuilder,
    group: Group,
    number: int,
    comparison: Mapping[str, Any],
) -> None:
    node, population = output.node, str(comparison.get("population", output.population))
    periods = [_known(node, comparison, key) for key in ("period", "reference")]
    rows = _rows(analysis, output, group, population).among(str(node["period"]), periods)
    one, two = (person_time(node["rate"], rows.equal(str(node["period"]), period)) for period in periods)
    found = METHODS[str(comparison["method"])].run(one, two)
    line = f"comparison {number}"
    place = ResultPlace(
        f"comparison_{number:02d}",
        group.label,
        "comparison",
        str(number),
        "",
        population,
        line,
        analysed=counted(node["rate"]),
    )
    if found.ratio.method:
        shown = pattern(int(node["rate"].get("decimals", 3)))
        add_bounded(output, builder, place, "estimate", found.ratio, shown, rows)
    builder.add(output, place, "p_value", found.test, P_VALUE, rows)


def _known(node: Mapping[str, Any], comparison: Mapping[str, Any], key: str) -> str:
    if comparison[key] not in node["periods"]:
        raise complain(comparison, key, f"'{comparison[key]}' is not among the periods of {node['id']}")
    return str(comparison[key])


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A row a period and treatment, and a table of comparisons."""
    node = output.node
    heads = [head or str(node["rate"]["unit"]) for head in HEADS]
    rows: list[Row] = []
    for group in results.groups():
        rows.append(Row(f"{group} (N={results.text('population', '', group, 'N')})", heading=True))
        rows += [Row(str(label), _cells(results, str(period), group), 1) for period, label in node["periods"].items()]
    tables = [OutputTable("Period", tuple(TableColumn(head) for head in heads), tuple(rows))]
    return OutputLayout([*tables, _comparisons(output, results)] if node.get("comparisons") else tables)


def _cells(results: ResultsIndex, period: str, group: str) -> tuple[str, ...]:
    plain = [results.text("rate", period, group, name) for name in ("n", "events", "person_time")]
    return (*plain, bounded(results, "rate", period, group), results.text("rate", period, group, "mean"))


def bounded(results: LineResults, variable: str, level: str, group: str, subset: str = "") -> str:
    """``estimate (lower, upper)``."""
    bounds = results.interval(variable, level, group, subset)
    return results.text(variable, level, group, "estimate", subset) + (f" ({bounds})" if bounds else "")


def _comparisons(output: Output, results: ResultsIndex) -> OutputTable:
    heads = (
        TableColumn("Periods", text=True),
        TableColumn("Population", text=True),
        TableColumn("n"),
        TableColumn("Rate ratio (95% CI)"),
        TableColumn("p-value"),
    )
    rows: list[Row] = []
    for group in results.groups():
        rows += [Row(group, heading=True)] if len(results.groups()) > 1 else []
        rows += [
            _comparison(output, results, group, str(number), comparison)
            for number, comparison in enumerate(output.node["comparisons"], start=1)
        ]
    return OutputTable("Method", heads, tuple(rows), "Comparisons of periods")


def _comparison(output: Output, results: ResultsIndex, group: str, number: str, comparison: Mapping[str, Any]) -> Row:
    own = results.line(f"comparison {number}")
    row = own.row("comparison", number, group, "p_value") or {}
    labels = output.node["periods"]
    purpose = f" [{comparison['purpose']}]" if "purpose" in comparison else ""
    cells = (
        f"{labels[comparison['period']]} / {labels[comparison['reference']]}",
        str(row.get("population", "")),
        str(row.get("n", "")),
        bounded(own, "comparison", number, group),
        str(row.get("text", "")),
    )
    return Row(METHODS[str(comparison["method"])].label + purpose, cells)
