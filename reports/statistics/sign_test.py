"""The exact sign test."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import to_precision

NAME = "Sign test, exact binomial, zeros left out"


def sign_test(differences: Iterable[float], decimals: int) -> Estimate:
    """Two-sided p that positive and negative differences are equally likely; ``statistic`` counts the positive ones."""
    from scipy import special

    rounded = to_precision(differences, decimals)
    kept = rounded[~np.isnan(rounded)]
    positive, negative = int((kept > 0).sum()), int((kept < 0).sum())
    if kept.size == 0:
        return not_estimable(NAME, 0, "no pairs")
    if positive + negative == 0:
        return Estimate(1.0, NAME, int(kept.size), "all differences are zero", statistic=0.0)
    tail = float(special.bdtr(min(positive, negative), positive + negative, 0.5))
    return Estimate(min(1.0, 2 * tail), NAME, int(kept.size), statistic=float(positive))
