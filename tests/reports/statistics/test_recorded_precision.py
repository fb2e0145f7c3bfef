"""What counts as tied is read from the values as they are recorded; what is printed has no part in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.statistics.estimate import Estimate
from reports.statistics.friedman import friedman
from reports.statistics.hodges_lehmann import hodges_lehmann
from reports.statistics.page_trend import page_trend
from reports.statistics.paired_t import paired_t
from reports.statistics.rank_sum import rank_shift, rank_sum
from reports.statistics.rounding import recorded_decimals, to_precision
from reports.statistics.signed_rank import signed_rank
from reports.template_parts.group_comparisons import COMPARISONS
from reports.template_parts.paired_tests import TESTS


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([], 0), ([0.0, -0.0], 0), ([float("nan")], 0), ([3.0, 120.0, -7.0], 0), ([2.5e11, 3.1e11], 0),
        ([5.5 - 4.9, 4.6 - 4.0], 1), ([0.365, 0.29], 3), ([1.0, 0.1 + 0.2], 1), ([120.0, 0.05], 2),
        ([1.2e-9, 3.45e-9], 11), ([1 / 3, 2 / 3], 12), ([100 / 3], 10),
    ],
)  # fmt: skip
def test_decimals_of_values(values: list[float], decimals: int) -> None:
    assert recorded_decimals(values) == decimals


@settings(deadline=None)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=12), st.integers(0, 6))
def test_differences_of_recorded_values_tie_as_their_whole_numbers_do(numbers: list[int], decimals: int) -> None:
    values = np.array(numbers) / 10.0**decimals
    found = recorded_decimals(values)
    assert found <= decimals
    assert to_precision(values, found).tolist() == pytest.approx(values.tolist(), rel=1e-12)
    differences = to_precision((values[:, None] - values[None, :]).ravel(), found)
    whole = (np.array(numbers)[:, None] - np.array(numbers)[None, :]).ravel()
    assert stats.rankdata(np.abs(differences)).tolist() == stats.rankdata(np.abs(whole)).tolist()


def test_changes_below_one_unit_are_no_ties() -> None:
    """Eight changes of one sign: two of the 2**8 patterns of signs are as extreme."""
    change = np.array([0.365, 0.284, 0.444, 0.391, 0.277, 0.466, 0.352, 0.341])
    table = np.column_stack([np.full(8, 1.2), 1.2 + change])
    assert TESTS["signed_rank"].run(table).value == pytest.approx(2 / 2**8)
    assert TESTS["sign"].run(table).value == pytest.approx(2 / 2**8)
    expected = stats.ttest_rel(table[:, 1], table[:, 0])
    found = TESTS["paired_t"].run(table)
    assert (found.value, found.statistic) == pytest.approx((expected.pvalue, expected.statistic))
    walsh = [(one + other) / 2 for at, one in enumerate(change) for other in change[at:]]
    assert TESTS["hodges_lehmann"].run(table).value == pytest.approx(float(np.median(walsh)))


def test_groups_that_differ_below_one_unit_are_compared_as_recorded() -> None:
    one, two = np.array([0.11, 0.12, 0.13, 0.14]), np.array([0.21, 0.22, 0.23, 0.25])
    assert COMPARISONS["rank_sum"].run(one, two, None).value == pytest.approx(2 / 70)
    assert COMPARISONS["rank_shift"].run(one, two, None).value == pytest.approx(-0.1)
    expected = stats.ttest_ind(one, two, equal_var=False)
    assert COMPARISONS["welch_t"].run(one, two, None).value == pytest.approx(expected.pvalue)
    assert COMPARISONS["mean_difference"].run(one, two, None).value == pytest.approx(one.mean() - two.mean())


def test_derived_values_are_ranked_by_the_precision_that_is_declared() -> None:
    """Changes of 0.0702 and -0.0698 have one rank by two decimals: 1 + (2 + 3) / 2 of 6 for the positive ones."""
    table = np.array([[0.0, 0.0702], [0.0, -0.0698], [0.0, 0.01]])
    assert TESTS["signed_rank"].run(table).statistic == 1 + 3
    assert TESTS["signed_rank"].run(table, 2).statistic == 1 + 2.5
    one, two = np.array([0.0702]), np.array([0.0698])
    assert COMPARISONS["rank_sum"].run(one, two, None).statistic == 2
    assert COMPARISONS["rank_sum"].run(one, two, 2).statistic == 1.5


def test_noise_of_computation_is_no_variation() -> None:
    assert paired_t([5.5 - 4.9, 4.6 - 4.0, 0.6]).warning == "not estimable: all differences are equal"


many = np.arange(1.0, 1001)
LARGE: dict[str, Estimate] = {
    "signed_rank": signed_rank(many, 0), "hodges_lehmann": hodges_lehmann(many, 0), "rank_sum": rank_sum(many, many, 0),
    "rank_shift": rank_shift(many, many, 0), "friedman": friedman(np.tile([1.0, 2, 3, 4], (500, 1)), 0),
    "page": page_trend(np.tile([1.0, 2, 3, 4], (5000, 1)), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_an_approximation_says_so_in_its_method_and_warning(name: str) -> None:
    assert "asymptotic" in LARGE[name].method
    assert "exact" not in LARGE[name].method
    assert "approximation instead of enumeration" in LARGE[name].warning
