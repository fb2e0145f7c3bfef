"""The data that outputs are computed from: datasets of the package, populations and treatment columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metadata.dataset import Dataset
from metadata.schema_errors import unknown_dataset
from reports.results.selection import Selection
from reports.results.specification import SUBJECT_LEVEL, Output, ReportSpecification


@dataclass(frozen=True)
class Group:
    """One treatment column; without a variable it holds everybody. ``value`` is the variable's if the label is not."""

    label: str
    variable: str = ""
    value: str = ""

    @property
    def wanted(self) -> str:
        """The value of the variable that subjects of this column have."""
        return self.value or self.label


@dataclass(frozen=True)
class AnalysisData:
    """Datasets by name, and how populations and groups select from them."""

    specification: ReportSpecification
    datasets: Mapping[str, Dataset]
    _selected: dict[tuple[str, str, Group], Selection] = field(default_factory=dict, compare=False)

    def everything(self, dataset: str) -> Selection:
        """All rows of a dataset."""
        return Selection(dataset, self.datasets[dataset].columns)

    def groups(self, output: Output) -> list[Group]:
        """Treatment columns of an output: each treatment in the population and, if there are several, all together."""
        by = self.specification.by(output)
        everybody = Group(self.specification.total)
        if not by:
            return [everybody]
        labels = self.specification.column_labels(output)
        values = self._treatments(self._population(output.population, output.node).present(by), by, labels)
        single = [Group(labels.get(values[0], values[0]))] if len(values) == 1 else [everybody]
        return [Group(labels.get(value, value), by, value) for value in values] + single if len(values) > 1 else single

    def select(
        self, output: Output, dataset: str, group: Group, node: Mapping[str, Any] | None = None, population: str = ""
    ) -> Selection:
        """Rows of ``dataset`` of one population and treatment; ``node`` is where a wrong name is reported."""
        asked = output.node if node is None else node
        if dataset not in self.datasets:
            raise unknown_dataset(asked, "dataset", dataset, self.datasets)
        flag = self.specification.population(population or output.population, asked).flag
        key = (dataset, flag, group)
        if key not in self._selected:
            self._selected[key] = self._select(dataset, flag, group)
        return self._selected[key]

    def _select(self, dataset: str, flag: str, group: Group) -> Selection:
        chosen, subjects = self.everything(dataset), self._flagged(flag)
        chosen = chosen.equal(flag, "Y") if chosen.has(flag) else chosen.of_subjects(subjects.subjects)
        if not group.variable:
            return chosen
        if chosen.has(group.variable):
            return chosen.equal(group.variable, group.wanted)
        return chosen.of_subjects(subjects.equal(group.variable, group.wanted).subjects)

    def size(self, output: Output, group: Group, population: str = "") -> int:
        """Number of subjects of the population in a treatment column."""
        return len(self.select(output, SUBJECT_LEVEL, group, population=population).subjects)

    @staticmethod
    def _treatments(subjects: Selection, by: str, labels: Mapping[str, str]) -> list[str]:
        """Treatments in the order of their labels, else of their numbers (TRT01AN for TRT01A), else of their names."""
        order = [f"{by}N", by] if subjects.has(f"{by}N") else [by]
        found = list(subjects.table(*order).sort_values(order)[by].unique())
        return [value for value in labels if value in found] + [value for value in found if value not in labels]

    def _population(self, name: str, asked_by: Mapping[str, Any]) -> Selection:
        return self._flagged(self.specification.population(name, asked_by).flag)

    def _flagged(self, flag: str) -> Selection:
        return self.everything(SUBJECT_LEVEL).equal(flag, "Y")


def decimals_of(node: Mapping[str, Any]) -> int:
    """The recorded precision that an output declares, in decimals."""
    return int(node.get("decimals", 0))
