"""The Hodges-Lehmann estimate of a paired shift with an exact confidence interval."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.ranks import signed_sums
from reports.statistics.rounding import significant, to_precision
from reports.statistics.signed_rank import LARGEST_EXACT

# There are n * (n + 1) / 2 Walsh averages to hold and sort.
MOST_PAIRS = 4000
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
    if kept.size > MOST_PAIRS:
        return not_estimable(NAME, int(kept.size), f"more than {MOST_PAIRS} pairs")
    walsh, n = _walsh_averages(kept), int(kept.size)
    middle, level = significant(float(np.median(walsh))), f"{confidence * 100:g}%"
    if n > LARGEST_EXACT:
        depth, method = _asymptotic_depth(n, confidence), f"{NAME}, asymptotic {level} interval"
        warning = f"more than {LARGEST_EXACT} pairs: normal approximation instead of enumeration"
    else:
        depth, attained = _depth(n, confidence)
        method, warning = f"{NAME}, exact {level} interval (attained {attained * 100:.1f}%)", ""
    if depth == 0:
        return Estimate(middle, NAME, n, f"interval not estimable: {n} pairs cannot reach {level}")
    return Estimate(
        middle, method, n, warning, lower=significant(float(walsh[depth - 1])), upper=significant(float(walsh[-depth]))
    )


def _walsh_averages(values: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = np.triu_indices(values.size)
    return np.sort((values[first] + values[second]) / 2)


def _depth(n: int, confidence: float) -> tuple[int, float]:
    """How many Walsh averages from each end the interval begins, and the confidence that this attains; 0 if none."""
    tail = np.cumsum(signed_sums(np.arange(1, n + 1, dtype=np.int64)))
    depth = int(np.searchsorted(tail, (1 - confidence) / 2, side="right"))
    return depth, float(1 - 2 * tail[depth - 1]) if depth else 0.0


def _asymptotic_depth(n: int, confidence: float) -> int:
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return math.floor(n * (n + 1) / 4 + float(special.ndtri((1 - confidence) / 2)) * spread)
