"""Columns that remember from which stored values they were made, and what could not be represented."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

NUMBER = r"[+-]?\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Read:
    """One field read for each row of a column: its row in the records (-1: none) and whether anything stands there.

    ``ticked`` is True where a checkbox has a tick: an unticked box is exported as 0, but it is no stored value.
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
class Problem:
    """Rows of a column whose values in ``fields`` cannot be represented, so that the result is null."""

    rows: np.ndarray
    fields: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Column:
    """Values (``str`` series, blank is ``""``; or float64 array), the fields they came from and what was wrong."""

    data: pd.Series | np.ndarray
    reads: tuple[Read, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def is_number(self) -> bool:
        """True for a numeric column."""
        return isinstance(self.data, np.ndarray)

    def present(self) -> np.ndarray:
        """Return True where there is a value."""
        if isinstance(self.data, np.ndarray):
            return ~np.isnan(self.data)
        return (self.data != "").to_numpy(bool)

    def take(self, at: np.ndarray) -> Column:
        """Return the rows at positions ``at``."""
        values = self.data[at] if isinstance(self.data, np.ndarray) else self.data.take(at)
        problems = tuple(Problem(problem.rows[at], problem.fields, problem.reason) for problem in self.problems)
        return Column(values, tuple(read.take(at) for read in self.reads), problems)

    def only(self, at: np.ndarray) -> Column:
        """Return the column blanked outside ``at``; what was read there is not counted as used."""
        values = np.where(at, self.data, np.nan) if self.is_number else self.data.where(at, "")  # type: ignore[union-attr]
        reads = tuple(Read(read.field, read.rows, read.held & at, read.ticked) for read in self.reads)
        problems = tuple(Problem(problem.rows & at, problem.fields, problem.reason) for problem in self.problems)
        return Column(values, reads, problems)


def constant(value: str, count: int) -> pd.Series:
    """Return a text series of one value."""
    return pd.Series([value], dtype="str").take(np.zeros(count, np.intp)).reset_index(drop=True)


def text(values: Iterable[object]) -> pd.Series:
    """Return a text series."""
    return pd.Series(list(values), dtype="str")


def numbers(values: pd.Series, comma: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return plain decimal texts as float64 (NaN otherwise), and True where a text that is not blank is no number."""
    plain = values.str.replace(",", ".", regex=False) if comma else values
    fits = plain.str.fullmatch(NUMBER).to_numpy(bool)
    made = pd.to_numeric(plain.where(fits, "nan"), errors="coerce").to_numpy(float)
    return made, ~fits & (values != "").to_numpy(bool)


def categorical(values: pd.Series) -> pd.Categorical:
    """Return texts as codes into their sorted distinct values."""
    return pd.Categorical(values)


def stack(pieces: list[pd.Categorical]) -> pd.Categorical:
    """Return all pieces one below the other, over the sorted union of their values."""
    if len(pieces) == 1:
        return pieces[0]
    distinct = [list(piece.categories) for piece in pieces]
    union = sorted({value for values in distinct for value in values})
    place = {value: number for number, value in enumerate(union)}
    kind = np.int16 if len(union) < 2**15 else np.int32
    codes = [
        np.array([place[value] for value in values], kind)[piece.codes]
        for piece, values in zip(pieces, distinct, strict=True)
        if len(piece)
    ]
    joined = np.concatenate(codes) if codes else np.empty(0, kind)
    return pd.Categorical.from_codes(joined, pd.Index(union, dtype="str"))


def blank(count: int) -> pd.Categorical:
    """Return ``count`` empty texts."""
    return pd.Categorical.from_codes(np.zeros(count, np.int8), pd.Index([""], dtype="str"))


def filled(values: pd.Categorical) -> np.ndarray:
    """Return True where a text is not blank."""
    return np.asarray(values.categories != "")[values.codes]


def translate(values: pd.Categorical, made: Iterable[str]) -> pd.Categorical:
    """Return the texts with each distinct value replaced by the one in ``made`` at its place."""
    unique, places = np.unique(np.array([*made, ""], dtype=object).astype(str), return_inverse=True)
    return pd.Categorical.from_codes(places[values.codes], pd.Index(unique, dtype="str"))
