"""Poisson regression of event counts with the logarithm of person-time as offset, by its conditional likelihood.

Given the events of a subject in both groups together, those in the compared group are binomial and the subject's own
effect is gone; the ratio and its standard error are those of the regression with a column a subject (Cameron and
Trivedi, Regression Analysis of Count Data, 9.3). Without subject effects everybody is one such subject.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import significant

NAME = "Poisson regression, log person-time as offset"
# The step at which the logarithm of the ratio has its 14th digit, and more steps than halving takes to get there.
TOLERANCE, MOST_STEPS = 1e-14, 100
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RateRatio:
    """A rate ratio with its Wald interval, and the p-value of the Wald test (``statistic`` is z)."""

    ratio: Estimate
    test: Estimate


def poisson_rate_ratio(
    events: ArrayLike,
    time: ArrayLike,
    compared: Sequence[bool],
    subjects: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> RateRatio:
    """Rate of the rows that are ``compared`` over the rate of the others, one row a subject (and period).

    With ``subjects`` each subject has its own fixed effect: the ratio is then within subjects, and a subject without
    any event says nothing about it and is left out. Rows without count or person-time are left out. ``n`` counts the
    subjects that entered.
    """
    from scipy import special

    strata = _Strata.of(events, time, compared, subjects)
    name = f"{NAME}, {'fixed subject effect' if subjects is not None else 'no subject effect'}"
    reason = strata.reason()
    if reason:
        refused = not_estimable(name, strata.n, reason)
        return RateRatio(refused, refused)
    effect, error = _fit(strata)
    z, wide = effect / error, float(special.ndtri((1 + confidence) / 2)) * error
    value, lower, upper = (significant(math.exp(bound)) for bound in (effect, effect - wide, effect + wide))
    ratio = Estimate(value, f"{name}, Wald {confidence * 100:g}% interval", strata.n, strata.warning, z, lower, upper)
    p = significant(2 * float(special.ndtr(-abs(z))))
    return RateRatio(ratio, Estimate(p, f"{name}, Wald test", strata.n, strata.warning, significant(z)))


@dataclass(frozen=True)
class _Strata:
    """Events and person-time by stratum (a subject, or everybody) in the compared group and in the other one.

    Both are arrays of two rows, the compared group first, and a column a stratum with events.
    """

    events: Floats
    time: Floats
    n: int
    warning: str = ""

    @classmethod
    def of(
        cls, events: ArrayLike, time: ArrayLike, compared: Sequence[bool], subjects: Sequence[str] | None
    ) -> _Strata:
        counts, spent = np.asarray(events, dtype=float), np.asarray(time, dtype=float)
        kept = ~np.isnan(counts) & (np.nan_to_num(spent) > 0)
        n = int(kept.sum())
        codes = np.zeros(n, dtype=np.int64)
        if subjects is not None:
            codes = np.unique(np.asarray(subjects, dtype=str)[kept], return_inverse=True)[1]
        chosen = np.asarray(compared, dtype=bool)[kept]
        counts, spent = (_sums(values[kept], codes, chosen) for values in (counts, spent))
        return cls(counts, spent, n) if subjects is None else cls(counts, spent, counts.shape[1])._informative()

    def _informative(self) -> _Strata:
        """Return what is left without the subjects who had no event: their own effect would be minus infinity."""
        had = self.events.sum(axis=0) > 0
        silent = int((~had).sum())
        sentence = f"{silent} {'subject' if silent == 1 else 'subjects'} without events left out" if silent else ""
        return _Strata(self.events[:, had], self.time[:, had], self.n - silent, sentence)

    def reason(self) -> str:
        """Return why no ratio can be estimated; empty when one can."""
        if not self.time.any(axis=1).all():
            return "one of the groups is empty"
        if not self.events.any(axis=1).all():
            return "no events in one of the groups"
        both = self.time.all(axis=0)
        if not both.any():
            return "no subject is in both groups"
        if not self.events[:, both].any(axis=1).all():
            return "no events in one of the groups among the subjects in both"
        return ""


def _sums(values: Floats, codes: NDArray[np.int64], compared: NDArray[np.bool_]) -> Floats:
    """Return the sums by stratum, of the compared rows and of the others."""
    strata = int(codes.max(initial=-1)) + 1
    return np.array([np.bincount(codes[rows], values[rows], strata) for rows in (compared, ~compared)], dtype=float)


def _fit(strata: _Strata) -> tuple[float, float]:
    """Return the log ratio and its standard error by maximum likelihood, from the strata that are in both groups.

    The score falls in the log ratio. The root lies where all strata had the largest or the smallest share of their time
    in the compared group; Newton's step is taken while it stays between the bounds, else their middle.
    """
    from scipy import special

    both = strata.time.all(axis=0)
    events, totals = strata.events[0, both].sum(), strata.events[:, both].sum(axis=0)
    offset = np.log(strata.time[0, both] / strata.time[1, both])
    level = math.log(events / (totals.sum() - events))
    low, high = level - float(offset.max()), level - float(offset.min())
    effect = (low + high) / 2
    for _ in range(MOST_STEPS):
        share = special.expit(offset + effect)
        score, information = events - float(totals @ share), float(totals @ (share * (1 - share)))
        low, high = (effect, high) if score > 0 else (low, effect)
        step = effect + score / information
        if abs(score / information) <= TOLERANCE * max(1.0, abs(effect)):
            break
        effect = step if low < step < high else (low + high) / 2
    return effect, 1 / math.sqrt(information)
