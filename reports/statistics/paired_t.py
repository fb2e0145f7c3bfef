"""The paired t test, a sensitivity analysis beside the rank tests."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import to_precision

NAME = "Paired t test"


def paired_t(differences: Iterable[float], decimals: int) -> Estimate:
    """Two-sided p that the mean paired difference is zero; ``statistic`` is t on n - 1 degrees of freedom."""
    from scipy import special

    rounded = to_precision(differences, decimals)
    kept = rounded[~np.isnan(rounded)]
    n = int(kept.size)
    if n < 2:
        return not_estimable(NAME, n, "fewer than two pairs")
    spread = float(kept.std(ddof=1))
    if spread == 0:
        return not_estimable(NAME, n, "all differences are equal")
    t = float(kept.mean()) / (spread / math.sqrt(n))
    return Estimate(2 * float(special.stdtr(n - 1, -abs(t))), NAME, n, statistic=t)
