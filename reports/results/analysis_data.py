"""The data that outputs are computed from: datasets of the package, populations and treatment columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.schema_errors import unknown_dataset
from metadata.yaml_source import complain
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import SUBJECT_LEVEL, Output, ReportSpecification

# Planned and actual treatments as ADaMIG names them.
ARM_VARIABLE = re.compile(r"TRT(\d\d)?[AP]")


@dataclass(frozen=True)
class Group:
    """One treatment column: the subjects who have a value of a variable; without a variable it holds everybody.

    ``value`` is empty for the subjects who have none.
    """

    label: str
    variable: str = ""
    value: str = ""

    @property
    def is_arm(self) -> bool:
        """Whether its subjects share a treatment, so that it can be compared."""
        return bool(self.value)


@dataclass(frozen=True)
class AnalysisData:
    """Datasets by name, and how populations and groups select from them."""

    specification: ReportSpecification
    datasets: Mapping[str, Dataset]
    _selected: dict[tuple[str, str, Group], Selection] = field(default_factory=dict, compare=False)
    _agreed: set[tuple[str, str]] = field(default_factory=set, compare=False)

    def everything(self, dataset: str) -> Selection:
        """All rows of a dataset."""
        return Selection(dataset, self.datasets[dataset].columns)

    def groups(self, output: Output) -> list[Group]:
        """Treatment columns of an output: each treatment, subjects without one, and all together if there are several.

        A treatment that nobody of the population has keeps its column if the study declares it: as an arm, by a label,
        or as the reference. An output that labels several treatments, and not those without one, leaves them to the
        column of all.
        """
        by = self.specification.by(output)
        everybody = Group(self.specification.total)
        if not by:
            return [everybody]
        labels = self.specification.column_labels(output)
        population = self._population(output.population, output.node)
        values = self._treatments(population, by, output)
        if not values:
            return [everybody]
        if population.missing(by).size and ("" in labels or not labels or len(values) == 1):
            values.append("")
        columns = [Group(labels.get(value, value or self.specification.untreated(by)), by, value) for value in values]
        return columns if len(columns) == 1 else [*columns, everybody]

    def reference(self, output: Output, name: str, groups: list[Group]) -> tuple[Group, list[Group]]:
        """The treatment that the output names as its ``reference``, and those compared with it.

        Raises StudyError if there is no treatment of that name.
        """
        arms = {group.label: group for group in groups if group.is_arm}
        if name not in arms:
            known = f"treatments here are {', '.join(arms) or 'none'}"
            raise complain(output.node, "reference", f"there is no treatment '{name}'; {known}")
        return arms[name], [arm for label, arm in arms.items() if label != name]

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
        for variable in filter(None, (flag, group.variable)):
            self._check_agrees(dataset, variable)
        chosen = chosen.equal(flag, "Y") if chosen.has(flag) else chosen.of_subjects(subjects.subjects)
        if not group.variable:
            return chosen
        if chosen.has(group.variable):
            return chosen.equal(group.variable, group.value)
        return chosen.of_subjects(subjects.equal(group.variable, group.value).subjects)

    def _check_agrees(self, dataset: str, variable: str) -> None:
        """Raise StudyError if a dataset says of a subject what ADSL does not, or has a subject that ADSL lacks.

        So nobody is counted in a column whose N is without him. A variable that ADSL does not have is one of records.
        """
        if dataset == SUBJECT_LEVEL or (dataset, variable) in self._agreed:
            return
        self._agreed.add((dataset, variable))
        own, level = self.everything(dataset), self.everything(SUBJECT_LEVEL)
        strangers = sorted(set(own.subjects).difference(level.subjects))
        if strangers:
            raise StudyError(
                f"{dataset}: {strangers[0]} is not in {SUBJECT_LEVEL}, so that no column counts that subject"
            )
        if not (own.has(variable) and level.has(variable)):
            return
        known = level.table(SUBJECT, variable).drop_duplicates(SUBJECT)
        both = own.present(variable).table(SUBJECT, variable).drop_duplicates().merge(known, on=SUBJECT)
        differ = both[both[f"{variable}_x"] != both[f"{variable}_y"]]
        if len(differ):
            subject, mine, theirs = differ.iloc[0][[SUBJECT, f"{variable}_x", f"{variable}_y"]]
            raise StudyError(f"{dataset}: {variable} of {subject} is '{mine}', in {SUBJECT_LEVEL} it is '{theirs}'")

    def size(self, output: Output, group: Group, population: str = "") -> int:
        """Number of subjects of the population in a treatment column."""
        return len(self.select(output, SUBJECT_LEVEL, group, population=population).subjects)

    def _treatments(self, population: Selection, by: str, output: Output) -> list[str]:
        """Treatments in the order of their labels, else of their numbers (TRT01AN for TRT01A), else of their names."""
        everybody = self.everything(SUBJECT_LEVEL).present(by)
        order = [f"{by}N", by] if everybody.has(f"{by}N") else [by]
        known = list(everybody.table(*order).sort_values(order)[by].unique())
        labels, arms = self.specification.column_labels(output), list(self.specification.arms)
        # Only of a variable whose values are the names of the arms are those names treatments.
        declared = arms if set(known) <= set(arms) and (known or ARM_VARIABLE.fullmatch(by)) else []
        there = {*population.present(by).column(by), *declared}
        found = [value for value in [*labels, *known, *declared] if value in there or value in labels]
        found = list(dict.fromkeys(value for value in found if value))
        reference = getattr(output.keys, "reference", "")
        return found or ([_value(labels, reference)] if isinstance(reference, str) and reference else [])

    def _population(self, name: str, asked_by: Mapping[str, Any]) -> Selection:
        return self._flagged(self.specification.population(name, asked_by).flag)

    def _flagged(self, flag: str) -> Selection:
        return self.everything(SUBJECT_LEVEL).equal(flag, "Y")


def _value(labels: Mapping[str, str], label: str) -> str:
    """The value that a label is for; the label itself if it is for none."""
    return next((value for value, text in labels.items() if text == label), label)
