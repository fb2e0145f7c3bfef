"""Columns that remember from which stored values they were made, and what could not be represented."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from metadata.coded_text import CodedText


@dataclass(frozen=True)
class Read:
    """One field read for each row of a column: its row in the records (-1: none) and whether it holds a value.

    ``ticked`` is True where a checkbox has a tick: an unticked box is exported as 0, but it is not a stored value.
    """

    field: str
    rows: np.ndarray
    held: np.ndarray
    ticked: np.ndarray | None = None

    @property
    def stored(self) -> np.ndarray:
        """True where a value is stored that must be accounted for."""
        return (self.held if self.ticked is None else self.ticked) & (self.rows >= 0)

    def take(self, at: np.ndarray) -> Read:
        """Return the same field for other rows."""
        return Read(self.field, self.rows[at], self.held[at], None if self.ticked is None else self.ticked[at])


@dataclass(frozen=True)
class UnrepresentedValues:
    """Rows of a column whose values in ``fields`` cannot be represented, so that the result is null.

    ``elsewhere``: the values are in another variable as they were collected, and are asked about all the same.
    """

    rows: np.ndarray
    fields: tuple[str, ...]
    reason: str
    elsewhere: bool = False


@dataclass(frozen=True)
class Column:
    """Texts or numbers (float64), the fields they came from and what was wrong."""

    data: CodedText | np.ndarray
    reads: tuple[Read, ...] = ()
    problems: tuple[UnrepresentedValues, ...] = ()

    @property
    def text(self) -> CodedText:
        """The texts of a text column."""
        assert isinstance(self.data, CodedText)
        return self.data

    def present(self) -> np.ndarray:
        """Return True where there is a value."""
        return self.data.present() if isinstance(self.data, CodedText) else ~np.isnan(self.data)

    def take(self, at: np.ndarray) -> Column:
        """Return the rows at positions ``at``."""
        data = self.data.take(at) if isinstance(self.data, CodedText) else self.data[at]
        problems = tuple(replace(problem, rows=problem.rows[at]) for problem in self.problems)
        return Column(data, tuple(read.take(at) for read in self.reads), problems)

    def only(self, at: np.ndarray) -> Column:
        """Return the column blanked outside ``at``; what was read there is not counted as used."""
        data = self.data.where(at) if isinstance(self.data, CodedText) else np.where(at, self.data, np.nan)
        reads = tuple(Read(read.field, read.rows, read.held & at, read.ticked) for read in self.reads)
        problems = tuple(replace(problem, rows=problem.rows & at) for problem in self.problems)
        return Column(data, reads, problems)

    def with_data(self, data: CodedText | np.ndarray) -> Column:
        """Return other values with the same lineage and problems."""
        return Column(data, self.reads, self.problems)


def first_present(one: CodedText | np.ndarray, other: CodedText | np.ndarray) -> CodedText | np.ndarray:
    """Return ``one`` where it has a value, else ``other``."""
    here = Column(one).present()
    if isinstance(one, CodedText) and isinstance(other, CodedText):
        return one.where(here, other)
    return np.where(here, one, other)  # type: ignore[arg-type]
