"""Kaplan-Meier and log-rank on the 6-mercaptopurine trial of Freireich et al. (1963), a textbook's standard example.

Published: survival and standard errors in Kalbfleisch and Prentice (1980); log-log bounds as SAS and R print them;
medians 23 and 8 weeks; log-rank chi-square 16.79 (Kleinbaum and Klein, Survival Analysis, chapter 2).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.statistics.kaplan_meier import kaplan_meier
from reports.statistics.log_rank import log_rank

TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
CENSORED = {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1}
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def treated_events() -> list[bool]:
    left, events = dict(CENSORED), []
    for week in reversed(TREATED):
        left[week] = left.get(week, 0) - 1
        events.append(left[week] < 0)
    return events[::-1]


@pytest.mark.parametrize(
    ("week", "survival", "lower", "upper"),
    [
        (6, 0.857, 0.620, 0.952), (7, 0.807, 0.563, 0.923), (10, 0.753, 0.503, 0.889), (13, 0.690, 0.432, 0.849),
        (16, 0.627, 0.368, 0.805), (22, 0.538, 0.268, 0.747), (23, 0.448, 0.188, 0.680), (30, 0.448, 0.188, 0.680),
    ],
)  # fmt: skip
def test_survival_of_the_treated(week: int, survival: float, lower: float, upper: float) -> None:
    found = kaplan_meier(TREATED, treated_events()).at(week)
    assert (found.value, found.lower, found.upper) == pytest.approx((survival, lower, upper), abs=6e-4)
    assert found.n == 21


def test_standard_errors_are_greenwoods() -> None:
    curve = kaplan_meier(TREATED, treated_events())
    errors = curve.survival * np.sqrt(curve.greenwood)
    assert errors == pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=6e-5)
    assert list(curve.at_risk) == [21, 17, 15, 12, 11, 7, 6]


def test_medians() -> None:
    treated = kaplan_meier(TREATED, treated_events()).quantile()
    assert (treated.value, treated.lower) == (23, 13)
    assert math.isnan(treated.upper)
    placebo = kaplan_meier(PLACEBO, [True] * 21).quantile()
    assert (placebo.value, placebo.lower, placebo.upper) == (8, 4, 11)


def test_log_rank() -> None:
    found = log_rank(TREATED + PLACEBO, treated_events() + [True] * 21, ["A"] * 21 + ["B"] * 21)
    assert found.statistic == pytest.approx(16.79, abs=0.005)
    assert found.value == pytest.approx(4.17e-5, rel=0.01)
    assert found.n == 42


def test_a_median_where_the_curve_is_level_is_the_middle() -> None:
    assert kaplan_meier([1, 2, 3, 4], [True] * 4).quantile().value == 2.5


def test_what_nobody_was_observed_for_is_not_estimable() -> None:
    curve = kaplan_meier([5, 10], [True, False])
    assert curve.at(10).value == 0.5
    assert math.isnan(curve.at(11).value)
    assert "observation" in curve.at(11).warning
    assert kaplan_meier([5, 10, 10], [True, False, False]).quantile().warning.startswith("not estimable")
    assert kaplan_meier([], []).at(1).n == 0
    assert math.isnan(kaplan_meier([], []).quantile().value)


def test_log_rank_that_cannot_be_computed_says_why() -> None:
    assert "two groups" in log_rank([1, 2], [True, True], ["A", "A"]).warning
    assert "no events" in log_rank([1, 2], [False, False], ["A", "B"]).warning
    assert log_rank([1, 2, math.nan], [True, True, True], ["A", "B", "C"]).n == 2


def test_a_group_that_is_never_at_risk_has_no_degree_of_freedom() -> None:
    """C is censored before the first event: the test is that of A and B, as survdiff of R has it."""
    times, events = [3.0, 5, 8, 9, 4, 6, 7, 10], [True, True, False, True, True, True, True, False]
    labels = ["A"] * 4 + ["B"] * 4
    two = log_rank(times, events, labels)
    three = log_rank([*times, 1.0, 2.0], [*events, False, False], [*labels, "C", "C"])
    assert (three.value, three.statistic) == (two.value, two.statistic)
    assert three.n == 10
    censored = [not event for event in events]
    groups = [stats.CensoredData.right_censored(times[part], censored[part]) for part in (slice(0, 4), slice(4, 8))]
    reference = stats.logrank(*groups)
    assert two.value == pytest.approx(reference.pvalue, rel=1e-9)
    assert two.statistic == pytest.approx(reference.statistic**2, rel=1e-9)
    alone = log_rank([3.0, 5, 1], [True, True, False], ["A", "A", "C"])
    assert alone.warning == "not estimable: only one group has subjects at risk when an event happens"


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=25))
def test_without_censoring_before_a_time_survival_is_a_proportion(rows: list[tuple[int, bool]]) -> None:
    times = [time for time, _ in rows]
    curve = kaplan_meier(times, [True] * len(times))
    for time in range(1, max(times)):
        assert curve.at(time).value == pytest.approx(sum(t > time for t in times) / len(times))
    censored = kaplan_meier(times, [event for _, event in rows])
    assert np.all(np.diff(censored.survival) < 1e-12)
