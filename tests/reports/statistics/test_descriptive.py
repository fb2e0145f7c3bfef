"""Quartiles, rounding and proportions as SAS and the textbooks have them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gmean

from reports.statistics.descriptive import describe, describe_geometric
from reports.statistics.proportion import clopper_pearson
from reports.statistics.rounding import rounded_text, significant, to_precision


@pytest.mark.parametrize(
    ("values", "q1", "median", "q3"),
    [
        ([1, 2, 3, 4], 1.5, 2.5, 3.5),  # n p whole: mean of two
        ([1, 2, 3, 4, 5], 2, 3, 4),  # n p not whole: the next
        ([1, 2, 3, 4, 5, 6], 2, 3.5, 5),
        ([1, 2, 3, 4, 5, 6, 7], 2, 4, 6),
        ([7], 7, 7, 7),
    ],
)
def test_quartiles_as_pctldef_5(values: list[float], q1: float, median: float, q3: float) -> None:
    found = describe(values)
    assert (found["q1"].value, found["median"].value, found["q3"].value) == (q1, median, q3)


def test_description_by_hand() -> None:
    found = describe([2, 4, 4, 4, 5, 5, 7, 9, float("nan")])
    assert found["n"].value == 8
    assert found["mean"].value == 5
    assert found["sd"].value == pytest.approx(math.sqrt(32 / 7))
    assert (found["min"].value, found["max"].value) == (2, 9)


def test_one_value_has_no_spread_and_none_has_nothing() -> None:
    assert math.isnan(describe([3.0])["sd"].value)
    nothing = describe([])
    assert nothing["n"].value == 0
    assert math.isnan(nothing["mean"].value)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.5, 0, "1"), (1.5, 0, "2"), (2.5, 0, "3"), (-2.5, 0, "-3"), (2.675, 2, "2.68"), (1.005, 2, "1.01"),
     (-0.04, 1, "0.0"), (0.1 + 0.2, 1, "0.3"), (4.449999999999999, 1, "4.5"), (12, 2, "12.00"), (1e-9, 4, "0.0000")],
)  # fmt: skip
def test_halves_go_away_from_zero(value: float, decimals: int, text: str) -> None:
    assert rounded_text(value, decimals) == text


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_rounding_stays_within_half_a_unit(value: float, decimals: int) -> None:
    assert abs(float(rounded_text(value, decimals)) - value) <= 0.5 * 10**-decimals + 1e-6
    assert rounded_text(-value, decimals).lstrip("-") == rounded_text(value, decimals).lstrip("-")


def test_recorded_precision_makes_equal_what_was_equal() -> None:
    assert set(to_precision([5.5 - 4.9, 4.6 - 4.0, 0.6], 1)) == {0.6}
    assert list(to_precision([0.25, -0.25], 1)) == [0.3, -0.3]
    assert significant(0.1 + 0.2) == 0.3


@pytest.mark.parametrize(
    ("count", "n", "lower", "upper"),
    # All or none of n: 1 - 0.025**(1/n) by hand; 4 of 10 from the tables of Clopper and Pearson.
    [(10, 10, 0.025**0.1, 1.0), (0, 10, 0.0, 1 - 0.025**0.1), (4, 10, 0.1216, 0.7376)],
)
def test_clopper_pearson(count: int, n: int, lower: float, upper: float) -> None:
    estimate = clopper_pearson(count, n)
    assert (estimate.lower, estimate.upper) == (pytest.approx(lower, abs=5e-5), pytest.approx(upper, abs=5e-5))


def test_a_proportion_of_nobody() -> None:
    assert math.isnan(clopper_pearson(0, 0).value)


def test_geometric_mean_and_variation_by_hand() -> None:
    """Of 2 and 8 the logs have the mean log 4 and the variance 2 (log 2)^2 = 0.9609; 100 sqrt(exp(0.9609) - 1)."""
    found = describe_geometric([2, 8, float("nan")])
    assert found["geometric_mean"].value == pytest.approx(4) and found["geometric_mean"].n == 2
    assert found["geometric_cv"].value == pytest.approx(100 * math.sqrt(math.exp(2 * math.log(2) ** 2) - 1))
    assert found["geometric_cv"].value == pytest.approx(127.05, abs=0.01)


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=20))
def test_geometric_statistics_are_those_of_scipy(values: list[float]) -> None:
    found = describe_geometric(values)
    assert found["geometric_mean"].value == pytest.approx(float(gmean(values)), rel=1e-9)
    spread = float(np.var(np.log(values), ddof=1))
    assert found["geometric_cv"].value == pytest.approx(100 * math.sqrt(math.expm1(spread)), rel=1e-6, abs=1e-6)


def test_a_value_that_has_no_logarithm_leaves_no_geometric_mean() -> None:
    found = describe_geometric([1.0, 0.0, 4.0])
    assert math.isnan(found["geometric_mean"].value)
    assert found["geometric_cv"].warning == "not estimable: 1 value(s) not above 0"
    assert math.isnan(describe_geometric([3.0])["geometric_cv"].value)
