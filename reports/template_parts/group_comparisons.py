"""The comparisons of two treatments that an output can ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from metadata.declaration_limits import OneOf
from reports.statistics.estimate import Estimate
from reports.statistics.event_rate import conditional_rate_ratio, conditional_rate_test
from reports.statistics.fisher import fisher
from reports.statistics.log_rank import log_rank
from reports.statistics.poisson_regression import RateRatio, poisson_rate_ratio
from reports.statistics.proportion_difference import newcombe
from reports.statistics.rank_sum import rank_shift, rank_sum
from reports.statistics.rounding import recorded_decimals
from reports.statistics.two_sample_t import mean_difference, two_sample_t
from reports.template_parts.censored_times import CensoredTimes
from reports.template_parts.person_time import PersonTimeRows

Kind = Literal["proportion", "value", "time", "rate"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """A comparison of one treatment with the reference; ``result`` says what its value is.

    ``run`` takes what the treatment and the reference have, shaped as the kind has it, and the decimals to which
    derived values are known, if they are declared.
    """

    kind: Kind
    label: str
    result: Literal["estimate", "p_value"]
    run: Callable[[Any, Any, int | None], Estimate]


def _points(estimate: Estimate) -> Estimate:
    return replace(estimate, value=estimate.value * 100, lower=estimate.lower * 100, upper=estimate.upper * 100)


def _log_rank(one: CensoredTimes, two: CensoredTimes) -> Estimate:
    labels = ["treatment"] * one.times.size + ["reference"] * two.times.size
    return log_rank(np.concatenate([one.times, two.times]), np.concatenate([one.events, two.events]), labels)


def _poisson(one: PersonTimeRows, two: PersonTimeRows) -> RateRatio:
    events, time = np.concatenate([one.events, two.events]), np.concatenate([one.time, two.time])
    return poisson_rate_ratio(events, time, [True] * one.n + [False] * two.n)


def _of_ranks(compare: Callable[[Floats, Floats, int], Estimate]) -> Callable[[Any, Any, int | None], Estimate]:
    """A method of ranks: values count as tied if they are equal as recorded, however few decimals are printed."""

    def run(one: Floats, two: Floats, precision: int | None) -> Estimate:
        decimals = recorded_decimals(np.concatenate([one, two])) if precision is None else precision
        return compare(one, two, decimals)

    return run


def _counts(one: PersonTimeRows, two: PersonTimeRows) -> tuple[int, float, int, float, int]:
    return one.count, one.total, two.count, two.total, one.n + two.n


COMPARISONS: dict[str, Comparison] = {
    "newcombe": Comparison(
        "proportion", "Difference in percentage points (95% CI)", "estimate", lambda a, b, _: _points(newcombe(*a, *b))
    ),
    "fisher": Comparison("proportion", "p-value, Fisher's exact test", "p_value", lambda a, b, _: fisher(*a, *b)),
    "mean_difference": Comparison(
        "value", "Difference of means (95% CI)", "estimate", lambda a, b, _: mean_difference(a, b)
    ),
    "welch_t": Comparison("value", "p-value, Welch's t test", "p_value", lambda a, b, _: two_sample_t(a, b)),
    "mean_difference_equal_variances": Comparison(
        "value", "Difference of means (95% CI), equal variances", "estimate",
        lambda a, b, _: mean_difference(a, b, "equal"),
    ),
    "equal_variances_t": Comparison(
        "value", "p-value, t test with equal variances", "p_value", lambda a, b, _: two_sample_t(a, b, "equal")
    ),
    "rank_shift": Comparison("value", "Hodges-Lehmann shift (95% CI)", "estimate", _of_ranks(rank_shift)),
    "rank_sum": Comparison("value", "p-value, Wilcoxon rank sum test", "p_value", _of_ranks(rank_sum)),
    "log_rank": Comparison("time", "p-value, log-rank test", "p_value", lambda a, b, _: _log_rank(a, b)),
    "conditional_ratio": Comparison(
        "rate", "Rate ratio (95% CI), exact conditional", "estimate",
        lambda a, b, _: conditional_rate_ratio(*_counts(a, b)),
    ),
    "conditional_test": Comparison(
        "rate", "p-value, exact conditional test", "p_value", lambda a, b, _: conditional_rate_test(*_counts(a, b))
    ),
    "poisson_ratio": Comparison(
        "rate", "Rate ratio (95% CI), Poisson regression", "estimate", lambda a, b, _: _poisson(a, b).ratio
    ),
    "poisson_test": Comparison(
        "rate", "p-value, Poisson regression", "p_value", lambda a, b, _: _poisson(a, b).test
    ),
}  # fmt: skip
ComparisonName = Annotated[str, OneOf(tuple(COMPARISONS))]
