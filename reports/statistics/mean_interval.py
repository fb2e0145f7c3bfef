"""The mean with its confidence interval by Student's t."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from reports.statistics.estimate import Estimate, not_estimable

NAME = "Mean with 95% confidence interval by t"


def mean_interval(values: Iterable[float], level: float = 0.95) -> Estimate:
    """The mean of the values that are there; one value alone has no interval, and the warning says so."""
    from scipy import special

    kept = np.asarray(list(values), dtype=float)
    kept = kept[~np.isnan(kept)]
    n = int(kept.size)
    if n == 0:
        return not_estimable(NAME, 0, "no values")
    mean = float(kept.mean())
    if n == 1:
        return Estimate(mean, NAME, 1, "no interval: one value")
    half = float(special.stdtrit(n - 1, (1 + level) / 2)) * float(kept.std(ddof=1)) / math.sqrt(n)
    return Estimate(mean, NAME, n, lower=mean - half, upper=mean + half)
