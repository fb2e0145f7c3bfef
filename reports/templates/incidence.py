"""Template ``incidence``: subjects and events by class and term, the most frequent first or by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from metadata.condition import Condition
from metadata.condition_filter import among, equality
from metadata.declaration_limits import Above, Limit, Text
from metadata.yaml_source import complain
from reports.layout.table import (
    OutputLayout,
    OutputTable,
    Row,
    TableColumn,
)
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import COUNT, P_VALUE, pattern
from reports.results.index import LineResults, ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import (
    SUBJECT_LEVEL,
    Labels,
    Output,
    OutputKeys,
    ReportSpecification,
    TextsOf,
    Variable,
)
from reports.statistics.estimate import Estimate
from reports.statistics.fisher import fisher
from reports.template_parts.exposure_rates import ExposureRate, RateOfLines, rate_of_lines
from reports.template_parts.filtered_rows import FilteredRows, filtered
from reports.template_parts.person_time import add_bounded
from reports.template_parts.tally import (
    ALL,
    NOT_CODED,
    Tally,
    TallyLine,
    tally,
)
from reports.template_parts.treatment_heads import add_size, columns
from reports.templates.subject_counts import sentence


@dataclass(frozen=True)
class IncidencePart:
    """A part of the table: its records, and what its first line is called."""

    label: Text
    any: Text
    where: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Subjects and records by ``class`` and ``term``; ``events`` heads the column of records.

    With ``at_least`` only terms are shown that so many percent of the subjects of some treatment had, under their
    classes; a footnote says how many are not. ``keep_case`` lists words that stay as they are written in the data, such
    as ECG. ``rates`` are rates per time of exposure, each a column.
    """

    dataset: Text
    term: Variable
    where: Condition | None = None
    any: Text = ""
    class_: Variable = ""
    labels: Labels | None = None
    order: Literal["frequency", "name", "declared"] = "frequency"
    events: Text = "Events"
    grade: Variable = ""
    grades: Labels | None = None
    parts: list[IncidencePart] | None = None
    reference: Text = ""
    stub: Text = ""
    at_least: Annotated[float, Above(0), Limit(high=100)] | None = None
    keep_case: list[Text] | None = None
    rates: list[ExposureRate] | None = None

    def texts_of(self) -> TextsOf:
        """The grades that are counted."""
        return [("grades", self.grade, self.grades)]

    @property
    def levels(self) -> Labels:
        """The grades with their labels, if the output has grades."""
        return (self.grades or {}) if self.grade else {}


METHOD = "Number of patients"


@dataclass(frozen=True)
class Part:
    """One declared part, and what the results call it."""

    line: str
    keys: IncidencePart

    @property
    def label(self) -> str:
        """The part's name; empty where it is the whole."""
        return self.keys.label


@dataclass(frozen=True)
class Counted:
    """One treatment's rows of one part, counted, and the size of its population."""

    group: Group
    size: int
    rows: Selection
    tally: Tally
    rates: list[RateOfLines]


