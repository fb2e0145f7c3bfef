"""Template ``rates_by_period``: events per person-time in each period, and ratios between periods within subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np

from metadata.condition import Condition
from metadata.declaration import Place
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
from reports.results.formats import P_VALUE, pattern
from reports.results.index import ResultsIndex, printed
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
    node: Place = field(default=None, compare=False, repr=False)


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
    keys = output.keys_of(Keys)
    with Gather() as gather:
        for comparison in keys.comparisons or []:
            for key, name in (("period", comparison.period), ("reference", comparison.reference)):
                with gather.part():
                    if name not in keys.periods:
                        raise complain(comparison.node, key, f"'{name}' is not among the periods of {output.id}")


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Record the rate of every period in each treatment column, then the comparisons."""
    keys = output.keys_of(Keys)
    for group in analysis.groups(output):
        add_size(analysis, output, group, builder)
        for period in keys.periods:
            rows = _rows(analysis, output, group, output.population).equal(keys.period, period)
            place = ResultPlace(f"rate_{period}", group.label, "rate", period, analysed=keys.rate.count)
            add_rate(output, builder, place, keys.rate, rows)
        for number, comparison in enumerate(keys.comparisons or [], start=1):
            _compare(analysis, output, builder, group, number, comparison)


def _rows(analysis: AnalysisData, output: Output, group: Group, population: str) -> Selection:
    keys = output.keys_of(Keys)
    return analysis.select(output, keys.dataset, group, population=population).where(keys.where)


def _compare(
    analysis: AnalysisData,
    output: Output,
    builder: ResultsBuilder,
    group: Group,
    number: int,
    comparison: PeriodComparison,
) -> None:
    keys, population = output.keys_of(Keys), comparison.population or output.population
    periods = comparison.period, comparison.reference
    rows = _rows(analysis, output, group, population).among(keys.period, periods)
    one, two = (person_time(keys.rate, rows.equal(keys.period, period)) for period in periods)
    found = METHODS[comparison.method].run(one, two)
    line = f"comparison {number}"
    place = ResultPlace(
        f"comparison_{number:02d}",
        group.label,
        "comparison",
        str(number),
        "",
        population,
        line,
        analysed=keys.rate.count,
    )
    if found.ratio.method:
        shown = pattern(keys.rate.decimals)
        add_bounded(output, builder, place, "estimate", found.ratio, shown, rows)
    builder.add(output, place, "p_value", found.test, P_VALUE, rows)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A row a period and treatment, and a table of comparisons."""
    keys = output.keys_of(Keys)
    heads = [head or keys.rate.unit for head in HEADS]
    rows: list[Row] = []
    for group in results.groups():
        rows.append(Row(f"{group} (N={results.text('population', '', group, 'N')})", heading=True))
        rows += [Row(label, _cells(results, period, group), 1) for period, label in keys.periods.items()]
    tables = [OutputTable("Period", tuple(TableColumn(head) for head in heads), tuple(rows))]
    return OutputLayout([*tables, _comparisons(output, results)] if keys.comparisons else tables)


def _cells(results: ResultsIndex, period: str, group: str) -> tuple[str, ...]:
    plain = [results.text("rate", period, group, name) for name in ("n", "events", "person_time")]
    return (*plain, results.bounded("rate", period, group), results.text("rate", period, group, "mean"))


def _comparisons(output: Output, results: ResultsIndex) -> OutputTable:
    heads = (
        TableColumn("Periods", text=True),
        TableColumn("Population", text=True),
        TableColumn("n"),
        TableColumn("Rate ratio (95% CI)"),
        TableColumn("p-value"),
    )
    keys, rows = output.keys_of(Keys), list[Row]()
    for group in results.groups():
        rows += [Row(group, heading=True)] if len(results.groups()) > 1 else []
        rows += [
            _comparison(keys.periods, results, group, str(number), comparison)
            for number, comparison in enumerate(keys.comparisons or [], start=1)
        ]
    return OutputTable("Method", heads, tuple(rows), "Comparisons of periods")


def _comparison(labels: Labels, results: ResultsIndex, group: str, number: str, comparison: PeriodComparison) -> Row:
    own = results.line(f"comparison {number}")
    row = own.row("comparison", number, group, "p_value")
    purpose = f" [{comparison.purpose}]" if comparison.purpose else ""
    cells = (
        f"{labels[comparison.period]} / {labels[comparison.reference]}",
        printed(row, "population"),
        printed(row, "n"),
        own.bounded("comparison", number, group),
        printed(row),
    )
    return Row(METHODS[comparison.method].label + purpose, cells)
