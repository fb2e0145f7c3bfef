"""The difference of two independent proportions with its confidence interval."""

from __future__ import annotations

import math

from reports.statistics.estimate import Estimate, not_estimable

NAME = "Difference of proportions, Newcombe 95% interval"


def newcombe(count: int, n: int, reference_count: int, reference_n: int, confidence: float = 0.95) -> Estimate:
    """Proportion of a group less that of the reference, with the hybrid score interval (Newcombe 1998, method 10).

    It joins the two Wilson intervals, without continuity correction; the bounds never leave -1 to 1.
    """
    method = NAME.replace("95", f"{confidence * 100:g}")
    if n == 0 or reference_n == 0:
        return not_estimable(method, n + reference_n, "one of the groups is empty")
    share, reference = count / n, reference_count / reference_n
    low, high = _wilson(count, n, confidence)
    reference_low, reference_high = _wilson(reference_count, reference_n, confidence)
    difference = share - reference
    lower = difference - math.hypot(share - low, reference_high - reference)
    upper = difference + math.hypot(high - share, reference - reference_low)
    return Estimate(difference, method, n + reference_n, lower=lower, upper=upper)


def _wilson(count: int, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval (1927)."""
    from scipy import special

    squared = float(special.ndtri((1 + confidence) / 2)) ** 2
    centre = 2 * count + squared
    spread = math.sqrt(squared * (squared + 4 * count * (n - count) / n))
    return (centre - spread) / (2 * (n + squared)), (centre + spread) / (2 * (n + squared))
