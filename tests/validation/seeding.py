"""Errors put into copies of a study's datasets, so that a test can say which rule must find them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.standards import sdtm_dataset, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from validation.conformance.check import find
from validation.conformance.rule import RULES

Datasets = dict[str, Dataset]


def plain(dataset: Dataset) -> pd.DataFrame:
    """A copy of the frame with texts as texts."""
    frame = dataset.frame.copy()
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype("str")
    return frame


def first(frame: pd.DataFrame, **values: object) -> int:
    """Position of the first row with these values; ``True`` stands for any, ``False`` for none."""
    keep = np.ones(len(frame), bool)
    for name, value in values.items():
        filled = frame[name].notna() & (frame[name] != "")
        keep &= (filled == value if isinstance(value, bool) else frame[name] == value).to_numpy(bool)
    assert keep.any(), f"no row has {values}"
    return int(np.flatnonzero(keep)[0])


def seed(datasets: Mapping[str, Dataset], name: str, variable: str, value: Any, **where: object) -> Datasets:
    """Put ``value``, or what it makes of the old one, into the first row that fits, or the very first."""
    frame = plain(datasets[name])
    row = first(frame, **where) if where else 0
    old = frame[variable].iloc[row]
    frame.loc[row, variable] = value(old) if callable(value) else value
    return {**datasets, name: replace(datasets[name], frame=frame)}


def everywhere(datasets: Mapping[str, Dataset], name: str, variable: str, value: Any) -> Datasets:
    """Put ``value`` into all rows."""
    frame = plain(datasets[name])
    frame[variable] = value
    return {**datasets, name: replace(datasets[name], frame=frame)}


def again(datasets: Mapping[str, Dataset], name: str, **change: object) -> Datasets:
    """Repeat the last row at the end, changed as said."""
    frame = plain(datasets[name])
    frame = pd.concat([frame, frame.iloc[[-1]].assign(**change)], ignore_index=True)
    return {**datasets, name: replace(datasets[name], frame=frame)}


def without(datasets: Mapping[str, Dataset], name: str, **where: object) -> Datasets:
    """Lose the first row that fits."""
    frame = plain(datasets[name])
    frame = frame.drop(index=first(frame, **where)).reset_index(drop=True)
    return {**datasets, name: replace(datasets[name], frame=frame)}


def lacking(datasets: Mapping[str, Dataset], name: str, variable: str) -> Datasets:
    """Lose a variable."""
    dataset = datasets[name]
    kept = tuple(item for item in dataset.metadata.variables if item.name != variable)
    metadata = replace(dataset.metadata, variables=kept)
    return {**datasets, name: Dataset(metadata, dataset.frame.drop(columns=variable), dataset.lineage)}


def described(datasets: Mapping[str, Dataset], name: str, variable: str, **change: object) -> Datasets:
    """Describe a variable otherwise."""
    dataset = datasets[name]
    changed = tuple(
        replace(item, **change) if item.name == variable else item  # type: ignore[arg-type]
        for item in dataset.metadata.variables
    )
    return {**datasets, name: dataset.with_metadata(dataset.metadata.with_variables(changed))}


def made(version: str, name: str, rows: list[dict[str, Any]], keys: tuple[str, ...]) -> Dataset:
    """A dataset of the guide with the variables that the rows have, in the guide's order."""
    guide, about = sdtm_variables(version, name), sdtm_dataset(version, name)
    used = [item for item in guide if any(item.name in row for row in rows)]
    columns = {
        item.name: pd.Series(
            [row.get(item.name, "" if item.type == "Char" else np.nan) for row in rows],
            dtype="str" if item.type == "Char" else "float64",
        )
        for item in used
    }
    variables = tuple(
        Variable(item.name, item.label, "Num" if item.type == "Num" else "Char", 200, item.core, item.role)
        for item in used
    )
    metadata = DatasetMetadata(name, about.label, about.dataset_class, about.structure, keys, variables)
    return Dataset(metadata, pd.DataFrame(columns))


def records_by_place(
    study: Study, datasets: Datasets, terminology: Terminology, rule: str
) -> dict[tuple[str, str], int]:
    """How many records a rule finds in each dataset and variable."""
    found = find(study, datasets, terminology, [RULES[rule]])
    return {(one.dataset, one.variable): one.records for one in found}
