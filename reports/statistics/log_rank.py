"""The log-rank test between groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import significant

NAME = "Log-rank test"


def log_rank(times: ArrayLike, events: ArrayLike, labels: Sequence[str]) -> Estimate:
    """p that groups share one time-to-event distribution; ``statistic`` is chi-square on groups - 1 degrees of freedom.

    Observed less expected events of all groups but the last, with their hypergeometric covariance (Mantel 1966; Peto
    and Peto 1972). Rows without a time are left out. A group that is never at risk when an event happens has no
    expected events: it says nothing and has no degree of freedom (as ``survdiff`` of R's package survival has it).
    """
    from scipy import special

    time, event = np.asarray(times, dtype=float), np.asarray(events, dtype=bool)
    kept = ~np.isnan(time)
    time, event = time[kept], event[kept]
    names, codes = np.unique(np.asarray(labels, dtype=str)[kept], return_inverse=True)
    if names.size < 2:
        return not_estimable(NAME, int(time.size), "fewer than two groups have subjects")
    if not event.any():
        return not_estimable(NAME, int(time.size), "no events")
    first = float(time[event].min())
    groups = [codes == code for code in range(names.size)]
    groups = [group for group in groups if (time[group] >= first).any()]
    if len(groups) < 2:
        return not_estimable(NAME, int(time.size), "only one group has subjects at risk when an event happens")
    difference, covariance = _scores(time, event, groups)
    statistic = float(difference @ np.linalg.pinv(covariance) @ difference)
    p = float(special.chdtrc(len(groups) - 1, statistic))
    return Estimate(significant(p), NAME, int(time.size), statistic=significant(statistic))


def _scores(
    time: NDArray[np.float64], event: NDArray[np.bool_], groups: Sequence[NDArray[np.bool_]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return observed less expected events and their covariance; ``groups`` mark the rows of each group."""
    steps = np.unique(time[event])
    at_risk = np.column_stack([_at_least(time[group], steps) for group in groups]).astype(float)
    failed = np.column_stack([_at(time[group & event], steps) for group in groups]).astype(float)
    risk, deaths = at_risk.sum(axis=1), failed.sum(axis=1)
    share = at_risk / risk[:, None]
    difference = (failed - deaths[:, None] * share).sum(axis=0)
    with np.errstate(invalid="ignore"):
        factor = np.where(risk > 1, deaths * (risk - deaths) / (risk - 1), 0.0)
    covariance = np.diag((factor[:, None] * share).sum(axis=0)) - (share * factor[:, None]).T @ share
    return difference[:-1], covariance[:-1, :-1]


def _at_least(times: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many times reach each step."""
    return times.size - np.searchsorted(np.sort(times), steps)


def _at(times: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many times are each step; every time is one of the steps."""
    return np.bincount(np.searchsorted(steps, times), minlength=steps.size)
