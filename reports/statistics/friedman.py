"""Friedman's test by the exact distribution of its rank sums, conditional on ties."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.statistics.blocks import MOST_CONDITIONS, arrangements, ranked_rows
from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.ranks import Whole

NAME = "Friedman's test, exact"
# Rank-sum vectors times arrangements of a row: what one step holds in memory, and what all steps cost (some seconds).
# So 22 untied rows of four, or 184 of three, are enumerated.
MOST_VECTORS, MOST_STEPS = 6_500_000, 150_000_000


def friedman(table: ArrayLike, decimals: int) -> Estimate:
    """p that the k columns of an n x k table do not differ; ``statistic`` is Q with correction for ties.

    Q is a constant times the spread of the rank sums, and the ties fix the constant, so the spread decides the order.
    """
    from scipy import special

    ranks = ranked_rows(table, decimals)
    n, k = ranks.shape
    if n == 0 or k < 2:
        return not_estimable(NAME, n, "no complete rows")
    statistic = _corrected(ranks)
    if np.isnan(statistic):
        return Estimate(1.0, NAME, n, "all values are tied", statistic=0.0)
    if not can_enumerate(ranks):
        warning = f"{n} rows of {k}: chi-square approximation instead of enumeration"
        return Estimate(float(special.chdtrc(k - 1, statistic)), "Friedman's test, asymptotic", n, warning, statistic)
    vectors, probabilities = rank_sums(ranks)
    extreme = _spread(vectors, n) >= _spread(ranks.sum(axis=0)[None, :], n)
    return Estimate(min(1.0, float(probabilities[extreme].sum())), NAME, n, statistic=statistic)


def _spread(sums: Whole, n: int) -> Whole:
    """Sum of squared distances of (doubled) rank sums from their mean, a row each."""
    return np.asarray(((sums - n * (sums.shape[1] + 1)) ** 2).sum(axis=1), dtype=np.int64)


def _corrected(ranks: Whole) -> float:
    n, k = ranks.shape
    within = float(((ranks - (k + 1)) ** 2).sum())
    return (k - 1) * float(_spread(ranks.sum(axis=0)[None, :], n)[0]) / within if within else float("nan")


def can_enumerate(ranks: Whole) -> bool:
    """Return True if the rank sums of so many rows are few enough to be enumerated, judged before any is.

    A sum of n rows has at most ``span`` values, and so k - 1 sums have at most ``span ** (k - 1)`` together.
    """
    n, k = ranks.shape
    orders = math.factorial(k)
    if k > MOST_CONDITIONS:
        return False
    steps = np.sort(ranks[:-1], axis=1)
    unit = int(np.gcd.reduce(np.diff(steps, axis=1), axis=None)) or 1
    span = int((steps[:, -1] - steps[:, 0]).sum()) // unit + 1
    vectors = min(orders ** (n - 1), span ** (k - 1)) * orders
    return vectors <= MOST_VECTORS and n * vectors <= MOST_STEPS


def rank_sums(ranks: Whole) -> tuple[Whole, NDArray[np.float64]]:
    """Return every vector of rank sums with its probability, row by row.

    A vector is kept as one whole number in base 2 * n * k + 1; the last sum follows from the others.
    """
    n, k = ranks.shape
    base = 2 * n * k + 1
    places = base ** np.arange(k - 1, dtype=np.int64)
    codes: Whole = np.zeros(1, dtype=np.int64)
    probabilities: NDArray[np.float64] = np.ones(1)
    for row in ranks:
        steps = arrangements(row)[:, :-1] @ places
        reached = (codes[:, None] + steps[None, :]).ravel()
        weights = np.repeat(probabilities / steps.size, steps.size)
        codes, where = np.unique(reached, return_inverse=True)
        probabilities = np.asarray(np.bincount(where, weights=weights), dtype=np.float64)
    leading = codes[:, None] // places % base
    last = n * k * (k + 1) - leading.sum(axis=1)
    return np.column_stack([leading, last]), probabilities
