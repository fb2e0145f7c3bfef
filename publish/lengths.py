"""Lengths of character variables: as long as the longest value used, and no longer.

Source: FDA Study Data Technical Conformance Guide, section 3.3.3: the length of a variable is the longest value over
all datasets of the study that have it; supplemental qualifier datasets are exempt, each takes its own values' length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from metadata.dataset import Dataset, Variable

SUPPLEMENTAL = ("SUPP", "SQ")


def resolve(datasets: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Return the same datasets with a length in every variable: 8 for numbers, bytes used for texts, at least 1.

    Give SDTM and analysis datasets together: a variable takes one length over both. A declared length is kept, and the
    others of the same name are at least as long. The parts of a split dataset share names, so their lengths are equal;
    supplemental datasets are exempt, but the parts of a split one share theirs too.
    """
    longest: dict[tuple[str, str], int] = {}
    for dataset in datasets.values():
        for variable in _texts(dataset):
            key = _shared_by(dataset.name, variable.name)
            used = variable.length or max(len(text.encode()) for text in dataset.coded(variable.name).texts)
            longest[key] = max(longest.get(key, 1), used)
    return {name: _with_lengths(dataset, longest) for name, dataset in datasets.items()}


def _texts(dataset: Dataset) -> Iterable[Variable]:
    return (variable for variable in dataset.metadata.variables if variable.type == "Char")


def _shared_by(dataset: str, variable: str) -> tuple[str, str]:
    """Return what shares a length: a variable's name, within SUPP-- together with the parent domain."""
    for prefix in SUPPLEMENTAL:
        if dataset.startswith(prefix):
            return dataset[: len(prefix) + 2], variable
    return "", variable


def _with_lengths(dataset: Dataset, longest: dict[tuple[str, str], int]) -> Dataset:
    variables = tuple(
        replace(variable, length=_length(dataset.name, variable, longest)) for variable in dataset.metadata.variables
    )
    return dataset.with_metadata(dataset.metadata.with_variables(variables))


def _length(dataset: str, variable: Variable, longest: dict[tuple[str, str], int]) -> int:
    if variable.type == "Num":
        return variable.length or 8
    return variable.length or longest[_shared_by(dataset, variable.name)]
