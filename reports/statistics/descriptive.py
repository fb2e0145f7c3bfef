"""Descriptive statistics as SAS prints them: quartiles by PCTLDEF=5, SD with n - 1; geometric mean and CV of logs."""

from __future__ import annotations

import math
from collections.abc import Iterable

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import significant

STATISTICS = ("n", "mean", "sd", "median", "q1", "q3", "min", "max")
METHODS = {
    "n": "Number of non-missing values",
    "mean": "Arithmetic mean",
    "sd": "Standard deviation, n - 1",
    "median": "Median",
    "q1": "Lower quartile, SAS PCTLDEF=5",
    "q3": "Upper quartile, SAS PCTLDEF=5",
    "min": "Minimum",
    "max": "Maximum",
}

GEOMETRIC = {
    "geometric_mean": "Geometric mean",
    "geometric_cv": "Geometric coefficient of variation, 100 sqrt(exp(variance of logs) - 1)",
}


def describe(values: Iterable[float]) -> dict[str, Estimate]:
    """The eight statistics of a column of numbers; missing values are left out."""
    kept = _known(values)
    n = len(kept)
    computed = {"n": float(n), **_numbers(kept)}
    return {
        name: Estimate(significant(computed[name]), METHODS[name], n)
        if name in computed
        else not_estimable(METHODS[name], n, "too few values")
        for name in STATISTICS
    }


def describe_geometric(values: Iterable[float]) -> dict[str, Estimate]:
    """Geometric mean and geometric coefficient of variation in percent, 100 sqrt(exp(s^2) - 1) of the logs' variance.

    Both are of values above 0 only: with another value among them there is none, and the warning says so. Source:
    Kirkwood, Biometrics 1979;35:908-9.
    """
    kept = _known(values)
    n, wrong = len(kept), sum(value <= 0 for value in kept)
    if n == 0 or wrong:
        reason = f"{wrong} value(s) not above 0" if wrong else "too few values"
        return {name: not_estimable(GEOMETRIC[name], n, reason) for name in GEOMETRIC}
    logs = [math.log(value) for value in kept]
    mean = math.fsum(logs) / n
    found = {"geometric_mean": Estimate(significant(math.exp(mean)), GEOMETRIC["geometric_mean"], n)}
    if n == 1:
        return found | {"geometric_cv": not_estimable(GEOMETRIC["geometric_cv"], n, "too few values")}
    variance = math.fsum((one - mean) ** 2 for one in logs) / (n - 1)
    share = significant(100 * math.sqrt(math.expm1(variance)))
    return found | {"geometric_cv": Estimate(share, GEOMETRIC["geometric_cv"], n)}


def _known(values: Iterable[float]) -> list[float]:
    return sorted(float(value) for value in values if not math.isnan(value))


def _numbers(ordered: list[float]) -> dict[str, float]:
    n = len(ordered)
    if n == 0:
        return {}
    mean = math.fsum(ordered) / n
    found = {"mean": mean, "min": ordered[0], "max": ordered[-1]}
    found |= {"q1": quantile(ordered, 1, 4), "median": quantile(ordered, 1, 2), "q3": quantile(ordered, 3, 4)}
    if n > 1:
        found["sd"] = math.sqrt(math.fsum((value - mean) ** 2 for value in ordered) / (n - 1))
    return found


def quantile(ordered: list[float], numerator: int, denominator: int) -> float:
    """Empirical distribution function with averaging (SAS PCTLDEF=5), the fraction given in whole numbers.

    With n * p whole the mean of that value and the next, else the next value.
    """
    whole, rest = divmod(len(ordered) * numerator, denominator)
    return (ordered[whole - 1] + ordered[whole]) / 2 if rest == 0 else ordered[whole]
