"""Template ``incidence``: subjects and events by class and term, the most frequent first or by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from metadata.condition import Condition
from metadata.condition_filter import among, equality
from metadata.declaration_limits import Text
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
from reports.results.formats import COUNT, P_VALUE
from reports.results.index import LineResults, ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import Labels, Output, OutputKeys, ReportSpecification, TextsOf, Variable
from reports.statistics.estimate import Estimate
from reports.statistics.fisher import fisher
from reports.template_parts.filtered_rows import FilteredRows, filtered
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
    """Subjects and records by ``class`` and ``term``; ``events`` heads the column of records."""

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

    def texts_of(self) -> TextsOf:
        """The grades that are counted."""
        return [("grades", self.grade, self.grades)]


METHOD = "Number of patients"


@dataclass(frozen=True)
class Part:
    """One declared part, and what the results call it."""

    line: str
    node: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The part's name; empty where it is the whole."""
        return str(self.node["label"])


@dataclass(frozen=True)
class Counted:
    """One treatment's rows of one part, counted, and the size of its population."""

    group: Group
    size: int
    rows: Selection
    tally: Tally


def check(_: ReportSpecification, output: Output) -> None:
    """The first line of the table, or of each part, has a label."""
    _parts(output.node)


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Count subjects and records of every line in every treatment, whether or not it has any; then compare treatments.

    A subject counts once a line however many records it has, and with grades at the worst.
    """
    groups = analysis.groups(output)
    arms = analysis.reference(output, groups) if "reference" in output.node else None
    sizes = [add_size(analysis, output, group, builder) for group in groups]
    for part in _parts(output.node):
        counted = [_count(analysis, output, part, group, size) for group, size in zip(groups, sizes, strict=True)]
        lines = counted[-1].tally.ordered(str(output.node.get("order", "")), list(output.node.get("labels", {})))
        for treatment in counted:
            for line in lines:
                _add(output, builder, part, line, treatment)
        if arms:
            _compare(output, builder, part, lines, counted, arms)


def _parts(node: Mapping[str, Any]) -> list[Part]:
    """The declared parts, or the whole as one."""
    if "parts" not in node and "any" not in node:
        raise complain(node, None, "say in 'any' what the first line counts, or declare 'parts'")
    parts = node.get("parts", [{"label": "", "any": node.get("any", "")}])
    return [Part(f"part {number}", part) for number, part in enumerate(parts, start=1)]


def _count(analysis: AnalysisData, output: Output, part: Part, group: Group, size: int) -> Counted:
    node = output.node
    rows = (
        analysis.select(output, str(node["dataset"]), group)
        .where(declared_condition(node))
        .where(declared_condition(part.node))
    )
    for key in ("class", "term", "grade"):
        if key in node:
            rows.named(node, key)
    found = tally(rows, str(node.get("class", "")), str(node["term"]), str(node.get("grade", "")))
    unknown = sorted({grade for _, grade in found.worst} - {str(grade) for grade in node.get("grades", {})})
    if unknown:
        raise complain(node, "grades", f"{rows.dataset}.{node['grade']} has the value '{unknown[0]}' as well")
    return Counted(group, size, rows, found)


def _place(output: Output, part: Part, line: TallyLine, group: str, *more: str) -> ResultPlace:
    """A class is a level of its variable; a term is one of its own, and its class the subset."""
    node = output.node
    variable, level = str(node["term"]), line.term
    if line.group and not line.term:
        variable, level = str(node["class"]), line.group
    above = line.group if line.term else ""
    subset = "; ".join(filter(None, (part.label, above, *more)))
    name = "_".join(filter(None, (part.label, variable, above, level or "any")))
    return ResultPlace(name, group, variable, level, subset, line=part.line)


def _source(node: Mapping[str, Any], rows: Selection, line: TallyLine, *more: str) -> FilteredRows:
    values = ((str(node.get("class", "")), line.group), (str(node["term"]), line.term))
    conditions = [equality(name, "" if value == NOT_CODED else value) for name, value in values if value != ALL]
    return filtered(rows, *conditions, *more)


def _add(output: Output, builder: ResultsBuilder, part: Part, line: TallyLine, counted: Counted) -> None:
    node, found = output.node, counted.tally
    place, source = _place(output, part, line, counted.group.label), _source(node, counted.rows, line)
    subjects, events = found.subjects.get(line, 0), found.events.get(line, 0)
    builder.add_proportion(output, place, subjects, counted.size, source, METHOD)
    builder.add(output, place, "events", Estimate(float(events), "Number of records", subjects), COUNT, source)
    for grade in node.get("grades", {}) if "grade" in node else ():
        who = found.worst.get((line, str(grade)), [])
        at = _place(output, part, line, counted.group.label, f"worst {grade}")
        source = _source(node, counted.rows, line, among(SUBJECT, who))
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
                       _source(output.node, counted[-1].rows, line))  # fmt: skip


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A table a part: everything, then each class with its terms."""
    return OutputLayout([_table(output, results, part) for part in _parts(output.node)])


def _table(output: Output, results: ResultsIndex, part: Part) -> OutputTable:
    node, name, own = output.node, part.label, results.line(part.line)
    grades = {str(grade): str(label) for grade, label in node.get("grades", {}).items()} if "grade" in node else {}
    tested = [group for group in results.groups() if own.text(str(node["term"]), ALL, group, "p_value", name)]
    heads = (*columns(results, "n (%)", str(node.get("events", "Events")), *grades.values()),
             *(TableColumn(group, f"p-value against {node['reference']}") for group in tested))  # fmt: skip
    rows = [_row(output, results, part, line, list(grades), tested) for line in _lines(node, own)]
    stub = "Class, term" if "class" in node else "Term"
    return OutputTable(str(node.get("stub", stub)), heads, tuple(rows), name)


def _lines(node: Mapping[str, Any], results: LineResults) -> list[TallyLine]:
    """The lines of one part, as the results have them; a term follows its class."""
    lines: dict[TallyLine, None] = {}
    above = ALL
    for row in results.rows:
        if row["statistic"] != "events":
            continue
        level = str(row["level"])
        is_class = row["variable"] == node.get("class")
        above = ALL if not level else level if is_class else above
        lines[TallyLine(above, ALL if is_class else level)] = None
    return list(lines)


def _row(
    output: Output, results: ResultsIndex, part: Part, line: TallyLine, grades: list[str], tested: list[str]
) -> Row:
    cells: list[str] = []
    own = results.line(part.line)
    for group in results.groups():
        at = _place(output, part, line, group)
        cells += [
            own.count(at.variable, at.level, group, at.subset),
            own.text(at.variable, at.level, group, "events", at.subset),
        ]
        cells += [_graded(output, own, part, line, group, grade) for grade in grades]
    at = _place(output, part, line, "")
    cells += [own.text(at.variable, at.level, group, "p_value", at.subset) for group in tested]
    name = line.term or line.group
    label = str(output.node.get("labels", {}).get(name, sentence(name))) if name else str(part.node["any"])
    return Row(label, tuple(cells), int(bool(line.group and line.term)))


def _graded(output: Output, results: LineResults, part: Part, line: TallyLine, group: str, grade: str) -> str:
    at = _place(output, part, line, group, f"worst {grade}")
    return results.count(at.variable, at.level, group, at.subset)
