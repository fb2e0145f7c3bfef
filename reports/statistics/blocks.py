"""Rows of repeated measurements: complete rows, their doubled midranks, and all arrangements of a row."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.statistics.ranks import Whole
from reports.statistics.rounding import to_precision

# 7! = 5,040 arrangements of one row; more conditions than that go to the approximation.
MOST_CONDITIONS = 7


def ranked_rows(table: ArrayLike, decimals: int) -> Whole:
    """Doubled midranks within each complete row of an n x k table, values first rounded to the recorded precision."""
    values = np.atleast_2d(np.asarray(table, dtype=float))
    rounded = to_precision(values.ravel(), decimals).reshape(values.shape)
    complete: NDArray[np.float64] = rounded[~np.isnan(rounded).any(axis=1)]
    own, other = complete[:, :, None], complete[:, None, :]
    return np.asarray(2 * (other < own).sum(axis=2) + (other == own).sum(axis=2) + 1, dtype=np.int64)


def arrangements(row: Whole) -> Whole:
    """All k! arrangements of one row of ranks, equal ranks kept apart, so that each is equally likely."""
    return np.array(list(permutations(row)), dtype=np.int64)
