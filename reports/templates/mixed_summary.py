"""Template ``mixed_summary``: subject characteristics, numbers described and categories counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from metadata.condition import Condition
from metadata.declaration import Place
from metadata.declaration_limits import Text
from reports.layout.table import OutputLayout, OutputTable, Row
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.index import ResultsIndex
from reports.results.selection import Selection
from reports.results.specification import SUBJECT_LEVEL, Decimals, Labels, Output, OutputKeys, TextsOf, Variable
from reports.statistics.descriptive import describe
from reports.template_parts.descriptive_cells import Shown, cells
from reports.template_parts.treatment_heads import add_size, columns


@dataclass(frozen=True)
class SummaryVariable:
    """A characteristic: values that have ``labels`` are counted, numbers described; or a heading."""

    heading: Text = ""
    variable: Variable = ""
    label: Text = ""
    dataset: Text = ""
    where: Condition | None = None
    decimals: Decimals = 0
    labels: Labels | None = None
    every_record: bool = False
    show: list[Shown] | None = None
    node: Place = field(default=None, compare=False, repr=False)

    any_of: ClassVar[tuple[tuple[str, ...], ...]] = (("heading",), ("label", "variable"), ("label", "where"))

    def described(self) -> Iterable[str]:
        """A variable without ``labels`` is described by its mean."""
        return ["variable"] if self.variable and self.labels is None else []

    def texts_of(self) -> TextsOf:
        """The values that are counted."""
        return [("labels", self.variable, self.labels)]


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Characteristics of subjects, one beneath the other."""

    variables: list[SummaryVariable]
    dataset: Text = ""
    where: Condition | None = None

    def datasets_looked_at(self, own: str) -> Iterable[str]:
        """Those of the characteristics."""
        return dict.fromkeys(item.dataset or own for item in self.variables if item.label)


MISSING = "Missing"
COUNTED = "USUBJID"
METHOD = "Number of patients"


@dataclass(frozen=True)
class SummaryItem:
    """One characteristic under a heading, by its place among the declared ``variables``."""

    number: int
    keys: SummaryVariable
    heading: str

    @property
    def line(self) -> str:
        """What the results call it, so that several of one variable or one label stay apart."""
        return f"variable {self.number}"

    @property
    def variable(self) -> str:
        """What is described or counted; without a variable the subjects that have such a record."""
        return self.keys.variable or COUNTED

    @property
    def subset(self) -> str:
        return "; ".join(filter(None, (self.heading, self.keys.label))) if self.keys.where is not None else ""

    def place(self, group: str, level: str = "") -> ResultPlace:
        analysis = "_".join(filter(None, (self.subset, self.variable)))
        return ResultPlace(analysis, group, self.variable, level, self.subset, line=self.line)


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Describe each variable in each treatment column; one with ``labels`` is counted, another one described."""
    for group in analysis.groups(output):
        size = add_size(analysis, output, group, builder)
        for item in _items(output.keys_of(Keys)):
            rows = _rows(analysis, output, group, item)
            if not item.keys.variable:
                builder.add_proportion(output, item.place(group.label), rows.subject_count, size, rows, METHOD)
            elif item.keys.labels is not None:
                _count(output, builder, item, item.keys.labels, group, rows, size)
            else:
                present = rows.present(item.variable)
                if not item.keys.every_record:
                    present.check_once(unless="every_record")
                numbers, place, decimals = present.column(item.variable), item.place(group.label), item.keys.decimals
                builder.add_description(output, place, describe(numbers), decimals, present)
                if "geometric_mean" in (item.keys.show or ()):
                    builder.add_geometric(output, place, numbers.tolist(), decimals, present)


def _items(keys: Keys) -> Iterator[SummaryItem]:
    heading = ""
    for number, variable in enumerate(keys.variables, start=1):
        heading = variable.heading or heading
        if variable.label:
            yield SummaryItem(number, variable, heading)


def _rows(analysis: AnalysisData, output: Output, group: Group, item: SummaryItem) -> Selection:
    """The item's own dataset and records, or those of the output."""
    keys, own = output.keys_of(Keys), item.keys
    rows = analysis.select(output, own.dataset or keys.dataset or SUBJECT_LEVEL, group, own.node)
    return rows.where(keys.where).where(own.where)


def _count(
    output: Output, builder: ResultsBuilder, item: SummaryItem, labels: Labels, group: Group, rows: Selection, size: int
) -> None:
    """Count the values that have labels, then any other that the data hold, then who has none."""
    present = rows.present(item.variable)
    declared = list(labels)
    others = sorted(str(value) for value in set(present.column(item.variable)) - set(declared))
    for level in [*declared, *others]:
        chosen = present.equal(item.variable, level)
        builder.add_proportion(output, item.place(group.label, level), chosen.subject_count, size, chosen, METHOD)
    missing = size - present.subject_count
    if missing:
        without, method = rows.missing(item.variable), "Patients of the population without a value"
        builder.add_proportion(output, item.place(group.label, MISSING), missing, size, without, method)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A heading a variable, with its statistics or its levels beneath; what is only counted takes one line."""
    rows: list[Row] = []
    heading = ""
    for item in _items(output.keys_of(Keys)):
        rows += [Row(item.heading, heading=True)] if item.heading != heading else []
        heading, indent, label = item.heading, int(bool(item.heading)), item.keys.label
        if not item.keys.variable:
            rows.append(Row(f"{label}, n (%)", _counts(results, item, ""), indent))
            continue
        rows.append(Row(label, heading=True, indent=indent))
        if item.keys.labels is not None:
            rows += _levels(item, item.keys.labels, results, indent + 1)
        else:
            rows += _numbers(item, results, indent + 1)
    return OutputLayout([OutputTable("", columns(results), tuple(rows))])


def _numbers(item: SummaryItem, results: ResultsIndex, indent: int) -> list[Row]:
    return [
        Row(label, tuple(results.line(item.line).cell(item.variable, "", group, statistics.split(), item.subset)
                         for group in results.groups()), indent)
        for label, statistics in cells(item.keys.show)
    ]  # fmt: skip


def _levels(item: SummaryItem, labels: Labels, results: ResultsIndex, indent: int) -> list[Row]:
    """Declared levels, others, and missing ones last; those that the results of any treatment have."""
    ordered = sorted(results.line(item.line).levels(item.variable, "count"), key=lambda level: level == MISSING)
    return [Row(labels.get(level, level), _counts(results, item, level), indent) for level in ordered]


def _counts(results: ResultsIndex, item: SummaryItem, level: str) -> tuple[str, ...]:
    own = results.line(item.line)
    return tuple(own.count(item.variable, level, group, item.subset) or "0" for group in results.groups())
