"""The product-limit estimate of time to event, with Greenwood's variance and log-log intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.statistics.estimate import NOT_ESTIMABLE, Estimate, not_estimable
from reports.statistics.rounding import significant

NAME = "Kaplan-Meier"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SurvivalCurve:
    """Steps of a Kaplan-Meier estimate: one element an event time, in order, and the last time under observation.

    ``survival`` is the estimate from that time on and ``greenwood`` the sum of d / (n (n - d)) up to it.
    """

    times: Floats
    at_risk: Floats
    survival: Floats
    greenwood: Floats
    last: float
    n: int
    events: int
    confidence: float = 0.95

    def at(self, time: float) -> Estimate:
        """Probability of no event up to and including ``time``, with its pointwise log-log interval.

        Past the last observation nothing is known unless the curve has reached zero.
        """
        method = f"{NAME}, Greenwood variance, log-log {self.confidence * 100:g}% interval"
        step = int(np.searchsorted(self.times, time, side="right"))
        reached = self.survival[step - 1] if step else 1.0
        if self.n == 0 or (time > self.last and reached > 0):
            return not_estimable(method, self.n, "nobody under observation at this time")
        if step == 0:
            return Estimate(1.0, method, self.n)
        lower, upper = self.bounds()
        return Estimate(significant(float(reached)), method, self.n, lower=lower[step - 1], upper=upper[step - 1])

    def quantile(self, share: float = 0.5) -> Estimate:
        """First time by which ``share`` have had the event, with the interval of Brookmeyer and Crowley (1982).

        Where the curve runs level exactly there, the middle of that stretch, as SAS PROC LIFETEST has it.
        """
        name = "median" if share == 0.5 else f"{share * 100:g}% quantile"
        method = f"{NAME} {name}, log-log {self.confidence * 100:g}% interval"
        if self.n == 0:
            return not_estimable(method, 0, "no subjects")
        lower, upper = self.bounds()
        # Where the curve is zero its bounds are undefined: the lower has crossed, of the upper nothing is known.
        curves = (self.survival, np.nan_to_num(lower, nan=0.0), np.nan_to_num(upper, nan=1.0))
        found = [_crossing(self.times, curve, 1 - share) for curve in curves]
        warning = "" if not math.isnan(found[0]) else "not estimable: too few events to reach it"
        return Estimate(found[0], method, self.n, warning, lower=found[1], upper=found[2])

    def bounds(self) -> tuple[Floats, Floats]:
        """Pointwise log-log interval at each event time (Kalbfleisch and Prentice 1980); NaN where survival is 0."""
        from scipy import special

        deviate = float(special.ndtri((1 + self.confidence) / 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithm = np.log(self.survival)
            spread = deviate * np.sqrt(self.greenwood) / np.abs(logarithm)
            lower, upper = np.exp(logarithm * np.exp(spread)), np.exp(logarithm * np.exp(-spread))
        gone = self.survival == 0
        return np.where(gone, np.nan, lower), np.where(gone, np.nan, upper)


def kaplan_meier(times: ArrayLike, events: ArrayLike, confidence: float = 0.95) -> SurvivalCurve:
    """Estimate from times and whether each ended in the event; at equal times events come before censorings.

    Rows without a time are left out.
    """
    time, event = np.asarray(times, dtype=float), np.asarray(events, dtype=bool)
    kept = ~np.isnan(time)
    time, event = time[kept], event[kept]
    steps, counts = np.unique(time[event], return_counts=True)
    at_risk = (time.size - np.searchsorted(np.sort(time), steps)).astype(float)
    failed = counts.astype(float)
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(failed / (at_risk * (at_risk - failed)))
    survival = np.cumprod((at_risk - failed) / at_risk)
    last = float(time.max()) if time.size else NOT_ESTIMABLE
    return SurvivalCurve(steps, at_risk, survival, greenwood, last, int(time.size), int(event.sum()), confidence)


def _crossing(times: Floats, curve: Floats, level: float) -> float:
    """First time at which the curve is at or below ``level``; NaN when it never is."""
    below = np.flatnonzero(curve <= level + 1e-12)
    if below.size == 0:
        return NOT_ESTIMABLE
    first = int(below[0])
    level_stretch = abs(curve[first] - level) <= 1e-12 and first + 1 < times.size
    return float((times[first] + times[first + 1]) / 2 if level_stretch else times[first])
