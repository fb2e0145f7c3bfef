"""Student's and Welch's t test between two groups, and the difference of their means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import all_equal, significant

Variances = Literal["unequal", "equal"]
NAMES = {"unequal": "Welch's t test", "equal": "Two-sample t test, equal variances"}


@dataclass(frozen=True)
class _Difference:
    mean: float
    error: float
    freedom: float
    n: int
    reason: str = ""


def two_sample_t(first: Iterable[float], second: Iterable[float], variances: Variances = "unequal") -> Estimate:
    """Two-sided p that two groups share one mean; ``statistic`` is t. ``unequal`` has Satterthwaite's freedom."""
    from scipy import special

    found = _difference(first, second, variances)
    if found.reason:
        return not_estimable(NAMES[variances], found.n, found.reason)
    t = found.mean / found.error
    p = 2 * float(special.stdtr(found.freedom, -abs(t)))
    return Estimate(significant(p), NAMES[variances], found.n, statistic=significant(t))


def mean_difference(
    first: Iterable[float], second: Iterable[float], variances: Variances = "unequal", confidence: float = 0.95
) -> Estimate:
    """Mean of ``first`` less that of ``second``, with the interval of the same t test."""
    from scipy import special

    found = _difference(first, second, variances)
    method = f"Difference of means, {confidence * 100:g}% interval ({NAMES[variances]})"
    if found.reason:
        return not_estimable(method, found.n, found.reason)
    wide = float(special.stdtrit(found.freedom, (1 + confidence) / 2)) * found.error
    bounds = significant(found.mean - wide), significant(found.mean + wide)
    return Estimate(significant(found.mean), method, found.n, lower=bounds[0], upper=bounds[1])


def _difference(first: Iterable[float], second: Iterable[float], variances: Variances) -> _Difference:
    one, two = (values[~np.isnan(values)] for values in (np.asarray(list(each), float) for each in (first, second)))
    n = one.size + two.size
    if min(one.size, two.size) < 2:
        return _Difference(math.nan, math.nan, math.nan, n, "fewer than two values in one of the groups")
    parts = [float(values.var(ddof=1)) / values.size for values in (one, two)]
    if all_equal(one) and all_equal(two):
        return _Difference(math.nan, math.nan, math.nan, n, "no variation within the groups")
    mean = float(one.mean() - two.mean())
    if variances == "unequal":
        weights = parts[0] ** 2 / (one.size - 1) + parts[1] ** 2 / (two.size - 1)
        return _Difference(mean, math.sqrt(sum(parts)), sum(parts) ** 2 / weights, n)
    pooled = (parts[0] * one.size * (one.size - 1) + parts[1] * two.size * (two.size - 1)) / (n - 2)
    return _Difference(mean, math.sqrt(pooled * (1 / one.size + 1 / two.size)), float(n - 2), n)
