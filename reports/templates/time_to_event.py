"""Template ``time_to_event``: Kaplan-Meier estimates by treatment as a table, as a figure, or both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np

from metadata.condition import Condition
from metadata.declaration_limits import Entries, Text
from metadata.schema_errors import needed_key
from metadata.yaml_source import complain
from reports.layout.figure import StepCurve, StepFigure
from reports.layout.table import OutputLayout, OutputTable, Row
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import (
    COUNT,
    P_VALUE,
    PERCENT,
    pattern,
)
from reports.results.index import ResultsIndex, ResultText
from reports.results.selection import Selection
from reports.results.specification import Decimals, Output, OutputKeys, ReportSpecification
from reports.statistics.estimate import Estimate
from reports.statistics.kaplan_meier import SurvivalCurve, kaplan_meier
from reports.statistics.log_rank import log_rank
from reports.template_parts.censored_times import CENSORED, TIME, CensoredTimes, censored_times
from reports.template_parts.person_time import add_bounded
from reports.template_parts.treatment_heads import add_size, columns


@dataclass(frozen=True)
class TimeAxis:
    """The axis of times."""

    label: Text
    ticks: Annotated[list[float], Entries(2)]


@dataclass(frozen=True)
class TimeEndpoint:
    """One endpoint of several, and what its event is called."""

    label: Text
    event: Text
    where: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Times to an event: quartiles, the share without event at ``times``, the curve."""

    dataset: Text
    unit: Text
    where: Condition | None = None
    unit_days: float = 1
    decimals: Decimals = 0
    times: Annotated[list[float], Entries(0)] | None = None
    event: Text = ""
    endpoints: list[TimeEndpoint] | None = None
    log_rank: bool = False
    show: list[Literal["table", "figure"]] = field(default_factory=lambda: ["table"])
    x: TimeAxis | None = None

    def implied(self) -> Iterable[str]:
        """The time and whether it is censored."""
        return TIME, CENSORED


CURVE, AT_RISK, FREE = "curve", "at_risk", "survival"


@dataclass(frozen=True)
class Endpoint:
    """One declared endpoint, and what the results call it."""

    line: str
    keys: TimeEndpoint

    @property
    def label(self) -> str:
        """The endpoint's name; empty where it is the output's only one."""
        return self.keys.label

    def place(self, analysis: str, group: str, variable: str, level: str = "") -> ResultPlace:
        """The place of one of its statistics in the results."""
        return ResultPlace(
            f"{self.label}_{analysis}", group, variable, level, self.label, line=self.line, analysed=TIME
        )


def check(_: ReportSpecification, output: Output) -> None:
    """One event or several endpoints; a figure has one, and its axis."""
    keys = output.keys_of(Keys)
    if bool(keys.endpoints) == bool(keys.event):
        raise complain(output.node, None, "name one 'event' or several 'endpoints'")
    if keys.endpoints and "figure" in keys.show:
        raise complain(output.node, "show", "a figure shows one 'event', not several 'endpoints'")
    if keys.x is None and "figure" in keys.show:
        raise needed_key(output.node, "x", "a figure")


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Of each endpoint: events, quartiles, estimates at declared times and the curve of each treatment; log-rank."""
    groups = analysis.groups(output)
    for group in groups:
        add_size(analysis, output, group, builder)
    for endpoint in _endpoints(output.keys_of(Keys)):
        _endpoint(analysis, output, builder, groups, endpoint)


def _endpoints(keys: Keys) -> list[Endpoint]:
    """The declared endpoints, or the output's own as the only one."""
    endpoints = keys.endpoints or [TimeEndpoint("", keys.event)]
    return [Endpoint(f"endpoint {number}", endpoint) for number, endpoint in enumerate(endpoints, start=1)]


