"""Template ``subject_counts``: how many subjects (and events) meet each declared line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from metadata.condition import Condition
from metadata.declaration_limits import Entries, Limit, Text
from reports.layout.table import OutputLayout, OutputTable, Row
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.declared_condition import declared_condition
from reports.results.formats import COUNT
from reports.results.index import LineResults, ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import SUBJECT_LEVEL, Output, OutputKeys, Variable
from reports.statistics.estimate import Estimate
from reports.statistics.proportion import clopper_pearson
from reports.template_parts.paired_counts import PairKeys, add_pair, pairs_table
from reports.template_parts.treatment_heads import add_size, columns

DATE = "ADT"


@dataclass(frozen=True)
class CountLine:
    """A line: subjects with a record that meets ``where``, or one for each of several conditions (``where_each``).

    With ``within_days`` the records that meet the others lie so near (by ADT) to that which meets the first. The
    percentage is of the population, or of the subjects of the ``denominator``. With ``by`` there is a line for each
    value of a variable.
    """

    heading: Text = ""
    label: Text = ""
    dataset: Text = ""
    where: Condition | None = None
    where_each: Annotated[list[Condition], Entries(2)] | None = None
    within_days: Annotated[int, Limit(0)] | None = None
    denominator: Condition | None = None
    denominator_each: Annotated[list[Condition], Entries(2)] | None = None
    by: Variable = ""
    indent: Annotated[int, Limit(0, 3)] = 0

    def implied(self) -> Iterable[str]:
        """The date from which days are counted."""
        return () if self.within_days is None else (DATE,)


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Subjects that meet each line; ``events`` heads a column with the number of records."""

    lines: list[CountLine]
    dataset: Text = SUBJECT_LEVEL
    where: Condition | None = None
    events: Text = ""
    interval: bool = False
    pairs: list[PairKeys] | None = None

    def datasets_looked_at(self, own: str) -> Iterable[str]:
        """Those of the lines and pairs."""
        lines = [line.dataset for line in self.lines if line.label]
        return dict.fromkeys(name or own for name in [*lines, *(pair.dataset for pair in self.pairs or [])])


SUBJECTS, PARTS = "n (%)", "n/N (%)"
METHOD = "Number of patients"


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Count, for each treatment column, the subjects of each line and of each value of its ``by`` variable.

    Percentages are of the population, or of the subjects with a record that meets the line's ``denominator``. Paired
    proportions are compared by McNemar's exact test.
    """
    for group in analysis.groups(output):
        size = add_size(analysis, output, group, builder)
        for number, heading, line in _lines(output):
            records = _records(analysis, output, group, line)
            looked_at = records.where(declared_condition(output.node))
            rows, whole = _meeting(looked_at, _each(line, "where"), line.get("within_days")), size
            if _has_part(line):
                whole = _meeting(records, _each(line, "denominator"), None).subject_count
            label, name = str(line["label"]), f"line {number}"
            place = ResultPlace(f"{number:02d}", group.label, "USUBJID", label, heading, line=name)
            _add(output, builder, place, rows, whole)
            for value in rows.most_frequent(str(line["by"])) if "by" in line else []:
                by = str(line["by"])
                beneath = ResultPlace(f"{number:02d}_{by}", group.label, by, value, label, line=name)
                _add(output, builder, beneath, rows.equal(str(line["by"]), value), whole)
        for number, pair in enumerate(output.node.get("pairs", []), start=1):
            add_pair(output, builder, group, number, pair, _records(analysis, output, group, pair))


def _lines(output: Output) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Numbered lines that count something, each with the heading above it."""
    heading = ""
    for number, line in enumerate(output.node["lines"], start=1):
        heading = str(line.get("heading", heading))
        if "label" in line:
            yield number, heading, line


def _each(line: Mapping[str, Any], key: str) -> list[Condition]:
    """The conditions of a line of which a subject must meet each; one where it has ``where`` alone."""
    several = f"{key}_each"
    if several not in line:
        return [declared_condition(line, key)]
    return [Condition.read(one, line, several) for one in line[several]]


