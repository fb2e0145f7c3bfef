"""The paired t test."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import all_equal

NAME = "Paired t test"


def paired_t(differences: Iterable[float]) -> Estimate:
    """Two-sided p that the mean paired difference is zero; ``statistic`` is t on n - 1 degrees of freedom."""
    from scipy import special

    values = np.asarray(list(differences), dtype=float)
    kept = values[~np.isnan(values)]
    n = int(kept.size)
    if n < 2:
        return not_estimable(NAME, n, "fewer than two pairs")
    if all_equal(kept):
        return not_estimable(NAME, n, "all differences are equal")
    t = float(kept.mean()) / (float(kept.std(ddof=1)) / math.sqrt(n))
    return Estimate(2 * float(special.stdtr(n - 1, -abs(t))), NAME, n, statistic=t)
