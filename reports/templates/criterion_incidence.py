"""Template ``criterion_incidence``: who met a laboratory criterion after baseline, by each declared scheme."""

from __future__ import annotations

from dataclasses import dataclass, replace

from metadata.condition import Condition
from metadata.declaration_limits import Text
from reports.layout.table import (
    OutputLayout,
    OutputTable,
    Row,
    TableColumn,
)
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import pattern
from reports.results.index import LineResults, ResultsIndex, ResultText, printed
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import Decimals, Labels, NumberVariable, Output, OutputKeys, TextsOf, Variable
from reports.statistics.descriptive import describe
from reports.statistics.proportion import clopper_pearson
from reports.template_parts.descriptive_cells import CELLS
from reports.template_parts.episodes import first_episodes
from reports.template_parts.person_time import add_bounded
from reports.template_parts.treatment_heads import POPULATION, add_size


@dataclass(frozen=True)
class Scheme:
    """A threshold: the records that meet it, those where it is treatment-emergent, and grades."""

    id: Text
    label: Text
    condition: Condition
    emergent: Condition | None = None
    grade: Variable = ""
    grades: Labels | None = None

    def texts_of(self) -> TextsOf:
        """The grades that are counted."""
        return [("grades", self.grade, self.grades)]


@dataclass(frozen=True)
class LowestValue:
    """The records of the lowest values, and the variable that holds them."""

    variable: NumberVariable
    where: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """A threshold met at ``baseline``, ever ``after``, and newly."""

    dataset: Text
    baseline: Condition
    after: Condition
    schemes: list[Scheme]
    where: Condition | None = None
    lowest: LowestValue | None = None
    day: NumberVariable = ""
    decimals: Decimals = 0


BEFORE, ANY, EMERGENT = "Met at baseline", "Any after baseline", "Treatment-emergent"
FIRST, LASTED, LOWEST = "First day", "Duration", "Lowest value"
METHOD = "Number of patients"


@dataclass(frozen=True)
class CriterionRecords:
    """Records at baseline and after it of one treatment column."""

    before: Selection
    after: Selection


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """For each scheme: met at baseline, at least once after it, and treatment-emergent (worse than at baseline)."""
    keys = output.keys_of(Keys)
    for group in analysis.groups(output):
        add_size(analysis, output, group, builder)
        rows = analysis.select(output, keys.dataset, group).where(keys.where)
        records = CriterionRecords(rows.where(keys.baseline), rows.where(keys.after))
        assessed = records.after.subject_count
        for number, scheme in enumerate(keys.schemes, start=1):
            everything = ResultPlace("", group.label, scheme.id, line=f"scheme {number}", analysed=SUBJECT)
            _scheme(output, builder, everything, scheme, records, assessed)
        if keys.lowest:
            extremes = analysis.select(output, keys.dataset, group).where(keys.lowest.where)
            _lowest(output, builder, group, extremes.present(keys.lowest.variable), keys, keys.lowest.variable)


def _scheme(
    output: Output,
    builder: ResultsBuilder,
    everything: ResultPlace,
    scheme: Scheme,
    records: CriterionRecords,
    assessed: int,
) -> None:
    name, day = scheme.id, output.keys_of(Keys).day
    met, met_before = records.after.where(scheme.condition), records.before.where(scheme.condition)
    emergent = _emergent(scheme, records, met, met_before)
    for level, rows, of in (
        (BEFORE, met_before, records.before.subject_count), (ANY, met, assessed), (EMERGENT, emergent, assessed)
    ):  # fmt: skip
        place = replace(everything, analysis=f"{name}_{level}", level=level)
        builder.add_proportion(output, place, rows.subject_count, of, rows, METHOD)
        builder.add_interval(output, place, clopper_pearson(rows.subject_count, of), rows)
    _grades(output, builder, everything, scheme, records.after, assessed)
    if day:
        first = met.by_subject(day, "min")
        place = replace(everything, analysis=f"{name}_first", level=FIRST)
        builder.add_description(output, place, describe(first), 0, met)
        lasted = first_episodes(records.after.present(day), met, day)
        place = replace(everything, analysis=f"{name}_duration", level=LASTED)
        add_bounded(output, builder, place, "estimate", lasted.quantile(), pattern(1), records.after)


