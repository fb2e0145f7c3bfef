"""Rates and their ratio: the worked annual relapse rates, published intervals, and what cannot be estimated."""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from reports.statistics.event_rate import conditional_rate_ratio, conditional_rate_test, event_rate
from reports.statistics.poisson_regression import poisson_rate_ratio
from reports.statistics.signed_rank import signed_rank

PERIODS = ["rel_pre", "rel_y1", "rel_y2"]


def test_relapse_rates_of_the_completers(completers: pd.DataFrame) -> None:
    rates = [event_rate(int(completers[period].sum()), 8.0, 8).value for period in PERIODS]
    assert rates == [1.5, 1.125, 0.75]


def test_tests_of_the_relapse_rates(completers: pd.DataFrame) -> None:
    last, before = int(completers["rel_y2"].sum()), int(completers["rel_pre"].sum())
    assert conditional_rate_test(last, 8, before, 8, 8).value == pytest.approx(0.24, abs=0.005)
    assert conditional_rate_ratio(last, 8, before, 8, 8).value == 0.5
    assert signed_rank(completers["rel_y2"] - completers["rel_pre"], 0).value == pytest.approx(0.031, abs=5e-4)


def test_exact_poisson_interval_of_tables() -> None:
    # Pearson and Hartley's table 40: ten events, 4.795 to 18.390; none, up to 3.689.
    found = event_rate(10, 1.0, 5)
    assert (found.lower, found.upper) == pytest.approx((4.795, 18.390), abs=1e-3)
    none = event_rate(0, 2.0, 5)
    assert (none.value, none.lower) == (0, 0)
    assert none.upper == pytest.approx(3.6889 / 2, abs=1e-4)


def test_ratio_of_the_breast_cancer_cohorts() -> None:
    # Boice and Monson (1977): 41 cases in 28,010 woman-years, 15 in 19,017; ratio 1.86 (Rothman, Epidemiology).
    found = conditional_rate_ratio(41, 28010, 15, 19017, 0)
    assert found.value == pytest.approx(1.86, abs=0.005)
    share = stats.binomtest(41, 56).proportion_ci(method="exact")
    bounds = [part / (1 - part) * 19017 / 28010 for part in (share.low, share.high)]
    assert (found.lower, found.upper) == pytest.approx(bounds, rel=1e-6)


def test_the_interval_inverts_the_test() -> None:
    found = conditional_rate_ratio(9, 4.0, 20, 5.0, 0)
    for bound in (found.lower, found.upper):
        # With the reference's time stretched by the bound the two rates are equal: each tail is 2.5%.
        assert conditional_rate_test(9, 4.0 * bound, 20, 5.0, 0).value == pytest.approx(0.05, abs=1e-9)


def test_equal_times_give_the_sign_test() -> None:
    expected = stats.binomtest(3, 13, 0.5).pvalue
    assert conditional_rate_test(3, 7, 10, 7, 0).value == pytest.approx(expected)


def test_what_cannot_be_estimated_says_why() -> None:
    assert "no events in the reference" in conditional_rate_ratio(2, 1, 0, 1, 4).warning
    assert "no person-time" in conditional_rate_ratio(2, 0, 1, 1, 4).warning
    assert "no person-time" in event_rate(0, 0, 0).warning
    assert "no events" in conditional_rate_test(0, 1, 0, 1, 4).warning
    assert conditional_rate_ratio(0, 1, 3, 1, 4).lower == 0
    assert math.isnan(poisson_rate_ratio([0, 0], [1, 1], [True, False]).ratio.value)
    assert "empty" in poisson_rate_ratio([1, 2], [1, 1], [True, True]).test.warning
    assert "both groups" in poisson_rate_ratio([1, 2], [1, 1], [True, False], ["a", "b"]).test.warning
    only_alone = poisson_rate_ratio([0, 2, 3], [1, 1, 1], [True, False, True], ["a", "a", "b"]).ratio
    assert only_alone.warning == "not estimable: no events in one of the groups among the subjects in both"


def test_poisson_regression_of_two_groups_is_the_ratio_of_rates() -> None:
    # With one factor the fit is exact: log ratio's variance is the sum of the reciprocal counts.
    found = poisson_rate_ratio([3, 6, 7, 5], [2.0, 2.5, 1.5, 3.5], [True, True, False, False])
    error = math.sqrt(1 / 9 + 1 / 12)
    expected = (9 / 4.5) / (12 / 5)
    assert found.ratio.value == pytest.approx(expected, rel=1e-9)
    assert found.ratio.upper == pytest.approx(expected * math.exp(1.959964 * error), rel=1e-6)
    assert found.test.statistic == pytest.approx(math.log(expected) / error, rel=1e-9)
    assert found.test.value == pytest.approx(2 * stats.norm.sf(abs(math.log(expected) / error)), rel=1e-9)


