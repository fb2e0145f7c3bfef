"""Template ``subject_counts``: how many subjects (and events) meet each declared line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from metadata.condition import Condition
from metadata.declaration import Place
from metadata.declaration_limits import Entries, Limit, Text
from reports.layout.table import OutputLayout, OutputTable, Row
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
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
    indent: Annotated[int, Limit(0, 3)] | None = None
    node: Place = field(default=None, compare=False, repr=False)

    def implied(self) -> Iterable[str]:
        """The date from which days are counted."""
        return () if self.within_days is None else (DATE,)

    @property
    def wanted(self) -> list[Condition | None]:
        """The conditions of which a subject must meet each."""
        return [*self.where_each] if self.where_each else [self.where]

    @property
    def among(self) -> list[Condition | None]:
        """The conditions that the subjects of the denominator meet; none if the line counts among the population."""
        return [*self.denominator_each] if self.denominator_each else [self.denominator] if self.denominator else []


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
    keys = output.keys_of(Keys)
    for group in analysis.groups(output):
        size = add_size(analysis, output, group, builder)
        for number, heading, line in _lines(keys):
            records = _records(analysis, output, group, line)
            rows, whole = _meeting(records.where(keys.where), line.wanted, line.within_days), size
            if line.among:
                among = _meeting(records, line.among, None)
                rows.check_within(among)
                whole = among.subject_count
            name = f"line {number}"
            place = ResultPlace(f"{number:02d}", group.label, "USUBJID", line.label, heading, line=name)
            _add(output, builder, place, rows, whole)
            for value in rows.most_frequent(line.by) if line.by else []:
                beneath = ResultPlace(f"{number:02d}_{line.by}", group.label, line.by, value, line.label, line=name)
                _add(output, builder, beneath, rows.equal(line.by, value), whole)
        for number, pair in enumerate(keys.pairs or [], start=1):
            records = _records(analysis, output, group, pair).where(keys.where)
            add_pair(output, builder, group, number, pair, records)


def _lines(keys: Keys) -> Iterator[tuple[int, str, CountLine]]:
    """Numbered lines that count something, each with the heading above it."""
    heading = ""
    for number, line in enumerate(keys.lines, start=1):
        heading = line.heading or heading
        if line.label:
            yield number, heading, line


def _meeting(records: Selection, wanted: list[Condition | None], days: int | None) -> Selection:
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


def _records(analysis: AnalysisData, output: Output, group: Group, line: CountLine | PairKeys) -> Selection:
    return analysis.select(output, line.dataset or output.keys_of(Keys).dataset, group, line.node)


def _add(output: Output, builder: ResultsBuilder, place: ResultPlace, rows: Selection, size: int) -> None:
    count, keys = rows.subject_count, output.keys_of(Keys)
    builder.add_proportion(output, place, count, size, rows, METHOD)
    if keys.events:
        events = Estimate(float(rows.size), "Number of records", count)
        builder.add(output, place, "events", events, COUNT, rows)
    if keys.interval:
        builder.add_interval(output, place, clopper_pearson(count, size), rows)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """One row a line; beneath each treatment the subjects and, if asked for, events and interval."""
    keys, rows, heading = output.keys_of(Keys), list[Row](), ""
    for number, line in enumerate(keys.lines, start=1):
        if line.heading:
            heading = line.heading
            rows.append(Row(heading, heading=True))
        if line.label:
            rows.extend(_rows(keys, results, number, line, heading))
    tables = [OutputTable("", columns(results, *_beneath(keys)), tuple(rows))]
    return OutputLayout([*tables, pairs_table(keys.pairs, results)] if keys.pairs else [*tables])


def _beneath(keys: Keys) -> list[str]:
    heads = [PARTS if _has_parts(keys) else SUBJECTS, *([keys.events] if keys.events else [])]
    return heads + (["95% CI (%)"] if keys.interval else [])


def _has_parts(keys: Keys) -> bool:
    """Whether any line counts among others than the whole population; every cell then shows its denominator."""
    return any(line.among for line in keys.lines)


def _rows(keys: Keys, results: ResultsIndex, number: int, line: CountLine, heading: str) -> list[Row]:
    indent, by = int(bool(heading)) if line.indent is None else line.indent, line.by
    own, groups = results.line(f"line {number}"), results.groups()
    rows = [Row(line.label, _cells(keys, own, groups, ("USUBJID", line.label, heading)), indent)]
    for value in own.levels(by) if by else []:
        rows.append(Row(sentence(value), _cells(keys, own, groups, (by, value, line.label)), indent + 1))
    return rows


def _cells(keys: Keys, results: LineResults, groups: list[str], place: tuple[str, str, str]) -> tuple[str, ...]:
    """The cells of one row, which the results have at this variable, level and subset."""
    cells: list[str] = []
    variable, level, subset = place
    for group in groups:
        counted = results.parts if _has_parts(keys) else results.count
        cells.append(counted(variable, level, group, subset) or "0")
        if keys.events:
            cells.append(results.text(variable, level, group, "events", subset) or "0")
        if keys.interval:
            cells.append(results.interval(variable, level, group, subset))
    return tuple(cells)


def sentence(value: str, kept: Sequence[str] = ()) -> str:
    """A term in capitals as it reads in a table: ECG ABNORMAL becomes Ecg abnormal, or ECG abnormal if ECG is kept."""
    if not value.isupper():
        return value
    words = {word.upper(): word for word in kept}
    shown = value.capitalize().split(" ")
    return " ".join(words.get(word.upper(), word) for word in shown)