def _emergent(scheme: Scheme, records: CriterionRecords, met: Selection, met_before: Selection) -> Selection:
    """Worse than at baseline: by the scheme's own condition, else met by a subject who did not meet it at baseline."""
    if scheme.emergent is not None:
        return records.after.where(scheme.emergent)
    free = sorted(set(records.before.subjects) - set(met_before.subjects))
    return met.of_subjects(free)


def _grades(
    output: Output,
    builder: ResultsBuilder,
    everything: ResultPlace,
    scheme: Scheme,
    after: Selection,
    assessed: int,
) -> None:
    """Subjects by the worst grade after baseline."""
    if not scheme.grade:
        return
    worst = after.present(scheme.grade).by_subject(scheme.grade, "max")
    for grade in scheme.grades or {}:
        source = after.of_subjects(sorted(worst[worst == grade].index))
        place = replace(everything, analysis=f"{scheme.id}_grade", level=f"Worst grade {grade}")
        builder.add_proportion(output, place, source.subject_count, assessed, source, METHOD + " by their worst grade")


def _lowest(output: Output, builder: ResultsBuilder, group: Group, lowest: Selection, keys: Keys, name: str) -> None:
    """The lowest values after baseline, from the dataset's own records of them (one a subject)."""
    place = ResultPlace("lowest", group.label, name, LOWEST)
    builder.add_description(output, place, describe(lowest.by_subject(name, "min")), keys.decimals, lowest)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A block a scheme, then the lowest value."""
    keys, rows = output.keys_of(Keys), list[Row]()
    for group in results.groups():
        if len(results.groups()) > 1:
            rows.append(Row(f"{group} (N={results.text(POPULATION, '', group, 'N')})", heading=True))
        for number, scheme in enumerate(keys.schemes, start=1):
            rows.extend(_block(bool(keys.day), results.line(f"scheme {number}"), scheme, group))
    heads = [TableColumn("n (%)"), TableColumn("Assessed"), TableColumn("95% CI (%)")]
    if keys.day:
        heads += [
            TableColumn("First day, median (min, max)"),
            TableColumn("Days of the first episode, median (95% CI)"),
        ]
    tables = [OutputTable("", tuple(heads), tuple(rows))]
    if keys.lowest:
        tables.append(_lowest_table(keys.lowest.variable, results))
    return OutputLayout(tables)


def _block(timed: bool, results: LineResults, scheme: Scheme, group: str) -> list[Row]:
    name, rows = scheme.id, [Row(scheme.label, heading=True)]
    for level in (BEFORE, ANY, EMERGENT):
        times = (_first_day(results, name, group), results.bounded(name, LASTED, group)) if level == ANY else ("", "")
        cells = (*_counted(results, name, level, group), results.interval(name, level, group))
        rows.append(Row(level, (*cells, *times) if timed else cells, 1))
    for grade, label in (scheme.grades or {}).items():
        empty = ("", "", "") if timed else ("",)
        rows.append(Row(label, (*_counted(results, name, f"Worst grade {grade}", group), *empty), 1))
    return rows


def _counted(results: LineResults, name: str, level: str, group: str) -> tuple[str, str]:
    row = results.row(name, level, group, "count")
    return results.count(name, level, group) or "0", printed(row, "n")


def _first_day(results: LineResults, name: str, group: str) -> str:
    median, low, high = (results.text(name, FIRST, group, one) for one in ("median", "min", "max"))
    return ResultText.of(f"{median} ({low}, {high})", median, low, high)


def _lowest_table(name: str, results: ResultsIndex) -> OutputTable:
    rows = tuple(
        Row(group, tuple(results.cell(name, LOWEST, group, statistics.split()) for _, statistics in CELLS))
        for group in results.groups()
    )
    return OutputTable(
        "", tuple(TableColumn(label) for label, _ in CELLS), rows, "Lowest value after baseline of each patient"
    )
