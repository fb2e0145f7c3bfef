"""What a reader of the rank tests relies on: invariants, published values, missing data, and what is not estimable."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.statistics.friedman import friedman
from reports.statistics.hodges_lehmann import hodges_lehmann
from reports.statistics.page_trend import page_trend
from reports.statistics.paired_t import paired_t
from reports.statistics.sign_test import sign_test
from reports.statistics.signed_rank import signed_rank

NAN = float("nan")
DIFFERENCES = st.lists(st.integers(-200, 200).map(lambda whole: whole / 10), min_size=1, max_size=30)
TABLES = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 9).map(float), min_size=k, max_size=k), min_size=1, max_size=5)
)


@given(differences=DIFFERENCES)
def test_paired_p_values_are_probabilities_and_blind_to_direction(differences: list[float]) -> None:
    for test in (signed_rank, sign_test):
        forward, backward = test(differences, 1), test([-d for d in differences], 1)
        assert 0 < forward.value <= 1
        assert forward.value == pytest.approx(backward.value, rel=1e-12)


@settings(deadline=None)
@given(table=TABLES)
def test_table_p_values_are_probabilities_and_blind_to_direction(table: list[list[float]]) -> None:
    mirrored = [row[::-1] for row in table]
    for test in (friedman, page_trend):
        assert 0 < test(table, 0).value <= 1
        assert test(table, 0).value == pytest.approx(test(mirrored, 0).value, rel=1e-9)


def test_signed_rank_without_ties_is_the_classical_exact_test() -> None:
    differences = [1.1, -2.2, 3.3, 4.4, -5.5, 6.6, 7.7, 8.8, 9.9, 12.1, 13.2]
    assert signed_rank(differences, 1).value == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


def test_binary_noise_does_not_split_ties() -> None:
    noisy = [5.5 - 4.9, 4.6 - 4.0, 3.1 - 2.5, -(0.9 - 0.6), 0.3]
    assert len(set(noisy)) > 3
    assert signed_rank(noisy, 1).value == signed_rank([0.6, 0.6, 0.6, -0.3, 0.3], 1).value


def test_zeros_by_pratt_and_dropped_differ() -> None:
    # |d| ranks 1.5 1.5 3 4 5 (Pratt): of 8 sign patterns the positive sum 9 is reached or passed by 2 of them.
    differences = [0.0, 0.0, -1.0, 2.0, 3.0]
    assert signed_rank(differences, 0).value == pytest.approx(0.5)
    assert signed_rank(differences, 0).statistic == 9
    assert signed_rank(differences, 0, "wilcoxon").statistic == 5


def test_page_published_example() -> None:
    """Hollander and Wolfe, example 7.2 (cotton): L = 158 with n = 3, k = 5; the tabled tail there is below 0.01."""
    table = [[7.46, 7.17, 7.76, 8.14, 7.63], [7.68, 7.57, 7.73, 8.15, 8.00], [7.21, 7.80, 7.74, 7.87, 7.93]]
    estimate = page_trend(table, 2, "one-sided")
    assert estimate.statistic == 158
    assert 0.001 < estimate.value < 0.01


def test_friedman_statistic_agrees_with_scipy_under_ties() -> None:
    table = np.array([[1, 2, 2], [3, 1, 2], [4, 4, 5], [1, 1, 2], [2, 3, 3]], dtype=float)
    assert friedman(table, 0).statistic == pytest.approx(stats.friedmanchisquare(*table.T).statistic)


def test_friedman_tabled_value() -> None:
    """n = 4, k = 3, complete agreement: Q = 8, p = 6 / 6**4 = 0.0046 (every Friedman table)."""
    estimate = friedman([[1, 2, 3]] * 4, 0)
    assert (estimate.statistic, estimate.value) == (8.0, pytest.approx(6 / 6**4))


def test_incomplete_rows_and_missing_pairs_do_not_count() -> None:
    assert page_trend([[1, 2, 3], [1, NAN, 3], [1, 2, 3]], 0).n == 2
    assert friedman([[1, 2, 3], [NAN, 2, 3]], 0).n == 1
    assert signed_rank([1.0, NAN, 2.0], 1).n == 2


@pytest.mark.parametrize("test", [signed_rank, sign_test, lambda values, _: paired_t(values), hodges_lehmann])
def test_no_pairs_is_a_value_with_a_reason(test) -> None:  # type: ignore[no-untyped-def]
    estimate = test([NAN, NAN], 1)
    assert math.isnan(estimate.value)
    assert estimate.warning.startswith("not estimable")


def test_no_rows_is_a_value_with_a_reason() -> None:
    for test in (page_trend, friedman):
        assert math.isnan(test(np.full((3, 3), NAN), 0).value)


def test_all_zero_and_all_tied() -> None:
    assert signed_rank([0.0, 0.0], 1).value == 1
    assert friedman([[1, 1, 1], [2, 2, 2]], 0).value == 1
    assert page_trend([[1, 1, 1], [2, 2, 2]], 0).value == 1
    assert math.isnan(paired_t([1.0, 1.0, 1.0]).value)


def test_too_large_to_enumerate_says_asymptotic() -> None:
    """The approximation must name itself, and lie near the exact value where both can be had."""
    many = np.random.default_rng(1).normal(0.1, 1, 400)
    large = signed_rank(many, 6)
    assert "asymptotic" in large.method
    assert "normal approximation" in large.warning
    assert large.value == pytest.approx(stats.wilcoxon(many, method="approx").pvalue, rel=0.01)

    table = np.random.default_rng(2).normal(size=(6, 9)) + np.linspace(0, 0.5, 9)
    trend, spread = page_trend(table, 6), friedman(table, 6)
    assert "asymptotic" in trend.method
    assert trend.value == pytest.approx(2 * stats.page_trend_test(table, method="asymptotic").pvalue, rel=1e-6)
    assert "asymptotic" in spread.method
    assert spread.value == pytest.approx(stats.friedmanchisquare(*table.T).pvalue)
    assert "asymptotic" in hodges_lehmann(many, 6).method


def test_hodges_lehmann_by_hand() -> None:
    """Six pairs 1..6: Walsh averages from 1 to 6, median 3.5; the 96.9% interval is their whole range."""
    estimate = hodges_lehmann([1, 2, 3, 4, 5, 6], 0)
    assert (estimate.value, estimate.lower, estimate.upper) == (3.5, 1.0, 6.0)
    assert "attained 96.9%" in estimate.method


def test_hodges_lehmann_below_six_pairs_has_no_interval() -> None:
    estimate = hodges_lehmann([1, 2, 3, 4, 5], 0)
    assert estimate.value == 3
    assert np.isnan(estimate.lower)
    assert "interval not estimable" in estimate.warning


@given(differences=st.lists(st.integers(-50, 50).map(float), min_size=6, max_size=15, unique=True))
def test_the_interval_is_the_inverted_test(differences: list[float]) -> None:
    """A shift outside the interval is rejected at 5%, one inside is not (a quarter keeps clear of Walsh averages)."""
    estimate = hodges_lehmann(differences, 0)
    for shift, rejected in (
        (estimate.lower - 0.25, True),
        (estimate.upper + 0.25, True),
        (estimate.value + 0.001, False),
    ):
        assert (signed_rank([d - shift for d in differences], 3).value <= 0.05) is rejected


def test_paired_t_is_the_library_s() -> None:
    values = [0.33, 0.22, -0.15, 0.34, 0.43, 0.07, 0.23, -0.06]
    assert paired_t(values).value == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_sign_test_by_hand() -> None:
    """Seven positive, one zero: 2 / 2**7."""
    assert sign_test([1, 1, 1, 1, 1, 1, 1, 0], 0).value == pytest.approx(2 / 2**7)
