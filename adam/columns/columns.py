"""Columns as derivations see them: Num is a float64 array with NaN, Char is Text, codes into a short list of words.

Text keeps comparisons, lookups and grouping on small integers, whatever the number of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metadata.errors import StudyError


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A Char column: ``words[codes[row]]`` is the text of a row. Words are unique; "" is always among them."""

    codes: np.ndarray
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def texts(self) -> tuple[str, ...]:
        """The words, as a condition asks for them."""
        return self.words

    def strings(self) -> list[str]:
        """Return the texts row by row."""
        return [self.words[code] for code in self.codes.tolist()]

    def of_words(self, values: Sequence[bool] | Sequence[float] | np.ndarray) -> np.ndarray:
        """Return for each row what ``values`` has for its word."""
        return np.asarray(values)[self.codes]


Values = Text | np.ndarray
Columns = Mapping[str, Values]


class SourceColumns(dict[str, Values]):
    """Columns of a frame, made ready for derivations when they are first asked for; derived ones are added to it."""

    def __init__(self, frame: pd.DataFrame, rows: np.ndarray | None = None) -> None:
        super().__init__()
        self.frame = frame
        self.rows = np.arange(len(frame)) if rows is None else rows

    def __missing__(self, name: str) -> Values:
        self[name] = take(prepared(self.frame[name]), self.rows)
        return self[name]


def prepared(values: pd.Series) -> Values:
    """Return a frame's column as derivations see it."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(np.float64)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return coded(values.cat.codes.to_numpy(), values.cat.categories.tolist())
    codes, unique = pd.factorize(values.astype("str"))
    return coded(codes, unique.tolist())


def coded(codes: np.ndarray, words: Sequence[str]) -> Text:
    """Return texts from codes into ``words``, which may repeat; a code of -1 is blank."""
    unique = list(dict.fromkeys(words))
    distinct = len(unique) == len(words)
    blank = unique.index("") if "" in unique else len(unique)
    if blank == len(unique):
        unique.append("")
    if distinct:
        table = np.append(np.arange(len(words), dtype=np.int32), np.int32(blank))
    else:
        position = {word: index for index, word in enumerate(unique)}
        table = np.array([*(position[word] for word in words), blank], dtype=np.int32)
    return Text(table[codes], tuple(unique))


def number(columns: Columns, name: str) -> np.ndarray:
    """Return a Num column; raises StudyError if it is Char."""
    values = columns[name]
    if isinstance(values, Text):
        raise StudyError(f"{name} holds text; a number is needed")
    return values


def text(columns: Columns, name: str) -> Text:
    """Return a Char column; raises StudyError if it is Num."""
    values = columns[name]
    if not isinstance(values, Text):
        raise StudyError(f"{name} is a number; a text is needed")
    return values


def constant(value: str | float, count: int) -> Values:
    """Return a column that holds ``value`` in each of ``count`` rows."""
    if isinstance(value, str):
        return coded(np.zeros(count, np.int32), [value])
    return np.full(count, float(value))


def flagged(yes: np.ndarray, true: str = "Y", false: str = "") -> Text:
    """Return a column of flags from truth values."""
    return coded(np.asarray(yes, bool).astype(np.int32), [false, true])


def present(values: Values) -> np.ndarray:
    """Return True where a column has a value."""
    if isinstance(values, Text):
        return values.of_words([word != "" for word in values.words])
    return ~np.isnan(values)


def among(values: Values, choices: Iterable[str | float]) -> np.ndarray:
    """Return True where a column holds one of ``choices``."""
    if isinstance(values, Text):
        wanted = {str(choice) for choice in choices}
        return values.of_words([word in wanted for word in values.words])
    return np.isin(values, [float(choice) for choice in choices])


def take(values: Values, positions: np.ndarray) -> Values:
    """Return the values at ``positions``; a position of -1 gives a missing value."""
    if isinstance(values, Text):
        blank = np.int32(values.words.index(""))
        return Text(np.append(values.codes, blank)[positions], values.words)
    return np.append(values, np.nan)[positions]


def only(values: Values, where: np.ndarray) -> Values:
    """Return the column with missing values where ``where`` is False."""
    if isinstance(values, Text):
        return Text(np.where(where, values.codes, np.int32(values.words.index(""))), values.words)
    return np.where(where, values, np.nan)


def chosen(where: np.ndarray, yes: Values, no: Values) -> Values:
    """Return ``yes`` where True, else ``no``; both columns have the same type."""
    rows = np.arange(len(yes))
    return take(stack([yes, no]), np.where(where, rows, rows + len(yes)))


def stack(parts: Sequence[Values], name: str = "") -> Values:
    """Return columns of one type below each other; raises StudyError, which names ``name``, if they differ in type."""
    texts = [part for part in parts if isinstance(part, Text)]
    if not texts:
        return np.concatenate([part for part in parts if not isinstance(part, Text)])
    if len(texts) < len(parts):
        raise StudyError(f"{name or 'a variable'} would hold texts and numbers; give all its records one type")
    starts = np.cumsum([0, *(len(part.words) for part in texts)])
    codes = [part.codes + start for part, start in zip(texts, starts.tolist(), strict=False)]
    return coded(np.concatenate(codes), [word for part in texts for word in part.words])


def finished(values: Values) -> pd.Series:
    """Return a column as a dataset holds it: Char texts that hardly repeat become ``str``, others categorical."""
    if not isinstance(values, Text):
        return pd.Series(values)
    counts = np.bincount(values.codes, minlength=len(values.words))
    used = np.flatnonzero(counts)
    words = [values.words[index] for index in used]
    if len(used) * 2 > len(values):
        return pd.Series(values.strings(), dtype="str")
    position = np.zeros(len(values.words), np.int32)
    position[used] = np.arange(len(used))
    return pd.Series(pd.Categorical.from_codes(position[values.codes], categories=pd.Index(words, dtype="str")))


def numbers_in(values: Text) -> np.ndarray:
    """Return texts as numbers, NaN for a text that is none."""
    read = pd.to_numeric(pd.Series(values.words, dtype="str"), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return values.of_words(read)
