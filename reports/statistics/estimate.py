"""What every statistical function returns."""

from __future__ import annotations

from dataclasses import dataclass

NOT_ESTIMABLE = float("nan")


@dataclass(frozen=True)
class Estimate:
    """A number with the method that made it.

    ``value`` is NaN where the data allow no estimate: that is a result, and ``warning`` says why.
    ``n`` counts the subjects (or pairs, or rows) that entered; ``statistic`` is the test statistic, if any;
    ``lower`` and ``upper`` bound a confidence interval, if any.
    """

    value: float
    method: str
    n: int
    warning: str = ""
    statistic: float = NOT_ESTIMABLE
    lower: float = NOT_ESTIMABLE
    upper: float = NOT_ESTIMABLE


def not_estimable(method: str, n: int, reason: str) -> Estimate:
    """An estimate that says why it has no value."""
    return Estimate(NOT_ESTIMABLE, method, n, f"not estimable: {reason}")