def _has_part(line: Mapping[str, Any]) -> bool:
    """Whether a line counts among others than the whole population."""
    return "denominator" in line or "denominator_each" in line


def _meeting(records: Selection, wanted: list[Condition], days: int | None) -> Selection:
    """Records that meet the first condition, of subjects who have one for each other: at any time, or within days."""
    first, *others = wanted
    rows = records.where(first)
    for other in others:
        rows = _near(rows, records.where(other), days)
    return rows


def _near(rows: Selection, others: Selection, days: int | None) -> Selection:
    """Rows of subjects who have a row among the others; with ``days`` one that near by its analysis date."""
    if days is None:
        return rows.of_subjects(sorted(set(rows.subjects) & set(others.subjects)))
    own = rows.table(SUBJECT, DATE)
    both = own.merge(others.table(SUBJECT, DATE).drop_duplicates(), on=SUBJECT, suffixes=("", "_OTHER"))
    near = both[(both[DATE] - both[f"{DATE}_OTHER"]).abs() <= days]
    return rows.among_pairs(SUBJECT, DATE, near)


def _records(analysis: AnalysisData, output: Output, group: Group, line: Mapping[str, Any]) -> Selection:
    dataset = str(line.get("dataset", output.node.get("dataset", SUBJECT_LEVEL)))
    return analysis.select(output, dataset, group, line)


def _add(output: Output, builder: ResultsBuilder, place: ResultPlace, rows: Selection, size: int) -> None:
    count = rows.subject_count
    builder.add_proportion(output, place, count, size, rows, METHOD)
    if "events" in output.node:
        events = Estimate(float(rows.size), "Number of records", count)
        builder.add(output, place, "events", events, COUNT, rows)
    if output.node.get("interval", False):
        builder.add_interval(output, place, clopper_pearson(count, size), rows)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """One row a line; beneath each treatment the subjects and, if asked for, events and interval."""
    rows: list[Row] = []
    heading = ""
    for number, line in enumerate(output.node["lines"], start=1):
        if "heading" in line:
            heading = str(line["heading"])
            rows.append(Row(heading, heading=True))
        if "label" in line:
            rows.extend(_rows(output, results, number, line, heading))
    tables = [OutputTable("", columns(results, *_beneath(output)), tuple(rows))]
    return OutputLayout([*tables, pairs_table(output, results)] if "pairs" in output.node else [*tables])


def _beneath(output: Output) -> list[str]:
    heads = [PARTS if _has_parts(output) else SUBJECTS]
    heads += [str(output.node["events"])] if "events" in output.node else []
    return heads + (["95% CI (%)"] if output.node.get("interval", False) else [])


def _has_parts(output: Output) -> bool:
    """Whether any line counts among others than the whole population; every cell then shows its denominator."""
    return any(map(_has_part, output.node["lines"]))


def _rows(output: Output, results: ResultsIndex, number: int, line: Mapping[str, Any], heading: str) -> list[Row]:
    indent, label = int(line.get("indent", 1 if heading else 0)), str(line["label"])
    own, groups, by = results.line(f"line {number}"), results.groups(), str(line.get("by", ""))
    rows = [Row(label, _cells(output, own, groups, ("USUBJID", label, heading)), indent)]
    for value in own.levels(by) if by else []:
        rows.append(Row(sentence(value), _cells(output, own, groups, (by, value, label)), indent + 1))
    return rows


def _cells(output: Output, results: LineResults, groups: list[str], place: tuple[str, str, str]) -> tuple[str, ...]:
    """The cells of one row, which the results have at this variable, level and subset."""
    cells: list[str] = []
    variable, level, subset = place
    for group in groups:
        counted = results.parts if _has_parts(output) else results.count
        cells.append(counted(variable, level, group, subset) or "0")
        if "events" in output.node:
            cells.append(results.text(variable, level, group, "events", subset) or "0")
        if output.node.get("interval", False):
            cells.append(results.interval(variable, level, group, subset))
    return tuple(cells)


def sentence(value: str) -> str:
    """A term in capitals as it reads in a table: ADVERSE EVENT becomes Adverse event."""
    return value.capitalize() if value.isupper() else value