def _endpoint(
    analysis: AnalysisData, output: Output, builder: ResultsBuilder, groups: list[Group], endpoint: Endpoint
) -> None:
    keys = output.keys_of(Keys)
    pooled: list[tuple[str, CensoredTimes]] = []
    for group in groups:
        times, rows = censored_times(keys.unit_days, _rows(analysis, output, group, endpoint))
        curve = kaplan_meier(times.times, times.events)
        _add_counts(output, builder, group, curve, rows, endpoint)
        if "table" in keys.show:
            _add_estimates(output, builder, group, curve, rows, endpoint)
        if keys.x and "figure" in keys.show:
            _add_curve(output, keys.x, builder, group, curve, times, rows)
        pooled += [(group.label, times)] if group.is_arm else []
    if keys.log_rank and len(pooled) > 1:
        _, rows = censored_times(keys.unit_days, _rows(analysis, output, groups[-1], endpoint))
        _add_log_rank(output, builder, groups[-1], pooled, rows, endpoint)


def _rows(analysis: AnalysisData, output: Output, group: Group, endpoint: Endpoint) -> Selection:
    keys = output.keys_of(Keys)
    return analysis.select(output, keys.dataset, group).where(keys.where).where(endpoint.keys.where)


def _add_counts(
    output: Output, builder: ResultsBuilder, group: Group, curve: SurvivalCurve, rows: Selection, endpoint: Endpoint
) -> None:
    place = endpoint.place("n", group.label, "followed")
    builder.add(output, place, "n", Estimate(float(curve.n), "Number of subjects with a time", curve.n), COUNT, rows)
    counts = {
        "event": (curve.events, "Subjects with the event", rows.equal(CENSORED, 0)),
        "censored": (curve.n - curve.events, "Censored", rows.other_than(CENSORED, 0)),
    }
    for name, (count, method, source) in counts.items():
        builder.add_proportion(output, endpoint.place(name, group.label, name), count, curve.n, source, method)


def _add_estimates(
    output: Output, builder: ResultsBuilder, group: Group, curve: SurvivalCurve, rows: Selection, endpoint: Endpoint
) -> None:
    keys = output.keys_of(Keys)
    shown = pattern(keys.decimals + 1)
    for share in (25, 50, 75):
        place = endpoint.place(f"quantile_{share}", group.label, "quantile", str(share))
        add_bounded(output, builder, place, "estimate", curve.quantile(share / 100), shown, rows)
    for time in keys.times or []:
        free, place = curve.at(time), endpoint.place(f"{FREE}_{time:g}", group.label, FREE, f"{time:g}")
        percent = replace(free, value=free.value * 100, lower=free.lower * 100, upper=free.upper * 100)
        add_bounded(output, builder, place, "estimate", percent, PERCENT, rows)


def _add_curve(
    output: Output, axis: TimeAxis, builder: ResultsBuilder, group: Group, curve: SurvivalCurve, times: CensoredTimes,
    rows: Selection,
) -> None:  # fmt: skip
    """Record the corners of the curve, its marks of censoring, and the subjects at risk beneath the ticks."""
    for name, moments in (("step", curve.times), ("mark", np.unique(times.times[~times.events]))):
        for moment in moments.tolist():
            place = ResultPlace(name, group.label, CURVE, f"{moment:.9g}", name, analysed=TIME)
            builder.add(output, place, "value", replace(curve.at(moment), warning=""), pattern(3), rows)
    for tick in axis.ticks:
        place = ResultPlace("at_risk", group.label, AT_RISK, f"{tick:g}", analysed=TIME)
        source = rows.at_least(TIME, tick * output.keys_of(Keys).unit_days)
        builder.add(output, place, "count", Estimate(float(source.size), "Subjects at risk", curve.n), COUNT, source)