def test_a_fixed_subject_effect_leaves_out_who_had_no_event(completers: pd.DataFrame) -> None:
    # Everybody has a year in both periods: within subjects the ratio is again 6 to 12, its variance 1/6 + 1/12.
    events = [*completers["rel_y2"], *completers["rel_pre"]]
    subjects, periods = [*completers["id"]] * 2, [True] * 8 + [False] * 8
    found = poisson_rate_ratio(events, [1.0] * 16, periods, subjects)
    assert found.ratio.value == pytest.approx(0.5, rel=1e-6)
    assert found.ratio.lower == pytest.approx(0.5 * math.exp(-1.959964 * 0.5), rel=1e-5)
    assert found.ratio.n == 7
    assert found.ratio.warning == "1 subject without events left out"
    assert "fixed subject effect" in found.ratio.method


def by_dense_regression(
    events: np.ndarray, spent: np.ndarray, compared: np.ndarray, subjects: np.ndarray | None
) -> tuple[float, float]:
    """Log ratio and standard error of statsmodels' regression, with a column a subject who had an event."""
    base = np.ones((events.size, 1))
    if subjects is not None:
        had = np.isin(subjects, subjects[events > 0])
        events, spent, compared, subjects = events[had], spent[had], compared[had], subjects[had]
        base = (subjects[:, None] == np.unique(subjects)[None, :]).astype(float)
    design = np.column_stack([compared.astype(float), base])
    model = GLM(events, design, family=Poisson(), offset=np.log(spent))
    effects = model.fit(tol=1e-14, maxiter=200).params
    # its own standard errors are those of the last step but one
    return float(effects[0]), float(np.sqrt(np.linalg.inv(-model.hessian(effects))[0, 0]))


def relapses(subjects: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts of subjects with rates of their own in one or two rows of two periods, of unequal length."""
    draw = np.random.default_rng(seed)
    rows = draw.permutation(np.repeat(np.arange(subjects), 3))[: 3 * subjects - 5]
    compared, spent = draw.random(rows.size) < 0.5, draw.uniform(0.1, 3.0, rows.size)
    rates = draw.gamma(1.0, 1.0, subjects)[rows] * np.where(compared, 0.6, 1.0)
    return draw.poisson(rates * spent).astype(float), spent, compared, rows.astype(str)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("within", [True, False])
def test_the_regression_is_that_with_a_column_a_subject(seed: int, within: bool) -> None:
    events, spent, compared, subjects = relapses(60, seed)
    named = subjects if within else None
    effect, error = by_dense_regression(events, spent, compared, named)
    found = poisson_rate_ratio(events, spent, compared.tolist(), named.tolist() if named is not None else None)
    wide = 1.959963984540054 * error
    expected = [math.exp(bound) for bound in (effect, effect - wide, effect + wide)]
    assert [found.ratio.value, found.ratio.lower, found.ratio.upper] == pytest.approx(expected, rel=1e-10)
    assert found.test.statistic == pytest.approx(effect / error, rel=1e-9)
    assert found.test.value == pytest.approx(2 * stats.norm.sf(abs(effect / error)), rel=1e-9)


COUNTS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)),
    min_size=1,
    max_size=9,
)


@settings(deadline=None)
@given(counts=COUNTS)
def test_the_ratio_makes_expected_and_observed_events_equal(
    counts: list[tuple[int, int, float, float]],
) -> None:
    """The conditional score is zero at the estimate: events expected of the compared group are those observed."""
    one, two, first, second = map(np.array, zip(*counts, strict=True))
    names = [f"{number}" for number in range(len(counts))]
    found = poisson_rate_ratio(
        [*one, *two], [*first, *second], [True] * len(counts) + [False] * len(counts), [*names, *names]
    )
    if not one.sum() or not two.sum():
        nobody = not one.sum() + two.sum()  # a subject without events does not count
        assert ("groups is empty" if nobody else "no events in one of the groups") in found.ratio.warning
        return
    expected = ((one + two) * special.expit(np.log(first / second) + math.log(found.ratio.value))).sum()
    assert expected == pytest.approx(one.sum(), rel=1e-9)


def test_many_subjects_cost_no_more_than_their_rows() -> None:
    events, spent, compared, subjects = relapses(100_000, 5)
    started = time.process_time()
    found = poisson_rate_ratio(events, spent, compared.tolist(), subjects.tolist())
    assert time.process_time() - started < 5  # a column a subject would take 80 GB
    assert found.ratio.value == pytest.approx(0.6, rel=0.02)
