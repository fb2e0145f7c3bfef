"""Columns as derivations see them: Num is float64 with NaN, Char is categorical with "" where there is no value.

Categorical text keeps comparisons, lookups and grouping on small integers, whatever the number of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

Columns = Mapping[str, pd.Series]


class SourceColumns(dict[str, pd.Series]):
    """Columns of a frame, made ready for derivations when they are first asked for; derived ones are added to it."""

    def __init__(self, frame: pd.DataFrame, rows: np.ndarray | None = None) -> None:
        super().__init__()
        self.frame = frame
        self.rows = np.arange(len(frame)) if rows is None else rows

    def __missing__(self, name: str) -> pd.Series:
        self[name] = prepared(self.frame[name].iloc[self.rows])
        return self[name]


def prepared(values: pd.Series) -> pd.Series:
    """Return a column with positions as index: float64, or categorical text with a category for blank."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return pd.Series(values.to_numpy(np.float64))
    if not isinstance(values.dtype, pd.CategoricalDtype):
        codes, unique = pd.factorize(values.astype("str"))
        return coded(codes, [str(word) for word in unique])
    return coded(values.cat.codes.to_numpy(), [str(word) for word in values.cat.categories])


def coded(codes: np.ndarray, words: Sequence[str]) -> pd.Series:
    """Return categorical text from codes into ``words``; a code of -1 and a missing word are blank."""
    unique = list(dict.fromkeys([*words, ""]))
    position = {word: index for index, word in enumerate(unique)}
    table = np.array([*(position[word] for word in words), position[""]], dtype=np.int32)
    return pd.Series(pd.Categorical.from_codes(table[codes], categories=pd.Index(unique, dtype="str")))


def constant(value: str | float, count: int) -> pd.Series:
    """Return a column that holds ``value`` in each of ``count`` rows."""
    if isinstance(value, str):
        return coded(np.zeros(count, np.int32), [value])
    return pd.Series(np.full(count, float(value)))


def flagged(yes: np.ndarray, true: str = "Y", false: str = "") -> pd.Series:
    """Return a column of flags from truth values."""
    return coded(np.asarray(yes, bool).astype(np.int32), [false, true])


def is_text(values: pd.Series) -> bool:
    """Return True for a Char column."""
    return isinstance(values.dtype, pd.CategoricalDtype)


def words_of(values: pd.Series) -> list[str]:
    """Return the categories of a Char column as plain texts, in the order of its codes."""
    return [str(word) for word in values.cat.categories]


def codes_of(values: pd.Series) -> np.ndarray:
    """Return the codes of a Char column."""
    return values.cat.codes.to_numpy(np.int64)


def present(values: pd.Series) -> np.ndarray:
    """Return True where a column has a value."""
    if is_text(values):
        return np.array([word != "" for word in words_of(values)], bool)[codes_of(values)]
    return ~np.isnan(values.to_numpy())


def among(values: pd.Series, choices: Iterable[str | float]) -> np.ndarray:
    """Return True where a column holds one of ``choices``."""
    if is_text(values):
        wanted = {str(choice) for choice in choices}
        return np.array([word in wanted for word in words_of(values)], bool)[codes_of(values)]
    return np.isin(values.to_numpy(), [float(choice) for choice in choices])


def take(values: pd.Series, positions: np.ndarray) -> pd.Series:
    """Return the values at ``positions``; a position of -1 gives a missing value."""
    if is_text(values):
        codes = np.append(codes_of(values), -1)
        return coded(codes[positions], words_of(values))
    return pd.Series(np.append(values.to_numpy(), np.nan)[positions])


def only(values: pd.Series, where: np.ndarray) -> pd.Series:
    """Return the column with missing values where ``where`` is False."""
    return take(values, np.where(where, np.arange(len(values)), -1))


def chosen(where: np.ndarray, yes: pd.Series, no: pd.Series) -> pd.Series:
    """Return ``yes`` where True, else ``no``; both columns have the same type."""
    stacked = stack([yes, no])
    rows = np.arange(len(yes))
    return take(stacked, np.where(where, rows, rows + len(yes)))


def stack(parts: Sequence[pd.Series]) -> pd.Series:
    """Return columns of one type below each other."""
    if not is_text(parts[0]):
        return pd.Series(np.concatenate([part.to_numpy(np.float64) for part in parts]))
    words: list[str] = []
    codes: list[np.ndarray] = []
    for part in parts:
        codes.append(codes_of(part) + len(words))
        words += words_of(part)
    return coded(np.concatenate(codes), words)


def renamed(values: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """Return a Char column with each text replaced by what ``words`` has for it, blank where it has nothing."""
    return coded(codes_of(values), [words.get(word, "") for word in words_of(values)])


def numbered(values: pd.Series, numbers: Mapping[str, float]) -> pd.Series:
    """Return a Num column with the number that ``numbers`` has for each text, NaN where it has none."""
    table = np.array([float(numbers.get(word, np.nan)) for word in words_of(values)])
    return pd.Series(table[codes_of(values)])


def plain(values: pd.Series) -> pd.Series:
    """Return a finished column: Char texts that hardly repeat become ``str``, others stay categorical."""
    if not is_text(values):
        return values
    used = values.cat.remove_unused_categories()
    return used.astype("str") if len(used.cat.categories) * 2 > len(used) else used
