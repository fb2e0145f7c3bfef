"""The functions of REDCap's logic over texts, registered under the name that REDCap uses.

Positions count from 1, as in REDCap's help, "List of functions". What is searched for may differ from row to row: the
rows are taken together by distinct text or number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from metadata.expression_column import ExpressionColumn
from metadata.expression_functions import FUNCTIONS, Function, function

if TYPE_CHECKING:
    import pandas as pd

Apply = Callable[..., "pd.Series"]


def _over_texts(apply: Apply, value: ExpressionColumn, *parameters: np.ndarray) -> np.ndarray:
    """Apply a function of pandas' texts and single parameters, once for all rows that have the same parameters."""
    import pandas as pd

    arrays = np.broadcast_arrays(value.text, *parameters)
    texts = pd.Series(arrays[0], dtype="str")
    if all(len(one) == 1 for one in parameters):
        return np.asarray(apply(texts, *(one[0] for one in parameters)).to_numpy(object))
    grouped = pd.DataFrame(dict(enumerate(arrays[1:]))).groupby(list(range(len(parameters))), dropna=False).indices
    found = np.full(len(texts), "", object)
    for given, rows in grouped.items():
        several = given if isinstance(given, tuple) else (given,)
        found[rows] = apply(texts.iloc[rows], *several).to_numpy(object)
    return found


def _whole(value: ExpressionColumn) -> np.ndarray:
    """Return whole numbers; what is not a number counts as 0."""
    return np.trunc(np.nan_to_num(value.number)).astype(np.int64)


def _text(found: np.ndarray) -> ExpressionColumn:
    return ExpressionColumn(found)


@function("length", 1, 1)
def length(value: ExpressionColumn) -> ExpressionColumn:
    """Number of characters."""
    return ExpressionColumn.computed(_over_texts(lambda texts: texts.str.len(), value).astype(np.float64))


@function("left", 2, 2)
def left(value: ExpressionColumn, count: ExpressionColumn) -> ExpressionColumn:
    """The first characters."""
    return _text(_over_texts(lambda texts, n: texts.str.slice(0, max(n, 0)), value, _whole(count)))


@function("right", 2, 2)
def right(value: ExpressionColumn, count: ExpressionColumn) -> ExpressionColumn:
    """The last characters."""

    def part(texts: pd.Series, many: int) -> pd.Series:
        return texts.str.slice(-many) if many > 0 else texts.str.slice(0, 0)

    return _text(_over_texts(part, value, _whole(count)))


@function("mid", 3, 3)
def middle(value: ExpressionColumn, start: ExpressionColumn, count: ExpressionColumn) -> ExpressionColumn:
    """So many characters from a position on."""

    def part(texts: pd.Series, first: int, many: int) -> pd.Series:
        return texts.str.slice(max(first, 1) - 1, max(first, 1) - 1 + max(many, 0))

    return _text(_over_texts(part, value, _whole(start), _whole(count)))


@function("find", 2, 2)
def find(part: ExpressionColumn, value: ExpressionColumn) -> ExpressionColumn:
    """Position of the first text in the second, whatever the case; 0 where it is not there."""

    def position(texts: pd.Series, wanted: str) -> pd.Series:
        return texts.str.lower().str.find(wanted.lower()) + 1

    return ExpressionColumn.computed(_over_texts(position, value, part.text).astype(np.float64))


@function("replace_text", 3, 3)
def replace_text(value: ExpressionColumn, old: ExpressionColumn, new: ExpressionColumn) -> ExpressionColumn:
    """The text with each occurrence of the second replaced by the third."""

    def replaced(texts: pd.Series, wanted: str, given: str) -> pd.Series:
        return texts.str.replace(wanted, given, regex=False) if wanted else texts

    return _text(_over_texts(replaced, value, old.text, new.text))


@function("concat", 1, None)
def concatenate(*values: ExpressionColumn) -> ExpressionColumn:
    """All texts one after the other."""
    parts = np.broadcast_arrays(*(value.text for value in values))
    return _text(np.asarray(sum(parts[1:], parts[0]), object))


@function("concat_ws", 2, None)
def concatenate_with_separator(separator: ExpressionColumn, *values: ExpressionColumn) -> ExpressionColumn:
    """All texts that are not blank, with a separator between them."""
    between, *parts = np.broadcast_arrays(separator.text, *(value.text for value in values))
    made = np.full(between.shape, "", object)
    for part in parts:
        made = np.where(part == "", made, np.where(made == "", part, made + between + part))
    return _text(np.asarray(made, object))


def _changed(apply: Callable[[pd.Series], pd.Series], value: ExpressionColumn) -> ExpressionColumn:
    return _text(_over_texts(apply, value))


def _judged(
    apply: Callable[[pd.Series, str], pd.Series], value: ExpressionColumn, part: ExpressionColumn
) -> ExpressionColumn:
    def held(texts: pd.Series, wanted: str) -> pd.Series:
        return apply(texts.str.lower(), wanted.lower())

    return ExpressionColumn.computed(_over_texts(held, value, part.text).astype(np.float64))


CHANGES: dict[str, Callable[[pd.Series], pd.Series]] = {
    "trim": lambda texts: texts.str.strip(),
    "upper": lambda texts: texts.str.upper(),
    "lower": lambda texts: texts.str.lower(),
}
JUDGEMENTS: dict[str, Callable[[pd.Series, str], pd.Series]] = {
    "contains": lambda texts, part: texts.str.contains(part, regex=False),
    "not_contains": lambda texts, part: ~texts.str.contains(part, regex=False),
    "starts_with": lambda texts, part: texts.str.startswith(part),
    "ends_with": lambda texts, part: texts.str.endswith(part),
}
FUNCTIONS |= {name: Function(partial(_changed, apply), 1, 1) for name, apply in CHANGES.items()}
FUNCTIONS |= {name: Function(partial(_judged, apply), 2, 2) for name, apply in JUDGEMENTS.items()}
