"""Wilcoxon's signed rank test by its permutation distribution, conditional on ties and zeros."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import numpy as np

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.ranks import Whole, doubled_midranks, signed_sums
from reports.statistics.rounding import to_precision

Zeros = Literal["pratt", "wilcoxon"]
# Enumeration costs n * n * (n + 1) steps; for more pairs the normal approximation is used, and the method says so.
LARGEST_EXACT = 300


def signed_rank(differences: Iterable[float], decimals: int, zeros: Zeros = "pratt") -> Estimate:
    """Two-sided p of the hypothesis that paired differences are symmetric about zero.

    ``differences`` are first rounded to the recorded ``decimals``; missing ones are left out. ``zeros``: "pratt" ranks
    them and then drops their ranks (Pratt 1959), "wilcoxon" drops them before ranking. ``statistic`` is the sum of
    positive ranks.
    """
    rounded = to_precision(differences, decimals)
    kept = rounded[~np.isnan(rounded)]
    name = f"Wilcoxon signed rank test, exact, zeros by {zeros.capitalize()}"
    if kept.size == 0:
        return not_estimable(name, 0, "no pairs")
    if not kept.any():
        return Estimate(1.0, name, int(kept.size), "all differences are zero", statistic=0.0)
    ranked = kept if zeros == "pratt" else kept[kept != 0]
    ranks = doubled_midranks(np.abs(ranked))
    positive, moving = int(ranks[ranked > 0].sum()), ranks[ranked != 0]
    if moving.size > LARGEST_EXACT:
        return _asymptotic(moving, positive, int(kept.size), name)
    return Estimate(_two_sided(moving, positive), name, int(kept.size), statistic=positive / 2)


def _two_sided(ranks: Whole, positive: int) -> float:
    """Probability of a sum at least as far from its mean; the distribution is symmetric."""
    total = int(ranks.sum())
    distance = abs(2 * positive - total)
    sums = np.arange(total + 1)
    return min(1.0, float(signed_sums(ranks)[np.abs(2 * sums - total) >= distance].sum()))


def _asymptotic(ranks: Whole, positive: int, n: int, name: str) -> Estimate:
    """Normal approximation on the same ranks, without continuity correction."""
    from scipy import special

    distance = abs(positive - ranks.sum() / 2) / math.sqrt(float((ranks.astype(float) ** 2).sum()) / 4)
    warning = f"more than {LARGEST_EXACT} non-zero differences: normal approximation instead of enumeration"
    return Estimate(
        2 * float(special.ndtr(-distance)), name.replace("exact", "asymptotic"), n, warning, statistic=positive / 2
    )
