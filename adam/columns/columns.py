"""Columns as derivations see them: Num is a float64 array with NaN, Char is a CodedText."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from metadata.coded_text import CodedText
from metadata.errors import StudyError
from metadata.frame_columns import FrameColumns
from metadata.variable_kind import DATETIME, SECONDS_A_DAY

if TYPE_CHECKING:
    import pandas as pd

Values = CodedText | np.ndarray
Columns = Mapping[str, Values]


class SourceColumns(dict[str, Values]):
    """Columns of a dataset, taken when they are first asked for; derived ones are added to it.

    ``kinds`` says of each what it holds, as far as that is known (see ``variable_kind``).
    """

    def __init__(
        self, source: FrameColumns, rows: np.ndarray | None = None, kinds: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.source = source
        self.kinds = dict(kinds or {})
        self.rows = np.arange(len(source)) if rows is None else rows

    def __missing__(self, name: str) -> Values:
        self[name] = take(self.source[name], self.rows)
        return self[name]


def known_names(columns: Columns) -> set[str]:
    """Return the names of all columns, including columns of the source that were not read yet."""
    return {*columns, *(columns.source.names if isinstance(columns, SourceColumns) else ())}


def number(columns: Columns, name: str) -> np.ndarray:
    """Return a Num column; raises StudyError if it is Char."""
    values = columns[name]
    if isinstance(values, CodedText):
        raise StudyError(f"{name} holds text; a number is needed")
    return values


def kind(columns: Columns, name: str) -> str:
    """Return the kind of a column, an empty text where it is not known."""
    kinds: Mapping[str, str] = getattr(columns, "kinds", {})
    return kinds.get(name, "")


def day(columns: Columns, name: str) -> np.ndarray:
    """Return a date, or the day of a datetime, in days since 1960; raises StudyError if the column is Char."""
    values = number(columns, name)
    return np.floor(values / SECONDS_A_DAY) if kind(columns, name) == DATETIME else values


def comparable(columns: Columns, names: Sequence[str]) -> list[np.ndarray]:
    """Return dates and datetimes that can be set against each other: by day unless all are datetimes."""
    if all(kind(columns, name) == DATETIME for name in names):
        return [number(columns, name) for name in names]
    return [day(columns, name) for name in names]


def text(columns: Columns, name: str) -> CodedText:
    """Return a Char column; raises StudyError if it is Num."""
    values = columns[name]
    if not isinstance(values, CodedText):
        raise StudyError(f"{name} is a number; a text is needed")
    return values


def constant(value: str | float, count: int) -> Values:
    """Return a column that holds ``value`` in each of ``count`` rows."""
    return CodedText.constant(value, count) if isinstance(value, str) else np.full(count, float(value))


def flagged(yes: np.ndarray, true: str = "Y", false: str = "") -> CodedText:
    """Return a column of flags from truth values."""
    return CodedText.of_codes(yes, [false, true])


def numbers_as_text(values: np.ndarray) -> CodedText:
    """Return numbers as short texts (3, 4.5), blank where missing."""
    return CodedText.of_numbers(values, "{:.12g}".format)


def present(values: Values) -> np.ndarray:
    """Return True where a column has a value."""
    return values.present() if isinstance(values, CodedText) else ~np.isnan(values)


def among(values: Values, choices: Iterable[str | float]) -> np.ndarray:
    """Return True where a column holds one of ``choices``."""
    if isinstance(values, CodedText):
        return values.isin(str(choice) for choice in choices)
    return np.isin(values, [float(choice) for choice in choices])


def take(values: Values, positions: np.ndarray) -> Values:
    """Return the values at ``positions``; a position of -1 gives a missing value."""
    return values.take(positions) if isinstance(values, CodedText) else np.append(values, np.nan)[positions]


def only(values: Values, where: np.ndarray) -> Values:
    """Return the column with missing values where ``where`` is False."""
    return values.where(where) if isinstance(values, CodedText) else np.where(where, values, np.nan)


def chosen(where: np.ndarray, yes: Values, no: Values) -> Values:
    """Return ``yes`` where True, else ``no``; both columns have the same type."""
    rows = np.arange(len(yes))
    return take(stack([yes, no]), np.where(where, rows, rows + len(yes)))


def stack(parts: Sequence[Values], name: str = "") -> Values:
    """Return columns of one type below each other; raises StudyError, which names ``name``, if they differ in type."""
    texts = [part for part in parts if isinstance(part, CodedText)]
    if not texts:
        return np.concatenate([part for part in parts if not isinstance(part, CodedText)])
    if len(texts) < len(parts):
        raise StudyError(f"{name or 'a variable'} would hold texts and numbers; give all its records one type")
    return CodedText.stack(texts)


def finished(values: Values) -> pd.Series:
    """Return a column as a dataset holds it."""
    import pandas as pd

    return pd.Series(values.categorical() if isinstance(values, CodedText) else values)
