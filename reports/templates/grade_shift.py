"""Template ``grade_shift``: grade or range after baseline by that at baseline, an analyte at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from metadata.condition import Condition
from metadata.condition_filter import among, equality
from metadata.declaration_limits import Entries, Keyed, Text
from metadata.errors import StudyError
from reports.layout.table import (
    OutputLayout,
    OutputTable,
    Row,
    TableColumn,
)
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.declared_condition import declared_condition
from reports.results.formats import COUNT
from reports.results.index import ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import Labels, Output, OutputKeys, TextsOf, Variable
from reports.statistics.estimate import Estimate
from reports.template_parts.filtered_rows import filtered
from reports.template_parts.treatment_heads import POPULATION, add_size


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Worst category after baseline by the category at baseline, for each of ``parameters`` (code to label)."""

    dataset: Text
    parameters: Annotated[Labels, Keyed(1)]
    grades: Annotated[list[Text], Entries(2)]
    where: Condition | None = None
    grade: Variable = "ATOXGR"
    baseline: Variable = "BTOXGR"
    labels: Labels | None = None
    head: Text = ""
    stub: Text = ""

    def implied(self) -> Iterable[str]:
        """The code of the parameter."""
        return ("PARAMCD",)

    def texts_of(self) -> TextsOf:
        """Parameters and their categories."""
        return [
            ("parameters", "PARAMCD", self.parameters),
            ("grades", self.grade, self.grades),
            ("labels", self.grade, self.labels),
        ]


NONE, TOTAL, WORSE = "Not graded", "Total", "Worsened"
METHOD = "Patients by worst grade after baseline"
HEAD, STUB = "Worst grade after baseline, n", "Analyte, grade at baseline"


@dataclass(frozen=True)
class Shifts:
    """Subjects of one treatment by analyte, category at baseline and category after it."""

    grade: str
    graded: Selection
    subjects: Mapping[tuple[str, ...], list[str]]

    def had(self, parameter: str) -> set[str]:
        """Categories at baseline that somebody had."""
        return {before for code, before, _ in self.subjects if code == parameter}

    def of(self, parameter: str, before: str, after: str) -> list[str]:
        """Subjects of one cell, in order; those without a baseline category cannot be said to have worsened."""
        return sorted(
            subject
            for (code, first, last), subjects in self.subjects.items()
            if code == parameter and before in (first, TOTAL) and (
                after in (last, TOTAL) or (after == WORSE and first != NONE and last > first)
            )
            for subject in subjects
        )  # fmt: skip


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Count subjects by baseline grade and worst later grade, in rows of the baseline grades that somebody had.

    Subjects without a graded record after baseline are not in the table. Categories with ``labels``, such as low and
    high, have no worst one: each subject needs one record.
    """
    node = output.node
    for group in analysis.groups(output):
        add_size(analysis, output, group, builder)
        shifts = _shifts(node, analysis.select(output, str(node["dataset"]), group).where(declared_condition(node)))
        for parameter in node["parameters"]:
            _parameter(output, builder, group, str(parameter), shifts)


def _shifts(node: Mapping[str, Any], rows: Selection) -> Shifts:
    import pandas as pd

    grade, baseline = str(node.get("grade", "ATOXGR")), str(node.get("baseline", "BTOXGR"))
    graded = rows.among("PARAMCD", map(str, node["parameters"])).present(grade)
    table = graded.table("PARAMCD", SUBJECT, baseline, grade)
    if "labels" in node and table.duplicated(["PARAMCD", SUBJECT]).any():
        raise StudyError(f"{rows.dataset}: a subject has two records of {grade}; narrow the output's 'where'")
    ordered = {name: pd.Categorical(table[name], ordered=True) for name in (baseline, grade)}
    worst = table.assign(**ordered).groupby(["PARAMCD", SUBJECT], sort=True).max().astype(object).reset_index()
    worst[baseline] = worst[baseline].where(worst[baseline] != "", NONE)
    found = worst.groupby(["PARAMCD", baseline, grade])[SUBJECT].agg(list)
    keys = found.index.to_frame(index=False).astype("str").to_numpy().tolist()
    return Shifts(grade, graded, {tuple(key): subjects for key, subjects in zip(keys, found.tolist(), strict=True)})


def _afters(node: Mapping[str, Any]) -> list[str]:
    return [*map(str, node["grades"]), TOTAL, *([] if "labels" in node else [WORSE])]


def _parameter(output: Output, builder: ResultsBuilder, group: Group, parameter: str, shifts: Shifts) -> None:
    had, of = shifts.had(parameter), len(shifts.of(parameter, TOTAL, TOTAL))
    for before in [*(grade for grade in [*output.node["grades"], NONE] if grade in had), TOTAL]:
        for after in _afters(output.node):
            subjects = shifts.of(parameter, str(before), after)
            place = ResultPlace(
                f"{parameter}_{before}", group.label, parameter, f"{before} to {after}", analysed=shifts.grade
            )
            source = filtered(shifts.graded, equality("PARAMCD", parameter), among(SUBJECT, subjects))
            builder.add(output, place, "count", Estimate(float(len(subjects)), METHOD, of), COUNT, source)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """Blocks of an analyte and treatment, with a row for each baseline grade that somebody had."""
    node, groups = output.node, results.groups()
    head, several = str(node.get("head", HEAD)), len(results.groups()) > 1
    heads = [TableColumn(_label(node, grade), head) for grade in node["grades"]]
    columns = (*heads, TableColumn(TOTAL, head), *([] if "labels" in node else [TableColumn(WORSE + ", n")]))
    named = [f"{group} (N={results.text(POPULATION, '', group, 'N')})" for group in groups]
    rows: list[Row] = [] if several else [Row(named[0], heading=True)]
    for parameter, label in node["parameters"].items():
        rows.append(Row(str(label), indent=int(not several), heading=True))
        for group, name in zip(groups, named, strict=True):
            rows += [Row(name, indent=1, heading=True)] if several else []
            rows += _block(node, results, str(parameter), group)
    return OutputLayout([OutputTable(str(node.get("stub", STUB)), columns, tuple(rows))])


def _label(node: Mapping[str, Any], grade: str) -> str:
    known = {NONE: NONE, TOTAL: TOTAL} | dict(node.get("labels", {}))
    return str(known.get(grade, f"Grade {grade}"))


def _block(node: Mapping[str, Any], results: ResultsIndex, parameter: str, group: str) -> list[Row]:
    """One row needs no total, and an analyte that nobody had graded has nothing but one."""
    grades = [str(grade) for grade in node["grades"]]
    had = [grade for grade in [*grades, NONE] if results.row(parameter, f"{grade} to {TOTAL}", group, "count")]
    rows = []
    for before in had if len(had) == 1 else [*had, TOTAL]:
        cells = tuple(results.text(parameter, f"{before} to {after}", group, "count") for after in _afters(node))
        rows.append(Row(_label(node, before), cells, 2))
    return rows
