"""Paired proportions: how many subjects meet a criterion at one of two visits and not at the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from metadata.condition import Condition
from metadata.condition_filter import among
from metadata.declaration import Place
from metadata.declaration_limits import Entries, Text
from reports.layout.table import OutputTable, Row, TableColumn
from reports.results.analysis_data import Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import COUNT, P_VALUE
from reports.results.index import LineResults, ResultsIndex, printed
from reports.results.selection import Selection
from reports.results.specification import Output, Variable
from reports.statistics.estimate import Estimate
from reports.statistics.mcnemar import mcnemar
from reports.template_parts.filtered_rows import filtered


@dataclass(frozen=True)
class PairKeys:
    """A proportion at two visits: the records, and the condition that is met or not."""

    label: Text
    where: Condition
    visits: Annotated[list[Text], Entries(2, 2)]
    condition: Condition
    dataset: Text = ""
    visit: Variable = "AVISIT"
    node: Place = field(default=None, compare=False, repr=False)


COUNTS = {
    "both": "Met at both",
    "lost": "Met at the first only",
    "gained": "Met at the second only",
    "neither": "Met at neither",
}


def add_pair(
    output: Output, builder: ResultsBuilder, group: Group, number: int, pair: PairKeys, records: Selection
) -> None:
    """Record the fourfold table of the subjects who have both visits, and McNemar's exact test of it."""
    rows = records.where(pair.where)
    one, two = (rows.equal(pair.visit, name) for name in pair.visits)
    pairs = set(one.subjects) & set(two.subjects)
    met = [pairs & set(part.where(pair.condition).subjects) for part in (one, two)]
    sets = {
        "both": met[0] & met[1],
        "lost": met[0] - met[1],
        "gained": met[1] - met[0],
        "neither": pairs - met[0] - met[1],
    }
    where = among(pair.visit, pair.visits)
    for name, subjects in sets.items():
        place = _place(group.label, number, pair, name)
        source = filtered(rows, where, among("USUBJID", sorted(subjects)))
        builder.add(output, place, "count", Estimate(float(len(subjects)), COUNTS[name], len(pairs)), COUNT, source)
    found = mcnemar(len(sets["gained"]), len(sets["lost"]), len(pairs))
    place, source = (
        _place(group.label, number, pair, "mcnemar"),
        filtered(rows, where, among("USUBJID", sorted(pairs))),
    )
    builder.add(output, place, "p_value", found, P_VALUE, source)
    builder.add(output, place, "statistic", replace(found, value=found.statistic), COUNT, source)


def _place(group: str, number: int, pair: PairKeys, name: str) -> ResultPlace:
    return ResultPlace(
        f"pair_{number:02d}_{name}", group, name, _level(pair), "pairs", line=f"pair {number}", analysed="USUBJID"
    )


def _level(pair: PairKeys) -> str:
    return f"{pair.label}: {_visits(pair)}"


def _visits(pair: PairKeys) -> str:
    return ", ".join(pair.visits)


def pairs_table(pairs: Sequence[PairKeys], results: ResultsIndex) -> OutputTable:
    """A row a pair: subjects with both visits, the fourfold table, and the p-value."""
    heads = (
        TableColumn("Visits", text=True),
        TableColumn("n"),
        *(TableColumn(label) for label in COUNTS.values()),
        TableColumn("p-value"),
    )
    rows: list[Row] = []
    for group in results.groups():
        rows += [Row(group, heading=True)] if len(results.groups()) > 1 else []
        for number, pair in enumerate(pairs, start=1):
            rows.append(_row(results.line(f"pair {number}"), group, pair))
    return OutputTable("McNemar's exact test", heads, tuple(rows), "Paired proportions")


def _row(results: LineResults, group: str, pair: PairKeys) -> Row:
    level = _level(pair)
    test = results.row("mcnemar", level, group, "p_value", "pairs")
    counts = (results.text(name, level, group, "count", "pairs") for name in COUNTS)
    return Row(pair.label, (_visits(pair), printed(test, "n"), *counts, printed(test)))
