"""Poisson regression of event counts with the logarithm of person-time as offset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from reports.statistics.estimate import Estimate, not_estimable
from reports.statistics.rounding import significant

NAME = "Poisson regression, log person-time as offset"
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
    rows = _Rows.of(events, time, compared, subjects)
    name = f"{NAME}, {'fixed subject effect' if subjects is not None else 'no subject effect'}"
    reason = rows.reason()
    if reason:
        refused = not_estimable(name, rows.n, reason)
        return RateRatio(refused, refused)
    effect, error = _fit(rows)
    z, wide = effect / error, float(special.ndtri((1 + confidence) / 2)) * error
    value, lower, upper = (significant(math.exp(bound)) for bound in (effect, effect - wide, effect + wide))
    ratio = Estimate(value, f"{name}, Wald {confidence * 100:g}% interval", rows.n, rows.warning, z, lower, upper)
    p = significant(2 * float(special.ndtr(-abs(z))))
    return RateRatio(ratio, Estimate(p, f"{name}, Wald test", rows.n, rows.warning, significant(z)))


@dataclass(frozen=True)
class _Rows:
    events: Floats
    time: Floats
    compared: NDArray[np.bool_]
    subjects: NDArray[np.int64] | None
    n: int
    warning: str = ""

    @classmethod
    def of(cls, events: ArrayLike, time: ArrayLike, compared: Sequence[bool], subjects: Sequence[str] | None) -> _Rows:
        counts, years = np.asarray(events, dtype=float), np.asarray(time, dtype=float)
        kept = ~np.isnan(counts) & (np.nan_to_num(years) > 0)
        counts, years, chosen = counts[kept], years[kept], np.asarray(compared, dtype=bool)[kept]
        if subjects is None:
            return cls(counts, years, chosen, None, int(kept.sum()))
        _, codes = np.unique(np.asarray(subjects, dtype=str)[kept], return_inverse=True)
        return cls(counts, years, chosen, codes, int(codes.max(initial=-1)) + 1)._informative()

    def _informative(self) -> _Rows:
        """Without the subjects who had no event: their own effect would be minus infinity."""
        if self.subjects is None:
            return self
        had = np.bincount(self.subjects, weights=self.events) > 0
        kept = had[self.subjects] if self.subjects.size else np.zeros(0, dtype=bool)
        _, codes = np.unique(self.subjects[kept], return_inverse=True)
        silent = int((~had).sum())
        said = f"{silent} {'subject' if silent == 1 else 'subjects'} without events left out" if silent else ""
        parts = (self.events[kept], self.time[kept], self.compared[kept])
        return _Rows(*parts, codes, self.n - silent, said)

    def reason(self) -> str:
        """Why no ratio can be estimated; empty when one can."""
        if self.compared.all() or not self.compared.any():
            return "one of the groups is empty"
        if not self.events[self.compared].any() or not self.events[~self.compared].any():
            return "no events in one of the groups"
        if self.subjects is not None and not self._both_within():
            return "no subject is in both groups"
        return ""

    def _both_within(self) -> bool:
        assert self.subjects is not None
        rows = np.bincount(self.subjects)
        chosen = np.bincount(self.subjects, weights=self.compared)
        return bool(((chosen > 0) & (chosen < rows)).any())

    def design(self) -> Floats:
        """A column for the comparison, then the intercept or one column a subject."""
        base = np.ones((self.events.size, 1)) if self.subjects is None else np.eye(self.n)[self.subjects]
        return np.column_stack([self.compared.astype(float), base])


def _fit(rows: _Rows) -> tuple[float, float]:
    """Log ratio and its standard error by maximum likelihood."""
    # Its import costs more than the fit.
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    model = GLM(rows.events, rows.design(), family=Poisson(), offset=np.log(rows.time))
    fitted = model.fit(tol=1e-12, maxiter=200)
    return float(fitted.params[0]), float(fitted.bse[0])
