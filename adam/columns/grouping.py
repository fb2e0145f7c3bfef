"""Rows grouped, ordered and looked up by whole columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adam.columns.columns import Values, stack
from metadata.coded_matching import group_numbers
from metadata.coded_text import CodedText

Order = Sequence[tuple[Values, bool]]
"""Columns to sort by, each with True where it descends."""


def ranks(values: Values) -> np.ndarray:
    """Return numbers that sort as the values do: texts alphabetically, and what is missing last in either direction."""
    return np.where(values.present(), values.ranks(), np.nan) if isinstance(values, CodedText) else values


def group_codes(columns: Sequence[Values]) -> np.ndarray:
    """Return one number for each row, the same for rows that agree in all columns."""
    import pandas as pd

    return group_numbers(
        [column.codes if isinstance(column, CodedText) else pd.factorize(column)[0] + 1 for column in columns]
    )


def ordered(columns: Order, rows: np.ndarray, groups: np.ndarray, missing_first: bool = False) -> np.ndarray:
    """Return ``rows`` sorted by group and then by columns, stable, with what is missing last or first."""
    keys = [-ranks(column)[rows] if descending else ranks(column)[rows] for column, descending in columns]
    keys = [np.nan_to_num(key, nan=-np.inf) for key in keys] if missing_first else keys
    return rows[np.lexsort([*reversed(keys), groups[rows]])]


def sorted_by(keys: Sequence[Values]) -> np.ndarray:
    """Return all rows sorted by the keys, missing values first, as PROC SORT and Define-XML's KeySequence have them."""
    places = [key.ranks() if isinstance(key, CodedText) else np.nan_to_num(key, nan=-np.inf) for key in keys]
    return np.lexsort(places[::-1])


def first_rows(groups: np.ndarray, columns: Order, eligible: np.ndarray) -> np.ndarray:
    """Return the first eligible row of each group in the given order."""
    rows = ordered(columns, np.flatnonzero(eligible), groups)
    starts = np.ones(len(rows), bool)
    starts[1:] = groups[rows][1:] != groups[rows][:-1]
    return rows[starts]


def tied(groups: np.ndarray, columns: Order, chosen: np.ndarray, eligible: np.ndarray) -> np.ndarray:
    """Return for each chosen row whether another eligible row of its group has the same place in the order."""
    place = group_codes([groups.astype(float), *(values for values, _ in columns)])
    return np.asarray(np.bincount(place[eligible], minlength=len(place))[place[chosen]] > 1)


def row_of_group(groups: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for every row the one among ``rows`` that belongs to its group, -1 if there is none."""
    table = np.full(int(groups.max(initial=-1)) + 1, -1, np.int64)
    table[groups[rows]] = rows
    return table[groups]


def matching_rows(left: Sequence[Values], right: Sequence[Values]) -> np.ndarray:
    """Return for each left row the position of the right row with the same keys, -1 if none; right keys are unique."""
    size = len(left[0])
    codes = group_codes([stack([one, other]) for one, other in zip(left, right, strict=True)])
    table = np.full(int(codes.max(initial=-1)) + 1, -1, np.int64)
    table[codes[size:]] = np.arange(len(codes) - size)
    return table[codes[:size]]
