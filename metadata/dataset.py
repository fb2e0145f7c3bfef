"""A dataset is a frame with its metadata and the edges that lead each row back to its sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from metadata.coded_text import CodedText
from metadata.errors import StudyError
from metadata.frame_columns import FrameColumns
from metadata.schema_errors import no_variable
from metadata.variable_kind import kind_of

if TYPE_CHECKING:
    import pandas as pd

ANALYSIS_CLASSES = (
    "SUBJECT LEVEL ANALYSIS DATASET",
    "BASIC DATA STRUCTURE",
    "OCCURRENCE DATA STRUCTURE",
    "ADAM OTHER",
)


@dataclass(frozen=True)
class Variable:
    """One variable of a dataset, written once for schema, XPT header, define.xml and lineage.

    ``length`` counts bytes and stays ``None`` until it is resolved over all datasets that share the variable.
    ``codelist`` names codelists of the terminology, separated by ``;``; ``dictionary`` a dictionary that is published
    elsewhere (ISO 3166-1 Alpha-3). ``terms`` are the values that a study's own list offers, each with what it means.
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
    dictionary: str = ""
    terms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Value:
    """What holds of a variable in some records only: the value level of Define-XML.

    ``where`` holds variables of the dataset and the value that each has in these records; several values of one
    variable's list never speak of the same record. The rest is as in ``Variable``.
    """

    variable: str
    where: tuple[tuple[str, str], ...]
    label: str = ""
    origin: str = ""
    method: str = ""
    terms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DatasetMetadata:
    """Name, label (at most 40 bytes), class, structure sentence, sort keys and variables of a dataset, in order.

    ``values`` says what differs between the records of one variable: by test, parameter or supplemental qualifier.
    ``subclass`` narrows the class of an analysis dataset, as Define-XML names it (ADVERSE EVENT).
    ``unused`` are variables of the guide that the dataset lacks because nobody has a value of them: what speaks of one
    (a condition, a listing) finds it missing in every record.
    """

    name: str
    label: str
    dataset_class: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]
    values: tuple[Value, ...] = ()
    subclass: str = ""
    unused: tuple[Variable, ...] = ()

    @property
    def is_analysis(self) -> bool:
        """True for an analysis dataset (ADaM)."""
        return self.dataset_class in ANALYSIS_CLASSES

    @cached_property
    def names(self) -> list[str]:
        """Variable names in the order of the dataset."""
        return [variable.name for variable in self.variables]

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Kind of each variable (see ``variable_kind``), as a condition is checked against them."""
        return {one.name: kind_of(one.type, one.format) for one in (*self.variables, *self.unused)}

    @property
    def never_null(self) -> list[str]:
        """Variables that may not be null: Required ones, of an analysis dataset only those that are keys.

        In ADaM, Required says that the variable is present; null values are allowed (ADaMIG 1.3, section 3).
        """
        names = [variable.name for variable in self.variables if variable.core == "Req"]
        return [name for name in names if name in self.keys] if self.is_analysis else names

    def variable(self, name: str) -> Variable:
        """Return the variable called ``name``, used or not; raises StudyError with the nearest name otherwise."""
        for variable in (*self.variables, *self.unused):
            if variable.name == name:
                return variable
        raise StudyError(no_variable(self.name, name, self.names))

    def with_variables(self, variables: tuple[Variable, ...]) -> DatasetMetadata:
        """Return the same dataset described by other variables."""
        return replace(self, variables=variables)


class Edges(NamedTuple):
    """Edges of one pair of variables: ``row`` of a dataset and ``source_row`` of one source, of equal length.

    ``"*"`` as a variable means the whole record.
    """

    row: np.ndarray
    variable: str
    source: str
    source_row: np.ndarray
    source_variable: str


def no_edges() -> pd.DataFrame:
    """Return an empty frame of lineage edges."""
    return join_edges([])


def join_edges(parts: Sequence[Edges]) -> pd.DataFrame:
    """Return all edges of ``parts`` in one frame: int32 positions, names as categories in alphabetical order."""
    import pandas as pd

    counts = [len(part.row) for part in parts]
    empty = [np.empty(0, np.int32)]
    return pd.DataFrame(
        {
            "row": np.concatenate([np.asarray(part.row, np.int32) for part in parts] or empty),
            "variable": _repeated([part.variable for part in parts], counts),
            "source": _repeated([part.source for part in parts], counts),
            "source_row": np.concatenate([np.asarray(part.source_row, np.int32) for part in parts] or empty),
            "source_variable": _repeated([part.source_variable for part in parts], counts),
        }
    )


def _repeated(names: list[str], counts: list[int]) -> pd.Categorical:
    """Return each name as often as its count says, as a categorical whose categories are sorted."""
    import pandas as pd

    used = sorted({name for name, count in zip(names, counts, strict=True) if count})
    place = {name: code for code, name in enumerate(used)}
    codes = np.array([place.get(name, 0) for name in names], np.int16)
    return pd.Categorical.from_codes(np.repeat(codes, counts), dtype=_names(tuple(used)), validate=False)


@lru_cache(maxsize=1024)
def _names(used: tuple[str, ...]) -> pd.CategoricalDtype:
    """Return the type of a column of names; lineage has few of them, and thousands of columns."""
    import pandas as pd

    return pd.CategoricalDtype(pd.Index(used, dtype="str"))


@dataclass(frozen=True)
class Dataset:
    """Metadata, frame and lineage of one SDTM or ADaM dataset.

    The frame's columns are the metadata's variables in order. Char columns are ``str`` or categorical and hold ``""``
    where nothing was collected, never NaN; Num columns are float64 with NaN. ADaM dates are Num, in days since
    1960-01-01. ``lineage`` has one row an edge: row and source_row are positions in this frame and in the source's.
    A frame is never changed in place: what was read of it is kept.
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
        made = replace(self, metadata=metadata)
        made.__dict__["columns"] = self.columns
        return made

    @cached_property
    def columns(self) -> FrameColumns:
        """The frame's columns, each read once for all stages."""
        return FrameColumns(self.frame, self.metadata.kinds, (one.name for one in self.metadata.unused))

    def __getstate__(self) -> dict[str, object]:
        """What was read of the frame is read again in another process."""
        return {name: value for name, value in self.__dict__.items() if name != "columns"}

    def coded(self, name: str) -> CodedText:
        """Return a variable as codes into its distinct texts; numbers as their shortest texts."""
        return self.columns.coded(name)
