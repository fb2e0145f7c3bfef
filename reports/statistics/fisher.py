"""Fisher's exact test of two proportions."""

from __future__ import annotations

from fractions import Fraction
from math import comb

from reports.statistics.estimate import NOT_ESTIMABLE, Estimate, not_estimable
from reports.statistics.rounding import significant

NAME = "Fisher's exact test, two-sided"


def fisher(count: int, n: int, reference_count: int, reference_n: int) -> Estimate:
    """p that ``count`` of ``n`` and ``reference_count`` of ``reference_n`` share one proportion.

    Sums, in whole numbers, the tables that are no more probable than the observed one, all margins fixed (as SAS PROC
    FREQ). ``statistic`` is the sample odds ratio, where it is finite.
    """
    everybody = n + reference_n
    if n == 0 or reference_n == 0:
        return not_estimable(NAME, everybody, "one of the groups is empty")
    met = count + reference_count
    possible = range(max(0, met - reference_n), min(n, met) + 1)
    ways = {k: comb(n, k) * comb(reference_n, met - k) for k in possible}
    extreme = sum(number for number in ways.values() if number <= ways[count])
    p = float(Fraction(extreme, comb(everybody, met)))
    return Estimate(p, NAME, everybody, statistic=_odds_ratio(count, n, reference_count, reference_n))


def _odds_ratio(count: int, n: int, reference_count: int, reference_n: int) -> float:
    below = (n - count) * reference_count
    return significant(count * (reference_n - reference_count) / below) if below else NOT_ESTIMABLE
