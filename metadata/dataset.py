"""A dataset is a frame with its metadata and the edges that lead each row back to its sources."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from metadata.errors import StudyError, nearest

EDGE_COLUMNS = ("row", "variable", "source", "source_row", "source_variable")


@dataclass(frozen=True)
class Variable:
    """One variable of a dataset, written once for schema, XPT header, define.xml and lineage.

    ``length`` counts bytes and stays ``None`` until it is resolved over all datasets that share the variable.
    """

    name: str
    label: str
    type: Literal["Char", "Num"]
    length: int | None = None
    core: str = ""
    role: str = ""
    codelist: str | None = None
    format: str | None = None
    origin: str = ""
    method: str = ""
    significant_digits: int | None = None


@dataclass(frozen=True)
class DatasetMetadata:
    """Name, label (at most 40 bytes), class, structure sentence, sort keys and variables of a dataset, in order."""

    name: str
    label: str
    dataset_class: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]

    @cached_property
    def names(self) -> list[str]:
        """Variable names in the order of the dataset."""
        return [variable.name for variable in self.variables]

    def variable(self, name: str) -> Variable:
        """Return the variable called ``name``; raises StudyError with the nearest name otherwise."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise StudyError(f"{self.name} has no variable {name}{nearest(name, self.names)}")

    def with_variables(self, variables: tuple[Variable, ...]) -> DatasetMetadata:
        """Return the same dataset described by other variables."""
        return replace(self, variables=variables)


def no_edges() -> pd.DataFrame:
    """Return an empty frame of lineage edges."""
    return edges(np.empty(0, np.int32), "*", "REDCAP", np.empty(0, np.int32), "*")


def edges(row: np.ndarray, variable: str, source: str, source_row: np.ndarray, source_variable: str) -> pd.DataFrame:
    """Return lineage edges from rows of a dataset to rows of one source, for one pair of variables.

    ``row`` and ``source_row`` are positions of equal shape; ``"*"`` stands for the whole record.
    """
    count = len(row)
    same = np.zeros(count, np.int8)
    return pd.DataFrame(
        {
            "row": np.asarray(row, np.int32),
            "variable": pd.Categorical.from_codes(same, pd.Index([variable])),
            "source": pd.Categorical.from_codes(same, pd.Index([source])),
            "source_row": np.asarray(source_row, np.int32),
            "source_variable": pd.Categorical.from_codes(same, pd.Index([source_variable])),
        }
    )


def join_edges(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return all edges of ``parts`` in one frame whose text columns stay categorical."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return no_edges()
    joined: dict[str, object] = {}
    for column in EDGE_COLUMNS:
        pieces = [part[column] for part in parts]
        if isinstance(pieces[0].dtype, pd.CategoricalDtype):
            joined[column] = pd.api.types.union_categoricals(pieces, sort_categories=True)
        else:
            joined[column] = np.concatenate([piece.to_numpy() for piece in pieces])
    return pd.DataFrame(joined)


@dataclass(frozen=True)
class Dataset:
    """Metadata, frame and lineage of one SDTM or ADaM dataset.

    The frame's columns are the metadata's variables in order. Char columns are ``str`` or categorical and hold ``""``
    where nothing was collected, never NaN; Num columns are float64 with NaN. ADaM dates are Num, in days since
    1960-01-01. ``lineage`` has one row an edge: row and source_row are positions in this frame and in the source's.
    """

    metadata: DatasetMetadata
    frame: pd.DataFrame
    lineage: pd.DataFrame = field(default_factory=no_edges)

    @property
    def name(self) -> str:
        """Name of the dataset, in upper case."""
        return self.metadata.name

    def with_metadata(self, metadata: DatasetMetadata) -> Dataset:
        """Return the same rows under other metadata."""
        return replace(self, metadata=metadata)
