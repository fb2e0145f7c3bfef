"""A proportion with its exact confidence interval."""

from __future__ import annotations

from reports.statistics.estimate import Estimate, not_estimable

NAME = "Clopper-Pearson exact 95% interval"


def clopper_pearson(count: int, n: int, confidence: float = 0.95) -> Estimate:
    """``count`` of ``n`` as a fraction, with the interval of Clopper and Pearson (1934)."""
    from scipy import special

    if n == 0:
        return not_estimable(NAME, 0, "nobody was assessed")
    tail = (1 - confidence) / 2
    lower = 0.0 if count == 0 else float(special.betaincinv(count, n - count + 1, tail))
    upper = 1.0 if count == n else float(special.betaincinv(count + 1, n - count, 1 - tail))
    return Estimate(count / n, NAME.replace("95", f"{confidence * 100:g}"), n, lower=lower, upper=upper)
