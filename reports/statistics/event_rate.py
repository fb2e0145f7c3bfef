"""Event rates per person-time, and the exact ratio of two of them."""

from __future__ import annotations

import math

from reports.statistics.estimate import NOT_ESTIMABLE, Estimate, not_estimable
from reports.statistics.proportion import clopper_pearson

RATE = "Events per person-time, exact Poisson 95% interval"
RATIO = "Ratio of group rates, exact conditional 95% interval"
TEST = "Exact conditional test of the rate ratio, two-sided (twice the smaller tail)"


def event_rate(events: int, time: float, n: int, confidence: float = 0.95) -> Estimate:
    """Events of a group divided by its person-time, with the interval of Garwood (1936); ``n`` counts its subjects."""
    from scipy import special

    method = _named(RATE, confidence)
    if time <= 0:
        return not_estimable(method, n, "no person-time")
    tail = (1 - confidence) / 2
    lower = float(special.gammaincinv(events, tail)) if events else 0.0
    upper = float(special.gammaincinv(events + 1, 1 - tail))
    return Estimate(events / time, method, n, statistic=float(events), lower=lower / time, upper=upper / time)


def conditional_rate_ratio(
    events: int, time: float, reference_events: int, reference_time: float, n: int, confidence: float = 0.95
) -> Estimate:
    """Rate of a group over the rate of the reference.

    Given the total number of events, those of the group are binomial; Clopper and Pearson's bounds of that proportion
    become bounds of the ratio (Breslow and Day 1987, 3.3). No events in the reference leave the ratio without a value.
    """
    method, total = _named(RATIO, confidence), events + reference_events
    if time <= 0 or reference_time <= 0:
        return not_estimable(method, n, "no person-time in one of the groups")
    if reference_events == 0:
        return not_estimable(method, n, "no events in the reference")
    share = clopper_pearson(events, total, confidence)
    per = reference_time / time
    upper = _odds(share.upper) * per if share.upper < 1 else NOT_ESTIMABLE
    return Estimate(events / reference_events * per, method, n, lower=_odds(share.lower) * per, upper=upper)


def conditional_rate_test(events: int, time: float, reference_events: int, reference_time: float, n: int) -> Estimate:
    """p that two groups have one rate, conditional on all their events; agrees with the interval of the ratio.

    ``statistic`` is the number of events of the group.
    """
    from scipy import special

    if time <= 0 or reference_time <= 0:
        return not_estimable(TEST, n, "no person-time in one of the groups")
    total = events + reference_events
    if total == 0:
        return not_estimable(TEST, n, "no events")
    share = time / (time + reference_time)
    below = float(special.bdtr(events, total, share))
    above = float(special.bdtrc(events - 1, total, share)) if events else 1.0
    return Estimate(min(1.0, 2 * min(below, above)), TEST, n, statistic=float(events))


def _odds(share: float) -> float:
    return share / (1 - share)


def _named(method: str, confidence: float) -> str:
    return method.replace("95", f"{math.floor(confidence * 1000 + 0.5) / 10:g}")
