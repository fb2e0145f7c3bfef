"""The Hodges-Lehmann estimate of a paired shift with an exact confidence interval."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.pair_sums import walsh_averages
from reports.statistics.ranks import signed_sums
from reports.statistics.rounding import significant, to_precision
from reports.statistics.signed_rank import LARGEST_EXACT

NAME = "Hodges-Lehmann median of Walsh averages"


def hodges_lehmann(differences: Iterable[float], decimals: int, confidence: float = 0.95) -> Estimate:
    """Median of all pairwise means, and the interval between two of them in order.

    The interval inverts the exact signed rank test without ties; its closed form keeps at least the nominal confidence
    when there are ties (Hollander and Wolfe, Nonparametric Statistical Methods, 3.3). Below six pairs no finite
    interval reaches 95% and the bounds are NaN; past ``LARGEST_EXACT`` pairs the normal approximation places them.
    """
    rounded = to_precision(differences, decimals)
    kept = rounded[~np.isnan(rounded)]
    if kept.size == 0:
        return not_estimable(NAME, 0, "no pairs")
    walsh, n = walsh_averages(kept, decimals), int(kept.size)
    middle, level = significant(walsh.median()), f"{confidence * 100:g}%"
    if n > LARGEST_EXACT:
        depth, method = _asymptotic_depth(n, confidence), f"{NAME}, asymptotic {level} interval"
        warning = f"more than {LARGEST_EXACT} pairs: normal approximation instead of enumeration"
    else:
        depth, attained = _depth(n, confidence)
        method, warning = f"{NAME}, exact {level} interval (attained {attained * 100:.1f}%)", ""
    if depth == 0:
        return Estimate(middle, NAME, n, f"interval not estimable: {n} pairs cannot reach {level}")
    bounds = significant(walsh.nth(depth - 1)), significant(walsh.nth(-depth))
    return Estimate(middle, method, n, warning, lower=bounds[0], upper=bounds[1])


def _depth(n: int, confidence: float) -> tuple[int, float]:
    """How many Walsh averages from each end the interval begins, and the confidence that this attains; 0 if none."""
    tail = np.cumsum(signed_sums(np.arange(1, n + 1, dtype=np.int64)))
    depth = int(np.searchsorted(tail, (1 - confidence) / 2, side="right"))
    return depth, float(1 - 2 * tail[depth - 1]) if depth else 0.0


def _asymptotic_depth(n: int, confidence: float) -> int:
    from scipy import special

    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return math.floor(n * (n + 1) / 4 + float(special.ndtri((1 - confidence) / 2)) * spread)
