"""Sums of pairs found in their order against writing all of them down and sorting."""

from __future__ import annotations

import math
import time
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.statistics.hodges_lehmann import hodges_lehmann
from reports.statistics.pair_sums import PairSums, differences, walsh_averages
from reports.statistics.rank_sum import rank_shift

RECORDED = st.lists(st.integers(-300, 300).map(lambda whole: whole / 100), min_size=1, max_size=25)


def assert_in_order(found: PairSums, written: list[float]) -> None:
    assert [found.nth(place) for place in range(found.size)] == pytest.approx(sorted(written), abs=1e-12)
    assert [found.nth(-place) for place in range(1, found.size + 1)] == pytest.approx(sorted(written)[::-1], abs=1e-12)
    assert found.median() == pytest.approx(float(np.median(written)), abs=1e-12)


@settings(deadline=None)
@given(values=RECORDED)
def test_walsh_averages_come_in_order(values: list[float]) -> None:
    written = [(one + two) / 2 for one, two in combinations_with_replacement(values, 2)]
    assert_in_order(walsh_averages(np.array(values), 2), written)


@settings(deadline=None)
@given(first=RECORDED, second=RECORDED)
def test_differences_come_in_order(first: list[float], second: list[float]) -> None:
    assert_in_order(differences(np.array(first), np.array(second), 2), [one - two for one in first for two in second])


def test_large_groups_are_estimated_without_all_their_pairs() -> None:
    """Twenty thousand values have two hundred million pairs; these are symmetric about their shift."""
    two = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    started = time.process_time()
    paired, apart = hodges_lehmann(two + 0.25, 4), rank_shift(two + 0.25, two, 4)
    assert time.process_time() - started < 5
    for found, error in ((paired, math.sqrt(1 / 20_000)), (apart, math.sqrt(2 / 20_000))):
        assert found.value == pytest.approx(0.25, abs=1e-4)
        # the efficiency of both is 3 / pi of that of the mean
        wide = stats.norm.ppf(0.975) * error * math.sqrt(math.pi / 3)
        assert (found.lower, found.upper) == pytest.approx((0.25 - wide, 0.25 + wide), abs=5e-4)
        assert "asymptotic" in found.method
