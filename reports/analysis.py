"""The data that outputs are computed from: frames of the package, populations and treatment columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from metadata.dataset import Dataset
from metadata.errors import nearest
from metadata.yaml_source import complain
from reports.selection import Selection
from reports.specification import Output, Specification

SUBJECT_LEVEL = "ADSL"


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


class Frames(Mapping[str, "pd.DataFrame"]):  # in quotes: pandas is loaded when it is first used
    """Frames by dataset name, each made plain when it is first asked for: most of a package's are never."""

    def __init__(self, datasets: Mapping[str, Dataset]) -> None:
        self._datasets = datasets
        self._plain: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._plain:
            self._plain[name] = _plain(self._datasets[name].frame)
        return self._plain[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __len__(self) -> int:
        return len(self._datasets)


@dataclass(frozen=True)
class Analysis:
    """Frames by dataset name, and how populations and groups select from them."""

    specification: Specification
    frames: Mapping[str, pd.DataFrame]
    _selected: dict[tuple[str, str, Group], Selection] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, specification: Specification, datasets: Mapping[str, Dataset]) -> Analysis:
        """Take the frames of the datasets; categories become plain text, so that filters compare."""
        return cls(specification, Frames(datasets))

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
        if dataset not in self.frames:
            raise complain(asked, "dataset", f"there is no dataset '{dataset}'{nearest(dataset, self.frames)}")
        flag = str(self.specification.population(population or output.population, asked)["flag"])
        key = (dataset, flag, group)
        if key not in self._selected:
            self._selected[key] = self._select(dataset, flag, group)
        return self._selected[key]

    def _select(self, dataset: str, flag: str, group: Group) -> Selection:
        chosen, subjects = Selection(dataset, self.frames[dataset]), self._flagged(flag)
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
        return self._flagged(str(self.specification.population(name, asked_by)["flag"]))

    def _flagged(self, flag: str) -> Selection:
        return Selection(SUBJECT_LEVEL, self.frames[SUBJECT_LEVEL]).equal(flag, "Y")


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts as plain text, a missing one empty, as readers of other files do not leave it."""
    texts = {str(name): frame[name] for name in frame if _is_text(frame[name])}
    plain = {name: _text(column) for name, column in texts.items()}
    return frame.assign(**{name: column for name, column in plain.items() if column is not texts[name]})


def _is_text(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype) or column.dtype == object


def _text(column: pd.Series) -> pd.Series:
    """A category's text is made once, not once a row."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        texts = column.cat.categories.astype("str").array.take(column.cat.codes.to_numpy(), allow_fill=True)
        column = pd.Series(texts, index=column.index)
    return column.fillna("") if column.hasnans else column


def decimals_of(node: Mapping[str, Any]) -> int:
    """The recorded precision that an output declares, in decimals."""
    return int(node.get("decimals", 0))
