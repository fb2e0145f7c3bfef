"""Wilcoxon's rank sum test by its permutation distribution, conditional on ties, and the shift that goes with it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.pair_sums import differences
from reports.statistics.ranks import Whole, doubled_midranks
from reports.statistics.rounding import significant, to_precision

NAME = "Wilcoxon rank sum test, exact"
APPROXIMATED = "normal approximation instead of enumeration"
SHIFT = "Hodges-Lehmann shift between groups"
# Steps of the exact distribution: values in both groups times smaller group times possible sums.
MOST_STEPS = 100_000_000
Floats = NDArray[np.float64]


def rank_sum(first: Iterable[float], second: Iterable[float], decimals: int) -> Estimate:
    """Two-sided p that two independent groups do not differ; ``statistic`` is the rank sum of ``first``.

    Values are first rounded to the recorded ``decimals``; missing ones are left out. The p-value is the probability of
    a rank sum at least as far from its mean, over all divisions of the pooled midranks.
    """
    one, two = _present(first, decimals), _present(second, decimals)
    n = one.size + two.size
    if one.size == 0 or two.size == 0:
        return not_estimable(NAME, n, "one of the groups is empty")
    ranks = doubled_midranks(np.concatenate([one, two]))
    observed = int(ranks[: one.size].sum())
    if (ranks == ranks[0]).all():
        return Estimate(1.0, NAME, n, "all values are tied", statistic=observed / 2)
    few = min(one.size, two.size)
    if n * few * int(ranks.sum()) > MOST_STEPS:
        return _asymptotic(ranks, observed, one.size)
    # The sum of the smaller group is as far from its mean as that of the larger.
    distance = abs(2 * observed - one.size * 2 * (n + 1))
    probabilities = rank_sum_distribution(ranks, few)
    sums = np.arange(probabilities.size)
    extreme = np.abs(2 * sums - few * 2 * (n + 1)) >= distance
    return Estimate(min(1.0, float(probabilities[extreme].sum())), NAME, n, statistic=observed / 2)


def rank_sum_distribution(doubled_ranks: Whole, size: int) -> Floats:
    """Probability of each sum of ``size`` of the doubled ranks, all choices being equally likely."""
    ways = np.zeros((size + 1, int(np.sort(doubled_ranks)[-size:].sum()) + 1))
    ways[0, 0] = 1.0
    for rank in doubled_ranks.tolist():
        if rank < ways.shape[1]:
            ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    found: Floats = ways[size] / math.comb(doubled_ranks.size, size)
    return found


def _asymptotic(ranks: Whole, observed: int, size: int) -> Estimate:
    """Normal approximation with the variance that the ties leave, without continuity correction."""
    from scipy import special

    n = ranks.size
    variance = size * (n - size) / (n * (n - 1)) * float(((ranks - (n + 1)).astype(float) ** 2).sum())
    deviate = (observed - size * (n + 1)) / math.sqrt(variance)
    warning = f"{size} and {n - size} values: {APPROXIMATED}"
    p = 2 * float(special.ndtr(-abs(deviate)))
    return Estimate(significant(p), NAME.replace("exact", "asymptotic"), n, warning, observed / 2)


def rank_shift(first: Iterable[float], second: Iterable[float], decimals: int, confidence: float = 0.95) -> Estimate:
    """Median of all differences first - second, and the interval that inverts the rank sum test (Moses).

    Exact without ties; too small groups leave the bounds NaN, large ones take them from the normal approximation.
    """
    one, two = _present(first, decimals), _present(second, decimals)
    n = one.size + two.size
    if one.size == 0 or two.size == 0:
        return not_estimable(SHIFT, n, "one of the groups is empty")
    shifts = differences(one, two, decimals)
    middle, level = significant(shifts.median()), f"{confidence * 100:g}%"
    depth, kind = _depth(one.size, two.size, (1 - confidence) / 2)
    if depth == 0:
        return Estimate(
            middle, SHIFT, n, f"interval not estimable: {one.size} and {two.size} values cannot reach {level}"
        )
    bounds = significant(shifts.nth(depth - 1)), significant(shifts.nth(-depth))
    warning = "" if kind == "exact" else f"{one.size} and {two.size} values: {APPROXIMATED}"
    return Estimate(middle, f"{SHIFT}, {kind} {level} interval", n, warning, lower=bounds[0], upper=bounds[1])


def _depth(one: int, two: int, tail: float) -> tuple[int, str]:
    """How many differences from each end the interval begins: U is at most depth - 1 with at most ``tail``."""
    from scipy import special

    few, n = min(one, two), one + two
    if n * few * n * (n + 1) > MOST_STEPS:
        spread = math.sqrt(one * two * (n + 1) / 12)
        return math.floor(one * two / 2 + float(special.ndtri(tail)) * spread), "asymptotic"
    probabilities = rank_sum_distribution(np.arange(1, n + 1, dtype=np.int64), few)
    cumulated = np.cumsum(probabilities[few * (few + 1) // 2 :])
    return int(np.searchsorted(cumulated, tail, side="right")), "exact"


def _present(values: Iterable[float], decimals: int) -> Floats:
    rounded = to_precision(values, decimals)
    return rounded[~np.isnan(rounded)]