def check(_: ReportSpecification, output: Output) -> None:
    """The first line of the table, or of each part, has a label."""
    keys = output.keys_of(Keys)
    for rate in keys.rates or ():
        rate.check()
    if keys.parts is None and not keys.any:
        raise complain(output.node, None, "say in 'any' what the first line counts, or declare 'parts'")


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Count subjects and records of every line in every treatment, whether or not it has any; then compare treatments.

    A subject counts once a line however many records it has, and with grades at the worst.
    """
    keys, groups = output.keys_of(Keys), analysis.groups(output)
    arms = analysis.reference(output, keys.reference, groups) if keys.reference else None
    sizes = [add_size(analysis, output, group, builder) for group in groups]
    for part in _parts(keys):
        counted = [_count(analysis, output, part, group, size) for group, size in zip(groups, sizes, strict=True)]
        lines = _frequent(keys, counted, counted[-1].tally.ordered(keys.order, list(keys.labels or {})))
        for treatment in counted:
            for line in lines:
                _add(output, builder, part, line, treatment)
        if keys.at_least is not None:
            _add_not_shown(output, builder, part, counted[-1], len(lines))
        if arms:
            _compare(output, builder, part, lines, counted, arms)


def _frequent(keys: Keys, counted: list[Counted], lines: list[TallyLine]) -> list[TallyLine]:
    """The lines that are shown: everything, the terms that are frequent in some treatment, and their classes."""
    if keys.at_least is None:
        return lines
    arms = [treatment for treatment in counted if treatment.group.is_arm] or counted
    frequent = {
        line
        for line in lines
        if line.term and any(100 * arm.tally.subjects.get(line, 0) >= keys.at_least * arm.size > 0 for arm in arms)
    }
    classes = {TallyLine(line.group) for line in frequent}
    return [line for line in lines if line in frequent or line in classes or line == TallyLine()]


def _add_not_shown(output: Output, builder: ResultsBuilder, part: Part, everybody: Counted, shown: int) -> None:
    """The number of terms and classes that are too rare for a line of their own."""
    keys, line = output.keys_of(Keys), TallyLine()
    left = len(everybody.tally.events) - shown
    method = (
        f"terms that fewer than {keys.at_least:g}% of the patients of each treatment had are not shown ({left} lines)"
    )
    place, source = _place(output, part, line, everybody.group.label), _source(keys, everybody.rows, line)
    builder.add(output, place, "not_shown", Estimate(float(left), method, left), COUNT, source)


def _parts(keys: Keys) -> list[Part]:
    """The declared parts, or the whole as one."""
    parts = keys.parts or [IncidencePart("", keys.any)]
    return [Part(f"part {number}", part) for number, part in enumerate(parts, start=1)]


def _count(analysis: AnalysisData, output: Output, part: Part, group: Group, size: int) -> Counted:
    keys = output.keys_of(Keys)
    rows = analysis.select(output, keys.dataset, group).where(keys.where).where(part.keys.where)
    for key, name in (("class", keys.class_), ("term", keys.term), ("grade", keys.grade)):
        if name:
            rows.named(name, output.node, key)
    found = tally(rows, keys.class_, keys.term, keys.grade)
    unknown = sorted({grade for _, grade in found.worst} - set(keys.levels))
    if unknown:
        raise complain(output.node, "grades", f"{rows.dataset}.{keys.grade} has the value '{unknown[0]}' as well")
    subjects = analysis.select(output, SUBJECT_LEVEL, group)
    rates = [rate_of_lines(rate, subjects, rows, keys.class_, keys.term) for rate in keys.rates or ()]
    return Counted(group, size, rows, found, rates)


def _place(output: Output, part: Part, line: TallyLine, group: str, *more: str) -> ResultPlace:
    """A class is a level of its variable; a term is one of its own, and its class the subset."""
    keys = output.keys_of(Keys)
    variable, level = keys.term, line.term
    if line.group and not line.term:
        variable, level = keys.class_, line.group
    above = line.group if line.term else ""
    subset = "; ".join(filter(None, (part.label, above, *more)))
    name = "_".join(filter(None, (part.label, variable, above, level or "any")))
    return ResultPlace(name, group, variable, level, subset, line=part.line)


def _source(keys: Keys, rows: Selection, line: TallyLine, *more: str) -> FilteredRows:
    values = ((keys.class_, line.group), (keys.term, line.term))
    conditions = [equality(name, "" if value == NOT_CODED else value) for name, value in values if value != ALL]
    return filtered(rows, *conditions, *more)


def _add(output: Output, builder: ResultsBuilder, part: Part, line: TallyLine, counted: Counted) -> None:
    keys, found = output.keys_of(Keys), counted.tally
    place, source = _place(output, part, line, counted.group.label), _source(keys, counted.rows, line)
    subjects, events = found.subjects.get(line, 0), found.events.get(line, 0)
    builder.add_proportion(output, place, subjects, counted.size, source, METHOD)
    builder.add(output, place, "events", Estimate(float(events), "Number of records", subjects), COUNT, source)
    for rated in counted.rates:
        at = _place(output, part, line, counted.group.label, rated.rate.subset)
        add_bounded(output, builder, at, "estimate", rated.estimate(line, events, subjects),
                    pattern(rated.rate.decimals), source)  # fmt: skip
    for grade in keys.levels:
        who = found.worst.get((line, grade), [])
        at = _place(output, part, line, counted.group.label, f"worst {grade}")
        source = _source(keys, counted.rows, line, among(SUBJECT, who))
        builder.add_proportion(output, at, len(who), counted.size, source, METHOD + " by their worst grade")


def _compare(
    output: Output, builder: ResultsBuilder, part: Part, lines: list[TallyLine], counted: list[Counted],
    arms: tuple[Group, list[Group]],
) -> None:  # fmt: skip
    """Fisher's exact test of each line, each treatment against the reference; no correction for their number."""
    by_group = {treatment.group: treatment for treatment in counted}
    reference = by_group[arms[0]]
    for arm in (by_group[group] for group in arms[1]):
        for line in lines:
            found = fisher(arm.tally.subjects.get(line, 0), arm.size,
                           reference.tally.subjects.get(line, 0), reference.size)  # fmt: skip
            builder.add(output, _place(output, part, line, arm.group.label), "p_value", found, P_VALUE,
                       _source(output.keys_of(Keys), counted[-1].rows, line))  # fmt: skip


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A table a part: everything, then each class with its terms."""
    return OutputLayout([_table(output, results, part) for part in _parts(output.keys_of(Keys))])


def _table(output: Output, results: ResultsIndex, part: Part) -> OutputTable:
    keys, name, own = output.keys_of(Keys), part.label, results.line(part.line)
    tested = [group for group in results.groups() if own.text(keys.term, ALL, group, "p_value", name)]
    rated = [rate.label for rate in keys.rates or ()]
    heads = (*columns(results, "n (%)", keys.events, *rated, *keys.levels.values()),
             *(TableColumn(group, f"p-value against {keys.reference}") for group in tested))  # fmt: skip
    rows = [_row(output, results, part, line, tested) for line in _lines(keys, own)]
    stub = "Class, term" if keys.class_ else "Term"
    return OutputTable(keys.stub or stub, heads, tuple(rows), name)


def _lines(keys: Keys, results: LineResults) -> list[TallyLine]:
    """The lines of one part, as the results have them; a term follows its class."""
    lines: dict[TallyLine, None] = {}
    above = ALL
    for row in results.rows:
        if row["statistic"] != "events":
            continue
        level = str(row["level"])
        is_class = row["variable"] == keys.class_
        above = ALL if not level else level if is_class else above
        lines[TallyLine(above, ALL if is_class else level)] = None
    return list(lines)


def _row(output: Output, results: ResultsIndex, part: Part, line: TallyLine, tested: list[str]) -> Row:
    keys, cells = output.keys_of(Keys), list[str]()
    own = results.line(part.line)
    for group in results.groups():
        at = _place(output, part, line, group)
        cells += [
            own.count(at.variable, at.level, group, at.subset),
            own.text(at.variable, at.level, group, "events", at.subset),
        ]
        cells += [_rated(output, own, part, line, group, rate) for rate in keys.rates or ()]
        cells += [_graded(output, own, part, line, group, grade) for grade in keys.levels]
    at = _place(output, part, line, "")
    cells += [own.text(at.variable, at.level, group, "p_value", at.subset) for group in tested]
    name = line.term or line.group
    label = (keys.labels or {}).get(name, sentence(name, keys.keep_case or ())) if name else part.keys.any
    return Row(label, tuple(cells), int(bool(line.group and line.term)))


def _rated(output: Output, results: LineResults, part: Part, line: TallyLine, group: str, rate: ExposureRate) -> str:
    at = _place(output, part, line, group, rate.subset)
    return results.bounded(at.variable, at.level, group, at.subset)


def _graded(output: Output, results: LineResults, part: Part, line: TallyLine, group: str, grade: str) -> str:
    at = _place(output, part, line, group, f"worst {grade}")
    return results.count(at.variable, at.level, group, at.subset)
