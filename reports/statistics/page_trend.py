"""Page's L test for ordered alternatives, exact and conditional on ties (Page 1963)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.statistics.blocks import MOST_CONDITIONS, arrangements, ranked_rows
from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.ranks import Whole

Sides = Literal["one-sided", "two-sided"]
# The sum of n rows has about n * k**3 / 2 possible values; this bounds the convolutions to a second.
LARGEST_SUPPORT = 200_000


def page_trend(table: ArrayLike, decimals: int, sides: Sides = "two-sided") -> Estimate:
    """p for an increasing trend over the k columns of an n x k table, one row a subject.

    Rows with a missing value are left out. One-sided is the probability of an L at least as large; two-sided of an L at
    least as far from its mean (under the hypothesis L is symmetric). ``statistic`` is L on midranks.
    """
    ranks = ranked_rows(table, decimals)
    n, k = ranks.shape
    name = f"Page's L test, exact, {sides}"
    if n == 0 or k < 2:
        return not_estimable(name, n, "no complete rows")
    observed = int((ranks * np.arange(1, k + 1)).sum())
    if k > MOST_CONDITIONS or n * k**3 > LARGEST_SUPPORT:
        return _asymptotic(ranks, observed, name, sides)
    low, distribution = _distribution(ranks)
    centre = n * k * (k + 1) ** 2 // 2
    sums = low + np.arange(distribution.size)
    extreme = sums >= observed if sides == "one-sided" else np.abs(sums - centre) >= abs(observed - centre)
    return Estimate(min(1.0, float(distribution[extreme].sum())), name, n, statistic=observed / 2)


def _distribution(ranks: Whole) -> tuple[int, NDArray[np.float64]]:
    """Smallest doubled L, and the probability of each whole number from there on."""
    low, distribution = 0, np.ones(1)
    weights = np.arange(1, ranks.shape[1] + 1)
    for row in ranks:
        sums = arrangements(row) @ weights
        counts = np.bincount(sums - sums.min())
        distribution = np.convolve(distribution, counts / counts.sum())
        low += int(sums.min())
    return low, distribution


def _asymptotic(ranks: Whole, observed: int, name: str, sides: Sides) -> Estimate:
    """Normal approximation with the variance that the ties leave."""
    from scipy import special

    n, k = ranks.shape
    scores = ranks - (k + 1)
    variance = float((scores**2).sum()) / (k - 1) * k * (k * k - 1) / 12
    if variance == 0:
        return Estimate(1.0, name.replace("exact", "asymptotic"), n, "all values are tied", statistic=observed / 2)
    deviate = (observed - n * k * (k + 1) ** 2 / 2) / math.sqrt(variance)
    p = float(special.ndtr(-deviate)) if sides == "one-sided" else 2 * float(special.ndtr(-abs(deviate)))
    warning = f"{n} rows of {k}: normal approximation instead of enumeration"
    return Estimate(p, name.replace("exact", "asymptotic"), n, warning, statistic=observed / 2)
