"""Comparisons of groups against published and hand-worked values, and against counting everything."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.statistics.fisher import fisher
from reports.statistics.mcnemar import mcnemar
from reports.statistics.proportion_difference import newcombe
from reports.statistics.rank_sum import rank_shift, rank_sum
from reports.statistics.ranks import doubled_midranks
from reports.statistics.two_sample_t import mean_difference, two_sample_t

SCORES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=5)
# Student's sleep data (1908): extra hours of sleep after two drugs.
DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_the_lady_tasting_tea() -> None:
    # Fisher (1935): three of four right; 1/70 + 16/70 on either side.
    found = fisher(3, 4, 1, 4)
    assert found.value == pytest.approx(34 / 70)
    assert (found.statistic, found.n) == (9, 8)


@given(n=st.integers(1, 30), m=st.integers(1, 30), data=st.data())
def test_fisher_is_scipys(n: int, m: int, data: st.DataObject) -> None:
    one, two = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    expected = stats.fisher_exact([[one, n - one], [two, m - two]]).pvalue
    assert fisher(one, n, two, m).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "n", "reference", "m", "lower", "upper"),
    [
        # Newcombe (1998), table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926), (0, 10, 0, 20, -0.1611, 0.2775), (10, 10, 0, 10, 0.6075, 1.0),
    ],
)  # fmt: skip
def test_newcombe(count: int, n: int, reference: int, m: int, lower: float, upper: float) -> None:
    found = newcombe(count, n, reference, m)
    assert found.value == pytest.approx(count / n - reference / m)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=6e-5)


def test_mcnemar_is_the_sign_test_of_the_changes() -> None:
    # 2 * (1 + 9 + 36) / 2**9 for two against seven.
    found = mcnemar(2, 7, 40)
    assert (found.value, found.n, found.statistic) == (92 / 512, 40, 2)
    assert mcnemar(3, 3, 9).value == 1
    assert mcnemar(0, 0, 5).warning == "no pair changes"


def test_rank_sum_of_a_textbook() -> None:
    # Hollander and Wolfe, example 4.1 (tritiated water, 10 and 5): W = 30, one-sided 0.1272, shift 0.305 of y - x.
    term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = rank_sum(early, term, 2)
    assert found.statistic == 30
    assert found.value == pytest.approx(2 * 0.1272, abs=1e-4)
    shift = rank_shift(term, early, 2)
    assert shift.value == pytest.approx(0.305)
    # R's wilcox.test(term, early, conf.int = TRUE): -0.15 to 0.76 (its 95.3% interval by the same inversion).
    assert (shift.lower, shift.upper) == pytest.approx((-0.15, 0.76))


@settings(deadline=None)
@given(one=SCORES, two=SCORES)
def test_rank_sum_is_what_counting_all_divisions_gives(one: list[float], two: list[float]) -> None:
    ranks = doubled_midranks(one + two)
    centre = len(one) * (len(ranks) + 1)
    observed = abs(int(ranks[: len(one)].sum()) - centre)
    sums = [abs(int(ranks[list(chosen)].sum()) - centre) for chosen in combinations(range(len(ranks)), len(one))]
    expected = np.mean([distance >= observed for distance in sums])
    assert rank_sum(one, two, 0).value == pytest.approx(expected)
    assert rank_sum(two, one, 0).value == pytest.approx(expected)


def test_rank_sum_of_large_groups_says_that_it_approximates() -> None:
    one, two = list(range(0, 800, 2)), list(range(101, 901, 2))
    found = rank_sum(one, two, 0)
    expected = stats.mannwhitneyu(one, two, method="asymptotic", use_continuity=False).pvalue
    assert found.value == pytest.approx(expected)
    assert "normal approximation" in found.warning
    assert "asymptotic" in rank_shift(one, two, 0).method


def test_two_sample_t_of_the_sleep_data() -> None:
    # R: t.test(extra ~ group, sleep): t = -1.8608, df = 17.776, p = 0.07939, -3.3654832 to 0.2054832.
    welch, means = two_sample_t(DRUG_1, DRUG_2), mean_difference(DRUG_1, DRUG_2)
    assert (welch.statistic, welch.value) == pytest.approx((-1.8608, 0.07939), abs=5e-5)
    assert (means.value, means.lower, means.upper) == pytest.approx((-1.58, -3.3654832, 0.2054832), abs=1e-6)
    pooled = two_sample_t(DRUG_1, DRUG_2, "equal")
    assert (pooled.statistic, pooled.value) == pytest.approx((-1.8608, 0.07919), abs=5e-5)


def test_what_cannot_be_compared_says_why() -> None:
    assert "empty" in fisher(0, 0, 1, 2).warning
    assert "empty" in newcombe(1, 2, 0, 0).warning
    assert "empty" in rank_sum([float("nan")], [1.0], 0).warning
    assert "empty" in rank_shift([], [1.0], 0).warning
    assert "no pairs" in mcnemar(0, 0, 0).warning
    assert "fewer than two" in two_sample_t([1.0], [1.0, 2.0]).warning
    assert "no variation" in mean_difference([1.0, 1.0], [2.0, 2.0]).warning
    assert rank_sum([1.0, 1.0], [1.0], 0).warning == "all values are tied"
    assert "cannot reach 95%" in rank_shift([1.0, 2.0], [3.0, 4.0], 0).warning
