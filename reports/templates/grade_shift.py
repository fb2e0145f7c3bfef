"""Template ``grade_shift``: grade or range after baseline by that at baseline, an analyte at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

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
from reports.results.formats import COUNT
from reports.results.index import ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import Labels, Output, OutputKeys, TextsOf, Variable
from reports.statistics.estimate import Estimate
from reports.template_parts.filtered_rows import filtered
from reports.template_parts.treatment_heads import POPULATION, add_size


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Worst category after baseline by the category at baseline, for each of ``parameters`` (code to label).

    ``percent`` prints percentages, of all subjects of the analyte (total) or of those with the same category before.
    ``rows`` are those that somebody had, or all, the same in each treatment; ``no_value`` adds a row of the subjects of
    the population who have no graded record.
    """

    dataset: Text
    parameters: Annotated[Labels, Keyed(1)]
    grades: Annotated[list[Text], Entries(2)]
    where: Condition | None = None
    grade: Variable = "ATOXGR"
    baseline: Variable = "BTOXGR"
    labels: Labels | None = None
    head: Text = "Worst grade after baseline, n"
    stub: Text = "Analyte, grade at baseline"
    percent: Literal["total", "baseline"] | None = None
    rows: Literal["seen", "all"] = "seen"
    no_value: bool = False

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

    @property
    def afters(self) -> list[str]:
        """The columns: the categories, all together, and where they have an order how many worsened."""
        return [*self.grades, TOTAL, *([] if self.labels else [WORSE])]

    def label(self, grade: str) -> str:
        """What a category is called."""
        return {NONE: NONE, TOTAL: TOTAL, NO_VALUE: NO_VALUE, **(self.labels or {})}.get(grade, f"Grade {grade}")

    def befores(self, had: Collection[str]) -> list[str]:
        """The rows: categories at baseline that somebody had, or all of them, and no category if somebody had none."""
        return [grade for grade in [*self.grades, NONE] if grade in had or (self.rows == "all" and grade != NONE)]


NONE, TOTAL, WORSE, NO_VALUE = "Not graded", "Total", "Worsened", "No value"
METHOD = "Patients by worst grade after baseline"


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
    keys = output.keys_of(Keys)
    for group in analysis.groups(output):
        size = add_size(analysis, output, group, builder)
        shifts = _shifts(keys, analysis.select(output, keys.dataset, group).where(keys.where))
        for parameter in keys.parameters:
            _parameter(output, builder, group, parameter, shifts)
            if keys.no_value:
                _add_no_value(output, builder, group, parameter, shifts, size)


def _shifts(keys: Keys, rows: Selection) -> Shifts:
    import pandas as pd

    grade, baseline = keys.grade, keys.baseline
    graded = rows.among("PARAMCD", keys.parameters).present(grade)
    table = graded.table("PARAMCD", SUBJECT, baseline, grade)
    if keys.labels and table.duplicated(["PARAMCD", SUBJECT]).any():
        raise StudyError(f"{rows.dataset}: a subject has two records of {grade}; narrow the output's 'where'")
    ordered = {name: pd.Categorical(table[name], ordered=True) for name in (baseline, grade)}
    worst = table.assign(**ordered).groupby(["PARAMCD", SUBJECT], sort=True).max().astype(object).reset_index()
    worst[baseline] = worst[baseline].where(worst[baseline] != "", NONE)
    found = worst.groupby(["PARAMCD", baseline, grade])[SUBJECT].agg(list)
    cells = found.index.to_frame(index=False).astype("str").to_numpy().tolist()
    return Shifts(grade, graded, {tuple(cell): subjects for cell, subjects in zip(cells, found.tolist(), strict=True)})


def _parameter(output: Output, builder: ResultsBuilder, group: Group, parameter: str, shifts: Shifts) -> None:
    keys, total = output.keys_of(Keys), len(shifts.of(parameter, TOTAL, TOTAL))
    for before in [*keys.befores(shifts.had(parameter)), TOTAL]:
        of = len(shifts.of(parameter, before, TOTAL)) if keys.percent == "baseline" else total
        for after in keys.afters:
            subjects = shifts.of(parameter, before, after)
            place = ResultPlace(
                f"{parameter}_{before}", group.label, parameter, f"{before} to {after}", analysed=shifts.grade
            )
            source = filtered(shifts.graded, equality("PARAMCD", parameter), among(SUBJECT, subjects))
            if keys.percent:
                builder.add_proportion(output, place, len(subjects), of, source, METHOD)
            else:
                builder.add(output, place, "count", Estimate(float(len(subjects)), METHOD, of), COUNT, source)


def _add_no_value(
    output: Output, builder: ResultsBuilder, group: Group, parameter: str, shifts: Shifts, size: int
) -> None:
    """Count the subjects of the population without a graded record of the analyte."""
    place = ResultPlace(f"{parameter}_{NO_VALUE}", group.label, parameter, NO_VALUE, analysed=shifts.grade)
    without = size - len(shifts.of(parameter, TOTAL, TOTAL))
    source = filtered(shifts.graded, equality("PARAMCD", parameter))
    method = "Patients of the population without a graded record"
    builder.add(output, place, "count", Estimate(float(without), method, size), COUNT, source)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """Blocks of an analyte and treatment, with a row for each baseline grade that somebody had."""
    keys, groups = output.keys_of(Keys), results.groups()
    several = len(groups) > 1
    heads = [TableColumn(keys.label(grade), keys.head) for grade in keys.grades]
    columns = (*heads, TableColumn(TOTAL, keys.head), *([] if keys.labels else [TableColumn(WORSE + ", n")]))
    named = [f"{group} (N={results.text(POPULATION, '', group, 'N')})" for group in groups]
    rows: list[Row] = [] if several else [Row(named[0], heading=True)]
    for parameter, label in keys.parameters.items():
        rows.append(Row(label, indent=int(not several), heading=True))
        for group, name in zip(groups, named, strict=True):
            rows += [Row(name, indent=1, heading=True)] if several else []
            rows += _block(keys, results, parameter, group)
    return OutputLayout([OutputTable(keys.stub, columns, tuple(rows))])


def _block(keys: Keys, results: ResultsIndex, parameter: str, group: str) -> list[Row]:
    """One row needs no total, and an analyte that nobody had graded has nothing but one."""
    had = [grade for grade in [*keys.grades, NONE] if results.row(parameter, f"{grade} to {TOTAL}", group, "count")]
    rows = []
    for before in had if len(had) == 1 else [*had, TOTAL]:
        cells = tuple(_cell(keys, results, parameter, f"{before} to {after}", group) for after in keys.afters)
        rows.append(Row(keys.label(before), cells, 2))
    if keys.no_value:
        number = results.text(parameter, NO_VALUE, group, "count")
        cells = tuple(number if after == TOTAL else "" for after in keys.afters)
        rows.append(Row(keys.label(NO_VALUE), cells, 2))
    return rows


def _cell(keys: Keys, results: ResultsIndex, parameter: str, level: str, group: str) -> str:
    if keys.percent:
        return results.count(parameter, level, group)
    return results.text(parameter, level, group, "count")
