"""Friedman's test by the exact distribution of its rank sums, conditional on ties."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from reports.statistics.blocks import MOST_CONDITIONS, arrangements, ranked_rows
from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.ranks import Whole

NAME = "Friedman's test, exact"
# Rank-sum vectors times arrangements of the next row: what one step of the enumeration holds in memory.
MOST_VECTORS = 4_000_000


def friedman(table: ArrayLike, decimals: int) -> Estimate:
    """p that the k columns of an n x k table do not differ; ``statistic`` is Q with correction for ties.

    Q is a constant times the spread of the rank sums, and the ties fix the constant, so the spread decides the order.
    """
    ranks = ranked_rows(table, decimals)
    n, k = ranks.shape
    if n == 0 or k < 2:
        return not_estimable(NAME, n, "no complete rows")
    statistic = _corrected(ranks)
    if np.isnan(statistic):
        return Estimate(1.0, NAME, n, "all values are tied", statistic=0.0)
    sums = _rank_sums(ranks)
    if sums is None:
        warning = f"{n} rows of {k}: chi-square approximation instead of enumeration"
        return Estimate(float(special.chdtrc(k - 1, statistic)), "Friedman's test, asymptotic", n, warning, statistic)
    vectors, probabilities = sums
    extreme = _spread(vectors, n) >= _spread(ranks.sum(axis=0)[None, :], n)
    return Estimate(min(1.0, float(probabilities[extreme].sum())), NAME, n, statistic=statistic)


def _spread(sums: Whole, n: int) -> Whole:
    """Sum of squared distances of (doubled) rank sums from their mean, a row each."""
    return np.asarray(((sums - n * (sums.shape[1] + 1)) ** 2).sum(axis=1), dtype=np.int64)


def _corrected(ranks: Whole) -> float:
    n, k = ranks.shape
    within = float(((ranks - (k + 1)) ** 2).sum())
    return (k - 1) * float(_spread(ranks.sum(axis=0)[None, :], n)[0]) / within if within else float("nan")


def _rank_sums(ranks: Whole) -> tuple[Whole, NDArray[np.float64]] | None:
    """Every vector of rank sums with its probability, row by row; None when there are too many.

    A vector is kept as one whole number in base 2 * n * k + 1; the last sum follows from the others.
    """
    n, k = ranks.shape
    base = 2 * n * k + 1
    if k > MOST_CONDITIONS or (k - 1) * np.log2(base) > 62:
        return None
    places = base ** np.arange(k - 1, dtype=np.int64)
    codes: Whole = np.zeros(1, dtype=np.int64)
    probabilities: NDArray[np.float64] = np.ones(1)
    for row in ranks:
        steps = arrangements(row)[:, :-1] @ places
        if codes.size * steps.size > MOST_VECTORS:
            return None
        reached = (codes[:, None] + steps[None, :]).ravel()
        weights = np.repeat(probabilities / steps.size, steps.size)
        codes, where = np.unique(reached, return_inverse=True)
        probabilities = np.asarray(np.bincount(where, weights=weights), dtype=np.float64)
    leading = codes[:, None] // places % base
    last = n * k * (k + 1) - leading.sum(axis=1)
    return np.column_stack([leading, last]), probabilities