def _add_log_rank(
    output: Output,
    builder: ResultsBuilder,
    everybody: Group,
    pooled: list[tuple[str, CensoredTimes]],
    rows: Selection,
    endpoint: Endpoint,
) -> None:
    labels = [label for label, times in pooled for _ in range(times.times.size)]
    times = np.concatenate([times.times for _, times in pooled])
    found = log_rank(times, np.concatenate([times.events for _, times in pooled]), labels)
    place = endpoint.place("log_rank", everybody.label, "log_rank")
    builder.add(output, place, "p_value", found, P_VALUE, rows)
    builder.add(output, place, "statistic", replace(found, value=found.statistic), pattern(2), rows)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """The table, the figure, or both."""
    keys = output.keys_of(Keys)
    tables = [_table(keys, results)] if "table" in keys.show else []
    return OutputLayout(tables, [_figure(keys, keys.x, results)] if keys.x and "figure" in keys.show else [])


def _table(keys: Keys, results: ResultsIndex) -> OutputTable:
    rows = [row for endpoint in _endpoints(keys) for row in _block(keys, results, endpoint)]
    return OutputTable("", columns(results), tuple(rows))


def _block(keys: Keys, results: ResultsIndex, endpoint: Endpoint) -> list[Row]:
    """One endpoint: followed, events, quartiles, estimates at the declared times, and the test."""
    groups, label, deeper = results.groups(), endpoint.label, int(bool(endpoint.label))
    own = results.line(endpoint.line)
    rows = [Row(label, heading=True)] if label else []
    rows += [Row("Followed, n", tuple(own.text("followed", "", group, "n", label) for group in groups), deeper)]
    for name, text in (("event", endpoint.keys.event), ("censored", "Censored")):
        rows.append(Row(f"{text}, n (%)", tuple(own.count(name, "", group, label) for group in groups), deeper))
    for share, text in (("25", "25% quantile"), ("50", "Median"), ("75", "75% quantile")):
        cells = tuple(own.bounded("quantile", share, group, label) for group in groups)
        rows.append(Row(f"{text}, {keys.unit} (95% CI)", cells, deeper))
    for time in keys.times or []:
        cells = tuple(own.bounded(FREE, f"{time:g}", group, label) for group in groups)
        rows.append(Row(f"Free of it at {time:g} {keys.unit}, % (95% CI)", cells, deeper))
    test = own.row("log_rank", "", groups[-1], "p_value", label)
    if test is not None:
        shown = ResultText.of(f"{test['text']} (n={test['n']})", test)
        rows.append(Row("p-value, log-rank test", (*("" for _ in groups[1:]), shown), deeper))
    return rows


def _figure(keys: Keys, axis: TimeAxis, results: ResultsIndex) -> StepFigure:
    # All treatments together have no curve of their own where there are several.
    groups = results.groups()[:-1] if len(results.groups()) > 1 else results.groups()
    [endpoint] = _endpoints(keys)
    test = results.line(endpoint.line).row("log_rank", "", results.groups()[-1], "p_value")
    return StepFigure(
        axis.label, f"Probability of no {keys.event.lower()}",
        tuple(_curve(results, group, axis) for group in groups),
        tuple(axis.ticks),
        f"{keys.title}: Kaplan-Meier curves of {', '.join(groups)} with the number at risk.",
        "" if test is None else f"Log-rank test: p = {test['text']} (n = {test['n']})".replace("= <", "<"),
    )  # fmt: skip


def _curve(results: ResultsIndex, group: str, axis: TimeAxis) -> StepCurve:
    points = {name: _points(results, group, name) for name in ("step", "mark")}
    at_risk = tuple(results.text(AT_RISK, f"{tick:g}", group, "count") for tick in axis.ticks)
    last = max((time for time, _ in [*points["step"], *points["mark"]]), default=0.0)
    return StepCurve(group, points["step"], points["mark"], last, at_risk)


def _points(results: ResultsIndex, group: str, name: str) -> tuple[tuple[float, float], ...]:
    rows = [row for row in results.rows if (row["variable"], row["group"], row["subset"]) == (CURVE, group, name)]
    return tuple((float(row["level"]), float(row["value"])) for row in rows if row["value"] == row["value"])
